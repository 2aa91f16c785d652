"""FER+: what ten annotators saw in each picture of FER2013, so a share for every expression.

Obtained from: https://github.com/microsoft/FERPlus (the votes, MIT licence) and FER2013 (the
pictures). Source: Barsoum et al. 2016, arXiv:1608.01041.
Layouts understood: FER2013 in any of its layouts (or ``FER2013{Train,Valid,Test}/fer*.png``) as
SOURCE, and the votes in a csv inside it or named by ``--labels``: columns
``neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF`` and the picture's
name in ``image`` or ``Image name`` (an empty name is the place of the row, as in
``fer2013new.csv``).
A class with a single vote (``--outliers``) counts as not voted for; the label is the class with
more than half (``--agreement``) of what is left, as in the authors' own code. Without majority, or
with one for contempt, unknown or no face, a picture is left out; with ``--soft`` the most voted
class is enough. The shares of the six and neutral go to ``soft.csv`` beside the manifest.
Counts expected: 35,887 lines of votes in ``fer2013new.csv``. Of 23,627 votes by name for the
common download of the six, two share a name and join nothing; the majority keeps 20,395 of the
rest, ``--soft`` 23,340.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mien.data.datasets.archive import Archive, is_picture
from mien.data.datasets.csv_tables import columns, is_table, rows_in, rows_of
from mien.data.datasets.fer2013 import faces_of
from mien.data.datasets.layouts import checked, split_of
from mien.data.datasets.listing import Item, Listing, labels_option, option
from mien.errors import BadDataError
from mien.labels import LABELS, NEUTRAL

__all__ = ["FerPlusOptions", "ferplus"]

_OURS = (*LABELS, NEUTRAL)
_OTHERS = ("contempt", "unknown", "nf")
_COLUMNS = {"image": ["image", "image name"]} | {name: [name] for name in (*_OURS, *_OTHERS)}
_MOST_VOTES = 1_000_000
_LAYOUTS = ["FER2013 as mien prepare fer2013 takes it", "FER2013{Train,Valid,Test}/fer*.png"]


@dataclass(frozen=True, slots=True)
class FerPlusOptions:
    """Options of `mien prepare ferplus`."""

    labels: str = labels_option()
    agreement: float = option(0.5, "ferplus: the share of votes that a majority needs more than.")
    outliers: int = option(1, "ferplus: so few votes for a class count as none.", most=9)
    soft: bool = option(False, "ferplus: keep pictures without a majority too.")


def ferplus(archive: Archive, options: FerPlusOptions) -> Listing:
    """Join the pictures of FER2013 with the votes.

    Args:
        archive: FER2013 as downloaded, with or without the votes.
        options: where the votes are, and what counts as a majority.

    Returns:
        One item a picture that was voted on, in the order of their names, with soft labels.

    Raises:
        BadDataError: if there are no votes.
    """
    listing = Listing()
    faces = _faces_by_stem(archive, listing)
    voted: set[str] = set()
    for written, votes in _votes(archive, options):
        stem = PurePosixPath(written).stem
        same_name = faces.get(stem, [])
        if len(same_name) != 1 or stem in voted:
            listing.leave_out(written, "ambiguous name" if same_name else "missing file")
        else:
            _add(listing, same_name[0], votes, options)
        voted.add(stem)
    if not voted:
        raise BadDataError(
            f"no votes in {options.labels or archive.path}: looked for a csv with the columns "
            f"{','.join(_COLUMNS)}",
            fix="name the file of votes with --labels",
        )
    for stem in faces.keys() - voted:
        for face in faces[stem]:
            listing.leave_out(face.original, "not voted on")
    listing.items.sort(key=lambda item: item.original)
    listing.problems.sort(key=lambda problem: problem.original)
    return checked(listing, archive, "FER2013", _LAYOUTS)


def _add(listing: Listing, face: Item, votes: dict[str, float], options: FerPlusOptions) -> None:
    label, reason = _decide(votes, options)
    if label is None:
        listing.leave_out(face.original, reason)
    else:
        soft = _shares(votes, options.outliers)
        listing.items.append(replace(face, label=label, soft=soft))


def _faces_by_stem(archive: Archive, listing: Listing) -> dict[str, list[Item]]:
    """The pictures of FER2013 by file name without suffix; their `label` means nothing here."""
    found = faces_of(archive)
    if not found.items:
        found = _in_folders_of_ferplus(archive)
    faces: dict[str, list[Item]] = defaultdict(list)
    for item in found.items:
        faces[PurePosixPath(item.original).stem].append(item)
    listing.problems += found.problems
    return faces


def _in_folders_of_ferplus(archive: Archive) -> Listing:
    found = Listing()
    for name in filter(is_picture, archive.names):
        folder = PurePosixPath(name).parent.name
        word = folder.lower().removeprefix("fer2013")
        split = "test" if word == "valid" else split_of(word)  # Valid is PublicTest
        if split:
            found.items.append(Item(name, NEUTRAL, split))
        else:
            found.leave_out(name, "unknown split", folder)
    return found


def _votes(archive: Archive, options: FerPlusOptions) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield a picture's name and its votes by class."""
    tables = (
        [rows_of(Path(options.labels))]
        if options.labels
        else [rows_in(archive, name) for name in archive.names if is_table(name)]
    )
    for rows in tables:
        places = columns(next(rows, []), _COLUMNS)
        if len(places) < len(_COLUMNS):
            continue
        image = places.pop("image")
        for number, row in enumerate(rows):
            try:
                votes = {name: _count(row[place]) for name, place in places.items()}
                written = row[image]
            except (ValueError, IndexError):
                raise BadDataError(
                    f"line {number + 2} of the votes is no line of votes: {','.join(row)}",
                    fix="download the votes again",
                ) from None
            yield written or f"fer{number:07}.png", votes


def _count(cell: str) -> float:
    """Read a number of votes; one that cannot be is a ValueError, as is what is no number."""
    count = float(cell or 0)
    if not 0 <= count <= _MOST_VOTES:
        raise ValueError(cell)
    return count


def _counted(votes: dict[str, float], outliers: int) -> dict[str, float]:
    """The votes without outliers."""
    return {name: count if count > outliers else 0.0 for name, count in votes.items()}


def _decide(votes: dict[str, float], options: FerPlusOptions) -> tuple[str | None, str]:
    """Return the label and "", or None and the reason why there is no label."""
    counted = _counted(votes, options.outliers)
    top = max(counted.values())
    winners = [name for name in (*_OURS, *_OTHERS) if counted[name] == top]
    majority = len(winners) == 1 and top > options.agreement * sum(counted.values())
    if top == 0 or not (majority or options.soft):
        return None, "no majority"
    if winners[0] in _OTHERS:
        return None, {"nf": "no face"}.get(winners[0], winners[0])
    return winners[0], ""


def _shares(votes: dict[str, float], outliers: int) -> tuple[float, ...]:
    """The shares of the six and neutral in the votes for them, in our order, summing to 1."""
    counted = _counted(votes, outliers)
    total = sum(counted[name] for name in _OURS)
    return tuple(counted[name] / total for name in _OURS)
