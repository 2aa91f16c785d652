"""What `mien video` can read: a video, standard input, pictures in a folder, a camera, an address.

`open_video` tells them apart by name, `open_file` animations from other videos. Knows nothing of
faces.
"""

import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import cv2
import numpy as np

from mien.errors import BadImageError, BadSettingError
from mien.media import images
from mien.media.animation import HEAD, Animation, is_webp
from mien.media.decoder import as_bad_video, is_address, is_ordinary
from mien.media.files import is_dir, open_regular
from mien.media.folders import FILM_SUFFIXES, PictureFiles, search_pictures
from mien.media.frame import Frame
from mien.media.live_stream import LiveStream
from mien.media.pipe import Pipe, keep
from mien.media.video_reader import VideoFile
from mien.media.video_source import USUAL_RATE, VideoSource, check_rate

__all__ = ["Camera", "NumberedPictures", "PictureFolder", "open_file", "open_stream", "open_video"]

_NUMBERED = re.compile(r"%0?(\d{0,3})d")  # no file's name has room for a thousand digits
_MOST_CAMERAS = 1000


def open_video(
    source: str | Path | int, rate: float = 0, sound: bool = False, allow_network: bool = False
) -> VideoSource:
    """Open what a user names.

    Args:
        source: a video file; ``-`` for standard input; a pattern such as ``frames/%05d.jpg`` for
            numbered pictures, or a folder of pictures; a number for a camera; an address such as
            ``https://host/talk.mp4``.
        rate: frames a second of pictures and of raw streams such as an .h264, 25 unless said; 0
            for all other sources.
        sound: also keep the sound of a video.
        allow_network: let addresses be opened, and lists of other files and addresses (.m3u8,
            .sdp). The answer is waited for 20 s; a live stream that breaks off, as a network camera
            does, is opened again for 60 s.

    Returns:
        The source of frames, for a ``with`` statement.

    Raises:
        BadImageError: if there is none, or it is no video.
        BadSettingError: if a rate is given to a source that has its own, or is not above 0.
        MissingExtraError: if PyAV is not installed and a video is named.
    """
    check_rate(rate)
    _check_type(source)
    name = str(source)
    if not name:
        raise BadImageError("no video is named: the name is empty", fix="name a file")
    exists = is_ordinary(name) or is_dir(Path(name))
    if _NUMBERED.search(Path(name).name) and not exists:
        return NumberedPictures(Path(name), rate)
    if isinstance(source, int) or (name.isdecimal() and not exists):
        if rate:
            raise BadSettingError(
                f"{name} has its own rate", fix="give a rate for pictures only, as frames/%05d.jpg"
            )
        return Camera(int(name))
    if name == "-":
        return _standard_input(rate, sound, allow_network)
    if is_address(name):
        video = VideoFile(name, sound=sound, rate=rate, allow_network=allow_network)
        return LiveStream(video) if video.is_endless else video
    if is_dir(Path(name)):
        return PictureFolder(Path(name), rate)
    return open_file(Path(name), rate, sound, allow_network)


def _check_type(source: object) -> None:
    """Refuse what is no name: its text would be taken for one."""
    if not isinstance(source, str | Path | int):
        got = f"expected a path, an address or the number of a camera, got {type(source).__name__}"
        fix = "save it as a file, or give frames to mien.recognize.VideoRecognizer"
        raise BadImageError(got, fix)


def open_file(
    path: Path, rate: float = 0, sound: bool = False, allow_network: bool = False
) -> VideoSource:
    """Open a video file, or an animation.

    Args:
        path: the file.
        rate: frames a second of a raw stream; 0 for what it says, or 25.
        sound: also keep its sound.
        allow_network: let it be a list of other files and addresses.

    Returns:
        The source of frames, for a ``with`` statement.

    Raises:
        BadImageError: if there is no such file, or it is no video.
        BadSettingError: if a rate is given to a video that has its own, or is not above 0.
        MissingExtraError: if PyAV is not installed.
    """
    check_rate(rate)
    with open_regular(path, sys.maxsize) as file:
        if is_webp(file.read(HEAD)):
            _refuse_rate(str(path), rate)
            file.seek(0)
            return Animation(file, str(path))
    return VideoFile(path, sound=sound, rate=rate, allow_network=allow_network)


def open_stream(file: IO[bytes], name: str) -> VideoSource:
    """Open a video that is in memory or in an open file; nothing else is opened.

    Args:
        file: open for reading, which can be returned to its start.
        name: what to call it in an error.

    Returns:
        The source of frames, for a ``with`` statement.

    Raises:
        BadImageError: if it is no video, or cannot be read.
        MissingExtraError: if PyAV is not installed.
    """
    with as_bad_video(name):
        file.seek(0)
        moves = is_webp(file.read(HEAD))
        file.seek(0)
    return Animation(file, name) if moves else VideoFile(file, name)


def _refuse_rate(name: str, rate: float) -> None:
    if rate:
        raise BadSettingError(f"{name} has its own rate", fix="leave out the rate")


def _standard_input(rate: float, sound: bool, allow_network: bool) -> VideoSource:
    name, stream = "standard input", sys.stdin.buffer
    is_file = stream.seekable() and stream.tell() == 0  # as in: mien video - < IN
    pipe = Pipe(stream)
    if is_webp(pipe.look(HEAD)):
        _refuse_rate(name, rate)
        with keep(pipe, name) as file:
            return Animation(file, name)
    if is_file:
        stream.seek(0)
        return VideoFile(stream, name, sound, rate, allow_network)
    return VideoFile(pipe, name, sound, rate, allow_network)


class _Pictures(VideoSource):
    """Picture files, shown one after another at an even rate."""

    def __init__(self, name: str, files: Sequence[Path], rate: float) -> None:
        super().__init__(name)
        check_rate(rate)
        self.files = files
        self.length, self.rate = len(files), rate or USUAL_RATE

    def __iter__(self) -> Iterator[Frame]:
        """Yield every picture that can be read; others are counted as damaged and keep their time.

        Raises:
            BadImageError: if not one can be.
        """
        number = 0
        for place, file in enumerate(self.files):
            if self._stopped:
                return
            try:
                rgb = images.read_rgb(file)
            except BadImageError as error:
                self.damaged += 1
                last_error = error
                continue
            yield Frame(number, place / self.rate, rgb)
            number += 1
        if number == 0:
            raise last_error


class NumberedPictures(_Pictures):
    """Numbered pictures in a folder, in the order of their numbers; missing ones are no gap."""

    def __init__(self, pattern: Path, rate: float) -> None:
        """Find the pictures.

        Args:
            pattern: path whose last part holds one ``%d`` or ``%05d`` for the number.
            rate: frames a second; 0 for 25.

        Raises:
            BadImageError: if there is none.
            BadSettingError: if the rate cannot be.
        """
        super().__init__(str(pattern), _numbered(pattern), rate)


class PictureFolder(_Pictures):
    """The pictures in a folder, in the order of their names, 2 before 10; not those below it."""

    def __init__(self, folder: Path, rate: float) -> None:
        """Find the pictures.

        Args:
            folder: with at least one picture; what is left out, `left_out` tells.
            rate: frames a second; 0 for 25.

        Raises:
            BadImageError: if there is none, or the folder cannot be read.
            BadSettingError: if the rate cannot be.
        """
        found = _pictures_in(folder)
        files = [file for file in found.files if file.parent == folder]
        for file in found.files:
            if file.parent != folder:
                found.leave_out(file, "in a folder below")
        if not files:
            raise BadImageError(f"no pictures in {folder} itself", fix="name a folder below it")
        super().__init__(str(folder), sorted(files, key=_by_number), rate)
        self.left_out = found.summary()


def _pictures_in(folder: Path) -> PictureFiles:
    """The pictures below a folder; one of films alone says how these are read."""
    try:
        return search_pictures([folder])
    except BadImageError as error:
        if not any(file.suffix.lower() in FILM_SUFFIXES for file in folder.rglob("*")):
            raise
        fix = f"name one of them, or read them all with mien video {folder} --films"
        raise BadImageError(f"no pictures in {folder}, but films", fix) from error


def _listed(folder: Path) -> list[Path]:
    """All that is there: what is no file, as a link that leads nowhere, is damaged later."""
    try:
        return list(folder.iterdir())
    except OSError as error:
        reason = error.strerror or error
        raise BadImageError(f"cannot read {folder}: {reason}", fix="check the path") from error


def _by_number(file: Path) -> tuple[list[str | int], str]:
    """Names as people sort them: text and numbers take turns, numbers count by their value."""
    parts = re.split(r"(\d+)", file.name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], file.name


def _numbered(pattern: Path) -> list[Path]:
    """The files that a pattern names, in the order of their numbers."""
    before, digits, after = _NUMBERED.split(pattern.name, maxsplit=1)
    number = rf"(\d{{{int(digits or 1)},}})"
    name = re.compile(re.escape(before) + number + re.escape(after))
    folder = pattern.parent
    files = _listed(folder) if folder.is_dir() else []
    numbered = [(int(match[1]), file) for file in files if (match := name.fullmatch(file.name))]
    if not numbered:
        raise BadImageError(f"no such pictures: {pattern}", fix="check the folder and the pattern")
    return [file for _, file in sorted(numbered)]


class Camera(VideoSource):
    """A camera of this machine, until it is stopped; a frame's time is when it arrived."""

    is_live = True

    def __init__(self, index: int) -> None:
        """Open a camera.

        Args:
            index: 0 is the first.

        Raises:
            BadImageError: if there is none.
        """
        super().__init__(f"camera {index}")
        if not 0 <= index < _MOST_CAMERAS:
            raise BadImageError(f"no such file or camera: {index}", fix="check the path")
        self._device = cv2.VideoCapture(index)
        if not self._device.isOpened():
            raise BadImageError(
                f"no camera {index} can be opened",
                fix="check that it is connected and that no other program is using it",
            )
        self.rate = float(self._device.get(cv2.CAP_PROP_FPS))

    def __iter__(self) -> Iterator[Frame]:
        """Yield what it sees.

        Raises:
            BadImageError: if it gives nothing at all.
        """
        number, start = 0, time.monotonic()
        while not self._stopped:
            ok, bgr = self._device.read()
            if not ok:
                break
            now = time.monotonic()
            start = now if number == 0 else start
            rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
            yield Frame(number, now - start, rgb)
            number += 1
        if number == 0 and not self._stopped:
            raise BadImageError(f"{self.name} gives no picture", fix="try another camera")

    def __exit__(self, *_: object) -> None:
        """Let go of the camera."""
        self.stop()
        self._device.release()
