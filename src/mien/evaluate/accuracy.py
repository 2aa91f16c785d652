"""How good a model is on a prepared folder: one record of figures, and a row for every picture.

Pipeline: crops of a split -> the model's scores -> figures. The exported file is measured, so that
no torch is needed.
"""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien import __version__
from mien.data.label_file import labels_of
from mien.data.manifest import Row, rows_of_split
from mien.errors import BadDataError
from mien.evaluate.calibration import accuracy_at, aurc, chance_error
from mien.evaluate.metrics import confusion, mcnemar, summarise
from mien.labels import PAPER, UNCERTAIN, LabelSet, Rule
from mien.media import images
from mien.media.parallel import share
from mien.media.progress import Progress
from mien.pixels import F32, I64, in_batches
from mien.recognize.columns import score_columns
from mien.recognize.model import Outputs
from mien.recognize.recognizer import Recognizer
from mien.table_kinds import TABLES

__all__ = [
    "PICTURES_HEADER",
    "Evaluation",
    "commit",
    "compare_models",
    "evaluate",
    "pictures_header",
    "refuse_other_classes",
]


def pictures_header(labels: LabelSet) -> tuple[str, ...]:
    """Name the columns of the table of all pictures.

    Args:
        labels: the classes of the model.

    Returns:
        `PICTURES_HEADER` for the paper's six and neutral.
    """
    facts = ("path", "label", "predicted")
    return (*facts, *score_columns(labels, facts))


PICTURES_HEADER = tuple(TABLES["pictures"].columns)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A model's scores of a split, and the figures that follow from them.

    Attributes:
        rows: the crops of the scored classes, from the manifest.
        scores: shape (N, C).
        neutral: shape (N,), the probability of neutral.
        record: the figures, JSON-ready.
        labels: the C classes of the model.
    """

    rows: list[Row]
    scores: F32
    neutral: F32
    record: dict[str, Any]
    labels: LabelSet = PAPER

    @property
    def targets(self) -> I64:
        """The true classes, shape (N,)."""
        return _classes(self.rows, self.labels)

    def picture_rows(self) -> Iterator[list[str | float]]:
        """Yield one row a picture, in the order of `pictures_header`."""
        for row, scores, neutral in zip(self.rows, self.scores, self.neutral, strict=True):
            predicted = self.labels.names[int(scores.argmax())]
            calm = [neutral] if self.labels.calm_beside else []
            values = [round(float(v), 6) for v in (*calm, *scores)]
            yield [row.path, row.label, predicted, *values]


def evaluate(
    recognizer: Recognizer,
    folder: Path,
    split: str = "test",
    progress: Progress = iter,
    workers: int = 1,
) -> Evaluation:
    """Measure a model on the scored classes of a prepared folder.

    Args:
        recognizer: whose model is measured, on the crops as they are.
        folder: made by ``mien prepare``.
        split: ``test``, ``valid`` or ``train``.
        progress: shows how far it is.
        workers: threads that read batches side by side; a recognizer of one thread suits them.

    Returns:
        Figures and scores; pictures of a calm class beside the scored ones are left out.

    Raises:
        BadDataError: if the split has no pictures, or the folder has other classes than the model.
    """
    labels = recognizer.labels
    refuse_other_classes(recognizer.model.path, labels, folder)
    rows = rows_of_split(folder, split)
    batches = list(in_batches(len(rows)))

    def run(part: slice) -> Outputs:
        return _run(recognizer, folder, rows[part])

    outputs = list(share(lambda: run, progress(batches), workers, threads=True))
    scores = np.concatenate([output.scores for output in outputs])
    neutral = np.concatenate([output.neutral for output in outputs])
    card = recognizer.model.card
    record = {
        "command": f"mien evaluate MODEL {folder} --split {split}"
        + " --flip" * recognizer.model.flip,
        "model": card.get("name"),
        "weights_sha256": card.get("weights_sha256"),
        "seed": card.get("data", {}).get("seed"),
        "mien": __version__,
        "commit": commit(),
        "source": rows[0].source,
        "framing": _framing(rows),
        "split": split,
        **_figures(scores, _classes(rows, labels), labels),
        **_as_called(recognizer.rule, scores, neutral, _classes(rows, labels), labels),
    }
    return Evaluation(rows, scores, neutral, record, labels)


def refuse_other_classes(model: Path, labels: LabelSet, folder: Path) -> None:
    """Refuse to measure a model on a folder of other classes, or of another order.

    Args:
        model: its file.
        labels: its classes.
        folder: made by ``mien prepare``.

    Raises:
        BadDataError: if the classes are not the same.
    """
    found = labels_of(folder)
    if found.names != labels.names:
        raise BadDataError(
            f"the model {model} has the classes {labels}; the folder {folder} has {found}",
            fix="measure it on a folder of its own classes, in the same order",
        )


def _run(recognizer: Recognizer, folder: Path, rows: list[Row]) -> Outputs:
    crops = [images.read_rgb(folder / row.path) for row in rows]
    return recognizer.model.run(recognizer.model.to_batch(crops), maps=False)


def _classes(rows: list[Row], labels: LabelSet) -> I64:
    return np.array([labels.index(row.label) for row in rows], dtype=np.int64)


def _framing(rows: list[Row]) -> str:
    return "as-is" if all(row.framing == "as-is" for row in rows) else "framed"


def _figures(scores: F32, targets: I64, labels: LabelSet) -> dict[str, Any]:
    summary = summarise(scores, targets)
    recalls = zip(labels.names, summary.recalls, strict=True)
    return {
        "pictures": summary.pictures,
        "accuracy": round(summary.accuracy, 4),
        "accuracy_95": [round(bound, 4) for bound in summary.interval],
        "mean_recall": round(summary.mean_recall, 4),
        "macro_f1": round(summary.macro_f1, 4),
        "recall": {
            label: None if np.isnan(recall) else round(recall, 4) for label, recall in recalls
        },
        "calibration_error": round(summary.calibration_error, 4),
        "calibration_error_by_chance": [round(bound, 4) for bound in chance_error(scores)],
        "accuracy_at_80": round(accuracy_at(0.8, scores, targets), 4),
        "aurc": round(aurc(scores, targets), 4),
        "confusion": confusion(scores.argmax(axis=1), targets, len(labels.names)).tolist(),
    }


def _as_called(
    rule: Rule, scores: F32, neutral: F32, targets: I64, labels: LabelSet
) -> dict[str, float]:
    """What a user sees: how often the label is right, where calm and uncertain count as wrong."""
    pairs = zip(scores.tolist(), neutral.tolist(), strict=True)
    called = [rule.label(values, calm, labels) for values, calm in pairs]
    words, beside = Counter(called), [labels.calm] if labels.calm_beside else []
    right = sum(word == labels.names[target] for word, target in zip(called, targets, strict=True))
    return {
        "accuracy_as_called": round(right / len(scores), 4),
        **{f"called_{w}_rate": round(words[w] / len(scores), 4) for w in (*beside, UNCERTAIN)},
    }


def compare_models(one: Evaluation, other: Evaluation) -> dict[str, Any]:
    """Compare two models on the same pictures.

    Args:
        one: the model in question.
        other: the one it is compared with, measured on the same split.

    Returns:
        The other's name and accuracy, and McNemar's exact test, JSON-ready.

    Raises:
        BadDataError: if they have other classes.
    """
    if one.labels.names != other.labels.names:
        raise BadDataError(
            f"one model has the classes {one.labels}; the other has {other.labels}",
            fix="compare models of the same classes in the same order",
        )
    right, theirs = (e.scores.argmax(axis=1) == e.targets for e in (one, other))
    only_one, only_other, p = mcnemar(right, theirs)
    return {
        "model": other.record["model"],
        "weights_sha256": other.record["weights_sha256"],
        "accuracy": other.record["accuracy"],
        "only_this_right": only_one,
        "only_other_right": only_other,
        "mcnemar_p": float(f"{p:.3g}"),
    }


def commit() -> str:
    """Return the commit of the code that runs, or mien's version where it is not a checkout.

    Installed in somebody's repository, in a virtual environment there, it is not theirs.
    """
    package = Path(__file__).parents[1]
    checkout = _git(package, "rev-parse", "--show-toplevel")
    if not checkout or not _is_ours(Path(checkout), package):
        return __version__
    return _git(package, "describe", "--always", "--dirty", "--exclude", "*") or __version__


def _is_ours(checkout: Path, package: Path) -> bool:
    """Tell whether a repository is that of this project, and holds the package that runs."""
    own, project = checkout / "src" / "mien", checkout / "pyproject.toml"
    if not own.is_dir() or not own.samefile(package) or not project.is_file():
        return False
    return 'name = "mien"' in project.read_text(encoding="utf-8", errors="replace").splitlines()


def _git(folder: Path, *words: str) -> str:
    """Ask git about the repository that a folder is in; "" where it has no answer."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *words]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=10, env=own
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return result.stdout.rstrip("\n")
