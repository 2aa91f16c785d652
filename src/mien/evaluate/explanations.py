"""Methods of explanation on trial: do their maps say what the network used?

The way through: crops -> the class that the network names -> maps by every method and control ->
every metric for every picture -> means and paired tests. How maps change with noise and when the
network forgets is in sanity.py.

MERGED Maps that know nothing of the network: what an explanation has to beat.

A metric that such a map wins rewards something else than truth, as average drop rewards breadth.
Each takes crops and a generator and returns a map a crop.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien import pixels
from mien.data import manifest
from mien.errors import BadDataError, BadModelError, MissingExtraError
from mien.evaluate.faithfulness import BETTER, Score, ends, measure
from mien.explain.methods import METHODS, Request, source_of
from mien.explain.targets import Objective
from mien.labels import NEUTRAL
from mien.media import images
from mien.pixels import F32, I64, SIDE, U8, enlarge

__all__ = [
    "CONTROLS",
    "Progress",
    "Subject",
    "Values",
    "beats",
    "blurred",
    "choose",
    "compare",
    "edges",
    "gaussian",
    "noise",
    "usable",
    "values_of",
]

_BATCH = 64  # crops given to the network at once
_TOGETHER = 20  # pictures measured at once, to bound memory
Progress = Callable[[Sequence[Any]], Iterable[Any]]
Values = dict[str, dict[str, F32]]  # of each method or control, of each metric: (N,)
_BLUR = 6.0  # pixels, about as smooth as an 8x8 map enlarged to 64x64
_WIDTH = 0.25  # standard deviation of the Gaussian, in sides


class Subject:
    """A network whose explanations are tried.

    Attributes:
        source: the network, as `mien.explain.methods.source_of` makes it.
        temperature: that its logits are divided by.
    """

    def __init__(self, model: Any, temperature: float = 1.0) -> None:
        """Take what `mien.explain.explain` takes.

        Args:
            model: a file, a torch network or a function.
            temperature: of its softmax.
        """
        self.source = source_of(model)
        self.temperature = temperature

    def scores(self, crops: U8) -> F32:
        """Return the six probabilities of grey crops (N, 64, 64): shape (N, 6)."""
        parts = [
            self.source.logits(pixels.to_batch(crops[i : i + _BATCH]))
            for i in range(0, len(crops), _BATCH)
        ]
        cooled = np.concatenate(parts) / self.temperature
        powers = np.exp(cooled - cooled.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)

    def maps(self, method: str, crops: U8, classes: I64) -> F32:
        """Return a method's maps of grey crops for a class each: shape (N, h, w)."""
        asked = Request(self.source, pixels.to_batch(crops), [Objective(classes)], None)
        found: F32 = METHODS[method](asked)[0]
        return found


def choose(folder: Path, split: str, count: int, seed: int) -> tuple[list[manifest.Row], U8]:
    """Draw pictures of the six expressions from a prepared folder.

    Args:
        folder: made by ``mien prepare``.
        split: of it.
        count: wanted; all if there are fewer.
        seed: of the draw.

    Returns:
        Their rows and grey crops, shape (N, 64, 64).

    Raises:
        BadDataError: if there is none.
    """
    rows = [r for r in manifest.read(folder) if r.split == split and r.label != NEUTRAL]
    if not rows:
        raise BadDataError(f"{folder} has no {split} pictures", fix="choose another --split")
    order = np.random.default_rng(seed).permutation(len(rows))[:count]
    chosen = [rows[i] for i in sorted(order)]
    crops = [pixels.to_side(pixels.to_gray(images.read_rgb(folder / r.path))) for r in chosen]
    return chosen, np.stack(crops)


def usable(subject: Subject, methods: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Sort methods into those that a network can be asked by, and those that it refuses.

    Args:
        subject: the network.
        methods: keys of `METHODS`.

    Returns:
        The methods, and for the others why not.
    """
    blank, happy = np.zeros((1, SIDE, SIDE), dtype=np.uint8), np.zeros(1, dtype=np.int64)
    found, refused = [], {}
    for method in methods:
        try:
            subject.maps(method, blank, happy)
        except (BadModelError, MissingExtraError) as error:
            refused[method] = error.message
        else:
            found.append(method)
    return found, refused


def values_of(
    subject: Subject, crops: U8, methods: Sequence[str], seed: int, progress: Progress = iter
) -> Values:
    """Measure every method and every control on the same pictures.

    Args:
        subject: the network.
        crops: shape (N, 64, 64), uint8, grey.
        methods: keys of `METHODS`.
        seed: of the controls and of ROAD's noise.
        progress: wraps the steps, to show how far it is.

    Returns:
        Of each method and control, of each metric of `faithfulness.BETTER`: shape (N,).
    """
    classes = subject.scores(crops).argmax(axis=1)
    names = [*methods, *CONTROLS]
    parts: dict[str, list[dict[str, F32]]] = {name: [] for name in names}
    steps = [(s, name) for s in range(0, len(crops), _TOGETHER) for name in names]
    for start, name in progress(steps):
        some, wanted = crops[start : start + _TOGETHER], classes[start : start + _TOGETHER]
        score = _score(subject, wanted)
        if name == names[0]:
            known = ends(score, some)  # the same for every map
        random = np.random.default_rng([seed, start])
        if name in CONTROLS:
            maps = CONTROLS[name](some, random)
        else:
            maps = enlarge(subject.maps(name, some, wanted), SIDE, SIDE)
        parts[name].append(measure(score, some, maps, known, random))
    return {
        name: {metric: np.concatenate([p[metric] for p in found]) for metric in BETTER}
        for name, found in parts.items()
    }


def _score(subject: Subject, classes: I64) -> Score:
    """Ask for the probability of each picture's class."""
    return lambda crops, numbers: subject.scores(crops)[np.arange(len(crops)), classes[numbers]]


def compare(values: Values) -> dict[str, Any]:
    """Average the metrics, and test every method against every control, paired by picture.

    Args:
        values: from `values_of`.

    Returns:
        JSON-ready: ``mean`` and ``error`` (standard) of each, and for each method and control by
        metric the mean ``gain`` (above 0: the method is better) and Wilcoxon's two-sided ``p``,
        times the number of tests (Bonferroni), at most 1.
    """
    methods = [name for name in values if name not in CONTROLS]
    tests = len(methods) * len(CONTROLS) * len(BETTER)
    return {
        "mean": {n: {m: _digits(v.mean()) for m, v in of.items()} for n, of in values.items()},
        "error": {
            n: {m: _digits(v.std(ddof=1) / len(v) ** 0.5) for m, v in of.items()}
            for n, of in values.items()
        },
        "against": {
            method: {
                control: {
                    metric: _paired(
                        sign * (values[method][metric] - values[control][metric]), tests
                    )
                    for metric, sign in BETTER.items()
                }
                for control in CONTROLS
            }
            for method in methods
        },
    }


def beats(record: Mapping[str, Any], method: str, metric: str) -> bool:
    """Whether a method is better than every control in a metric, with p below 0.05.

    Args:
        record: from `compare`.
        method: of it; a control beats nothing.
        metric: a key of `mien.evaluate.faithfulness.BETTER`.

    Returns:
        True if it is.
    """
    tests = [of[metric] for of in record["against"].get(method, {}).values()]
    return bool(tests) and all(test["gain"] > 0 and test["p"] < 0.05 for test in tests)


def _paired(gains: F32, tests: int) -> dict[str, float]:
    from scipy.stats import wilcoxon

    p = float(wilcoxon(gains).pvalue) if gains.any() else 1.0
    return {"gain": _digits(gains.mean()), "p": float(f"{min(1.0, p * tests):.2g}")}


def _digits(value: Any) -> float:
    return round(float(value), 4)


def noise(crops: U8, random: np.random.Generator) -> F32:
    """Draw every place by itself, evenly from [0, 1).

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: draws.

    Returns:
        shape (N, H, W).
    """
    return random.random(crops.shape, dtype=np.float32)


def blurred(crops: U8, random: np.random.Generator) -> F32:
    """Blur `noise` to the smoothness of a class map, and spread it over [0, 1].

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: draws.

    Returns:
        shape (N, H, W).
    """
    maps = np.stack([cv2.GaussianBlur(one, (0, 0), _BLUR) for one in noise(crops, random)])
    low, high = (f(maps, axis=(1, 2), keepdims=True) for f in (np.min, np.max))
    return np.asarray((maps - low) / (high - low), dtype=np.float32)


def gaussian(crops: U8, random: np.random.Generator) -> F32:
    """Point at the middle of the crop, where a face is.

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: not used.

    Returns:
        shape (N, H, W): the same bell for every crop, 1 in its middle.
    """
    rows, columns = (
        np.exp(-((np.linspace(-0.5, 0.5, side) / _WIDTH) ** 2) / 2) for side in crops.shape[1:]
    )
    return np.broadcast_to(np.outer(rows, columns).astype(np.float32), crops.shape)


def edges(crops: U8, random: np.random.Generator) -> F32:
    """Point at contrast: the length of Sobel's gradient of the picture.

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: not used.

    Returns:
        shape (N, H, W), >= 0.
    """
    return np.stack([
        np.hypot(cv2.Sobel(one, cv2.CV_32F, 1, 0), cv2.Sobel(one, cv2.CV_32F, 0, 1))
        for one in crops
    ])


CONTROLS: dict[str, Callable[[U8, np.random.Generator], F32]] = {
    "random": noise,
    "blurred-random": blurred,
    "gaussian": gaussian,
    "edges": edges,
}
