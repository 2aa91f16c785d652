"""The next step of who calls the service, where the library's own is one of the command line.

What happened stays as the library says it. Knows nothing of HTTP.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from mien.errors import MienError

__all__ = ["COMMAND_FOR_VIDEOS", "CROP", "FONT", "SEND_VIDEO", "advised"]

COMMAND_FOR_VIDEOS = "mien video "  # begins the library's advice on a video in place of a picture
SEND_VIDEO = "send a video to /v1/videos"
CROP = "send a face crop with crop=true"
FONT = (
    "install a font that has them where mien serve runs, as fonts-noto-cjk or fonts-dejavu-core "
    "of Debian and Ubuntu, or leave lang out for English"
)


@contextmanager
def advised(kind: type[MienError], fix: str, instead_of: str = "") -> Iterator[None]:
    """Put the service's next step in place of the library's.

    Args:
        kind: of error, which is made of a message and a next step as `MienError` is.
        fix: the service's next step.
        instead_of: how the library's begins; another one stays.

    Yields:
        Nothing.

    Raises:
        MienError: of this kind, with the message that it had.

    Example:
        >>> from mien.errors import BadImageError
        >>> with advised(BadImageError, "send another"):
        ...     raise BadImageError("no picture", "check the path")
        Traceback (most recent call last):
        mien.errors.BadImageError: no picture
          try: send another
    """
    try:
        yield
    except kind as error:
        if not error.fix.startswith(instead_of):
            raise
        raise kind(error.message, fix) from error
