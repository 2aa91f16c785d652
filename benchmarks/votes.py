"""How much of what the model gets wrong on FER2013 is in its labels? Ten annotators judge.

Held-out training pictures of FER2013 and its neutral faces, in both framings: no weight was fitted
to them, they chose the epoch and the temperature. The answers are judged by FER2013's label and,
where FER+ has votes on a picture, by what most of its ten annotators saw. A picture is clear where
more than half of the votes agree. FER+ has no votes on the neutral faces here: their label stands.

Run: OMP_NUM_THREADS=1 python -m benchmarks.votes [--data DIR]
Writes results/votes.json.
Check: the AUROCs are scikit-learn's; as many neutral crops are held out as the model's card says.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks import face_sets, timing
from mien.data.manifest import Row
from mien.evaluate import metrics
from mien.labels import NEUTRAL_INDEX as CALM
from mien.labels import PAPER
from mien.media import images
from mien.media.writers import write_text
from mien.pixels import BOOL, F32, I64, in_batches
from mien.recognize.model import SHIPPED, Model
from mien.train.data import read_votes

FRAMINGS = {
    "as distributed": ("fer2013", "fer2013-neutral"),
    "framed by mien": ("fer2013-framed", "fer2013-neutral-framed"),
}
VOTES = "ferplus"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--model", type=Path, help="instead of the shipped one")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    return parser.parse_args()


def answers(model: Model, folder: Path, rows: list[Row]) -> tuple[I64, F32]:
    """The best of the six, shape (N,), and neutral's logit, shape (N,)."""
    best, calm = [], []
    for part in in_batches(len(rows)):
        crops = [images.read_rgb(folder / row.path) for row in rows[part]]
        found = model.tensors(model.to_batch(crops), ["logits", "neutral"])
        best.append(found["logits"].argmax(axis=1))
        calm.append(found["neutral"][:, 0])
    return np.concatenate(best), np.concatenate(calm)


def judge(best: I64, calm: F32, labels: I64, shares: F32) -> dict[str, Any]:
    """Judge answers by labels and by votes.

    Args:
        best: shape (N,), the best of the six.
        calm: shape (N,), neutral's logit.
        labels: shape (N,), FER2013's, 0 to 5, or 6 for neutral.
        shares: shape (N, 7), of the votes; nan where there are none.
    """
    six, voted = labels < CALM, ~np.isnan(shares[:, 0])
    seen = np.where(voted, np.nan_to_num(shares).argmax(axis=1), labels)
    both = six & voted & (seen < CALM)
    agreed = np.nan_to_num(shares).max(axis=1) > 0.5
    clear, known = both & agreed, voted | ~six
    return {
        "labelled": {"pictures": int(six.sum()), "accuracy": rate(best == labels, six)},
        "voted": compared(best, labels, seen, both),
        "clear": compared(best, labels, seen, clear),
        "neutral": {
            "by_label": told_apart(calm, labels == CALM, np.ones_like(six)),
            "by_votes": told_apart(calm, seen == CALM, known),
            "by_clear_votes": told_apart(calm, seen == CALM, known & (agreed | ~six)),
            "labelled_one_of_the_six": int((six & voted & (seen == CALM)).sum()),
            "called_neutral": rate(calm > 0, six & voted & (seen == CALM)),
        },
    }


def compared(best: I64, labels: I64, seen: I64, where: BOOL) -> dict[str, Any]:
    """Accuracy by label and by majority, and how often these two agree, on some pictures."""
    return {
        "pictures": int(where.sum()),
        "by_label": rate(best == labels, where),
        "by_votes": rate(best == seen, where),
        "label_agrees": rate(labels == seen, where),
    }


def rate(right: BOOL, where: BOOL) -> dict[str, Any]:
    """A share of some pictures with its Wilson interval."""
    count, total = int((right & where).sum()), int(where.sum())
    low, high = metrics.wilson(count, total)
    return {"rate": round(count / total, 4), "95": [round(low, 4), round(high, 4)]}


def told_apart(calm: F32, positive: BOOL, where: BOOL) -> dict[str, Any]:
    """The AUROC of neutral against the six."""
    value = metrics.auroc(calm[where], positive[where])
    timing.check(abs(value - roc_auc_score(positive[where], calm[where])) < 1e-9, "the AUROC")
    counts = {"neutral": int((positive & where).sum()), "others": int((~positive & where).sum())}
    return {"auroc": round(value, 4), **counts}


def main() -> None:
    chosen = options()
    record = timing.head(__doc__.splitlines()[0], "benchmarks.votes", {})
    model = Model(chosen.model or SHIPPED, threads=1)
    learned = model.card["data"]
    votes = read_votes(chosen.data / VOTES)
    none = [np.nan] * len(PAPER.targets)
    record |= {"model": model.card["name"], "weights_sha256": model.card["weights_sha256"]}
    calm_pictures = 0
    for framing, folders in FRAMINGS.items():
        parts = []
        for folder in folders:
            rows = face_sets.training_rows(chosen.data / folder, learned, held=True)
            labels = np.array([PAPER.targets.index(row.label) for row in rows])
            shares = np.array([votes.get(row.original, none) for row in rows], dtype=np.float32)
            parts.append((*answers(model, chosen.data / folder, rows), labels, shares))
        best, calm, labels, shares = (np.concatenate(part) for part in zip(*parts, strict=True))
        calm_pictures += int((labels == CALM).sum())
        record[framing] = judge(best, calm, labels, shares)
        print(framing, json.dumps(record[framing], indent=1))
    said = model.card["neutral"]["held_out"]
    near = 0.99 * calm_pictures <= said <= calm_pictures  # the run left out copies of test pictures
    timing.check(near, f"{calm_pictures} neutral crops are held out, and the card says {said}")
    write_text(json.dumps(record, indent=1) + "\n", chosen.out / "votes.json")


if __name__ == "__main__":
    main()
