"""Pictures of which the inputs of `digests.py` are made: textures and heads, and their files.

Each follows from its numbers. Nothing of mien.
"""

import io
import zipfile
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["BAD", "SEVEN", "U8", "changed", "encoded", "head", "striped", "texture", "zipped"]

U8 = npt.NDArray[np.uint8]

SEVEN = ("happiness", "surprise", "sadness", "anger", "disgust", "fear", "neutral")
BAD = b"these are no pixels"


def encoded(image: Image.Image | U8, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of a picture file."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A .zip of files by name, with one date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def texture(seed: int, side: int = 64) -> U8:
    """A smooth random picture, shape (side, side, 3); no two seeds look alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def striped(label: str, seed: int) -> U8:
    """A texture with the stripes of its class, for a network to learn."""
    y, x = np.indices((64, 64, 1))[:2]
    kind, coarse = divmod(SEVEN.index(label), 2)
    size = 4 if coarse else 2
    bands = [y // size, x // size, y // size + x // size, np.zeros_like(x)][kind]
    return np.clip(38 + texture(seed) * 0.7 + 70 * (bands % 2) - 35, 0, 255).astype(np.uint8)


def changed(crop: U8) -> U8:
    """The same crop, cut a little and brighter: a near-copy."""
    cut = Image.fromarray(crop).crop((2, 1, 63, 62)).resize((64, 64), Image.Resampling.BILINEAR)
    return (np.asarray(cut) * 0.8 + 30).astype(np.uint8)


def head(photo: Image.Image, side: int, turn: float = 0) -> Image.Image:
    """The portrait's head, turned by degrees."""
    turned = photo.rotate(turn, Image.Resampling.BICUBIC, fillcolor=(110, 110, 110))
    return turned.crop((95, 0, 355, 260)).resize((side, side), Image.Resampling.BICUBIC)
