"""How much of a heat map lies on brows, eyes, nose, mouth and cheeks.

The crop is aligned, so one set of rectangles about the template's landmarks serves every face.
Imports: numpy, mien.pixels. Knows nothing of networks.
"""

import numpy as np
import numpy.typing as npt

from mien.pixels import SIDE

__all__ = ["REGIONS", "shares"]

F32 = npt.NDArray[np.float32]

# Left, top, right, bottom in the 64x64 crop: two mirrored parts where a face has two of them.
# The eyes lie at y = 21.5, the nose tip at 35.7, the mouth corners at 48.7 (see faces/align.py).
REGIONS: dict[str, tuple[tuple[int, int, int, int], ...]] = {
    "brows": ((5, 6, 59, 16),),
    "eyes": ((5, 16, 28, 28), (36, 16, 59, 28)),
    "nose": ((24, 28, 40, 42),),
    "mouth": ((14, 42, 50, 58),),
    "cheeks": ((3, 28, 24, 42), (40, 28, 61, 42)),
}


def shares(heatmap: F32) -> dict[str, float]:
    """Return how a map's positive evidence is shared among the regions of the face.

    Args:
        heatmap: shape (64, 64), from `Face.heatmap`.

    Returns:
        A share in [0, 1] for each of `REGIONS`, and ``rest`` for all else; they sum to 1. All
        are 0 for an empty map.

    Raises:
        ValueError: if the map has another shape.

    Example:
        >>> shares(np.ones((64, 64), dtype=np.float32))["mouth"]
        0.1406
    """
    if heatmap.shape != (SIDE, SIDE):
        raise ValueError(f"expected a ({SIDE}, {SIDE}) map, got {heatmap.shape}")
    positive = heatmap.clip(min=0)
    total = float(positive.sum())
    if total == 0:
        return {name: 0.0 for name in (*REGIONS, "rest")}
    found = {
        name: round(
            sum(float(positive[top:bottom, left:right].sum()) for left, top, right, bottom in boxes)
            / total,
            4,
        )
        for name, boxes in REGIONS.items()
    }
    return found | {"rest": round(max(0.0, 1 - sum(found.values())), 4)}
