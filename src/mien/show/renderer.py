"""Draws what was read in faces where a plan says; of a picture as of a frame of a video."""

from collections.abc import Sequence

import cv2
import numpy as np

from mien.faces.boxes import Box
from mien.labels import LabelSet
from mien.pixels import F32, U8
from mien.recognize.face import Face
from mien.show.heatmap import blend_heatmap
from mien.show.panel import Panel
from mien.show.placement import Plan
from mien.show.style import DARK, LIGHT, Masks, Rgb, colours_of, paint
from mien.show.writing import ENGLISH, Writing

__all__ = ["Renderer", "zoomed"]


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


class Renderer:
    """Draws what was read in faces where a plan says, and keeps the masks for the next time."""

    def __init__(self, heatmap: bool, landmarks: bool = False, writing: Writing = ENGLISH) -> None:
        """Start without masks.

        Args:
            heatmap: lay the heat map over each face that has one.
            landmarks: mark the five landmarks.
            writing: of names and of all else that is written.
        """
        self._heatmap = heatmap
        self._landmarks = landmarks
        self._writing = writing
        self._masks = Masks(writing.font)
        self._panels: dict[tuple[int, bool, LabelSet], Panel] = {}  # by size, legend and classes

    def draw(self, canvas: U8, faces: Sequence[Face], plans: Sequence[Plan], zoom: int) -> None:
        """Draw on a canvas, in place.

        Args:
            canvas: shape (zoom * H, zoom * W, 3), uint8, RGB.
            faces: of the picture.
            plans: where what of each goes.
            zoom: how many times larger than the picture the canvas is.
        """
        for face, plan in zip(faces, plans, strict=True):
            if self._heatmap and plan.heat and face.maps is not None:
                blend_heatmap(canvas, face.heatmap(), zoomed(face.to_crop, zoom))
        for face, plan in zip(faces, plans, strict=True):
            self._draw_lines(canvas, face, plan)
            if self._landmarks:
                _draw_points(canvas, (face.landmarks + 0.5) * zoom - 0.5, plan.size)
        for face, plan in zip(faces, plans, strict=True):
            if plan.panel:
                key = (plan.panel_size, plan.legend, face.labels)
                if key not in self._panels:
                    self._panels[key] = Panel(*key, self._masks, self._writing)
                left, top = round(plan.panel.left), round(plan.panel.top)
                self._panels[key].draw(canvas, face, left, top)

    def _draw_lines(self, canvas: U8, face: Face, plan: Plan) -> None:
        colour = colours_of(face.labels)[face.label]
        if plan.link:
            _draw_link(canvas, plan.link, colour, plan.size)
        if plan.frame:
            self._draw_frame(canvas, plan.frame, colour, plan.size)
        if plan.chip:
            self._draw_label(canvas, plan.chip, plan, colour)

    def _draw_frame(self, canvas: U8, box: Box, colour: Rgb, size: int) -> None:
        """The frame, with a dark line inside that sets it off from any skin."""
        line, radius = max(2, round(0.16 * size)), round(0.4 * size)
        thin = max(1, line // 3)
        if min(box.width, box.height) - 2 * line > 2 * thin:
            inner = Box(box.left + line, box.top + line, box.right - line, box.bottom - line)
            self._masks.frame(canvas, inner, DARK, max(1, radius - line), thin)
        self._masks.frame(canvas, box, colour, radius, line)

    def _draw_label(self, canvas: U8, chip: Box, plan: Plan, colour: Rgb) -> None:
        left, top, width, height = (
            round(v) for v in (chip.left, chip.top, chip.width, chip.height)
        )
        paint(canvas, self._masks.plate((width, height), 0.3 * plan.size), colour, left, top)
        word = self._masks.word(plan.text, plan.size)
        left += (width - word.shape[1]) // 2
        paint(canvas, word, DARK, left, top + (height - word.shape[0]) // 2)


def _draw_link(canvas: U8, ends: tuple[float, float, float, float], colour: Rgb, size: int) -> None:
    """A line from a frame to its panel, as wide as the frame's, so that each panel has its face."""
    x0, y0, x1, y1 = (round(16 * end) for end in ends)  # cv2 takes 16ths of a pixel
    line = max(2, round(0.16 * size))
    cv2.line(canvas, (x0, y0), (x1, y1), colour, line, cv2.LINE_AA, 4)


def _draw_points(canvas: U8, points: F32, size: int) -> None:
    """A light dot with a dark rim at each point; cv2 takes 16ths of a pixel."""
    radius = max(2, round(0.15 * size))
    for x, y in np.rint(points * 16).astype(int).tolist():
        for wider, colour in ((1.5, DARK), (1.0, LIGHT)):
            shown = round(wider * radius * 16)
            cv2.circle(canvas, (x, y), shown, colour, cv2.FILLED, cv2.LINE_AA, 4)
