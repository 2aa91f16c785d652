"""Only listed formats are opened, and what costs too much is refused before it is read."""

import os
import subprocess
import sys
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.errors import BadImageError
from mien.media import images
from mien.media.files import open_regular
from tests.support.pictures import encode, png, texture

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(out) (w) file closefile\nshowpage\n"


@pytest.mark.parametrize("kind", ["EPS", "SPIDER", "ICO", "ICNS", "MSP", "XBM", "PDF"])
def test_formats_that_are_not_listed_are_no_pictures_whatever_the_name(tmp_path, kind):
    modes = {"SPIDER": "F", "MSP": "1", "XBM": "1"}
    data = encode(Image.fromarray(texture(1)).convert(modes.get(kind, "RGB")), kind)
    path = tmp_path / "named.jpg"
    path.write_bytes(data)
    with pytest.raises(BadImageError, match=r"not a picture: .*named\.jpg\n  try: give a JPEG"):
        images.read_rgb(path)


def test_postscript_is_never_handed_to_ghostscript(monkeypatch):
    def run(*words, **options):
        raise AssertionError(f"would run {words}")

    monkeypatch.setattr("subprocess.Popen.__init__", run)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(BadImageError, match=r"not a picture: x\.jpg"):
        images.decode_rgb(EPS, "x.jpg")


@pytest.mark.parametrize("kind", images.FORMATS)
def test_every_listed_format_is_known_to_pillow(kind):
    Image.init()
    assert kind in Image.OPEN


def in_time(code, *words):
    """Run Python code in a process of its own; it must end in 20 seconds."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


REFUSED = "import sys; from mien.media import images; from mien.errors import BadImageError\n"
REFUSED += "try: images.read_rgb(sys.argv[1])\nexcept BadImageError as error: print(error.message)"


@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "sparse"])
def test_what_is_no_ordinary_file_or_too_large_is_refused_at_once(tmp_path, kind):
    path = {"device": "/dev/zero", "folder": tmp_path}.get(kind, tmp_path / "a.jpg")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "sparse":
        with path.open("wb") as file:
            file.truncate(20 * 2**30)
    said = {
        "device": "cannot read /dev/zero: it is a device\n",
        "pipe": f"cannot read {path}: it is a pipe\n",
        "folder": f"cannot read {path}: it is a directory\n",
        "sparse": f"file too large: {path} has 21,474,836,480 bytes, the cap is 268,435,456\n",
    }
    assert in_time(REFUSED, path) == said[kind]


@pytest.mark.parametrize("name", ["b" * 300 + ".png", "a\0b.png", "circle.png", ""])
def test_paths_that_cannot_be_opened_are_named(tmp_path, name):
    (tmp_path / "circle.png").symlink_to(tmp_path / "circle.png")
    with pytest.raises(BadImageError, match=r"cannot read|empty path"):
        images.read_rgb(tmp_path / name if name else "")


def test_the_largest_file_allowed_is_read(tmp_path):
    (tmp_path / "a").write_bytes(bytes(9))
    with open_regular(tmp_path / "a", 9) as file:
        assert file.read() == bytes(9)
    with (
        pytest.raises(BadImageError, match="has 9 bytes, the cap is 8"),
        open_regular(tmp_path / "a", 8),
    ):
        pass


def deep_png(side):
    """A 16-bit grey PNG, all black."""
    rows = zlib.compress(bytes(side * (2 * side + 1)), 9)
    data = png(side, side, rows)
    header = data[12:24] + b"\x10\0\0\0\0"
    return data[:12] + header + zlib.crc32(header).to_bytes(4, "big") + data[33:]


def test_a_picture_that_takes_too_much_memory_is_refused_with_the_cap_that_lets_it_pass():
    data = deep_png(2000)  # 4 million pixels of 2 + 3 bytes: 19.1 MiB
    with pytest.raises(BadImageError, match=r"I;16 and takes 20 MiB.*\n  try: .*--max-memory 20"):
        images.decode_rgb(data, max_memory=19)
    assert images.decode_rgb(data, max_memory=20).shape == (2000, 2000, 3)


def test_a_higher_cap_in_pixels_lifts_the_cap_in_memory():
    data = encode(np.zeros((2000, 2000, 3), np.uint8))
    assert images.decode_rgb(data, max_pixels=images.MAX_PIXELS + 1, max_memory=1).shape[0] == 2000
    with pytest.raises(BadImageError, match="takes 27 MiB to decode, the cap is 1"):
        images.decode_rgb(data, max_memory=1)


def test_metadata_without_end_is_refused():
    segment = b"\xff\xe1\xff\xff" + bytes(65533)
    data = b"\xff\xd8" + segment * 1100 + encode(texture(1))[2:]
    with pytest.raises(BadImageError, match="more than 64 MiB of metadata"):
        images.decode_rgb(data)


def test_an_image_that_is_decoded_already_costs_no_memory():
    image = Image.new("RGB", (600, 600))
    assert images.to_rgb(image, max_memory=1).shape == (600, 600, 3)


PEAK = """
import re, sys
from PIL import Image
from mien.errors import BadImageError
from mien.media import images
def peak():
    with open("/proc/self/status") as file:
        return int(re.search(r"VmHWM:\\s+(\\d+)", file.read())[1]) / 1024
Image.init()
images.read_rgb(sys.argv[2])
start = peak()
try:
    images.read_rgb(sys.argv[1], max_memory=1)
except BadImageError as error:
    reckoned = int(re.search(r"takes (\\d+) MiB", error.message)[1])
images.read_rgb(sys.argv[1])
print(reckoned, peak() - start, peak())
"""
needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone")
SIDE = 2000


@cache
def colours():
    coarse = np.random.default_rng(0).integers(0, 256, (SIDE // 8, SIDE // 8, 4), dtype=np.uint8)
    return Image.fromarray(coarse).resize((SIDE, SIDE))


def animation(kind, **options):
    first = colours()
    return encode(first, kind, save_all=True, append_images=[first.rotate(90)], **options)


COSTLY = {
    "1-bit PNG": lambda: encode(colours().convert("1"), "PNG"),
    "RGBA PNG": lambda: encode(colours(), "PNG", compress_level=1),
    "16-bit PNG": lambda: deep_png(SIDE),
    "palette GIF": lambda: encode(colours().convert("P"), "GIF"),
    "progressive JPEG": lambda: encode(
        colours().convert("RGB"), quality=90, subsampling=0, progressive=True
    ),
    "progressive CMYK": lambda: encode(colours().convert("CMYK"), progressive=True),
    "WebP": lambda: encode(colours(), "WEBP", method=0),
    "animated WebP": lambda: animation("WEBP", method=0),
    "animated PNG": lambda: animation("PNG", compress_level=1, disposal=1),
    "AVIF": lambda: encode(colours(), "AVIF", speed=10),
    "JPEG 2000": lambda: encode(colours().resize((1500, 1500)), "JPEG2000"),
    "TIFF in one strip": lambda: encode(
        colours(), "TIFF", compression="tiff_lzw", strip_size=2**30
    ),
    "TIFF": lambda: encode(colours().convert("RGB"), "TIFF"),
}


@needs_proc
@pytest.mark.parametrize("kind", COSTLY)
def test_no_kind_of_picture_takes_more_memory_than_was_reckoned(tmp_path, kind):
    (tmp_path / "costly").write_bytes(COSTLY[kind]())
    (tmp_path / "first.png").write_bytes(encode(texture(1, 200), "PNG"))
    found = in_time(PEAK, tmp_path / "costly", tmp_path / "first.png")
    reckoned, grown, _ = map(float, found.split())
    assert 0.4 * reckoned < grown < reckoned + 24  # MiB: a band of rows, and the decoder's own code


@needs_proc
def test_the_picture_of_most_pixels_is_read_below_the_promised_peak(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(10_000, 10_000, zlib.compress(bytes(10_000 * 1_251), 9)))
    assert path.stat().st_size < 20_000
    (tmp_path / "first.png").write_bytes(encode(texture(1, 200), "PNG"))
    reckoned, _, peak = map(float, in_time(PEAK, path, tmp_path / "first.png").split())
    assert reckoned == 382  # MiB: a byte a pixel from Pillow, three of the result
    assert peak < 600


def test_its_sixteen_bit_sibling_is_refused():
    header = deep_png(10)[:16] + (10_000).to_bytes(4, "big") * 2 + b"\x10\0\0\0\0"
    data = header + zlib.crc32(header[12:]).to_bytes(4, "big") + deep_png(10)[33:]
    with pytest.raises(BadImageError, match="takes 477 MiB to decode, the cap is 432"):
        images.decode_rgb(data)


@pytest.mark.parametrize("side", [1, 3])
def test_bands_of_rows_give_what_the_whole_picture_gives(monkeypatch, side):
    rgba = np.random.default_rng(0).integers(0, 256, (23, 17, 4), dtype=np.uint8)
    kinds = [Image.fromarray(rgba).convert(mode) for mode in ("RGBA", "RGB", "L", "P", "LA")]
    deep = np.arange(23 * 17, dtype=np.int32).reshape(23, 17) * 100
    files = [encode(image, "PNG") for image in kinds] + [encode(deep, "TIFF")]
    whole = [images.decode_rgb(data) for data in files]
    monkeypatch.setattr(images, "_BAND", 17 * side)
    for data, expected in zip(files, whole, strict=True):
        np.testing.assert_array_equal(images.decode_rgb(data), expected)


ONE_OF_THREE = b"\xff\xda\0\x08\1\1\0\0\x3f\0"  # the head of a scan of a single component


@pytest.mark.parametrize(
    ("mode", "options", "each"),
    [
        ("RGB", {"subsampling": 0}, 4 + 3),
        ("L", {"progressive": True}, 1 + 3),  # 2 bytes of coefficients are less than the result
        ("RGB", {"subsampling": 0, "progressive": True}, 4 + 2 * 3),
        ("RGB", {"subsampling": 2, "progressive": True}, 4 + 2 * 1.5),  # 4 + 1 + 1 of 4
        ("CMYK", {"progressive": True, "subsampling": 0}, 4 + 2 * 4),
        ("RGB", {"subsampling": 0, "scan": ONE_OF_THREE}, 4 + 2 * 3),
    ],
)
def test_a_jpeg_of_several_scans_costs_its_coefficients_too(mode, options, each):
    options = dict(options)
    scan = options.pop("scan", None)
    data = encode(Image.new(mode, (2000, 2000)), **options)
    if scan:
        place = data.index(b"\xff\xda")
        data = data[:place] + scan + data[place + 14 :]
    mib = -(-int(4_000_000 * each) // 2**20)
    with pytest.raises(BadImageError, match=rf" {mode} and takes {mib} MiB to decode"):
        images.decode_rgb(data, max_memory=1)
