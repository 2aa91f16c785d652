"""What `mien video` can read: a video file, standard input, numbered pictures, a camera.

`open_video` tells them apart by name. Knows nothing of faces.
"""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from mien.errors import BadImageError, BadSettingError
from mien.media import images
from mien.media.decoder import Pipe
from mien.media.video_reader import USUAL_RATE, Frame, VideoFile, VideoSource

__all__ = ["Camera", "NumberedPictures", "open_video"]

_NUMBERED = re.compile(r"%0?(\d*)d")


def open_video(source: str | Path, rate: float = 0, sound: bool = False) -> VideoSource:
    """Open what a user names.

    Args:
        source: a video file; ``-`` for standard input; a pattern such as ``frames/%05d.jpg`` for
            numbered pictures; a number for a camera.
        rate: frames a second of numbered pictures, 25 unless said; 0 for all other sources.
        sound: also keep the sound of a video.

    Returns:
        The source of frames, for a ``with`` statement.

    Raises:
        BadImageError: if there is none, or it is no video.
        BadSettingError: if a rate is given to a source that has its own.
        MissingExtraError: if PyAV is not installed and a video is named.
    """
    name = str(source)
    exists = Path(source).is_file()
    if _NUMBERED.search(Path(source).name) and not exists:
        return NumberedPictures(Path(source), rate or USUAL_RATE)
    if rate:
        raise BadSettingError(
            f"{name} has its own rate", fix="give a rate for pictures only, as frames/%05d.jpg"
        )
    if name.isdecimal() and not exists:
        return Camera(int(name))
    if name == "-":
        return VideoFile(Pipe(sys.stdin.buffer), "standard input", sound)
    return VideoFile(source, sound=sound)


class NumberedPictures(VideoSource):
    """Numbered pictures in a folder, shown at an even rate; missing numbers are no gap."""

    def __init__(self, pattern: Path, rate: float) -> None:
        """Find the pictures.

        Args:
            pattern: path whose last part holds one ``%d`` or ``%05d`` for the number.
            rate: frames a second, above 0.

        Raises:
            BadImageError: if there is none.
        """
        super().__init__(str(pattern))
        self._files = _numbered(pattern)
        self.length, self.rate = len(self._files), rate

    def __iter__(self) -> Iterator[Frame]:
        """Yield every picture that can be read; others are counted as damaged and keep their time.

        Raises:
            BadImageError: if not one can be.
        """
        number = 0
        for place, file in enumerate(self._files):
            if self._stopped:
                return
            try:
                rgb = images.read_rgb(file)
            except BadImageError as error:
                self.damaged += 1
                last_error = error
                continue
            yield Frame(number, place / self.rate, rgb)
            number += 1
        if number == 0:
            raise last_error


def _numbered(pattern: Path) -> list[Path]:
    """The files that a pattern names, in the order of their numbers."""
    before, digits, after = _NUMBERED.split(pattern.name, maxsplit=1)
    number = rf"(\d{{{int(digits or 1)},}})"
    name = re.compile(re.escape(before) + number + re.escape(after))
    folder = pattern.parent
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    numbered = [(int(match[1]), file) for file in files if (match := name.fullmatch(file.name))]
    if not numbered:
        raise BadImageError(f"no such pictures: {pattern}", fix="check the folder and the pattern")
    return [file for _, file in sorted(numbered)]


class Camera(VideoSource):
    """A camera of this machine, until it is stopped; a frame's time is when it arrived."""

    def __init__(self, index: int) -> None:
        """Open a camera.

        Args:
            index: 0 is the first.

        Raises:
            BadImageError: if there is none.
        """
        super().__init__(f"camera {index}")
        self._device = cv2.VideoCapture(index)
        if not self._device.isOpened():
            raise BadImageError(
                f"no camera {index} can be opened",
                fix="check that it is connected and that no other program is using it",
            )
        self.rate = float(self._device.get(cv2.CAP_PROP_FPS))

    def __iter__(self) -> Iterator[Frame]:
        """Yield what it sees.

        Raises:
            BadImageError: if it gives nothing at all.
        """
        number, start = 0, time.monotonic()
        while not self._stopped:
            ok, bgr = self._device.read()
            if not ok:
                break
            now = time.monotonic()
            start = now if number == 0 else start
            rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
            yield Frame(number, now - start, rgb)
            number += 1
        if number == 0 and not self._stopped:
            raise BadImageError(f"{self.name} gives no picture", fix="try another camera")

    def __exit__(self, *_: object) -> None:
        """Let go of the camera."""
        self.stop()
        self._device.release()
