"""The page of `mien evaluate --report`: the steps of the paper's Figure 1, a section each.

The data of every split, the curves of training, confusion and calibration, and for the same faces
CAM, Grad-CAM, Grad-CAM++ and activations, right answers first and then the worst errors.

Pipeline: data -> model -> predictions -> explanation -> inspection -> improvement. Every sentence
follows from the figures.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mien import pixels
from mien.data import stats
from mien.errors import BadDataError
from mien.evaluate.accuracy import Evaluation
from mien.evaluate.calibration import reliability
from mien.explain.methods import source_of
from mien.explain.sheet import methods_sheet
from mien.faces.boxes import Box, Detection
from mien.labels import LabelSet
from mien.media import images
from mien.pixels import F32, U8
from mien.recognize.face import Face
from mien.recognize.recognizer import Recognizer
from mien.show import heatmap, plots
from mien.show.html import ExplainedCrop, Section, write_report
from mien.show.picture_grid import write_figure
from mien.show.writing import as_writing

__all__ = ["improvements", "report", "worst"]

_WORST = 12  # errors shown
_COMPARED = 6  # of them by every method
_CURVES = ("epoch", "train_loss", "held_loss", "held_accuracy")  # columns of a history
_NOTE = (
    "This page shows faces of the database it was measured on, which most licences do not allow to "
    "be passed on: keep it to yourself."
)
_WHOLE = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32)  # the crop is the picture


def report(
    evaluation: Evaluation, recognizer: Recognizer, model: Path, folder: Path, out: Path
) -> list[Path]:
    """Write the page and its plots.

    Args:
        evaluation: what was measured.
        recognizer: whose model it was.
        model: its file; the curves are drawn of the ``history.csv`` or ``NAME-history.csv`` beside
            it, or a ``history.png`` there is shown.
        folder: the prepared folder.
        out: the .html file; the plots go beside it.

    Returns:
        The files written.

    Raises:
        BadDataError: if a ``history.csv`` beside the model is damaged.
        BadSettingError: if no font of this system has the letters of the classes.
    """
    kinds = ("data", "training", "confusion", "reliability", "explanations", "errors")
    files = {kind: out.with_name(f"{out.stem}-{kind}.png") for kind in kinds}
    confusion, calibration = files["confusion"], files["reliability"]
    names = evaluation.labels.names
    plots.confusion_matrix(evaluation.record["confusion"], confusion, names)
    bins = reliability(evaluation.scores, evaluation.targets)
    plots.reliability_plot([(b.confidence, b.accuracy, b.share) for b in bins], calibration)
    right, wrong = _surest(evaluation), worst(evaluation, _WORST)
    explained, sheet = _by_every_method(
        evaluation, recognizer, folder, right, files["explanations"]
    )
    mistaken, errors = _by_every_method(
        evaluation, recognizer, folder, wrong[:_COMPARED], files["errors"]
    )
    said, curves = _curves(recognizer.model.path, model, files["training"])
    sections = [
        _data(evaluation, folder, files["data"]),
        _model(recognizer.model.card, said, curves),
        Section("Predictions", (), _figures(evaluation.record), (confusion, calibration)),
        Section(
            "Explanation",
            (
                "The surest right answer of each class, and where its evidence lay."
                + _scale(recognizer),
                *explained,
            ),
            plots=sheet,
            crops=_examples(evaluation, recognizer, folder, right),
        ),
        Section(
            "Inspection",
            (
                "The surest wrong answers, with the evidence for the wrong class."
                + _scale(recognizer),
                *mistaken,
            ),
            plots=errors,
            crops=_examples(evaluation, recognizer, folder, wrong),
        ),
        Section("Improvement", tuple(improvements(evaluation))),
    ]
    record = evaluation.record
    title = f"{record['model']} on {record['source']} {record['split']}"
    write_report(title, _NOTE, sections, out)
    return [out, *(path for path in files.values() if any(path in s.plots for s in sections))]


def _data(evaluation: Evaluation, folder: Path, plot: Path) -> Section:
    record, names = evaluation.record, evaluation.labels.names
    counts = np.bincount(evaluation.targets, minlength=len(names))
    rows = [(label, f"{count:,}") for label, count in zip(names, counts, strict=True)]
    words = f"{record['pictures']:,} pictures of {record['source']} ({record['framing']})."
    counts_of = stats.count([folder])
    bars = [(_titled(folder.name, c.source), c.split, c.labels) for c in counts_of]
    plots.class_bars(bars, plot, counts_of[0].classes)
    return Section("Data", (words,), tuple(rows), (plot,))


def _titled(folder: str, source: str) -> str:
    return folder if folder == source else f"{folder}: {source}"


def _curves(found: Path, given: Path, plot: Path) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Draw the curves of training: what to say about them, and the plot."""
    tables = (found.with_name(f"{found.stem}-history.csv"), found.with_name("history.csv"))
    table = next(filter(Path.exists, tables), None)
    if table is not None:
        plots.history_curves(_history(table), plot)
        return (f"Loss and held-out accuracy over the epochs ({table.name}).",), (plot,)
    drawn = given.with_name("history.png")
    if drawn.exists():
        return (), (drawn,)
    return ("No curves of training: no history.csv is beside the model's file.",), ()


def _history(table: Path) -> list[dict[str, Any]]:
    """Read the history of a run; a damaged one is an error, as the curves would be wrong."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            lines = [[float(line[name]) for name in _CURVES] for line in csv.DictReader(file)]
    except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise BadDataError(
            f"{table} is no history of a run ({error!r})", fix="remove it, or train again"
        ) from error
    return [dict(zip(_CURVES, (int(first), *others), strict=True)) for first, *others in lines]


def _by_every_method(
    evaluation: Evaluation, recognizer: Recognizer, folder: Path, chosen: list[int], plot: Path
) -> tuple[list[str], tuple[Path, ...]]:
    """Draw the maps of some pictures by every method: what the model does not allow, the plot."""
    if not chosen:
        return [], ()
    side = recognizer.model.side
    crops = [
        np.stack([pixels.to_side(rgb[..., i], side) for i in range(3)], axis=2)
        for rgb in (images.read_rgb(folder / evaluation.rows[i].path) for i in chosen)
    ]
    called = [evaluation.labels.names[int(evaluation.scores[i].argmax())] for i in chosen]
    source, writing = source_of(recognizer.model), as_writing("en", evaluation.labels)
    page, left_out = methods_sheet(source, crops, called, writing=writing)
    write_figure(page, plot)
    return [f"{name} is left out: {reason}." for name, reason in left_out.items()], (plot,)


def _model(card: dict[str, Any], words: tuple[str, ...], plots: tuple[Path, ...]) -> Section:
    names = ("name", "parameters", "multiply_adds", "temperature", "epoch", "licence")
    rows = [(name.replace("_", "-"), _said(card[name])) for name in names if name in card]
    sources = card.get("data", {}).get("train_by_source", {})
    rows += [(f"trained on {name}", f"{count:,} crops") for name, count in sources.items()]
    return Section("Model", words, tuple(rows), plots)


def _said(value: object) -> str:
    """A value of a card, whole numbers with their thousands."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def _figures(record: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    low, high = record["accuracy_95"]
    least, most = record["calibration_error_by_chance"]
    error = record["calibration_error"]
    rows = [
        ("accuracy", f"{record['accuracy']:.1%} (95 %: {low:.1%} to {high:.1%})"),
        ("mean recall", f"{record['mean_recall']:.1%}"),
        ("macro-F1", f"{record['macro_f1']:.1%}"),
        ("calibration error", f"{error:.1%} (by chance alone {least:.1%} to {most:.1%})"),
    ]
    rows += [
        (f"recall of {k}", "-" if v is None else f"{v:.1%}") for k, v in record["recall"].items()
    ]
    return tuple(rows)


def worst(evaluation: Evaluation, count: int) -> list[int]:
    """Choose the errors to look at first.

    Args:
        evaluation: what was measured.
        count: at most.

    Returns:
        Numbers of the misclassified pictures, the most confident first.
    """
    wrong = np.flatnonzero(evaluation.scores.argmax(axis=1) != evaluation.targets)
    order = np.argsort(-evaluation.scores[wrong].max(axis=1), kind="stable")
    return [int(i) for i in wrong[order[:count]]]


def _surest(evaluation: Evaluation) -> list[int]:
    """The picture of each class that was classified correctly with the highest confidence."""
    predicted = evaluation.scores.argmax(axis=1)
    chosen = []
    for target in range(len(evaluation.labels.names)):
        right = np.flatnonzero((predicted == target) & (evaluation.targets == target))
        if len(right):
            chosen.append(int(right[evaluation.scores[right, target].argmax()]))
    return chosen


def _examples(
    evaluation: Evaluation, recognizer: Recognizer, folder: Path, chosen: list[int]
) -> tuple[ExplainedCrop, ...]:
    """Crops with the heat map of the predicted class."""
    if not chosen:
        return ()
    crops = [images.read_rgb(folder / evaluation.rows[i].path) for i in chosen]
    maps = recognizer.model.run(recognizer.model.to_batch(crops)).maps
    if maps is None:
        return ()
    examples = []
    for i, crop, own_maps in zip(chosen, crops, maps, strict=True):
        row, number = evaluation.rows[i], int(evaluation.scores[i].argmax())
        predicted = evaluation.labels.names[number]
        words = (
            f"labelled {row.label}, called {predicted}",
            _shares(evaluation, i, (predicted, row.label), _knows_calm(recognizer)),
            row.path,
        )
        examples.append(ExplainedCrop(crop, _with_heatmap(crop, own_maps[number]), words))
    return tuple(examples)


def _shares(evaluation: Evaluation, picture: int, named: Sequence[str], with_calm: bool) -> str:
    """How probable some classes are, and a calm one if asked for, on the scale of all figures."""
    labels, calm = evaluation.labels, float(evaluation.neutral[picture])
    known = labels.probabilities(evaluation.scores[picture].tolist(), calm)
    beside = labels.targets[len(labels.names) :] if with_calm else ()
    shown = dict.fromkeys((*named, *beside))  # each once, in order
    return ", ".join(f"{name} {known[name]:.0%}" for name in shown)


def _knows_calm(recognizer: Recognizer) -> bool:
    """Whether the network has learned a calm class beside the scored ones."""
    return recognizer.labels.calm_beside and "neutral" in recognizer.model.outputs


def _scale(recognizer: Recognizer) -> str:
    """What the percentages below crops are of, where that is more than the answers."""
    labels = recognizer.labels
    if not _knows_calm(recognizer):
        return ""
    return (
        f" Percentages are of everything that a face may show, {labels.calm} too; the answer, and "
        f"how sure it is, are of {labels.together} alone."
    )


def _with_heatmap(crop: U8, coarse: F32) -> U8:
    side = pixels.SIDE
    square = np.stack([pixels.to_side(crop[..., i]) for i in range(3)], axis=2)
    nowhere = Detection(Box(0, 0, side, side), np.zeros((5, 2), dtype=np.float32), 1.0)
    sure, only = np.ones(1, dtype=np.float32), LabelSet(("shown",))
    face = Face(nowhere, sure, 0.0, square, _WHOLE, coarse[None], labels=only)
    shown = square.copy()
    heatmap.blend_heatmap(shown, face.heatmap(), _WHOLE)
    return shown


def improvements(evaluation: Evaluation) -> list[str]:
    """Say what the figures suggest to do next.

    Args:
        evaluation: what was measured.

    Returns:
        Sentences.
    """
    return [
        *_on_weakest_class(evaluation),
        *_on_confidence(evaluation),
        *_on_other_model(evaluation.record),
    ]


def _on_weakest_class(evaluation: Evaluation) -> Iterator[str]:
    record = evaluation.record
    recalls = {label: recall for label, recall in record["recall"].items() if recall is not None}
    weakest = min(recalls, key=lambda label: recalls[label])
    names = evaluation.labels.names
    number = names.index(weakest)
    mistaken = np.array(record["confusion"][number])
    mistaken[number] = 0
    yield f"Weakest: {weakest}, of which {recalls[weakest]:.1%} are found" + (
        f"; most often it is called {names[int(mistaken.argmax())]}." if mistaken.any() else "."
    )
    if (evaluation.targets == number).mean() < 1 / len(names):
        yield f"{weakest} is rarer than the mean class: more pictures of it would help most."


def _on_confidence(evaluation: Evaluation) -> Iterator[str]:
    confidence = evaluation.scores.max(axis=1)
    low, high = evaluation.record["accuracy_95"]
    gap = float(confidence.mean()) - evaluation.record["accuracy"]
    direction = "too sure" if gap > 0 else "not sure enough"
    if abs(gap) > 0.02 and not low <= confidence.mean() <= high:  # else it may be chance
        yield (
            f"The model is {direction} by {abs(gap):.1%}: fit its temperature on held-out pictures "
            "like these."
        )
    wrong = evaluation.scores.argmax(axis=1) != evaluation.targets
    yield (
        f"{int((wrong & (confidence > 0.9)).sum()):,} pictures are called wrongly with more than "
        f"90 % confidence among {evaluation.labels.together}: look at them under Inspection; a "
        "wrong label is more likely there than elsewhere."
    )


def _on_other_model(record: dict[str, Any]) -> Iterator[str]:
    if "against" in record:
        other = record["against"]
        yield (
            f"Against {other['model']}: right where that is wrong {other['only_this_right']:,} "
            f"times, wrong where that is right {other['only_other_right']:,} times; so unequal a "
            f"split has probability {other['mcnemar_p']:.3g} if both are equally good (McNemar)."
        )
