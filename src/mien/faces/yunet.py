"""OpenCV's face detector YuNet, for any number of threads at once.

`cv2.FaceDetectorYN` keeps the size of its input and the memory of its layers from call to call: two
threads in one of them overwrite each other, which gives wrong faces or ends the process. So each
call borrows one that nobody else uses. Knows nothing of boxes and landmarks.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Semaphore
from typing import Any

import cv2
import numpy as np

from mien.cores import cores
from mien.pixels import F32, U8

__all__ = ["YuNet", "one_thread", "use_one_thread"]

_LEAST_SIDE = 64  # pixels; OpenCV's YuNet invents faces where a side is of 32 or fewer
# OpenCV's number of threads is one for the whole process, and so are these two.
_changing = Lock()
_before: list[int] = []  # what it was before each block of `one_thread` that is open
_OVERLAP, _MOST_FACES = 0.3, 5000  # OpenCV's own: of boxes that are one face; before overlaps go


@contextmanager
def one_thread() -> Iterator[None]:
    """Let OpenCV compute with one thread in this process, for as long as a block lasts.

    Where pictures are read side by side, its own threads would only wait for each other. Blocks of
    several threads may overlap: the last one to end puts the number back.

    Yields:
        Nothing.
    """
    with _changing:
        _before.append(_before[-1] if _before else cv2.getNumThreads())
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        with _changing:
            before = _before.pop()
            if not _before:
                cv2.setNumThreads(before)


def use_one_thread() -> None:
    """Let OpenCV compute with one thread, for as long as this process lasts."""
    cv2.setNumThreads(1)


class YuNet:
    """YuNet, ready to be called from several threads; each works in a detector of its own.

    There are as many detectors as calls ran at the same time, at most one a core: a further call
    waits until one is free.
    """

    def __init__(self, path: Path, confidence: float) -> None:
        """Load the first detector.

        Args:
            path: of the network.
            confidence: faces it is less sure of are left out.
        """
        self._path = path
        self._confidence = confidence
        self._free = Semaphore(cores())
        self._idle: deque[Any] = deque([self._create()])  # append and pop are atomic

    def rows(self, rgb: U8) -> F32:
        """Find faces.

        Args:
            rgb: shape (H, W, 3), uint8, RGB.

        Returns:
            shape (N, 15): x, y, width, height, ten of its landmarks, confidence.
        """
        height, width = rgb.shape[:2]
        borders = (0, max(0, _LEAST_SIDE - height), 0, max(0, _LEAST_SIDE - width))
        large = cv2.copyMakeBorder(rgb, *borders, cv2.BORDER_CONSTANT) if any(borders) else rgb
        bgr = cv2.cvtColor(large, cv2.COLOR_RGB2BGR)
        with self._borrowed() as detector:
            rows = _detect(detector, bgr)
        return np.empty((0, 15), dtype=np.float32) if rows is None else np.asarray(rows)

    @contextmanager
    def _borrowed(self) -> Iterator[Any]:
        """Lend the detector that was used last; one that failed is thrown away."""
        with self._free:
            try:
                detector = self._idle.pop()
            except IndexError:  # all are in use
                detector = self._create()
            yield detector
            self._idle.append(detector)

    def _create(self) -> Any:
        """Load a detector, and show it a picture of the same size as all others."""
        # OpenCV plans by the size of the first one, and the last bit of a confidence depends on it
        size = (_LEAST_SIDE, _LEAST_SIDE)
        detector = cv2.FaceDetectorYN.create(
            str(self._path), "", size, self._confidence, _OVERLAP, _MOST_FACES
        )
        _detect(detector, np.zeros((*size, 3), dtype=np.uint8))
        return detector


def _detect(detector: Any, bgr: Any) -> Any:
    detector.setInputSize((bgr.shape[1], bgr.shape[0]))
    return detector.detect(bgr)[1]
