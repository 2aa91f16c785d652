"""The processes of a training run: this one alone, or several that share every batch.

Each process has the whole network and an equal share of every batch; gradients are averaged, so a
step is the one that a single process would take. Batch norm's statistics are those of the share,
or of the whole batch on GPUs. Lightning Fabric starts the processes and moves the gradients.
Each process also keeps the memory that it frees, for its next step. Without this, glibc maps every
activation of more than a few megabytes anew, and the kernel clears its pages each time: a third of
a step's time with `cnn15` on two cores (lab/LOG.md).
Knows neither networks nor data.
"""

import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from mien.errors import MienError, MissingExtraError

__all__ = ["Worker", "keep_freed_memory", "launch"]

T = TypeVar("T")
# Parameters of mallopt(3), with values for which no memory is given back.
_MALLOPT = (
    (-1, -1),  # M_TRIM_THRESHOLD: the top of the heap is never given back
    (-2, 64 << 20),  # M_TOP_PAD: it grows by 64 MiB and more
    (-4, 0),  # M_MMAP_MAX: nothing is mapped on its own
    (-8, 1),  # M_ARENA_MAX: the backward pass, another thread, uses the same heap
)


class Worker:
    """One of the processes that train together, or the only one.

    Attributes:
        rank: number of this process; 0 writes the files.
        size: how many processes there are.
        device: where this process computes.
    """

    def __init__(self, fabric: Any = None) -> None:
        """Describe this process.

        Args:
            fabric: of this process, launched; None for the only process.
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
        """Return what computes a network's logits; gradients are averaged over the processes."""
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
        """Average a number over the processes."""
        if not self._fabric:
            return value
        return float(self._fabric.all_reduce(torch.tensor(value, device=self.device)))

    def on_first(self, call: Callable[[], T]) -> T:
        """Call a function in the first process, and return its result in all of them.

        Args:
            call: the function; an error of ours is raised in all processes.

        Returns:
            What it returned.

        Raises:
            MienError: that the first process met.
        """
        if not self._fabric:
            return call()
        outcome = _result_or_error(call) if self.rank == 0 else None
        result: T = _unpack(self._fabric.broadcast(outcome))
        return result


def launch(devices: int, work: Callable[[Worker], T]) -> T:
    """Call a function in as many processes as there are devices.

    Args:
        devices: 1 stays in this process.
        work: the function; with several devices it must be possible to pickle it.

    Returns:
        What the first process returned.

    Raises:
        MienError: that the work met.
        MissingExtraError: if Lightning Fabric is not installed.
    """
    if devices == 1:
        return work(Worker())
    try:
        from lightning_fabric import Fabric
    except ModuleNotFoundError:
        raise MissingExtraError("devices above 1", "train") from None
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    fabric = Fabric(accelerator=kind, devices=devices, strategy="ddp_spawn")
    result: T = _unpack(fabric.launch(_process, work))  # type: ignore[arg-type]
    return result


def _process(fabric: Any, work: Callable[[Worker], T]) -> Any:
    """Run in each process: return the result or an error of ours, and close the connections."""
    try:
        return _result_or_error(lambda: work(Worker(fabric)))
    finally:  # a process that ends while gloo's threads run is aborted by C++
        gc.collect()  # a network in a cycle of references would keep them running
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _result_or_error(call: Callable[[], Any]) -> tuple[Any, MienError | None]:
    try:
        return call(), None
    except MienError as error:
        return None, _without_frames(error)


def _without_frames(error: MienError) -> MienError:
    """Drop the frames where an error was raised: they hold the network and its threads."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


def _unpack(outcome: tuple[Any, MienError | None]) -> Any:
    """Return the result, or raise the error."""
    result, error = outcome
    if error is not None:
        raise error
    return result


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed memory for the rest of the process.

    Returns:
        Whether it obeys: False where the C library is another one.

    Source:
        mallopt(3) of the Linux manual.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and all([mallopt(key, value) for key, value in _MALLOPT])
