"""What does `Recognizer.classify` cost beyond the network itself?

`classify` takes 1,024 crops of uint8 pixels; the bare session gets the same crops as ready
tensors, once in the same batches of 64 and once all in one batch. One thread.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_classify
Goal: at most 1.25 times the bare session in the same batches.
Check: the scores are those of the bare session and plain arithmetic, to 1e-5.
"""

import numpy as np

import mien
from benchmarks import bare, portraits, timing

COUNT, BATCH, THREADS = 1024, 64, 1
LIMIT, TOLERANCE = 1.25, 1e-5
NAMES = {
    "classify": "classify, pixels to scores",
    "bare": f"bare session, batches of {BATCH}",
    "bare_one_batch": f"bare session, one batch of {COUNT}",
}


def main() -> None:
    chosen = timing.options(repeats=9)
    settings = {"crops": COUNT, "batch": BATCH, "threads": THREADS, "repeats": chosen.repeats}
    report = timing.Report("classify", __doc__.splitlines()[0], settings)
    recognizer = mien.Recognizer(threads=THREADS)
    session = bare.open_session(THREADS)
    crops = portraits.crops(COUNT)
    tensors = np.stack([bare.to_tensor(crop) for crop in crops])

    found = recognizer.classify(crops)
    differences = []
    for batch in (BATCH, COUNT):
        expected = bare.softmax(bare.logits(session, tensors, batch))
        differences.append(float(np.abs(found - expected).max()))
    timing.check(found.shape == (COUNT, 6), "a row of six scores for every crop")
    timing.check(max(differences) <= TOLERANCE, f"scores to {TOLERANCE}, got {max(differences)}")
    timing.check(found.std(axis=0).max() > 0.001, "crops that differ get scores that differ")

    times = timing.take_turns(
        {
            "classify": lambda: recognizer.classify(crops),
            "bare": lambda: bare.logits(session, tensors, BATCH),
            "bare_one_batch": lambda: bare.logits(session, tensors, COUNT),
        },
        chosen.repeats,
        warmup=1,
    )
    same = timing.ratio(times["classify"], times["bare"])
    one = timing.ratio(times["classify"], times["bare_one_batch"])
    report.figures = {
        "per_crop": {name: spent.record(COUNT) for name, spent in times.items()},
        "crops_per_s": {name: round(COUNT / spent.median_s, 1) for name, spent in times.items()},
        "ratio_to_bare": same,
        "ratio_to_bare_one_batch": one,
        "largest_difference": max(differences),
    }
    report.goals = [timing.Goal("classify / bare session", LIMIT, same["median"])]
    rows = [
        (NAMES[name], f"{row['median_ms']:.3f} ms a crop, IQR {row['iqr_ms']:.3f}")
        for name, row in report.figures["per_crop"].items()
    ]
    rows += [
        ("classify / bare, same batches", f"{same['median']:.3f}, IQR {same['iqr']:.3f}"),
        ("classify / bare, one batch", f"{one['median']:.3f}, IQR {one['iqr']:.3f}"),
        ("largest difference of a score", f"{max(differences):.1e}"),
    ]
    report.table(rows)
    report.write(chosen.out)


if __name__ == "__main__":
    main()
