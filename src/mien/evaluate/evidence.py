"""Where on the face a model's evidence lies, by expression, beside where theory expects it.

Pipeline: crops of a prepared folder -> maps of the labelled class -> shares by region -> the share
on the regions of the expression's action units (`mien.faces.regions`), beside what maps that know
nothing have there.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.manifest import Row, rows_of_split
from mien.errors import BadModelError, UnknownNameError
from mien.evaluate.accuracy import refuse_other_classes
from mien.evaluate.maps import ExplainedModel, gaussian
from mien.explain.methods import METHODS
from mien.faces.regions import PROTOTYPES, REGIONS, divide, expected, region_shares, units_of
from mien.media import images
from mien.media.progress import Progress
from mien.pixels import F32, I64, SIDE, U8, enlarge, in_batches
from mien.recognize.model import Model

__all__ = ["evidence", "evidence_rows"]

_DRAWS = 2000  # of the bootstrap


def evidence(
    model: Model,
    folder: Path,
    split: str = "test",
    progress: Progress = iter,
    method: str | None = None,
) -> dict[str, Any]:
    """Measure where the evidence for each expression lies, over a prepared folder.

    The map of the labelled class is taken, whatever the model calls the picture.

    Args:
        model: whose class maps are measured.
        folder: made by ``mien prepare``.
        split: of it.
        progress: shows how far it is.
        method: a key of `mien.explain.METHODS`; None for the class maps of the file, as
            `Face.regions` has them.

    Returns:
        JSON-ready, by expression: ``pictures``, mean share by region, ``expected`` regions and
        units, the mean share ``on_expected`` with its 95 % interval, and what two maps that know
        nothing have there: an even one (the share of ``area``) and one of the ``middle``. Of a
        class that is none of the six nothing is expected: it has ``pictures`` and shares alone.

    Raises:
        BadDataError: if the split has no pictures, or the folder has other classes than the model.
        BadModelError: if the file returns no class maps, or does not allow the method.
        UnknownNameError: if there is no such method.
    """
    if method is not None and method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    refuse_other_classes(model.path, model.labels, folder)
    rows = rows_of_split(folder, split)
    batches = list(in_batches(len(rows)))
    shares = np.concatenate([
        _shares(model, folder, rows[part], method) for part in progress(batches)
    ])
    labels = np.array([row.label for row in rows])
    found = [name for name in model.labels.names if name in labels]
    return {name: _of_class(name, shares[labels == name]) for name in found}


def evidence_rows(by_folder: Mapping[str, Mapping[str, Any]], split: str) -> Iterator[list[object]]:
    """Turn the figures of folders into rows.

    Args:
        by_folder: by name, what `evidence` returned for the folder.
        split: that was measured.

    Yields:
        For each folder and expression one row of the table ``regions`` of
        `mien.table_kinds.TABLES`; empty cells where nothing is expected.
    """
    for folder, by_label in by_folder.items():
        for label, figures in by_label.items():
            units = " ".join(map(str, figures.get("units", ())))
            expected_regions = " ".join(figures.get("expected", ()))
            area = figures.get("area", {})
            yield [
                *(folder, split, label, figures["pictures"], units, expected_regions),
                *(figures["share"][name] for name in REGIONS),
                *(area.get(name) for name in REGIONS),
                figures.get("on_expected"),
                *figures.get("on_expected_95", (None, None)),
                figures.get("area_of_expected"),
                figures.get("middle_on_expected"),
            ]


def _shares(model: Model, folder: Path, rows: list[Row], method: str | None) -> F32:
    """Shares by region, shape (N, 8)."""
    crops = [images.read_rgb(folder / row.path) for row in rows]
    classes = np.array([model.labels.index(row.label) for row in rows])
    if method is None:
        own = _class_maps(model, crops, classes)
    else:
        own = ExplainedModel(model).maps(method, crops, classes)
    return region_shares(enlarge(own, SIDE, SIDE), divide())


def _class_maps(model: Model, crops: list[U8], classes: I64) -> F32:
    """Each crop's map of its class, as `Face.regions` takes it."""
    maps = model.run(model.to_batch(crops)).maps
    if maps is None:
        raise BadModelError("this model file returns no class maps", fix="make it by mien export")
    return maps[np.arange(len(crops)), classes].astype(np.float32)


def _of_class(label: str, shares: F32) -> dict[str, Any]:
    """The figures of one class."""
    if label not in PROTOTYPES:
        return {"pictures": len(shares), "share": _by_region(shares.mean(axis=0))}
    wanted = np.isin(REGIONS, expected(label))
    on_expected = shares[:, wanted].sum(axis=1)
    blank = np.zeros((1, SIDE, SIDE), dtype=np.uint8)
    area = region_shares(np.ones((1, SIDE, SIDE), dtype=np.float32), divide())[0]
    middle = region_shares(gaussian(blank, np.random.default_rng(0)), divide())[0]
    return {
        "pictures": len(shares),
        "share": _by_region(shares.mean(axis=0)),
        "area": _by_region(area),
        "units": units_of(label),
        "expected": list(expected(label)),
        "on_expected": _round(on_expected.mean()),
        "on_expected_95": _interval(on_expected),
        "area_of_expected": _round(area[wanted].sum()),
        "middle_on_expected": _round(middle[wanted].sum()),
    }


def _by_region(values: F32) -> dict[str, float]:
    return {name: _round(value) for name, value in zip(REGIONS, values, strict=True)}


def _interval(values: F32) -> list[float]:
    """The 95 % interval of a mean, by the bootstrap over pictures."""
    random = np.random.default_rng(0)
    means = [values[random.integers(len(values), size=len(values))].mean() for _ in range(_DRAWS)]
    return [_round(bound) for bound in np.percentile(means, (2.5, 97.5))]


def _round(value: Any) -> float:
    return round(float(value), 4)
