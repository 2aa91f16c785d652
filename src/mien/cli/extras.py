"""Whether the extra that a command needs is installed.

Imports: the standard library, mien.errors.
"""

from importlib.util import find_spec

from mien.errors import MissingExtraError

__all__ = ["needs_matplotlib", "needs_scipy", "needs_torch", "needs_video"]


def needs_torch(what: str) -> None:
    """Refuse a command that needs torch where it is not installed.

    Args:
        what: needs it.

    Raises:
        MissingExtraError: if torch is not there.
    """
    if find_spec("torch") is None:
        raise MissingExtraError(what, "train")


def needs_matplotlib(what: str) -> None:
    """Refuse an option that plots where matplotlib is not installed.

    Args:
        what: needs it.

    Raises:
        MissingExtraError: if matplotlib is not there.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError(what, "train")


def needs_video(what: str) -> None:
    """Refuse a command on films where the libraries for them are not installed.

    Args:
        what: needs them.

    Raises:
        MissingExtraError: if one of them is not there.
    """
    if not all(map(find_spec, ("av", "lap", "matplotlib"))):
        raise MissingExtraError(what, "video")


def needs_scipy(what: str) -> None:
    """Refuse a command that needs scipy where it is not installed.

    Args:
        what: needs it.

    Raises:
        MissingExtraError: if scipy is not there.
    """
    if find_spec("scipy") is None:
        raise MissingExtraError(what, "proof")
