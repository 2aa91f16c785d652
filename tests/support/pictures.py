"""Pictures for tests: smooth textures in place of faces, encoded files, folders and archives."""

import io
import zipfile
import zlib

import numpy as np
from PIL import Image

from mien.labels import LABELS


def texture(seed, side=64):
    """A smooth random picture, shape (side, side, 3); no two seeds look alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def encode(picture, kind="JPEG", **options):
    """The bytes of a picture file; takes an array or a Pillow image."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(width, height, rows=b""):
    """A 1-bit grey PNG of any size, with the packed rows given."""
    data = b"\x89PNG\r\n\x1a\n"
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    for kind, body in [(b"IHDR", size + b"\1\0\0\0\0"), (b"IDAT", rows), (b"IEND", b"")]:
        data += len(body).to_bytes(4, "big") + kind + body
        data += zlib.crc32(kind + body).to_bytes(4, "big")
    return data


def zip_of(path, files):
    """Write a .zip of {name: bytes}."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def folder_of(path, files):
    """Write {name: bytes} as files of a folder."""
    for name, data in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return path


def own_files(each=10, labels=LABELS, start=0):
    """{name: bytes} of a folder for each label, with `each` different pictures in it."""
    names = [f"{label}/{label}{number}.png" for label in labels for number in range(each)]
    return {name: encode(texture(seed), "PNG") for seed, name in enumerate(names, start=start)}
