"""The command explain: where in a face a network saw its expression."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._shared import (
    DETECTOR,
    PICTURES,
    Refusals,
    bar,
    echo,
    echo_error,
    needs,
    say_left_out,
)
from mien.errors import BadImageError, OutputError, UnknownNameError
from mien.media.escapes import escaped
from mien.media.files import real_path
from mien.media.parts import remove_leftovers

if TYPE_CHECKING:
    from mien.explain.methods import Source
    from mien.pixels import U8
    from mien.recognize.recognizer import Recognizer
    from mien.show.picture_grid import Page

__all__ = ["explain_command"]


@click.command(name="explain")
@click.argument("paths", metavar="PICTURE...", nargs=-1, required=True, type=PICTURES)
@click.option(
    "--method",
    default="grad-cam",
    show_default=True,
    help="cam, grad-cam, grad-cam++, hirescam, layercam, score-cam, eigen-cam, "
    "integrated-gradients, occlusion; or all: a row each.",
)
@click.option("--class", "label", help="An expression, or all; by default the one predicted.")
@click.option("--layer", help="By default the last maps before they are pooled.")
@click.option("--activations", is_flag=True, help="Draw the layer's channels instead.")
@click.option("--crop", is_flag=True, help="The pictures are face crops already.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="explained",
    show_default=True,
    help="A folder; or for one face a file: .png, .svg, .pdf, .jpg, .webp.",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="An .onnx file, or the folder of a run (needs torch); by default the shipped one.",
)
@DETECTOR
def explain_command(
    paths: tuple[Path, ...],
    method: str,
    label: str | None,
    layer: str | None,
    activations: bool,
    crop: bool,
    out: Path,
    model: Path | None,
) -> None:
    """Show where in a face the network saw its expression.

    Example: mien explain photo.jpg --method all --class fear --out why.png
    """
    from mien.explain.figure import explanation_sentence, face_crops
    from mien.media.folders import search_pictures
    from mien.show.picture_grid import write_figure

    methods = _methods(method)
    labels = _labels(label)
    found = search_pictures(paths, out)
    files = found.files
    source, recognizer = _load(model)
    say_left_out(found)
    failures, refused = 0, Refusals()
    remove_leftovers(out)
    for file in bar(files, len(files)):
        try:
            crops = face_crops(recognizer, file, crop)
        except BadImageError as error:
            failures += 1
            echo_error(error)
            continue
        for number, face in enumerate(crops):
            page = _figure(source, face, methods, labels, layer, activations)
            target = _target(out, file, files, number if len(crops) > 1 else None)
            with refused.noted():
                write_figure(page, target)
                echo(f"{escaped(file)}  face {number}  wrote {escaped(target)}")
                if not activations and len(methods) == len(labels) == 1:
                    sentence = explanation_sentence(source, face, methods[0], labels[0], layer)
                    echo(f"     {sentence}")
    if failures:
        echo(f"mien: {failures} of {len(files)} pictures gave no face", err=True)
    refused.report()
    if failures or refused.count or found.faults:
        sys.exit(1)


def _methods(name: str) -> list[str]:
    """One method, or all in the order of their table."""
    from mien.explain import METHODS

    if name != "all" and name not in METHODS:
        raise UnknownNameError("method", name, [*METHODS, "all"])
    return list(METHODS) if name == "all" else [name]


def _labels(name: str | None) -> list[str | None]:
    """One expression or all; None is the one predicted."""
    from mien.labels import LABELS

    if name is None or name in LABELS:
        return [name]
    if name != "all":
        raise UnknownNameError("expression", name, [*LABELS, "all"])
    return list(LABELS)


def _load(model: Path | None) -> "tuple[Source, Recognizer]":
    """The network to explain, and what finds faces."""
    from mien.explain.methods import source_of
    from mien.recognize.recognizer import Recognizer

    if model is None or not model.is_dir():
        recognizer = Recognizer(model)
        return source_of(recognizer.model), recognizer
    needs("mien explain --model RUN", "train", "torch")
    from mien.train.run import load_run

    return source_of(load_run(model).network), Recognizer()


def _figure(
    source: "Source",
    crop: "U8",
    methods: list[str],
    labels: list[str | None],
    layer: str | None,
    activations: bool,
) -> "Page":
    """The figure of a face; a method that the network does not allow is named and left out."""
    from mien.explain.figure import activations_figure, explanation_figure

    if activations:
        return activations_figure(source, crop, layer)
    page, left_out = explanation_figure(source, crop, methods, labels, layer)
    for method, reason in left_out.items():
        echo(f"mien: {method} left out: {reason}", err=True)
    return page


def _target(out: Path, file: Path, files: Sequence[Path], number: int | None) -> Path:
    """The file of a face's figure: --out itself, or one named like the picture in that folder."""
    from mien.show.picture_grid import SUFFIXES

    suffix = "" if number is None else f"-face{number}"
    if out.suffix.lower() in SUFFIXES:
        if len(files) > 1:
            raise click.UsageError("--out must be a folder for more than one picture")
        target = out.with_name(f"{out.stem}{suffix}{out.suffix}")
    else:
        same_name = [other for other in files if other.stem == file.stem]
        twin = f"-{same_name.index(file) + 1}" if len(same_name) > 1 else ""
        target = out / f"{file.stem}{twin}{suffix}.png"
    if real_path(target) in set(map(real_path, files)):
        raise OutputError(f"{target} is one of the pictures", fix="choose another --out")
    return target
