"""Who trains: this process alone, or several that share every batch.

Each process has the whole network and an equal share of every batch; gradients are averaged, so a
step is the one that a single process would take. Batch norm's statistics are those of the share,
or of the whole batch on GPUs. Lightning Fabric starts the processes and moves the gradients.

MERGED Memory that training frees stays with the process, to be used again by the next step.

Without this, glibc maps every activation of more than a few megabytes anew, and the kernel clears
its pages each time: a third of a step's time with `cnn15` on two cores (lab/LOG.md).
"""

import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from mien.errors import MienError, MissingExtraError

__all__ = ["Team", "keep_freed", "launch"]

T = TypeVar("T")
# Parameters of mallopt(3) and the values that end the giving back.
_SETTINGS = (
    (-1, -1),  # M_TRIM_THRESHOLD: the top of the heap is never given back
    (-2, 64 << 20),  # M_TOP_PAD: it grows by 64 MiB and more
    (-4, 0),  # M_MMAP_MAX: nothing is mapped on its own
    (-8, 1),  # M_ARENA_MAX: the backward pass, another thread, uses the same heap
)


class Team:
    """One of the processes that train together; alone unless Fabric says otherwise.

    Attributes:
        rank: this process's number; 0 writes the files.
        size: how many there are.
        device: where this one computes.
    """

    def __init__(self, fabric: Any = None) -> None:
        """Join it.

        Args:
            fabric: of this process, launched; None for a process alone.
        """
        self._fabric = fabric
        self.rank: int = fabric.global_rank if fabric else 0
        self.size: int = fabric.world_size if fabric else 1
        alone = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.device: torch.device = fabric.device if fabric else alone

    @property
    def has_bf16(self) -> bool:
        """Whether the device computes in bfloat16; where it is emulated it is many times slower."""
        if self.device.type == "cuda":
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        return bool(torch.cpu._is_avx512_bf16_supported())

    def wrap(self, model: nn.Module) -> Callable[[Tensor], Tensor]:
        """Return what computes a network's logits; its gradients become the team's mean."""
        if not self._fabric:
            return model
        if self.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        wrapped: Callable[[Tensor], Tensor] = self._fabric.setup_module(model)
        return wrapped

    def share(self, batch: Tensor) -> Tensor:
        """Return this process's part of a batch."""
        return batch[self.rank :: self.size]

    def mean(self, value: float) -> float:
        """Average a number over the team."""
        if not self._fabric:
            return value
        return float(self._fabric.all_reduce(torch.tensor(value, device=self.device)))

    def first(self, call: Callable[[], T]) -> T:
        """Let the first process do something, and give all of them what it returned.

        Args:
            call: what to do; an error of ours is raised in all processes.

        Returns:
            What it returned.

        Raises:
            MienError: that the first process met.
        """
        if not self._fabric:
            return call()
        told = _tried(call) if self.rank == 0 else None
        result: T = _unpacked(self._fabric.broadcast(told))
        return result


def launch(devices: int, work: Callable[[Team], T]) -> T:
    """Do work in as many processes as there are devices.

    Args:
        devices: 1 stays in this process.
        work: is given its team; it can be pickled where there are several.

    Returns:
        What the first process returned.

    Raises:
        MienError: that the work met.
        MissingExtraError: if Lightning Fabric is not installed.
    """
    if devices == 1:
        return work(Team())
    try:
        from lightning_fabric import Fabric
    except ImportError:
        raise MissingExtraError("devices above 1", "train") from None
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    fabric = Fabric(accelerator=kind, devices=devices, strategy="ddp_spawn")
    result: T = _unpacked(fabric.launch(_process, work))  # type: ignore[arg-type]
    return result


def _process(fabric: Any, work: Callable[[Team], T]) -> Any:
    """What each process does: an error of ours travels home, and the connections are closed."""
    try:
        return _tried(lambda: work(Team(fabric)))
    finally:  # a process that ends while gloo's threads run is aborted by C++
        gc.collect()  # a network in a cycle of references would keep them running
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _tried(call: Callable[[], Any]) -> tuple[Any, MienError | None]:
    try:
        return call(), None
    except MienError as error:
        return None, _alone(error)


def _alone(error: MienError) -> MienError:
    """Part an error from where it was raised: those frames hold the network and its threads."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


def _unpacked(told: tuple[Any, MienError | None]) -> Any:
    result, error = told
    if error is not None:
        raise error
    return result


def keep_freed() -> bool:
    """Ask glibc to keep what is freed, for the rest of the process.

    Returns:
        Whether it was asked: False where the C library is another one.

    Source:
        mallopt(3) of the Linux manual.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and all([mallopt(key, value) for key, value in _SETTINGS])
