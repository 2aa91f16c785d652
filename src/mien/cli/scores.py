"""The command for somebody with face crops: scores."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._on_ray import (
    PLACE,
    RAY,
    OnRay,
    read_on_ray,
    refuse_addresses,
    refuse_beside_ray,
)
from mien.cli._outputs import refuse_clashes
from mien.cli._pictures import (
    FLIP,
    MAX_MEMORY,
    MAX_PIXELS,
    MODEL,
    NETWORK_THREADS,
    PROBABILITIES,
    RESUME,
    WORKERS,
    Pictures,
    finish,
    open_journal,
    settings_of,
    shown,
)
from mien.cli._shared import (
    DETECTOR,
    PARQUET,
    echo,
    echo_error,
    echo_note,
    echo_written,
)
from mien.errors import BadImageError, BadModelError
from mien.media.escapes import escaped
from mien.media.files import is_store_address
from mien.media.standard_output import STANDARD_OUTPUT

if TYPE_CHECKING:
    from mien.labels import LabelSet
    from mien.recognize.recognizer import Recognizer
    from mien.scale.readers import Caps, CropReading

__all__ = ["scores_command"]

_LEAST = 640  # crops in a part on a cluster: somewhat more than a second of work


@click.command(name="scores")
@click.argument("folder", type=PLACE)
@click.option(
    "--out",
    type=PLACE,
    default="scores.csv",
    show_default=True,
    help="CSV, or a .parquet; - prints the table; with --ray, a folder for it.",
)
@click.option("--full", is_flag=True, help="All digits instead of two, as Parquet has.")
@click.option(
    "--reject",
    is_flag=True,
    help="Another column, label: the expression, or no face and no scores.",
)
@PROBABILITIES
@PARQUET
@RESUME
@WORKERS
@RAY
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
    probabilities: bool,
    parquet: Path | None,
    resume: bool,
    workers: int,
    address: str | None,
    flip: bool,
    model: Path | None,
    threads: int | None,
    max_pixels: int,
    max_memory: int,
) -> None:
    """Write the scores of every picture under FOLDER, each of which is a face crop already.

    With --reject a crop on which no face is seen gets the label no face in place of scores. What
    are whole photographs is not for this command: mien predict finds the faces in them.

    Example: mien scores crops --out scores.csv
    """
    from mien.media.parquet import is_parquet
    from mien.media.table_files import open_typed
    from mien.media.writers import open_outputs
    from mien.pixels import BATCH
    from mien.recognize.columns import columns_of
    from mien.recognize.recognizer import Recognizer
    from mien.scale.readers import Caps, CropReader, CropReading
    from mien.scale.stream import CROP_S, plan, read_files

    caps = Caps(max_pixels, max_memory)
    options = {"reject": reject, "max_pixels": max_pixels, "max_memory": max_memory}
    options |= {"probabilities": True} if probabilities else {}  # else a journal is as it was
    asked = {"label": reject, "probabilities": probabilities}
    more = [name for name, wanted in asked.items() if wanted]
    if not is_store_address(folder) and not folder.exists():
        raise BadImageError(f"no such folder: {folder}", fix="check the path")
    if address is not None:
        refuse_beside_ray({"--parquet": parquet, "--workers": workers, "--threads": threads})
        recognizer = Recognizer(model, 1, flip=flip, reject=reject)
        reader = partial(CropReader, recognizer, caps, reject, probabilities)
        on = _on_ray(address, folder, out, resume)
        header, every_digit = _table_of(recognizer.labels, more)
        read_on_ray(on, reader, every_digit, header, settings_of(recognizer, **options))
        return
    refuse_addresses(folder, out)
    files = [path for path in (out, parquet) if path]
    refuse_clashes(files, inputs=[folder])
    pictures = Pictures([folder], None, files)
    how = plan(pictures.count, workers, threads, CROP_S, BATCH)
    recognizer = Recognizer(model, how.threads, flip=flip, reject=reject)
    pictures.say_left_out()
    _say_photographs(recognizer, pictures, caps)
    reader = partial(CropReader, recognizer, caps, reject, probabilities)
    settings = settings_of(recognizer, **options)
    failures = no_faces = known = count = 0
    labels = recognizer.labels
    header, every_digit = _table_of(labels, more)

    with ExitStack() as outputs:
        journal = open_journal(outputs, resume, files, settings)
        columns = columns_of(header)
        add, digits = outputs.enter_context(open_typed(out, columns)), full or is_parquet(out)
        also = open_outputs({"parquet": parquet}, header, every_digit, columns)
        writes = outputs.enter_context(also)
        results = read_files(pictures, reader, CropReading, how, journal)
        for reading, fresh in shown(outputs.enter_context(closing(results)), pictures.count):
            known, count = known + (not fresh), count + 1
            if reading.error:
                failures += 1
                echo_error(reading.error)
                continue
            no_faces += reading.scores is None
            add(reading.row(labels, digits, more))
            for write in writes:
                write(reading)
    rejected = f", {no_faces} of them no face" if reject else ""
    echo_written(parquet)
    written = "" if out == STANDARD_OUTPUT else f"wrote {escaped(out)}: "
    echo_note(f"{written}{count - failures} pictures{rejected}")
    finish(failures, pictures, known=known)


def _say_photographs(recognizer: "Recognizer", pictures: Pictures, caps: "Caps") -> None:
    """Say so if the first pictures look like whole photographs; they are scored all the same."""
    from mien.recognize.photographs import look_at

    try:
        looked = look_at(recognizer.detector, pictures, caps.max_pixels, caps.max_memory)
    except BadModelError as error:  # scores need no detector
        echo_note(f"mien: not looked whether these are face crops: {error.message}")
        return
    if looked.are_photographs:
        first = f"{looked.photographs} of the first {looked.count} pictures look"
        rather = "each is scored as one face crop; mien predict finds the faces in photographs"
        echo(f"mien: {first} like whole photographs: {rather}", err=True)


def _table_of(
    labels: "LabelSet", more: list[str]
) -> "tuple[tuple[str, ...], Callable[[CropReading], list[list[str]]]]":
    """The columns of the table, and what makes the row of a reading, with all digits."""
    from mien.labels import LabelSet
    from mien.recognize.columns import probability_columns, score_columns
    from mien.scale.readers import CropReading

    columns = {"label": ("label",), "probabilities": probability_columns(labels)}
    scores = score_columns(LabelSet(labels.names))
    header = ("filepath", *scores, *(name for own in more for name in columns[own]))
    return header, partial(CropReading.rows, labels=labels, more=more)


def _on_ray(address: str, folder: Path, out: Path, resume: bool) -> OnRay:
    """Where a run on a cluster reads and writes."""
    source = click.get_current_context().get_parameter_source("out")
    if source is click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--ray needs --out: a folder for the table and its parts")
    from mien.pixels import BATCH

    return OnRay(address, [folder], out, resume, "scores.parquet", BATCH, _LEAST)
