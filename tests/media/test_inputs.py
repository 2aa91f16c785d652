"""An array is a picture where its meaning is clear; else the error says how to convert it."""

import bz2
import gzip
import http.client
import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from mien.errors import BadImageError, BadSettingError
from mien.media import images
from mien.media.inputs import array_to_rgb, as_rgb, is_one_picture, path_of
from tests.support.pictures import encode, texture

RGB = texture(3, 40)[:30]
GRAY = np.ascontiguousarray(RGB[..., 0])
SAME = {
    "as it is": RGB,
    "float32 in [0, 1]": RGB / np.float32(255),
    "float64 in [0, 1]": RGB / 255,
    "float16 in [0, 1]": (RGB / 255).astype(np.float16),
    "float in [0, 255]": RGB.astype(np.float32),
    "int64": RGB.astype(np.int64),
    "uint16 to 65535": RGB.astype(np.uint16) * 257,
    "channels first": RGB.transpose(2, 0, 1),
    "channels first, float": RGB.transpose(2, 0, 1) / np.float32(255),
    "RGBA, opaque": np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)]),
    "not contiguous": np.repeat(RGB, 2, axis=1)[:, ::2],
}


@pytest.mark.parametrize("kind", SAME)
def test_every_clear_kind_of_array_gives_the_same_pixels(kind):
    found = array_to_rgb(SAME[kind])
    np.testing.assert_array_equal(found, RGB)
    assert (found.dtype, found.flags.c_contiguous) == (np.uint8, True)


@pytest.mark.parametrize("gray", [GRAY, GRAY[..., None], GRAY[None], GRAY / 255])
def test_grey_becomes_three_equal_channels(gray):
    np.testing.assert_array_equal(array_to_rgb(gray), np.repeat(GRAY[..., None], 3, axis=2))


def test_alpha_is_laid_over_white():
    rgba = np.array([[[255, 0, 0, 51]], [[0, 0, 255, 255]]], dtype=np.uint8)
    # a fifth of red and four fifths of white: 0 * 0.2 + 255 * 0.8 = 204
    assert array_to_rgb(rgba).tolist() == [[[255, 204, 204]], [[0, 0, 255]]]


@pytest.mark.parametrize(
    ("given", "one"),
    [
        ([], False),
        (["a.jpg"], False),
        (np.array(["a.jpg", "b.jpg"]), False),
        (RGB[None], False),
        (np.zeros((7, 20, 30), np.uint8), False),  # seven grey ones
        (GRAY, True),
        (GRAY[None], True),
        (GRAY[..., None], True),
        (np.zeros((3, 20, 30), np.uint8), True),
        (io.BytesIO(b""), True),
    ],
)
def test_one_picture_is_told_from_many(given, one):
    assert is_one_picture(given) is one


def test_true_is_white():
    assert array_to_rgb(np.array([[True, False]]))[0, :, 1].tolist() == [255, 0]


@pytest.mark.parametrize(
    ("array", "got", "fix"),
    [
        (np.zeros((2, 9, 9, 3), np.uint8), r"\(2, 9, 9, 3\) uint8", r"of a batch give batch\[0\]"),
        (np.zeros((0, 9, 3), np.uint8), r"\(0, 9, 3\) uint8", "without empty sides"),
        (np.zeros(9, np.uint8), r"\(9,\) uint8", "one picture"),
        (np.zeros((9, 9, 2), np.uint8), r"\(9, 9, 2\) uint8", r"array\[\.\.\., :3\]"),
        (np.zeros((3, 9, 4), np.uint8), r"\(3, 9, 4\) uint8", r"array\.transpose\(1, 2, 0\)"),
        (RGB / 128 - 1, r"float64 with values from -.*", "undo the normalisation"),
        (np.full((9, 9), np.nan), "with values from nan to nan", "undo the normalisation"),
        (np.full((9, 9), np.inf), "with values from inf to inf", "undo the normalisation"),
        (np.full((9, 9), 1.02), "with values from 1.02 to 1.02", r"array\.clip\(0, 1\)"),
        (np.full((9, 9), 7.9), "with values from 7.9 to 7.9", r"array\.clip\(0, 1\)"),
        (np.full((9, 9), 900.0), "with values from 900 to 900", r"array\.clip\(0, 1\)"),
        (np.full((9, 9), 255, np.uint16), "uint16 with values from 255 to 255", "if 255 is white"),
        (np.full((9, 9), 900), "int64 with values from 900 to 900", "if 65535 is white"),
        (np.zeros((9, 9), complex), "complex128", "numpy.asarray"),
        (np.array([["a"]]), "<U1", "numpy.asarray"),
    ],
)
def test_what_may_mean_different_things_is_refused_with_the_next_step(array, got, fix):
    with pytest.raises(BadImageError, match=rf"RGB array of uint8.*, got .*{got}\n  try: .*{fix}"):
        array_to_rgb(array)


def test_path_bytes_and_open_files_give_the_same_pixels(tmp_path):
    data = encode(RGB, "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        file.read(5)  # it is read from its start, as Pillow does
        sources = [path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), file]
        for source in [*sources, Image.fromarray(RGB)]:
            np.testing.assert_array_equal(as_rgb(source), RGB)


class Stream:
    """A file that gives a few bytes at a time and cannot go back, as a connection does."""

    def __init__(self, data):
        self.left = data

    def read(self, size):
        part, self.left = self.left[: min(size, 7)], self.left[min(size, 7) :]
        return part


def test_a_file_that_cannot_go_back_is_read_to_its_end():
    np.testing.assert_array_equal(as_rgb(Stream(encode(RGB, "PNG"))), RGB)


def test_a_file_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(images, "MAX_BYTES", 10_000)
    with (
        Path("/dev/zero").open("rb") as endless,
        pytest.raises(BadImageError, match="file too large: /dev/zero has more than 10,000 bytes"),
    ):
        as_rgb(endless)


def test_files_opened_as_text_or_closed_are_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("words")
    with (
        path.open(encoding="utf-8") as file,
        pytest.raises(BadImageError, match=r"it gives text\n  try: open it with open\(path, \"rb"),
    ):
        as_rgb(file)
    with pytest.raises(BadImageError, match=r"closed file\n  try: open the file again"):
        as_rgb(file)
    path.write_bytes(FACE)
    with path.open(encoding="utf-8") as file, pytest.raises(BadImageError, match="it gives text"):
        as_rgb(file)  # what is no text either, as every picture


def in_an_archive(data, damage_at):
    """Two members of a zip, stored; one byte of the first is another one than it was."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("0.png", "1.png"):
            archive.writestr(name, data)
    content = bytearray(packed.getvalue())
    content[content.find(data) + damage_at] ^= 255
    archive = zipfile.ZipFile(io.BytesIO(bytes(content)))
    return [archive.open(name) for name in archive.namelist()]


def tar_member(data, size):
    """A member of a tar that is cut short."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        head = tarfile.TarInfo("a.png")
        head.size = len(data)
        archive.addfile(head, io.BytesIO(data))
    archive = tarfile.TarFile(fileobj=io.BytesIO(packed.getvalue()[: 512 + size]))
    return archive.extractfile(archive.next())


def changed(packed, place):
    return packed[:place] + bytes([packed[place] ^ 255]) + packed[place + 1 :]


def of_the_web(data):
    """An answer in chunks that breaks off."""
    answer = http.client.HTTPResponse(SimpleNamespace(makefile=lambda *_: io.BytesIO(data)))
    answer.begin()
    return answer


FACE = encode(texture(5, 300), "PNG")
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n"
BROKEN = {  # what holds a picture that cannot be read, and what is said of it
    "a member of a zip": (lambda: in_an_archive(FACE, 900)[0], "Bad CRC-32"),
    "a member of a tar": (lambda: tar_member(FACE, 900), "unexpected end of data"),
    "gzip, cut": (lambda: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(FACE)[:900])), "ended"),
    "gzip, changed": (
        lambda: gzip.GzipFile(fileobj=io.BytesIO(changed(gzip.compress(FACE), 10))),
        "Error -3 while decompressing",  # zlib's own error
    ),
    "bzip2": (lambda: bz2.BZ2File(io.BytesIO(changed(bz2.compress(FACE), 9000))), "Invalid data"),
    "lzma": (
        lambda: lzma.LZMAFile(io.BytesIO(changed(lzma.compress(FACE), 9000))),  # noqa: SIM115
        "Corrupt",
    ),
    "an answer": (lambda: of_the_web(HEAD + FACE), "IncompleteRead"),
    "a word is missing": (lambda: Refusing(RuntimeError("password required")), "password"),
    "nothing is said": (lambda: Refusing(EOFError()), "EOFError"),
}


class Refusing:
    """A file of another library."""

    def __init__(self, error):
        self.error = error

    def read(self, _size):
        raise self.error


@pytest.mark.parametrize("kind", BROKEN)
def test_an_open_file_that_is_damaged_fails_by_name(kind):
    make, said = BROKEN[kind]
    with pytest.raises(BadImageError, match=rf"cannot read .*{said}.*\n  try: open the file again"):
        as_rgb(make())


def test_a_damaged_member_of_an_archive_fails_alone():
    import mien

    results = list(mien.Recognizer(threads=1).read_many(in_an_archive(FACE, 900)))
    assert [type(result).__name__ for result in results] == ["Failure", "Picture"]
    assert "Bad CRC-32 for file '0.png'" in results[0].error.message


def test_a_pillow_image_of_a_damaged_archive_is_damaged():
    [member, _] = in_an_archive(FACE, len(FACE) - 40)
    with pytest.raises(BadImageError, match=r"damaged picture .*Bad CRC-32"):
        as_rgb(Image.open(member))


class OnAnotherDevice:
    """An array whose values numpy cannot see."""

    def __init__(self, error):
        self.error = error

    def __array__(self, dtype=None, copy=None):
        raise self.error


@pytest.mark.parametrize("error", [TypeError, RuntimeError, ValueError, OSError])
def test_an_array_that_numpy_cannot_read_is_refused(error):
    said = r"numpy cannot read this OnAnotherDevice: first\n  try: give numpy.asarray"
    with pytest.raises(BadImageError, match=said):
        as_rgb(OnAnotherDevice(error("first\nsecond")))


@pytest.mark.torch
def test_tensors_are_read_or_refused_with_the_way_to_convert_them():
    torch = pytest.importorskip("torch")
    pixels = torch.from_numpy(RGB.transpose(2, 0, 1) / np.float32(255))
    np.testing.assert_array_equal(as_rgb(pixels), RGB)
    for tensor in (pixels.clone().requires_grad_(), pixels.bfloat16(), pixels.to_sparse()):
        with pytest.raises(BadImageError, match=r"Tensor: .*\n  try: give tensor.detach\(\).float"):
            as_rgb(tensor)
        dense = tensor.to_dense() if tensor.is_sparse else tensor
        assert np.abs(as_rgb(dense.detach().float().cpu()).astype(int) - RGB).max() <= 1


def test_bytes_that_are_gone_are_refused():
    view = memoryview(bytearray(FACE))
    view.release()
    with pytest.raises(BadImageError, match="released"):
        as_rgb(view)


def test_an_entry_of_a_listed_folder_is_its_path(tmp_path):
    (tmp_path / "a.png").write_bytes(encode(RGB, "PNG"))
    for folder in (tmp_path, os.fsencode(tmp_path)):
        with os.scandir(folder) as entries:
            [entry] = entries
        np.testing.assert_array_equal(as_rgb(entry), RGB)
        assert path_of(entry) == str(tmp_path / "a.png")


@pytest.mark.parametrize("cap", [None, "many", 0, -1, float("nan")])
@pytest.mark.parametrize("name", ["max_pixels", "max_memory"])
def test_a_cap_that_is_no_number_is_not_said_of_the_picture(name, cap, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encode(RGB, "PNG"))
    for picture in (path, path.read_bytes(), Image.fromarray(RGB)):
        with pytest.raises(BadSettingError, match=f"{name} must be a number above 0, got"):
            as_rgb(picture, **{name: cap})
    assert as_rgb(path, **{name: np.float32(1e6)}).shape == RGB.shape


def test_the_caps_hold_for_bytes_too():
    with pytest.raises(BadImageError, match="40x30 pixels, the cap is 1,199"):
        as_rgb(encode(RGB, "PNG"), max_pixels=1199)


def test_the_arrays_of_opencv_are_told_by_their_order(tmp_path):
    cv2 = pytest.importorskip("cv2")
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    bgr = cv2.imread(str(path))
    np.testing.assert_array_equal(as_rgb(bgr, order="bgr"), RGB)
    np.testing.assert_array_equal(as_rgb(RGB, order="rgb"), RGB)
    alpha = np.dstack([bgr, np.full(bgr.shape[:2], 255, np.uint8)])
    np.testing.assert_array_equal(as_rgb(alpha, order="bgr"), RGB)


def test_the_order_of_what_tells_its_own_is_not_changed(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    for picture in (path, path.read_bytes(), Image.fromarray(RGB)):
        with pytest.raises(ValueError, match="is for arrays"):
            as_rgb(picture, order="bgr")
    with pytest.raises(ValueError, match='"rgb" or "bgr", got \'grb\''):
        as_rgb(RGB, order="grb")
