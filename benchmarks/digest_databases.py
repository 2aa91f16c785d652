"""Tiny databases for `digests.py`, in the layouts that `mien prepare` takes. Nothing of mien."""

import numpy as np
from PIL import Image

from benchmarks.digest_pictures import BAD, encoded, texture, zipped

__all__ = ["FRAMES", "SUBJECTS", "databases"]

FRAMES = 24  # of a film
SUBJECTS = ("SN001", "SN002")  # of DISFA's films, which `digest_inputs` makes
_UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
_SHOWN = {1: (), 5: (6, 12), 9: (1, 2, 5, 26), 13: (12,), 17: (4, 5), 21: (9, 17)}  # by frame


def databases(photo: Image.Image) -> dict[str, bytes]:
    """Every database by the names of its files."""
    packed = {
        "rafdb.zip": zipped(_rafdb()),
        "fer2013.zip": zipped(_fer2013()),
        "gimefive-valid.zip": zipped(_gimefive()),
        "ckplus.zip": zipped(_ckplus()),
        "tfeid.zip": zipped(_tfeid()),
        "affectnet-subset.zip": zipped(_affectnet()),
        "fer2013-table/fer2013.csv": _pixel_table(),
        "ferplus-votes.csv": _votes(),
    }
    official = {**_official_rafdb(), **_official_ckplus(), **_official_affectnet(photo), **_disfa()}
    return {f"databases/{name}": data for name, data in {**packed, **official}.items()}


def _rafdb() -> dict[str, bytes]:
    files, tables = {}, {"train": ["image,label"], "test": ["image,label"]}
    for number in range(7 * 7):
        split, label = ("test" if number >= 35 else "train"), number % 7 + 1
        name = f"{split}_{number:05}_aligned.jpg"
        files[f"DATASET/{split}/{label}/{name}"] = encoded(texture(3000 + number, 100))
        tables[split].append(f"{name},{label if number != 6 else 1}")
    leak, held = "train_90000_aligned.jpg", files["DATASET/test/1/test_00035_aligned.jpg"]
    files |= {f"DATASET/train/4/{leak}": held, "DATASET/train/4/bad.jpg": BAD}
    tables["train"] += [f"{leak},4", "bad.jpg,4", "gone.jpg,2"]
    return files | {f"{split}_labels.csv": "\n".join(t).encode() for split, t in tables.items()}


def _official_rafdb() -> dict[str, bytes]:
    names = [f"{'test' if n > 7 else 'train'}_{n:05}" for n in range(12)]
    lines = [f"{name}.jpg {number % 7 + 1}" for number, name in enumerate(names)]
    lines += ["train_00099.jpg 3", "train_00000.jpg 9"]
    files = {
        f"rafdb-official/Image/aligned/{name}_aligned.jpg": encoded(texture(3100 + number, 100))
        for number, name in enumerate(names)
    }
    list_ = "rafdb-official/EmoLabel/list_patition_label.txt"
    return {**files, list_: "\n".join(lines).encode()}


def _fer2013() -> dict[str, bytes]:
    words = ("happy", "surprise", "sad", "angry", "disgust", "fear", "neutral", "contempt")
    return {
        f"{split}/{word}/{split}_{number}.jpg": encoded(
            Image.fromarray(texture(3200 + 40 * place + 8 * number + kind, 48)).convert("L")
        )
        for place, split in enumerate(("train", "test"))
        for number in range(3)
        for kind, word in enumerate(words)
    }


def _pixel_table() -> bytes:
    usages, lines = ("Training", "PublicTest", "PrivateTest"), ["emotion,pixels,Usage"]
    for number in range(28):
        grey = np.asarray(Image.fromarray(texture(3400 + number, 48)).convert("L"))
        lines.append(f"{number % 7},{' '.join(map(str, grey.ravel()))},{usages[number % 3]}")
    lines += ["3,1 2 3,Training", "9,1 2 3 4,Training"]
    return "\n".join(lines).encode()


def _votes() -> bytes:
    head = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt"
    lines = [f"{head},unknown,NF"]
    for number in range(30):
        votes = [0] * 10
        votes[number % 9] += 5 if number % 4 == 0 else 8
        votes[(number + 3) % 7] += 2 if number % 4 else 5
        lines.append(f"Training,fer{number:07}.png,{','.join(map(str, votes))}")
    return "\n".join(lines).encode()


def _gimefive() -> dict[str, bytes]:
    names = [f"valid_{number}.jpg" for number in range(18)]
    table = "\n".join(f"{name},{number % 6}" for number, name in enumerate([*names, "gone.jpg"]))
    files = {f"valid/{name}": encoded(texture(3500 + n)) for n, name in enumerate(names)}
    return {
        **files,
        "valid/extra.jpg": encoded(texture(3599)),
        "valid_labels.csv": table.encode(),
    }


def _ckplus() -> dict[str, bytes]:
    words = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
    return {
        f"CK+48/{word}/S{10 + person:03}_{1 + kind:03}_000000{15 + frame}.png": encoded(
            Image.fromarray(texture(3600 + 7 * person + kind, 48)).convert("L"), "PNG"
        )
        for person in range(4)
        for kind, word in enumerate(words)
        for frame in range(2)
    }


def _official_ckplus() -> dict[str, bytes]:
    files = {}
    for person in range(3):
        for number in range(8):
            place, stem = (
                f"S{50 + person:03}/{number:03}",
                f"S{50 + person:03}_{number:03}_00000012",
            )
            picture = encoded(texture(3700 + 8 * person + number, 96), "PNG")
            files[f"ckplus-official/cohn-kanade-images/{place}/{stem}.png"] = picture
            label = f"   {number}.0000000e+00\n".encode()
            files[f"ckplus-official/Emotion/{place}/{stem}_emotion.txt"] = label
    return files


def _tfeid() -> dict[str, bytes]:
    return {
        f"high/{sex}{1 + person:02}_dfh_{kind}x.jpg": encoded(texture(3800 + 9 * person + n, 80))
        for person, sex in enumerate("ffmm")
        for n, kind in enumerate("adfhnpscz")
    }


def _affectnet() -> dict[str, bytes]:
    words = ("anger", "disgust", "fear", "happy", "sad", "surprise", "contempt")
    return {
        f"{word}/image{number}.jpg": encoded(texture(3900 + 7 * number + kind, 96))
        for number in range(5)
        for kind, word in enumerate(words)
    }


def _official_affectnet(photo: Image.Image) -> dict[str, bytes]:
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,expression"
    files, tables = {}, {"training": [head], "validation": [head]}
    for number in range(14):
        name = f"{number % 3}/{number:04}.jpg"
        mixed = Image.blend(photo, Image.fromarray(texture(4000 + number, 512)), 0.5)
        files[f"affectnet-official/Manually_Annotated_Images/{name}"] = encoded(mixed)
        line = f"{name},{150 + number},{40 + number},140,150,{number % 11}"
        tables["validation" if number % 4 == 3 else "training"].append(line)
    tables["training"] += ["0/0000.jpg,,,,,2", "0/gone.jpg,1,1,9,9,1"]
    csvs = {f"affectnet-official/{n}.csv": "\n".join(t).encode() for n, t in tables.items()}
    return {**files, **csvs}


def _disfa() -> dict[str, bytes]:
    """The action units of two films, which `digest_inputs` adds; one of the second is missing."""
    made = {}
    for subject, units in zip(SUBJECTS, (_UNITS, _UNITS[:-1]), strict=True):
        for unit in units:
            lines = [f"{n},{3 if unit in _shown_at(n) else 0}" for n in range(1, FRAMES + 1)]
            name = f"disfa/ActionUnit_Labels/{subject}/{subject}_au{unit}.txt"
            made[name] = "\n".join(lines).encode()
    return made


def _shown_at(frame: int) -> tuple[int, ...]:
    return _SHOWN[max(first for first in _SHOWN if first <= frame)]
