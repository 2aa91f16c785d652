"""Methods of explanation beside controls: do their maps show what the network uses?

Pipeline: crops -> the class that the network predicts -> maps by every method and control -> every
metric for every picture -> means and paired tests -> one record, with the sanity checks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.manifest import Row, rows_of_split
from mien.errors import BadDataError
from mien.evaluate.faithfulness import METRICS, ScoreFunction, endpoints, measure
from mien.evaluate.maps import CONTROLS, ExplainedModel, applicable_methods
from mien.evaluate.sanity import refuse_other_network, sanity_checks
from mien.media import images
from mien.media.progress import Progress
from mien.pixels import F32, I64, SIDE, U8, enlarge, in_batches, to_gray, to_side
from mien.recognize.model import Model

__all__ = [
    "FaithfulnessSettings",
    "MetricValues",
    "beats",
    "choose_pictures",
    "compare",
    "faithfulness_record",
    "mean_rows",
    "measure_methods",
]

_CHUNK = 20  # pictures measured together, to bound memory
MetricValues = dict[str, dict[str, F32]]  # of each method or control, of each metric: (N,)


@dataclass(frozen=True, slots=True)
class FaithfulnessSettings:
    """What is measured.

    Attributes:
        folder: made by ``mien prepare``.
        split: of it.
        methods: keys of `mien.explain.methods.METHODS`; what the network does not allow is left
            out.
        pictures: drawn from the split for the metrics.
        sanity_pictures: the first of them, for the sanity checks; 0 for no such checks.
        seed: of the draw, of the controls and of ROAD's noise.

    Raises:
        ValueError: if `sanity_pictures` is 1, which has no other to be compared with.
    """

    folder: Path
    split: str
    methods: Sequence[str]
    pictures: int
    sanity_pictures: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse a check that would compare a picture with itself."""
        if self.sanity_pictures == 1:
            raise ValueError("sanity_pictures is 1: take 2 or more, or 0 for no such checks")


def faithfulness_record(
    model: Model,
    settings: FaithfulnessSettings,
    network: Any = None,
    shuffled: Any = None,
    progress: Progress = iter,
    on_refusal: Callable[[str, str], None] = lambda method, reason: None,
) -> dict[str, Any]:
    """Measure how faithful a model's explanations are.

    Args:
        model: as a file.
        settings: pictures and methods.
        network: the model as a torch network, for `mien.evaluate.sanity.sanity_checks`; or None.
        shuffled: one trained on shuffled labels, for the same; or None.
        progress: shows how far the measuring is.
        on_refusal: is called with a method that the network does not allow, and the reason.

    Returns:
        JSON-ready: what was measured on what, the figures of `compare` and the sanity checks.

    Raises:
        BadDataError: if there are fewer than two pictures: one has no standard error.
        BadSettingError: if the network is not that of the file.
    """
    explained = ExplainedModel(model, model.card["temperature"])
    chosen = settings.folder, settings.split, settings.pictures, settings.seed
    rows, crops = choose_pictures(*chosen, model.side)
    if len(rows) < 2:
        raise BadDataError(
            f"only one picture of {settings.folder} {settings.split}: an error needs two or more",
            fix="choose another --split, or prepare more pictures",
        )
    if network is not None:
        refuse_other_network(explained, network, crops)
    methods, refused = applicable_methods(explained, settings.methods)
    for method, reason in refused.items():
        on_refusal(method, reason)
    values = measure_methods(explained, crops, methods, settings.seed, progress)
    checked = crops[: settings.sanity_pictures]
    checks = sanity_checks(explained, checked, methods, network, shuffled) if len(checked) else {}
    return {
        "name": model.card.get("name"),
        "weights_sha256": model.card.get("weights_sha256"),
        "source": rows[0].source,
        "split": settings.split,
        "pictures": len(rows),
        "seed": settings.seed,
        "refused": refused,
        **compare(values),
        "sanity_pictures": len(checked),
        **checks,
    }


def choose_pictures(
    folder: Path, split: str, count: int, seed: int, side: int = SIDE
) -> tuple[list[Row], U8]:
    """Draw pictures of the six expressions from a prepared folder.

    Args:
        folder: made by ``mien prepare``.
        split: of it.
        count: how many; all if there are fewer.
        seed: of the draw.
        side: to resize them to, in pixels.

    Returns:
        Their rows and grey crops, shape (N, side, side).

    Raises:
        BadDataError: if there is none.
    """
    rows = rows_of_split(folder, split)
    order = np.random.default_rng(seed).permutation(len(rows))[:count]
    chosen = [rows[i] for i in sorted(order)]
    crops = [to_side(to_gray(images.read_rgb(folder / row.path)), side) for row in chosen]
    return chosen, np.stack(crops)


def measure_methods(
    model: ExplainedModel,
    crops: U8,
    methods: Sequence[str],
    seed: int,
    progress: Progress = iter,
) -> MetricValues:
    """Measure every method and every control on the same pictures.

    Args:
        model: the network.
        crops: shape (N, side, side), uint8, grey.
        methods: keys of `mien.explain.methods.METHODS`.
        seed: of the controls and of ROAD's noise.
        progress: shows how far it is.

    Returns:
        Of each method and control, of each of `METRICS`: shape (N,).
    """
    classes = model.scores(crops).argmax(axis=1)
    names = [*methods, *CONTROLS]
    chunks: dict[str, list[dict[str, F32]]] = {name: [] for name in names}
    steps = [(part, name) for part in in_batches(len(crops), _CHUNK) for name in names]
    for part, name in progress(steps):
        score = _score_of(model, classes[part])
        if name == names[0]:
            ends = endpoints(score, crops[part])  # the same for every map
        random = np.random.default_rng([seed, part.start])
        if name in CONTROLS:
            maps = CONTROLS[name](crops[part], random)
        else:
            maps = enlarge(model.maps(name, crops[part], classes[part]), *crops.shape[1:])
        chunks[name].append(measure(score, crops[part], maps, ends, random))
    return {
        name: {metric: np.concatenate([chunk[metric] for chunk in own]) for metric in METRICS}
        for name, own in chunks.items()
    }


def _score_of(model: ExplainedModel, classes: I64) -> ScoreFunction:
    """The probability of each picture's class."""
    return lambda crops, numbers: model.scores(crops)[np.arange(len(crops)), classes[numbers]]


def compare(values: MetricValues) -> dict[str, Any]:
    """Average the metrics, and test every method against every control, paired by picture.

    Args:
        values: from `measure_methods`, of two pictures or more.

    Returns:
        JSON-ready: ``mean`` and ``error`` (standard) of each, and for each method and control by
        metric the mean ``gain`` (above 0: the method is better) and Wilcoxon's two-sided ``p``,
        times the number of tests (Bonferroni), at most 1.
    """
    methods = [name for name in values if name not in CONTROLS]
    tests = len(methods) * len(CONTROLS) * len(METRICS)
    return {
        "mean": {n: {m: _round(v.mean()) for m, v in of.items()} for n, of in values.items()},
        "error": {
            n: {m: _round(v.std(ddof=1) / len(v) ** 0.5) for m, v in of.items()}
            for n, of in values.items()
        },
        "against": {
            method: {
                control: _paired_tests(values[method], values[control], tests)
                for control in CONTROLS
            }
            for method in methods
        },
    }


def _paired_tests(
    method: Mapping[str, F32], control: Mapping[str, F32], tests: int
) -> dict[str, dict[str, float]]:
    """Gain and p of a method against a control, by metric."""
    from scipy.stats import wilcoxon

    results = {}
    for metric, sign in METRICS.items():
        gains = sign * (method[metric] - control[metric])
        p = float(wilcoxon(gains).pvalue) if gains.any() else 1.0
        results[metric] = {"gain": _round(gains.mean()), "p": float(f"{min(1.0, p * tests):.2g}")}
    return results


def _round(value: Any) -> float:
    return round(float(value), 4)


def mean_rows(record: Mapping[str, Any]) -> Iterator[list[str | float]]:
    """Turn the means into rows.

    Args:
        record: from `compare`.

    Yields:
        For each method and control one row of the table ``faithful`` of
        `mien.table_kinds.TABLES`.
    """
    for name, mean in record["mean"].items():
        kind = "method" if name in record["against"] else "control"
        error = record["error"][name]
        yield [name, kind, *(mean[m] for m in METRICS), *(error[m] for m in METRICS)]


def beats(record: Mapping[str, Any], method: str, metric: str) -> bool:
    """Whether a method is better than every control in a metric, with p below 0.05.

    Args:
        record: from `compare`.
        method: of it; a control beats nothing.
        metric: one of `METRICS`.

    Returns:
        True if it is.
    """
    tests = [of[metric] for of in record["against"].get(method, {}).values()]
    return bool(tests) and all(test["gain"] > 0 and test["p"] < 0.05 for test in tests)
