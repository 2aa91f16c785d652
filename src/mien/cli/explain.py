"""The command that shows what a prediction rests on: explain."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli._shared import bar, needs
from mien.errors import BadImageError, BadModelError, OutputError, UnknownNameError

if TYPE_CHECKING:
    from mien.pixels import U8
    from mien.recognize.recognizer import Recognizer
    from mien.show.picture_grid import FigureRow, Page

    pass
    pass

__all__ = ["explain_command"]


@click.command(name="explain")
@click.argument("paths", metavar="PICTURE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--method",
    default="grad-cam",
    show_default=True,
    help="One of docs/explain.md's, or all: a row each.",
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
def explain_command(
    paths: tuple[str, ...],
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
    from mien.recognize.recognizer import list_pictures
    from mien.show import picture_grid

    chosen = _methods(method)
    labels = _labels(label)
    files = list_pictures(paths)
    network, recognizer = _load(model)
    failures = 0
    for file, result in bar(_faces(recognizer, files, crop), len(files)):
        if isinstance(result, BadImageError):
            failures += 1
            click.echo(f"mien: {result}", err=True)
            continue
        for number, face in enumerate(result):
            if activations:
                page = _activations_page(network, face, layer)
            else:
                page = _page(network, face, (chosen, labels), layer)
            target = _target(out, file, files, (number, len(result)))
            if target.resolve() in {given.resolve() for given in files}:
                raise OutputError(f"{target} is one of the pictures", fix="choose another --out")
            picture_grid.write_figure(page, target)
            click.echo(f"{file}  face {number}  wrote {target}")
            if not activations and len(chosen) == len(labels) == 1:
                click.echo(f"     {_sentence(network, face, chosen[0], labels[0], layer)}")
    if failures:
        click.echo(f"mien: {failures} of {len(files)} pictures gave no face", err=True)
        sys.exit(1)


def _methods(name: str) -> list[str]:
    """The methods asked for, in the order of their registry."""
    from mien.explain import METHODS

    if name != "all" and name not in METHODS:
        raise UnknownNameError("method", name, [*METHODS, "all"])
    return list(METHODS) if name == "all" else [name]


def _labels(name: str | None) -> list[str | None]:
    from mien.labels import LABELS

    if name is None or name in LABELS:
        return [name]
    if name != "all":
        raise UnknownNameError("expression", name, [*LABELS, "all"])
    return list(LABELS)


def _load(model: Path | None) -> tuple[Any, "Recognizer"]:
    """The network to explain, ready to be asked, and what finds faces."""
    from mien.explain.methods import source_of
    from mien.recognize.recognizer import Recognizer

    if model is None or not model.is_dir():
        recognizer = Recognizer(model)
        return source_of(recognizer.model), recognizer
    needs("mien explain --model RUN", "train", "torch")
    from mien.train.run import load_run

    return source_of(load_run(model).network), Recognizer()


def _faces(
    recognizer: "Recognizer", files: Sequence[Path], crop: bool
) -> Iterator[tuple[Path, "list[U8] | BadImageError"]]:
    """Each picture's upright crops, the largest face first, or why there is none."""
    import numpy as np
    from PIL import Image

    from mien.faces import align
    from mien.media import images

    for file in files:
        try:
            rgb = images.read_rgb(file)
        except BadImageError as error:
            yield file, error
            continue
        if crop:
            side = (align.SIDE, align.SIDE)
            resized = Image.fromarray(rgb).resize(side, Image.Resampling.BILINEAR)
            yield file, [np.asarray(resized)]
            continue
        found = recognizer.detector.find(rgb)
        crops = [align.crop(rgb, align.similarity(one.landmarks)) for one in found]
        yield file, crops or BadImageError(f"no face in {file}", fix="give a face crop with --crop")


def _page(
    network: Any, face: "U8", asked: tuple[list[str], list[str | None]], layer: str | None
) -> "Page":
    """A row a method: face, map and overlay, or the overlays of all classes."""
    import numpy as np

    from mien import pixels
    from mien.labels import LABELS
    from mien.show import picture_grid

    methods, labels = asked
    batch = pixels.to_batch([face])
    logits = network.logits(batch)[0] / getattr(network, "temperature", 1.0)
    powers = np.exp(logits - logits.max())
    shares = dict(zip(LABELS, powers / powers.sum(), strict=True))
    best = LABELS[int(logits.argmax())]
    named = [label or best for label in labels]
    many = len(methods) > 1
    tried = [_row(network, (face, batch), (name, named), layer, many) for name in methods]
    rows = [row for row in tried if row]
    title = f"{best} {shares[best]:.0%} of the six"
    title += "" if many else f" · {methods[0]}"
    if len(named) > 1:
        columns = ["face", *(f"{label} {shares[label]:.0%}" for label in named)]
        legend = "warm and bright = speaks for the expression above the column"
    else:
        columns = ["face", "map", "map over the face"]
        legend = f"warm and bright = speaks for {named[0]} ({shares[named[0]]:.0%})"
    return picture_grid.figure(
        title, columns, rows, f"{legend}; each map is scaled by its strongest place"
    )


def _sentence(network: Any, face: "U8", method: str, label: str | None, layer: str | None) -> str:
    """The expression's share of the six, and where on the face the map has its evidence."""
    import numpy as np

    from mien import pixels
    from mien.explain import explain_each
    from mien.faces.regions import shares, words
    from mien.labels import LABELS
    from mien.pixels import enlarge

    batch = pixels.to_batch([face])
    logits = network.logits(batch)[0] / getattr(network, "temperature", 1.0)
    powers = np.exp(logits - logits.max())
    name = label or LABELS[int(logits.argmax())]
    fine = enlarge(
        explain_each(network, batch, method, [name], layer)[0, 0], pixels.SIDE, pixels.SIDE
    )
    share = float(powers[LABELS.index(name)] / powers.sum())
    return f"{name} {share:.2f}: {words(shares(fine))}"


def _row(
    network: Any,
    face: "tuple[U8, Any]",
    asked: tuple[str, list[str]],
    layer: str | None,
    named: bool,
) -> "FigureRow | None":
    """One method's tiles; among several, one that this network refuses is named and left out."""
    from mien.explain import explain_each
    from mien.show import picture_grid

    crop, batch = face
    method, labels = asked
    try:
        maps = explain_each(network, batch, method, labels, layer)[:, 0]
    except BadModelError as error:
        if not named:
            raise
        click.echo(f"mien: {method} left out: {error.message}", err=True)
        return None
    empty = ["nothing speaks for it" if not (one > 0).any() else "" for one in maps]
    overlays = [picture_grid.outlined_map(crop, one) for one in maps]
    tiles = overlays if len(labels) > 1 else [picture_grid.colour_map(maps[0]), *overlays]
    return picture_grid.FigureRow(
        method if named else "", [picture_grid.upright(crop), *tiles], ["", *empty]
    )


def _activations_page(network: Any, face: "U8", layer: str | None) -> "Page":
    """The channels of a layer in rows of eight, the liveliest first."""
    from mien import pixels
    from mien.show import picture_grid

    found = network.activations(pixels.to_batch([face]), layer)[0]
    tiles = [picture_grid.upright(face), *picture_grid.channels(found, 63)]
    rows = [picture_grid.FigureRow("", tiles[i : i + 8]) for i in range(0, len(tiles), 8)]
    count, height, width = found.shape
    name = layer or network.layer
    title = f"{name}: {min(63, count)} of {count} channels of {height}x{width}, the liveliest first"
    return picture_grid.figure(title, ["face"], rows, "")


def _target(out: Path, file: Path, files: Sequence[Path], face: tuple[int, int]) -> Path:
    """The file of a face's figure: --out itself, or one named like the picture in that folder."""
    from mien.show.picture_grid import SUFFIXES

    number, count = face
    extra = f"-face{number}" if count > 1 else ""
    if out.suffix.lower() in SUFFIXES:
        if len(files) > 1:
            raise click.UsageError("--out must be a folder for more than one picture")
        return out.with_name(f"{out.stem}{extra}{out.suffix}")
    twins = [other for other in files if other.stem == file.stem]
    twin = f"-{twins.index(file) + 1}" if len(twins) > 1 else ""
    return out / f"{file.stem}{twin}{extra}.png"
