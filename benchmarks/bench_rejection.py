"""Which score tells a crop that is no face from one that is, without any training for it?

Faces: held-out training crops of RAF-DB, FER2013 and its neutral faces, as distributed and as mien
frames them. No faces: see non_faces.py. Scores that come with the answer (from logits, neutral and
maps), the face detector's confidence on the crop, alone and before the maps, and two distances to
some training faces, for which no picture without a face is needed either.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_rejection [--data DIR]
Writes results/rejection.json, with the threshold that `mien.recognize.rejection` takes: chosen on
held-out training crops, the largest that keeps 97 % of the faces.
Check: the AUROC of all is scikit-learn's.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from benchmarks import face_sets, non_faces, timing
from mien.evaluate import metrics
from mien.faces.detect import Detector
from mien.media import images
from mien.media.writers import write_text
from mien.pixels import F64, U8
from mien.recognize import rejection
from mien.recognize.model import SHIPPED, Model

FOLDERS = ("rafdb", "rafdb-framed", "fer2013", "fer2013-framed", "fer2013-neutral")
BATCH, GOAL = 64, 0.99
KEPT = 0.97  # of the faces, mean over the folders, that the threshold must leave alone


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--model", type=Path, help="instead of the shipped one")
    parser.add_argument("--faces", type=int, default=200, help="of each folder, at most")
    parser.add_argument("--others", type=int, default=100, help="of each kind")
    parser.add_argument("--known", type=int, default=400, help="training faces of each folder")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    return parser.parse_args()


def faces(folder: Path, count: int, held: bool, learned: dict[str, Any]) -> U8:
    """Training crops that were held out from training, or were not, as large as the others."""
    rows = face_sets.training_rows(folder, learned, held)
    places = np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)
    crops = [images.read_rgb(folder / rows[i].path) for i in places]
    return np.stack([face_sets.resized(crop, non_faces.SIDE) for crop in crops])


def outputs(model: Model, crops: U8) -> dict[str, F64]:
    """Logits (N, 6), neutral's (N,) and maps (N, 6, h, w) of crops."""
    names = [output.name for output in model.session.get_outputs()]
    parts = []
    for i in range(0, len(crops), BATCH):
        batch = model.to_batch(crops[i : i + BATCH])
        parts.append(model.session.run(names, {"crops": batch}))
    found = (np.concatenate(column).astype(np.float64) for column in zip(*parts, strict=True))
    return dict(zip(names, found, strict=True))


def _softmax(logits: F64) -> F64:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _energy(logits: F64) -> F64:
    """Liu et al. 2020, arXiv:2010.03759: the logarithm of the sum of the powers."""
    top = logits.max(axis=1, keepdims=True)
    return (top + np.log(np.exp(logits - top).sum(axis=1, keepdims=True)))[:, 0]


def _entropy(logits: F64) -> F64:
    shares = _softmax(logits)
    return (shares * np.log(shares.clip(min=1e-12))).sum(axis=1)


# Higher for a face, one hopes. Each takes what `outputs` returns.
SCORES: dict[str, Callable[[dict[str, F64]], F64]] = {
    "largest probability": lambda o: _softmax(o["logits"]).max(axis=1),
    "largest logit": lambda o: o["logits"].max(axis=1),
    "energy of the six": lambda o: _energy(o["logits"]),
    "energy with neutral": lambda o: _energy(np.hstack([o["logits"], o["neutral"]])),
    "entropy, negative": lambda o: _entropy(o["logits"]),
    "spread of the logits": lambda o: o["logits"].std(axis=1),
    "neutral's logit, negative": lambda o: -o["neutral"][:, 0],
    "peak of the maps": lambda o: o["maps"].max(axis=(1, 2, 3)),
    "spread of the maps": lambda o: o["maps"].std(axis=(1, 2, 3)),
    "spread of the maps' middle": lambda o: o["maps"][:, :, 2:6, 2:6].std(axis=(1, 2, 3)),
    "largest spread of a map": lambda o: o["maps"].std(axis=(2, 3)).max(axis=1),
}


def distances(known: dict[str, F64], unknown: dict[str, F64]) -> dict[str, F64]:
    """Nearness to training faces, of logits and of maps: Lee et al. 2018, arXiv:1807.03888."""

    def near(a: F64, b: F64) -> F64:
        return -LedoitWolf().fit(a).mahalanobis(b)

    both = [np.hstack([o["logits"], o["neutral"]]) for o in (known, unknown)]
    maps = [o["maps"].reshape(len(o["maps"]), -1) for o in (known, unknown)]
    return {"near training faces: logits": near(*both), "near training faces: maps": near(*maps)}


def auroc(scores: F64, face: npt.NDArray[np.bool_]) -> float:
    value = metrics.auroc(scores, face)
    timing.check(abs(value - roc_auc_score(face, scores)) < 1e-9, "scikit-learn's AUROC")
    return round(value, 4)


def choose(spread: F64, sure: npt.NDArray[np.bool_], groups: npt.NDArray[Any]) -> dict[str, Any]:
    """What each threshold of the spread keeps and rejects, and the one that is taken.

    A rate is the mean over the folders of faces, or over the kinds of others, so that none counts
    more for having more crops.
    """

    def called_face(below: float) -> dict[str, float]:
        shown = sure | (spread >= below)
        names = (*FOLDERS, *non_faces.KINDS)
        return {name: round(float(shown[groups == name].mean()), 4) for name in names}

    curve = []
    for below in np.arange(0, spread.max(), 0.05):
        called = called_face(below)
        kept = np.mean([called[name] for name in FOLDERS])
        rejected = 1 - np.mean([called[kind] for kind in non_faces.KINDS])
        row = {"below": below, "kept_rate": kept, "rejected_rate": rejected}
        curve.append({name: round(float(value), 4) for name, value in row.items()})
    chosen = [row for row in curve if row["kept_rate"] >= KEPT][-1]
    return {**chosen, "called_face_rate": called_face(chosen["below"]), "curve": curve}


def main() -> None:
    chosen = options()
    missing = [name for name in FOLDERS if not (chosen.data / name).is_dir()]
    if missing:
        timing.absent(
            f"no {', '.join(missing)} in {chosen.data}: give --data DIR, with the folders"
        )
    settings = {name: getattr(chosen, name) for name in ("faces", "others", "known")}
    record = timing.head(__doc__.splitlines()[0], "benchmarks.bench_rejection", settings)
    model = Model(chosen.model or SHIPPED, 1)
    learned = model.card["data"]
    given = {name: faces(chosen.data / name, chosen.faces, True, learned) for name in FOLDERS}
    given |= {kind: non_faces.make(kind, chosen.others) for kind in non_faces.KINDS}
    groups = np.repeat(list(given), [len(crops) for crops in given.values()])
    face = np.isin(groups, FOLDERS)
    crops = np.concatenate(list(given.values()))
    known = np.concatenate([
        faces(chosen.data / name, chosen.known, False, learned) for name in FOLDERS
    ])
    found = outputs(model, crops)
    scores = {name: score(found) for name, score in SCORES.items()}
    scores |= distances(outputs(model, known), found)
    scores["face detector"] = rejection.detection(Detector(1), crops).astype(np.float64)
    spread = scores["spread of the maps"]
    sure = scores["face detector"] > 0  # where it finds none, the maps decide
    scores["face detector, then spread"] = spread + sure * (1 + np.ptp(spread))
    record |= {
        "chosen": choose(spread, sure, groups),
        "model": model.card["name"],
        "weights_sha256": model.card["weights_sha256"],
        "crops": {name: len(crops) for name, crops in given.items()},
        "auroc": {name: _row(values, face, groups) for name, values in scores.items()},
    }
    best = max(record["auroc"], key=lambda name: record["auroc"][name]["all"])
    record["best"] = best
    for name, row in record["auroc"].items():
        print(
            f"{name:<28} {row['all']:.4f}   " + "  ".join(f"{v:.3f}" for v in row["kinds"].values())
        )
    print({name: value for name, value in record["chosen"].items() if name != "curve"})
    print(
        f"best: {best}; goal {GOAL} {'met' if record['auroc'][best]['all'] >= GOAL else 'MISSED'}"
    )
    write_text(json.dumps(record, indent=1) + "\n", chosen.out / "rejection.json")


def _row(scores: F64, face: npt.NDArray[np.bool_], groups: npt.NDArray[Any]) -> dict[str, Any]:
    """AUROC of all faces against all others, against each kind, and of each folder of faces."""
    kinds = {
        kind: auroc(scores[face | (groups == kind)], face[face | (groups == kind)])
        for kind in non_faces.KINDS
    }
    folders = {
        name: auroc(scores[~face | (groups == name)], face[~face | (groups == name)])
        for name in FOLDERS
    }
    return {"all": auroc(scores, face), "kinds": kinds, "folders": folders}


if __name__ == "__main__":
    main()
