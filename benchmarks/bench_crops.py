"""Are whole photographs told from face crops, and crops never taken for photographs?

Crops: the archives or folders given, each as distributed; and cuts about the faces of the
photographs, framed ever wider. Photographs: a folder of them. `mien scores` looks at the first few
pictures it is given, so runs of as many pictures in a row are asked too.

Run: python -m benchmarks.bench_crops --photos DIR ARCHIVE...
Writes results/bench-crops.json. Goals: at most 1 in 1,000 runs of crops is taken for photographs;
at least 9 of 10 photographs that show a face are told.
Check: the share of a picture's side that its largest face takes is what `Detector.find` says too.
"""

import argparse
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import timing
from mien.faces.detect import Detector
from mien.media import images
from mien.media.folders import find_pictures
from mien.media.writers import write_text
from mien.pixels import F64, U8
from mien.recognize.photographs import FILLS, LOOKED, is_photograph

WIDER = (1.0, 1.5, 2.0, 2.5, 3.0)  # sides of a cut, measured by the height of the face's box


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("archives", type=Path, nargs="*", help="of crops: .zip files or folders")
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--most", type=int, default=600, help="pictures of each archive")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    return parser.parse_args()


def pictures(place: Path, most: int) -> Iterator[U8]:
    """The pictures of an archive or a folder, in runs of `LOOKED` spread evenly over it."""
    if place.is_dir():
        files = find_pictures([place])
        yield from (images.read_rgb(files[i]) for i in spread(len(files), most))
        return
    with zipfile.ZipFile(place) as archive:
        names = sorted(n for n in archive.namelist() if n.lower().endswith((".jpg", ".png")))
        for i in spread(len(names), most):
            yield images.decode_rgb(archive.read(names[i]), names[i])


def spread(count: int, most: int) -> list[int]:
    starts = np.linspace(0, max(0, count - LOOKED), max(1, most // LOOKED)).astype(int)
    return [i for start in dict.fromkeys(starts.tolist()) for i in range(start, start + LOOKED)][
        : max(count, LOOKED)
    ]


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
    settings = {"most": chosen.most, "fills": FILLS, "looked": LOOKED}
    record = timing.head(__doc__.splitlines()[0], "benchmarks.bench_crops", settings)
    detector = Detector(1)
    photos = [images.read_rgb(path) for path in find_pictures([chosen.photos])]
    given = {path.stem: list(pictures(path, chosen.most)) for path in chosen.archives}
    given |= {f"cut at {wider} faces": list(cuts(detector, photos, wider)) for wider in WIDER}
    rows = {name: row(detector, own) for name, own in given.items()}
    rows["photographs"] = row(detector, photos)
    check(detector, photos)
    for name, own in rows.items():
        print(f"{name:<20}", *own.values())
    record["rows"] = rows
    write_text(json.dumps(record, indent=1) + "\n", chosen.out / "bench-crops.json")


def check(detector: Detector, photos: list[U8]) -> None:
    found: list[F64] = [
        np.array([detector.find(rgb)[0].box.height / min(rgb.shape[:2]), share(detector, rgb)])
        for rgb in photos
        if detector.find(rgb)
    ]
    timing.check(all(a == b for a, b in found), "the share of Detector.find")


if __name__ == "__main__":
    main()
