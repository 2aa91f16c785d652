"""The folder of a run: its settings, history and checkpoints, and the network that it ended with.

A checkpoint is the whole state of a run in one safetensors file, so that the run resumes exactly.
Tensors are stored as they are, numbers and the history as JSON in the file's header; nothing is
pickled, so opening a stranger's checkpoint runs no code. Knows nothing of training itself.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from mien import __version__
from mien.data.label_file import labels_of, labels_of_all, write_labels
from mien.data.manifest import Row
from mien.documents import parse_json, read_text
from mien.errors import BadDataError, BadModelError, BadSettingError
from mien.evaluate.accuracy import commit
from mien.evaluate.learned import TEST, VALID
from mien.labels import PAPER, LabelSet
from mien.media.writers import as_output_error, atomic, write_text
from mien.models import zoo
from mien.models.network import Network
from mien.train import config
from mien.train.checkpoint import optimiser_state, read_tensors, refuse_broken
from mien.train.config import TrainConfig
from mien.train.held_out import refuse_other_splits

__all__ = [
    "BEST",
    "DESCRIPTION",
    "FOLD",
    "FOLDS",
    "LAST",
    "LEARNED",
    "TEACHERS",
    "History",
    "TrainedRun",
    "load_checkpoint",
    "load_run",
    "load_weights",
    "made_with",
    "read_description",
    "refuse_fold",
    "refuse_other_run",
    "save_checkpoint",
    "write_description",
]

# The files of a run's folder.
BEST, LAST = "best.safetensors", "last.safetensors"
DESCRIPTION = "data.json"
FOLDS, FOLD = "folds", "fold"  # how many, all learned in the end; or without which this one was
TEACHERS = "teachers"  # and what taught it, each with its name and licence
LEARNED = ("train_by_source", TEACHERS, "hold_out", "draw", VALID, TEST, FOLDS)  # and held out
_SETTINGS = "config.toml"
_MODEL, _AVERAGE, _OPTIMISER = "model.", "average.", "optimiser."  # of a tensor's name
History = list[dict[str, Any]]  # one row an epoch


@dataclass(frozen=True, slots=True, eq=False)
class TrainedRun:
    """A run, read back.

    Attributes:
        settings: of the run.
        network: with its best averaged weights, in evaluation mode.
        history: one row an epoch.
        labels: its classes.
    """

    settings: TrainConfig
    network: Network
    history: History
    labels: LabelSet = PAPER


def load_run(folder: Path) -> TrainedRun:
    """Load the best averaged weights of a run.

    Args:
        folder: of the run, as ``mien train`` wrote it.

    Returns:
        The network, the settings and the history.

    Raises:
        BadSettingError: if the folder holds no settings.
        BadModelError: if it holds no such network.
        BadDataError: if it does not say its classes as it should.
    """
    settings = config.load(folder / _SETTINGS)
    labels = labels_of(folder)
    outputs = labels.outputs(settings.neutral)
    network = zoo.build(settings.model, outputs, settings.dropout, settings.side)
    progress = load_weights(folder / BEST, network)
    network.labels = labels
    return TrainedRun(settings, network.eval(), progress["history"], labels)


def refuse_other_run(folder: Path, settings: TrainConfig, resume: bool) -> None:
    """Check that a folder holds no run, or one of these settings to be resumed.

    Args:
        folder: for the run.
        settings: of the run; more epochs than it was begun with are allowed.
        resume: whether it continues the run in the folder.

    Raises:
        BadSettingError: if it holds another run, or one that is not to be resumed, or its folders
            hold out other pictures now.
    """
    path = folder / _SETTINGS
    if path.exists() and not resume:
        raise BadSettingError(f"{folder} holds a run", fix="add --resume, or choose another --out")
    if not path.exists():
        return
    begun = config.load(path)
    if begun.epochs < settings.epochs:  # a run may be made longer
        begun = replace(begun, epochs=settings.epochs)
    other = [
        f"{field.name} was {getattr(begun, field.name)!r} and is {getattr(settings, field.name)!r}"
        for field in fields(begun)
        if getattr(begun, field.name) != getattr(settings, field.name)
    ]
    if other:
        raise BadSettingError(
            f"{folder} holds a run of other settings: {'; '.join(other)}",
            fix="choose another --out for these, or set them back; only epochs may be raised",
        )
    labels, found = labels_of(folder), labels_of_all(settings.data)
    if labels.targets != found.targets:
        raise BadSettingError(
            f"{folder} holds a run of the classes {labels}; the data have {found}",
            fix="choose another --out",
        )
    if (folder / DESCRIPTION).exists():
        # by folds the valid split is trained on too, and folds have a record of their own
        keys = (TEST,) if settings.folds else (VALID, TEST)
        refuse_other_splits(f"the run {folder}", read_description(folder), settings, keys)


def write_description(
    folder: Path,
    settings: TrainConfig,
    labels: LabelSet,
    rows: Sequence[Row],
    counts: Mapping[str, Any],
) -> None:
    """Write the settings of a run, its classes, and a record of what it trains on.

    Args:
        folder: of the run.
        settings: of the run.
        labels: its classes; those of the paper need no file.
        rows: of its training crops.
        counts: what else belongs in the record.
    """
    write_text(config.to_toml(settings), folder / _SETTINGS)
    if labels != PAPER:
        write_labels(folder, labels)
    sources = Counter(row.source for row in rows)
    record = {"train": len(rows), "train_by_source": sources, **counts, "seed": settings.seed}
    write_text(json.dumps(record, indent=2) + "\n", folder / DESCRIPTION)


def made_with() -> dict[str, Any]:
    """Return the code, the versions and the machine of this process, for records.

    Returns:
        ``commit`` of the code, or mien's version where it is not a checkout; ``mien``, ``torch``,
        the ``device`` that trains and the ``cores``.
    """
    return {
        "commit": commit(),
        "mien": __version__,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cores": os.cpu_count(),
    }


def read_description(folder: Path) -> dict[str, Any]:
    """Read the record of what a run trained on.

    Args:
        folder: of the run.

    Returns:
        What `write_description` wrote.

    Raises:
        BadDataError: if it is missing or damaged.
    """
    path = folder / DESCRIPTION
    fix = "resume the run, which writes it again"
    try:
        record = parse_json(read_text(path))
    except (OSError, ValueError) as error:
        raise BadDataError(f"{path} is no record of a run ({error})", fix=fix) from error
    if not isinstance(record, dict) or type(record.get("seed")) is not int:
        raise BadDataError(f"{path} is no record of a run (it has no seed)", fix=fix)
    return record


def refuse_fold(folder: Path, who: str) -> dict[str, Any]:
    """Check that a run is not one of those that a run by folds has made to measure with.

    Such a network held out its fold, and not what its settings say.

    Args:
        folder: of the run.
        who: the run, for the error.

    Returns:
        Its record.

    Raises:
        BadSettingError: if it is one.
        BadDataError: if it has no record.
    """
    record = read_description(folder)
    if fold := record.get(FOLD):
        raise BadSettingError(
            f"{who} is only the part of a run by folds that answers for fold {fold}",
            fix="name the run in whose folder it lies, or one that was trained with hold_out",
        )
    return record


def save_checkpoint(
    path: Path,
    model: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    progress: dict[str, Any],
) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        path: of the file.
        model: the network in training.
        average: the network with the running average of its weights.
        optimiser: with its momentum or moments.
        progress: numbers and history, as JSON can hold them.

    Raises:
        OutputError: if it cannot be written.
    """
    tensors = {_MODEL + k: v for k, v in model.state_dict().items()}
    tensors |= {_AVERAGE + k: v for k, v in average.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"{_OPTIMISER}{number}.{name}"] = value
    contiguous = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    with atomic(path) as part, as_output_error(path, SafetensorError):
        save_file(contiguous, part, metadata={"progress": json.dumps(progress)})


def load_checkpoint(
    path: Path, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> dict[str, Any]:
    """Read a checkpoint back into a network, its average and its optimiser.

    Args:
        path: of the file.
        model: receives the weights.
        average: receives the averaged weights.
        optimiser: receives its state.

    Returns:
        The progress that was saved.

    Raises:
        BadModelError: if the file is no checkpoint, or one of another network.
    """
    tensors, progress = read_tensors(path)
    for module, prefix in ((model, _MODEL), (average, _AVERAGE)):
        _fill(module, tensors, prefix, path)
    optimiser.load_state_dict({
        "state": optimiser_state(tensors, _OPTIMISER, optimiser, path),
        "param_groups": optimiser.state_dict()["param_groups"],
    })
    return progress


def load_weights(path: Path, model: nn.Module) -> dict[str, Any]:
    """Read only the averaged weights, to evaluate or export.

    Args:
        path: of the file.
        model: receives them.

    Returns:
        The progress that was saved with them.

    Raises:
        BadModelError: if the file is no checkpoint, or one of another network.
    """
    tensors, progress = read_tensors(path)
    _fill(model, tensors, _AVERAGE, path)
    return progress


def _fill(module: nn.Module, tensors: dict[str, Tensor], prefix: str, path: Path) -> None:
    """Give a module the tensors whose names begin with a prefix."""
    own = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    refuse_broken(own, path)
    try:
        module.load_state_dict(own)
    except RuntimeError as error:
        raise BadModelError(
            f"{path} holds another network's weights ({str(error).splitlines()[-1].strip()})",
            fix="set the model in the config to the one that was trained",
        ) from error
