"""Free pictures, films and archives for `digests.py`, the same at every call.

All comes from the public-domain portrait in the package, from smooth noise and from a tone. The
databases are those of `digest_databases`. Nothing of mien.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps

from benchmarks.digest_databases import FRAMES, SUBJECTS, databases
from benchmarks.digest_pictures import BAD, SEVEN, U8, changed, encoded, head, striped, texture
from benchmarks.digest_settings import settings

__all__ = ["make"]

_RATE, _AWAY = 12, range(11, 15)
_SOUND = 48_000


def make(folder: Path, portrait: Path) -> None:
    """Make every input.

    Args:
        folder: receives them; must not exist.
        portrait: a picture of 512x512 pixels with one face.
    """
    photo = Image.open(portrait).convert("RGB")
    for part in (_photos(photo), _crops(photo), _faces(photo), databases(photo), settings()):
        _write(folder, part)
    (folder / "nothing").mkdir()
    _films(folder, photo)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _photos(photo: Image.Image) -> dict[str, bytes]:
    upside = Image.Exif()
    upside[0x0112] = 6  # to be shown turned by a quarter
    tinted = Image.blend(photo, Image.new("RGB", photo.size, (0, 60, 160)), 0.3)
    clear = photo.copy()
    clear.putalpha(Image.linear_gradient("L").resize(photo.size))
    files = {
        "turned.jpg": encoded(photo.rotate(90), exif=upside),
        "small.png": encoded(photo.resize((150, 150), Image.Resampling.LANCZOS), "PNG"),
        "mirrored.webp": encoded(ImageOps.mirror(photo), "WEBP", quality=90),
        "sub/tinted.jpg": encoded(tinted, quality=70),
        "sub/clear.png": encoded(clear, "PNG"),
        "sub/grey.png": encoded(photo.convert("L"), "PNG"),
        "sub/cmyk.jpg": encoded(photo.convert("CMYK"), quality=90),
        "large.jpg": encoded(head(photo, 1400, 8), quality=85),
        "group.jpg": encoded(_group(photo), quality=92),
        "empty.png": encoded(texture(1, 320), "PNG"),
    }
    made = {f"photos/{name}": data for name, data in files.items()}
    good = {name: files[name] for name in ("small.png", "group.jpg")}
    made |= {f"mixed/{name}": data for name, data in {**good, "broken.jpg": BAD}.items()}
    return made | {"portrait.jpg": encoded(photo, quality=95), "broken.jpg": BAD}


def _group(photo: Image.Image) -> Image.Image:
    scene = Image.new("RGB", (1000, 420), (96, 108, 120))
    for number, (left, top, side) in enumerate([(10, 20, 340), (370, 60, 260), (700, 30, 180)]):
        scene.paste(head(photo, side, 6 * (number - 1)), (left, top))
    scene.paste(ImageOps.mirror(head(photo, 120)), (870, 280))
    return scene


def _crops(photo: Image.Image) -> dict[str, bytes]:
    """Face crops, some with a texture over them, and six faults among them for the audit."""
    made = {}
    for number in range(4 * len(SEVEN)):
        label = SEVEN[number % len(SEVEN)]
        face = np.asarray(head(photo, 64, number - 14), np.float64)
        mixed = (0.35 * face + 0.65 * striped(label, 500 + number)).astype(np.uint8)
        split = "test" if number % 4 == 3 else "train"
        made[f"own/{split}/{label}/{number:02}.png"] = encoded(mixed, "PNG")
    one, two, three = (texture(seed) for seed in (900, 901, 902))
    grey = np.full((64, 64, 3), 7, np.uint8)
    faults = {
        "test/fear/held": one, "train/fear/leak": one, "train/anger/near-leak": changed(one),
        "train/sadness/said": two, "train/anger/gainsaid": two, "test/anger/blank": grey,
        "train/disgust/c": three, "train/disgust/d": three, "train/neutral/blank": grey,
        "train/sadness/mirrored": changed(np.ascontiguousarray(three[:, ::-1])),
    }  # fmt: skip
    made |= {f"own/{name}.png": encoded(crop, "PNG") for name, crop in faults.items()}
    return made | {"own/train/fear/broken.png": BAD, "own/train/contempt/x.png": made[min(made)]}


def _faces(photo: Image.Image) -> dict[str, bytes]:
    """Faces not cut out yet, by a table with people; and crops enough to train and to export."""
    made, lines = {}, ["path,label,split,subject"]
    for number, label in enumerate(SEVEN * 2):
        name = f"people/{number:02}.jpg"
        made[f"named/{name}"] = encoded(head(photo, 120 + 10 * number, 3 * number - 20))
        split = ("train", "test")[number % 2]
        lines.append(f"{name},{label},{split},person{number % 5}")
    lines += ["people/gone.jpg,fear,train,person1", "people/00.jpg,anger,train,person0"]
    made["named/labels.csv"] = ("\n".join(lines) + "\n").encode()
    for number in range(7 * 52):
        label = SEVEN[number % 7]
        split = "test" if number % 13 == 12 else "train"
        name = f"many/{split}/{label}/{number:03}.png"
        made[name] = encoded(striped(label, 2000 + number), "PNG")
    return made


def _films(folder: Path, photo: Image.Image) -> None:
    """A film with sound, the same as numbered pictures, and one that is cut short."""
    one, two = _scenes(photo, 1), _scenes(photo, 2)
    _film(folder / "talk.mp4", one, sound=True)
    _film(folder / "two.avi", two[:12], sound=False)
    whole = (folder / "two.avi").read_bytes()
    (folder / "cut.avi").write_bytes(whole[: len(whole) * 2 // 3])
    for subject in SUBJECTS:
        _film(folder / f"databases/disfa/LeftVideo{subject}_comp.avi", one, sound=False)
    frames = {f"frames/{n:03}.jpg": encoded(p, quality=90) for n, p in enumerate(two[:6])}
    _write(folder, frames)


def _scenes(photo: Image.Image, faces: int) -> list[U8]:
    """A head that moves to the right, and is gone for some frames."""
    scenes = []
    for number in range(FRAMES):
        scene = Image.new("RGB", (320, 240), (110, 100, 90))
        for place in range(faces if number not in _AWAY else 0):
            left = 4 + 160 * place + (4 * number if faces == 1 else number // 4)
            scene.paste(head(photo, 150, number / 2), (left, 40 + 5 * place))
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
