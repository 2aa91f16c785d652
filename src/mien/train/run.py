"""The network that a run ended with, and how it got there.
Knows neither data nor the loop.

MERGED The tables in a run's folder, and whom the folder belongs to.
No torch.

MERGED The whole state of a run in one safetensors file, so that it resumes exactly.

Tensors are stored as they are, numbers and the history as JSON in the file's header; nothing is
pickled, so opening a stranger's checkpoint runs no code.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mien.data.manifest import Row
from mien.errors import BadModelError, BadSettingError, OutputError
from mien.labels import LABELS
from mien.media.writers import CsvWriter, atomic, write_text
from mien.models import zoo
from mien.models.network import Network
from mien.train import config
from mien.train.config import BEST, TrainConfig

__all__ = [
    "BAD_BATCH",
    "BadLossError",
    "Trained",
    "describe",
    "earlier",
    "explained",
    "load_checkpoint",
    "load_weights",
    "refuse_other_run",
    "save_checkpoint",
    "trained",
    "write_history",
]

BAD_BATCH = "bad-batch.csv"
_MODEL, _AVERAGE, _OPTIMISER = "model.", "average.", "optimiser."


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a run left.

    Attributes:
        settings: of the run.
        network: with its best averaged weights, in evaluation mode.
        history: one row an epoch.
    """

    settings: TrainConfig
    network: Network
    history: list[dict[str, Any]]


def trained(run: Path) -> Trained:
    """Load the best averaged weights of a run.

    Args:
        run: a folder of ``mien train``.

    Returns:
        The network, the settings and the history.

    Raises:
        BadSettingError: if the folder holds no settings.
        BadModelError: if it holds no such network.
    """
    settings = config.load(run / "config.toml")
    network = zoo.build(settings.model, len(LABELS) + settings.neutral, settings.dropout)
    progress = load_weights(run / BEST, network)
    return Trained(settings, network.eval(), progress["history"])


def earlier(run: Path, role: str, settings: TrainConfig, *more: str) -> Trained:
    """Load a run that another one learns from.

    Args:
        run: its folder.
        role: what it is to the other, for the error.
        settings: of the other.
        more: names of settings in which both must agree, besides those that decide which pictures
            are held out: it must not have seen those that judge the other.

    Returns:
        What it left.

    Raises:
        BadSettingError: if they do not agree.
        BadModelError: if the run has no weights.
    """
    found = trained(run)
    for name in ("neutral", "hold_out", "draw", *more):
        own, wanted = getattr(found.settings, name), getattr(settings, name)
        if own != wanted:
            raise BadSettingError(
                f"the {role} {run} has {name} = {own}, the run that learns from it {wanted}",
                fix=f"give both the same {name}",
            )
    return found


def refuse_other_run(out: Path, settings: TrainConfig, resume: bool) -> None:
    """Check that a folder holds no run, or one of these settings to be resumed.

    Args:
        out: the folder.
        settings: of the run to come.
        resume: whether it is to go on with one.

    Raises:
        BadSettingError: if it holds another run, or is not to be resumed.
    """
    path = out / "config.toml"
    if path.exists() and not resume:
        raise BadSettingError(f"{out} holds a run", fix="add --resume, or choose another --out")
    if path.exists() and config.load(path) != settings:
        raise BadSettingError(
            f"{out} holds a run of other settings", fix="choose another --out for these"
        )


def describe(
    out: Path, settings: TrainConfig, trained: Sequence[Row], counts: Mapping[str, Any]
) -> None:
    """Claim the folder for a run that can start, and note what it trains on.

    Args:
        out: the folder.
        settings: of the run.
        trained: the rows of its training crops.
        counts: what else there is to note.
    """
    write_text(config.to_toml(settings), out / "config.toml")
    sources = Counter(row.source for row in trained)
    record = {"train": len(trained), "train_by_source": sources, **counts, "seed": settings.seed}
    write_text(json.dumps(record, indent=2) + "\n", out / "data.json")


def write_history(path: Path, history: list[dict[str, Any]]) -> None:
    """Write the history as a table.

    Args:
        path: of the CSV file.
        history: one row an epoch.
    """
    with CsvWriter(path, list(history[0])) as table:
        for row in history:
            table.write(row.values())


class BadLossError(ArithmeticError):
    """The loss is no number: where it happened, and on which pictures."""

    def __init__(self, value: float, place: str, rows: list[Row]) -> None:
        """Keep the value, the place in words and the batch's pictures."""
        super().__init__(f"the loss became {value} in {place}")
        self.rows = rows


def explained(error: BadLossError, out: Path) -> BadModelError:
    """Name the pictures of the batch in a file, and say what next.

    Args:
        error: what happened.
        out: the run's folder.

    Returns:
        The error for the user.
    """
    with CsvWriter(out / BAD_BATCH, ("source", "original", "path", "label")) as table:
        for row in error.rows:
            table.write((row.source, row.original, row.path, row.label))
    some = ", ".join(row.path for row in error.rows[:3])
    return BadModelError(
        f"{error}: {len(error.rows)} pictures, {some} ...; all are in {out / BAD_BATCH}; "
        "the last whole epoch is kept",
        fix="lower the rate, or train with bf16 = false",
    )


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
        average: the running average of its weights.
        optimiser: its momentum or moments.
        progress: JSON-ready numbers and history.

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
    try:
        with atomic(path) as part:
            save_file(contiguous, part, metadata={"progress": json.dumps(progress)})
    except (OSError, SafetensorError) as error:
        raise OutputError(f"cannot write {path}: {error}", fix="free some space") from error


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
        What `save` was given as progress.

    Raises:
        BadModelError: if the file is no checkpoint, or one of another network.
    """
    tensors, progress = _read(path)
    for module, prefix in ((model, _MODEL), (average, _AVERAGE)):
        _fill(module, tensors, prefix, path)
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(_OPTIMISER):
            number, name = key.removeprefix(_OPTIMISER).split(".")
            state.setdefault(int(number), {})[name] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
    return progress


def load_weights(path: Path, model: nn.Module) -> dict[str, Any]:
    """Read only the averaged weights, to evaluate or export.

    Args:
        path: of the file.
        model: receives them.

    Returns:
        The progress stored with them.

    Raises:
        BadModelError: if the file is no checkpoint, or one of another network.
    """
    tensors, progress = _read(path)
    _fill(model, tensors, _AVERAGE, path)
    return progress


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            progress = json.loads((file.metadata() or {})["progress"])
            return {key: file.get_tensor(key) for key in file.keys()}, progress  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise BadModelError(
            f"no checkpoint of ours: {path} ({error})", fix="name the folder of a run of mien train"
        ) from error


def _fill(module: nn.Module, tensors: dict[str, Tensor], prefix: str, path: Path) -> None:
    own = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    try:
        module.load_state_dict(own)
    except RuntimeError as error:
        raise BadModelError(
            f"{path} holds another network's weights ({str(error).splitlines()[-1].strip()})",
            fix="set the model in the config to the one that was trained",
        ) from error
