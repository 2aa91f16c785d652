"""The one training loop: every network and every search runs through it.

The way through: crops and the held-out part, see `mien.train.data` -> epochs of augmented batches
-> after each epoch the averaged weights are judged on the held-out part, the best are kept, a
checkpoint is written.
Every epoch draws from its own seed, so a run that was killed resumes to the identical state.
"""

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from mien.labels import LABELS, NEUTRAL_INDEX
from mien.models import zoo
from mien.pixels import SIDE
from mien.train.augment import Augment, Strength, mix
from mien.train.config import BEST, LAST, TrainConfig
from mien.train.data import Data, gather
from mien.train.dataset import batches, normalise, rows_of
from mien.train.distill import Teachers, distance
from mien.train.distributed import Team, keep_freed, launch
from mien.train.optim import optimiser, rate_at, side_at
from mien.train.run import (
    BadLossError,
    describe,
    earlier,
    explained,
    load_checkpoint,
    refuse_other_run,
    save_checkpoint,
    write_history,
)
from mien.train.validate import judge, stopped

__all__ = ["Run", "train"]

# Batches changed at once: many small kernels take a GPU longer to start than to run.
_AHEAD = {"cuda": 8}
Progress = Callable[[range, str], Iterable[int]]
Report = Callable[[dict[str, Any]], bool | None]
History = list[dict[str, Any]]


def _as_they_are(steps: range, _name: str) -> Iterable[int]:
    return steps


def _silent(_row: dict[str, Any]) -> None:
    return None


def train(
    settings: TrainConfig,
    out: Path,
    resume: bool = False,
    progress: Progress = _as_they_are,
    report: Report = _silent,
    data: Data | None = None,
) -> History:
    """Train a network.

    Args:
        settings: of the run.
        out: the run's folder: settings, checkpoints, history.
        resume: continue a run of the same settings from its last whole epoch.
        progress: wraps the steps of an epoch, to show how far it is.
        report: is given the history row of each epoch; by returning True it ends the run.
        data: what to train on; by default what `gather` finds by the settings.

    Returns:
        The history, one row an epoch.

    Raises:
        BadSettingError: if `out` holds a run and `resume` is off, or one of other settings.
        BadDataError: if the data are not there.
        BadModelError: if the loss is no number any more.
        OutputError: if the folder cannot be written.
    """
    refuse_other_run(out, settings, resume)
    work = partial(_work, settings=settings, out=out, resume=resume, told=(progress, report))
    return launch(settings.devices, partial(work, data=data or gather(settings)))


def _work(
    team: Team,
    settings: TrainConfig,
    out: Path,
    resume: bool,
    told: tuple[Progress, Report],
    data: Data,
) -> History:
    """Train in one process, which may be one of a team."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    keep_freed()
    run = Run(settings, len(data.train), team)
    data = replace(data, train=data.train.on(team.device))
    history: History = []
    if resume and (out / LAST).exists():
        history = load_checkpoint(out / LAST, run.model, run.average, run.optimiser)["history"]
    team.first(lambda: describe(out, settings, data.train.rows, _counts(data)))
    progress, report = told if team.rank == 0 else (_as_they_are, _silent)
    over = False
    while not over and len(history) < settings.epochs and not stopped(history, settings.patience):
        try:
            row = run.epoch(len(history), data, progress)
        except BadLossError as error:
            raise team.first(lambda e=error: explained(e, out)) from None  # type: ignore[misc]
        better = row["held_accuracy"] > max((r["held_accuracy"] for r in history), default=-1.0)
        history.append(row)
        team.first(lambda keep=better: _save(out, run, history, keep or not len(data.held)))  # type: ignore[misc]
        over = team.first(lambda last=row: report(last)) is True  # type: ignore[misc]
    return history


def _counts(data: Data) -> dict[str, Any]:
    return {
        "held_out": len(data.held),
        "copies_of_test_dropped": data.leaked,
        "copies_of_held_out_dropped": data.echoed,
        "torch": torch.__version__,
    }


def _save(out: Path, run: "Run", history: History, best: bool) -> None:
    for name in (BEST, LAST) if best else (LAST,):
        save_checkpoint(out / name, run.model, run.average, run.optimiser, {"history": history})
    write_history(out / "history.csv", history)


class Run:
    """The moving parts of a run: network, average, optimiser, schedule."""

    def __init__(self, settings: TrainConfig, count: int, team: Team) -> None:
        """Build them.

        Args:
            settings: of the run.
            count: crops trained on.
            team: who trains.
        """
        torch.manual_seed(settings.seed)
        self.settings, self.team, self.device = settings, team, team.device
        outputs = len(LABELS) + settings.neutral
        model = zoo.build(settings.model, outputs, settings.dropout)
        if settings.start:
            begun = earlier(Path(settings.start), "start", settings, "model").network
            model.load_state_dict(begun.state_dict())
        self.model = model.to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = self.model
        if settings.average:
            self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.forward: Callable[[Tensor], Tensor] = team.wrap(self.model)
        if settings.compile:
            self.forward = torch.compile(self.forward, dynamic=False)  # crops have few sizes
        self.bf16 = settings.bf16 and team.has_bf16
        self.augment = Augment(Strength.of(settings)).to(self.device)
        self.steps = max(1, count // settings.batch)
        self.optimiser = optimiser(self.model, settings)
        self.teachers: Callable[[Tensor, float], Tensor] | None = None
        if settings.teachers:
            teachers = Teachers(settings.teachers, settings).to(self.device)
            teachers.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.teachers = torch.compile(teachers, dynamic=False) if settings.compile else teachers

    def epoch(self, number: int, data: Data, progress: Progress) -> dict[str, Any]:
        """Train one epoch and judge the averaged weights.

        Args:
            number: of the epoch, from 0.
            data: of the run.
            progress: wraps the steps.

        Returns:
            The epoch's row of the history.

        Raises:
            BadLossError: if the loss is no number any more.
        """
        start = time.perf_counter()
        seed = self.settings.seed * 100_003 + number
        torch.manual_seed(seed + self.team.rank * 1_000_000_007)  # each augments its own share
        total = 0.0
        self.model.train()
        size, balance = self.settings.batch, self.settings.balance
        stream = self._fed(batches(data.train, size, torch.Generator().manual_seed(seed), balance))
        for step in progress(range(self.steps), f"epoch {number + 1}/{self.settings.epochs}"):
            value = self.team.mean(self._step(number * self.steps + step, *next(stream)))
            if not math.isfinite(value):
                again = torch.Generator().manual_seed(seed)
                rows = rows_of(data.train, size, again, balance, step)
                raise BadLossError(value, f"batch {step + 1} of epoch {number + 1}", rows)
            total += value
        row: dict[str, Any] = {"epoch": number + 1, "train_loss": round(total / self.steps, 5)}
        row |= self.team.first(lambda: judge(self.average, data.held, self.settings))
        return row | {"rate": self._rate(), "seconds": round(time.perf_counter() - start, 1)}

    def _step(self, step: int, crops: Tensor, targets: Tensor) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(step, self.steps * self.settings.epochs, self.settings)
        if targets.ndim == 2 and not self.settings.neutral:
            targets = _among_six(targets)
        gray, targets = self._mixed(crops, targets)
        gray = _sized(gray, side_at(step // self.steps, self.settings))
        batch = normalise(gray).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.forward(batch)
            answers = None if self.teachers is None else self.teachers(batch, self.settings.heat)
        loss = cross_entropy(logits.float(), targets, label_smoothing=self.settings.smoothing)
        if answers is not None:
            far = distance(logits.float(), answers, self.settings.heat)
            loss = torch.lerp(loss, far, self.settings.distil)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self._follow(step)
        return float(loss.detach())

    def _fed(self, stream: Iterator[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield this process's share of every batch, on its device and each crop changed."""
        ahead = _AHEAD.get(self.device.type, 1)
        while some := list(islice(stream, ahead)):
            shares = [self.team.share(targets) for _, targets in some]
            crops = torch.cat([self.team.share(crops) for crops, _ in some]).to(self.device)
            if self.settings.augment:
                crops = self.augment(crops)
            parts = torch.split(crops, [len(targets) for targets in shares])
            yield from zip(parts, (t.to(self.device) for t in shares), strict=True)

    def _mixed(self, gray: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Mix the crops of a batch if asked; their targets are shares of the classes then."""
        if not self.settings.augment:
            return gray, targets
        outputs = len(LABELS) + self.settings.neutral
        return mix(gray, targets, outputs, self.settings.mixup, self.settings.cutmix)

    def _follow(self, step: int) -> None:
        """Move the average towards the weights; early on faster, so it forgets the start."""
        if self.average is self.model:
            return
        keep = min(self.settings.average, (step + 1) / (step + 10))
        for slow, fast in zip(_state(self.average), _state(self.model), strict=True):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - keep)
            else:
                slow.copy_(fast)

    def _rate(self) -> float:
        return round(float(self.optimiser.param_groups[0]["lr"]), 6)


def _among_six(shares: Tensor) -> Tensor:
    """Leave neutral out of shares (N, 7); a picture has a label among the six, so some is left."""
    six = shares[:, :NEUTRAL_INDEX]
    return six / six.sum(dim=1, keepdim=True)


def _sized(gray: Tensor, side: int) -> Tensor:
    """Shrink crops (N, C, 64, 64) to a side; with 64 they stay as they are."""
    if side == SIDE:
        return gray
    return interpolate(gray, (side, side), mode="bilinear", antialias=True)


def _state(model: nn.Module) -> Iterator[Tensor]:
    """Every weight and statistic once, though layers may share it."""
    for tensor in chain(model.parameters(), model.buffers()):
        yield tensor.detach()
