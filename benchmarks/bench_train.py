"""Does training cost more than the network's own forward and backward passes?

For each network, in float32 and, where the device has it, in bfloat16, a batch of 64: our loop
(shuffle, augment, normalise, forward, backward, step, average) beside bare forward and backward
passes on one batch that is already a tensor; then our loop without augmentation beside the same
recipe as the plainest torch loop, which must see the same losses. On a GPU where there is one. All
four keep what they free (`mien.train.distributed`); what that is worth, and the peak of memory, is
seen in processes of their own, in turn with and without.

Run: python -m benchmarks.bench_train [--only NAME]...          (needs the train extra)
With --only, the figures of other networks stay in the file.
Goals: bare / loop at least 0.85; loop / plain loop at most 1.
Check, first: in float32 and in one memory format the losses of both loops are equal, at a low rate;
every loss is finite. (In two formats rounding soon tells: resnet34, 0.8 % at a rate of 0.01.)
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks import portraits, timing
from mien import labels, pixels
from mien.data.manifest import Row
from mien.models import zoo
from mien.train.config import TrainConfig
from mien.train.data import Data
from mien.train.dataset import Crops
from mien.train.distributed import Worker, keep_freed_memory
from mien.train.optim import layout_of, rate_at
from mien.train.trainer import Trainer

BATCH, STEPS, REPEATS, TURNS, LIMIT = 64, 3, 5, 3, 1 / 0.85
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
KINDS = {"float32": False} | ({"bfloat16": True} if Worker().has_bf16 else {})
OPTIONS = {"neutral": False, "batch": BATCH, "rate": 0.01, "hold_out": 0.0, "epochs": 50}
CHECKED: dict[str, Any] = {
    "rate": 0.001, "schedule": "constant", "augment": False, "average": 0.0, "dropout": 0.0,
}  # fmt: skip
CLOSE = 5e-5  # relative; a loop without Nesterov's correction is 1.4e-4 off


def made(name: str) -> Data:
    """Crops for a network, one epoch of a few steps; nothing is held out, so nothing is judged."""
    side = zoo.side_of(name)
    gray = [pixels.to_side(crop, side) for crop in portraits.crops(BATCH * STEPS)[..., 0]]
    crops = torch.from_numpy(np.stack(gray))
    names = [labels.LABELS[i % 6] for i in range(len(crops))]
    rows = [Row(f"{i}", name, "made", "train", "", "", f"{i}", "") for i, name in enumerate(names)]
    train = Crops(rows, crops, torch.tensor([i % 6 for i in range(len(crops))]))
    return Data(train, train.where(np.zeros(len(crops), dtype=np.bool_)), 0, 0)


def settings_of(name: str, bf16: bool, **changes: float) -> TrainConfig:
    return replace(TrainConfig(data=("made",), model=name, bf16=bf16, **OPTIONS), **changes)


def loop(settings: TrainConfig, data: Data) -> Callable[[], float]:
    """Return an epoch of our loop; each call is the next."""
    run, done = Trainer(settings, data.train, Worker()), [0]

    def epoch() -> float:
        row = run.epoch(done[0], data, lambda steps, _: steps)
        done[0] += 1
        return float(row["train_loss"])

    return epoch


def bare(settings: TrainConfig, data: Data) -> Callable[[], float]:
    """Return as many forward and backward passes as an epoch has steps, on one ready batch."""
    model = zoo.build(settings.model, 6, settings.dropout).to(DEVICE).train()
    layout = layout_of(model, torch.device(DEVICE))
    model.to(memory_format=layout)
    batch = tensors(data.train.gray[:BATCH]).contiguous(memory_format=layout)
    targets = data.train.targets[:BATCH].to(DEVICE)

    def passes() -> float:
        for _ in range(STEPS):
            with torch.autocast(DEVICE, torch.bfloat16, enabled=settings.bf16):
                logits = model(batch)
            loss = cross_entropy(logits.float(), targets, label_smoothing=settings.smoothing)
            model.zero_grad(set_to_none=True)
            loss.backward()
        return loss.item()

    return passes


def plain(
    settings: TrainConfig, data: Data, layout: torch.memory_format = torch.contiguous_format
) -> Callable[[], float]:
    """Return an epoch of the same recipe as anybody would write it; each call is the next."""
    torch.manual_seed(settings.seed)
    model = zoo.build(settings.model, 6, settings.dropout).to(DEVICE)
    model.to(memory_format=layout)
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": settings.weight_decay}, {"params": others}]
    optimiser = torch.optim.SGD(groups, settings.rate, settings.momentum, nesterov=True)
    done = [0]

    def epoch() -> float:
        torch.manual_seed(settings.seed * 100_003 + done[0])
        generator = torch.Generator().manual_seed(settings.seed * 100_003 + done[0])
        order, losses = torch.randperm(len(data.train), generator=generator), []
        model.train()
        for step in range(STEPS):
            for group in optimiser.param_groups:
                group["lr"] = rate_at(done[0] * STEPS + step, STEPS * settings.epochs, settings)
            chosen = order[step * BATCH : (step + 1) * BATCH]
            with torch.autocast(DEVICE, torch.bfloat16, enabled=settings.bf16):
                batch = tensors(data.train.gray[chosen]).contiguous(memory_format=layout)
                logits = model(batch)
            targets = data.train.targets[chosen].to(DEVICE)
            loss = cross_entropy(logits.float(), targets, label_smoothing=settings.smoothing)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        done[0] += 1
        return float(np.mean(losses))

    return epoch


def tensors(gray: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(pixels.to_batch(gray.numpy(), gray.shape[-1])).to(DEVICE)


def alone(name: str, bf16: bool, keep: bool) -> None:
    """Take two epochs' steps; print the second's crops a second and the peak of memory in MiB."""
    if keep:
        keep_freed_memory()
    epoch = loop(settings_of(name, bf16), made(name))
    epoch()
    start = time.perf_counter()
    timing.check(np.isfinite(epoch()), "the loss is finite")
    print(BATCH * STEPS / (time.perf_counter() - start), _peak_mib())


def _peak_mib() -> float:
    if DEVICE == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def memory_of(name: str, kind: str) -> dict[str, Any]:
    """Run processes in turn, with freed memory kept and given back."""
    found: dict[str, list[list[float]]] = {"kept": [], "returned": []}
    for _ in range(TURNS):
        for how, lines in found.items():
            command = [
                sys.executable,
                "-m",
                "benchmarks.bench_train",
                "--alone",
                f"{name}:{kind}:{how}",
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            lines.append([float(word) for word in done.stdout.split()[-2:]])
    kept, returned = (np.median(lines, axis=0).round(1).tolist() for lines in found.values())
    return {
        "peak_mib": kept[1],
        "peak_mib_returned": returned[1],
        "crops_per_s_kept": kept[0],
        "crops_per_s_returned": returned[0],
    }


def check_losses(name: str, data: Data) -> float:
    """Check that both loops see the same losses, without what draws at random; how far they are."""
    settings = settings_of(name, False, **CHECKED)
    ours = loop(settings, data)
    theirs = plain(settings, data, layout_of(zoo.build(name, 6, 0.0), torch.device(DEVICE)))
    pairs = np.array([[ours(), theirs()] for _ in range(2)])
    equal = np.allclose(pairs[:, 0], pairs[:, 1], rtol=CLOSE)
    timing.check(equal, f"{name}: equal losses {pairs}")
    return float(np.abs(pairs[:, 0] - pairs[:, 1]).max())


def measure(name: str, kind: str, data: Data, repeats: int) -> dict[str, Any]:
    settings = settings_of(name, KINDS[kind])
    calm = replace(settings, augment=False, average=0.0)
    rivals = {
        "bare": bare(settings, data),
        "loop": loop(settings, data),
        "calm": loop(calm, data),
        "plain": plain(calm, data),
    }
    times = timing.take_turns(rivals, repeats, warmup=1)
    return {
        "crops_per_s": {key: round(BATCH * STEPS / t.median_s, 1) for key, t in times.items()},
        "loop_of_bare": timing.ratio(times["loop"], times["bare"]),
        "loop_of_plain": timing.ratio(times["calm"], times["plain"]),
        **memory_of(name, kind),
    }


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    parser.add_argument("--only", action="append", choices=list(zoo.MODELS), help="a network")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    return parser.parse_args()


def figures_before(out: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what an earlier run of this benchmark measured under the same settings."""
    file = out / "bench-train.json"
    if not file.exists():
        return {}
    before = json.loads(file.read_text(encoding="utf-8"))
    if before["settings"] != settings:
        raise SystemExit(
            f"{file} was measured with {before['settings']}, this run has {settings}: "
            "measure all networks anew, without --only, or into another --out"
        )
    return before["figures"]


def worst(report: timing.Report, key: str) -> float:
    """Return the largest of a ratio over all networks and kinds of number."""
    return max(found[kind][key]["median"] for found in report.figures.values() for kind in KINDS)


def main() -> None:
    chosen = options()
    if chosen.alone:
        name, kind, how = chosen.alone.split(":")
        return alone(name, KINDS[kind], how == "kept")
    keep_freed_memory()
    settings = {"batch": BATCH, "steps": STEPS, "threads": torch.get_num_threads()}
    settings |= {"repeats": chosen.repeats, "torch": torch.__version__, "device": DEVICE}
    if DEVICE == "cuda":
        settings["device"] = torch.cuda.get_device_name()
    report = timing.Report("train", __doc__.splitlines()[0], settings)
    report.figures = figures_before(chosen.out, settings) if chosen.only else {}
    names = chosen.only or list(zoo.MODELS)
    distances = {name: check_losses(name, made(name)) for name in names}
    for name in names:
        start = time.perf_counter()
        found = {kind: measure(name, kind, made(name), chosen.repeats) for kind in KINDS}
        report.figures[name] = {"loss_difference": distances[name], **found}
        print(f"{name}, {time.perf_counter() - start:.0f} s: {report.figures[name]}", flush=True)
    report.goals = [
        timing.Goal(f"training loop / {title}, the worst network", limit, worst(report, key))
        for title, key, limit in (
            ("bare passes", "loop_of_bare", LIMIT),
            ("the plainest torch loop", "loop_of_plain", 1),
        )
    ]
    report.write(chosen.out)
    return None


if __name__ == "__main__":
    main()
