"""Whatever shows frames one after another: a video file, standard input, pictures, a camera.

`open_video` tells them apart by name; all are iterated over, and say the same of themselves, as
`Film` does.
"""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import cv2
import numpy as np

from mien.errors import BadImageError, BadSettingError
from mien.media import images
from mien.media.decoder import Pipe
from mien.media.video_reader import USUAL_RATE, Frame, VideoFile

__all__ = ["Camera", "NumberedPictures", "VideoSource", "open_video"]


_NUMBERED = re.compile(r"%0?(\d*)d")


class VideoSource(Protocol):
    """What a film, numbered pictures and a camera have in common; see `Film`."""

    name: str
    length: int
    rate: float
    damaged: int
    missing_s: float
    audio: Any

    @property
    def mended(self) -> int:
        """So far, how many time stamps were missing or ran backwards."""

    @property
    def start_s(self) -> float:
        """The time stamp of the first frame, once it was shown."""

    @property
    def time_base(self) -> float:
        """Seconds that one unit of its time stamps takes; 0 if it has no such unit."""

    @property
    def colour_is_named(self) -> bool:
        """Whether it says how its colours are to be understood."""

    def heard(self) -> Iterator[Any]:
        """Yield the packets of the sound that came by since the last call."""

    def stop(self) -> None:
        """Let a thread that waits for its next frame go on, and see its end."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield its frames."""

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes it."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""


def open_video(source: str | Path, rate: float = 0, sound: bool = False) -> VideoSource:
    """Open what a user names.

    Args:
        source: a video file; ``-`` for standard input; a pattern such as ``frames/%05d.jpg`` for
            numbered pictures; a number for a camera.
        rate: frames a second of numbered pictures, 25 unless said; 0 for all other sources.
        sound: also keep the sound of a video.

    Returns:
        What to iterate over; to be closed, or used in a ``with`` statement.

    Raises:
        BadImageError: if there is none, or it is no video.
        BadSettingError: if a rate is given to a source that has its own.
        MissingExtraError: if PyAV is not installed and a video is named.
    """
    name = str(source)
    there = Path(source).is_file()
    if _NUMBERED.search(Path(source).name) and not there:
        return NumberedPictures(Path(source), rate or USUAL_RATE)
    if rate:
        raise BadSettingError(
            f"{name} has its own rate", fix="give a rate for pictures only, as frames/%05d.jpg"
        )
    if name.isdecimal() and not there:
        return Camera(int(name))
    if name == "-":
        return VideoFile(Pipe(sys.stdin.buffer), "standard input", sound)
    return VideoFile(source, sound=sound)


class _Silent:
    """What numbered pictures and a camera have not: sound, time stamps of their own, damage."""

    def __init__(self, name: str, length: int, rate: float) -> None:
        self.name, self.length, self.rate = name, length, rate
        self.damaged = 0
        self.missing_s = 0.0
        self.audio: Any = None
        self.mended = 0
        self.start_s = 0.0
        self.time_base = 0.0
        self.colour_is_named = False
        self._stopped = False

    def heard(self) -> Iterator[Any]:
        """Yield nothing."""
        return iter(())

    def stop(self) -> None:
        """End before the next frame."""
        self._stopped = True

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


class NumberedPictures(_Silent):
    """Numbered pictures in a folder, shown at an even rate; missing numbers are no gap."""

    def __init__(self, pattern: Path, rate: float) -> None:
        """Find the pictures.

        Args:
            pattern: path whose last part holds one ``%d`` or ``%05d`` for the number.
            rate: frames a second, above 0.

        Raises:
            BadImageError: if there is none.
        """
        self._files = _numbered(pattern)
        super().__init__(str(pattern), len(self._files), rate)

    def __iter__(self) -> Iterator[Frame]:
        """Yield every picture that can be read; others are counted as damaged and keep their time.

        Raises:
            BadImageError: if not one can be.
        """
        shown = 0
        for place, file in enumerate(self._files):
            if self._stopped:
                return
            try:
                rgb = images.read_rgb(file)
            except BadImageError as error:
                self.damaged += 1
                wrong = error
                continue
            yield Frame(shown, place / self.rate, rgb)
            shown += 1
        if shown == 0:
            raise wrong


def _numbered(pattern: Path) -> list[Path]:
    """The files that a pattern names, in the order of their numbers."""
    before, digits, after = _NUMBERED.split(pattern.name, maxsplit=1)
    number = rf"(\d{{{int(digits or 1)},}})"
    name = re.compile(re.escape(before) + number + re.escape(after))
    folder = pattern.parent
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [(int(match[1]), file) for file in files if (match := name.fullmatch(file.name))]
    if not found:
        raise BadImageError(f"no such pictures: {pattern}", fix="check the folder and the pattern")
    return [file for _, file in sorted(found)]


class Camera(_Silent):
    """A camera of this machine, until it is stopped; a frame's time is when it arrived."""

    def __init__(self, index: int) -> None:
        """Open a camera.

        Args:
            index: 0 is the first.

        Raises:
            BadImageError: if there is none.
        """
        self._device = cv2.VideoCapture(index)
        if not self._device.isOpened():
            raise BadImageError(
                f"no camera {index} can be opened",
                fix="check that it is connected and that no other program is using it",
            )
        super().__init__(f"camera {index}", 0, float(self._device.get(cv2.CAP_PROP_FPS)))

    def __iter__(self) -> Iterator[Frame]:
        """Yield what it sees.

        Raises:
            BadImageError: if it gives nothing at all.
        """
        number, start = 0, time.monotonic()
        while not self._stopped:
            there, bgr = self._device.read()
            if not there:
                break
            now = time.monotonic()
            start = now if number == 0 else start
            rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
            yield Frame(number, now - start, rgb)
            number += 1
        if number == 0 and not self._stopped:
            raise BadImageError(f"{self.name} gives no picture", fix="try another camera")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the camera."""
        self.stop()
        self._device.release()
