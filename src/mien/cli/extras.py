"""Whether the extra that a command needs is installed."""

from importlib.util import find_spec

from mien.errors import MissingExtraError

__all__ = ["needs"]


def needs(what: str, extra: str, *modules: str) -> None:
    """Refuse a command or an option where what it needs is not installed.

    Args:
        what: the command or option.
        extra: of mien, that brings the modules.
        modules: all are needed.

    Raises:
        MissingExtraError: if one of them is not there.
    """
    if not all(map(find_spec, modules)):
        raise MissingExtraError(what, extra)
