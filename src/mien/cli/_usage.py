"""Which failures are wrong usage, exit code 2: what was typed is wrong, whatever there is.

So is a name that mien does not know (`UnknownNameError`), and what is raised as `WrongUsageError`:
a value, options that do not go together, a name twice. What cannot be read, done or written is exit
code 1, and so is what stands in a file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mien.errors import BadSettingError, MienError, UnknownNameError

__all__ = ["WrongUsageError", "exit_code", "in_file", "wrong_usage"]


class WrongUsageError(MienError):
    """A command line that no file and no machine could make right."""


def exit_code(error: MienError) -> int:
    """Tell how a command ends.

    Args:
        error: that ended it.

    Returns:
        2 for wrong usage, 1 for all else.
    """
    return 2 if isinstance(error, UnknownNameError | WrongUsageError) else 1


@contextmanager
def wrong_usage(*kinds: type[MienError]) -> Iterator[None]:
    """Take errors of some kinds for what they are here: faults of the command line.

    Args:
        kinds: of errors.

    Yields:
        Nothing.

    Raises:
        WrongUsageError: in their place.
    """
    try:
        yield
    except kinds as error:
        raise WrongUsageError(error.message, error.fix) from error


@contextmanager
def in_file(path: Path) -> Iterator[None]:
    """Take an unknown name for what it is here: a fault of a file of settings, not of a word typed.

    Args:
        path: of the file.

    Yields:
        Nothing.

    Raises:
        BadSettingError: in place of `UnknownNameError`.
    """
    try:
        yield
    except UnknownNameError as error:
        raise BadSettingError(f"{path}: {error.message}", error.fix) from error
