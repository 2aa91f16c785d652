"""Pictures and frames of a video with what was read in them: heat maps, frames, labels, bars.

Pipeline: enlarge a small picture -> plan (layout) -> heat maps -> frames and labels -> panels.

A picture and a video differ in the plan alone: in a picture everything has the best place, in a
video it keeps its place from frame to frame, and letters and lines have one size. Knows nothing of
models.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from mien.errors import OutputError
from mien.faces.boxes import Box
from mien.labels import LabelSet
from mien.media.files import is_dir, real_path
from mien.media.parts import remove_leftovers
from mien.media.writers import FORMATS, write_picture
from mien.pixels import F32, U8
from mien.recognize.results import Face, Picture, VideoFrame
from mien.show import layout, video_layout
from mien.show.heatmap import blend_heatmap
from mien.show.panel import Panel
from mien.show.placement import Plan
from mien.show.style import DARK, LIGHT, Masks, Rgb, colours_of, paint

__all__ = [
    "AnnotatedFolder",
    "Overlay",
    "annotate",
    "enlarged",
    "enlargement",
    "written_suffix",
    "zoomed",
]

_SMALL = 320  # pixels; a longer side below that is enlarged
_ENOUGH = 640  # pixels; to at least that, by a whole number


def annotate(rgb: U8, picture: Picture, *, heatmap: bool = True) -> U8:
    """Draw what was read in a picture on a copy of it.

    Every face gets a frame and a label in the colour of its expression, and every face with room
    beside it bars. Over the face lies the heat map of its most probable expression, where label or
    bars say of what it is: not over a calm or uncertain face without bars.

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
    plans = layout.plan(picture, zoom, heatmap)
    _Renderer(heatmap).draw(canvas, picture.faces, plans, zoom)
    return canvas


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


class Overlay:
    """Annotates the frames of one video; to be given them in order."""

    def __init__(self, heatmap: bool = True, landmarks: bool = False) -> None:
        """Start before the first frame.

        Args:
            heatmap: lay the heat map over each face that has one.
            landmarks: mark the five landmarks.
        """
        self._heatmap = heatmap
        self._renderer = _Renderer(heatmap, landmarks)
        self._layout: video_layout.VideoLayout | None = None
        self._canvas = np.empty((0, 0, 3), dtype=np.uint8)

    def draw(self, frame: VideoFrame) -> U8:
        """Draw what was read in a frame.

        Args:
            frame: its pixels are left as they were.

        Returns:
            shape (k * H, k * W, 3), uint8, RGB, where k = `enlargement`. The next
            call draws into the same array.
        """
        zoom = enlargement(frame.width, frame.height)
        canvas = self._copy(frame.rgb, zoom)
        if frame.faces:
            size = (canvas.shape[1], canvas.shape[0])
            if self._layout is None or self._layout.canvas != size:  # it may change in a video
                legend = self._heatmap and frame.faces[0].maps is not None
                self._layout = video_layout.VideoLayout(size, legend, frame.faces[0].labels)
            plans = self._layout.plan(frame.faces, zoom, frame.time_s)
            self._renderer.draw(canvas, frame.faces, plans, zoom)
        return canvas

    def _copy(self, rgb: U8, zoom: int) -> U8:
        if zoom > 1:
            return enlarged(rgb, zoom)
        if self._canvas.shape != rgb.shape:
            self._canvas = np.empty_like(rgb)
        np.copyto(self._canvas, rgb)
        return self._canvas


class _Renderer:
    """Draws what was read in faces where a plan says, and keeps the masks for the next time."""

    def __init__(self, heatmap: bool, landmarks: bool = False) -> None:
        self._heatmap = heatmap
        self._landmarks = landmarks
        self._masks = Masks()
        self._panels: dict[tuple[int, bool, LabelSet], Panel] = {}  # by size, legend and classes

    def draw(self, canvas: U8, faces: Sequence[Face], plans: Sequence[Plan], zoom: int) -> None:
        """Draw on a canvas, which is `zoom` times as large as the picture, in place."""
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
                    self._panels[key] = Panel(*key, self._masks)
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
        roots = [path for path in given if is_dir(path)]
        self._targets: dict[str, Path] = {}
        self._taken: set[Path] = set(map(real_path, files))
        for file in dict.fromkeys(files):
            target = out / _relative(file, roots)
            if real_path(target) == real_path(file):
                raise OutputError(f"{target} is the picture itself", fix="choose another --out")
            self._targets[str(file)] = _free(target, self._taken)
        for place in dict.fromkeys(target.parent for target in self._targets.values()):
            remove_leftovers(place)

    def write(self, rgb: U8, picture: Picture) -> None:
        """Write one picture, and its faces' crops if they were asked for.

        Args:
            rgb: shape (H, W, 3), uint8.
            picture: what was read in it.

        Raises:
            OutputError: if one of them cannot be written.
        """
        for drawn, target in self.pictures(rgb, picture):
            write_picture(drawn, target)

    def pictures(self, rgb: U8, picture: Picture) -> Iterator[tuple[U8, Path]]:
        """Draw one picture, and give its faces' crops if they were asked for.

        Args:
            rgb: shape (H, W, 3), uint8.
            picture: what was read in it.

        Yields:
            What is to be written, shape (H, W, 3), uint8, and to which file.
        """
        faces = picture.faces if self._crops else ()
        target, *crops = self.targets(picture.path, len(faces))
        yield annotate(rgb, picture, heatmap=self._heatmap), target
        yield from zip((face.crop for face in faces), crops, strict=True)

    def targets(self, path: str, crops: int) -> list[Path]:
        """Name the files of one picture; names of crops are given to it alone.

        Args:
            path: of the picture.
            crops: how many there are.

        Returns:
            The annotated picture, then its crops.
        """
        target = self._targets[path]
        names = (target.with_name(f"{target.stem}-face{n}.png") for n in range(crops))
        return [target, *(_free(name, self._taken) for name in names)]


def _relative(file: Path, roots: Iterable[Path]) -> Path:
    """Path below the folder the user named, with a suffix that can be written."""
    root = next((root for root in roots if file.is_relative_to(root)), file.parent)
    return file.relative_to(root).with_suffix(written_suffix(file))


def written_suffix(file: str | Path) -> str:
    """Return the suffix of a picture's annotated copy.

    Args:
        file: the picture.

    Returns:
        Its own, or ``.png`` where nothing is written in its format.

    Example:
        >>> written_suffix("a.JPG"), written_suffix("a.gif")
        ('.JPG', '.png')
    """
    suffix = Path(file).suffix
    return suffix if suffix.lower() in FORMATS else ".png"


def _free(target: Path, taken: set[Path]) -> Path:
    """Return the target, or a numbered one where its name is taken; remember it as taken."""
    choice, number = target, 1
    while real_path(choice) in taken:
        number += 1
        choice = target.with_name(f"{target.stem}-{number}{target.suffix}")
    taken.add(real_path(choice))
    return choice
