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
from mien.data.manifest import Row, rows_of_split
from mien.evaluate.calibration import accuracy_at, aurc, chance_error
from mien.evaluate.metrics import confusion, mcnemar, summarise
from mien.labels import LABELS, NEUTRAL, UNCERTAIN, Rule, index
from mien.media import images
from mien.media.parallel import share
from mien.media.progress import Progress
from mien.pixels import F32, I64, in_batches
from mien.recognize.model import Outputs
from mien.recognize.recognizer import Recognizer

__all__ = ["PICTURES_HEADER", "Evaluation", "commit", "compare_models", "evaluate"]

PICTURES_HEADER = ("path", "label", "predicted", "neutral", *LABELS)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A model's scores of a split, and the figures that follow from them.

    Attributes:
        rows: the crops of the six expressions, from the manifest.
        scores: shape (N, 6).
        neutral: shape (N,), the probability of neutral.
        record: the figures, JSON-ready.
    """

    rows: list[Row]
    scores: F32
    neutral: F32
    record: dict[str, Any]

    @property
    def targets(self) -> I64:
        """The true classes, shape (N,)."""
        return _classes(self.rows)

    def picture_rows(self) -> Iterator[list[str | float]]:
        """Yield one CSV row a picture, in the order of `PICTURES_HEADER`."""
        for row, scores, neutral in zip(self.rows, self.scores, self.neutral, strict=True):
            predicted = LABELS[int(scores.argmax())]
            values = [round(float(v), 6) for v in (neutral, *scores)]
            yield [row.path, row.label, predicted, *values]


def evaluate(
    recognizer: Recognizer,
    folder: Path,
    split: str = "test",
    progress: Progress = iter,
    workers: int = 1,
) -> Evaluation:
    """Measure a model on the six expressions of a prepared folder.

    Args:
        recognizer: whose model is measured, on the crops as they are.
        folder: made by ``mien prepare``.
        split: ``test``, ``valid`` or ``train``.
        progress: shows how far it is.
        workers: threads that read batches side by side; a recognizer of one thread suits them.

    Returns:
        Figures and scores; neutral pictures are left out.

    Raises:
        BadDataError: if the split has no pictures.
    """
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
        **_figures(scores, _classes(rows)),
        **_other_words(recognizer.rule, scores, neutral),
    }
    return Evaluation(rows, scores, neutral, record)


def _run(recognizer: Recognizer, folder: Path, rows: list[Row]) -> Outputs:
    crops = [images.read_rgb(folder / row.path) for row in rows]
    return recognizer.model.run(recognizer.model.to_batch(crops), maps=False)


def _classes(rows: list[Row]) -> I64:
    return np.array([index(row.label) for row in rows], dtype=np.int64)


def _framing(rows: list[Row]) -> str:
    return "as-is" if all(row.framing == "as-is" for row in rows) else "framed"


def _figures(scores: F32, targets: I64) -> dict[str, Any]:
    summary = summarise(scores, targets)
    recalls = zip(LABELS, summary.recalls, strict=True)
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
        "confusion": confusion(scores.argmax(axis=1), targets, len(LABELS)).tolist(),
    }


def _other_words(rule: Rule, scores: F32, neutral: F32) -> dict[str, float]:
    """How often a face of the six is called neutral or uncertain."""
    pairs = zip(scores.tolist(), neutral.tolist(), strict=True)
    words = Counter(rule.label(six, calm) for six, calm in pairs)
    return {
        f"called_{word}_rate": round(words[word] / len(scores), 4) for word in (NEUTRAL, UNCERTAIN)
    }


def compare_models(one: Evaluation, other: Evaluation) -> dict[str, Any]:
    """Compare two models on the same pictures.

    Args:
        one: the model in question.
        other: the one it is compared with, measured on the same split.

    Returns:
        The other's name and accuracy, and McNemar's exact test, JSON-ready.
    """
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
