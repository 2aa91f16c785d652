"""A picture with what was read in it: heat maps, frames, labels, and bars beside the faces.

The way through: enlarge a small picture -> heat maps -> plan -> frames, labels, panels. Knows
nothing of models and files.

MERGED A folder of annotated pictures, named like the ones they were made from.

MERGED What was read in a film, drawn on its frames: steady, legible at any size, and fast.

Letters and lines are as large as the size of the film asks for, the same in every frame. Each
face has a frame, a label and, over it, its heat map; a face with room beside it has bars too, see
places.py. Knows nothing of models and files.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mien.errors import OutputError
from mien.faces.boxes import Box
from mien.media.writers import write_picture
from mien.pixels import F32, U8
from mien.recognize.results import Face, Picture, VideoFrame
from mien.show import layout, panel, style
from mien.show.heatmap import blend_heatmap
from mien.show.layout import Places
from mien.show.panel import Board
from mien.show.style import COLOURS, DARK, LIGHT, Stamps, stamp

__all__ = ["AnnotatedFolder", "Overlay", "annotate", "enlarged", "enlargement", "zoomed"]

_SMALL = 320  # pixels; a longer side below that is enlarged
_ENOUGH = 640  # pixels; to at least that, by a whole number
_EMS = 60  # letters that fit into the film's mean side
_SMALLEST = 12  # pixels of an em; smaller letters are hard to read
_CHIP_PAD, _CHIP_HEIGHT = 0.5, 1.5  # em


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
            blend_heatmap(canvas, face.heatmap(), zoomed(face.to_crop, zoom))
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


class AnnotatedFolder:
    """Writes each picture annotated, and on request each face's crop."""

    def __init__(
        self,
        out: Path,
        given: Iterable[Path],
        files: Sequence[Path],
        heatmap: bool = True,
        crops: bool = False,
    ) -> None:
        """Choose a name for every picture before the first is written.

        Args:
            out: the folder to write to.
            given: the paths the user named; below a folder, its tree is kept.
            files: the pictures found there.
            heatmap: lay the heat map over each face.
            crops: also write the crops.

        Raises:
            OutputError: if a picture would be written over one that is to be read.
        """
        self._heatmap = heatmap
        self._crops = crops
        roots = [path for path in given if path.is_dir()]
        self._targets: dict[str, Path] = {}
        self._taken: set[Path] = {file.resolve() for file in files}
        for file in dict.fromkeys(files):
            target = out / _relative(file, roots)
            if target.resolve() == file.resolve():
                raise OutputError(f"{target} is the picture itself", fix="choose another --out")
            self._targets[str(file)] = _free(target, self._taken)

    def write(self, rgb: U8, picture: Picture) -> None:
        """Write one picture, and its faces' crops if they were asked for.

        Args:
            rgb: shape (H, W, 3), uint8.
            picture: what was read in it.
        """
        target = self._targets[picture.path]
        write_picture(annotate(rgb, picture, heatmap=self._heatmap), target)
        for number, face in enumerate(picture.faces if self._crops else ()):
            crop = target.with_name(f"{target.stem}-face{number}.png")
            write_picture(face.crop, _free(crop, self._taken))


def _relative(file: Path, roots: Iterable[Path]) -> Path:
    """Path below the folder the user named, with a suffix that can be written."""
    root = next((root for root in roots if file.is_relative_to(root)), file.parent)
    suffix = file.suffix if file.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"} else ".png"
    return file.relative_to(root).with_suffix(suffix)


def _free(target: Path, taken: set[Path]) -> Path:
    """Return the target, or a numbered one where its name is taken; remember it as taken."""
    choice, number = target, 1
    while choice.resolve() in taken:
        number += 1
        choice = target.with_name(f"{target.stem}-{number}{target.suffix}")
    taken.add(choice.resolve())
    return choice


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
            shape (k * H, k * W, 3), uint8, RGB, where k = `enlargement`. The next
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
                blend_heatmap(canvas, face.heatmap(), zoomed(face.to_crop, zoom))
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


def _dots(canvas: U8, points: F32, size: int) -> None:
    """A light dot with a dark rim at each point; cv2 takes 16ths of a pixel."""
    radius = max(2, round(0.15 * size))
    for x, y in np.rint(points * 16).astype(int).tolist():
        for wider, colour in ((1.5, DARK), (1.0, LIGHT)):
            far = round(wider * radius * 16)
            cv2.circle(canvas, (x, y), far, colour, cv2.FILLED, cv2.LINE_AA, 4)
