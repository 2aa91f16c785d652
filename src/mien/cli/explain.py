"""The command explain: where in a face a network saw its expression."""

import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.cli._language import FONT, LANG, drawn_in
from mien.cli._shared import (
    DETECTOR,
    FILE,
    THREADS,
    Refusals,
    bar,
    echo,
    echo_error,
    needs,
    say_left_out,
)
from mien.cli._usage import WrongUsageError
from mien.cores import cores
from mien.errors import BadImageError, UnknownNameError
from mien.media.escapes import escaped
from mien.media.files import is_dir, real_path
from mien.media.parts import remove_leftovers

if TYPE_CHECKING:
    from mien.explain.face_crops import FaceCrops
    from mien.explain.methods import Source
    from mien.pixels import U8
    from mien.recognize.recognizer import Recognizer
    from mien.show.picture_grid import Page
    from mien.show.writing import Writing

__all__ = ["explain_command"]


@click.command(name="explain")
@click.argument("paths", metavar="PICTURE...", nargs=-1, required=True, type=FILE)
@click.option(
    "--method",
    help="cam, grad-cam, grad-cam++, hirescam, layercam, score-cam, eigen-cam, "
    "integrated-gradients, occlusion, fast-occlusion; or all: a row each. By default "
    "fast-occlusion, or grad-cam where the model has not learned it or --layer is given.",
)
@click.option(
    "--class",
    "label",
    help="An expression, or another class of the model, or all; by default the one predicted.",
)
@click.option("--layer", help="By default the last maps before they are pooled.")
@click.option("--activations", is_flag=True, help="Draw the layer's channels instead.")
@click.option("--crop", is_flag=True, help="The pictures are face crops already.")
@click.option(
    "--out",
    type=FILE,
    default="explained",
    show_default=True,
    help="A folder; or for one face a file: .png, .svg, .pdf, .jpg, .webp.",
)
@click.option(
    "--model",
    type=FILE,
    help="An .onnx file, or the folder of a run (needs torch); by default the shipped one.",
)
@click.option(
    "--beside",
    multiple=True,
    type=FILE,
    help="Another model or run, drawn below by the same methods; may be repeated.",
)
@LANG
@FONT
@click.option("--workers", type=THREADS, default=0, help="Pictures side by side; 0: all cores.")
@DETECTOR
def explain_command(
    paths: tuple[Path, ...],
    method: str | None,
    label: str | None,
    layer: str | None,
    activations: bool,
    crop: bool,
    out: Path,
    model: Path | None,
    beside: tuple[Path, ...],
    lang: str,
    font: Path | None,
    workers: int,
) -> None:
    """Show where in a face the network saw its expression.

    Example: mien explain photo.jpg --method all --class fear --out why.png
    """
    from mien.explain.methods import default_method
    from mien.explain.targets import named_labels
    from mien.faces.yunet import one_thread
    from mien.labels import LABELS
    from mien.media.folders import search_pictures
    from mien.media.parallel import share
    from mien.show.picture_grid import write_figure

    asked_for = _methods(method)
    drawn_in(lang, font)
    found = search_pictures(paths, out)
    files = found.files
    if beside and activations:
        raise click.UsageError("--beside and --activations do not go together")
    if activations and (label is not None or method is not None):
        raise click.UsageError(
            "--activations draws the channels of a layer: no --method and no --class goes with it"
        )
    runs = [path for path in (model, *beside) if path is not None and is_dir(path)]
    count = 1 if runs else workers or cores()
    count = min(count, len(files))
    source, recognizer = _load(model, threads=int(count > 1))
    labels = named_labels(label, source.labels.names if source.labels else LABELS)
    others = {str(path): _load(path, threads=int(count > 1))[0] for path in beside}
    methods = asked_for or [default_method(source, *others.values(), layer=layer)]
    say_left_out(found)
    targets = _Targets(out, files)
    failures, refused = 0, Refusals()
    remove_leftovers(out)
    explainer = _Explainer(
        source,
        recognizer,
        _Request(methods, labels, layer, activations, crop, drawn_in(lang, font, source.labels)),
        str(model or "the shipped model"),
        others,
    )
    stream = share(lambda: explainer, files, count, threads=True)
    with one_thread() if count > 1 else nullcontext(), closing(stream) as figures:
        for file, faces in bar(zip(files, figures, strict=True), len(files)):
            if isinstance(faces, BadImageError):
                failures += 1
                echo_error(faces)
                continue
            for number, face in enumerate(faces):
                target = targets.of(file, number if len(faces) > 1 else None)
                for name, reason in face.left_out.items():
                    echo(f"mien: {name} left out: {reason}", err=True)
                with refused.noted():
                    write_figure(face.page, target)
                    echo(f"{escaped(file)}  face {number}  {escaped(target)}")
                    if face.sentence:
                        echo(f"     {face.sentence}")
    if failures and len(files) > 1:  # of an only one the error has said it all
        echo(f"mien: {failures} of {len(files)} pictures gave no face", err=True)
    refused.report()
    if failures or refused.count or found.faults:
        sys.exit(1)


@dataclass(frozen=True, slots=True)
class _Request:
    """What is drawn of a face."""

    methods: list[str]
    labels: list[str | None]
    layer: str | None
    activations: bool
    is_crop: bool
    writing: "Writing"


@dataclass(frozen=True, slots=True)
class _FaceFigure:
    """The figure of a face, the methods that the network does not allow, and a sentence or ""."""

    page: "Page"
    left_out: dict[str, str]
    sentence: str


@dataclass(frozen=True, slots=True)
class _Explainer:
    """Draws the faces of a picture; threads may share it."""

    source: "Source"
    recognizer: "Recognizer"
    request: _Request
    name: str
    others: "dict[str, Source]"  # by name, drawn below

    def __call__(self, file: Path) -> list[_FaceFigure] | BadImageError:
        """Draw them, or return why there is none."""
        from mien.explain.face_crops import find_faces
        from mien.media.images import read_rgb

        sides = {source.side for source in (self.source, *self.others.values())}
        asked = str(file), sides, self.request.is_crop
        try:
            faces = find_faces(self.recognizer, read_rgb(file), *asked)
        except BadImageError as error:
            return error
        return [self._figure(face) for face in faces]

    def _figure(self, face: "FaceCrops") -> _FaceFigure:
        """Draw a face."""
        from mien.explain.figure import (
            activations_figure,
            explanation_figure,
            explanation_sentence,
        )

        asked, crop = self.request, face.by_side[self.source.side]
        methods, labels, layer = asked.methods, asked.labels, asked.layer
        if asked.activations:
            figure = activations_figure(self.source, crop, layer, asked.writing)
            return _FaceFigure(figure, {}, "")
        how = (methods, labels, layer, asked.writing)
        page, left_out = explanation_figure(self.source, crop, *how)
        if self.others:
            page, left_out = self._with_others(page, left_out, face.by_side)
        sentence = ""
        if len(methods) == len(labels) == 1:
            named = (methods[0], labels[0], layer, face.landmarks)
            sentence = explanation_sentence(self.source, crop, *named)
        return _FaceFigure(page, left_out, sentence)

    def _with_others(
        self, page: "Page", left_out: dict[str, str], crops: "dict[int, U8]"
    ) -> "tuple[Page, dict[str, str]]":
        """Add the other networks' figures below; the layer was named for the first one alone."""
        from mien.explain.figure import explanation_figure
        from mien.explain.sheet import stacked

        methods, labels = self.request.methods, self.request.labels
        how = (methods, labels, None, self.request.writing)
        figures = {
            name: explanation_figure(other, crops[other.side], *how)
            for name, other in self.others.items()
        }
        reasons = {f"{method} of {self.name}": why for method, why in left_out.items()}
        for name, (_, own) in figures.items():
            reasons |= {f"{method} of {name}": why for method, why in own.items()}
        pages = [page, *(own for own, _ in figures.values())]
        return stacked(pages, [self.name, *figures]), reasons


def _methods(name: str | None) -> list[str]:
    """One method, or all in the order of their table; none where none was asked for."""
    from mien.explain import METHODS

    if name is None:
        return []
    if name != "all" and name not in METHODS:
        raise UnknownNameError("method", name, [*METHODS, "all"])
    return list(METHODS) if name == "all" else [name]


def _load(model: Path | None, threads: int) -> "tuple[Source, Recognizer]":
    """The network to explain, and what finds faces."""
    from mien.explain.methods import source_of
    from mien.recognize.recognizer import Recognizer

    if model is None or not is_dir(model):
        recognizer = Recognizer(model, threads)
        return source_of(recognizer.model), recognizer
    needs("mien explain --model RUN", "train", "torch", "safetensors")
    from mien.train.run import load_run

    return source_of(load_run(model).network), Recognizer()


class _Targets:
    """The files of figures: --out itself, or one named like the picture in that folder."""

    def __init__(self, out: Path, files: Sequence[Path]) -> None:
        from mien.show.picture_grid import SUFFIXES

        self._out, self._is_file = out, out.suffix.lower() in SUFFIXES
        if self._is_file and len(files) > 1:
            raise click.UsageError("--out must be a folder for more than one picture")
        self._pictures = set(map(real_path, files))
        self._taken = set(self._pictures)
        self._same_name: dict[str, list[Path]] = {}
        for file in files:
            self._same_name.setdefault(file.stem, []).append(file)

    def of(self, file: Path, number: int | None) -> Path:
        """Name the figure of a face, like no other one; of an only face the number is None."""
        from mien.show.annotate import free_name

        suffix = "" if number is None else f"-face{number}"
        if self._is_file:
            target = self._out.with_name(f"{self._out.stem}{suffix}{self._out.suffix}")
        else:
            same_name = self._same_name[file.stem]
            twin = f"-{same_name.index(file) + 1}" if len(same_name) > 1 else ""
            target = self._out / f"{file.stem}{twin}{suffix}.png"
        if real_path(target) in self._pictures:
            raise WrongUsageError(f"{target} is one of the pictures", fix="choose another --out")
        return free_name(target, self._taken)
