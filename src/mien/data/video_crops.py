"""A video becomes aligned face crops and a table with the time of each.

Pipeline: frames -> faces -> crops, framed as for recognition -> a row for each crop. Memory does
not grow with the length of the video.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from mien.data.prepare.crops import as_jpeg
from mien.errors import BadSettingError
from mien.faces import align
from mien.faces.boxes import Detection
from mien.faces.detect import Detector
from mien.faces.yunet import one_thread
from mien.media.atomic import refuse_filled
from mien.media.files import real_path
from mien.media.frame import Frame
from mien.media.parallel import share
from mien.media.sources import open_file
from mien.media.table_files import open_typed
from mien.media.video_source import VideoSource, check_rate, every_nth, per_second
from mien.media.writers import add_file, atomic_folder, open_table
from mien.pixels import U8
from mien.table_kinds import TABLES

__all__ = ["HEADER", "CropOptions", "VideoCrops", "cut_faces"]

HEADER = tuple(TABLES["frames"].columns)


@dataclass(frozen=True, slots=True)
class CropOptions:
    """Which frames are used, the size and quality of the crops, and a second table of them.

    Attributes:
        every: use one frame in so many.
        rate: frames to use for each second instead; 0 to go by `every`.
        side: of the crops, in pixels.
        quality: of the JPEG files, 1 to 100.
        parquet: the table as Parquet too, in the folder to make or elsewhere; None for none.
    """

    every: int = 1
    rate: float = 0
    side: int = align.SIDE
    quality: int = 95
    parquet: Path | None = None

    def __post_init__(self) -> None:
        """Check which frames are used.

        Raises:
            BadSettingError: if no frames can be chosen so.
        """
        check_rate(self.rate)
        if self.every < 1:
            raise BadSettingError(
                f"every is 1 frame or more, got {self.every}", fix="take 1 for all of them"
            )

    def choose(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Choose the frames to use.

        Args:
            frames: all frames, in order.

        Returns:
            The chosen frames.
        """
        return per_second(frames, self.rate) if self.rate else every_nth(frames, self.every)


@dataclass(slots=True)
class VideoCrops:
    """What was found in a video.

    Attributes:
        frames: number of frames used.
        with_face: number of those with at least one face.
        faces: number of crops written.
        read: number of frames read, those that were not chosen too.
        rate: frames a second, as the video says; 0 if it does not say.
        damaged: number of packets of the video that could not be decoded.
        mended: number of its time stamps that were missing, ran backwards or leapt ahead.
        left_out: what of it was not shown, each reason in a line with names.
        missing_s: how many seconds of what it says it has were not there.
    """

    frames: int = 0
    with_face: int = 0
    faces: int = 0
    read: int = 0
    rate: float = 0.0
    damaged: int = 0
    mended: int = 0
    left_out: Sequence[str] = ()
    missing_s: float = 0.0

    def counted(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Count the frames that are read.

        Args:
            frames: all frames, in order.

        Yields:
            Each of them.
        """
        for frame in frames:
            self.read += 1
            yield frame

    def take_faults(self, source: VideoSource) -> None:
        """Keep what was wrong with a video.

        Args:
            source: read to its end.
        """
        self.rate, self.damaged, self.mended = source.rate, source.damaged, source.mended
        self.left_out, self.missing_s = tuple(source.left_out), source.missing_s


def cut_faces(
    video: Path,
    out: Path,
    options: CropOptions,
    detector: Detector,
    progress: Callable[[Iterable[Frame], int], Iterable[Frame]] = lambda frames, _: frames,
    workers: int = 1,
) -> VideoCrops:
    """Cut the faces out of a video's frames, upright, as recognition sees them.

    Args:
        video: the file.
        out: the folder to make: the crops, and ``frames.csv`` with the columns of `HEADER`.
        options: which frames are used, the size and quality of the crops, and a second table.
        detector: finds the faces.
        progress: takes the frames and their number, and shows how many are done.
        workers: threads that look at frames side by side, while the next ones are decoded.

    Returns:
        What was found; the table of a video without faces has no rows.

    Raises:
        BadImageError: if the video cannot be read.
        MissingExtraError: for a table as Parquet without the extra ``tables``.
        OutputError: if `out` exists and is not empty, or cannot be written.
    """
    refuse_filled(out)
    counts = VideoCrops()
    with open_file(video) as source, atomic_folder(out) as part:
        frames = options.choose(counts.counted(progress(source, source.length)))
        with ExitStack() as stack:
            adds = [stack.enter_context(open_table(part / "frames.csv", HEADER)).writerow]
            if options.parquet:
                target = _inside(options.parquet, out, part)
                columns = TABLES["frames"].columns
                adds.append(stack.enter_context(open_typed(target, columns, parquet=True)))
            looked_at = _looked_at(source.pictures(frames), options, detector, workers)
            for row in _rows(stack.enter_context(closing(looked_at)), part, counts):
                for add in adds:
                    add(row)
        counts.take_faults(source)
    return counts


def _inside(target: Path, out: Path, part: Path) -> Path:
    """Where to write a file that is to be in the folder that is being made, or elsewhere."""
    real, folder = real_path(target), real_path(out)
    return part / real.relative_to(folder) if real.is_relative_to(folder) else target


def _looked_at(
    frames: Iterable[tuple[Frame, U8]], options: CropOptions, detector: Detector, workers: int
) -> Generator[tuple[Frame, list[tuple[Detection, bytes]]], None, None]:
    """Yield each frame with its faces, and the file of each face's crop."""

    def look(picture: tuple[Frame, U8]) -> tuple[Frame, list[tuple[Detection, bytes]]]:
        frame, rgb = picture
        faces = detector.find(rgb)
        transforms = (align.framing(face.landmarks, options.side) for face in faces)
        crops = (align.crop(rgb, to_crop, options.side) for to_crop in transforms)
        files = [as_jpeg(crop, options.quality) for crop in crops]
        return frame, list(zip(faces, files, strict=True))

    with one_thread() if workers > 1 else nullcontext():
        yield from share(lambda: look, frames, workers, threads=True)


def _rows(
    frames: Iterable[tuple[Frame, list[tuple[Detection, bytes]]]],
    folder: Path,
    counts: VideoCrops,
) -> Iterator[tuple[object, ...]]:
    """Write the crops of each frame; yield a row for each face."""
    for frame, faces in frames:
        counts.frames += 1
        counts.with_face += bool(faces)
        for number, (face, data) in enumerate(faces):
            path = f"{frame.number:06}-{number}.jpg"
            add_file(data, folder / path)
            counts.faces += 1
            box = face.box.as_list()
            yield path, f"{frame.time_s:.3f}", frame.number, number, *box, f"{face.confidence:.4f}"
