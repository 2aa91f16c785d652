"""The public doors of mien: for each kind of input a function that uses one file as a user does.

A door is made once in a process: `DOOR(folder)` returns what takes the file. It returns where the
file was taken, raises `MienError` or `Refused` where it was refused with a message, and lets
everything else out. What comes out of an accepted file is looked at: numbers that are no numbers
are a failure as well.
"""

import io
import shutil
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from pathlib import Path

import click
import numpy as np

from fuzz import seeds
from mien.cli import cli
from mien.recognize.results import Face

__all__ = ["Refused", "archives", "checkpoints", "manifests", "models", "pictures", "settings"]

Use = Callable[[Path], None]


class Refused(Exception):  # noqa: N818 - the outcome that is wanted, no fault
    """A command ended with its own message and exit code 1 or 2."""


def _mien(*words: object) -> None:
    """Run ``mien WORDS`` in this process; what it says on standard error is the refusal."""
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            code = cli.main([str(word) for word in words], "mien", standalone_mode=False)
    except click.ClickException as error:
        raise Refused(error.format_message()) from error
    except SystemExit as error:
        code = error.code
    if code:
        raise Refused(said.getvalue() or f"exit code {code}")


def _check(faces: Sequence[Face]) -> None:
    """Refuse results that no user could use."""
    for face in faces:
        box = (face.box.left, face.box.top, face.box.right, face.box.bottom)
        numbers = [*face.values, face.neutral, face.confidence, *box, *face.to_crop.ravel()]
        if not np.isfinite(numbers).all():
            raise AssertionError(f"a face with numbers that are none: {numbers}")
        if abs(float(face.values.sum()) - 1) > 1e-3:
            raise AssertionError(f"scores that sum to {face.values.sum()}")


def pictures(_: Path) -> Use:
    """`Recognizer.read`, heat maps and all."""
    from mien import Recognizer

    recognizer = Recognizer(threads=1)

    def use(file: Path) -> None:
        _check(recognizer.read(file).faces)

    return use


def videos(_: Path) -> Use:
    """`read_video`, to the last frame."""
    from mien import Recognizer, read_video

    recognizer = Recognizer(threads=1)

    def use(file: Path) -> None:
        last = -1.0
        for frame in read_video(file, recognizer):
            _check(frame.faces)
            if not frame.time_s > last:
                raise AssertionError(f"time runs from {last} s to {frame.time_s} s")
            last = frame.time_s

    return use


def archives(folder: Path) -> Use:
    """`mien prepare READER FILE`; the reader's name begins the file's."""
    out = folder / "out"

    def use(file: Path) -> None:
        reader = file.name.split("--")[0]
        try:
            _mien("prepare", reader, file, "--out", out, "--workers", 1)
            _mien("stats", out)
        finally:
            shutil.rmtree(out, ignore_errors=True)

    return use


def models(folder: Path) -> Use:
    """`Recognizer(FILE)`, then a picture and a crop."""
    from mien import Recognizer

    face = seeds.as_array(seeds.head())

    def use(file: Path) -> None:
        recognizer = Recognizer(file, threads=1)
        _check(recognizer.read(face).faces)
        scores = recognizer.classify([face])
        if scores.shape != (1, 6) or not np.isfinite(scores).all():
            raise AssertionError(f"scores that are none: {scores}")

    return use


def manifests(folder: Path) -> Use:
    """`mien stats`, `mien audit`, `mien evaluate` and `mien prepare` of a prepared folder."""
    archive, whole = seeds.prepared(folder)
    copy = folder / "copy"

    def use(file: Path) -> None:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(whole, copy)
        shutil.copy(file, copy / file.name)
        refusals = []
        for words in (
            ("stats", copy),
            ("audit", copy, "--fix"),
            ("evaluate", "shipped", copy),
            ("prepare", "folder", archive, "--out", copy, "--test", 0.4, "--workers", 1),
        ):
            try:
                _mien(*words)
            except Refused as refusal:
                refusals.append(str(refusal))
        if refusals:
            raise Refused("; ".join(refusals))

    return use


def settings(_: Path) -> Use:
    """What `mien train` and `mien search` do with a file of settings before they start."""
    from mien.errors import MienError
    from mien.train import config, grid

    def use(file: Path) -> None:
        refused = None
        for load in (config.load, grid.load):
            try:
                load(file)
            except MienError as error:
                refused = error
        if refused:
            raise refused

    return use


def checkpoints(folder: Path) -> Use:
    """Everything that reads or resumes a run, which has one file changed."""
    import torch

    from mien.errors import MienError
    from mien.train.history import read_history, restore_history
    from mien.train.run import LAST, load_checkpoint, load_run, read_description
    from tests.support.tiny_network import tiny, tiny_in_zoo

    seeds.runs(folder)
    whole, copy = folder / "run", folder / "copy"

    def resume(run: Path) -> None:
        network, average = tiny(7, 0.0), tiny(7, 0.0)
        optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
        load_checkpoint(run / LAST, network, average, optimiser)

    def use(file: Path) -> None:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(whole, copy)
        shutil.copy(file, copy / file.name)
        refused = None
        with tiny_in_zoo():
            for read in (load_run, read_history, restore_history, read_description, resume):
                try:
                    read(copy)
                except MienError as error:
                    refused = error
        if refused:
            raise refused

    return use
