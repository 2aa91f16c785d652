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
from mien.data.label_file import labels_of_all
from mien.errors import BadDataError
from mien.labels import PAPER, LabelSet

__all__ = ["PAPER_HEADER", "Count", "beside_paper", "count", "header", "notes", "rows"]


def header(classes: LabelSet) -> tuple[str, ...]:
    """Name the columns of a table of counts.

    Args:
        classes: of the folders.

    Returns:
        Folder, dataset and split, the scored classes and their sum, and a calm one beside them.
    """
    together = "six" if classes.names == PAPER.names else "sum"
    calm = [classes.calm] if classes.calm_beside else []
    return ("folder", "database", "split", *classes.names, together, *calm, "left out")


PAPER_HEADER = ("folder", "database", "split", "here", "left out", "together", "paper", "more")
_SPLITS = ("train", "test", "valid")  # in the paper's order
# The paper's split: our splits that are compared with it.
_OURS: dict[str, tuple[str, ...]] = {"train": ("train", "valid"), "test": ("test",), "valid": ()}
_TABLE3 = Path(__file__).with_name("table3.toml")
_EXCLUDED = "excluded.csv"


@dataclass(frozen=True, slots=True)
class Count:
    """The number of pictures in one split of one dataset in one folder.

    Attributes:
        folder: as the user named it.
        source: the dataset.
        split: ``train``, ``test`` or ``valid``.
        labels: pictures by label.
        left_out: pictures of the scored classes that `prepare` left out of this split; None if
            unknown.
        classes: of the folder.
    """

    folder: str
    source: str
    split: str
    labels: Counter[str] = field(default_factory=Counter)
    left_out: int | None = None
    classes: LabelSet = PAPER

    @property
    def six(self) -> int:
        """Pictures of the scored classes: of the six expressions, unless the folder has others."""
        return sum(self.labels[label] for label in self.classes.names)


def count(folders: Sequence[str | Path]) -> list[Count]:
    """Count the pictures of prepared folders.

    Args:
        folders: what ``mien prepare`` wrote.

    Returns:
        One count for each folder, dataset and split, in the order of the folders.

    Raises:
        BadDataError: if a folder has no manifest, or no picture in it, or two of them have other
            classes.
    """
    counts = []
    classes = labels_of_all(folders) if folders else PAPER
    for folder in folders:
        labels: dict[tuple[str, str], Counter[str]] = {}
        for row in manifest.read(folder):
            labels.setdefault((row.source, row.split), Counter())[row.label] += 1
        if not labels:
            raise BadDataError(f"no picture in {folder}", fix="make it again with mien prepare")
        sources = {source for source, _ in labels}
        left_out = _left_out(Path(folder), classes) if len(sources) == 1 else None
        for source, split in sorted(labels, key=lambda key: (key[0], _SPLITS.index(key[1]))):
            missing = None if left_out is None else left_out[split]
            own = labels[source, split]
            counts.append(Count(str(folder), source, split, own, missing, classes))
    return counts


def _left_out(folder: Path, classes: LabelSet) -> Counter[str] | None:
    """Count the scored pictures that `prepare` left out, by split; None without its list."""
    calm = classes.calm if classes.calm_beside else ""
    try:
        path = folder / _EXCLUDED
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            table = csv.DictReader(file)  # an old one has no labels: neutral pictures count too
            return Counter(row["split"] for row in table if row.get("label") != calm)
    except (OSError, KeyError, csv.Error):
        return None


def rows(counts: Sequence[Count]) -> list[tuple[str | int, ...]]:
    """Turn counts into rows with the columns of `header`.

    Args:
        counts: of `count`.

    Returns:
        One row for each count; an unknown number is "".
    """
    return [
        (
            c.folder,
            c.source,
            c.split,
            *(c.labels[label] for label in c.classes.names),
            c.six,
            *([c.labels[c.classes.calm]] if c.classes.calm_beside else []),
            "" if c.left_out is None else c.left_out,
        )
        for c in counts
    ]


def beside_paper(counts: Sequence[Count]) -> list[tuple[str | int, ...]]:
    """Compare counts with the paper's Table 3, in the columns of `PAPER_HEADER`.

    Args:
        counts: of `count`.

    Returns:
        One row for each split that the paper or the folder counts, for each folder with a dataset
        of the paper. ``more`` is how many pictures the folder has, with those left out, beyond the
        paper's number. Our ``valid`` is drawn from train and so counted there; the paper's is
        another collection. Its row has "" for our numbers, as has a split that is not here; a
        number that the paper leaves open is "" too.
    """
    paper = _paper()
    lines: list[tuple[str | int, ...]] = []
    for folder, source in dict.fromkeys((c.folder, c.source) for c in counts):
        own = {c.split: c for c in counts if (c.folder, c.source) == (folder, source)}
        if source not in paper or not any(map(_papers, own.values())):
            continue
        for split, ours in _OURS.items():
            parts = [own[name] for name in ours if name in own]
            printed = paper[source].get(split)
            if not parts and printed is None:
                continue
            figures = _beside(parts, printed)
            lines.append((folder, paper[source]["name"], split, *figures))
    return lines


def _papers(count: Count) -> int:
    """Pictures that the paper counts too: none where the classes are not its six."""
    return count.six if count.classes.names == PAPER.names else 0


def _beside(parts: Sequence[Count], paper: int | None) -> tuple[str | int, ...]:
    if not parts:
        return "", "", "", paper or "", ""
    here, left_out = sum(c.six for c in parts), sum(c.left_out or 0 for c in parts)
    together = here + left_out
    return here, left_out, together, *(("", "") if paper is None else (paper, together - paper))


def notes(counts: Sequence[Count]) -> list[str]:
    """Explain why the numbers are not the paper's.

    Args:
        counts: of `count`.

    Returns:
        A paragraph for each dataset that the paper counts too, and one about its validation
        pictures; nothing where there is no such dataset.
    """
    paper = _paper()
    known = [s for s in dict.fromkeys(c.source for c in counts if _papers(c)) if s in paper]
    texts = [f"{paper[source]['name']}: {paper[source]['note']}" for source in known]
    general = paper["notes"]["valid"] if known else ""
    return [" ".join(text.split()) for text in (*texts, general) if text]


def _paper() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_TABLE3.read_text(encoding="utf-8"))
