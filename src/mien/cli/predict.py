"""Commands for somebody with photos: predict, demo."""

import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._language import FONT, LANG, drawn_in, refuse_undrawn
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
    SMALL,
    TURNED,
    WORKERS,
    Pictures,
    finish,
    open_journal,
    settings_of,
    shown,
)
from mien.cli._shared import DETECTOR, FILE, PARQUET, Refusals, echo, echo_error
from mien.cli._usage import wrong_usage
from mien.errors import OutputError
from mien.media.escapes import escaped
from mien.media.files import is_there
from mien.media.standard_output import STANDARD_OUTPUT, StandardOutput

if TYPE_CHECKING:
    from mien.labels import LabelSet
    from mien.media.journal import Journal
    from mien.recognize.recognizer import Failure
    from mien.recognize.results import Picture
    from mien.scale.readers import PhotoReading
    from mien.show.annotate import AnnotatedFolder

__all__ = ["demo_command", "predict_command"]

_LEAST = 64  # photographs in a part on a cluster: somewhat more than a second of work
_WRITTEN = "written"  # in the journal: the files written of a picture
_SIX = click.option("--six", is_flag=True, help="Never say neutral or uncertain.")


@click.command(name="predict")
@click.argument("paths", nargs=-1, required=True, type=PLACE)
@click.option("--out", type=PLACE, help="Folder for annotated pictures; with --ray for the table.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line a picture.")
@click.option(
    "--out-file", "json_file", type=FILE, help="With --json: a file for the lines, not printed."
)
@click.option("--csv", "csv_file", type=FILE, help="One row a face; - prints it, not the table.")
@PARQUET
@PROBABILITIES
@click.option("--regions", is_flag=True, help="Columns in --csv: evidence by region of the face.")
@click.option("--heatmap/--no-heatmap", default=True, help="Show what the model looked at.")
@click.option("--crops", is_flag=True, help="Also write each face's upright crop to --out.")
@LANG
@FONT
@SMALL
@TURNED
@RESUME
@WORKERS
@RAY
@_SIX
@FLIP
@MODEL
@NETWORK_THREADS
@MAX_PIXELS
@MAX_MEMORY
@DETECTOR
def predict_command(
    paths: tuple[Path, ...],
    out: Path | None,
    as_json: bool,
    json_file: Path | None,
    csv_file: Path | None,
    parquet: Path | None,
    probabilities: bool,
    regions: bool,
    heatmap: bool,
    crops: bool,
    lang: str,
    font: Path | None,
    small: bool,
    turned: bool,
    resume: bool,
    workers: int,
    address: str | None,
    six: bool,
    flip: bool,
    model: Path | None,
    threads: int | None,
    max_pixels: int,
    max_memory: int,
) -> None:
    """Find the faces in pictures and folders, and name each one's expression.

    Example: mien predict photo.jpg holiday/ --out annotated --csv faces.csv
    """
    from mien.media.writers import open_outputs
    from mien.recognize.columns import columns_of
    from mien.recognize.recognizer import Recognizer
    from mien.scale.readers import Caps, Drawing, PhotoReader, PhotoReading
    from mien.scale.stream import DRAWN_S, PHOTO_S, plan, read_files
    from mien.show.annotate import AnnotatedFolder

    tables = {"csv": csv_file, "json": json_file, "parquet": parquet}  # by format
    asked = {"regions": regions, "probabilities": probabilities}
    columns = [name for name, wanted in asked.items() if wanted]
    caps = Caps(max_pixels, max_memory)
    options: dict[str, object] = {
        "six": six,
        "heatmap": heatmap,
        "max_pixels": max_pixels,
        "max_memory": max_memory,
    }
    search = [name for name, chosen in (("small", small), ("turned", turned)) if chosen]
    if address is not None:
        given = {"--json": as_json, "--crops": crops, "--workers": workers, "--threads": threads}
        written = {"--csv": csv_file, "--out-file": json_file, "--parquet": parquet}
        drawn = {"--lang": lang != "en", "--font": font}
        refuse_beside_ray({**given, **written, **drawn})
        on = _on_ray(address, paths, out, resume, regions and not heatmap)
        recognizer = Recognizer(model, 1, six, flip, search=search)
        header, rows = _table_of(recognizer.labels, columns)
        reader = partial(PhotoReader, recognizer, heatmap, caps, Drawing())
        read_on_ray(on, reader, rows, header, settings_of(recognizer, **options))
        return
    refuse_addresses(*paths, out)
    _refuse_options(as_json, tables, crops, out, columns, heatmap)
    refuse_undrawn(lang, font, out is not None, "--out")
    files = [path for path in tables.values() if path]
    refuse_clashes(files, out, paths)
    pictures = Pictures(paths, out, files)
    how = plan(pictures.count, workers, threads, DRAWN_S if out else PHOTO_S)
    recognizer = Recognizer(model, how.threads, six, flip, search=search)
    pictures.say_left_out()
    walk = list(pictures) if out else pictures  # every picture gets its name in --out first
    with wrong_usage(OutputError):  # a picture over itself
        folder = AnnotatedFolder(out, paths, list(walk), heatmap, crops) if out else None
    show, text = _printer(as_json and not json_file, as_json or csv_file == STANDARD_OUTPUT)
    writing = drawn_in(lang, font, recognizer.labels if out else None)
    drawing = Drawing(out is not None, heatmap, crops, writing)
    reader = partial(PhotoReader, recognizer, heatmap, caps, drawing, text)
    if lang != "en" or font:
        options |= {"lang": lang, "font": font and str(font)}
    settings = settings_of(recognizer, **options, out=out and str(out), crops=crops)
    header, rows = _table_of(recognizer.labels, columns)
    failures, known, refused = 0, 0, Refusals()
    names: list[str] | None = []  # of the files written of a picture; None: not all were

    def remembered(reading: PhotoReading) -> dict[str, object] | None:
        return None if names is None else {**reading.record(), _WRITTEN: names}

    with ExitStack() as outputs:
        journal = open_journal(outputs, resume, files, settings, _are_there)
        if journal and folder:
            folder.keep_names(partial(_written, journal))
        writes = outputs.enter_context(open_outputs(tables, header, rows, columns_of(header)))
        results = read_files(walk, reader, PhotoReading, how, journal, remembered)
        for reading, fresh in shown(outputs.enter_context(closing(results)), pictures.count):
            known += not fresh
            names = []
            reading.values.pop(_WRITTEN, None)  # no part of what is shown
            show(reading)
            if reading.error:
                failures += 1
                echo_error(reading.error)
            for write in writes:
                write(reading)
            if folder and reading.drawn:
                names = _write_pictures(folder, reading, refused)
    finish(failures, pictures, refused, known)


def _table_of(
    labels: "LabelSet", asked: list[str]
) -> "tuple[tuple[str, ...], Callable[[PhotoReading], list[list[str | int | float]]]]":
    """The columns of the table, also those asked for, and what makes the rows of a reading."""
    from mien.recognize.results import REGIONS_HEADER, picture_header, probability_columns
    from mien.scale.readers import PhotoReading

    more = {"regions": REGIONS_HEADER, "probabilities": probability_columns(labels)}
    header = (*picture_header(labels), *(name for own in asked for name in more[own]))
    regions, probabilities = "regions" in asked, "probabilities" in asked
    rows = partial(PhotoReading.rows, labels=labels, regions=regions, probabilities=probabilities)
    return header, rows


def _on_ray(
    address: str, paths: tuple[Path, ...], out: Path | None, resume: bool, has_no_maps: bool
) -> OnRay:
    """Where a run on a cluster reads and writes."""
    if out is None:
        raise click.UsageError("--ray needs --out: a folder for the table and its parts")
    if has_no_maps:
        raise click.UsageError("--regions needs heat maps")
    return OnRay(address, paths, out, resume, "faces.parquet", 1, _LEAST)


def _refuse_options(
    as_json: bool,
    tables: dict[str, Path | None],
    crops: bool,
    out: Path | None,
    columns: list[str],
    heatmap: bool,
) -> None:
    """Refuse options that do not go together."""
    if tables["json"] and not as_json:
        raise click.UsageError("--out-file needs --json")
    if as_json and not tables["json"] and STANDARD_OUTPUT in tables.values():
        raise click.UsageError("--json and --csv - both print; name a file for --csv")
    if crops and out is None:
        raise click.UsageError("--crops needs --out")
    for name in columns:
        if not (tables["csv"] or tables["parquet"]):
            raise click.UsageError(f"--{name} needs --csv or --parquet")
    if "regions" in columns and not heatmap:
        raise click.UsageError("--regions needs heat maps")


def _written(journal: "Journal", file: Path) -> list[Path]:
    """The files that an earlier run wrote of a picture."""
    return list(map(Path, (journal.known(file) or {}).get(_WRITTEN, ())))


def _are_there(record: dict[str, object]) -> bool:
    """Whether the files that an earlier run wrote of a picture are still there."""
    names = record.get(_WRITTEN)
    return not isinstance(names, list) or all(is_there(Path(name)) for name in names)


def _write_pictures(
    folder: "AnnotatedFolder", reading: "PhotoReading", refused: Refusals
) -> list[str] | None:
    """Write a picture's files; one that cannot be written is named and counted.

    Returns:
        Their names; None if not all could be written.
    """
    from mien.media.writers import write_bytes

    before = refused.count
    targets = folder.targets(reading.values["path"], len(reading.drawn) - 1)
    for drawn, target in zip(reading.drawn, targets, strict=True):
        with refused.noted():
            if isinstance(drawn, OutputError):
                raise drawn
            write_bytes(drawn, target)
    return list(map(str, targets)) if refused.count == before else None


def _printer(
    prints_json: bool, prints_rows: bool
) -> "tuple[Callable[[PhotoReading], object], Callable[[Picture | Failure], str] | None]":
    """What prints a reading, and what writes its text; for people nothing beside printed rows."""
    from mien.media.writers import OUTPUTS

    if prints_json:
        return OUTPUTS["json"](StandardOutput(), (), lambda _result: ()), None
    return (_show_nothing, None) if prints_rows else (_echo_text, _table)


def _echo_text(reading: "PhotoReading") -> None:
    if reading.text:  # what an earlier run read is not printed again
        echo(reading.text)
    if sys.stdout is not None:
        sys.stdout.flush()


def _show_nothing(_reading: "PhotoReading") -> None:
    """The rows of --csv, or the lines of --out-file, are written instead."""


def _table(result: "Picture | Failure") -> str:
    """Lay a picture's faces out as text."""
    from mien.recognize.results import Picture
    from mien.show.placement import label_text

    if not isinstance(result, Picture):
        return f"{escaped(result.path)}  cannot be read"
    count = len(result.faces)
    size = f"{result.width}x{result.height}"
    lines = [f"{escaped(result.path)}  {size}  {count} face{'s' * (count != 1)}"]
    for number, face in enumerate(result.faces):
        shares = "  ".join(f"{label} {p:.2f}" for label, p in face.probabilities.items())
        lines.append(f"  {number}  {label_text(face) + ' ':<14} {shares}")
        if face.maps is not None:
            lines.append(f"     {face.sentence}")
    return "\n".join(lines)


@click.command(name="demo")
@click.option("--out", type=FILE, default="mien-demo.png", show_default=True)
@LANG
@FONT
@DETECTOR
def demo_command(out: Path, lang: str, font: Path | None) -> None:
    """Read the portrait that comes with mien and write it annotated.

    Example: mien demo --out portrait.png
    """
    from mien.media import images
    from mien.media.writers import write_picture
    from mien.recognize.recognizer import Recognizer
    from mien.show.annotate import annotate

    writing = drawn_in(lang, font)
    rgb = images.read_rgb(images.PORTRAIT)
    picture = replace(Recognizer().read(rgb), path=images.PORTRAIT.name)
    echo(_table(picture))
    write_picture(annotate(rgb, picture, lang=writing), out)
    echo(f"wrote {out.resolve()}")
