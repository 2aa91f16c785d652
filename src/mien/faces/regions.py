"""The regions of a face in its crop, the heat on each, and the action units that act there.

Framing (`mien.faces.align`) carries the five landmarks of every face to `TEMPLATE`, so a place in
the crop is a place on the face, and one division into regions serves every face; a face whose
landmarks are known is divided after them. Every place of the crop belongs to one region. The table
of action units has two uses: `mien.data.datasets.disfa` labels pictures by it, and the evidence of
a network is laid beside it (`mien.evaluate.evidence`). Knows nothing of networks.

Sources: Friesen and Ekman 1983, "EMFACS-7: Emotional Facial Action Coding System" (unpublished
manual, University of California), as its prototypes are commonly printed; Ekman and Friesen 1978,
"Facial Action Coding System", table 11-1, for fear with 25 in the place of 26 and disgust 9+17;
Ekman, Friesen and Hager 2002, "Facial Action Coding System: the manual", for what each unit moves.
The regions of a unit are our reading of that: where its main change is seen, lesser ones left out.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from mien.pixels import F32, SIDE, U8

__all__ = [
    "PROTOTYPES",
    "REGIONS",
    "TEMPLATE",
    "UNITS",
    "divide",
    "expected",
    "named_shares",
    "region_shares",
    "units_of",
    "words",
]

REGIONS = ("brows", "eyes", "nose", "mouth", "cheeks", "forehead", "chin", "outside")
# Eye, eye, nose tip, mouth corner, mouth corner, x and y in pixels of a 64x64 crop: the mean of
# RAF-DB's own aligned training crops.
TEMPLATE: F32 = np.array(
    [[16.6, 21.5], [46.7, 21.5], [31.6, 35.7], [17.9, 48.7], [45.3, 48.7]], dtype=np.float32
)
_LEAST = 0.1  # of the evidence, for a region to be put into words
_MOST_NAMED = 3
# The action units of each expression: one set, or two that serve alike.
PROTOTYPES: dict[str, tuple[frozenset[int], ...]] = {
    "happiness": (frozenset({6, 12}),),
    "surprise": (frozenset({1, 2, 5, 26}),),
    "sadness": (frozenset({1, 4, 15}),),
    "anger": (frozenset({4, 5, 7, 23}),),
    "disgust": (frozenset({9, 15, 16}), frozenset({9, 17})),
    "fear": (frozenset({1, 2, 4, 5, 20, 25}), frozenset({1, 2, 4, 5, 20, 26})),
}
# Action unit: what it does, and the regions where that is seen.
UNITS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("inner brow raiser", ("brows", "forehead")),
    2: ("outer brow raiser", ("brows", "forehead")),
    4: ("brow lowerer", ("brows",)),
    5: ("upper lid raiser", ("eyes",)),
    6: ("cheek raiser", ("cheeks", "eyes")),
    7: ("lid tightener", ("eyes",)),
    9: ("nose wrinkler", ("nose",)),
    12: ("lip corner puller", ("mouth", "cheeks")),
    15: ("lip corner depressor", ("mouth",)),
    16: ("lower lip depressor", ("mouth",)),
    17: ("chin raiser", ("chin", "mouth")),
    20: ("lip stretcher", ("mouth",)),
    23: ("lip tightener", ("mouth",)),
    25: ("lips part", ("mouth",)),
    26: ("jaw drop", ("mouth", "chin")),
}


def divide(landmarks: F32 | None = None, side: int = SIDE) -> U8:
    """Divide the crop of a face into regions.

    Args:
        landmarks: shape (5, 2), where eyes, nose tip and mouth corners lie in the crop, in
            pixels; by default where the template has them.
        side: of the crop, in pixels.

    Returns:
        shape (side, side), for each place its index in `REGIONS`.

    Raises:
        ValueError: if `landmarks` has another shape.

    Example:
        >>> REGIONS[divide()[50, 32]], REGIONS[divide(TEMPLATE + 10)[60, 42]]
        ('mouth', 'mouth')
    """
    if landmarks is None and side == SIDE:
        return _TEMPLATE_REGIONS
    if landmarks is None:
        nearest = cv2.INTER_NEAREST_EXACT
        return np.asarray(cv2.resize(_TEMPLATE_REGIONS, (side, side), interpolation=nearest))
    if landmarks.shape != TEMPLATE.shape:
        raise ValueError(f"landmarks must have shape (5, 2), got {landmarks.shape}")
    # The affine map from crop to template that fits best; a turned head is narrower there.
    known = np.column_stack([landmarks, np.ones(len(landmarks))])  # (5, 3)
    to_template = np.linalg.lstsq(known, TEMPLATE, rcond=None)[0]  # (3, 2)
    y, x = np.indices((side, side))
    places = np.stack([x, y, np.ones_like(x)], axis=-1) @ to_template  # (side, side, 2)
    column, row = np.rint(places).astype(int).transpose(2, 0, 1)
    inside = (column >= 0) & (column < SIDE) & (row >= 0) & (row < SIDE)
    regions = _TEMPLATE_REGIONS[row.clip(0, SIDE - 1), column.clip(0, SIDE - 1)]
    return np.where(inside, regions, np.uint8(REGIONS.index("outside")))


def _divided_template() -> U8:
    """Divide the template, shape (64, 64), into rectangles cut by the oval of the face."""
    # Left, top, right, bottom, half open. The eyes lie at y = 21.5, the nose tip at 35.7, the
    # mouth corners at 48.7. The oval was laid by eye on the mean of 600 framed pictures.
    rectangles = {
        "forehead": ((0, 0, 64, 6),),
        "brows": ((0, 6, 64, 16),),
        "eyes": ((0, 16, 28, 28), (36, 16, 64, 28)),
        "nose": ((28, 16, 36, 28), (24, 28, 40, 42)),
        "mouth": ((14, 42, 50, 56),),
        "cheeks": ((0, 28, 24, 42), (40, 28, 64, 42), (0, 42, 14, 56), (50, 42, 64, 56)),
        "chin": ((0, 56, 64, 64),),
    }
    regions = np.empty((SIDE, SIDE), dtype=np.uint8)
    for name, boxes in rectangles.items():
        for left, top, right, bottom in boxes:
            regions[top:bottom, left:right] = REGIONS.index(name)
    y, x = np.indices(regions.shape)
    regions[((x - 31.5) / 30) ** 2 + ((y - 30) / 34) ** 2 > 1] = REGIONS.index("outside")
    regions.flags.writeable = False  # every caller is handed the same array
    return regions


_TEMPLATE_REGIONS = _divided_template()


def named_shares(heatmap: F32, landmarks: F32 | None = None) -> dict[str, float]:
    """Return how a map's positive evidence is shared among the regions of the face, by name.

    Args:
        heatmap: shape (side, side) of 64 or more, from `Face.heatmap`.
        landmarks: shape (5, 2), in pixels of the crop; by default the template's.

    Returns:
        A share in [0, 1] for each of `REGIONS`; they sum to 1, or are all 0 for an empty map.

    Raises:
        ValueError: if the map has another shape.

    Example:
        >>> named_shares(np.ones((64, 64), dtype=np.float32))["mouth"]
        0.123
    """
    regions = divide(landmarks, max(SIDE, len(heatmap)))
    [shares] = region_shares(heatmap[None], regions)
    return {name: round(float(share), 4) for name, share in zip(REGIONS, shares, strict=True)}


def region_shares(maps: F32, regions: U8) -> F32:
    """Return how the positive evidence of each map is shared among the regions.

    Args:
        maps: shape (N, side, side); what is negative does not count.
        regions: shape (side, side), from `divide`.

    Returns:
        shape (N, 8), in the order of `REGIONS`; each row sums to 1, or is 0 for an empty map.

    Raises:
        ValueError: if the maps have another shape.
    """
    if maps.shape[1:] != regions.shape:
        raise ValueError(f"expected a {regions.shape} map, got {maps.shape[1:]}")
    positive = maps.clip(min=0).reshape(len(maps), -1)
    member = regions.reshape(-1, 1) == np.arange(len(REGIONS))  # (side * side, 8)
    sums = positive @ member.astype(np.float32)
    total = sums.sum(axis=1, keepdims=True)
    return np.asarray(sums / np.where(total > 0, total, 1), dtype=np.float32)


def words(shares: Mapping[str, float]) -> str:
    """Put shares into words: the regions with a tenth or more, three at most.

    Args:
        shares: from `named_shares`.

    Returns:
        Part of a sentence.

    Example:
        >>> words({"mouth": 0.61, "cheeks": 0.22, "nose": 0.09})
        '61 % of the evidence on the mouth, 22 % on the cheeks'
    """
    if not any(shares.values()):
        return "no place speaks for it"
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    named = [item for item in ordered if item[1] >= _LEAST] or ordered[:1]
    first, *others = (
        f"{share:.0%}".replace("%", " %") + f" {_where(name)}"
        for name, share in named[:_MOST_NAMED]
    )
    return ", ".join([first.replace(" % ", " % of the evidence ", 1), *others])


def _where(region: str) -> str:
    return "outside the face" if region == "outside" else f"on the {region}"


def units_of(label: str) -> list[int]:
    """Return every action unit of an expression's prototypes, in order.

    Args:
        label: one of the six.

    Returns:
        Their numbers.

    Example:
        >>> units_of("disgust")
        [9, 15, 16, 17]
    """
    return sorted(frozenset.union(*PROTOTYPES[label]))


def expected(label: str) -> tuple[str, ...]:
    """Return the regions where theory expects an expression to be seen.

    Args:
        label: one of the six.

    Returns:
        Names, in the order of `REGIONS`.

    Example:
        >>> expected("happiness")
        ('eyes', 'mouth', 'cheeks')
    """
    seen = {region for unit in units_of(label) for region in UNITS[unit][1]}
    return tuple(region for region in REGIONS if region in seen)
