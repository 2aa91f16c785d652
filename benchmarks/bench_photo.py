"""Where does the time for a photograph go, and how does one crop compare with fer's network?

One crop: pixels to scores, `classify([crop])`, beside the quantized network of fer 25.10.3 with
its own preparation, one crop at a time. A photograph: 1280x720 pixels in memory with one face and
with seven, stage by stage, and `read` + `annotate` in one go. One thread throughout.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_photo
Fetches fer and ai-edge-litert into a temporary folder; without them it says so and goes on.
Check: as many faces as portraits, each on its portrait; the stages give what `read` gives; both
networks see the smile where they should: fer on the portrait, mien as plain arithmetic has it.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

import mien
from benchmarks import bare, peer_fer, portraits, timing
from mien.faces import align
from mien.faces.boxes import Detection
from mien.recognize.recognizer import Recognizer
from mien.recognize.results import Face, Picture
from mien.show.annotate import annotate

COUNTS, CROPS, THREADS, WARMUP = (1, 7), 100, 1, 2
STAGES = ("detect", "landmarks", "align", "classify", "draw")


def one_crop(report: timing.Report, recognizer: Recognizer, repeats: int) -> None:
    """Time single crops, beside fer where it can be had."""
    crops = portraits.crops(CROPS)
    tensors = np.stack([bare.to_tensor(crop) for crop in crops])
    expected = bare.softmax(bare.logits(bare.open_session(THREADS), tensors, CROPS))
    found = np.concatenate([recognizer.classify([crop]) for crop in crops])
    timing.check(np.allclose(found, expected, rtol=0, atol=1e-5), "scores as by arithmetic")
    rivals = {"mien": lambda: [recognizer.classify([crop]) for crop in crops]}
    with TemporaryDirectory() as folder:
        peer = peer_fer.fetch(Path(folder))
        if isinstance(peer, str):
            report.figures["fer"] = f"not measured: {peer}"
        else:
            scores, version = np.stack([peer[0](crop) for crop in crops]), peer[1]
            timing.check(np.allclose(scores.sum(axis=1), 1, atol=0.02), "fer's scores sum to 1")
            happy = (scores.argmax(axis=1) == peer_fer.HAPPY).mean()
            timing.check(happy > 0.8, f"fer sees a smile in most crops, got {happy:.0%}")
            rivals["fer"] = lambda: [peer[0](crop) for crop in crops]
            report.figures["fer"] = f"{peer_fer.PACKAGE} on {version}"
        times = timing.take_turns(rivals, repeats, WARMUP)
    report.figures["crop"] = {name: spent.record(CROPS) for name, spent in times.items()}


def staged(recognizer: Recognizer, rgb: portraits.U8) -> tuple[list[float], Picture]:
    """Do what `read` and `annotate` do, and return the seconds of each of STAGES."""
    detector = recognizer.detector
    marks = [time.perf_counter()]
    boxes = detector.boxes(rgb)
    marks.append(time.perf_counter())
    points = detector.landmarks(rgb, [box for box, _ in boxes])
    marks.append(time.perf_counter())
    side = recognizer.model.side
    transforms = [align.framing(five, side) for five in points]
    crops = [align.crop(rgb, to_crop, side) for to_crop in transforms]
    marks.append(time.perf_counter())
    outputs = recognizer.model.run(recognizer.model.to_batch(crops))
    faces = []
    for i, (box, confidence) in enumerate(boxes):
        where = Detection(box, points[i], confidence)
        neutral, maps = float(outputs.neutral[i]), outputs.maps[i]
        faces.append(Face(where, outputs.scores[i], neutral, crops[i], transforms[i], maps))
    marks.append(time.perf_counter())
    picture = Picture("", rgb.shape[1], rgb.shape[0], tuple(faces))
    annotate(rgb, picture)
    marks.append(time.perf_counter())
    return np.diff(marks).tolist(), picture


def check_scene(picture: Picture, again: Picture, places: list[portraits.Box]) -> None:
    """The right number of faces, each on its own portrait, and the stages equal to `read`."""
    timing.check(len(picture.faces) == len(places), f"{len(places)} faces found")
    for place in places:
        inside = [
            face
            for face in picture.faces
            if place.left < (face.box.left + face.box.right) / 2 < place.right
            and place.top < (face.box.top + face.box.bottom) / 2 < place.bottom
        ]
        timing.check(len(inside) == 1, f"one face in {place}")
    timing.check(picture.record() == again.record(), "the stages give what read gives")


def photograph(report: timing.Report, recognizer: Recognizer, count: int, repeats: int) -> None:
    """Time the stages and the whole of one photograph, in turn."""
    rgb, places = portraits.scene(count)
    check_scene(recognizer.read(rgb), staged(recognizer, rgb)[1], places)
    rounds, whole = [], []
    for _ in range(WARMUP + repeats):
        rounds.append(staged(recognizer, rgb)[0])
        start = time.perf_counter()
        annotate(rgb, recognizer.read(rgb))
        whole.append(time.perf_counter() - start)
    columns = dict(zip(STAGES, zip(*rounds, strict=True), strict=True)) | {"whole": tuple(whole)}
    report.figures[f"photo_{count}"] = {
        name: timing.Times(seconds[0], tuple(seconds[WARMUP:])).record()
        for name, seconds in columns.items()
    }


def main() -> None:
    chosen = timing.options(repeats=25)
    settings = {"photo": [1280, 720], "threads": THREADS, "repeats": chosen.repeats}
    report = timing.Report("photo", __doc__.splitlines()[0], settings | {"crops": CROPS})
    cv2.setNumThreads(THREADS)
    recognizer = mien.Recognizer(threads=THREADS)
    one_crop(report, recognizer, chosen.repeats)
    for count in COUNTS:
        photograph(report, recognizer, count, chosen.repeats)
    rows = [("fer", report.figures["fer"])]
    for part, title in (("crop", "one crop"), ("photo_1", "1 face"), ("photo_7", "7 faces")):
        rows += [
            (f"{title}, {name}", f"{row['median_ms']:.3f} ms, IQR {row['iqr_ms']:.3f}")
            for name, row in report.figures[part].items()
        ]
    report.table(rows)
    report.write(chosen.out)


if __name__ == "__main__":
    main()
