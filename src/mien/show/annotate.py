"""Pictures and frames of a video with what was read in them: heat maps, frames, labels, bars.

Pipeline: enlarge a small picture -> plan (layout) -> heat maps -> frames and labels -> panels.

A picture and a video differ in the plan alone: in a picture everything has the best place, in a
video it keeps its place from frame to frame, and letters and lines have one size. Knows nothing of
models.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from mien.errors import OutputError
from mien.media.files import is_dir, real_path
from mien.media.folders import Paths, several
from mien.media.parts import remove_leftovers
from mien.media.writers import FORMATS, write_picture
from mien.pixels import U8
from mien.recognize.columns import labels_of
from mien.recognize.results import Face, Picture, VideoFrame
from mien.show import layout, video_layout
from mien.show.renderer import Renderer, zoomed
from mien.show.writing import Writing, as_writing

__all__ = [
    "AnnotatedFolder",
    "Overlay",
    "annotate",
    "enlarged",
    "enlargement",
    "free_name",
    "written_suffix",
    "zoomed",
]

_SMALL = 320  # pixels; a longer side below that is enlarged
_ENOUGH = 640  # pixels; to at least that, by a whole number
_ADDED = re.compile(r"(-face\d+|-\d+)*\Z")  # to the name of a crop, and where one was taken


def annotate(rgb: U8, picture: Picture, *, heatmap: bool = True, lang: str | Writing = "en") -> U8:
    """Draw what was read in a picture on a copy of it.

    Every face gets a frame and a label in the colour of its expression, and every face with room
    beside it bars. Before the labels of several faces stand their numbers. Over the face lies the
    heat map of its most probable expression, where label or bars say of what it is: not over a calm
    or uncertain face without bars.

    Args:
        rgb: shape (H, W, 3), uint8, RGB; left as it was.
        picture: what was read in it.
        heatmap: whether to draw the heat maps; faces that were read without maps have none.
        lang: of names and of all else that is written, as ``de``; or with a font of one's own,
            from `mien.show.writing.write_in`.

    Returns:
        shape (k * H, k * W, 3), uint8, RGB, where k = `enlargement`: 1, or more when the picture
        is so small that letters on it could not be read.

    Raises:
        ValueError: if `rgb` is not the picture that was read.
        UnknownNameError: if there is no such language.
        BadSettingError: if no font of this system has the letters.
    """
    expected = (picture.height, picture.width, 3)
    if rgb.shape != expected or rgb.dtype != np.uint8:
        raise ValueError(f"the picture read is {expected} uint8, this is {rgb.shape} {rgb.dtype}")
    zoom = enlargement(picture.width, picture.height)
    canvas = enlarged(rgb, zoom)
    writing = as_writing(lang, labels_of(picture))
    plans = layout.plan(picture, zoom, heatmap, writing)
    Renderer(heatmap, writing=writing).draw(canvas, picture.faces, plans, zoom)
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


class Overlay:
    """Annotates the frames of one video; to be given them in order."""

    def __init__(
        self, heatmap: bool = True, landmarks: bool = False, lang: str | Writing = "en"
    ) -> None:
        """Start before the first frame.

        Args:
            heatmap: lay the heat map over each face that has one.
            landmarks: mark the five landmarks.
            lang: as for `annotate`.

        Raises:
            UnknownNameError: if there is no such language.
            BadSettingError: if no font of this system has the letters.
        """
        self._heatmap, self._landmarks = heatmap, landmarks
        self._writing, self._lang = as_writing(lang), lang
        self._renderer = Renderer(heatmap, landmarks, self._writing)
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
                self._layout = self._begin(frame.faces[0], size)
            plans = self._layout.plan(frame.faces, zoom, frame.time_s)
            self._renderer.draw(canvas, frame.faces, plans, zoom)
        return canvas

    def _begin(self, face: Face, size: tuple[int, int]) -> video_layout.VideoLayout:
        """Plan anew: of the first face, and wherever the frames change their size."""
        self._writing = as_writing(self._lang, face.labels)
        self._renderer = Renderer(self._heatmap, self._landmarks, self._writing)
        legend = self._heatmap and face.maps is not None
        return video_layout.VideoLayout(size, legend, face.labels, self._writing)

    def _copy(self, rgb: U8, zoom: int) -> U8:
        if zoom > 1:
            return enlarged(rgb, zoom)
        if self._canvas.shape != rgb.shape:
            self._canvas = np.empty_like(rgb)
        np.copyto(self._canvas, rgb)
        return self._canvas


class AnnotatedFolder:
    """Writes each picture annotated, and on request each face's crop.

    The names of files depend on all the pictures, and not on which of them are written.
    """

    def __init__(
        self,
        out: str | Path,
        given: Paths,
        files: Iterable[Path],
        heatmap: bool = True,
        crops: bool = False,
        lang: str | Writing = "en",
    ) -> None:
        """Choose a name for every picture before the first is written.

        Args:
            out: the folder to write to.
            given: the paths the user named; below a folder, its tree is kept.
            files: the pictures found there, as `mien.media.find_pictures` gives them.
            heatmap: lay the heat map over each face.
            crops: also write the crops.
            lang: as for `annotate`.

        Raises:
            OutputError: if a picture would be written over one that is to be read.
            UnknownNameError: if there is no such language.
            BadSettingError: if no font of this system has the letters.
        """
        out = Path(out)
        self._writing = as_writing(lang)
        self._heatmap = heatmap
        self._crops = crops
        roots = [path for path in several(given) if is_dir(path)]
        self._wanted: dict[Path, Path] = {}
        listed = dict.fromkeys(files)
        self._sources = set(map(real_path, listed))
        for file in listed:
            target = out / _relative(file, roots)
            if real_path(target) == real_path(file):
                raise OutputError(f"{target} is the picture itself", fix="choose another --out")
            self._wanted[file] = target
        self._choose({})
        for place in dict.fromkeys(target.parent for target in self._targets.values()):
            remove_leftovers(place)

    def keep_names(self, written: Callable[[Path], Sequence[Path]]) -> None:
        """Leave to pictures the files that an earlier run wrote of them; others get other names.

        Args:
            written: returns a picture's files, the annotated one first; or none. It is asked of
                those pictures only whose files could have one name.
        """
        alike = Counter(map(_series, self._wanted.values()))
        disputed = [file for file, target in self._wanted.items() if alike[_series(target)] > 1]
        kept = {file: names for file in disputed if (names := written(file))}
        if kept:
            self._choose(kept)

    def _choose(self, kept: Mapping[Path, Sequence[Path]]) -> None:
        """Name the annotated pictures."""
        self._taken = self._sources.union(*(map(real_path, names) for names in kept.values()))
        self._targets = {
            str(file): kept[file][0] if file in kept else free_name(target, self._taken)
            for file, target in self._wanted.items()
        }
        targets = self._targets.values() if self._crops else ()
        stems = Counter(name for target in targets for name in {str(target), _stem(target)})
        self._shared = {name for name, count in stems.items() if count > 1}

    def write(self, rgb: U8, picture: Picture) -> None:
        """Write one picture, and its faces' crops if they were asked for.

        Args:
            rgb: shape (H, W, 3), uint8.
            picture: what was read in it.

        Raises:
            OutputError: if one of them cannot be written.
            ValueError: if the folder was not made for that picture, or `rgb` is not it.
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
        yield annotate(rgb, picture, heatmap=self._heatmap, lang=self._writing), target
        yield from zip((face.crop for face in faces), crops, strict=True)

    def targets(self, path: str, crops: int) -> list[Path]:
        """Name the files of one picture, which are its alone.

        Crops are ``a-face0.png`` and so on; beside an a.png those of a.jpg are ``a.jpg-face0.png``.

        Args:
            path: of the picture.
            crops: how many there are.

        Returns:
            The annotated picture, then its crops.

        Raises:
            ValueError: if the folder was not made for that picture.
        """
        if path not in self._targets:
            raise ValueError(f"the folder was not made for a picture called {path!r}")
        target = self._targets[path]
        stem = str(target) if _stem(target) in self._shared else _stem(target)
        names = (Path(f"{stem}-face{n}.png") for n in range(crops))
        return [target, *(free_name(name, self._taken) for name in names)]


def _stem(target: Path) -> str:
    return str(target.with_suffix(""))


def _series(target: Path) -> tuple[Path, str]:
    """What is common to the names of all files that could want the same one."""
    return target.parent, _ADDED.sub("", target.name.partition(".")[0])


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


def free_name(target: Path, taken: set[Path]) -> Path:
    """Choose the name of a file beside others: the wanted one, or numbered where it is taken.

    Args:
        target: the wanted one.
        taken: real paths of the others; the chosen one is added.

    Returns:
        ``a.png``, or ``a-2.png`` where that is taken, and so on.

    Example:
        >>> taken = set()
        >>> [free_name(Path("a.png"), taken).name for _ in range(3)]
        ['a.png', 'a-2.png', 'a-3.png']
    """
    choice, number = target, 1
    while real_path(choice) in taken:
        number += 1
        choice = target.with_name(f"{target.stem}-{number}{target.suffix}")
    taken.add(real_path(choice))
    return choice
