"""A run by folds, where too few pictures could be held out: each picture is held out once.

Pipeline: all pictures -> folds -> a run without each fold, whose last weights answer for its
pictures -> figures of all answers together -> a run on all pictures, which is what is exported. No
answer chooses an epoch, so the figures owe nothing to the pictures that they are measured on. The
files of the folds lie in the run's folder, and beside them which pictures are in which fold, so
that no resumed run measures a network on what it has learned. Knows nothing of the loop.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.folds import draw_folds
from mien.data.manifest import ALTERED
from mien.documents import parse_json, read_text
from mien.errors import BadDataError, BadSettingError
from mien.evaluate.metrics import confusion, summarise
from mien.labels import LabelSet
from mien.media.writers import open_table, write_text
from mien.models import zoo
from mien.pixels import F32, I64
from mien.recognize.columns import score_columns
from mien.recognize.model import softmax
from mien.train.config import TrainConfig
from mien.train.data import Data, load_data
from mien.train.dataset import Crops
from mien.train.first import refuse_start_file
from mien.train.leakage import drop_leaks
from mien.train.run import LAST, load_weights, refuse_other_run
from mien.train.trainer import EpochProgress, EpochReport, no_progress, no_report, train
from mien.train.validate import predict

__all__ = ["Answers", "read_answers", "read_record", "train_by_folds"]

_ANSWERS, _RECORD, _DIVISION = "folds.csv", "folds.json", "division.json"
_AGAIN = "resume the run, which writes it again"
_FACTS = ("source", "original", "path", "label", "fold", "subject")


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What networks said of pictures that they were not trained on.

    Attributes:
        logits: shape (N, C), float32.
        targets: shape (N,), the true classes.
        sources: the database of each.
    """

    logits: F32
    targets: I64
    sources: list[str]


def train_by_folds(
    settings: TrainConfig,
    out: Path,
    resume: bool = False,
    progress: EpochProgress = no_progress,
    report: EpochReport = no_report,
    tell: Callable[[Data], None] = lambda _: None,
) -> dict[str, Any]:
    """Train a network for each fold, and then one on all pictures.

    Args:
        settings: of the run, with `folds` of 2 or more.
        out: the run's folder, as of `train`; the folds' runs lie in it.
        resume: continue such a run.
        progress: wraps the steps of an epoch.
        report: is given the history row of each epoch of each run.
        tell: is given the pictures of each run before its first epoch.

    Returns:
        The figures over all held-out answers, JSON-ready, as ``folds.json`` in `out` has them.

    Raises:
        BadSettingError: if `out` holds another run or one of other folds, there are fewer pictures
            than folds, or other networks that have seen the held-out pictures would teach or be the
            start.
        BadDataError: if the data are not there, or a fold has all pictures of a class.
    """
    _refuse_teachers(settings)
    refuse_other_run(out, settings, resume)
    everything = load_data(settings)
    pool = everything.train
    refuse_start_file(settings, {row.source for row in pool.rows})
    folds = draw_folds(pool.rows, settings.folds, settings.draw)
    parts = [_part(pool, folds == number, number) for number in range(settings.folds)]
    _claim(out, _division(pool, folds, settings.folds), resume)
    answers = []
    for number, data in enumerate(parts):
        folder = out / f"fold-{number + 1}"
        titled = _titled(progress, f"fold {number + 1}/{settings.folds}")
        own = replace(settings, folds=0)
        tell(data)
        train(own, folder, resume, titled, report, data)
        answers.append(_logits(own, folder, data.held))
    tell(everything)
    train(settings, out, resume, _titled(progress, "all pictures"), report, everything)
    return _written(out, [part.held for part in parts], answers)


def _refuse_teachers(settings: TrainConfig) -> None:
    names = [name for name in ("votes", "teachers") if getattr(settings, name)]
    if Path(settings.start).is_dir() and settings.start:
        names.append("start")
    if names:
        raise BadSettingError(
            f"folds is set, and {' and '.join(names)} may have seen what is held out",
            fix="leave one of them out",
        )


def _division(pool: Crops, folds: I64, count: int) -> dict[str, Any]:
    """Tell in a few letters which pictures are in which fold, whatever their order."""
    known = ((row.source, row.path, row.sha256) for row in pool.rows)
    text = json.dumps(sorted((*facts, int(fold)) for facts, fold in zip(known, folds, strict=True)))
    return {"folds": count, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def _claim(out: Path, division: dict[str, Any], resume: bool) -> None:
    """Take a folder for a run by folds, or go on with the one in it if its folds are the same."""
    path = out / _DIVISION
    if not path.exists() and not any(out.glob("fold-*")):
        write_text(json.dumps(division, indent=1) + "\n", path)
        return
    if not resume:
        raise BadSettingError(f"{out} holds a run", fix="add --resume, or choose another --out")
    try:
        begun = parse_json(read_text(path))
    except (OSError, ValueError) as error:
        raise BadSettingError(
            f"{out} does not say which pictures its folds have ({error})",
            fix="choose another --out",
        ) from error
    if begun != division:
        raise BadSettingError(
            f"the pictures or the folds are not those that the run in {out} began with",
            fix="choose another --out",
        )


def _part(pool: Crops, held_out: Any, number: int) -> Data:
    """The data of one fold; copies of what it holds out are not trained on."""
    altered = np.array([row.framing == ALTERED for row in pool.rows], dtype=np.bool_)
    held = pool.where(held_out & ~altered)  # altered copies are neither learned nor measured then
    own, copies = drop_leaks(pool.where(~held_out), held)
    missing = {row.label for row in pool.rows} - {row.label for row in own.rows}
    if missing:
        classes = ", ".join(sorted(missing))
        raise BadDataError(
            f"without fold {number + 1} there is no training picture of {classes}",
            fix="give more folds, or more pictures or persons of that class",
        )
    return Data(own, held, 0, copies, number + 1)


def _titled(progress: EpochProgress, title: str) -> EpochProgress:
    return partial(_with_title, progress, title)  # no lambda: it travels to other processes


def _with_title(progress: EpochProgress, title: str, steps: range, epoch: str) -> Iterable[int]:
    return progress(steps, f"{title}, {epoch}")


def _logits(settings: TrainConfig, folder: Path, held: Crops) -> F32:
    """What the last weights of a fold's run say; not the best, which its pictures chose."""
    labels = held.labels
    outputs = labels.outputs(settings.neutral)
    network = zoo.build(settings.model, outputs, settings.dropout, settings.side)
    load_weights(folder / LAST, network)
    logits: F32 = predict(network, held)[:, : len(labels.names)].numpy()
    return logits


def _written(out: Path, held: list[Crops], logits: list[F32]) -> dict[str, Any]:
    """Write the answers and what follows from them; those on a calm class beside do not count."""
    labels = held[0].labels
    rows = [
        (row, number, own)
        for number, (crops, found) in enumerate(zip(held, logits, strict=True), 1)
        for row, own in zip(crops.rows, found, strict=True)
        if row.label in labels.names
    ]
    with open_table(out / _ANSWERS, _header(labels)) as table:
        for row, number, own in rows:
            facts = (row.source, row.original, row.path, row.label, number, row.subject)
            table.writerow((*facts, *(float(value) for value in own)))
    answers = read_answers(out, labels)
    scores = softmax(answers.logits)
    summary = summarise(scores, answers.targets)
    right = scores.argmax(axis=1) == answers.targets
    of_fold = np.array([number for _, number, _ in rows])
    record = {
        "split": f"{len(held)} folds",
        "pictures": summary.pictures,
        "accuracy": round(summary.accuracy, 4),
        "accuracy_95": [round(bound, 4) for bound in summary.interval],
        "mean_recall": round(summary.mean_recall, 4),
        "recall": {
            name: None if np.isnan(recall) else round(float(recall), 4)
            for name, recall in zip(labels.names, summary.recalls, strict=True)
        },
        "calibration_error": round(summary.calibration_error, 4),
        "accuracy_by_fold": [
            round(float(right[of_fold == number].mean()), 4) for number in np.unique(of_fold)
        ],
        "confusion": confusion(scores.argmax(axis=1), answers.targets, len(labels.names)).tolist(),
    }
    write_text(json.dumps(record, indent=1) + "\n", out / _RECORD)
    return record


def _header(labels: LabelSet) -> tuple[str, ...]:
    """The columns of the table of answers, the scored classes last."""
    return (*_FACTS, *score_columns(LabelSet(labels.names), _FACTS))


def read_answers(run: Path, labels: LabelSet) -> Answers:
    """Read the held-out answers of a run by folds.

    Args:
        run: its folder.
        labels: its classes.

    Returns:
        The answers, in the order of the folds.

    Raises:
        BadDataError: if they are missing or damaged.
    """
    path = run / _ANSWERS
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            header, *lines = csv.reader(file)
        expected = _header(labels)
        earlier = (*_FACTS[:-1], *expected[len(_FACTS) :])  # without subject
        if tuple(header) not in {expected, earlier}:
            raise BadDataError(
                f"{path}: expected the columns {','.join(expected)}, got {','.join(header)}",
                fix=_AGAIN,
            )
        start = len(header) - len(labels.names)
        values = [[float(cell) for cell in line[start:]] for line in lines]
        logits = np.array(values, dtype=np.float32).reshape(len(lines), len(labels.names))
        targets = np.array([labels.names.index(line[3]) for line in lines], dtype=np.int64)
    except (OSError, ValueError, csv.Error) as error:
        raise BadDataError(
            f"{path} does not hold the answers of the folds ({error})", fix=_AGAIN
        ) from error
    return Answers(logits, targets, [line[0] for line in lines])


def read_record(run: Path) -> dict[str, Any]:
    """Read the figures of a run by folds.

    Args:
        run: its folder.

    Returns:
        What `train_by_folds` returned.

    Raises:
        BadDataError: if they are missing or damaged.
    """
    path = run / _RECORD
    try:
        record = parse_json(read_text(path))
    except (OSError, ValueError) as error:
        raise BadDataError(f"{path} does not hold the figures ({error})", fix=_AGAIN) from error
    return dict(record)
