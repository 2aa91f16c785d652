"""A picture with what was read in it: heat maps, frames, labels, and bars beside the faces.

The way through: enlarge a small picture -> heat maps -> plan -> frames, labels, panels. Knows
nothing of models and files.
"""

import cv2
import numpy as np
from PIL import Image

from mien.pixels import F32, U8
from mien.recognize.results import Face, Picture
from mien.show import heat, layout, panel, style

__all__ = ["annotate", "enlarged", "enlargement", "zoomed"]


_SMALL = 320  # pixels; a longer side below that is enlarged
_ENOUGH = 640  # pixels; to at least that, by a whole number


def annotate(rgb: U8, picture: Picture, *, heatmap: bool = True) -> U8:
    """Draw what was read in a picture on a copy of it.

    Every face gets a frame and a label in the colour of its expression and, over the face, the
    heat map of its most probable expression; every face with room beside it gets bars too.

    Args:
        rgb: shape (H, W, 3), uint8, RGB; left as it was.
        picture: what was read in it.
        heatmap: whether to draw the heat maps; faces that were read without maps have none.

    Returns:
        shape (k * H, k * W, 3), uint8, RGB, where k = `enlargement`: 1, or more when the picture
        is so small that letters on it could not be read.

    Raises:
        ValueError: if `rgb` is not the picture that was read.
    """
    expected = (picture.height, picture.width, 3)
    if rgb.shape != expected or rgb.dtype != np.uint8:
        raise ValueError(f"the picture read is {expected} uint8, this is {rgb.shape} {rgb.dtype}")
    zoom = enlargement(picture.width, picture.height)
    canvas = enlarged(rgb, zoom)
    for face in picture.faces:
        if heatmap and face.maps is not None:
            heat.blend(canvas, face.heatmap(), zoomed(face.to_crop, zoom))
    image = Image.fromarray(canvas)
    plans = layout.plan(picture, zoom, heatmap)
    for face, plan in zip(picture.faces, plans, strict=True):
        _mark(image, face, plan)
    for face, plan in zip(picture.faces, plans, strict=True):
        if plan.panel:
            panel.paint(image, plan.panel, face, plan.panel_size, plan.legend)
    return np.array(image)


def enlargement(width: int, height: int) -> int:
    """Return how many times larger a picture is drawn.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        1 where the longer side has 320 pixels or more, else the whole number that brings it to
        640 or more. It depends on the size alone, so the frames of a video stay equal.

    Example:
        >>> enlargement(1200, 900), enlargement(120, 160), enlargement(64, 64)
        (1, 4, 10)
    """
    longer = max(width, height)
    return 1 if longer >= _SMALL else -(-_ENOUGH // longer)


def enlarged(rgb: U8, zoom: int) -> U8:
    """Return a picture a whole number of times larger.

    Args:
        rgb: shape (H, W, 3), uint8.
        zoom: from `enlargement`.

    Returns:
        shape (zoom * H, zoom * W, 3), uint8, a copy.
    """
    if zoom == 1:
        return np.array(rgb)  # a copy, and writable
    size = (rgb.shape[1] * zoom, rgb.shape[0] * zoom)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def zoomed(to_crop: F32, zoom: int) -> F32:
    """Return the same transform from the enlarged picture.

    Args:
        to_crop: shape (2, 3), from the picture.
        zoom: from `enlargement`; the larger one's pixel X lies at (X + 0.5) / zoom - 0.5.

    Returns:
        shape (2, 3).
    """
    matrix = to_crop.copy()
    matrix[:, :2] /= zoom
    matrix[:, 2] += to_crop[:, :2].sum(axis=1) * (0.5 / zoom - 0.5)
    return matrix


def _mark(image: Image.Image, face: Face, plan: layout.Plan) -> None:
    """The frame, with a dark line inside that sets it off from any skin, and the label."""
    if plan.frame is None:
        return
    colour, box = style.COLOURS[face.label], plan.frame
    line = max(2, round(0.16 * plan.size))
    radius = 0.4 * plan.size
    style.outline(image, box, style.DARK, radius, line + max(1, line // 3))
    style.outline(image, box, colour, radius, line)
    if plan.chip:
        style.fill(image, plan.chip, colour, radius=0.3 * plan.size)
        start = (plan.chip.left + layout.CHIP_PAD * plan.size, plan.chip.top + plan.chip.height / 2)
        style.write(image, start, plan.text, plan.size, style.DARK)
