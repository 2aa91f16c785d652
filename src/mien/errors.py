"""Every error a user can meet, each with its next step.

MienError
├── BadImageError      a picture, video frame or array that cannot be used
├── BadDataError       a database, manifest or labels file that is not as expected
├── BadModelError      a model file that is missing, damaged or not ours
├── BadSettingError    a setting outside its range, or a file of settings that cannot be read
├── UnknownNameError   a name that is not in a registry
├── OutputError        a result that cannot be written
└── MissingExtraError  a part that was not installed

`ValueError` is for a programmer's fault, these are for what happens to users.
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "BadDataError",
    "BadImageError",
    "BadModelError",
    "BadSettingError",
    "MienError",
    "MissingExtraError",
    "OutputError",
    "UnknownNameError",
]


class MienError(Exception):
    """Base of all errors raised on purpose; `fix` is one thing the user can do next."""

    def __init__(self, message: str, fix: str) -> None:
        """Keep the message and its next step."""
        super().__init__(f"{message}\n  try: {fix}")
        self.message = message
        self.fix = fix

    def __eq__(self, other: object) -> bool:
        """Be equal to another of the same kind and text, as results that hold them are."""
        return type(self) is type(other) and self.args == other.args

    def __hash__(self) -> int:
        """Have one hash where they are equal."""
        return hash((type(self), self.args))

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes, although the kinds are made from different arguments."""
        return _remade, (type(self), self.message, self.fix)


def _remade(kind: type[MienError], message: str, fix: str) -> MienError:
    error = kind.__new__(kind)
    MienError.__init__(error, message, fix)
    return error


class BadImageError(MienError):
    """A picture, frame or array that cannot be used."""


class BadDataError(MienError):
    """A database, manifest or labels file that is not as expected."""


class BadModelError(MienError):
    """A model file that is missing, damaged or not ours."""


class BadSettingError(MienError):
    """A setting outside its range, or a settings file that cannot be read."""


class OutputError(MienError):
    """A result that cannot be written."""


class UnknownNameError(MienError):
    """A name that is not in a registry."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        """Offer the nearest known name, or all of them; ``happy`` is near ``happiness``."""
        names = sorted(known)
        near = get_close_matches(name.lower(), names, n=1, cutoff=0.55) or names
        super().__init__(f"no {kind} called {name!r}", fix=f"use {', '.join(near)}")


class MissingExtraError(MienError):
    """A part of mien whose libraries were not installed."""

    def __init__(self, part: str, extra: str) -> None:
        """Name the extra that brings the part."""
        super().__init__(f"{part} needs the {extra} extra", fix=f'pip install "mien[{extra}]"')
