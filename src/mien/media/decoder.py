"""Open a video with PyAV, from a file, a stream or an address, and say what is wrong with it.

The only way into FFmpeg. A file is a file whatever its name; it opens no other files and no
connections unless it is allowed to; whatever FFmpeg and PyAV raise becomes one kind of error, and
frames of absurd sizes are refused before they are decoded. Knows nothing of frames.
"""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from mien.errors import BadImageError, MissingExtraError
from mien.media.files import open_regular, read_errors

__all__ = [
    "FIX",
    "MAX_PIXELS",
    "as_bad_video",
    "damages",
    "is_address",
    "is_ordinary",
    "open_container",
    "picture_streams",
    "pyav",
    "too_large",
]

FIX = "give a video file such as .mp4, .mov, .avi or .webm"
MAX_PIXELS = 36_000_000  # of a frame: 8K (8192x4320) fits
_MAX_SIDE = 16_384  # pixels, as H.264 allows
_INDEX_LAST = frozenset({".3gp", ".m4v", ".mov", ".mp4"})  # cameras write it when they stop
# FFmpeg plays anything that holds a JPEG, a .zip of them too; these are its names for such files.
_STILL = ("_pipe", "image2", "mjpeg")
# Its names for what is no video itself, but names files or addresses that are then opened.
_LISTS = frozenset({
    "applehttp",
    "concat",
    "concatf",
    "dash",
    "hls",
    "imf",
    "rtp",
    "rtsp",
    "sap",
    "sdp",
    "vobsub",
    "webm_dash_manifest",
})
_NETWORK = ("http", "https", "rtmp", "rtmps", "rtmpt", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp")
_BESIDE = ("crypto", "data", "httpproxy", "tls")  # what those are made of
_PATIENCE_S = 20.0  # for an answer from the network


def pyav() -> ModuleType:
    """Return PyAV with its log off: our errors and counts say what is wrong.

    The log must stay off: handed to Python by the decoder's threads, it deadlocks with the thread
    that waits for them (PyAV's issue 751).

    Returns:
        The module ``av``.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        import av
    except ModuleNotFoundError:
        raise MissingExtraError("reading a video", "video") from None
    av.logging.set_level(None)
    return av


def damages() -> tuple[type[Exception], ...]:
    """Return what FFmpeg and PyAV raise about a video: to be caught around calls of PyAV alone."""
    ffmpeg: type[Exception] = pyav().FFmpegError
    return read_errors(ffmpeg, ArithmeticError, LookupError)


@contextmanager
def as_bad_video(name: str) -> Iterator[None]:
    """Turn what FFmpeg and PyAV raise into an error with the next step.

    Args:
        name: what to call the video.

    Yields:
        Nothing.

    Raises:
        BadImageError: if the block cannot read the video.
    """
    try:
        yield
    except damages() as error:
        raise BadImageError(*_reason(name, error)) from error


def _reason(name: str, error: Exception) -> tuple[str, str]:
    """The message and its next step."""
    av = pyav()
    if isinstance(error, av.error.ExitError):
        return f"no answer: {name} sent nothing for {_PATIENCE_S:.0f} s", "try again later"
    if getattr(error, "errno", None) == errno.EINVAL:
        return (
            f"not a video: {name} is damaged, or a list of other files or addresses",
            "give the video file itself, or add --allow-network for a list",
        )
    reason = getattr(error, "strerror", None) or error
    if is_address(name) and isinstance(error, ConnectionError):
        return f"cannot reach {name} ({reason})", "check the address, and that it answers"
    fix = FIX
    if isinstance(error, av.error.InvalidDataError) and Path(name).suffix.lower() in _INDEX_LAST:
        fix += "; a recording that broke off has no index, and needs a tool that makes it anew"
    return f"not a video: {name} ({reason})", fix


def is_address(source: str | Path) -> bool:
    """Whether a name is an address on the network, and not a file."""
    scheme, mark, _ = str(source).partition("://")
    return bool(mark) and scheme.lower() in _NETWORK


def is_ordinary(path: str | Path) -> bool:
    """Whether there is an ordinary file.

    Args:
        path: any name.

    Returns:
        False if there is nothing, or a folder, a device or a pipe.

    Raises:
        BadImageError: if the system does not say.
    """
    try:
        return Path(path).is_file()
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        reason = error.strerror or error
        raise BadImageError(f"cannot read {path}: {reason}", fix="check the path") from error


def open_container(
    source: str | Path | IO[bytes] | Any, name: str, rate: float = 0, allow_network: bool = False
) -> Any:
    """Open a video.

    Args:
        source: a file, an address, or a stream that has ``read``.
        name: what to call it in an error.
        rate: frames a second of pictures that have no times of their own; 0 for FFmpeg's 25.
        allow_network: let addresses be opened, and lists of other files and addresses.

    Returns:
        PyAV's container, which has pictures that move.

    Raises:
        BadImageError: if there is no such file, or it is no video that may be opened.
        MissingExtraError: if PyAV is not installed.
    """
    av = pyav()
    options = {"max_pixels": str(MAX_PIXELS), "pattern_type": "none"}
    if rate:
        options["framerate"] = str(rate)
    remote = isinstance(source, str) and is_address(source)
    protocols = ["pipe"]
    if remote and not allow_network:
        fix = "add --allow-network to read it, from Python allow_network=True"
        raise BadImageError(f"{name} is on the network", fix)
    if isinstance(source, str | Path) and not remote:
        _check_file(source)
        source = f"file:{source}"  # else a name with a colon would be taken for an address
        protocols = ["file"]
    if allow_network:
        protocols += [*_NETWORK, *_BESIDE]
    else:
        names = {part for names in av.formats_available for part in names.split(",")}
        options["format_whitelist"] = ",".join(sorted(names - _LISTS))
    options["protocol_whitelist"] = ",".join(protocols)
    with as_bad_video(name):
        container = av.open(
            source,
            options=options,
            timeout=_PATIENCE_S if allow_network else None,
            **_any_title(av),
        )
    problem = _problem(container)
    if problem:
        container.close()
        raise BadImageError(f"not a video: {name} {problem}", FIX)
    return container


def _any_title(av: ModuleType) -> dict[str, str]:
    """Let titles be in any code, as nothing here reads them; PyAV 19 always does, unasked."""
    return {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


def _check_file(path: str | Path) -> None:
    with open_regular(path, sys.maxsize):
        pass


def _problem(container: Any) -> str:
    """What makes an opened file no video, or ""."""
    if container.format.name.endswith(_STILL):
        return "is a picture, or a file of pictures"
    if not container.streams.video:
        return "has sound, but no pictures" if container.streams.audio else "has no pictures"
    stream = picture_streams(container)[0]
    if stream.codec_context is None:
        return "has pictures in a code that is not known"
    return too_large(stream.codec_context.width, stream.codec_context.height)


def too_large(width: int, height: int) -> str:
    """Say that a frame is larger than can be held, or nothing.

    Args:
        width: in pixels.
        height: the same.

    Returns:
        The reason, or "".
    """
    if width * height <= MAX_PIXELS and max(width, height) <= _MAX_SIDE:
        return ""
    return (
        f"has frames of {width}x{height}, the most are {MAX_PIXELS:,} pixels, {_MAX_SIDE:,} a side"
    )


def picture_streams(container: Any) -> list[Any]:
    """The pictures of a film: its streams of them, the one that players show first.

    Args:
        container: PyAV's, with at least one stream of pictures.

    Returns:
        PyAV's streams, at least one; without the cover of an album if there are others.
    """
    marks = pyav().stream.Disposition
    streams = container.streams.video
    films = [s for s in streams if not s.disposition & marks.attached_pic] or [*streams]
    return sorted(films, key=lambda stream: not stream.disposition & marks.default)
