"""A picture becomes faces with scores and maps.

Pipeline: read -> detect boxes -> landmarks -> upright crops -> batches -> results. Many pictures
are in `mien.recognize.many`. Knows nothing of drawing.
"""

import threading
from collections.abc import Collection, Generator, Iterable, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from mien.cores import at_most_cores, cores
from mien.faces import align
from mien.faces.boxes import Detection
from mien.faces.detect import Detector
from mien.faces.second_look import checked_search
from mien.labels import NO_FACE, SIX, LabelSet, Rule
from mien.media import images
from mien.media.inputs import PictureLike, as_rgb, is_one_picture, path_of
from mien.pixels import BOOL, F32, U8, check_rgb, in_batches, refuse_one_crop
from mien.recognize import rejection
from mien.recognize.many import Failure, NoFace, list_pictures, read_many, score_many, stream
from mien.recognize.model import SHIPPED, Model
from mien.recognize.results import Face, Picture

__all__ = ["Failure", "NoFace", "Recognizer", "list_pictures", "read_many", "score_many"]


class Recognizer:
    """Reads the expression on every face in a picture.

    Threads may share one, `asyncio.to_thread` too: every result is the one a single thread gets,
    and they work in parallel. It can be pickled, for `multiprocessing.Pool.map(recognizer.read,
    files)`: the other process loads the networks again. What follows a video keeps its state:
    `VideoRecognizer`, `Smoother` and `Follower` are one for each video, but may share a Recognizer.

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
        reject: bool | float = False,
        search: Collection[str] = (),
    ) -> None:
        """Load the model; the face detector is loaded when it is first needed.

        Args:
            model: an .onnx file made by ``mien export``, or the name of a model in the package;
                by default ``miennet``.
            threads: to compute with, at most one a core; 0 takes all cores.
            six: label every face with one of the scored classes, which are six in the package's
                models: never ``uncertain``, nor ``neutral`` where that is none of them.
            flip: also look at each crop's mirror image and average, in twice the time.
            reject: call a crop ``no face`` where no face is seen on it, see `are_faces`. True takes
                the threshold of the model card; a number is one of your own, in logits.
            search: what else is looked for in pictures: ``small`` faces, in a second look at full
                size; ``turned`` ones, in copies every 60 degrees, unless all were found surely
                upright.

        Raises:
            BadModelError: if the file is missing, not ours, damaged, or cannot be run; or if it is
                to reject and has no class maps or no threshold.
            BadSettingError: if `reject` is a number that is not finite.
            UnknownNameError: if there is no model of that name, or `search` names something else.
            ValueError: if `threads` is negative.
        """
        self._threads = at_most_cores(threads)
        self.model = Model(SHIPPED if model is None else model, self._threads, flip)
        certain_from = float(self.model.card.get("uncertain", {}).get("below", 0))
        self.rule = SIX if six else Rule(certain_from=certain_from)
        off = isinstance(reject, (bool, np.bool_)) and not reject
        self._reject_below = None if off else rejection.threshold(self.model, reject)
        self.search = checked_search(search)
        self._detector: Detector | None = None
        self._loading = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Travel without the lock; the networks travel as settings."""
        return {name: value for name, value in vars(self).items() if name != "_loading"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrive with a new lock."""
        vars(self).update(state)
        self._loading = threading.Lock()

    @property
    def labels(self) -> LabelSet:
        """The classes of the model, in the order of its scores."""
        return self.model.labels

    @property
    def rejects(self) -> bool:
        """Whether crops can be called ``no face``."""
        return self._reject_below is not None

    def read(
        self,
        picture: PictureLike,
        heatmap: bool = True,
        max_pixels: int = images.MAX_PIXELS,
        max_memory: int = images.MAX_MEMORY,
        order: str = "rgb",
    ) -> Picture:
        """Find every face in a picture and read its expression.

        Args:
            picture: path; the bytes of a picture file; an open binary file; Pillow image; or array:
                (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey, or with the channels first, of uint8
                in [0, 255] or float in [0, 1] (all kinds: `mien.media.inputs.array_to_rgb`).
            heatmap: also keep the class maps, for `Face.heatmap`.
            max_pixels: refuse larger pictures before decoding them.
            max_memory: MiB; refuse pictures whose decoding takes more.
            order: ``"bgr"`` if the colours of an array are blue, green, red, as OpenCV has them.

        Returns:
            The picture's faces, largest first; none is no error.

        Raises:
            BadImageError: if the picture cannot be read, or it is not clear what an array means.
            BadSettingError: if `max_pixels` or `max_memory` is not above 0.
            ValueError: if `order` is neither, or is given for what is no array.

        Example:
            >>> import mien, numpy as np
            >>> mien.Recognizer().read(np.zeros((60, 80))).faces
            ()
        """
        rgb = as_rgb(picture, max_pixels, max_memory, order)
        faces = self.read_faces(rgb, self.detector.find(rgb), heatmap)
        size = rgb.shape[1], rgb.shape[0]
        return Picture(path_of(picture), *size, tuple(faces), self.labels)

    def read_many(
        self,
        pictures: Iterable[PictureLike],
        workers: int = 0,
        heatmap: bool = True,
        max_pixels: int = images.MAX_PIXELS,
        max_memory: int = images.MAX_MEMORY,
        order: str = "rgb",
    ) -> Generator[Picture | Failure, None, None]:
        """Read many pictures side by side, in threads that compute on one core each.

        A few pictures are read ahead, so memory does not grow with their number: each thread holds
        one picture at a time. Fewer than eight pictures are read one after the other.

        Args:
            pictures: each as `read` takes it; a folder's are `mien.media.find_pictures`. They are
                asked for a few ahead. An array of four axes is a batch.
            workers: threads, at most one a core; 0 takes all cores, 1 reads in the caller's thread.
            heatmap: also keep the class maps, for `Face.heatmap`.
            max_pixels: larger pictures fail.
            max_memory: MiB; pictures whose decoding takes more fail.
            order: as for `read`, of all; ``"bgr"`` only where all are arrays.

        Yields:
            In the order of `pictures`, what was read in each, or a `Failure` with its path and the
            error; the rest goes on.

        Raises:
            BadSettingError: if `max_pixels` or `max_memory` is not above 0.
            ValueError: if `workers` is negative, or `order` is as `read` refuses it.
            TypeError: if `pictures` is a single one.

        Example:
            >>> import mien, skimage.data
            >>> recognizer = mien.Recognizer()
            >>> for picture in recognizer.read_many([skimage.data.astronaut(), "gone.jpg"]):
            ...     print(type(picture).__name__, len(getattr(picture, "faces", ())))
            Picture 1
            Failure 0
        """
        if is_one_picture(pictures):
            raise TypeError("expected pictures, got a single one: put it into a list")
        count = at_most_cores(workers) or cores()
        yield from stream(self, pictures, count, heatmap, (max_pixels, max_memory, order))

    def with_threads(self, threads: int) -> Self:
        """Return a recognizer of the same settings that computes with another number of threads.

        Args:
            threads: at most one a core; 0 takes all cores.

        Returns:
            Itself if it has so many, else another one, with the networks loaded again.

        Raises:
            BadModelError: if the model file is another one by now.
            ValueError: if `threads` is negative.
        """
        if at_most_cores(threads) == self._threads:
            return self
        other = copy(self)
        other._threads = at_most_cores(threads)
        other._detector = None
        other.model = self.model.with_threads(other._threads)
        return other

    def read_faces(self, rgb: U8, found: Sequence[Detection], heatmap: bool = True) -> list[Face]:
        """Read the expression of faces that were found already.

        Args:
            rgb: shape (H, W, 3), uint8.
            found: from `Detector.find`.
            heatmap: also keep the class maps.

        Returns:
            One face for each detection, in the same order.

        Raises:
            BadImageError: if `rgb` has another shape or type.
        """
        check_rgb(rgb)
        side = self.model.side
        transforms = [align.framing(detection.landmarks, side) for detection in found]
        crops = [align.crop(rgb, to_crop, side) for to_crop in transforms]
        shown = self.are_faces(crops) if self.rejects else np.ones(len(crops), dtype=np.bool_)
        faces: list[Face] = []
        for part in in_batches(len(crops)):
            outputs = self.model.run(self.model.to_batch(crops[part]), heatmap)
            for i, values in enumerate(outputs.scores):
                maps = None if outputs.maps is None else outputs.maps[i]
                neutral = float(outputs.neutral[i])
                n = part.start + i
                face = Face(
                    found[n], values, neutral, crops[n], transforms[n], maps, self.rule,
                    labels=self.labels,
                )  # fmt: skip
                faces.append(face if shown[n] else replace(face, is_face=False))
        return faces

    def classify(self, crops: Sequence[U8] | U8) -> F32:
        """Score pictures that are face crops already.

        Args:
            crops: (N, H, W, 3) RGB or (N, H, W) grey uint8, or a list of crops of any sizes.

        Returns:
            shape (N, C), float32, probabilities in the order of `labels`, whose six are those of
            `mien.LABELS` for the models in the package; also of crops that are no faces, see
            `label` and `are_faces`.

        Raises:
            BadImageError: if a crop has another shape or type.

        Example:
            >>> import mien, numpy as np
            >>> mien.Recognizer().classify(np.zeros((2, 64, 64, 3), dtype=np.uint8)).shape
            (2, 6)
        """
        scores, _ = self.classify_calm(crops)
        return scores

    def classify_calm(self, crops: Sequence[U8] | U8) -> tuple[F32, F32]:
        """Score pictures that are face crops already, and say how probable it is that each is calm.

        Args:
            crops: as `classify` takes them.

        Returns:
            shape (N, C), as `classify` gives them; and shape (N,), in [0, 1], as `Face.neutral`.
            `labels.probabilities` puts those of one crop on one scale.

        Raises:
            BadImageError: if a crop has another shape or type.

        Example:
            >>> import mien, numpy as np
            >>> recognizer = mien.Recognizer()
            >>> [scores], [calm] = recognizer.classify_calm(np.zeros((1, 64, 64), dtype=np.uint8))
            >>> round(sum(recognizer.labels.probabilities(scores, calm).values()), 4)
            1.0
        """
        refuse_one_crop(crops)
        scores = np.empty((len(crops), len(self.labels.names)), dtype=np.float32)
        calm = np.empty(len(crops), dtype=np.float32)
        for part in in_batches(len(crops)):
            outputs = self.model.run(self.model.to_batch(crops[part]), maps=False)
            scores[part], calm[part] = outputs.scores, outputs.neutral
        return scores, calm

    def label(self, crops: Sequence[U8] | U8) -> list[str]:
        """Name what pictures that are face crops already show.

        Args:
            crops: as `classify` takes them.

        Returns:
            For each one of the classes, ``neutral`` or ``uncertain``, as `rule` says; or, with
            `reject`, ``no face``.

        Raises:
            BadImageError: if a crop has another shape or type.

        Example:
            >>> import mien, numpy as np
            >>> mien.Recognizer(reject=True).label(np.zeros((1, 64, 64, 3), dtype=np.uint8))
            ['no face']
        """
        refuse_one_crop(crops)
        words: list[str] = []
        for part in in_batches(len(crops)):
            outputs = self.model.run(self.model.to_batch(crops[part]), maps=False)
            pairs = zip(outputs.scores.tolist(), outputs.neutral.tolist(), strict=True)
            words += [self.rule.label(values, calm, self.labels) for values, calm in pairs]
        if not self.rejects:
            return words
        shown = self.are_faces(crops)
        return [word if face else NO_FACE for word, face in zip(words, shown, strict=True)]

    def are_faces(self, crops: Sequence[U8] | U8) -> BOOL:
        """Tell which crops show a face: the detector finds one, or else the class maps vary enough.

        Args:
            crops: as `classify` takes them.

        Returns:
            shape (N,), True for a face.

        Raises:
            BadImageError: if a crop has another shape or type.
            ValueError: if the recognizer was made without `reject`.
        """
        if self._reject_below is None:
            raise ValueError("made without a threshold: use Recognizer(reject=True)")
        return rejection.are_faces(self.model, self.detector, crops, self._reject_below)

    @property
    def detector(self) -> Detector:
        """The face detector, loaded on first use."""
        with self._loading:
            if self._detector is None:
                self._detector = Detector(self._threads, search=self.search)
            return self._detector
