"""The training loop: every network and every search runs through it.

Pipeline: training and held-out crops (`mien.train.data`) -> epochs of augmented batches -> after
each epoch the averaged weights are validated on the held-out crops, the best weights are kept and
a checkpoint is written.
Every epoch has its own random seed, so a run that was killed resumes to the identical state.
"""

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, compress, islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import get_ema_multi_avg_fn

from mien.cores import at_most_cores
from mien.evaluate.learned import EARLIER, START
from mien.media.parts import remove_leftovers
from mien.train.augment import Augment, Strength, mix
from mien.train.config import TrainConfig
from mien.train.data import Data, load_data
from mien.train.dataset import Crops, batch_rows, batches, normalise
from mien.train.distill import Teachers, distillation_loss, origin_of_teacher
from mien.train.distributed import Worker, keep_freed_memory, launch
from mien.train.divergence import BadLossError, refuse_no_number, stop_diverged
from mien.train.first import earlier_runs, first_network, origin_of
from mien.train.guide import Guide, WithFeatures
from mien.train.held_out import held_out_record
from mien.train.history import restore_history, write_history
from mien.train.optim import layout_of, optimiser, rate_at, resize, side_at
from mien.train.run import (
    BEST,
    FOLD,
    FOLDS,
    LAST,
    TEACHERS,
    History,
    load_checkpoint,
    made_with,
    refuse_other_run,
    save_checkpoint,
    write_description,
)
from mien.train.validate import best_epoch, out_of_patience, validate

__all__ = ["EpochProgress", "EpochReport", "Trainer", "no_progress", "no_report", "train"]

# Batches augmented at once: many small kernels take a GPU longer to start than to run.
_AUGMENTED_AT_ONCE = {"cuda": 8}
# Crops and targets; where maps are guided, also classes and places, as `Guide` needs them.
_Batches = Iterator[tuple[Tensor, ...]]
# Is given the steps of an epoch and its name; yields the steps and shows how far they are.
EpochProgress = Callable[[range, str], Iterable[int]]
# Is given the history row of an epoch; ends the run by returning True.
EpochReport = Callable[[dict[str, Any]], bool | None]


def no_progress(steps: range, _epoch: str) -> Iterable[int]:
    """Show nothing: an `EpochProgress`."""
    return steps


def no_report(_row: dict[str, Any]) -> None:
    """Report nothing: an `EpochReport`."""


def train(
    settings: TrainConfig,
    out: Path,
    resume: bool = False,
    progress: EpochProgress = no_progress,
    report: EpochReport = no_report,
    data: Data | None = None,
) -> History:
    """Train a network.

    Args:
        settings: of the run.
        out: the run's folder: settings, checkpoints, history.
        resume: continue a run of the same settings from its last whole epoch.
        progress: wraps the steps of an epoch, to show how far it is.
        report: is given the history row of each epoch; by returning True it ends the run.
        data: what to train on; by default what the settings name.

    Returns:
        The history, one row an epoch.

    Raises:
        BadSettingError: if `out` holds a run and `resume` is off, or one of other settings.
        BadDataError: if the data are not there.
        DivergedError: if the loss is no number any more, or the weights.
        OutputError: if the folder cannot be written.
    """
    refuse_other_run(out, settings, resume)
    remove_leftovers(out)
    job = _Job(settings, out, resume, progress, report, data or load_data(settings))
    return launch(settings.devices, partial(_train, job=job))


@dataclass(frozen=True, slots=True)
class _Job:
    """What every process of a run is given: the arguments of `train`."""

    settings: TrainConfig
    out: Path
    resume: bool
    progress: EpochProgress
    report: EpochReport
    data: Data


def _train(worker: Worker, job: _Job) -> History:
    """Train in one process; the first one writes the files and reports."""
    settings, out = job.settings, job.out
    if settings.threads:
        torch.set_num_threads(at_most_cores(settings.threads))
    keep_freed_memory()
    trainer = Trainer(settings, job.data.train, worker)
    data = replace(job.data, train=job.data.train.to(worker.device))
    history: History = []
    if job.resume and (out / LAST).exists():
        state = trainer.model, trainer.average, trainer.optimiser
        history = load_checkpoint(out / LAST, *state)["history"]
        worker.on_first(partial(restore_history, out))
    worker.on_first(lambda: _describe(data, settings, out))
    progress = job.progress if worker.rank == 0 else no_progress
    ended = False
    while not ended and len(history) < settings.epochs:
        if out_of_patience(history, settings.patience):
            break
        try:
            row = trainer.epoch(len(history), data, progress)
        except BadLossError as error:
            used = replace(settings, bf16=trainer.bf16)
            stop = partial(stop_diverged, error, out, used, len(history))
            raise worker.on_first(stop) from None
        history.append(row)
        is_best = best_epoch(history) is row
        worker.on_first(partial(_save, out, trainer, history, is_best))
        ended = worker.on_first(partial(job.report, row)) is True
    return history


def _describe(data: Data, settings: TrainConfig, out: Path) -> None:
    counts: dict[str, Any] = {
        "hold_out": 0.0 if settings.folds else settings.hold_out,
        "draw": settings.draw,
        **held_out_record(settings),
        "held_out": len(data.held),
        "copies_of_test_dropped": data.test_copies,
        "copies_of_held_out_dropped": data.held_copies,
        **made_with(),
    }
    if settings.folds:
        counts[FOLDS] = settings.folds
    if data.fold:
        counts[FOLD] = data.fold
    if origin := origin_of(settings.start):
        counts[START] = origin
    if runs := earlier_runs(settings.start):
        counts[EARLIER] = runs
    if settings.teachers:
        counts[TEACHERS] = [origin_of_teacher(teacher) for teacher in settings.teachers]
    write_description(out, settings, data.train.labels, data.train.rows, counts)


def _save(out: Path, trainer: "Trainer", history: History, is_best: bool) -> None:
    progress = {"history": history}
    for name in (BEST, LAST) if is_best else (LAST,):
        save_checkpoint(out / name, trainer.model, trainer.average, trainer.optimiser, progress)
    write_history(out, history)


class Trainer:
    """The state of a run: network, averaged network, optimiser, and what is made from settings."""

    def __init__(self, settings: TrainConfig, crops: Crops, worker: Worker) -> None:
        """Build the parts.

        Args:
            settings: of the run.
            crops: that are trained on.
            worker: the process that trains.
        """
        torch.manual_seed(settings.seed)
        self.settings, self.worker, self.device = settings, worker, worker.device
        self.labels = crops.labels
        self.model = first_network(settings, crops).to(self.device)
        self.layout = layout_of(self.model, self.device)
        self.model.to(memory_format=self.layout)  # type: ignore[call-overload]
        self.average = self.model
        if settings.average:
            self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.guide = None
        if settings.guide:
            self.guide = Guide(self.model, settings, self.device, self.labels)
        trained = WithFeatures(self.model) if self.guide else self.model
        self.forward: Callable[[Tensor], Any] = worker.wrap(trained)
        if settings.compile:
            self.forward = torch.compile(self.forward, dynamic=False)  # crops have few sizes
        self.bf16 = settings.bf16 and worker.has_bf16
        self.augment = Augment(Strength.of(settings), self.model.side).to(self.device)
        self.steps = max(1, len(crops) // settings.batch)
        self.optimiser = optimiser(self.model, settings)
        self.teachers: Callable[[Tensor, float], Tensor] | None = None
        if settings.teachers:
            teachers = Teachers(settings.teachers, settings).to(self.device)
            teachers.to(memory_format=self.layout)  # type: ignore[call-overload]
            self.teachers = torch.compile(teachers, dynamic=False) if settings.compile else teachers

    def epoch(self, number: int, data: Data, progress: EpochProgress) -> dict[str, Any]:
        """Train one epoch and validate the averaged weights.

        Args:
            number: of the epoch, from 0.
            data: of the run.
            progress: wraps the steps.

        Returns:
            The epoch's row of the history.

        Raises:
            BadLossError: if the loss is no number any more, or the weights.
        """
        start = time.perf_counter()
        seed = self.settings.seed * 100_003 + number
        # each process augments its own share of a batch
        torch.manual_seed(seed + self.worker.rank * 1_000_000_007)
        total = 0.0
        self.model.train()
        if self.settings.frozen:  # batch norm keeps its statistics too
            self.model.features.eval()
        size, balance = self.settings.batch, self.settings.balance
        order = torch.Generator().manual_seed(seed)
        more = [data.train.guided()] if self.guide else []
        stream = self._augmented(batches(data.train, size, order, balance, more))
        for step in progress(range(self.steps), f"epoch {number + 1}/{self.settings.epochs}"):
            loss = self.worker.mean(self._step(number * self.steps + step, *next(stream)))
            if not math.isfinite(loss):
                order = torch.Generator().manual_seed(seed)
                rows = batch_rows(data.train, size, order, balance, step)
                where = f"batch {step + 1} of epoch {number + 1}"
                raise BadLossError(f"the loss became {loss} in {where}", rows)
            total += loss
        row: dict[str, Any] = {"epoch": number + 1, "train_loss": round(total / self.steps, 5)}
        if self.guide:
            row["map_distance"] = round(self.guide.mean_distance(), 5)
        row |= self.worker.on_first(lambda: validate(self.average, data.held))
        refuse_no_number(row)
        row["rate"] = round(float(self.optimiser.param_groups[0]["lr"]), 6)
        return row | {"seconds": round(time.perf_counter() - start, 1)}

    def _augmented(self, stream: _Batches) -> _Batches:
        """Yield this process's share of every batch, on its device, with each crop augmented."""
        count = _AUGMENTED_AT_ONCE.get(self.device.type, 1)
        while group := list(islice(stream, count)):
            shared = [tuple(self.worker.share(part) for part in batch) for batch in group]
            sizes = [len(batch[0]) for batch in shared]
            crops, targets, *guided = (
                torch.cat(parts).to(self.device) for parts in zip(*shared, strict=True)
            )
            if self.guide:
                places = self.guide.places(guided[0])
                if self.settings.augment:
                    crops, places = self.augment.with_places(crops, places)
                guided.append(places)
            elif self.settings.augment:
                crops = self.augment(crops)
            columns = (torch.split(column, sizes) for column in (crops, targets, *guided))
            yield from zip(*columns, strict=True)

    def _step(self, step: int, crops: Tensor, targets: Tensor, *guided: Tensor) -> float:
        """Take one step of the optimiser and return the loss before it."""
        for group in self.optimiser.param_groups:
            rate = rate_at(step, self.steps * self.settings.epochs, self.settings)
            group["lr"] = rate * group["share"]
        if targets.ndim == 2 and not self.settings.neutral:
            targets = _without_neutral(targets, len(self.labels.names))
        crops, targets = self._mix(crops, targets)
        crops = resize(crops, side_at(step // self.steps, self.settings, self.model.side))
        batch = normalise(crops).contiguous(memory_format=self.layout)
        temperature = self.settings.heat
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            output = self.forward(batch)
            logits = output[0] if self.guide else output
            answers = None if self.teachers is None else self.teachers(batch, temperature)
        loss = cross_entropy(logits.float(), targets, label_smoothing=self.settings.smoothing)
        if answers is not None:
            distance = distillation_loss(logits.float(), answers, temperature)
            loss = torch.lerp(loss, distance, self.settings.distil)
        if self.guide:
            loss = loss + self.guide.loss(output[1].float(), answers, *guided)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self._update_average(step)
        return float(loss.detach())

    def _mix(self, crops: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Mix the crops of a batch if that is on; the targets are shares of the classes then."""
        if not self.settings.augment:
            return crops, targets
        outputs = self.labels.outputs(self.settings.neutral)
        return mix(crops, targets, outputs, self.settings.mixup, self.settings.cutmix)

    def _update_average(self, step: int) -> None:
        """Move the average towards the weights; faster in the first steps, to forget the start."""
        if self.average is self.model:
            return
        keep = min(self.settings.average, (step + 1) / (step + 10))
        averages, values = list(_tensors(self.average)), list(_tensors(self.model))
        smooth = [tensor.dtype.is_floating_point for tensor in averages]
        # one kernel for all on a GPU
        update = get_ema_multi_avg_fn(keep)  # type: ignore[no-untyped-call]
        update(list(compress(averages, smooth)), list(compress(values, smooth)), None)
        for average, value, is_smooth in zip(averages, values, smooth, strict=True):
            if not is_smooth:
                average.copy_(value)


def _without_neutral(shares: Tensor, count: int) -> Tensor:
    """Keep the shares of scored classes; a picture has a label among them, so some is left."""
    scored = shares[:, :count]
    return scored / scored.sum(dim=1, keepdim=True)


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    """Yield every weight and statistic once, though layers may share it."""
    for tensor in chain(model.parameters(), model.buffers()):
        yield tensor.detach()
