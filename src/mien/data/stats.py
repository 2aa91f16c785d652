"""How many pictures a prepared folder holds, by split and class: the paper's Table 3.
Reads tables only, never a picture.
"""

import csv
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mien.data import manifest
from mien.errors import BadDataError
from mien.labels import LABELS, NEUTRAL

__all__ = ["HEADER", "PAPER_HEADER", "Count", "beside_paper", "count", "notes", "rows"]

HEADER = ("folder", "database", "split", *LABELS, "six", NEUTRAL, "left out")
PAPER_HEADER = ("folder", "database", "split", "here", "left out", "together", "paper", "more")
_SPLITS = ("train", "test", "valid")  # in the paper's order
# The paper's split -> ours that it is compared with.
_OURS: dict[str, tuple[str, ...]] = {"train": ("train", "valid"), "test": ("test",), "valid": ()}
_TABLE3 = Path(__file__).with_name("table3.toml")
_EXCLUDED = "excluded.csv"


@dataclass(frozen=True, slots=True)
class Count:
    """Pictures of one split of one database in one folder.

    Attributes:
        folder: as it was named.
        source: the database.
        split: ``train``, ``test`` or ``valid``.
        labels: pictures by label.
        left_out: of the six and of the split, what `prepare` left out; None where it cannot be
            told.
    """

    folder: str
    source: str
    split: str
    labels: Counter[str] = field(default_factory=Counter)
    left_out: int | None = None

    @property
    def six(self) -> int:
        """Pictures of the six expressions, which is what the paper counts."""
        return sum(self.labels[label] for label in LABELS)


def count(folders: Sequence[str | Path]) -> list[Count]:
    """Count the pictures of prepared folders.

    Args:
        folders: what ``mien prepare`` wrote.

    Returns:
        One count a folder, database and split, in the order of the folders.

    Raises:
        BadDataError: if a folder has no manifest, or no picture in it.
    """
    counts = []
    for folder in folders:
        found: dict[tuple[str, str], Counter[str]] = {}
        for row in manifest.read(folder):
            found.setdefault((row.source, row.split), Counter())[row.label] += 1
        if not found:
            raise BadDataError(f"no picture in {folder}", fix="make it again with mien prepare")
        sources = {source for source, _ in found}
        left_out = _left_out(Path(folder)) if len(sources) == 1 else None
        for source, split in sorted(found, key=lambda key: (key[0], _SPLITS.index(key[1]))):
            fewer = None if left_out is None else left_out[split]
            counts.append(Count(str(folder), source, split, found[source, split], fewer))
    return counts


def _left_out(folder: Path) -> Counter[str] | None:
    """Count what `prepare` left out of the six, by split; None without its list."""
    try:
        with (folder / _EXCLUDED).open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)  # before it had labels, neutral pictures are counted too
            return Counter(row["split"] for row in table if row.get("label") != NEUTRAL)
    except (OSError, KeyError, UnicodeDecodeError, csv.Error):
        return None


def rows(counts: Sequence[Count]) -> list[tuple[str | int, ...]]:
    """Lay counts out under `HEADER`.

    Args:
        counts: of `count`.

    Returns:
        One row a count; an unknown number is "".
    """
    return [
        (
            c.folder,
            c.source,
            c.split,
            *(c.labels[label] for label in LABELS),
            c.six,
            c.labels[NEUTRAL],
            "" if c.left_out is None else c.left_out,
        )
        for c in counts
    ]


def beside_paper(counts: Sequence[Count]) -> list[tuple[str | int, ...]]:
    """Set counts beside the paper's Table 3, under `PAPER_HEADER`.

    Args:
        counts: of `count`.

    Returns:
        One row for each split that the paper counts, of each folder with a database of the
        paper. ``more`` is how many the folder has together with what was left out, beyond the
        paper's number. Our ``valid`` is carved from train and so counted there; the paper's is
        another collection, and its row has "" for our numbers, as has a split that is not here.
    """
    paper = _paper()
    lines: list[tuple[str | int, ...]] = []
    for folder, source in dict.fromkeys((c.folder, c.source) for c in counts):
        own = {c.split: c for c in counts if (c.folder, c.source) == (folder, source)}
        if source not in paper or not any(c.six for c in own.values()):
            continue
        for split, ours in _OURS.items():
            parts = [own[name] for name in ours if name in own]
            figures = _beside(parts, paper[source][split])
            lines.append((folder, paper[source]["name"], split, *figures))
    return lines


def _beside(parts: Sequence[Count], told: int) -> tuple[str | int, ...]:
    if not parts:
        return "", "", "", told, ""
    here, fewer = sum(c.six for c in parts), sum(c.left_out or 0 for c in parts)
    return here, fewer, here + fewer, told, here + fewer - told


def notes(counts: Sequence[Count]) -> list[str]:
    """Explain why the numbers are not the paper's.

    Args:
        counts: of `count`.

    Returns:
        A paragraph for each database that the paper counts too, and one about its validation
        pictures; nothing where there is no such database.
    """
    paper = _paper()
    known = [s for s in dict.fromkeys(c.source for c in counts if c.six) if s in paper]
    told = [f"{paper[source]['name']}: {paper[source]['note']}" for source in known]
    general = paper["notes"]["valid"] if known else ""
    return [" ".join(text.split()) for text in (*told, general) if text]


def _paper() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_TABLE3.read_text(encoding="utf-8"))
