"""How much does a start from the shipped network help on a small database of one's own?

Every prepared folder is trained three ways by five folds: fresh weights, the shipped network with
all layers trained, and the same with frozen features. All pictures of a person are in one fold, and
no answer chooses an epoch (`mien.train.cross_validate`). The recipes were written down before and
not tuned; fresh weights have 40 epochs, the others 12.

Run: mien prepare ckplus ckplus.zip --frame --classes own --size 88 --out DIR/ckplus
     mien prepare tfeid tfeid.zip --frame --classes own --keep-leaks --size 88 --out DIR/tfeid
     OMP_NUM_THREADS=1 python -m benchmarks.own_classes DIR/ckplus DIR/tfeid [--runs DIR]
Takes about 13 minutes on one core; a run in --runs that is complete is not trained again.
Writes results/own-classes.json.
"""

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import timing
from mien.data import manifest
from mien.data.label_file import labels_of
from mien.media.writers import write_text
from mien.recognize.model import SHIPPED, read_card

WAYS = {
    "scratch": ("fresh weights", "epochs = 40\nrate = 0.001\n"),
    "miennet": ("miennet, all layers", 'start = "miennet"\nepochs = 12\nrate = 0.001\n'),
    "frozen": ("miennet, frozen", 'start = "miennet"\nfrozen = true\nepochs = 12\nrate = 0.003\n'),
}
COMMON = """\
data = ["{}"]
folds = 5
batch = 32
optimiser = "adamw"
schedule = "cosine"
weight_decay = 0.01
average = 0.98
threads = 1
"""


def trained(folder: Path, way: str, runs: Path) -> dict[str, Any]:
    """Train a folder one way, and return the figures of all folds together."""
    out = runs / f"{folder.name}-{way}"
    settings = out.with_suffix(".toml")
    write_text(COMMON.format(folder) + WAYS[way][1], settings)
    command = [sys.executable, "-m", "mien", "train", str(settings), "--out", str(out), "--resume"]
    subprocess.run([*command, "--quiet"], check=True)
    record: dict[str, Any] = json.loads((out / "folds.json").read_text(encoding="utf-8"))
    rows = manifest.rows_of_split(folder, "train")
    timing.check(record["pictures"] == len(rows), "every picture was held out once")
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs/own-classes"))
    parser.add_argument("--out", type=Path, default=Path("results"))
    chosen = parser.parse_args()
    chosen.runs.mkdir(parents=True, exist_ok=True)
    folders = {}
    for folder in chosen.folders:
        rows = manifest.read(folder)
        folders[folder.name] = {
            "pictures": len(rows),
            "persons": len({row.subject for row in rows}),
            "classes": list(labels_of(folder).names),
            "ways": {way: trained(folder, way, chosen.runs) for way in WAYS},
        }
    record = {
        "question": __doc__.splitlines()[0],
        "command": timing.command_line("benchmarks.own_classes", sys.argv[1:]),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "seed": 0,
        "weights_sha256": read_card(SHIPPED)["weights_sha256"],
        "names": {way: name for way, (name, _) in WAYS.items()},
        "settings": {way: COMMON.format("DIR") + more for way, (_, more) in WAYS.items()},
        "folders": folders,
    }
    write_text(json.dumps(record, indent=1) + "\n", chosen.out / "own-classes.json")


if __name__ == "__main__":
    main()
