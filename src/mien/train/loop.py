"""The one training loop: every network and every search runs through it.

The way through: crops -> held-out part -> epochs of augmented batches -> after each epoch the
averaged weights are judged on the held-out part, the best are kept, a checkpoint is written.
Every epoch draws from its own seed, so a run that was killed resumes to the identical state.
Test pictures are read for one purpose only: to drop their copies from training.
"""

import copy
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mien.data import manifest
from mien.data.augment import Augment, Strength
from mien.data.loader import Crops, batches, drop_leaks, load, normalise
from mien.data.mix import mix
from mien.errors import BadDataError, BadModelError, BadSettingError
from mien.labels import LABELS, NEUTRAL, NEUTRAL_INDEX
from mien.models import zoo
from mien.show.sinks import CsvSink, write_text
from mien.train import checkpoint, config
from mien.train.config import TrainConfig
from mien.train.descent import optimiser, rate_at

__all__ = ["BEST", "LAST", "Data", "gather", "predict", "train"]

BEST, LAST = "best.safetensors", "last.safetensors"
_EVALUATE = 256  # crops a batch when judging
Progress = Callable[[range, str], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Data:
    """What a run trains on and is judged by.

    Attributes:
        train: crops to learn from.
        held: training pictures held out; they choose the epoch and the temperature.
        leaked: training crops dropped as copies of test crops of any folder.
        echoed: training crops dropped as copies of held-out ones.
    """

    train: Crops
    held: Crops
    leaked: int
    echoed: int


def gather(settings: TrainConfig) -> Data:
    """Load the crops of a run, hold a part out and close every leak.

    Args:
        settings: names the folders, the share held out and the seed.

    Returns:
        The crops.

    Raises:
        BadDataError: if a folder is missing or an expression has no picture.
    """
    crops = load(settings.data, "train", settings.augment and settings.colour > 0)
    if not settings.neutral:
        crops = crops.where(np.array([row.label != NEUTRAL for row in crops.rows]))
    leaked = 0
    if any(row.split == "test" for folder in settings.data for row in manifest.read(folder)):
        crops, leaked = drop_leaks(crops, load(settings.data, "test"))
    held_out = manifest.hold_out(crops.rows, settings.hold_out, settings.seed)
    train, held, echoed = crops.where(~held_out), crops.where(held_out), 0
    if len(held):
        train, echoed = drop_leaks(train, held)
    missing = set(LABELS) - {row.label for row in train.rows}
    if missing:
        raise BadDataError(
            f"no training picture of {', '.join(sorted(missing))}", fix="check data in the config"
        )
    if settings.shuffle_labels:
        train = train.dealt_anew(settings.seed)
    return Data(train, held, leaked, echoed)


def train(
    settings: TrainConfig,
    out: Path,
    resume: bool = False,
    progress: Progress = lambda steps, _: steps,
    report: Callable[[dict[str, Any]], None] = lambda row: None,
) -> list[dict[str, Any]]:
    """Train a network.

    Args:
        settings: of the run.
        out: the run's folder: settings, checkpoints, history.
        resume: continue a run of the same settings from its last whole epoch.
        progress: wraps the steps of an epoch, to show how far it is.
        report: is given the history row of each epoch.

    Returns:
        The history, one row an epoch.

    Raises:
        BadSettingError: if `out` holds a run and `resume` is off, or one of other settings.
        BadDataError: if the data are not there.
        BadModelError: if the loss is no number any more.
        OutputError: if the folder cannot be written.
    """
    _refuse_other_run(out, settings, resume)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    data = gather(settings)
    run = _Run(settings, len(data.train))
    history: list[dict[str, Any]] = []
    if resume and (out / LAST).exists():
        history = checkpoint.load(out / LAST, run.model, run.average, run.optimiser)["history"]
    _describe(out, settings, data)
    while len(history) < settings.epochs and not _stopped(history, settings.patience):
        row = run.epoch(len(history), data, progress)
        best = max((r["held_accuracy"] for r in history), default=-1.0)
        history.append(row)
        state = {"history": history}
        if row["held_accuracy"] > best or not len(data.held):
            checkpoint.save(out / BEST, run.model, run.average, run.optimiser, state)
        checkpoint.save(out / LAST, run.model, run.average, run.optimiser, state)
        _write_history(out / "history.csv", history)
        report(row)
    return history


class _Run:
    """The moving parts of a run: network, average, optimiser, schedule."""

    def __init__(self, settings: TrainConfig, count: int) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        outputs = len(LABELS) + settings.neutral
        model = zoo.build(settings.model, outputs, settings.dropout)
        self.model = model.to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.forward: Callable[[Tensor], Tensor] = self.model
        if settings.compile:
            self.forward = torch.compile(self.model)
        self.augment = Augment(Strength.of(settings)).to(self.device)
        self.steps = max(1, count // settings.batch)
        self.optimiser = optimiser(self.model, settings)

    def epoch(self, number: int, data: Data, progress: Progress) -> dict[str, Any]:
        """Train one epoch and judge the averaged weights."""
        start = time.perf_counter()
        torch.manual_seed(self.settings.seed * 100_003 + number)
        generator = torch.Generator().manual_seed(self.settings.seed * 100_003 + number)
        total = 0.0
        self.model.train()
        stream = batches(data.train, self.settings.batch, generator)
        for step in progress(range(self.steps), f"epoch {number + 1}/{self.settings.epochs}"):
            total += self._step(number * self.steps + step, *next(stream))
        row: dict[str, Any] = {"epoch": number + 1, "train_loss": round(total / self.steps, 5)}
        row |= judge(self.average, data.held, self.settings)
        return row | {"rate": self._rate(), "seconds": round(time.perf_counter() - start, 1)}

    def _step(self, step: int, crops: Tensor, targets: Tensor) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(step, self.steps * self.settings.epochs, self.settings)
        gray, targets = self._changed(crops.to(self.device), targets.to(self.device))
        batch = normalise(gray).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.bf16):
            logits = self.forward(batch)
        loss = cross_entropy(logits.float(), targets, label_smoothing=self.settings.smoothing)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise BadModelError(
                f"the loss became {value} at step {step}; the last whole epoch is kept",
                fix="lower the rate, or train with bf16 = false",
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self._follow(step)
        return value

    def _changed(self, crops: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Augment a batch; mixed crops have shares of the classes as targets."""
        if not self.settings.augment:
            return crops, targets
        gray, outputs = self.augment(crops), len(LABELS) + self.settings.neutral
        return mix(gray, targets, outputs, self.settings.mixup, self.settings.cutmix)

    def _follow(self, step: int) -> None:
        """Move the average towards the weights; early on faster, so it forgets the start."""
        keep = min(self.settings.average, (step + 1) / (step + 10)) if self.settings.average else 0
        for slow, fast in zip(_state(self.average), _state(self.model), strict=True):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - keep)
            else:
                slow.copy_(fast)

    def _rate(self) -> float:
        return round(float(self.optimiser.param_groups[0]["lr"]), 6)


def _state(model: nn.Module) -> Iterator[Tensor]:
    """Every weight and statistic once, though layers may share it."""
    for tensor in chain(model.parameters(), model.buffers()):
        yield tensor.detach()


@torch.inference_mode()
def predict(model: nn.Module, crops: Crops) -> Tensor:
    """Return a network's logits for crops, as they are.

    Args:
        model: takes (N, 3, 64, 64).
        crops: what to classify.

    Returns:
        shape (N, outputs), float32, on CPU.
    """
    device = next(model.parameters()).device
    model.eval()
    parts = [
        model(normalise(gray[:, None].to(device).float() / 255)).float().cpu()
        for gray in torch.split(crops.gray, _EVALUATE)
    ]
    return torch.cat(parts)


def judge(model: nn.Module, held: Crops, settings: TrainConfig) -> dict[str, float]:
    """Measure a network on held-out training pictures.

    Args:
        model: the averaged weights.
        held: held-out crops; none of the six expressions gives zeros.
        settings: of the run.

    Returns:
        Loss, and six-class accuracy averaged over the databases, so that none outweighs another.
    """
    six = np.array([row.label != NEUTRAL for row in held.rows], dtype=np.bool_)
    if not six.any():
        return {"held_loss": 0.0, "held_accuracy": 0.0}
    logits = predict(model, held)
    loss = float(cross_entropy(logits, held.targets))
    right = (logits[:, :NEUTRAL_INDEX].argmax(dim=1) == held.targets).numpy()
    sources = np.array([row.source for row in held.rows])
    rates = [right[six & (sources == source)].mean() for source in np.unique(sources[six])]
    return {"held_loss": round(loss, 5), "held_accuracy": round(float(np.mean(rates)), 5)}


def _stopped(history: list[dict[str, Any]], patience: int) -> bool:
    accuracies = [row["held_accuracy"] for row in history]
    return bool(patience) and len(history) - 1 - int(np.argmax([*accuracies, -1.0])) >= patience


def _refuse_other_run(out: Path, settings: TrainConfig, resume: bool) -> None:
    """Check that the folder holds no run, or one of these settings to be resumed."""
    path = out / "config.toml"
    if path.exists() and not resume:
        raise BadSettingError(f"{out} holds a run", fix="add --resume, or choose another --out")
    if path.exists() and config.load(path) != settings:
        raise BadSettingError(
            f"{out} holds a run of other settings", fix="choose another --out for these"
        )


def _describe(out: Path, settings: TrainConfig, data: Data) -> None:
    """Claim the folder for a run that can start, and note what it trains on."""
    write_text(config.to_toml(settings), out / "config.toml")
    counts: dict[str, int] = {}
    for row in data.train.rows:
        counts[row.source] = counts.get(row.source, 0) + 1
    record = {
        "train": len(data.train),
        "train_by_source": counts,
        "held_out": len(data.held),
        "copies_of_test_dropped": data.leaked,
        "copies_of_held_out_dropped": data.echoed,
        "torch": torch.__version__,
        "seed": settings.seed,
    }
    write_text(json.dumps(record, indent=2) + "\n", out / "data.json")


def _write_history(path: Path, history: list[dict[str, Any]]) -> None:
    with CsvSink(path, list(history[0])) as table:
        for row in history:
            table.write(row.values())
