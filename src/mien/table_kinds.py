"""Every table that mien writes for people: its columns, and how it is read back.

Tables of faces have the columns of `mien.recognize.columns`; those of the other commands are in
`TABLES` here, and each command takes its header from there. A CSV file does not say of which table
it is, so it is told by its header; a Parquet file has types, units and meanings in itself.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import BadDataError
from mien.faces.regions import REGIONS
from mien.labels import LABELS, NEUTRAL
from mien.media.data_frames import Column, data_frame, typed
from mien.media.escapes import unguarded
from mien.media.parquet import described, is_parquet, read_parquet
from mien.recognize.columns import COLUMNS

__all__ = ["TABLES", "TableKind", "read_table"]
_FIX = "name a table that mien wrote"


@dataclass(frozen=True, slots=True)
class TableKind:
    """A table that is none of faces.

    Attributes:
        written_by: the commands and options.
        row: what one row is.
        columns: by name, in order, for the paper's classes.
        mark: names that no header but this table's has together.
        others: what a column of any other name holds, as one called after a class of one's own;
            None if that is told by its cells.
    """

    written_by: str
    row: str
    columns: Mapping[str, Column]
    mark: frozenset[str]
    others: Column | None = None

    def describe(self, header: Iterable[str]) -> dict[str, Column]:
        """Return the columns of a header.

        Args:
            header: their names.

        Returns:
            By name, in the order of the header; without those that are told by their cells.
        """
        columns = {name: self.columns.get(name, self.others) for name in header}
        return {name: column for name, column in columns.items() if column is not None}


_FRAME = ("time_s", "frame", "face", "left", "top", "right", "bottom", "detection")
_COUNT = Column("integer", "pictures with that label")
_PROBABILITY = COLUMNS["happiness"]
_CLASS = Column("text", "the class that the manifest gives the picture")
_SPLIT = Column("text", "train, valid or test")
_ORIGINAL = Column("text", "the picture's name in the dataset as downloaded")
_SUBJECT = Column("text", "who is shown, as the dataset names persons; empty where unknown")
_LOGIT = Column("number", "before the softmax, by a network that did not learn the picture")
_YES = "yes, or empty: "
_METRICS = {
    "insertion": Column("number", "mean score as pixels are shown, strongest first", "probability"),
    "deletion": Column("number", "mean score as pixels are hidden, strongest first", "probability"),
    "road": Column(
        "number",
        "half of: score without the weakest pixels, less without the strongest",
        "probability",
    ),
    "drop": Column("number", "of the score that is lost where the map fades the picture", "share"),
    "increase": Column("number", "of the pictures whose score rises then", "share"),
}


def _audit() -> dict[str, Column]:
    """Of each finding: the picture, the other one if it is of a pair, and what is wrong."""
    pair = {
        f"{which}{name}": Column("text", f"{meaning}{of}")
        for which, of in (("", ""), ("other_", ", of the other picture of a pair"))
        for name, meaning in (
            ("path", "the crop's file"),
            ("label", "its class in the manifest"),
            ("split", _SPLIT.meaning),
            ("source", "the dataset"),
        )
    }
    return {
        "kind": Column("text", "exact copy, near-copy, same subject, blank, unreadable, give-away"),
        **pair,
        "similarity": Column("number", "of the pair; 1 where all pixels are equal", "correlation"),
        "mirrored": Column("text", f"{_YES}one is the mirror image of the other"),
        "contradiction": Column("text", f"{_YES}one picture has two labels"),
        "leak": Column("text", f"{_YES}one picture is in two splits"),
        "detail": Column("text", "what else there is to say"),
        "dropped": Column("text", "why --fix dropped the row from its manifest"),
    }


def _regions() -> dict[str, Column]:
    """Of each folder and expression: shares by region, and of what theory expects."""
    expected = "on the regions expected"
    return {
        "folder": Column("text", "the prepared folder"),
        "split": _SPLIT,
        "label": _CLASS,
        "pictures": Column("integer", "how many"),
        "units": Column("text", "the action units of the expression"),
        "expected": Column("text", "the regions where these act"),
        **{f"on_{name}": COLUMNS[f"on_{name}"] for name in REGIONS},
        **{f"area_{n}": Column("number", "of the crop that it covers", "share") for n in REGIONS},
        "on_expected": Column("number", f"of the evidence {expected}", "share"),
        "on_expected_low": Column("number", "lower end of its 95 % interval", "share"),
        "on_expected_high": Column("number", "upper end of its 95 % interval", "share"),
        "area_of_expected": Column("number", f"of an even map {expected}", "share"),
        "middle_on_expected": Column("number", f"of a bell in the middle {expected}", "share"),
    }


TABLES: dict[str, TableKind] = {
    "segments": TableKind(
        "`mien video --segments`",
        "a stretch of time in which a face keeps one label",
        {
            "track": COLUMNS["track"],
            "label": COLUMNS["label"],
            "start_s": Column("number", "when the first of its frames is shown", "s"),
            "end_s": Column("number", "when the first frame after it is shown", "s"),
            "confidence": Column("number", "of the label, mean over its frames", "probability"),
        },
        frozenset({"label", "start_s", "confidence"}),
    ),
    "frames": TableKind(
        "`mien frames`: `frames.csv`, `--parquet`",
        "a face that was cut out of a film",
        {
            "path": Column("text", "the crop's file, in the folder of the table"),
            **{name: COLUMNS[name] for name in _FRAME},
        },
        frozenset({"path", "time_s", "face"}),
    ),
    "audit": TableKind(
        "`mien audit --out`",
        "a finding: of one picture, or of a pair; or a sign that gives the label away",
        _audit(),
        frozenset({"kind", "other_path", "similarity"}),
    ),
    "stats": TableKind(
        "`mien stats --csv`",
        "a split of a dataset in a folder",
        {
            "folder": Column("text", "as it was named"),
            "database": Column("text", "the dataset"),
            "split": _SPLIT,
            **dict.fromkeys(LABELS, _COUNT),
            "six": Column("integer", "pictures of the six; `sum` for other classes"),
            NEUTRAL: _COUNT,
            "left out": Column("integer", "pictures of the six that prepare left out of the split"),
        },
        frozenset({"folder", "database", "split"}),
        _COUNT,
    ),
    "pictures": TableKind(
        "`mien evaluate --csv`, `--pictures`",
        "a picture of the split",
        {
            "path": Column("text", "the crop's file, in the prepared folder"),
            "label": _CLASS,
            "predicted": Column("text", "the class with the best score"),
            NEUTRAL: COLUMNS[NEUTRAL],
            **dict.fromkeys(LABELS, _PROBABILITY),
        },
        frozenset({"path", "label", "predicted"}),
        Column("number", "that the face shows it, of one's own classes", "probability"),
    ),
    "regions": TableKind(
        "`mien regions --csv`",
        "an expression in a folder",
        _regions(),
        frozenset({"folder", "label", "on_expected"}),
    ),
    "faithful": TableKind(
        "`mien faithful --csv`",
        "a method of explanation, or a control",
        {
            "name": Column("text", "of the method or control"),
            "kind": Column("text", "method or control"),
            **_METRICS,
            **{
                f"{name}_error": Column("number", f"standard error of {name}", metric.unit)
                for name, metric in _METRICS.items()
            },
        },
        frozenset({"name", "kind", "insertion"}),
    ),
    "search": TableKind(
        "`mien search`: `search.csv`, `--parquet`",
        "a point of the grid; its columns begin with the settings that vary",
        {
            "held_accuracy": Column("number", "of held-out pictures, in the best epoch", "share"),
            "held_loss": Column("number", "on the held-out pictures, in that epoch"),
            "best_epoch": Column("integer", "the epoch whose weights are kept, from 1"),
            "epochs_run": Column("integer", "how many it would have run"),
            "seconds": Column("number", "of these epochs", "s"),
            "state": Column("text", "done, pruned, diverged or to do"),
            "run": Column("text", "the folder of the run that holds its result"),
        },
        frozenset({"held_accuracy", "best_epoch", "state"}),
    ),
    "manifest": TableKind(
        "`mien prepare`, `augment`: `manifest.csv`",
        "a crop of the folder",
        {
            "path": Column("text", "the crop's file, in the folder of the table"),
            "label": Column("text", "its class"),
            "source": Column("text", "the dataset"),
            "split": _SPLIT,
            "subject": _SUBJECT,
            "sha256": Column("text", "hash of the crop's decoded pixels"),
            "original": _ORIGINAL,
            "framing": Column("text", "as-is, framed, unframed or altered"),
        },
        frozenset({"sha256", "original", "framing"}),
    ),
    "excluded": TableKind(
        "`mien prepare`: `excluded.csv`",
        "a picture that was left out",
        {
            "original": _ORIGINAL,
            "split": _SPLIT,
            "label": Column("text", "its class, where it is known"),
            "reason": Column("text", "why it was left out"),
            "detail": Column("text", "what else there is to say, as the picture it is a copy of"),
            "similarity": Column("number", "to that picture", "correlation"),
        },
        frozenset({"original", "reason", "similarity"}),
    ),
    "history": TableKind(
        "`mien train`: `history.csv`",
        "an epoch",
        {
            "epoch": Column("integer", "its number, from 1"),
            "train_loss": Column("number", "mean over its batches"),
            "map_distance": Column("number", "of guided maps to the regions expected; with guide"),
            "held_loss": Column("number", "on the held-out pictures; 0 if there are none"),
            "held_accuracy": Column("number", "of them; 0 if there are none", "share"),
            "rate": Column("number", "of learning, at its end"),
            "seconds": Column("number", "how long it took", "s"),
        },
        frozenset({"epoch", "train_loss", "held_loss"}),
    ),
    "folds": TableKind(
        "`mien train` with `folds`: `folds.csv`",
        "a picture and the answer of the network of its fold",
        {
            "source": Column("text", "the dataset"),
            "original": _ORIGINAL,
            "path": Column("text", "the crop's file, in the prepared folder"),
            "label": _CLASS,
            "fold": Column("integer", "the one that held it out, from 1"),
            "subject": _SUBJECT,
            **dict.fromkeys(LABELS, _LOGIT),
        },
        frozenset({"source", "original", "fold"}),
        _LOGIT,
    ),
}


def read_table(path: str | Path, library: str | None = None) -> Any:
    """Read a table that mien wrote, CSV or Parquet, as a DataFrame.

    Numbers are numbers, empty cells are missing values, and text that was guarded against
    spreadsheets is as it was.

    Args:
        path: ends in .parquet or .pq, or it is a CSV file.
        library: ``pandas`` or ``polars``; by default the first of them that is installed.

    Returns:
        ``pandas.DataFrame`` or ``polars.DataFrame``.

    Raises:
        BadDataError: if it is no such table.
        MissingExtraError: without pandas and polars; for Parquet without pyarrow.
        UnknownNameError: if there is no such library.

    Example:
        >>> import mien, tempfile
        >>> path = Path(tempfile.mkdtemp()) / "scores.csv"
        >>> text = "filepath,happiness,surprise,sadness,anger,disgust,fear\\na.jpg,1,0,0,0,0,0\\n"
        >>> _ = path.write_text(text)
        >>> mien.read_table(path)["happiness"].to_list()
        [1.0]
    """
    path = Path(path)
    parquet = is_parquet(path)
    header, found = read_parquet(path) if parquet else _read_csv(path)
    known = described(path) if parquet else {}
    kind = _kind_of(header)
    if kind is None:
        known |= COLUMNS
    elif not known:
        known = kind.describe(header)
    rows = list(found)
    columns = {
        name: known.get(name) or _guessed([row[place] for row in rows], bool(kind))
        for place, name in enumerate(header)
    }
    try:
        return data_frame(columns, rows, library)
    except ValueError as error:  # of a cell
        raise BadDataError(f"{path} is no table of mien: {error}", _FIX) from error


def _kind_of(header: Iterable[str]) -> TableKind | None:
    """The table that a header is of; None for one of faces, or of another program."""
    names = set(header)
    return next((kind for kind in TABLES.values() if kind.mark <= names), None)


def _guessed(cells: list[Any], whole: bool) -> Column:
    """Numbers are scores of a class of one's own, or settings; what else is there is text."""
    if whole and all(_is(int, cell) for cell in cells):
        return Column("integer", "")
    return Column("number" if all(_is(float, cell) for cell in cells) else "text", "")


def _is(kind: type[int] | type[float], cell: Any) -> bool:
    try:
        typed(cell, "integer" if kind is int else "number")
    except ValueError:
        return False
    return True


def _read_csv(path: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            header, *rows = [tuple(map(unguarded, row)) for row in csv.reader(file)] or [()]
    except (OSError, csv.Error) as error:
        raise BadDataError(f"cannot read {path}: {error}", _FIX) from error
    if not header or any(len(row) != len(header) for row in rows):
        told = f"its header has {len(header)} names" + ", a row more or fewer cells" * bool(header)
        raise BadDataError(f"{path} is no table of mien: {told}", _FIX)
    return list(header), rows
