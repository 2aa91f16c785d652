"""HEIC pictures are known by their content, and read with the extra."""

import io

import numpy as np
import pytest

from mien.errors import BadImageError
from mien.media import heif, images
from tests.support.pictures import encode, texture


def box(major, *others):
    brands = b"".join(others)
    return (16 + len(brands)).to_bytes(4, "big") + b"ftyp" + major + bytes(4) + brands


@pytest.mark.parametrize(
    ("start", "is_heic"),
    [
        (box(b"heic", b"mif1", b"heic"), True),
        (box(b"mif1", b"heic"), True),
        (box(b"msf1", b"hevc"), True),
        (box(b"avif", b"mif1"), False),
        (box(b"mif1", b"avif"), False),
        (box(b"isom", b"mp42"), False),
        (encode(texture(1), "AVIF"), False),
        (encode(texture(1)), False),
        (b"", False),
        (b"\0\0\0\x08ftyp", False),
    ],
)
def test_heic_is_told_by_its_brands(monkeypatch, start, is_heic):
    monkeypatch.setattr(heif, "find_spec", lambda name: None)
    file = io.BytesIO(start)
    if not is_heic:
        assert (heif.formats(file, "x"), file.tell()) == ((), 0)
        return
    with pytest.raises(BadImageError, match="HEIC picture: x needs the heic extra"):
        heif.formats(file, "x")


def test_heic_is_read_upright_with_the_extra(portrait):
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_bytes("RGB", (512, 512), portrait.tobytes()).save(file, quality=90)
    found = images.decode_rgb(file.getvalue())
    assert np.abs(found.astype(int) - portrait).mean() < 3
    with pytest.raises(BadImageError, match="512x512 pixels, the cap is 9"):
        images.decode_rgb(file.getvalue(), max_pixels=9)
    with pytest.raises(BadImageError, match=r"damaged picture|not a picture"):
        images.decode_rgb(file.getvalue()[:900])
