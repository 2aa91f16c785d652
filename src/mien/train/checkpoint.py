"""The whole state of a run in one safetensors file, so that it resumes exactly.

Tensors are stored as they are, numbers and the history as JSON in the file's header; nothing is
pickled, so opening a stranger's checkpoint runs no code.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mien.errors import BadModelError, OutputError
from mien.media.writers import whole

__all__ = ["load", "load_weights", "save"]

_MODEL, _AVERAGE, _OPTIMISER = "model.", "average.", "optimiser."


def save(
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
        with whole(path) as part:
            save_file(contiguous, part, metadata={"progress": json.dumps(progress)})
    except (OSError, SafetensorError) as error:
        raise OutputError(f"cannot write {path}: {error}", fix="free some space") from error


def load(
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
