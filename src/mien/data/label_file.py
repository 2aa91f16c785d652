"""The classes of a prepared folder: ``labels.json`` beside its manifest; without it, the paper's.

Whoever reads a manifest reads its classes here, so their order is that of the file and of nothing
else. Knows neither pictures nor datasets.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from mien.documents import parse_json, read_text
from mien.errors import BadDataError, BadSettingError
from mien.labels import PAPER, LabelSet
from mien.media.writers import write_text

__all__ = ["LABELS_NAME", "labels_of", "labels_of_all", "write_labels"]

LABELS_NAME = "labels.json"


def labels_of(folder: str | Path) -> LabelSet:
    """Read the classes of a prepared folder.

    Args:
        folder: what ``mien prepare`` wrote.

    Returns:
        The classes, in the order of their numbers; the paper's six and neutral where the folder
        does not say.

    Raises:
        BadDataError: if the file that says so cannot be read, or is none of ours.
    """
    path = Path(folder) / LABELS_NAME
    try:
        return LabelSet.from_record(parse_json(read_text(path)))
    except (FileNotFoundError, NotADirectoryError):
        return PAPER
    except (OSError, ValueError) as error:
        raise BadDataError(f"cannot read {str(path)!r} ({error})", fix="check the file") from error
    except BadSettingError as error:
        raise BadDataError(f"{path}: {error.message}", fix=error.fix) from error


def labels_of_all(folders: Sequence[str | Path]) -> LabelSet:
    """Read the classes that several prepared folders share.

    Args:
        folders: at least one.

    Returns:
        The classes, in the same order in all of them; the colours are those of the first.

    Raises:
        BadDataError: if two of them have other classes, or another order.
    """
    first, *others = ((folder, labels_of(folder)) for folder in folders)
    for folder, labels in others:
        if labels.targets != first[1].targets or labels.calm != first[1].calm:
            raise BadDataError(
                f"{first[0]} has the classes {first[1]}; {folder} has {labels}",
                fix="use folders of the same classes in the same order together",
            )
    return first[1]


def write_labels(folder: str | Path, labels: LabelSet) -> Path:
    """Write the classes of a prepared folder, whole or not at all.

    Args:
        folder: receives the file.
        labels: of its manifest.

    Returns:
        The file's path.

    Raises:
        OutputError: if it cannot be written.
    """
    path = Path(folder) / LABELS_NAME
    write_text(json.dumps(labels.as_record(), indent=1, ensure_ascii=False) + "\n", path)
    return path
