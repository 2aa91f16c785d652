"""What the operator of the service chose: limits, token, origins; checked before it starts."""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mien.errors import BadSettingError

__all__ = ["Settings", "is_loopback", "refuse_open_door"]

_MIB = 2**20
_LONGEST_S = 1_000_000_000  # timers overflow far above it, and never end at infinity
_HELD = 4  # as many of the largest bodies may be in memory at once


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and permissions of one service. With the usual ones it stays below 600 MiB.

    Attributes:
        model: an .onnx file or the name of a model in the package; None for the shipped one.
        threads: pictures that are read at once.
        token: that every request under /v1 must bring; None for no token.
        origins: of web pages that may call, as ``https://example.org``; ``*`` for all.
        queue: requests that may wait for their turn; more are refused at once.
        max_bytes: of a request's body, videos apart.
        max_pixels: of a picture.
        max_memory: MiB that decoding a picture may take.
        max_pictures: in a request.
        max_faces: in a picture.
        timeout_s: seconds for a body to arrive, for a turn to come, for an answer to be taken.
        max_videos: videos that are read at once.
        max_video_bytes: of a video's file.
        max_video_s: seconds of work on a video, after which its answer is cut off and says so.
        max_live: WebSockets that are open at once.
    """

    model: str | None = None
    threads: int = 1
    token: str | None = field(default=None, repr=False)
    origins: tuple[str, ...] = ()
    queue: int = 16
    max_bytes: int = 32 * _MIB
    max_pixels: int = 25_000_000
    max_memory: int = 176
    max_pictures: int = 64
    max_faces: int = 100
    timeout_s: float = 30
    max_videos: int = 1
    max_video_bytes: int = 64 * _MIB
    max_video_s: float = 600
    max_live: int = 8

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        least = {"threads": 1, "queue": 0, "max_videos": 0, "max_live": 0, "timeout_s": 0.1}
        sizes = ("max_bytes", "max_pixels", "max_memory", "max_pictures", "max_faces")
        least |= dict.fromkeys((*sizes, "max_video_bytes", "max_video_s"), 1)
        for name, low in least.items():
            if not getattr(self, name) >= low:
                raise BadSettingError(
                    f"{name} must be {low} or more, got {getattr(self, name)}",
                    fix="give more seconds" if name.endswith("_s") else "raise it",
                )
        for name in ("timeout_s", "max_video_s"):
            if getattr(self, name) > _LONGEST_S:
                raise BadSettingError(
                    f"{name} must be {_LONGEST_S:,} at most, got {getattr(self, name):g}",
                    fix="give fewer seconds",
                )
        if self.token is not None and not _is_token(self.token):
            raise BadSettingError(
                "the token is empty, or holds spaces or control characters",
                fix="choose another, such as that of: python -c 'import secrets; "
                "print(secrets.token_urlsafe())'",
            )
        for origin in self.origins:
            if not _is_origin(origin):
                raise BadSettingError(
                    f"no origin of a web page: {origin!r}",
                    fix="give scheme and host alone, as https://example.org",
                )

    @property
    def max_held(self) -> int:
        """Bytes of bodies that may be in memory at once."""
        return _HELD * self.max_bytes


def _is_token(text: str) -> bool:
    return bool(text) and text.isprintable() and " " not in text


def _is_origin(text: str) -> bool:
    if text in {"*", "null"}:
        return True
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.netloc) and text == f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine alone.

    Args:
        host: a name or an address.

    Returns:
        True for ``localhost``, 127.0.0.0/8 and ::1; False where it is not certain.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
        (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name: where it leads may change
        return False


def refuse_open_door(host: str, token: str | None) -> None:
    """Refuse to listen to other machines without a token.

    Args:
        host: to listen on.
        token: that requests must bring, if any.

    Raises:
        BadSettingError: if others could call without one.
    """
    if token is None and not is_loopback(host):
        raise BadSettingError(
            f"{host} can be reached from other machines, and no token is set",
            fix="set the environment variable MIEN_TOKEN, or listen on 127.0.0.1",
        )
