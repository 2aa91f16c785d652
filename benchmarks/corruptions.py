"""How much of its accuracy does a model keep when its crops are damaged?

Test crops of RAF-DB and FER2013, each damaged in every kind of `benchmarks.damage` at every
strength. Kept = mean accuracy over kinds and strengths, divided by the accuracy on the same crops
undamaged.

Run: OMP_NUM_THREADS=1 python -m benchmarks.corruptions [--model FILE.onnx] [--pictures N]
Writes results/corruptions-NAME.json, NAME being the model's; all pictures take hours of one core,
1,000 of each set are known to about 2.5 points.
Check: undamaged crops give the accuracy that numpy counts from `Recognizer.classify`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import face_sets, timing
from benchmarks.damage import KINDS, STRENGTHS, corrupt
from benchmarks.face_sets import FaceSet
from mien.cli._shared import bar
from mien.evaluate import metrics
from mien.media.writers import write_text
from mien.recognize.recognizer import Recognizer

SETS = {"rafdb": "RAF-DB test", "fer2013": "FER2013 test"}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--model", type=Path, help="instead of the shipped one")
    parser.add_argument("--pictures", type=int, default=1000, help="of each test set; 0 is all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    return parser.parse_args()


def accuracy(recognizer: Recognizer, crops: face_sets.U8, targets: face_sets.I64) -> float:
    return float((recognizer.classify(crops).argmax(axis=1) == targets).mean())


def measure(recognizer: Recognizer, faces: FaceSet, title: str) -> dict[str, Any]:
    """Accuracy by kind and strength."""
    clean = accuracy(recognizer, faces.crops, faces.targets)
    summary = metrics.summarise(recognizer.classify(faces.crops), faces.targets)
    timing.check(abs(summary.accuracy - clean) < 1e-9, "the accuracy is counted twice")
    by_kind: dict[str, list[float]] = {}
    for kind in bar(list(KINDS), len(KINDS), title):
        by_kind[kind] = [
            round(accuracy(recognizer, _damaged(faces.crops, kind, strength), faces.targets), 4)
            for strength in STRENGTHS
        ]
        print(f"{title:<13} {kind:<15} " + "  ".join(f"{v:.1%}" for v in by_kind[kind]), flush=True)
    mean = float(np.mean(list(by_kind.values())))
    timing.check(mean < clean, "damage costs accuracy")
    return {
        "pictures": len(faces.rows),
        "clean": round(clean, 4),
        "damaged": round(mean, 4),
        "kept": round(mean / clean, 4),
        "accuracy": by_kind,
    }


def _damaged(crops: face_sets.U8, kind: str, strength: int) -> face_sets.U8:
    return np.stack([corrupt(crop, kind, strength, seed) for seed, crop in enumerate(crops)])


def main() -> None:
    chosen = options()
    recognizer = Recognizer(chosen.model, threads=chosen.threads)
    card = recognizer.model.card
    settings = {"pictures": chosen.pictures, "strengths": list(STRENGTHS)}
    record = timing.head(__doc__.splitlines()[0], "benchmarks.corruptions", settings)
    record |= {"model": card["name"], "weights_sha256": card["weights_sha256"], "sets": {}}
    for name, title in SETS.items():
        faces = face_sets.load(chosen.data / name, "test", chosen.pictures)
        record["sets"][title] = found = measure(recognizer, faces, title)
        print(f"{title}: {found['clean']:.1%} clean, keeps {found['kept']:.1%}")
    target = chosen.out / f"corruptions-{card['name']}.json"
    write_text(json.dumps(record, indent=1) + "\n", target)
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
