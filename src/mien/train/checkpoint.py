"""The gate through which a checkpoint is read: one safetensors file, whoever wrote it.

What its header says of the run, its weights and what its optimiser remembers are checked before
anything is done with them. Nothing is unpickled. Knows nothing of training and of a run's folder.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mien.documents import is_number, parse_json
from mien.errors import BadModelError

__all__ = ["optimiser_state", "read_progress", "read_tensors", "refuse_broken"]


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint.

    Args:
        path: of the file.

    Returns:
        Its tensors by name, and its progress, see `read_progress`.

    Raises:
        BadModelError: if the file is no checkpoint of ours.
    """
    with _opened(path) as (file, progress):
        return {key: file.get_tensor(key) for key in file.keys()}, progress  # noqa: SIM118


def read_progress(path: Path) -> dict[str, Any]:
    """Read what a checkpoint says of its run, and no tensor.

    Args:
        path: of the file.

    Returns:
        ``history``: one row an epoch, each with ``epoch``, from 1, and ``held_accuracy``; and more.

    Raises:
        BadModelError: if the file is no checkpoint of ours.
    """
    with _opened(path) as (_, progress):
        return progress


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Open the file and check its header; whatever is wrong with it is one error."""
    try:
        if not path.is_file():
            raise FileNotFoundError("no ordinary file of that name")
        with safe_open(path, framework="pt") as file:
            yield file, _progress((file.metadata() or {})["progress"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise BadModelError(
            f"no checkpoint of ours: {path} ({error})", fix="name the folder of a run of mien train"
        ) from error


def _progress(text: str) -> dict[str, Any]:
    """Parse what a checkpoint says of its run: a history with an epoch a row."""
    progress = parse_json(text, finite=False)  # a loss may have diverged
    history = progress.get("history") if isinstance(progress, dict) else None
    if not isinstance(history, list):
        raise ValueError("its header has no history")
    for number, row in enumerate(history, 1):
        if not isinstance(row, dict) or row.keys() != history[0].keys() or row["epoch"] != number:
            raise ValueError(f"row {number} of its history is not that of epoch {number}")
        if not is_number(row["held_accuracy"], 0, 1):
            raise ValueError(f"row {number} of its history has no held-out accuracy")
        if not all(map(_fits_a_table, row.values())):
            raise ValueError(f"row {number} of its history holds what is no number")
    return dict(progress)


def _fits_a_table(value: object) -> bool:
    """Tell whether a value can be a float: any float, also one that is no number, or an integer."""
    return type(value) is float or (type(value) is int and abs(value) < 2**53)


def refuse_broken(weights: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights that are no numbers: a network with them says nothing.

    Args:
        weights: by name.
        path: of the checkpoint.

    Raises:
        BadModelError: if one of them is not finite.
    """
    broken = [name for name, v in weights.items() if v.is_complex() or not v.isfinite().all()]
    if broken:
        raise BadModelError(
            f"{path} holds weights that are no finite numbers ({broken[0]})",
            fix="train again, with a lower rate",
        )


def optimiser_state(
    tensors: dict[str, Tensor], prefix: str, optimiser: torch.optim.Optimizer, path: Path
) -> dict[int, dict[str, Tensor]]:
    """Sort what an optimiser remembers of each weight, and refuse what is of other weights.

    Args:
        tensors: of a checkpoint.
        prefix: of the names of its own.
        optimiser: that is to receive it.
        path: of the checkpoint.

    Returns:
        The tensors by number of the weight and name.

    Raises:
        BadModelError: if one of them fits no weight.
    """
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if not key.startswith(prefix):
            continue
        number, _, name = key.removeprefix(prefix).partition(".")
        known = number.isdecimal() and int(number) < len(weights)
        if not known or (value.ndim and value.shape != weights[int(number)].shape):
            raise BadModelError(
                f"{path} holds another optimiser's state ({key}, shape {tuple(value.shape)})",
                fix="resume with the settings that the run was begun with",
            )
        state.setdefault(int(number), {})[name] = value
    return state
