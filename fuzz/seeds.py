"""Small free files to begin with, made on the spot: the portrait in the package, drawn pictures.

Every function makes its files in a folder and returns those that are to be changed; what a door
needs beside them stays in the folder.
"""

import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, features

from benchmarks.portraits import portrait
from fuzz.mutate import Seed
from mien.labels import LABELS
from mien.pixels import U8
from tests.support.dataset_listings import fer2013_csv
from tests.support.onnx_files import channels_model
from tests.support.pictures import encode, own_files, texture
from tests.support.prepared_folder import write_crops
from tests.support.video_files import clip, film, swaying

__all__ = [
    "archives",
    "head",
    "manifests",
    "models",
    "pictures",
    "prepared",
    "runs",
    "settings",
    "videos",
]


def head(side: int = 96) -> Image.Image:
    """The portrait's head, `side` pixels square."""
    whole = Image.fromarray(portrait()[:260, 95:355])
    return whole.resize((side, side), Image.Resampling.BICUBIC)


def pictures(_: Path) -> list[Seed]:
    """A picture in every format and mode that Pillow writes here and mien may meet."""
    return [Seed(name, data) for name, data in _pictures()]


def _pictures() -> Iterator[tuple[str, bytes]]:
    face, gray = head(), ImageOps.grayscale(head())
    turned = Image.Exif()
    turned[0x0112] = 6
    yield "face.jpg", encode(face, quality=80)
    yield "turned.jpg", encode(face, quality=70, exif=turned)
    yield "progressive.jpg", encode(face, progressive=True, quality=60)
    yield "gray.jpg", encode(gray)
    yield "cmyk.jpg", encode(face.convert("CMYK"))
    clear = face.copy()
    clear.putalpha(gray)
    deep = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    for name, image in {
        "face": face, "gray": gray, "clear": clear, "deep": deep, "bits": gray.convert("1"),
        "palette": face.quantize(16), "gray-clear": clear.convert("LA"),
    }.items():  # fmt: skip
        yield f"{name}.png", encode(image, "PNG")
    yield "moving.png", encode(face, "PNG", save_all=True, append_images=[face.rotate(9)])
    yield "face.webp", encode(face, "WEBP", quality=60)
    yield "lossless.webp", encode(clear, "WEBP", lossless=True)
    yield "moving.webp", encode(face, "WEBP", save_all=True, append_images=[face.rotate(9)])
    yield "face.gif", encode(face.quantize(32), "GIF")
    yield (
        "moving.gif",
        encode(face.quantize(8), "GIF", save_all=True, append_images=[face.rotate(9).quantize(8)]),
    )
    packings = ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "group4")
    for packing in packings if features.check("libtiff") else ("raw",):
        image = gray.convert("1") if packing == "group4" else face
        yield f"{packing}.tiff", encode(image, "TIFF", compression=packing)
    yield "deep.tiff", encode(deep, "TIFF")
    real = Image.fromarray(np.asarray(gray).astype(np.float32) / 255)
    yield "real.tiff", encode(real, "TIFF")
    yield "face.bmp", encode(face, "BMP")
    yield "face.ppm", encode(face, "PPM")
    yield "gray.pgm", encode(gray, "PPM")
    for suffix, kind in {
        "tga": "TGA", "ico": "ICO", "pcx": "PCX", "dds": "DDS", "sgi": "SGI", "jp2": "JPEG2000",
        "avif": "AVIF", "spi": "SPIDER", "eps": "EPS", "mpo": "MPO",
    }.items():  # fmt: skip
        image = gray.convert("F") if kind == "SPIDER" else face
        image = image.resize((32, 32)) if kind == "EPS" else image
        try:
            yield f"face.{suffix}", encode(image, kind)
        except (KeyError, OSError):  # this Pillow does not write it
            continue
    if find_spec("pillow_heif"):
        from pillow_heif import from_pillow

        buffer = io.BytesIO()
        from_pillow(face).save(buffer)
        yield "face.heic", buffer.getvalue()


def videos(folder: Path) -> list[Seed]:
    """Eight frames in every container and codec at hand, with and without sound."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = swaying(portrait(), 8)
    small = [np.ascontiguousarray(frame[::2, ::2]) for frame in frames]
    made = [
        clip(folder / "phone.mp4", small),
        clip(folder / "phone.mov", small),
        clip(folder / "late.mp4", small, sound=None, late_s=0.2),
        clip(folder / "clip.mkv", small, sound="pcm_s16le"),
        clip(folder / "old.avi", small, sound="pcm_s16le", codec="mpeg4"),
        clip(folder / "raw.avi", small[:3], sound=None, codec="mjpeg", pix_fmt="yuvj420p"),
        clip(folder / "broadcast.ts", small, sound="mp2", codec="mpeg2video"),
        clip(folder / "web.webm", small, sound=None, codec="libvpx"),
        clip(folder / "bare.h264", small, sound=None),
        clip(folder / "flash.flv", small, sound=None, codec="flv"),
        film(folder / "exact.mov", small[:3]),
    ]
    seeds = [Seed(path.name, path.read_bytes()) for path in made]
    moving = [Image.fromarray(frame) for frame in small[:4]]
    seeds.append(Seed("a.gif", encode(moving[0], "GIF", save_all=True, append_images=moving[1:])))
    return seeds


def archives(_: Path) -> list[Seed]:
    """Tiny datasets in the layouts of several readers; the reader's name begins the file's."""
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    return [
        Seed(f"{name}-{method}.zip", _zip(files, method))
        for number, (name, files) in enumerate(_datasets().items())
        for method in (methods if number == 0 else methods[:2])
    ] + [
        Seed(f"{name}.{suffix}", _tar(_datasets()[name], mode))
        for name in ("folder--splits", "fer2013--csv", "affectnet--arrays")
        for suffix, mode in (("tar", "w"), ("tar.gz", "w:gz"))
    ]


def _datasets() -> dict[str, dict[str, bytes]]:
    tiny = [encode(texture(seed, 24), "PNG") for seed in range(12)]
    own = {f"{LABELS[n // 2]}/{n}.png": data for n, data in enumerate(tiny)}
    flat = {f"pictures/{n}.png": data for n, data in enumerate(tiny)}
    label_of = [f"pictures/{n}.png,{LABELS[n // 2]}" for n in range(12)]
    rafdb = {f"aligned/{name}_aligned.png": data for name, data in zip(_RAFDB, tiny, strict=True)}
    parts = "\n".join(f"{name}.png {n % 7 + 1}" for n, name in enumerate(_RAFDB))
    boxes = "\n".join(f"1/{n}.png,2,2,18,18,{n % 8}" for n in range(12))
    faces = f"subDirectory_filePath,face_x,face_y,face_width,face_height,expression\n{boxes}"
    numbers = "\n".join(f"{n}.png,{n % 6}" for n in range(12))
    in_splits = {f"{('train', 'test')[n % 2]}/{name}": own[name] for n, name in enumerate(own)}
    table = fer2013_csv([texture(seed, 48)[..., 0] for seed in range(6)])
    return {
        "folder--labels": own,
        "folder--table": {**flat, "labels.csv": _lines("path,label", *label_of)},
        "folder--splits": in_splits,
        "rafdb--official": {**rafdb, "list_patition_label.txt": parts.encode()},
        "fer2013--csv": {"fer2013.csv": table},
        "affectnet--boxes": {
            **{f"1/{n}.png": data for n, data in enumerate(tiny)},
            "training.csv": faces.encode(),
            "validation.csv": faces.encode(),
        },
        "affectnet--arrays": {
            **{f"train_set/images/{n}.png": data for n, data in enumerate(tiny)},
            **{f"train_set/annotations/{n}_exp.npy": _npy(n % 8) for n in range(12)},
        },
        "gimefive--table": {
            **{f"valid/{n}.png": data for n, data in enumerate(tiny)},
            "valid_labels.csv": numbers.encode(),
        },
    }


def _lines(*lines: str) -> bytes:
    return "\n".join(lines).encode()


_RAFDB = [f"{('train', 'test')[n % 2]}_{n:05}" for n in range(1, 13)]


def _zip(files: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def _tar(files: dict[str, bytes], mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _npy(number: int) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array(str(number)))
    return buffer.getvalue()


def models(_: Path) -> list[Seed]:
    """Hand-made networks of a few hundred bytes with their cards, sealed."""
    card = {"name": "tiny", "explain": {"layer": "features", "linear_layers": 1}}
    return [
        Seed("plain.onnx", channels_model()),
        Seed("neutral.onnx", channels_model(neutral=True)),
        Seed("uncertain.onnx", channels_model(neutral=True, uncertain={"below": 0.4}, **card)),
    ]


def prepared(folder: Path) -> tuple[Path, Path]:
    """A tiny archive, and the folder that `mien prepare` makes of it."""
    from mien.data.prepare.pipeline import prepare
    from mien.data.prepare.record import Settings

    archive, out = folder / "own.zip", folder / "prepared"
    archive.write_bytes(_zip(own_files(each=3), zipfile.ZIP_STORED))
    prepare(Settings("folder", str(archive), test=0.4), out)
    return archive, out


def manifests(folder: Path) -> list[Seed]:
    """The tables and the record of a prepared folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _, out = prepared(folder)
    tables = ("manifest.csv", "excluded.csv", "prepare.json")
    return [Seed(name, (out / name).read_bytes()) for name in tables]


def settings(_: Path) -> list[Seed]:
    """Every configuration of the project, a grid, and all settings at once."""
    from mien.train import config

    root = Path(__file__).parents[1] / "configs"
    seeds = [Seed(path.name, path.read_bytes()) for path in sorted(root.glob("*.toml"))]
    whole = config.to_toml(config.TrainConfig(data=("data/made",)))
    grid = 'data = ["data/made"]\nrate = [0.1, 0.2]\nepochs = [1, 2]\nschedule = "constant"\n'
    return [*seeds, Seed("all.toml", whole.encode()), Seed("grid.toml", grid.encode())]


def runs(folder: Path) -> list[Seed]:
    """The files of a finished run of a network of 4,311 parameters."""
    from tests.support.exported_runs import write_run
    from tests.support.tiny_network import settings_for, tiny, tiny_in_zoo

    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(tiny_in_zoo())
        out = folder / "run"
        shutil.rmtree(out, ignore_errors=True)
        write_run(out, tiny(7, 0.0), settings_for(write_crops(folder / "crops", train=1)))
    history = "epoch,train_loss,held_loss,held_accuracy\n1,1.5,1.4,0.25\n2,1.2,1.3,0.5\n"
    (out / "history.csv").write_text(history)
    json.loads((out / "data.json").read_text())
    names = ("best.safetensors", "last.safetensors", "history.csv", "config.toml", "data.json")
    return [Seed(name, (out / name).read_bytes()) for name in names]


def as_array(image: Image.Image) -> U8:
    """An image as (H, W, 3) pixels."""
    return np.array(image.convert("RGB"))
