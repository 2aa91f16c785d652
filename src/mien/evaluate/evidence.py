"""Where on the face a model's evidence lies, by expression, beside where theory expects it.

The way through: crops of a prepared folder -> maps of the labelled class -> shares by region ->
the share on the regions of `mien.faces.regions`, beside their share of the crop's area. No torch.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from mien import pixels
from mien.data import manifest
from mien.errors import BadDataError, BadModelError
from mien.evaluate.explanations import gaussian
from mien.faces.regions import REGIONS, divide, expected, region_shares, units_of
from mien.labels import LABELS, NEUTRAL, index
from mien.media import images
from mien.pixels import F32, SIDE, enlarge
from mien.recognize.model import Model

__all__ = ["evidence"]

_BATCH = 64
_DRAWS = 2000  # of the bootstrap
Progress = Callable[[range], Iterable[int]]


def evidence(
    model: Model, folder: Path, split: str = "test", progress: Progress = iter
) -> dict[str, Any]:
    """Measure where the evidence for each expression lies, over a prepared folder.

    The map of the labelled class is taken, whatever the model calls the picture.

    Args:
        model: whose class maps are measured.
        folder: made by ``mien prepare``.
        split: of it.
        progress: wraps the batches, to show how far it is.

    Returns:
        JSON-ready, by expression: ``pictures``, mean share by region, ``expected`` regions and
        units, the mean share ``on_expected`` with its 95 % interval, and what two maps that know
        nothing have there: an even one (the share of ``area``) and one of the ``middle``.

    Raises:
        BadDataError: if the split has no pictures.
        BadModelError: if the file returns no class maps.
    """
    rows = [r for r in manifest.read(folder) if r.split == split and r.label != NEUTRAL]
    if not rows:
        raise BadDataError(f"{folder} has no {split} pictures", fix="choose another --split")
    found = np.concatenate([
        _shares(model, folder, rows[start : start + _BATCH])
        for start in progress(range(0, len(rows), _BATCH))
    ])
    labels = np.array([row.label for row in rows])
    return {label: _of_class(label, found[labels == label]) for label in LABELS if label in labels}


def _shares(model: Model, folder: Path, rows: list[manifest.Row]) -> F32:
    """Shares by region, shape (N, 8)."""
    batch = pixels.to_batch([images.read_rgb(folder / row.path) for row in rows])
    maps = model.run(batch).maps
    if maps is None:
        raise BadModelError("this model file returns no class maps", fix="make it by mien export")
    asked = np.array([index(row.label) for row in rows])
    own = maps[np.arange(len(rows)), asked].astype(np.float32)
    return region_shares(enlarge(own, SIDE, SIDE), divide())


def _of_class(label: str, found: F32) -> dict[str, Any]:
    wanted = np.isin(REGIONS, expected(label))
    on_expected = found[:, wanted].sum(axis=1)
    blind = np.zeros((1, SIDE, SIDE), dtype=np.uint8)
    area = region_shares(np.ones((1, SIDE, SIDE), dtype=np.float32), divide())[0]
    middle = region_shares(gaussian(blind, np.random.default_rng(0)), divide())[0]
    return {
        "pictures": len(found),
        "share": _named(found.mean(axis=0)),
        "area": _named(area),
        "units": units_of(label),
        "expected": list(expected(label)),
        "on_expected": _digits(on_expected.mean()),
        "on_expected_95": _interval(on_expected),
        "area_of_expected": _digits(area[wanted].sum()),
        "middle_on_expected": _digits(middle[wanted].sum()),
    }


def _interval(values: F32) -> list[float]:
    """The 95 % interval of a mean, by the bootstrap over pictures."""
    random = np.random.default_rng(0)
    means = [values[random.integers(len(values), size=len(values))].mean() for _ in range(_DRAWS)]
    return [_digits(bound) for bound in np.percentile(means, (2.5, 97.5))]


def _named(values: F32) -> dict[str, float]:
    return {name: _digits(value) for name, value in zip(REGIONS, values, strict=True)}


def _digits(value: Any) -> float:
    return round(float(value), 4)
