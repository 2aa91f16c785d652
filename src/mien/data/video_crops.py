"""A video becomes aligned face crops with the moments they are from.

The way through: frame after frame -> faces -> crops, in mien's one framing -> a row each.
Memory does not grow with the length of the video.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mien.data.prepare.crops import as_jpeg
from mien.errors import OutputError
from mien.faces import align
from mien.faces.detect import Detector
from mien.media.video_reader import Frame, VideoFile, every_nth, per_second
from mien.media.writers import atomic_folder, open_table

__all__ = ["HEADER", "CropOptions", "VideoCrops", "cut_faces"]


HEADER = ("path", "time_s", "frame", "face", "left", "top", "right", "bottom", "detection")

Progress = Callable[[Iterable[Frame], int], Iterable[Frame]]


@dataclass(frozen=True, slots=True)
class CropOptions:
    """Which frames to look at, and what the crops are like.

    Attributes:
        every: one frame in so many.
        rate: instead, so many frames a second; 0 to go by `every`.
        side: of the crops, in pixels.
        quality: of the JPEG files, 1 to 100.
    """

    every: int = 1
    rate: float = 0
    side: int = align.SIDE
    quality: int = 95

    def of(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Choose among frames.

        Args:
            frames: in order.

        Returns:
            The frames to look at.
        """
        return per_second(frames, self.rate) if self.rate else every_nth(frames, self.every)


@dataclass(slots=True)
class VideoCrops:
    """What was found in a video.

    Attributes:
        frames: how many were looked at.
        with_face: how many of them have a face.
        faces: crops written.
        damaged: packets of the video that could not be decoded.
    """

    frames: int = 0
    with_face: int = 0
    faces: int = 0
    damaged: int = 0


def cut_faces(
    video: Path,
    out: Path,
    choice: CropOptions,
    detector: Detector,
    progress: Progress = lambda frames, _: frames,
) -> VideoCrops:
    """Cut the faces out of a video's frames, upright, as recognition sees them.

    Args:
        video: the file.
        out: the folder to make: the crops, and ``frames.csv`` with the columns of `HEADER`.
        choice: which frames, and how.
        detector: finds the faces.
        progress: wraps the frames and their number, to show how far it is.

    Returns:
        What was found; a video without faces is one with an empty table.

    Raises:
        BadImageError: if the video cannot be read.
        OutputError: if `out` exists and is not empty, or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out} exists", fix="choose another --out, or remove it")
    found = VideoCrops()
    with VideoFile(video) as film, atomic_folder(out) as part:
        frames = choice.of(progress(film, film.length))
        with open_table(part / "frames.csv", HEADER) as table:
            table.writerows(_rows(frames, part, choice, detector, found))
        found.damaged = film.damaged
    return found


def _rows(
    frames: Iterable[Frame], part: Path, choice: CropOptions, detector: Detector, found: VideoCrops
) -> Iterator[tuple[object, ...]]:
    """Write the crops of each frame; yield a row a face."""
    for frame in frames:
        rgb = frame.rgb()
        faces = detector.find(rgb)
        found.frames += 1
        found.with_face += bool(faces)
        for number, face in enumerate(faces):
            crop = align.crop(rgb, align.similarity(face.landmarks), choice.side)
            path = f"{frame.number:06}-{number}.jpg"
            (part / path).write_bytes(as_jpeg(crop, choice.quality))
            found.faces += 1
            box = face.box.as_list()
            yield path, f"{frame.time_s:.3f}", frame.number, number, *box, f"{face.confidence:.4f}"
