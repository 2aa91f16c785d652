"""What was read in a film, drawn on its frames: steady, legible at any size, and fast.

Letters and lines are as large as the size of the film asks for, the same in every frame. Each
face has a frame, a label and, over it, its heat map; a face with room beside it has bars too, see
places.py. Knows nothing of models and files.
"""

from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np
import numpy.typing as npt

from mien.faces.boxes import Box
from mien.pixels import U8
from mien.recognize.results import Face, VideoFrame
from mien.show import heat
from mien.show.board import Board
from mien.show.draw import enlarged, enlargement, zoomed
from mien.show.places import Places
from mien.show.stamps import Stamps, stamp
from mien.show.style import COLOURS, DARK, LIGHT

__all__ = ["Overlay"]


_EMS = 60  # letters that fit into the film's mean side
_SMALLEST = 12  # pixels of an em; smaller letters are hard to read
_CHIP_PAD, _CHIP_HEIGHT = 0.5, 1.5  # em


@dataclass(frozen=True, slots=True, eq=False)
class _Tools:
    """What the size of the film decides."""

    size: int
    board: Board
    places: Places


class Overlay:
    """Draws on the frames of one film; to be given them in order."""

    def __init__(self, heatmap: bool = True, landmarks: bool = False) -> None:
        """Start before the first frame.

        Args:
            heatmap: lay the heat map over each face that has one.
            landmarks: mark the five landmarks.
        """
        self._heatmap = heatmap
        self._landmarks = landmarks
        self._stamps = Stamps()
        self._tools: dict[tuple[int, int], _Tools] = {}
        self._canvas = np.empty((0, 0, 3), dtype=np.uint8)

    def draw(self, moment: VideoFrame) -> U8:
        """Draw what was read in a frame.

        Args:
            moment: the frame; its pixels are left as they were.

        Returns:
            shape (k * H, k * W, 3), uint8, RGB, where k = `mien.show.draw.enlargement`. The next
            call draws into the same array.
        """
        zoom = enlargement(moment.width, moment.height)
        canvas = self._copy(moment.rgb, zoom)
        if not moment.faces:
            return canvas
        legend = self._heatmap and moment.faces[0].maps is not None
        tools = self._fitting((canvas.shape[1], canvas.shape[0]), legend)
        for face in moment.faces:
            if self._heatmap and face.maps is not None:
                heat.blend(canvas, face.heatmap(), zoomed(face.to_crop, zoom))
        frames = [_larger(face.box, zoom) for face in moment.faces]
        for face, frame in zip(moment.faces, frames, strict=True):
            self._mark(canvas, face, frame, tools.size)
            if self._landmarks:
                _dots(canvas, (face.landmarks + 0.5) * zoom - 0.5, tools.size)
        above = _CHIP_HEIGHT * tools.size
        whole = [Box(b.left, b.top - above, b.right, b.bottom) for b in frames]
        found = tools.places.of(moment.faces, whole, moment.time_s)
        for face in moment.faces:
            if face.track in found:
                tools.board.lay(canvas, face, *found[face.track])
        return canvas

    def _copy(self, rgb: U8, zoom: int) -> U8:
        if zoom > 1:
            return enlarged(rgb, zoom)
        if self._canvas.shape != rgb.shape:
            self._canvas = np.empty_like(rgb)
        np.copyto(self._canvas, rgb)
        return self._canvas

    def _fitting(self, canvas: tuple[int, int], legend: bool) -> _Tools:
        """The tools for a size of film, which may change within one."""
        if canvas not in self._tools:
            size = max(_SMALLEST, round(sqrt(canvas[0] * canvas[1]) / _EMS))
            board = Board(size, legend, self._stamps)
            places = Places(canvas, board.extent, size)
            self._tools = {canvas: _Tools(size, board, places)}
        return self._tools[canvas]

    def _mark(self, canvas: U8, face: Face, frame: Box, size: int) -> None:
        """The frame, with a dark line inside that sets it off from any skin, and the label."""
        colour, line, radius = COLOURS[face.label], max(2, round(0.16 * size)), round(0.4 * size)
        inner = Box(frame.left + line, frame.top + line, frame.right - line, frame.bottom - line)
        thin = max(1, line // 3)
        if min(inner.width, inner.height) > 2 * thin:
            self._stamps.frame(canvas, inner, (DARK, max(1, radius - line), thin))
        self._stamps.frame(canvas, frame, (colour, radius, line))
        word = self._stamps.word(f"{face.label} {100 * face.confidence:.0f}%", size)
        pad, height = round(_CHIP_PAD * size), round(_CHIP_HEIGHT * size)
        plate = self._stamps.plate((word.shape[1] + 2 * pad, height), 0.3 * size)
        left = max(0, min(round(frame.left), canvas.shape[1] - plate.shape[1]))
        top = round(frame.top) - height
        if top < 0:  # no room above: inside the frame
            top = max(0, round(frame.top))
        stamp(canvas, plate, colour, left, top)
        stamp(canvas, word, DARK, left + pad, top + (height - word.shape[0]) // 2)


def _larger(box: Box, zoom: int) -> Box:
    return Box(box.left * zoom, box.top * zoom, box.right * zoom, box.bottom * zoom)


def _dots(canvas: U8, points: npt.NDArray[np.float32], size: int) -> None:
    """A light dot with a dark rim at each point; cv2 takes 16ths of a pixel."""
    radius = max(2, round(0.15 * size))
    for x, y in np.rint(points * 16).astype(int).tolist():
        for wider, colour in ((1.5, DARK), (1.0, LIGHT)):
            far = round(wider * radius * 16)
            cv2.circle(canvas, (x, y), far, colour, cv2.FILLED, cv2.LINE_AA, 4)
