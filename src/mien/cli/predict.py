"""Commands for somebody with photos: predict, scores, demo, models."""

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._shared import (
    DETECTOR,
    PICTURES,
    THREADS,
    Refusals,
    bar,
    echo,
    echo_error,
    say_left_out,
)
from mien.errors import BadImageError, OutputError
from mien.media.escapes import escaped
from mien.media.files import real_path
from mien.media.standard_output import STANDARD_OUTPUT, StandardOutput

if TYPE_CHECKING:
    from mien.media.folders import PictureFiles
    from mien.pixels import U8
    from mien.recognize.recognizer import Failure
    from mien.recognize.results import Picture
    from mien.show.annotate import AnnotatedFolder

__all__ = ["demo_command", "models_command", "predict_command", "scores_command"]

_MODEL = click.option(
    "--model", type=click.Path(path_type=Path), help="An .onnx file, or a name of mien models."
)
_THREADS = click.option(
    "--threads", type=THREADS, default=0, help="To compute with; 0 takes all cores."
)
_SIX = click.option("--six", is_flag=True, help="Never say neutral or uncertain.")
_FLIP = click.option(
    "--flip", is_flag=True, help="Also look at each face's mirror image, in twice the time."
)
_MAX_PIXELS = click.option(
    "--max-pixels",
    type=click.IntRange(1, 178_956_970),  # above that Pillow refuses
    default=100_000_000,
    show_default=True,
    help="Refuse larger pictures.",
)
_MAX_MEMORY = click.option(
    "--max-memory",
    type=click.IntRange(1),
    default=432,
    show_default=True,
    help="MiB; refuse pictures that take more to decode.",
)


@click.command(name="predict")
@click.argument("paths", nargs=-1, required=True, type=PICTURES)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for annotated pictures.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line a picture.")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path),
    help="One row a face; - prints it instead of the table.",
)
@click.option("--regions", is_flag=True, help="Columns in --csv: evidence by region of the face.")
@click.option("--heatmap/--no-heatmap", default=True, help="Show what the model looked at.")
@click.option("--crops", is_flag=True, help="Also write each face's upright crop to --out.")
@_SIX
@_FLIP
@_MODEL
@_THREADS
@_MAX_PIXELS
@_MAX_MEMORY
@DETECTOR
def predict_command(
    paths: tuple[Path, ...],
    out: Path | None,
    as_json: bool,
    csv_file: Path | None,
    regions: bool,
    heatmap: bool,
    crops: bool,
    six: bool,
    flip: bool,
    model: Path | None,
    threads: int,
    max_pixels: int,
    max_memory: int,
) -> None:
    """Find the faces in pictures and folders, and name each one's expression.

    Example: mien predict photo.jpg holiday/ --out annotated --csv faces.csv
    """
    from mien.media.folders import search_pictures
    from mien.media.writers import open_outputs
    from mien.recognize.recognizer import Failure, Recognizer, read_many
    from mien.recognize.results import CSV_HEADER, REGIONS_HEADER, Picture
    from mien.show.annotate import AnnotatedFolder

    if as_json and csv_file == STANDARD_OUTPUT:
        raise click.UsageError("--json and --csv - both print; name a file for --csv")
    if crops and out is None:
        raise click.UsageError("--crops needs --out")
    if regions and (csv_file is None or not heatmap):
        raise click.UsageError("--regions needs --csv and heat maps")
    found = search_pictures(paths, out)
    files = found.files
    _refuse_over_pictures(csv_file, files)
    recognizer = Recognizer(model, threads, six, flip)
    say_left_out(found)
    header = (*CSV_HEADER, *(REGIONS_HEADER if regions else ()))
    rows = partial(Picture.rows, regions=regions)
    show = _printer(as_json, csv_file)
    failures, refused = 0, Refusals()
    with ExitStack() as outputs:
        writes = outputs.enter_context(open_outputs({"csv": csv_file}, header, rows))
        folder = AnnotatedFolder(out, paths, files, heatmap, crops) if out else None
        results = read_many(recognizer, files, heatmap, max_pixels, max_memory)
        for rgb, result in bar(results, len(files)):
            show(result)
            if isinstance(result, Failure):
                failures += 1
                echo_error(result.error)
                continue
            for write in writes:
                write(result)
            if folder and rgb is not None:
                _write_pictures(folder, rgb, result, refused)
            del rgb  # before the next is decoded
    _finish(failures, found, refused)


def _write_pictures(
    folder: "AnnotatedFolder", rgb: "U8", picture: "Picture", refused: Refusals
) -> None:
    """Write a picture's files; one that cannot be written is named and counted."""
    from mien.media.writers import write_picture

    for drawn, target in folder.pictures(rgb, picture):
        with refused.noted():
            write_picture(drawn, target)


def _printer(as_json: bool, csv_file: Path | None) -> "Callable[[Picture | Failure], object]":
    """What prints a result; for people nothing where the rows of --csv are printed."""
    from mien.media.writers import OUTPUTS

    if as_json:
        return OUTPUTS["json"](StandardOutput(), (), lambda _result: ())
    return _show_nothing if csv_file == STANDARD_OUTPUT else _echo_table


def _echo_table(result: "Picture | Failure") -> None:
    echo(_table(result))
    if sys.stdout is not None:
        sys.stdout.flush()


def _show_nothing(_result: "Picture | Failure") -> None:
    """The rows of --csv are printed instead."""


def _table(result: "Picture | Failure") -> str:
    """Lay a picture's faces out as text."""
    from mien.recognize.results import Picture

    if not isinstance(result, Picture):
        return f"{escaped(result.path)}  cannot be read"
    count = len(result.faces)
    size = f"{result.width}x{result.height}"
    lines = [f"{escaped(result.path)}  {size}  {count} face{'s' * (count != 1)}"]
    for number, face in enumerate(result.faces):
        scores = "  ".join(f"{label} {value:.2f}" for label, value in face.scores.items())
        name = f"{face.label} {face.confidence:.0%}"
        lines.append(f"  {number}  {name:<14} {scores}  (neutral {face.neutral:.2f})")
        if face.maps is not None:
            lines.append(f"     {face.sentence}")
    return "\n".join(lines)


def _refuse_over_pictures(out: Path | None, files: Sequence[Path]) -> None:
    """Refuse to write a table over a picture that is to be read."""
    if out is not None and real_path(out) in set(map(real_path, files)):
        raise OutputError(f"{out} is one of the pictures", fix="choose another name")


def _finish(failures: int, found: "PictureFiles", refused: Refusals | None = None) -> None:
    """Exit with 1 if a picture was not read, a file not written, or a folder not entered."""
    if failures:
        echo(f"mien: {failures} of {len(found.files)} pictures could not be read", err=True)
    if refused:
        refused.report()
    if failures or found.faults or (refused and refused.count):
        sys.exit(1)


@click.command(name="scores")
@click.argument("folder", type=PICTURES)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="scores.csv",
    show_default=True,
    help="- prints the table.",
)
@click.option("--full", is_flag=True, help="All digits instead of two.")
@click.option(
    "--reject",
    is_flag=True,
    help="Another column, label: the expression, or no face and no scores.",
)
@_FLIP
@_MODEL
@_THREADS
@_MAX_PIXELS
@_MAX_MEMORY
@DETECTOR
def scores_command(
    folder: Path,
    out: Path,
    full: bool,
    reject: bool,
    flip: bool,
    model: Path | None,
    threads: int,
    max_pixels: int,
    max_memory: int,
) -> None:
    """Write six scores for every picture under FOLDER, each of which is a face crop already.

    With --reject a crop on which no face is seen gets the label no face in place of scores.

    Example: mien scores crops --out scores.csv
    """
    from mien.labels import LABELS, NO_FACE
    from mien.media.folders import search_pictures
    from mien.media.writers import CsvWriter
    from mien.recognize.recognizer import Failure, NoFace, Recognizer, score_many

    if not folder.exists():
        raise BadImageError(f"no such folder: {folder}", fix="check the path")
    found = search_pictures([folder])
    files = found.files
    _refuse_over_pictures(out, files)
    recognizer = Recognizer(model, threads, flip=flip, reject=reject)
    say_left_out(found)
    failures = no_faces = 0
    results = score_many(recognizer, files, max_pixels, max_memory, reject)
    with CsvWriter(out, ("filepath", *LABELS, *(["label"] if reject else []))) as table:
        for file, scores in bar(results, len(files)):
            if isinstance(scores, Failure):
                failures += 1
                echo_error(scores.error)
                continue
            if isinstance(scores, NoFace):
                no_faces += 1
                table.write([str(file), *("" for _ in LABELS), NO_FACE])
                continue
            digits = [str(v) if full else f"{v:.2f}" for v in scores]
            table.write([str(file), *digits, *([LABELS[scores.argmax()]] if reject else [])])
    rejected = f", {no_faces} of them no face" if reject else ""
    echo(f"wrote {out}: {len(files) - failures} pictures{rejected}", err=True)
    _finish(failures, found)


@click.command(name="demo")
@click.option("--out", type=click.Path(path_type=Path), default="mien-demo.png", show_default=True)
@DETECTOR
def demo_command(out: Path) -> None:
    """Read the portrait that comes with mien and write it annotated.

    Example: mien demo --out portrait.png
    """
    from mien.media import images
    from mien.media.writers import write_picture
    from mien.recognize.recognizer import Recognizer
    from mien.show.annotate import annotate

    path = Path(__file__).parents[1] / "pictures" / "eileen_collins.jpg"
    rgb = images.read_rgb(path)
    picture = replace(Recognizer().read(rgb), path=path.name)
    echo(_table(picture))
    write_picture(annotate(rgb, picture), out)
    echo(f"wrote {out.resolve()}")


@click.command(name="models")
def models_command() -> None:
    """List the models that come with mien: size, cost, accuracy and licence.

    Example: mien models
    """
    from mien.recognize.model import SHIPPED, read_card

    paths = SHIPPED.parent.glob("*.onnx")
    for path in sorted(paths, key=lambda path: (path != SHIPPED, path.name)):
        card = read_card(path)
        size = path.stat().st_size / 1e6
        echo(
            f"{card['name']}  {card['parameters']:,} parameters, "
            f"{card['multiply_adds']:,} multiply-adds a crop, {size:.1f} MB"
        )
        for name, figures in card["metrics"].items():
            echo(
                f"  {name}: accuracy {figures['accuracy']:.1%}, "
                f"mean recall {figures['mean_recall']:.1%} on {figures['pictures']:,} pictures"
            )
        echo(f"  {card['licence']}\n  {path}")
