"""The command that cuts the faces out of a video: frames."""

from collections.abc import Iterable
from pathlib import Path

import click

from mien.cli._films import report_film
from mien.cli._numbers import Number
from mien.cli._outputs import refuse_clashes
from mien.cli._shared import (
    DETECTOR,
    FILE,
    PARQUET,
    QUALITY,
    SIDE,
    THREADS,
    bar,
    echo,
    echo_note,
    echo_written,
)
from mien.cores import cores
from mien.media.escapes import escaped

__all__ = ["frames_command"]


@click.command(name="frames")
@click.argument("video", type=FILE)
@click.option("--out", type=FILE, required=True, help="Folder to make.")
@click.option("--every", type=click.IntRange(1), help="Look at one frame in so many; default 1.")
@click.option(
    "--per-second",
    "rate",
    type=Number(0, 1000, min_open=True),
    help="Look at so many frames a second instead.",
)
@click.option("--size", type=SIDE, default=64, show_default=True)
@click.option("--quality", type=QUALITY, default=95, show_default=True)
@PARQUET
@click.option("--workers", type=THREADS, default=0, help="Frames side by side; 0: all cores.")
@DETECTOR
def frames_command(
    video: Path,
    out: Path,
    every: int | None,
    rate: float | None,
    size: int,
    quality: int,
    parquet: Path | None,
    workers: int,
) -> None:
    """Cut the faces out of the frames of VIDEO, upright, with the moment each is from.

    Writes a JPEG a face, and frames.csv with its time, frame and box. Needs the video extra.

    Example: mien frames talk.mp4 --out faces --per-second 2
    """
    if every is not None and rate is not None:
        raise click.UsageError("give --every or --per-second, not both")
    from mien.data.video_crops import CropOptions, cut_faces
    from mien.faces.detect import Detector
    from mien.media.frame import Frame

    def progress(frames: Iterable[Frame], length: int) -> Iterable[Frame]:
        return bar(frames, length, "looking")

    refuse_clashes([parquet], out, [video])
    options = CropOptions(every or 1, rate or 0, size, quality, parquet)
    counts = cut_faces(video, out, options, Detector(), progress, workers or cores())
    echo(f"{counts.frames:,} frames looked at, {counts.with_face:,} with a face")
    report_film(counts, counts.read)
    echo_note(f"wrote {counts.faces:,} faces and {escaped(out)}/frames.csv")
    echo_written(parquet)
