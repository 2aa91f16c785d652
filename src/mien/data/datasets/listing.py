"""What a reader of a database returns: pictures to prepare, and what had to be left out.
Decodes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from mien.errors import BadImageError
from mien.pixels import U8

__all__ = ["InOrder", "Item", "Listing", "Options", "Problem"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a database.

    Attributes:
        original: its name inside the archive, unique.
        label: one of `mien.labels.LABELS` or `NEUTRAL`.
        split: ``train``, ``valid`` or ``test``.
        subject: who is shown, or "" where the database does not say.
        soft: shape (7,), what share of the annotators saw each of the six and neutral; or None.
        picture: decodes it to (H, W, 3) or (H, W), uint8, where `original` is no picture file of
            the archive (a row of a table, a frame of a video, a part of a picture); or None.
    """

    original: str
    label: str
    split: str
    subject: str = ""
    soft: tuple[float, ...] | None = None
    picture: Callable[[], U8] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """A picture, or a line of a labels file, that was left out.

    Attributes:
        original: its name.
        reason: in a few words, the same for all of a kind, as they are counted by it.
        detail: what is particular to this one.
    """

    original: str
    reason: str
    detail: str = ""


@dataclass(slots=True)
class Listing:
    """What a database holds.

    Attributes:
        items: the pictures to prepare.
        problems: what was left out, and why.
    """

    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def leave_out(self, original: str, reason: str, detail: str = "") -> None:
        """Note something that is left out.

        Args:
            original: its name.
            reason: in a few words.
            detail: what is particular to this one.
        """
        self.problems.append(Problem(original, reason, detail))


@dataclass(frozen=True, slots=True)
class Options:
    """What a reader may be asked for; the readers that heed an option say so.

    Attributes:
        labels: a CSV file of labels that lies outside the archive, or "".
        agreement: ferplus: the share of the votes that the majority needs more than, in [0, 1).
        outliers: ferplus: so many votes for a class, or fewer, count as none.
        soft: ferplus: keep a picture without majority too, as its shares are in soft.csv.
        every: disfa: one frame in so many is looked at.
        intensity: disfa: the least intensity, 1 to 5, at which an action unit counts as seen.
    """

    labels: str = ""
    agreement: float = 0.5
    outliers: int = 1
    soft: bool = False
    every: int = 20
    intensity: int = 2

    def record(self) -> dict[str, str | float | bool]:
        """Return the options as they are kept: with the file's name, wherever it lies now."""
        return {
            "labels": Path(self.labels).name,
            "agreement": self.agreement,
            "outliers": self.outliers,
            "soft": self.soft,
            "every": self.every,
            "intensity": self.intensity,
        }


class InOrder(Generic[T]):
    """Parts of streams (rows of a table, frames of a video), asked for in ascending order.

    One stream is open at a time and read once, so memory stays flat; who asks for an earlier
    part, or another stream, has the stream opened again.
    """

    def __init__(self, opened: Callable[[str], Iterator[tuple[int, T]]]) -> None:
        """Keep how to open a stream.

        Args:
            opened: from a stream's name to its numbered parts, ascending.
        """
        self._opened = opened
        self._stream: Iterator[tuple[int, T]] = iter(())
        self._place = ("", -1)

    def at(self, name: str, number: int) -> T:
        """Return one part of a stream.

        Args:
            name: of the stream.
            number: of the part.

        Returns:
            The part.

        Raises:
            BadImageError: if the stream ends before it, or lacks it.
        """
        if name != self._place[0] or number <= self._place[1]:
            self._stream = self._opened(name)
        for found, part in self._stream:
            self._place = (name, found)
            if found == number:
                return part
            if found > number:
                break
        self._place = ("", -1)
        raise BadImageError(f"{name} has no number {number}", fix="download it again")
