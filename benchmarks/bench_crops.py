"""Are whole photographs told from face crops, and crops never taken for photographs?

Crops: the archives or folders given, each as distributed; and cuts about the faces of the
photographs, framed ever wider. Photographs: a folder of them. `mien scores` looks at the first few
pictures it is given, so runs of as many pictures in a row are asked too.

Run: python -m benchmarks.bench_crops --photos DIR ARCHIVE...
Writes results/bench-crops.json. Goals: at most 1 in 1,000 runs of distributed crops is taken for
photographs; at least 9 of 10 photographs that show a face are told. Without `--photos` it measures
nothing.
Check: the share of a picture's side that its largest face takes is what `Detector.find` says too.
"""

import argparse
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import timing
from mien.faces.detect import Detector
from mien.media import images
from mien.media.folders import find_pictures
from mien.pixels import F64, U8
from mien.recognize.photographs import FILLS, LOOKED, is_photograph

WIDER = (1.0, 1.5, 2.0, 2.5, 3.0)  # sides of a cut, measured by the height of the face's box


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("archives", type=Path, nargs="*", help="of crops: .zip files or folders")
    parser.add_argument("--photos", type=Path, help="folder of photographs")
    parser.add_argument("--most", type=int, default=600, help="pictures of each archive")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    return parser.parse_args()


def pictures(place: Path, most: int) -> Iterator[U8]:
    """The pictures of an archive or a folder, in runs of `LOOKED` spread evenly over it."""
    if place.is_dir():
        files = list(find_pictures([place]))
        yield from (images.read_rgb(files[i]) for i in spread(len(files), most))
        return
    with zipfile.ZipFile(place) as archive:
        names = sorted(n for n in archive.namelist() if n.lower().endswith((".jpg", ".png")))
        for i in spread(len(names), most):
            yield images.decode_rgb(archive.read(names[i]), names[i])


def spread(count: int, most: int) -> list[int]:
    starts = np.linspace(0, max(0, count - LOOKED), max(1, most // LOOKED)).astype(int)
    places = [range(start, start + LOOKED) for start in dict.fromkeys(starts.tolist())]
    return [i for place in places for i in place if i < count]


def cuts(detector: Detector, photos: list[U8], wider: float) -> Iterator[U8]:
    """A square about each face, as people cut them who want the whole head."""
    for rgb in photos:
        for face in detector.find(rgb):
            box, half = face.box, wider * face.box.height / 2
            x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
            cut = rgb[max(0, round(y - half)) : round(y + half), max(0, round(x - half)) :]
            cut = cut[:, : round(2 * half)]
            if min(cut.shape[:2]) >= 32:
                yield np.ascontiguousarray(cut)


def row(detector: Detector, given: list[U8]) -> dict[str, Any]:
    """How many are taken for photographs, alone and in runs; and how much a face takes of each."""
    called = [is_photograph(detector, rgb) for rgb in given]
    shares = np.array([share(detector, rgb) for rgb in given], dtype=np.float64)
    seen = [one for one in called if one is not None]
    runs = [called[i : i + LOOKED] for i in range(0, len(called), LOOKED)]
    warned = sum(2 * sum(map(bool, own)) > sum(one is not None for one in own) for own in runs)
    low = np.nanquantile(shares, (0, 0.01, 0.05, 0.5)).round(3).tolist() if seen else []
    return {
        "pictures": len(given),
        "a face seen": len(seen),
        "taken for photographs": sum(map(bool, called)),
        "runs": len(runs),
        "runs taken for photographs": int(warned),
        "share of the side: least, 1 %, 5 %, half": low,
    }


def share(detector: Detector, rgb: U8) -> float:
    """Of the shorter side, the height of the largest face; no number where there is none."""
    boxes = detector.boxes(rgb)
    return boxes[0][0].height / min(rgb.shape[:2]) if boxes else float("nan")


def main() -> None:
    chosen = options()
    if chosen.photos is None:
        timing.absent("no photographs: give --photos DIR ARCHIVE...")
    settings = {"most": chosen.most, "fills": FILLS, "looked": LOOKED}
    report = timing.Report("crops", __doc__.splitlines()[0], settings)
    detector = Detector(1)
    photos = [images.read_rgb(path) for path in find_pictures([chosen.photos])]
    given = {path.stem: list(pictures(path, chosen.most)) for path in chosen.archives}
    given |= {f"cut at {wider} faces": list(cuts(detector, photos, wider)) for wider in WIDER}
    rows = {name: row(detector, own) for name, own in given.items()}
    rows["photographs"] = row(detector, photos)
    check(detector, photos)
    report.table([(name, " ".join(map(str, own.values()))) for name, own in rows.items()])
    report.figures = rows
    report.goals = goals([rows[path.stem] for path in chosen.archives], rows["photographs"])
    report.write(chosen.out)


def goals(crops: list[dict[str, Any]], photos: dict[str, Any]) -> list[timing.Goal]:
    """Crops are hardly ever taken for photographs, and photographs that show a face are told."""
    told = photos["taken for photographs"] / max(1, photos["a face seen"])
    missed = timing.Goal("photographs with a face, not told", 0.1, round(1 - told, 5))
    if not crops:
        return [missed]
    taken = sum(own["runs taken for photographs"] for own in crops)
    share = taken / max(1, sum(own["runs"] for own in crops))
    return [timing.Goal("runs of crops, taken for photographs", 0.001, round(share, 5)), missed]


def check(detector: Detector, photos: list[U8]) -> None:
    found: list[F64] = [
        np.array([detector.find(rgb)[0].box.height / min(rgb.shape[:2]), share(detector, rgb)])
        for rgb in photos
        if detector.find(rgb)
    ]
    timing.check(all(a == b for a, b in found), "the share of Detector.find")


if __name__ == "__main__":
    main()
