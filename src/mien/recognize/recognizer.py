"""A picture becomes faces with scores and maps; many pictures, results or named failures.

Pipeline: read -> detect boxes -> landmarks -> upright crops -> batches -> results.
Memory does not grow with the number of pictures, and none is lost. Knows nothing of drawing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mien.errors import BadImageError
from mien.faces import align
from mien.faces.boxes import Detection
from mien.faces.detect import Detector
from mien.labels import SIX, Rule
from mien.media import images
from mien.media.folders import search_pictures
from mien.media.inputs import PictureLike, as_rgb, path_of
from mien.pixels import F32, U8, in_batches, to_batch, to_gray, to_side
from mien.recognize.model import SHIPPED, Model
from mien.recognize.results import Face, Picture

__all__ = ["Failure", "Recognizer", "list_pictures", "read_many", "score_many"]


class Recognizer:
    """Reads the expression on every face in a picture.

    Example:
        >>> import mien, skimage.data
        >>> picture = mien.Recognizer().read(skimage.data.astronaut())
        >>> [face.label for face in picture.faces]
        ['happiness']
    """

    def __init__(
        self,
        model: str | Path | None = None,
        threads: int = 0,
        six: bool = False,
        flip: bool = False,
    ) -> None:
        """Load the model; the face detector is loaded when it is first needed.

        Args:
            model: an .onnx file made by ``mien export``, or the name of a model in the package;
                by default ``miennet``.
            threads: to compute with; 0 takes all cores.
            six: label every face with one of the six, never ``neutral`` or ``uncertain``.
            flip: also look at each crop's mirror image and average, in twice the time.

        Raises:
            BadModelError: if the file is missing, not ours, or damaged.
            ValueError: if `threads` is negative.
        """
        if threads < 0:
            raise ValueError(f"threads must be 0 (all cores) or more, got {threads}")
        self.model = Model(SHIPPED if model is None else model, threads, flip)
        certain_from = float(self.model.card.get("uncertain", {}).get("below", 0))
        self.rule = SIX if six else Rule(certain_from=certain_from)
        self._threads = threads
        self._detector: Detector | None = None

    def read(
        self,
        picture: PictureLike,
        heatmap: bool = True,
        max_pixels: int = images.MAX_PIXELS,
        max_memory: int = images.MAX_MEMORY,
    ) -> Picture:
        """Find every face in a picture and read its expression.

        Args:
            picture: path; the bytes of a picture file; an open binary file; Pillow image; or array:
                (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey, or with the channels first, of uint8
                in [0, 255] or float in [0, 1] (all kinds: `mien.media.inputs.array_to_rgb`).
            heatmap: also keep the class maps, for `Face.heatmap`.
            max_pixels: refuse larger pictures before decoding them.
            max_memory: MiB; refuse pictures whose decoding takes more.

        Returns:
            The picture's faces, largest first; none is no error.

        Raises:
            BadImageError: if the picture cannot be read, or it is not clear what an array means.

        Example:
            >>> import mien, numpy as np
            >>> mien.Recognizer().read(np.zeros((60, 80))).faces
            ()
        """
        rgb = as_rgb(picture, max_pixels, max_memory)
        faces = self.read_faces(rgb, self.detector.find(rgb), heatmap)
        return Picture(path_of(picture), rgb.shape[1], rgb.shape[0], tuple(faces))

    def read_faces(self, rgb: U8, found: Sequence[Detection], heatmap: bool = True) -> list[Face]:
        """Read the expression of faces that were found already.

        Args:
            rgb: shape (H, W, 3), uint8.
            found: from `Detector.find`.
            heatmap: also keep the class maps.

        Returns:
            One face for each detection, in the same order.
        """
        transforms = [align.similarity(detection.landmarks) for detection in found]
        crops = [align.crop(rgb, to_crop) for to_crop in transforms]
        faces: list[Face] = []
        for part in in_batches(len(crops)):
            outputs = self.model.run(to_batch(crops[part]), heatmap)
            for i, values in enumerate(outputs.scores):
                maps = None if outputs.maps is None else outputs.maps[i]
                neutral = float(outputs.neutral[i])
                n = part.start + i
                faces.append(
                    Face(found[n], values, neutral, crops[n], transforms[n], maps, self.rule)
                )
        return faces

    def classify(self, crops: Sequence[U8] | U8) -> F32:
        """Score pictures that are face crops already.

        Args:
            crops: (N, H, W, 3) RGB or (N, H, W) grey uint8, or a list of crops of any sizes.

        Returns:
            shape (N, 6), float32, probabilities in the order of `mien.labels.LABELS`.

        Raises:
            BadImageError: if a crop has another shape or type.

        Example:
            >>> import mien, numpy as np
            >>> mien.Recognizer().classify(np.zeros((2, 64, 64, 3), dtype=np.uint8)).shape
            (2, 6)
        """
        if isinstance(crops, np.ndarray) and crops.ndim not in {3, 4}:
            raise BadImageError(
                f"expected (N, H, W, 3) or (N, H, W) crops, got shape {crops.shape}",
                fix="put a single crop in a list: classify([crop])",
            )
        scores = np.empty((len(crops), 6), dtype=np.float32)
        for part in in_batches(len(crops)):
            scores[part] = self.model.run(to_batch(crops[part]), maps=False).scores
        return scores

    @property
    def detector(self) -> Detector:
        """The face detector, loaded on first use."""
        if self._detector is None:
            self._detector = Detector(self._threads)
        return self._detector


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture that could not be read.

    Attributes:
        path: of the file.
        error: what is wrong and what to do.
    """

    path: str
    error: BadImageError

    def record(self) -> dict[str, str]:
        """Return it as JSON-ready values."""
        return {"path": self.path, "error": self.error.message}


def list_pictures(paths: Iterable[str | Path]) -> list[Path]:
    """List the files that paths name; a path that does not exist stays, to fail by name later.

    Args:
        paths: files and folders.

    Returns:
        The files, folders walked; `mien.media.search_pictures` also tells what is left out.

    Raises:
        BadImageError: if there is not one, or a path is empty.
    """
    return search_pictures(paths).files


def read_many(
    recognizer: Recognizer,
    files: Iterable[PictureLike],
    heatmap: bool = True,
    max_pixels: int = images.MAX_PIXELS,
    max_memory: int = images.MAX_MEMORY,
) -> Iterator[tuple[U8 | None, Picture | Failure]]:
    """Read pictures one at a time.

    Args:
        recognizer: reads each.
        files: from `list_pictures`; or whatever else `Recognizer.read` takes.
        heatmap: also keep the class maps.
        max_pixels: larger pictures fail.
        max_memory: MiB; pictures whose decoding takes more fail.

    Yields:
        The picture as (H, W, 3) RGB and what was read in it; or None and why it failed.
    """
    for file in files:
        try:
            rgb = as_rgb(file, max_pixels, max_memory)
        except BadImageError as error:
            yield None, Failure(path_of(file), error)
            continue
        yield rgb, replace(recognizer.read(rgb, heatmap), path=path_of(file))
        del rgb  # before the next is decoded: two large ones need not be in memory


def score_many(
    recognizer: Recognizer,
    files: Sequence[Path],
    max_pixels: int = images.MAX_PIXELS,
    max_memory: int = images.MAX_MEMORY,
) -> Iterator[tuple[Path, F32 | Failure]]:
    """Score pictures that are face crops already, a batch at a time.

    Args:
        recognizer: scores them.
        files: from `list_pictures`.
        max_pixels: larger pictures fail.
        max_memory: MiB; pictures whose decoding takes more fail.

    Yields:
        Each file in order, with its six scores, shape (6,), or why it failed.
    """
    for part in in_batches(len(files)):
        results: dict[Path, F32 | Failure] = {}
        crops: dict[Path, U8] = {}
        for file in files[part]:
            try:
                rgb = images.read_rgb(file, max_pixels, max_memory)
                crops[file] = to_side(to_gray(rgb))
            except BadImageError as error:
                results[file] = Failure(str(file), error)
        scores = recognizer.classify(list(crops.values()))
        results |= dict(zip(crops, scores, strict=True))
        for file in files[part]:
            yield file, results[file]
