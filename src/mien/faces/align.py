"""From five landmarks to an upright crop: one framing for training and serving.

A similarity transform (rotation, scale, shift; no shear) carries the landmarks as near as it can to
a template. The template is where the landmarks lie, on average, in RAF-DB's own aligned training
crops, so that crops as that database comes and crops from a photograph look alike to the network.
`reframe` does the same for the face crops of a dataset: a tight crop leaves the detector no room,
so it is enlarged and given a grey border first. Knows nothing of networks.
"""

import cv2
import numpy as np

from mien.faces.detect import Detector
from mien.faces.regions import TEMPLATE
from mien.pixels import F32, F64, SIDE, U8

__all__ = ["SIDE", "crop", "framing", "reframe", "rescale", "similarity"]

_MAX_SHRINK = 16  # a face larger than 16 crops is cut with that many samples a pixel
_MAX_WARPED = 32_000  # pixels, a longer picture is more than cv2 warps
# What `reframe` shows the detector: a crop whose longer side has so many pixels, and its border.
_ENLARGED = 192
_BORDER = 96
_GREY = 128


def similarity(landmarks: F32, template: F32 = TEMPLATE) -> F32:
    """Return the similarity transform that carries landmarks to a template.

    Args:
        landmarks: shape (5, 2), x and y in pixels of the picture.
        template: shape (5, 2), where they should come to lie.

    Returns:
        shape (2, 3), float32: the affine matrix from picture to crop.

    Raises:
        ValueError: if all landmarks are one point.

    Source:
        Umeyama 1991, doi:10.1109/34.88573, equations 40 to 42, in the plane, where the least
        squares solution is a complex quotient; no mirror images.

    Example:
        >>> np.abs(similarity(TEMPLATE * 2)).round(3).tolist()
        [[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]
    """
    z = landmarks.astype(np.float64) @ np.array([1, 1j])  # (5,), the points as complex numbers
    w = template.astype(np.float64) @ np.array([1, 1j])
    centred = z - z.mean()
    size = float(np.vdot(centred, centred).real)
    if size < 1e-9:
        raise ValueError("all five landmarks are one point: they fix no scale")
    a = np.vdot(centred, w - w.mean()) / size  # scale times turn
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]], dtype=np.float32)


def framing(landmarks: F32, side: int = SIDE) -> F32:
    """Return the similarity transform from a picture to the crop of a face.

    Args:
        landmarks: shape (5, 2), x and y in pixels of the picture.
        side: of the crop, in pixels.

    Returns:
        shape (2, 3), float32.

    Raises:
        ValueError: if all landmarks are one point.

    Example:
        >>> np.abs(framing(TEMPLATE, 128)).round(3).tolist()
        [[2.0, 0.0, 0.5], [0.0, 2.0, 0.5]]
    """
    return similarity(landmarks, rescale(TEMPLATE, side / SIDE))


def rescale(points: F32, zoom: float) -> F32:
    """Carry points of a square picture to where they lie after it is resized.

    Args:
        points: any shape, pixels; pixel i has its centre at i.
        zoom: the new side over the old one.

    Returns:
        The same shape, pixels of the resized picture.

    Example:
        >>> rescale(np.array([-0.5, 0, 63.5], dtype=np.float32), 2).tolist()
        [-0.5, 0.5, 127.5]
    """
    return np.asarray((points + 0.5) * zoom - 0.5, dtype=np.float32)


def crop(rgb: U8, to_crop: F32, side: int = SIDE) -> U8:
    """Cut the upright crop out of a picture.

    Every crop pixel averages the picture pixels under it, so large faces do not alias; beyond
    the picture's edge its last pixels are repeated.

    Args:
        rgb: shape (H, W, 3) or (H, W), uint8.
        to_crop: shape (2, 3), from `framing` for the same side.
        side: of the crop, in pixels.

    Returns:
        shape (side, side, 3) or (side, side), uint8.
    """
    scale = float(np.hypot(to_crop[0, 0], to_crop[1, 0]))
    samples = int(np.clip(np.ceil(1 / scale - 0.1), 1, _MAX_SHRINK))  # a crop pixel, each way
    # Pixel centres: x in the crop becomes (x + 0.5) * samples - 0.5 in the fine grid.
    matrix = to_crop.astype(np.float64) * samples
    matrix[:, 2] += (samples - 1) / 2
    if max(rgb.shape[:2]) > _MAX_WARPED:
        rgb, matrix = _part_under(rgb, matrix, side * samples)
    fine = cv2.warpAffine(
        rgb,
        matrix,
        (side * samples, side * samples),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if samples > 1:
        fine = cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(fine, dtype=np.uint8)


def _part_under(rgb: U8, matrix: F64, side: int) -> tuple[U8, F64]:
    """Cut away what lies far from a warped square; return the rest and the matrix from there."""
    corners = np.array([[0, 0, 1], [side, 0, 1], [0, side, 1], [side, side, 1]], dtype=np.float64)
    under = corners @ cv2.invertAffineTransform(matrix).T  # (4, 2), x and y in the picture
    size = np.array(rgb.shape[1::-1])
    first = np.clip(np.floor(under.min(axis=0)) - 2, 0, size - 1).astype(int)
    last = np.clip(np.ceil(under.max(axis=0)) + 2, first + 1, size).astype(int)
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ first
    return rgb[first[1] : last[1], first[0] : last[0]], moved


def reframe(rgb: U8, detector: Detector, side: int = SIDE) -> U8 | None:
    """Find the face in a dataset's crop, and cut it out again as `crop` does.

    Args:
        rgb: shape (H, W, 3), uint8.
        detector: finds the face; the one nearest to the middle counts.
        side: of the result, in pixels.

    Returns:
        shape (side, side, 3), uint8, or None where no face is found.
    """
    scale = _ENLARGED / max(rgb.shape[:2])
    width, height = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    enlarged = cv2.resize(rgb, (max(1, width), max(1, height)), interpolation=method)
    borders = (_BORDER,) * 4
    bordered = cv2.copyMakeBorder(enlarged, *borders, cv2.BORDER_CONSTANT, value=(_GREY,) * 3)
    faces = detector.find(np.asarray(bordered, dtype=np.uint8))
    if not faces:
        return None
    middle = np.array([bordered.shape[1], bordered.shape[0]]) / 2
    face = min(faces, key=lambda f: float(np.linalg.norm(f.landmarks.mean(axis=0) - middle)))
    # The centre of pixel i lies at i + 0.5, so undo the border, then the enlargement.
    landmarks = (face.landmarks - _BORDER + 0.5) / scale - 0.5
    return crop(rgb, framing(landmarks.astype(np.float32), side), side)
