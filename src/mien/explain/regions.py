"""How much of a heat map lies on brows, eyes, nose, mouth, cheeks: in numbers and in words.

The crop is upright and framed, so one division of the template serves every face; a face whose
landmarks are known is divided after them. Every place of the crop belongs to one region. Knows
nothing of networks.
"""

from collections.abc import Mapping

import numpy as np

from mien.pixels import F32, SIDE, U8
from mien.template import TEMPLATE

__all__ = ["REGIONS", "divide", "shares", "shares_of", "words"]


REGIONS = ("brows", "eyes", "nose", "mouth", "cheeks", "forehead", "chin", "outside")
_LEAST = 0.1  # of the evidence, for a region to be put into words
_MOST_NAMED = 3


def divide(landmarks: F32 | None = None) -> U8:
    """Divide the crop of a face into regions.

    Args:
        landmarks: shape (5, 2), where eyes, nose tip and mouth corners lie in the crop, in
            pixels; by default where the template has them.

    Returns:
        shape (64, 64), for each place its index in `REGIONS`.

    Raises:
        ValueError: if `landmarks` has another shape.

    Example:
        >>> REGIONS[divide()[50, 32]], REGIONS[divide(TEMPLATE + 10)[60, 42]]
        ('mouth', 'mouth')
    """
    if landmarks is None:
        return _PARTS
    if landmarks.shape != TEMPLATE.shape:
        raise ValueError(f"landmarks must have shape (5, 2), got {landmarks.shape}")
    # The affine map from crop to template that fits best; a turned head is narrower there.
    known = np.column_stack([landmarks, np.ones(len(landmarks))])  # (5, 3)
    to_template = np.linalg.lstsq(known, TEMPLATE, rcond=None)[0]  # (3, 2)
    y, x = np.indices((SIDE, SIDE))
    places = np.stack([x, y, np.ones_like(x)], axis=-1) @ to_template  # (64, 64, 2)
    column, row = np.rint(places).astype(int).transpose(2, 0, 1)
    inside = (column >= 0) & (column < SIDE) & (row >= 0) & (row < SIDE)
    found = _PARTS[row.clip(0, SIDE - 1), column.clip(0, SIDE - 1)]
    return np.where(inside, found, np.uint8(REGIONS.index("outside")))


def _template_parts() -> U8:
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
    parts = np.empty((SIDE, SIDE), dtype=np.uint8)
    for name, boxes in rectangles.items():
        for left, top, right, bottom in boxes:
            parts[top:bottom, left:right] = REGIONS.index(name)
    y, x = np.indices(parts.shape)
    parts[((x - 31.5) / 30) ** 2 + ((y - 30) / 34) ** 2 > 1] = REGIONS.index("outside")
    parts.flags.writeable = False  # every caller is handed the same array
    return parts


_PARTS = _template_parts()


def shares(heatmap: F32, landmarks: F32 | None = None) -> dict[str, float]:
    """Return how a map's positive evidence is shared among the regions of the face.

    Args:
        heatmap: shape (64, 64), from `Face.heatmap`.
        landmarks: shape (5, 2), in pixels of the crop; by default the template's.

    Returns:
        A share in [0, 1] for each of `REGIONS`; they sum to 1, or are all 0 for an empty map.

    Raises:
        ValueError: if the map has another shape.

    Example:
        >>> shares(np.ones((64, 64), dtype=np.float32))["mouth"]
        0.123
    """
    [found] = shares_of(heatmap[None], divide(landmarks))
    return {name: round(float(share), 4) for name, share in zip(REGIONS, found, strict=True)}


def shares_of(maps: F32, parts: U8) -> F32:
    """Return the shares of many maps.

    Args:
        maps: shape (N, 64, 64); what is negative does not count.
        parts: shape (64, 64), from `divide`.

    Returns:
        shape (N, 8), in the order of `REGIONS`; each row sums to 1, or is 0 for an empty map.

    Raises:
        ValueError: if the maps have another shape.
    """
    if maps.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"expected a ({SIDE}, {SIDE}) map, got {maps.shape[1:]}")
    positive = maps.clip(min=0).reshape(len(maps), -1)
    member = parts.reshape(-1, 1) == np.arange(len(REGIONS))  # (4096, 8)
    sums = positive @ member.astype(np.float32)
    total = sums.sum(axis=1, keepdims=True)
    return np.asarray(sums / np.where(total > 0, total, 1), dtype=np.float32)


def words(found: Mapping[str, float]) -> str:
    """Put shares into words: the regions with a tenth or more, three at most.

    Args:
        found: from `shares`.

    Returns:
        Part of a sentence.

    Example:
        >>> words({"mouth": 0.61, "cheeks": 0.22, "nose": 0.09})
        '61 % of the evidence on the mouth, 22 % on the cheeks'
    """
    if not any(found.values()):
        return "no place speaks for it"
    ordered = sorted(found.items(), key=lambda item: -item[1])
    named = [item for item in ordered if item[1] >= _LEAST] or ordered[:1]
    first, *others = (
        f"{share:.0%}".replace("%", " %") + f" {_where(name)}"
        for name, share in named[:_MOST_NAMED]
    )
    return ", ".join([first.replace(" % ", " % of the evidence ", 1), *others])


def _where(region: str) -> str:
    return "outside the face" if region == "outside" else f"on the {region}"
