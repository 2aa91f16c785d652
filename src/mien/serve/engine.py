"""Pictures become records, scores and figures, in threads that share one Recognizer.

Every answer is what the library gives: the records are those of ``mien predict --json``. Threads
and not processes, as decoding and the networks let go of Python's lock. Knows nothing of HTTP.
"""

import asyncio
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import cv2
import numpy as np
from PIL import Image

from mien.errors import BadImageError, BadModelError, BadSettingError
from mien.explain.face_crops import crops_of
from mien.explain.figure import explanation_figure
from mien.explain.methods import METHODS, REFUSALS, Request, Source, default_method, source_of
from mien.explain.targets import resolve_target
from mien.media import images
from mien.pixels import F32, U8, to_batch, to_gray, to_side
from mien.recognize.recognizer import Failure, Recognizer
from mien.recognize.results import Picture
from mien.serve.advice import COMMAND_FOR_VIDEOS, CROP, FONT, SEND_VIDEO, advised
from mien.serve.bodies import Given
from mien.serve.settings import Settings
from mien.show.picture_grid import figure_pixels
from mien.show.writing import write_in

__all__ = ["Engine", "usable_methods"]

T = TypeVar("T")


class Engine:
    """The networks and the threads of one process.

    Attributes:
        recognizer: shared by all threads.
        methods: of `mien.explain.METHODS`, those that the model allows.
        method: that explains where none is asked for.
    """

    def __init__(self, settings: Settings) -> None:
        """Load the networks.

        Args:
            settings: model, threads, limits of a picture.

        Raises:
            BadModelError: if one is missing or damaged.
        """
        self._settings = settings
        cv2.setNumThreads(1)  # the threads below are all that the cores can take
        self.recognizer = Recognizer(settings.model, threads=1)
        self.recognizer.detector  # noqa: B018 - loaded before the first request
        self._source = source_of(self.recognizer.model)
        self.methods = usable_methods(self._source)
        self.method = default_method(self._source)
        self._begin()

    def _begin(self) -> None:
        """Be ready to start threads, when there is work."""
        self._threads = ThreadPoolExecutor(self._settings.threads, "mien-picture")
        self._films = ThreadPoolExecutor(max(1, self._settings.max_videos), "mien-video")

    async def run(self, work: Callable[[], T]) -> T:
        """Do something in a thread for pictures.

        Args:
            work: to be called.

        Returns:
            What it returns.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def run_video(self, work: Callable[[], T]) -> T:
        """Do something in a thread for videos, of which there is one for each that may be read.

        Args:
            work: to be called.

        Returns:
            What it returns.
        """
        return await asyncio.get_running_loop().run_in_executor(self._films, work)

    def close(self) -> None:
        """End the threads, when what they do is done; more work would start others."""
        self._threads.shutdown()
        self._films.shutdown()
        self._begin()

    def picture(self, given: Given) -> Picture | Failure:
        """Read the faces of a picture.

        Args:
            given: as it was sent.

        Returns:
            What was read in it, or why it was not.
        """
        try:
            rgb = self._decode(given)
            found = self.recognizer.detector.find(rgb)
            self._refuse_crowd(given, len(found))
        except BadImageError as error:
            return Failure(given.name, error)
        faces = self.recognizer.read_faces(rgb, found)
        size = rgb.shape[1], rgb.shape[0]
        return Picture(given.name, *size, tuple(faces), self.recognizer.labels)

    def crop(self, given: Given) -> U8 | Failure:
        """Make a face crop as small as the network takes it.

        Args:
            given: a picture that is a face crop already.

        Returns:
            shape (side, side), uint8, grey; or why it cannot be read.
        """
        try:
            return to_side(to_gray(self._decode(given)), self.recognizer.model.side)
        except BadImageError as error:
            return Failure(given.name, error)

    def scores(self, crops: list[U8]) -> list[list[float]]:
        """Score crops.

        Args:
            crops: from `crop`.

        Returns:
            The probabilities of each, in the order of the model's classes.
        """
        scores: list[list[float]] = self.recognizer.classify(crops).tolist()
        return scores

    def explanation(
        self,
        given: Given,
        method: str,
        labels: list[str | None],
        face: int,
        crop: bool,
        lang: str = "en",
    ) -> bytes:
        """Draw where the evidence in a face lies.

        Args:
            given: a picture.
            method: a key of `mien.explain.METHODS`.
            labels: expressions; None for the one predicted.
            face: its number, the largest is 0.
            crop: the picture is a face crop already.
            lang: the language of what is written in the figure.

        Returns:
            A figure as a PNG file, as ``mien explain`` writes it.

        Raises:
            BadImageError: if the picture cannot be read or has no such face.
            BadModelError: if the network does not allow the method.
            BadSettingError: if no font of this system has the letters.
            UnknownNameError: if there is no such method, expression or language.
        """
        with advised(BadSettingError, FONT):
            writing = write_in(lang, labels=self.recognizer.labels)
        with advised(BadImageError, SEND_VIDEO, instead_of=COMMAND_FOR_VIDEOS):
            rgb = self._decode(given)
        with advised(BadImageError, CROP):
            crops = crops_of(self.recognizer, rgb, given.name, crop)
        self._refuse_crowd(given, len(crops))
        if not 0 <= face < len(crops):
            raise BadImageError(
                f"no face {face} in {given.name}, which has {len(crops)}",
                fix="0 is the largest",
            )
        asked = self._source, crops[face], [method], labels
        with advised(BadModelError, f"use {', '.join(self.methods)}"):
            page, _ = explanation_figure(*asked, writing=writing)
        buffer = io.BytesIO()
        Image.fromarray(figure_pixels(page)).save(buffer, "PNG")
        return buffer.getvalue()

    def _decode(self, given: Given) -> U8:
        if isinstance(given.data, BadImageError):
            raise given.data
        limits = self._settings
        return images.decode_rgb(given.data, given.name, limits.max_pixels, limits.max_memory)

    def _refuse_crowd(self, given: Given, count: int) -> None:
        most = self._settings.max_faces
        if count > most:
            raise BadImageError(
                f"too many faces: {given.name} has {count}, the cap is {most}",
                fix="send a part of it, or start mien serve with a higher --max-faces",
            )


def usable_methods(source: Source) -> tuple[str, ...]:
    """Find the methods that a network allows, by a few passes through it.

    Args:
        source: the network.

    Returns:
        Keys of `mien.explain.METHODS`, in their order.
    """
    batch = to_batch([np.zeros((source.side, source.side, 3), dtype=np.uint8)], source.side)
    request = Request(_Begun(source), batch, [resolve_target(0, source.logits(batch))])
    usable = []
    for name, method in METHODS.items():
        try:
            method(request)
        except REFUSALS:
            continue
        except _NotRefusedError:
            pass
        usable.append(name)
    return tuple(usable)


class _NotRefusedError(Exception):
    """A method was begun, and would now run the network many times."""


class _Begun:
    """A network that ends a method where it looks at what becomes of changed crops."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)

    def logits(self, _batch: F32) -> F32:
        raise _NotRefusedError
