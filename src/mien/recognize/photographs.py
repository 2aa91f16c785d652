"""Are pictures that were given as face crops whole photographs?

A crop shows one face that fills it; in a photograph the largest face is small beside the picture,
or another one is about as large. Only a few pictures are looked at, and crops in the sizes of the
usual datasets cost nothing.
Thresholds: measured by `python -m benchmarks.bench_crops`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mien.errors import BadImageError
from mien.faces.detect import Detector
from mien.media.images import MAX_MEMORY, MAX_PIXELS
from mien.media.inputs import as_rgb
from mien.pixels import U8

__all__ = ["FILLS", "LOOKED", "Looked", "is_photograph", "look_at"]

LOOKED = 12  # pictures; more would cost more than they tell
_SMALL = 128  # pixels of the longer side; what is smaller is taken for a crop
FILLS = 0.33  # of the shorter side: a lower face does not fill its picture
_RIVAL = 0.5  # of the height of the largest face: another one that high is not just behind it


@dataclass(frozen=True, slots=True)
class Looked:
    """What a few pictures looked like.

    Attributes:
        count: how many were looked at.
        photographs: how many of them look like whole photographs.
        faces: on how many a face was seen, crops too small to be looked at among them.
    """

    count: int
    photographs: int
    faces: int

    @property
    def are_photographs(self) -> bool:
        """Whether most of those that show a face are photographs."""
        return 2 * self.photographs > self.faces


def look_at(
    detector: Detector,
    files: Iterable[Path],
    max_pixels: int = MAX_PIXELS,
    max_memory: int = MAX_MEMORY,
) -> Looked:
    """Look at the first few pictures that were given as face crops.

    Args:
        detector: finds faces.
        files: of the pictures.
        max_pixels: larger pictures are passed over, as are damaged ones.
        max_memory: MiB; pictures whose decoding takes more are passed over.

    Returns:
        What they looked like.
    """
    found: list[bool | None] = []
    for file in islice(files, LOOKED):
        try:
            rgb = as_rgb(file, max_pixels, max_memory)
        except BadImageError:  # named where it is scored
            continue
        found.append(max(rgb.shape[:2]) >= _SMALL and is_photograph(detector, rgb))
    seen = [photograph for photograph in found if photograph is not None]
    return Looked(len(found), sum(seen), len(seen))


def is_photograph(detector: Detector, rgb: U8) -> bool | None:
    """Tell whether a picture is a whole photograph.

    Args:
        detector: finds faces.
        rgb: shape (H, W, 3), uint8.

    Returns:
        False for a face crop; None where no face is seen, so that it may be either.
    """
    heights = [box.height for box, _ in detector.boxes(rgb)]  # the largest box first
    if not heights:
        return None
    rivals = sum(height >= _RIVAL * heights[0] for height in heights[1:])
    return heights[0] < FILLS * min(rgb.shape[:2]) or rivals > 0
