"""What every reader of a dataset shares: its result, the declaration of its options, `InOrder`.
Decodes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mien.errors import BadImageError
from mien.labels import PAPER, LabelSet
from mien.pixels import U8

__all__ = ["InOrder", "Item", "Listing", "OptionValue", "Problem", "labels_option", "option"]

OptionValue = bool | int | float | str
T = TypeVar("T")
V = TypeVar("V", bool, int, float, str)


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a dataset.

    Attributes:
        original: its name inside the archive, unique.
        label: as the dataset has it in our words; after `read_listing` one of the wanted classes.
        split: ``train``, ``valid`` or ``test``.
        subject: who is shown, or "" where the dataset does not say.
        soft: shape (7,), what share of the annotators saw each of the six and neutral; or None.
        picture: a function that decodes it to (H, W, 3) or (H, W), uint8, where `original` is not a
            picture file of the archive but a row of a table, a frame of a video or a part of a
            picture; or None.
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
        reason: in a few words; problems are counted by it.
        detail: what is special about this one.
    """

    original: str
    reason: str
    detail: str = ""


@dataclass(slots=True)
class Listing:
    """The content of a dataset.

    Attributes:
        items: the pictures to prepare.
        problems: what was left out, and why.
        labels: the classes of the items.
        taken: how many pictures each word was taken for which label; "" for those left out.
        unused: the tables that were not read, each with the reason.
    """

    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    labels: LabelSet = PAPER
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    unused: list[str] = field(default_factory=list)

    def leave_out(self, original: str, reason: str, detail: str = "") -> None:
        """Note something that is left out.

        Args:
            original: its name.
            reason: in a few words.
            detail: what is special about this one.
        """
        self.problems.append(Problem(original, reason, detail))


def option(
    default: V, text: str, least: int = 0, most: int | None = None, choices: Sequence[str] = ()
) -> V:
    """Declare an option of a reader: a field of a frozen dataclass in the reader's own file.

    `mien prepare` offers it under the name of the field. Readers that have an option of the same
    name share it.

    Args:
        default: a bool is a flag, a float is a share in [0, 1), a str is a word or names a file,
            "" for none.
        text: the help; starts with the datasets that have the option.
        least: smallest value of an int.
        most: largest value of an int; None for no limit.
        choices: what a str may be, if it is one of few.

    Returns:
        The field; its type here is that of the default, as for `dataclasses.field`.
    """
    metadata = {"help": text, "least": least, "most": most, "choices": tuple(choices)}
    declared: V = field(default=default, metadata=metadata)
    return declared


def labels_option() -> str:
    """Declare ``--labels``, which several readers have."""
    return option(
        "",
        "folder, ferplus: a CSV file of labels or votes outside SOURCE. folder: or whose numbers "
        "there are: affectnet, ckplus, fer2013, mien, rafdb, or NAME,NAME,...",
    )


class InOrder(Generic[T]):
    """Rows of a table or frames of a video, by number, read from a stream.

    Best asked for in ascending order: one stream is open at a time and read once, so memory stays
    flat. Only an earlier part, or another stream, opens a stream again: what lies beyond the end of
    one that is cut short is missing without another look.
    """

    def __init__(self, open_stream: Callable[[str], Iterator[tuple[int, T]]]) -> None:
        """Keep how to open a stream.

        Args:
            open_stream: from a stream's name to its numbered parts, ascending.
        """
        self._open_stream = open_stream
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
            self._stream = self._open_stream(name)
        for current, part in self._stream:
            self._place = (name, current)
            if current == number:
                return part
            if current > number:
                break
        raise BadImageError(f"{name} has no number {number}", fix="download it again")
