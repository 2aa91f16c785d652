"""The command for somebody with a video: video."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._films import FilmTables, report_film
from mien.cli._language import FONT, LANG, drawn_in, refuse_undrawn
from mien.cli._numbers import Number
from mien.cli._outputs import refuse_clashes
from mien.cli._pictures import PROBABILITIES
from mien.cli._shared import (
    DETECTOR,
    FILE,
    PARQUET,
    THREADS,
    NamedPath,
    bar,
    echo,
    echo_error,
    echo_note,
    echo_written,
    needs,
    say_left_out,
)
from mien.cli._usage import WrongUsageError, wrong_usage
from mien.errors import BadImageError, BadSettingError
from mien.media.standard_output import STANDARD_OUTPUT

if TYPE_CHECKING:
    from mien.media.video_source import VideoSource
    from mien.recognize.recognizer import Recognizer
    from mien.recognize.results import VideoFrame
    from mien.recognize.video import Choice, VideoRecognizer
    from mien.show.annotate import Overlay
    from mien.show.writing import Writing

__all__ = ["video_command"]


_CAMERA = "mien: recording; Ctrl-C ends it. To watch a camera live: mien serve --open"


@click.command(name="video")
@click.argument("source", metavar="IN", type=NamedPath(path_type=str))
@click.option("--out", type=FILE, help="The film, annotated, with its sound: an .mp4.")
@click.option("--csv", "csv_file", type=FILE, help="One row a face and frame; - prints it.")
@click.option("--json", "json_file", type=FILE, help="One JSON line a frame; - prints them.")
@PARQUET
@PROBABILITIES
@click.option("--films", is_flag=True, help="IN is a folder of films; one table with their names.")
@click.option("--per-second", is_flag=True, help="One row a face and second in --csv: the means.")
@click.option("--all-frames", is_flag=True, help="Rows in --csv for frames without a face, too.")
@click.option(
    "--measured", is_flag=True, help="A column in --csv: 0 for scores of an earlier frame."
)
@click.option("--summary", type=FILE, help="Shares of time and changes, by face: .csv, .parquet.")
@click.option("--plot", type=FILE, help="The expressions over time: .png, .svg, .pdf.")
@click.option("--segments", type=FILE, help="One row a stretch of one expression: .csv, .parquet.")
@click.option(
    "--every",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Classify one frame in so many; the faces are followed in all.",
)
@click.option(
    "--smooth",
    type=Number(0),
    default=0.3,
    show_default=True,
    help="Time constant in seconds of the smoothing of scores; 0 for none.",
)
@click.option("--heatmap/--no-heatmap", default=True, help="Show what the model looked at.")
@click.option("--six", is_flag=True, help="Never say neutral or uncertain.")
@click.option("--landmarks", is_flag=True, help="Mark eyes, nose and mouth in --out.")
@LANG
@FONT
@click.option(
    "--rate",
    type=Number(0, 1000, min_open=True),
    help="Frames a second of pictures, or of a raw .h264; 25 unless said.",
)
@click.option(
    "--allow-network",
    is_flag=True,
    help="Let IN be an address, or a playlist that names other files or addresses.",
)
@click.option("--seconds", type=Number(0, min_open=True), help="Stop after so many.")
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
    parquet: Path | None,
    probabilities: bool,
    films: bool,
    per_second: bool,
    all_frames: bool,
    measured: bool,
    summary: Path | None,
    plot: Path | None,
    segments: Path | None,
    every: int,
    smooth: float,
    heatmap: bool,
    six: bool,
    landmarks: bool,
    lang: str,
    font: Path | None,
    rate: float | None,
    allow_network: bool,
    seconds: float | None,
    model: Path | None,
    threads: int,
) -> None:
    """Follow the faces in a film, and name each one's expression in every frame.

    IN is a video file, - for standard input, frames/%05d.jpg for numbered pictures, a folder of
    pictures, the number of a camera, from 0, or with --allow-network an address, as
    rtsp://camera/stream. A camera is recorded until --seconds are over or Ctrl-C is pressed, and
    opened again if the network breaks off; mien serve --open shows one live. Any other run that is
    stopped leaves no file. Without an output, the table is printed. Needs the video extra.

    Example: mien video talk.mp4 --out annotated.mp4 --csv talk.csv --plot talk.png
    """
    _refuse_options((out, plot, segments), plot, films)
    if landmarks and out is None:
        raise click.UsageError("--landmarks needs --out")
    from mien.recognize.video import Choice, VideoRecognizer
    from mien.show.annotate import Overlay
    from mien.show.film_rows import RowOptions

    refuse_undrawn(lang, font, bool(out or plot), "--out or --plot")
    tables = {"csv": csv_file, "json": json_file, "parquet": parquet}  # by format
    targets = [p for p in (out, *tables.values(), plot, segments, summary) if p]
    asked = {
        "--per-second": per_second,
        "--all-frames": all_frames,
        "--measured": measured,
        "--probabilities": probabilities,
    }
    _refuse_columns(asked, bool(csv_file or parquet or not targets))  # else it is printed
    names, faults = _films_in(source, films)
    refuse_clashes(targets, inputs=[Path(name) for name in (source, *names) if name != "-"])
    rows = RowOptions(films, per_second, all_frames, measured, probabilities)
    film_tables = FilmTables(rows, tables if targets else {"csv": STANDARD_OUTPUT}, summary)
    choice = Choice(every, smooth, heatmap and bool(out or json_file))
    how = _How(rate or 0, out is not None, allow_network, seconds, choice)

    def more(video: "VideoSource") -> "Iterator[Callable[[VideoFrame], object]]":
        labels = recognizer().labels if out or plot else None
        writing = drawn_in(lang, font, labels)
        if plot or segments:
            yield _timeline(outputs, plot, segments, writing)
        if out:
            overlay = Overlay(heatmap, landmarks, writing)
            yield _annotated(outputs, out, video, overlay, threads)

    recognizer = cache(lambda: _recognizer(model, threads, six))
    failures = 0
    with ExitStack() as outputs:
        for name in names:
            with ExitStack() if films else nullcontext(outputs) as film:
                try:
                    video = _open(name, how, film)
                    refuse_clashes(targets, inputs=video.files)
                    recognized = VideoRecognizer(recognizer(), choice)
                    film_tables.open(outputs, recognizer().labels)
                    _read(video, how, recognized, [film_tables.begin(name), *more(video)])
                except BadImageError as error:
                    if not films:
                        raise
                    failures += 1
                    echo_error(error)
                film_tables.end()
        if failures == len(names):  # inside: an older table stays as it was
            _finish(failures, len(names), faults)
    echo_written(*targets)
    _finish(failures, len(names), faults)


def _films_in(source: str, is_folder: bool) -> tuple[list[str], int]:
    """The films to read, and how much of the folder may be meant and is not read; that is named."""
    from mien.media.folders import find_films

    if not is_folder:
        return [source], 0
    found = find_films(Path(source))
    say_left_out(found)
    return list(map(str, found.files)), found.faults


def _finish(failures: int, films: int, faults: int) -> None:
    """Exit with 1 if a film was not read, or a link or folder not followed."""
    if failures:
        echo(f"mien: {failures} of {films} films could not be read", err=True)
    if failures or faults:
        sys.exit(1)


def _refuse_options(single: tuple[Path | None, ...], plot: Path | None, films: bool) -> None:
    """Refuse options that do not go together, or whose extra is missing."""
    needs("mien video", "video", "av", "lap")
    if plot:
        needs("mien video --plot", "plot", "matplotlib")
    if films and any(single):
        raise click.UsageError("--films writes --csv, --json, --parquet and --summary alone")


def _refuse_columns(asked: dict[str, bool], has_table: bool) -> None:
    """Refuse options of the table that do not go together, or where none is written."""
    if asked["--per-second"] and asked["--measured"]:
        raise click.UsageError("--measured tells frames apart: it does not go with --per-second")
    for name, given in asked.items():
        if given and not has_table:
            raise click.UsageError(f"{name} needs --csv or --parquet")


@dataclass(frozen=True, slots=True)
class _How:
    """How films are opened and read."""

    rate: float
    sound: bool
    allow_network: bool
    seconds: float | None
    choice: "Choice"


def _recognizer(model: Path | None, threads: int, six: bool) -> "Recognizer":
    from mien.recognize.recognizer import Recognizer

    return Recognizer(model, threads, six)


def _open(name: str, how: _How, stack: ExitStack) -> "VideoSource":
    """Open a film; Ctrl-C ends the recording of a camera well."""
    from mien.media.decoder import is_address
    from mien.media.sources import open_video

    if is_address(name) and not how.allow_network:
        raise WrongUsageError(f"{name} is on the network", fix="add --allow-network to read it")
    with wrong_usage(BadSettingError):  # a rate that it cannot have
        opened = open_video(name, how.rate, how.sound, how.allow_network)
        video = stack.enter_context(opened)
    if video.is_live:
        echo_note(_CAMERA)
        stack.enter_context(_ended_by_interrupt(video))
    return video


def _read(
    video: "VideoSource",
    how: _How,
    recognized: "VideoRecognizer",
    writes: "list[Callable[[VideoFrame], object]]",
) -> None:
    """Read a film's frames, write what was read in them, and say what was wrong with it."""
    from mien.recognize.video import recognize_frames

    frames: Iterator[VideoFrame] = recognize_frames(video, recognized)
    if (seconds := how.seconds) is not None:
        frames = takewhile(lambda frame: frame.time_s < seconds, frames)
    count = 0
    for frame in bar(frames, video.length, "looking"):
        count += 1
        for write in writes:
            write(frame)
    report_film(video, count)


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


def _timeline(
    outputs: ExitStack, plot: Path | None, segments: Path | None, writing: "Writing"
) -> "Callable[[VideoFrame], object]":
    """Keep a timeline, and write it when the video has ended well."""
    from mien.show.timeline import Timeline

    timeline = Timeline()

    def finish(kind: object, *_: object) -> None:
        if kind is None and segments:
            timeline.write_segments(segments)
        if kind is None and plot:
            from mien.show.timeline_plot import draw_timeline

            draw_timeline(timeline, plot, writing)

    outputs.push(finish)
    return timeline.add


def _annotated(
    outputs: ExitStack,
    path: Path,
    video: "VideoSource",
    overlay: "Overlay",
    threads: int,
) -> "Callable[[VideoFrame], object]":
    """Draw and encode in a thread of its own."""
    from mien.media.threads import WriteBehind
    from mien.media.video_writer import atomic_video

    writer = outputs.enter_context(atomic_video(path, video, threads))

    def draw(frame: "VideoFrame") -> None:
        writer.write(overlay.draw(frame), frame.time_s)

    return outputs.enter_context(WriteBehind(draw)).put
