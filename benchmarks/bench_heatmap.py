"""What does a heat map cost beyond the scores?

`read_faces` on 64 faces and on one: without maps, with the coarse maps of all six classes, and
with `Face.heatmap()` (one class, enlarged to the crop) of every face on top. One thread. The bare
`model.run` beside it, with and without maps.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_heatmap
Goal: for 64 faces, enlarged maps included, at most 1.15 times as long as without maps.
Check: the scores do not depend on the maps; the mean of a class's map is its logit up to the
network's bias; the enlarged map is OpenCV's bilinear one.
"""

import cv2
import numpy as np

import mien
from benchmarks import bare, portraits, timing
from mien.recognize.results import Face

FACES, THREADS = 64, 1
LIMIT = 1.15


def check_maps(faces: list[Face], plain: list[Face]) -> None:
    values, without = (np.stack([face.values for face in them]) for them in (faces, plain))
    timing.check(np.allclose(values, without, rtol=0, atol=1e-6), "the same scores without maps")
    session = bare.open_session(THREADS)
    tensors = np.stack([bare.to_tensor(face.crop) for face in faces])
    means = np.stack([face.maps.mean(axis=(1, 2)) for face in faces])
    bias = bare.logits(session, tensors, FACES) - means  # (N, 6), equal in every row
    timing.check(np.ptp(bias, axis=0).max() < 1e-4, "a logit is the mean of its map and a bias")
    for face in faces:
        coarse = face.maps[face.values.argmax()]
        size = face.crop.shape[1::-1]
        fine = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR).clip(min=0)
        fine /= max(float(fine.max()), 1e-9)
        timing.check(np.allclose(face.heatmap(), fine, atol=1e-4), "OpenCV's enlarged map")


def main() -> None:
    chosen = timing.options(repeats=25)
    settings = {"faces": FACES, "threads": THREADS, "repeats": chosen.repeats}
    report = timing.Report("heatmap", __doc__.splitlines()[0], settings)
    recognizer = mien.Recognizer(threads=THREADS)
    rgb, found = portraits.portrait(), portraits.detections(FACES)
    check_maps(recognizer.read_faces(rgb, found), recognizer.read_faces(rgb, found, heatmap=False))

    rows = []
    for count in (FACES, 1):
        faces = found[:count]
        crops = [face.crop for face in recognizer.read_faces(rgb, faces, False)]
        batch = recognizer.model.to_batch(crops)

        def enlarged(faces: list[portraits.Detection] = faces) -> None:
            for face in recognizer.read_faces(rgb, faces):
                face.heatmap()

        times = timing.take_turns(
            {
                "off": lambda faces=faces: recognizer.read_faces(rgb, faces, heatmap=False),
                "coarse": lambda faces=faces: recognizer.read_faces(rgb, faces),
                "enlarged": enlarged,
                "network_off": lambda batch=batch: recognizer.model.run(batch, maps=False),
                "network_on": lambda batch=batch: recognizer.model.run(batch),
            },
            chosen.repeats if count > 1 else 4 * chosen.repeats,
        )
        ratios = {
            "coarse_to_off": timing.ratio(times["coarse"], times["off"]),
            "enlarged_to_off": timing.ratio(times["enlarged"], times["off"]),
            "network_on_to_off": timing.ratio(times["network_on"], times["network_off"]),
        }
        per_face = {name: spent.record(count) for name, spent in times.items()}
        report.figures[f"faces_{count}"] = {"per_face": per_face, "ratios": ratios}
        rows += [
            (f"{count:>2} faces, {name}", f"{row['median_ms']:.3f} ms a face, IQR {row['iqr_ms']}")
            for name, row in per_face.items()
        ]
        rows += [
            (f"{count:>2} faces, {name.replace('_to_', ' / ')}", f"{row['median']:.3f}")
            for name, row in ratios.items()
        ]
    report.table(rows)
    measured = report.figures[f"faces_{FACES}"]["ratios"]["enlarged_to_off"]["median"]
    report.goals = [timing.Goal("with enlarged heat maps / without", LIMIT, measured)]
    report.write(chosen.out)


if __name__ == "__main__":
    main()
