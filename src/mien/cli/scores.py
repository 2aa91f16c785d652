"""The command for somebody with face crops: scores."""

from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import click

from mien.cli._pictures import (
    FLIP,
    MAX_MEMORY,
    MAX_PIXELS,
    MODEL,
    NETWORK_THREADS,
    PARQUET,
    RESUME,
    WORKERS,
    Pictures,
    finish,
    open_journal,
    settings_of,
    shown,
)
from mien.cli._shared import DETECTOR, FILE, echo_beside, echo_error, echo_note, echo_written, needs
from mien.errors import BadImageError

__all__ = ["scores_command"]


@click.command(name="scores")
@click.argument("folder", type=FILE)
@click.option(
    "--out", type=FILE, default="scores.csv", show_default=True, help="- prints the table."
)
@click.option("--full", is_flag=True, help="All digits instead of two.")
@click.option(
    "--reject",
    is_flag=True,
    help="Another column, label: the expression, or no face and no scores.",
)
@PARQUET
@RESUME
@WORKERS
@FLIP
@MODEL
@NETWORK_THREADS
@MAX_PIXELS
@MAX_MEMORY
@DETECTOR
def scores_command(
    folder: Path,
    out: Path,
    full: bool,
    reject: bool,
    parquet: Path | None,
    resume: bool,
    workers: int,
    flip: bool,
    model: Path | None,
    threads: int | None,
    max_pixels: int,
    max_memory: int,
) -> None:
    """Write the scores of every picture under FOLDER, each of which is a face crop already.

    With --reject a crop on which no face is seen gets the label no face in place of scores.

    Example: mien scores crops --out scores.csv
    """
    from mien.labels import LabelSet
    from mien.media.writers import CsvWriter, open_outputs
    from mien.pixels import BATCH
    from mien.recognize.columns import columns_of, score_columns
    from mien.recognize.recognizer import Recognizer
    from mien.scale.readers import Caps, CropReader, CropReading
    from mien.scale.stream import CROP_S, plan, read_files

    if not folder.exists():
        raise BadImageError(f"no such folder: {folder}", fix="check the path")
    if parquet:
        needs("--parquet", "tables", "pyarrow")
    files = [path for path in (out, parquet) if path]
    echo_beside(*files)
    pictures = Pictures([folder], None, files)
    how = plan(pictures.count, workers, threads, CROP_S, BATCH)
    recognizer = Recognizer(model, how.threads, flip=flip, reject=reject)
    pictures.say_left_out()
    reader = partial(CropReader, recognizer, Caps(max_pixels, max_memory), reject)
    settings = settings_of(recognizer, reject=reject, max_pixels=max_pixels, max_memory=max_memory)
    failures = no_faces = known = count = 0
    labels = recognizer.labels
    scores = score_columns(LabelSet(labels.names))
    header = ("filepath", *scores, *(["label"] if reject else []))

    with ExitStack() as outputs:
        journal = open_journal(outputs, resume, files, settings)
        table = outputs.enter_context(CsvWriter(out, header))
        every_digit = partial(CropReading.rows, labels=labels, columns=len(header))
        also = open_outputs({"parquet": parquet}, header, every_digit, columns_of(header))
        writes = outputs.enter_context(also)
        results = read_files(pictures, reader, CropReading, how, journal)
        for reading, fresh in shown(outputs.enter_context(closing(results)), pictures.count):
            known, count = known + (not fresh), count + 1
            if reading.error:
                failures += 1
                echo_error(reading.error)
                continue
            no_faces += reading.scores is None
            table.write(reading.row(labels, full)[: len(header)])
            for write in writes:
                write(reading)
    rejected = f", {no_faces} of them no face" if reject else ""
    echo_written(parquet)
    echo_note(f"wrote {out}: {count - failures} pictures{rejected}")
    finish(failures, pictures, known=known)
