"""Commands for somebody with a video: video, frames."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._shared import DETECTOR, FILE, QUALITY, SIDE, THREADS, bar, echo, echo_written, needs
from mien.errors import OutputError
from mien.media.files import real_path
from mien.media.standard_output import StandardOutput

if TYPE_CHECKING:
    from mien.media.video_source import VideoSource
    from mien.recognize.results import VideoFrame

__all__ = ["frames_command", "video_command"]


@click.command(name="video")
@click.argument("source", metavar="IN")
@click.option("--out", type=FILE, help="The film, annotated, with its sound: an .mp4.")
@click.option("--csv", "csv_file", type=FILE, help="One row a face and frame; - prints it.")
@click.option("--json", "json_file", type=FILE, help="One JSON line a frame; - prints them.")
@click.option("--plot", type=FILE, help="The expressions over time: .png, .svg, .pdf.")
@click.option("--segments", type=FILE, help="One row a stretch of one expression, as CSV.")
@click.option(
    "--every",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Classify one frame in so many; the faces are followed in all.",
)
@click.option(
    "--smooth",
    type=click.FloatRange(0),
    default=0.3,
    show_default=True,
    help="Time constant in seconds of the smoothing of scores; 0 for none.",
)
@click.option("--heatmap/--no-heatmap", default=True, help="Show what the model looked at.")
@click.option("--six", is_flag=True, help="Never say neutral or uncertain.")
@click.option("--landmarks", is_flag=True, help="Mark eyes, nose and mouth in --out.")
@click.option(
    "--rate",
    type=click.FloatRange(0, 1000, min_open=True),
    help="Frames a second of pictures, or of a raw .h264; 25 unless said.",
)
@click.option(
    "--allow-network",
    is_flag=True,
    help="Let IN be an address, or a playlist that names other files or addresses.",
)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Stop after so many.")
@click.option("--model", type=FILE, help="An .onnx file; by default the shipped one.")
@click.option(
    "--threads",
    type=THREADS,
    default=1,
    show_default=True,
    help="Of each network and of the encoder, which overlap anyway; 0: all cores.",
)
@DETECTOR
def video_command(
    source: str,
    out: Path | None,
    csv_file: Path | None,
    json_file: Path | None,
    plot: Path | None,
    segments: Path | None,
    every: int,
    smooth: float,
    heatmap: bool,
    six: bool,
    landmarks: bool,
    rate: float | None,
    allow_network: bool,
    seconds: float | None,
    model: Path | None,
    threads: int,
) -> None:
    """Follow the faces in a film, and name each one's expression in every frame.

    IN is a video file, - for standard input, frames/%05d.jpg for numbered pictures, a folder of
    pictures, the number of a camera, from 0, or with --allow-network an address. A camera is
    recorded until --seconds are over or Ctrl-C is pressed; any other run that is stopped leaves no
    file. Without an output, the table is printed. Needs the video extra.

    Example: mien video talk.mp4 --out annotated.mp4 --csv talk.csv --plot talk.png
    """
    needs("mien video", "video", "av", "lap")
    if plot:
        needs("mien video --plot", "plot", "matplotlib")
    from mien.media.sources import Camera, open_video
    from mien.media.writers import OUTPUTS, open_outputs
    from mien.recognize.recognizer import Recognizer
    from mien.recognize.results import VIDEO_HEADER, VideoFrame
    from mien.recognize.video import Choice, VideoRecognizer, recognize_frames
    from mien.show.plots import refuse_format

    refuse_format(plot)
    tables = {"csv": csv_file, "json": json_file}  # by format
    targets = [path for path in (out, *tables.values(), plot, segments) if path]
    _refuse_clashes(source, targets)
    choice = Choice(every, smooth, heatmap and bool(out or json_file))
    with ExitStack() as outputs:
        video = outputs.enter_context(open_video(source, rate or 0, out is not None, allow_network))
        if isinstance(video, Camera):
            outputs.enter_context(_ended_by_interrupt(video))
        video_recognizer = VideoRecognizer(Recognizer(model, threads, six), choice)
        writes = outputs.enter_context(open_outputs(tables, VIDEO_HEADER, VideoFrame.rows))
        if not targets:
            writes.append(OUTPUTS["csv"](StandardOutput(), VIDEO_HEADER, VideoFrame.rows))
        if plot or segments:
            writes.append(_timeline(outputs, plot, segments))
        if out:
            writes.append(_annotated(outputs, out, video, heatmap, landmarks, threads))
        frames: Iterator[VideoFrame] = recognize_frames(video, video_recognizer)
        if seconds:
            frames = takewhile(lambda frame: frame.time_s < seconds, frames)
        count = 0
        for frame in bar(frames, video.length, "looking"):
            count += 1
            for write in writes:
                write(frame)
    _report(video, count)
    echo_written(*targets)


@contextmanager
def _ended_by_interrupt(camera: "VideoSource") -> Iterator[None]:
    """Let Ctrl-C, SIGTERM or SIGHUP end a recording, whose files are whole then."""
    numbers = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")]
    before = {n: signal.signal(n, lambda *_: camera.stop()) for n in numbers if n is not None}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refuse_clashes(source: str, targets: list[Path]) -> None:
    """Refuse to write over the video that is read, or two results into one file."""
    taken = set() if source == "-" else {real_path(Path(source))}
    for path in targets:
        if real_path(path) in taken or _is_same(path, source):
            raise OutputError(f"{path} is named twice", fix="choose another name for the output")
        taken.add(real_path(path))


def _is_same(path: Path, source: str) -> bool:
    """Whether two names are of one file, as hard links are."""
    try:
        return path.samefile(source)
    except OSError:  # one of them is not there
        return False


def _timeline(
    outputs: ExitStack, plot: Path | None, segments: Path | None
) -> "Callable[[VideoFrame], object]":
    """Keep a timeline, and write it when the video has ended well."""
    from mien.show.timeline import Timeline

    timeline = Timeline()

    def finish(kind: object, *_: object) -> None:
        if kind is None and segments:
            timeline.write_segments(segments)
        if kind is None and plot:
            from mien.show.timeline_plot import draw_timeline

            draw_timeline(timeline, plot)

    outputs.push(finish)
    return timeline.add


def _annotated(
    outputs: ExitStack,
    path: Path,
    video: "VideoSource",
    heatmap: bool,
    landmarks: bool,
    threads: int,
) -> "Callable[[VideoFrame], object]":
    """Draw and encode in a thread of its own."""
    from mien.media.threads import WriteBehind
    from mien.media.video_writer import atomic_video
    from mien.show.annotate import Overlay

    overlay = Overlay(heatmap, landmarks)
    writer = outputs.enter_context(atomic_video(path, video, threads))

    def draw(frame: "VideoFrame") -> None:
        writer.write(overlay.draw(frame), frame.time_s)

    return outputs.enter_context(WriteBehind(draw)).put


def _report(video: "VideoSource", count: int) -> None:
    """Say what was wrong with the video."""
    for line in video.left_out:
        echo(line, err=True)
    if video.damaged:
        echo(f"skipped: {video.damaged:,} damaged parts of the film", err=True)
    if video.mended:
        echo(
            f"mended: {video.mended:,} time stamps, missing, running backwards or leaping ahead",
            err=True,
        )
    if video.missing_s > max(0.5, 2 / (video.rate or 25)):
        missing = f"its last {video.missing_s:.1f} s are missing"
        echo(f"cut short: {missing}, the first {count:,} frames were read", err=True)


@click.command(name="frames")
@click.argument("video", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to make.")
@click.option("--every", type=click.IntRange(1), help="Look at one frame in so many; default 1.")
@click.option(
    "--per-second",
    "rate",
    type=click.FloatRange(0, 1000, min_open=True),
    help="Look at so many frames a second instead.",
)
@click.option("--size", type=SIDE, default=64, show_default=True)
@click.option("--quality", type=QUALITY, default=95, show_default=True)
@click.option("--workers", type=THREADS, default=0, help="Frames side by side; 0: all cores.")
@DETECTOR
def frames_command(
    video: Path,
    out: Path,
    every: int | None,
    rate: float | None,
    size: int,
    quality: int,
    workers: int,
) -> None:
    """Cut the faces out of the frames of VIDEO, upright, with the moment each is from.

    Writes a JPEG a face, and frames.csv with its time, frame and box. Needs the video extra.

    Example: mien frames talk.mp4 --out faces --per-second 2
    """
    if every is not None and rate is not None:
        raise click.UsageError("give --every or --per-second, not both")
    from mien.cores import cores
    from mien.data.video_crops import CropOptions, cut_faces
    from mien.faces.detect import Detector
    from mien.media.frame import Frame

    def progress(frames: Iterable[Frame], length: int) -> Iterable[Frame]:
        return bar(frames, length, "looking")

    options = CropOptions(every or 1, rate or 0, size, quality)
    counts = cut_faces(video, out, options, Detector(), progress, workers or cores())
    echo(f"{counts.frames:,} frames looked at, {counts.with_face:,} with a face")
    if counts.damaged:
        echo(f"skipped: {counts.damaged:,} damaged packets of the video", err=True)
    echo(f"wrote {counts.faces:,} faces and {out}/frames.csv")
