"""What `mien evaluate --report` says of a model: the way of the paper's Figure 1 on one page.

Data -> model -> predictions -> explanation -> inspection -> improvement; every sentence follows
from the figures. No torch.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mien import pixels
from mien.evaluate.accuracy import Evaluation
from mien.evaluate.calibration import reliability
from mien.faces.boxes import Box, Detection
from mien.labels import LABELS
from mien.media import images
from mien.pixels import U8
from mien.recognize.recognizer import Recognizer
from mien.recognize.results import Face
from mien.show import heatmap, plots
from mien.show.html import Section, Seen, write_page

__all__ = ["improvements", "report", "worst"]

_WORST = 12  # errors shown
_NOTE = (
    "This page shows faces of the database it was measured on, which most licences do not allow to "
    "be passed on: keep it to yourself."
)
_WHOLE = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32)  # the crop is the picture


def report(
    found: Evaluation, recognizer: Recognizer, model: Path, folder: Path, out: Path
) -> list[Path]:
    """Write the page and its two plots.

    Args:
        found: what was measured.
        recognizer: whose model it was.
        model: its file; a ``history.png`` beside it is shown too.
        folder: the prepared folder.
        out: the .html file; the plots go beside it.

    Returns:
        The files written.
    """
    confusion = out.with_name(f"{out.stem}-confusion.png")
    calibration = out.with_name(f"{out.stem}-reliability.png")
    plots.confusion_matrix(found.record["confusion"], confusion)
    bins = reliability(found.scores, found.targets)
    plots.reliability_plot([(one.confidence, one.accuracy, one.share) for one in bins], calibration)
    learned = model.with_name("history.png")
    sections = [
        _data(found),
        _model(recognizer.model.card, (learned,) if learned.exists() else ()),
        Section("Predictions", (), _figures(found.record), (confusion, calibration)),
        Section(
            "Explanation",
            ("The surest right answer of each class, and where the evidence for it lay.",),
            seen=_seen(found, recognizer, folder, _surest(found)),
        ),
        Section(
            "Inspection",
            ("The surest wrong answers, with the evidence for the wrong class.",),
            seen=_seen(found, recognizer, folder, worst(found, _WORST)),
        ),
        Section("Improvement", tuple(improvements(found))),
    ]
    record = found.record
    title = f"{record['model']} on {record['source']} {record['split']}"
    write_page(title, _NOTE, sections, out)
    return [out, confusion, calibration]


def _data(found: Evaluation) -> Section:
    record, counts = found.record, np.bincount(found.targets, minlength=len(LABELS))
    rows = [(label, f"{count:,}") for label, count in zip(LABELS, counts, strict=True)]
    words = f"{record['pictures']:,} pictures of {record['source']} ({record['framing']})."
    return Section("Data", (words,), tuple(rows))


def _model(card: dict[str, Any], plots: tuple[Path, ...]) -> Section:
    names = ("name", "parameters", "multiply_adds", "temperature", "epoch", "licence")
    rows = [(name.replace("_", "-"), str(card[name])) for name in names if name in card]
    sources = card["data"].get("train_by_source", {})
    rows += [(f"trained on {name}", f"{count:,} crops") for name, count in sources.items()]
    return Section("Model", (), tuple(rows), plots)


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


def worst(found: Evaluation, count: int) -> list[int]:
    """Choose the errors to look at first.

    Args:
        found: what was measured.
        count: at most so many.

    Returns:
        Numbers of pictures called wrongly, the surest first.
    """
    wrong = np.flatnonzero(found.scores.argmax(axis=1) != found.targets)
    order = np.argsort(-found.scores[wrong].max(axis=1), kind="stable")
    return [int(i) for i in wrong[order[:count]]]


def _surest(found: Evaluation) -> list[int]:
    """The picture of each class that was called rightly with most confidence."""
    called = found.scores.argmax(axis=1)
    chosen = []
    for target in range(len(LABELS)):
        right = np.flatnonzero((called == target) & (found.targets == target))
        if len(right):
            chosen.append(int(right[found.scores[right, target].argmax()]))
    return chosen


def _seen(
    found: Evaluation, recognizer: Recognizer, folder: Path, chosen: list[int]
) -> tuple[Seen, ...]:
    """Crops with the heat map of the class that each was called."""
    if not chosen:
        return ()
    crops = [images.read_rgb(folder / found.rows[i].path) for i in chosen]
    maps = recognizer.model.run(pixels.to_batch(crops)).maps
    if maps is None:
        return ()
    seen = []
    for place, (i, crop) in enumerate(zip(chosen, crops, strict=True)):
        scores, row = found.scores[i], found.rows[i]
        called = LABELS[int(scores.argmax())]
        words = f"labelled {row.label}, called {called}"
        told = f"{called} {scores.max():.0%}, {row.label} {scores[LABELS.index(row.label)]:.0%}"
        seen.append(Seen(crop, _under_heat(crop, maps[place], called), (words, told, row.path)))
    return tuple(seen)


def _under_heat(crop: U8, maps: np.ndarray[Any, Any], label: str) -> U8:
    side = pixels.SIDE
    square = np.stack([pixels.to_side(crop[..., i]) for i in range(3)], axis=2)
    nowhere = Detection(Box(0, 0, side, side), np.zeros((5, 2), dtype=np.float32), 1.0)
    scores = np.full(len(LABELS), 1 / len(LABELS), dtype=np.float32)
    face = Face(nowhere, scores, 0.0, square, _WHOLE, maps)
    shown = square.copy()
    heatmap.blend_heatmap(shown, face.heatmap(label), _WHOLE)
    return shown


def improvements(found: Evaluation) -> list[str]:
    """Say what the figures suggest to do next.

    Args:
        found: what was measured.

    Returns:
        Sentences.
    """
    record = found.record
    known = {label: recall for label, recall in record["recall"].items() if recall is not None}
    weak = min(known, key=lambda label: known[label])
    line = np.array(record["confusion"][LABELS.index(weak)])
    line[LABELS.index(weak)] = 0
    said = [
        f"Weakest: {weak}, of which {known[weak]:.1%} are found"
        + (f"; most often it is called {LABELS[int(line.argmax())]}." if line.any() else "."),
    ]
    counts = np.bincount(found.targets, minlength=len(LABELS))
    if counts[LABELS.index(weak)] < len(found.targets) / len(LABELS):
        said.append(f"{weak} is rarer than the mean class: more pictures of it would help most.")
    gap = float(found.scores.max(axis=1).mean()) - record["accuracy"]
    direction = "too sure" if gap > 0 else "not sure enough"
    if abs(gap) > 0.02:
        said.append(
            f"The model is {direction} by {abs(gap):.1%}: fit its temperature on held-out pictures "
            "like these."
        )
    sure = found.scores.max(axis=1) > 0.9
    wrong = int((sure & (found.scores.argmax(axis=1) != found.targets)).sum())
    said.append(
        f"{wrong:,} pictures are called wrongly with more than 90 % confidence: look at them under "
        "Inspection; a wrong label is more likely there than elsewhere."
    )
    if "against" in record:
        other = record["against"]
        said.append(
            f"Against {other['model']}: right where that is wrong {other['only_this_right']:,} "
            f"times, wrong where that is right {other['only_other_right']:,} times; so unequal a "
            f"split has probability {other['mcnemar_p']:.3g} if both are equally good (McNemar)."
        )
    return said
