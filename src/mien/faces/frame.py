"""Frame a database's face crop exactly as recognition frames a face in a photograph.

A tight crop leaves the detector no room, so it is enlarged and given a grey border first.
"""

import cv2
import numpy as np

from mien.faces import align
from mien.faces.detect import Detector
from mien.pixels import U8

__all__ = ["reframe"]


_ENLARGED = 192  # pixels, longer side of the crop shown to the detector
_BORDER = 96  # pixels of grey about it
_GREY = 128


def reframe(rgb: U8, detector: Detector, side: int = align.SIDE) -> U8 | None:
    """Find the face in a crop and cut it out again, upright, in mien's own frame.

    Args:
        rgb: shape (H, W, 3), uint8.
        detector: finds the face; the one nearest to the middle counts.
        side: of the result, in pixels.

    Returns:
        shape (side, side, 3), uint8, or None where no face is found.
    """
    scale = _ENLARGED / max(rgb.shape[:2])
    width, height = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    enlarged = cv2.resize(rgb, (max(1, width), max(1, height)), interpolation=how)
    borders = (_BORDER,) * 4
    shown = cv2.copyMakeBorder(enlarged, *borders, cv2.BORDER_CONSTANT, value=(_GREY,) * 3)
    faces = detector.find(np.asarray(shown, dtype=np.uint8))
    if not faces:
        return None
    middle = np.array([shown.shape[1], shown.shape[0]]) / 2
    face = min(faces, key=lambda f: float(np.linalg.norm(f.landmarks.mean(axis=0) - middle)))
    # The centre of pixel i lies at i + 0.5, so undo the border, then the enlargement.
    landmarks = (face.landmarks - _BORDER + 0.5) / scale - 0.5
    return align.crop(rgb, align.similarity(landmarks.astype(np.float32)), side)
