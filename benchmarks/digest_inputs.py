"""Free pictures, films and archives for `digests.py`, the same at every call.

All comes from the public-domain portrait in the package, from smooth noise and from a tone; the
archives are tiny ones in the layouts that `mien prepare` takes. Nothing of mien.
"""

import io
import zipfile
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from benchmarks.digest_runs import NETWORKS

__all__ = ["make"]

U8 = npt.NDArray[np.uint8]

_SIX = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")
_SEVEN = (*_SIX, "neutral")
_UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
_SHOWN = {1: (), 5: (6, 12), 9: (1, 2, 5, 26), 13: (12,), 17: (4, 5), 21: (9, 17)}  # by frame
_RATE, _FRAMES, _AWAY = 12, 24, range(11, 15)
_SOUND = 48_000
_BAD = b"these are no pixels"

_TRAIN = """data = ["../prepare-many/data"]
epochs = 3
batch = 16
hold_out = 0.8
average = 0.9
first_side = 48
crop = 0.1
noise = 0.2
colour = 0.1
mixup = 0.3
bf16 = false
threads = 1
"""
_GRID = """data = ["../prepare-many/data"]
rate = [0.02, 0.1]
epochs = [1, 2]
batch = 16
hold_out = 0.8
schedule = "constant"
neutral = false
augment = false
bf16 = false
threads = 1
"""
_PUPIL = """data = ["../prepare-many/data"]
teachers = ["../train/run"]
start = "../train/run"
epochs = 3
patience = 1
batch = 16
hold_out = 0.8
balance = 0.3
optimiser = "adamw"
schedule = "cosine"
rate = 0.001
cutmix = 0.3
perspective = 0.1
contrast = 0.3
gamma = 0.3
coarse = 0.3
jpeg = 0.3
bf16 = false
threads = 1
"""
_VOTES = """data = ["../prepare-fer2013/table"]
votes = ["../prepare-ferplus/data"]
epochs = 1
batch = 7
hold_out = 0.3
bf16 = false
threads = 1
"""
# Of a deep network with three linear layers, little is learned: enough to be told apart.
_DEEP = """data = ["../prepare-many/data"]
model = "cnn10"
epochs = 1
batch = 6
hold_out = 0.92
rate = 0.001
average = 0.5
neutral = false
bf16 = false
threads = 1
"""
_NETWORK = """data = ["../prepare-fer2013/table"]
epochs = 1
batch = 8
hold_out = 0.0
momentum = 0.0
nesterov = false
augment = false
neutral = false
bf16 = false
threads = 1
"""


def make(folder: Path, portrait: Path) -> None:
    """Make every input.

    Args:
        folder: receives them; must not exist.
        portrait: a picture of 512x512 pixels with one face.
    """
    photo = Image.open(portrait).convert("RGB")
    for part in (_photos(photo), _crops(photo), _faces(photo), _databases(photo), _settings()):
        _write(folder, part)
    (folder / "nothing").mkdir()
    _films(folder, photo)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _encoded(image: Image.Image | U8, kind: str = "JPEG", **options: object) -> bytes:
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _texture(seed: int, side: int = 64) -> U8:
    """A smooth random picture, shape (side, side, 3); no two seeds look alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def _striped(label: str, seed: int) -> U8:
    """A texture with the stripes of its class, for a network to learn."""
    y, x = np.indices((64, 64, 1))[:2]
    kind, coarse = divmod(_SEVEN.index(label), 2)
    size = 4 if coarse else 2
    bands = [y // size, x // size, y // size + x // size, np.zeros_like(x)][kind]
    return np.clip(38 + _texture(seed) * 0.7 + 70 * (bands % 2) - 35, 0, 255).astype(np.uint8)


def _changed(crop: U8) -> U8:
    """The same crop, cut a little and brighter: a near-copy."""
    cut = Image.fromarray(crop).crop((2, 1, 63, 62)).resize((64, 64), Image.Resampling.BILINEAR)
    return (np.asarray(cut) * 0.8 + 30).astype(np.uint8)


def _head(photo: Image.Image, side: int, turn: float = 0) -> Image.Image:
    turned = photo.rotate(turn, Image.Resampling.BICUBIC, fillcolor=(110, 110, 110))
    return turned.crop((95, 0, 355, 260)).resize((side, side), Image.Resampling.BICUBIC)


def _photos(photo: Image.Image) -> dict[str, bytes]:
    upside = Image.Exif()
    upside[0x0112] = 6  # to be shown turned by a quarter
    tinted = Image.blend(photo, Image.new("RGB", photo.size, (0, 60, 160)), 0.3)
    clear = photo.copy()
    clear.putalpha(Image.linear_gradient("L").resize(photo.size))
    files = {
        "turned.jpg": _encoded(photo.rotate(90), exif=upside),
        "small.png": _encoded(photo.resize((150, 150), Image.Resampling.LANCZOS), "PNG"),
        "mirrored.webp": _encoded(ImageOps.mirror(photo), "WEBP", quality=90),
        "sub/tinted.jpg": _encoded(tinted, quality=70),
        "sub/clear.png": _encoded(clear, "PNG"),
        "sub/grey.png": _encoded(photo.convert("L"), "PNG"),
        "sub/cmyk.jpg": _encoded(photo.convert("CMYK"), quality=90),
        "large.jpg": _encoded(_head(photo, 1400, 8), quality=85),
        "group.jpg": _encoded(_group(photo), quality=92),
        "empty.png": _encoded(_texture(1, 320), "PNG"),
    }
    made = {f"photos/{name}": data for name, data in files.items()}
    good = {name: files[name] for name in ("small.png", "group.jpg")}
    made |= {f"mixed/{name}": data for name, data in {**good, "broken.jpg": _BAD}.items()}
    return made | {"portrait.jpg": _encoded(photo, quality=95), "broken.jpg": _BAD}


def _group(photo: Image.Image) -> Image.Image:
    scene = Image.new("RGB", (1000, 420), (96, 108, 120))
    for number, (left, top, side) in enumerate([(10, 20, 340), (370, 60, 260), (700, 30, 180)]):
        scene.paste(_head(photo, side, 6 * (number - 1)), (left, top))
    scene.paste(ImageOps.mirror(_head(photo, 120)), (870, 280))
    return scene


def _crops(photo: Image.Image) -> dict[str, bytes]:
    """Face crops, some with a texture over them, and six faults among them for the audit."""
    made = {}
    for number in range(4 * len(_SEVEN)):
        label = _SEVEN[number % len(_SEVEN)]
        face = np.asarray(_head(photo, 64, number - 14), np.float64)
        mixed = (0.35 * face + 0.65 * _striped(label, 500 + number)).astype(np.uint8)
        split = "test" if number % 4 == 3 else "train"
        made[f"own/{split}/{label}/{number:02}.png"] = _encoded(mixed, "PNG")
    one, two, three = (_texture(seed) for seed in (900, 901, 902))
    grey = np.full((64, 64, 3), 7, np.uint8)
    faults = {
        "test/fear/held": one, "train/fear/leak": one, "train/anger/near-leak": _changed(one),
        "train/sadness/said": two, "train/anger/gainsaid": two, "test/anger/blank": grey,
        "train/disgust/c": three, "train/disgust/d": three, "train/neutral/blank": grey,
        "train/sadness/mirrored": _changed(np.ascontiguousarray(three[:, ::-1])),
    }  # fmt: skip
    made |= {f"own/{name}.png": _encoded(crop, "PNG") for name, crop in faults.items()}
    return made | {"own/train/fear/broken.png": _BAD, "own/train/contempt/x.png": made[min(made)]}


def _faces(photo: Image.Image) -> dict[str, bytes]:
    """Faces not cut out yet, by a table with people; and crops enough to train and to export."""
    made, lines = {}, ["path,label,split,subject"]
    for number, label in enumerate(_SEVEN * 2):
        name = f"people/{number:02}.jpg"
        made[f"named/{name}"] = _encoded(_head(photo, 120 + 10 * number, 3 * number - 20))
        split = ("train", "test")[number % 2]
        lines.append(f"{name},{label},{split},person{number % 5}")
    lines += ["people/gone.jpg,fear,train,person1", "people/00.jpg,anger,train,person0"]
    made["named/labels.csv"] = ("\n".join(lines) + "\n").encode()
    for number in range(7 * 52):
        label = _SEVEN[number % 7]
        split = "test" if number % 13 == 12 else "train"
        name = f"many/{split}/{label}/{number:03}.png"
        made[name] = _encoded(_striped(label, 2000 + number), "PNG")
    return made


def _databases(photo: Image.Image) -> dict[str, bytes]:
    databases = {
        "rafdb.zip": _zip(_rafdb()),
        "fer2013.zip": _zip(_fer2013()),
        "gimefive-valid.zip": _zip(_gimefive()),
        "ckplus.zip": _zip(_ckplus()),
        "tfeid.zip": _zip(_tfeid()),
        "affectnet-subset.zip": _zip(_affectnet()),
        "fer2013-table/fer2013.csv": _pixel_table(),
        "ferplus-votes.csv": _votes(),
    }
    official = {**_official_rafdb(), **_official_ckplus(), **_official_affectnet(photo), **_disfa()}
    return {f"databases/{name}": data for name, data in {**databases, **official}.items()}


def _rafdb() -> dict[str, bytes]:
    files, tables = {}, {"train": ["image,label"], "test": ["image,label"]}
    for number in range(7 * 7):
        split, label = ("test" if number >= 35 else "train"), number % 7 + 1
        name = f"{split}_{number:05}_aligned.jpg"
        files[f"DATASET/{split}/{label}/{name}"] = _encoded(_texture(3000 + number, 100))
        tables[split].append(f"{name},{label if number != 6 else 1}")
    leak, held = "train_90000_aligned.jpg", files["DATASET/test/1/test_00035_aligned.jpg"]
    files |= {f"DATASET/train/4/{leak}": held, "DATASET/train/4/bad.jpg": _BAD}
    tables["train"] += [f"{leak},4", "bad.jpg,4", "gone.jpg,2"]
    return files | {f"{split}_labels.csv": "\n".join(t).encode() for split, t in tables.items()}


def _official_rafdb() -> dict[str, bytes]:
    names = [f"{'test' if n > 7 else 'train'}_{n:05}" for n in range(12)]
    lines = [f"{name}.jpg {number % 7 + 1}" for number, name in enumerate(names)]
    lines += ["train_00099.jpg 3", "train_00000.jpg 9"]
    files = {
        f"rafdb-official/Image/aligned/{name}_aligned.jpg": _encoded(_texture(3100 + number, 100))
        for number, name in enumerate(names)
    }
    list_ = "rafdb-official/EmoLabel/list_patition_label.txt"
    return {**files, list_: "\n".join(lines).encode()}


def _fer2013() -> dict[str, bytes]:
    words = ("happy", "surprise", "sad", "angry", "disgust", "fear", "neutral", "contempt")
    return {
        f"{split}/{word}/{split}_{number}.jpg": _encoded(
            Image.fromarray(_texture(3200 + 40 * place + 8 * number + kind, 48)).convert("L")
        )
        for place, split in enumerate(("train", "test"))
        for number in range(3)
        for kind, word in enumerate(words)
    }


def _pixel_table() -> bytes:
    usages, lines = ("Training", "PublicTest", "PrivateTest"), ["emotion,pixels,Usage"]
    for number in range(28):
        grey = np.asarray(Image.fromarray(_texture(3400 + number, 48)).convert("L"))
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
    files = {f"valid/{name}": _encoded(_texture(3500 + n)) for n, name in enumerate(names)}
    return {
        **files,
        "valid/extra.jpg": _encoded(_texture(3599)),
        "valid_labels.csv": table.encode(),
    }


def _ckplus() -> dict[str, bytes]:
    words = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
    return {
        f"CK+48/{word}/S{10 + person:03}_{1 + kind:03}_000000{15 + frame}.png": _encoded(
            Image.fromarray(_texture(3600 + 7 * person + kind, 48)).convert("L"), "PNG"
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
            picture = _encoded(_texture(3700 + 8 * person + number, 96), "PNG")
            files[f"ckplus-official/cohn-kanade-images/{place}/{stem}.png"] = picture
            label = f"   {number}.0000000e+00\n".encode()
            files[f"ckplus-official/Emotion/{place}/{stem}_emotion.txt"] = label
    return files


def _tfeid() -> dict[str, bytes]:
    return {
        f"high/{sex}{1 + person:02}_dfh_{kind}x.jpg": _encoded(_texture(3800 + 9 * person + n, 80))
        for person, sex in enumerate("ffmm")
        for n, kind in enumerate("adfhnpscz")
    }


def _affectnet() -> dict[str, bytes]:
    words = ("anger", "disgust", "fear", "happy", "sad", "surprise", "contempt")
    return {
        f"{word}/image{number}.jpg": _encoded(_texture(3900 + 7 * number + kind, 96))
        for number in range(5)
        for kind, word in enumerate(words)
    }


def _official_affectnet(photo: Image.Image) -> dict[str, bytes]:
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,expression"
    files, tables = {}, {"training": [head], "validation": [head]}
    for number in range(14):
        name = f"{number % 3}/{number:04}.jpg"
        mixed = Image.blend(photo, Image.fromarray(_texture(4000 + number, 512)), 0.5)
        files[f"affectnet-official/Manually_Annotated_Images/{name}"] = _encoded(mixed)
        line = f"{name},{150 + number},{40 + number},140,150,{number % 11}"
        tables["validation" if number % 4 == 3 else "training"].append(line)
    tables["training"] += ["0/0000.jpg,,,,,2", "0/gone.jpg,1,1,9,9,1"]
    csvs = {f"affectnet-official/{n}.csv": "\n".join(t).encode() for n, t in tables.items()}
    return {**files, **csvs}


def _disfa() -> dict[str, bytes]:
    """The action units of two films, which `_films` adds; the labels of the second are cut."""
    made = {}
    for subject, units in (("SN001", _UNITS), ("SN002", _UNITS[:-1])):
        for unit in units:
            lines = [f"{n},{3 if unit in _shown_at(n) else 0}" for n in range(1, _FRAMES + 1)]
            name = f"disfa/ActionUnit_Labels/{subject}/{subject}_au{unit}.txt"
            made[name] = "\n".join(lines).encode()
    return made


def _shown_at(frame: int) -> tuple[int, ...]:
    return _SHOWN[max(first for first in _SHOWN if first <= frame)]


def _settings() -> dict[str, bytes]:
    texts = {
        "train.toml": _TRAIN,
        "pupil.toml": _PUPIL,
        "votes.toml": _VOTES,
        "shuffled.toml": _TRAIN + "shuffle_labels = true\n",
        "deep.toml": _DEEP,
        "grid.toml": _GRID,
        "other-grid.toml": _GRID.replace("0.02", "0.03"),
        "elsewhere.toml": 'data = ["not/here"]\njpeg = 0.5\ngamma = 0.4\nperspective = 0.1\n',
        "misspelt.toml": 'data = ["not/here"]\nepoch = 3\n',
        "outside.toml": 'data = ["not/here"]\nhold_out = 1.5\n',
        "no-model.toml": _TRAIN + 'model = "resnet81"\n',
        "broken.toml": "data = [\n",
    }
    texts |= {f"{name}.toml": f'{_NETWORK}model = "{name}"\n' for name in NETWORKS}
    return {name: text.encode() for name, text in texts.items()}


def _films(folder: Path, photo: Image.Image) -> None:
    """A film with sound, the same as numbered pictures, and one that is cut short."""
    one, two = _scenes(photo, 1), _scenes(photo, 2)
    _film(folder / "talk.mp4", one, sound=True)
    _film(folder / "two.avi", two[:12], sound=False)
    whole = (folder / "two.avi").read_bytes()
    (folder / "cut.avi").write_bytes(whole[: len(whole) * 2 // 3])
    for subject in ("SN001", "SN002"):
        _film(folder / f"databases/disfa/LeftVideo{subject}_comp.avi", one, sound=False)
    frames = {f"frames/{n:03}.jpg": _encoded(p, quality=90) for n, p in enumerate(two[:6])}
    _write(folder, frames)


def _scenes(photo: Image.Image, faces: int) -> list[U8]:
    """A head that moves to the right, and is gone for some frames."""
    scenes = []
    for number in range(_FRAMES):
        scene = Image.new("RGB", (320, 240), (110, 100, 90))
        for place in range(faces if number not in _AWAY else 0):
            left = 4 + 160 * place + (4 * number if faces == 1 else number // 4)
            scene.paste(_head(photo, 150, number / 2), (left, 40 + 5 * place))
        scenes.append(np.asarray(scene))
    return scenes


def _film(path: Path, scenes: list[U8], sound: bool) -> None:
    kind = "libx264" if path.suffix == ".mp4" else "mpeg4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(kind, rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.bit_rate, stream.codec_context.thread_count = 1_000_000, 1
        audio = container.add_stream("aac", rate=_SOUND, layout="mono") if sound else None
        for number, scene in enumerate(scenes):
            frame = av.VideoFrame.from_ndarray(scene, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, _RATE)
            container.mux(stream.encode(frame))
        if audio:
            for start in range(0, _SOUND * len(scenes) // _RATE, 1024):
                container.mux(audio.encode(_tone(start)))
            container.mux(audio.encode(None))
        container.mux(stream.encode(None))


def _tone(start: int) -> av.AudioFrame:
    wave = 0.2 * np.sin(2 * np.pi * 440 * np.arange(start, start + 1024) / _SOUND)
    frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = _SOUND, start, Fraction(1, _SOUND)
    return frame
