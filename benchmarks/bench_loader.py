"""Does the loader bring crops faster than the network takes them?

Per batch of 128, on all cores: what our loader does (shuffle, augment, normalise) beside what the
network does with it (forward, backward, step; in bfloat16, plain, and compiled where there is a
compiler), for `res13-se`, a fast network. Beside them `ExpressionDataset` behind
torch's own DataLoader, which decodes files and does not augment, and each augmentation alone.

Run: python -m benchmarks.bench_loader          (needs the train extra)
Goal: network / loader at least 3: the loader takes at most a third of the network's time.
Check: batches have the shape and range they should, every crop once an epoch, the loss is finite.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import fields, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from benchmarks import portraits, timing
from mien import labels
from mien.data import manifest
from mien.data.manifest import Row
from mien.models import zoo
from mien.train import dataset
from mien.train.augment import OFF, Augment, Strength, mix
from mien.train.config import TrainConfig
from mien.train.dataset import ExpressionDataset
from mien.train.optim import optimiser
from mien.train.preview import SHOWN

CROPS, BATCH, LIMIT, CLASSES = 2_560, 128, 1 / 3, 7
SETTINGS = TrainConfig(data=("made",))
# Every change at once, no more than a recipe would take.
MANY = replace(
    Strength(),
    colour=0.0,  # the crops are grey bytes
    **dict.fromkeys(("crop", "perspective", "gamma"), 0.2),
    **dict.fromkeys(("coarse", "noise", "jpeg", "mixup", "cutmix"), 0.2),
)


def make(folder: Path) -> Path:
    """Write a prepared folder of portraits that all differ."""
    rows = []
    for i, crop in enumerate(portraits.crops(CROPS)):
        label = labels.LABELS[i % 6]
        path = f"train/{labels.folder(label)}/{i:05}.jpg"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crop).save(folder / path, quality=95)
        rows.append(Row(path, label, "made", "train", "", "", f"{i:05}", "as-is"))
    manifest.write(rows, folder)
    return folder


def stream(crops: dataset.Crops, strength: Strength) -> "Callable[[], tuple[Tensor, Tensor]]":
    """Return what makes the next batch, as the training loop does it."""
    augment, generator = Augment(strength), torch.Generator().manual_seed(0)
    state = {"batches": iter(())}

    def following() -> tuple[Tensor, Tensor]:
        try:
            gray, targets = next(state["batches"])
        except StopIteration:
            state["batches"] = dataset.batches(crops, BATCH, generator)
            gray, targets = next(state["batches"])
        gray, targets = mix(augment(gray), targets, CLASSES, strength.mixup, strength.cutmix)
        batch = dataset.normalise(gray)
        return batch.contiguous(memory_format=torch.channels_last), targets

    return following


def network(batch: Tensor, targets: Tensor, compiled: bool) -> Callable[[], Tensor]:
    """Return a training step on one batch."""
    model = zoo.build("res13-se", CLASSES, SETTINGS.dropout)
    model.to(memory_format=torch.channels_last)
    forward = torch.compile(model) if compiled else model
    descent = optimiser(model, replace(SETTINGS, rate=1e-3))

    def step() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            logits = forward(batch)
        loss = cross_entropy(logits.float(), targets, label_smoothing=SETTINGS.smoothing)
        descent.zero_grad(set_to_none=True)
        loss.backward()
        descent.step()
        return loss.detach()

    return step


def check_batches(crops: dataset.Crops, folder: Path) -> None:
    order = [t for _, ts in dataset.batches(crops, BATCH, torch.Generator()) for t in ts.tolist()]
    timing.check(len(order) == CROPS, "every crop once")
    plain, targets = stream(crops, OFF)()
    timing.check(plain.shape == (BATCH, 3, 64, 64) and targets.shape == (BATCH,), "shapes")
    for strength in (Strength(), MANY):
        batch, _ = stream(crops, strength)()
        timing.check(batch.min() > -2.13 and batch.max() < 2.65, "black and white are the limits")
        timing.check((batch - plain).abs().mean() > 0.05, "the crops are changed")
    item, target = ExpressionDataset(folder)[7]
    own = dataset.normalise(crops.gray[7:8, None].float() / 255)[0]
    timing.check(torch.allclose(item, own, atol=1e-6), "the Dataset gives what the loader gives")
    timing.check(target == crops.targets[7], "and its target")


def epoch_of(folder: Path, workers: int) -> float:
    """Return the milliseconds a batch of torch's DataLoader, its start included."""
    made = DataLoader(
        ExpressionDataset(folder), BATCH, shuffle=True, num_workers=workers, drop_last=True
    )
    start = time.perf_counter()
    count = sum(1 for _ in made)
    return 1e3 * (time.perf_counter() - start) / count


def main() -> None:
    chosen = timing.options(repeats=15)
    settings = {"crops": CROPS, "batch": BATCH, "threads": torch.get_num_threads()}
    settings |= {"repeats": chosen.repeats, "torch": torch.__version__, "kornia": version("kornia")}
    report = timing.Report("loader", __doc__.splitlines()[0], settings)
    torch.manual_seed(0)
    with TemporaryDirectory() as name:
        folder = make(Path(name))
        start = time.perf_counter()
        crops = dataset.load_crops([folder], "train")
        loaded = time.perf_counter() - start
        check_batches(crops, folder)
        batch, targets = stream(crops, Strength())()
        rivals: dict[str, Callable[[], object]] = {
            "loader": stream(crops, Strength()),
            "loader_many": stream(crops, MANY),
            "network": network(batch, targets, compiled=False),
        }
        if shutil.which("c++") or shutil.which("g++"):
            rivals["network_compiled"] = network(batch, targets, compiled=True)
        timing.check(torch.isfinite(rivals["network"]()), "the loss is finite")
        times = timing.take_turns(rivals, chosen.repeats, warmup=3)
        torch_ms = {w: np.median([epoch_of(folder, w) for _ in range(3)]) for w in (0, 2)}
        alone = alone_of(crops)
    report_times(report, times, torch_ms, alone)
    report.figures["reading_crops_per_s"] = round(CROPS / loaded)
    report.write(chosen.out)


def alone_of(crops: dataset.Crops) -> dict[str, float]:
    """Return the milliseconds a batch of each change alone, as strong as on the contact sheet."""
    names = [field.name for field in fields(Strength) if field.name != "colour"]
    made = {name: stream(crops, replace(OFF, **{name: getattr(SHOWN, name)})) for name in names}
    times = timing.take_turns({"none": stream(crops, OFF), **made}, repeats=5)
    return {name: round(1e3 * t.median_s, 1) for name, t in times.items()}


def report_times(
    report: timing.Report,
    times: dict[str, timing.Times],
    torch_ms: dict[int, float],
    alone: dict[str, float],
) -> None:
    rows = []
    for name, t in times.items():
        report.figures[name] = t.record() | {"crops_per_s": round(BATCH / t.median_s)}
        spread = f"{1e3 * t.median_s:7.1f} ms a batch, IQR {1e3 * t.iqr_s:.1f}"
        rows.append((name, f"{spread}, {BATCH / t.median_s:,.0f} crops/s"))
    for workers, ms in torch_ms.items():
        rate = round(1e3 * BATCH / ms)
        name = f"torch_dataloader_{workers}_workers"
        report.figures[name] = {"median_ms": round(float(ms), 1), "crops_per_s": rate}
        rows.append((name, f"{ms:7.1f} ms a batch, not augmented, {rate:,} crops/s"))
    fastest = min((n for n in times if n.startswith("network")), key=lambda n: times[n].median_s)
    for name in ("loader", "loader_many"):
        share = timing.ratio(times[name], times[fastest])
        report.figures[f"{name}_of_{fastest}"] = share
        times_as_fast = 1 / share["median"]
        rows.append((f"{fastest} / {name}", f"{times_as_fast:.1f} times the network's rate"))
    report.figures["ms_a_batch_alone"] = alone
    rows.append(("each change alone, ms", ", ".join(f"{n} {ms}" for n, ms in alone.items())))
    report.table(rows)
    goal = report.figures[f"loader_of_{fastest}"]["median"]
    report.goals = [timing.Goal("loader's time / network's, a batch of 128", LIMIT, goal)]


if __name__ == "__main__":
    main()
