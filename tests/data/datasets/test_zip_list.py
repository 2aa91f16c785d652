"""The quick way to a small file of a .zip: what it returns is what zipfile returns."""

import os
import struct
import zipfile
import zlib

import pytest

from mien.data.datasets import archive as gate
from mien.data.datasets.archive import Archive
from mien.data.datasets.zip_list import read_plain

TEXT = b"a face, a face, and the same face again " * 20


def made(path, compression, data=TEXT, names=("sad/a.jpg", "fear/b.jpg")):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for number, name in enumerate(names):
            archive.writestr(name, data[number:])
    return path


def both(path):
    """What the quick way and zipfile make of the first file; None for an error of zipfile's."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.infolist()[0]
        quick = read_plain(archive.fp, entry)
        try:
            return quick, archive.read(entry)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError):
            return quick, None


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("data", [b"", b"x", TEXT, os.urandom(2**19)], ids=len)
def test_a_whole_file_is_read_at_once(tmp_path, compression, data):
    path = made(tmp_path / "x.zip", compression, data)
    assert both(path) == (data, data)
    with Archive(path) as archive:
        assert [archive.read(name) for name in archive.names] == [data[1:], data]


def test_an_ordinary_archive_is_read_without_zipfile(tmp_path, monkeypatch):
    path = made(tmp_path / "x.zip", zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(gate.zipfile.ZipFile, "open", None)
    with Archive(path) as archive:
        assert archive.read("sad/a.jpg") == TEXT


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_whatever_byte_is_wrong_zipfile_has_the_last_word(tmp_path, compression):
    whole = made(tmp_path / "x.zip", compression, names=("sad/ä.jpg", "fear/b.jpg")).read_bytes()
    path, refused = tmp_path / "y.zip", 0
    for place in range(whole.index(b"PK\3\4", 4)):  # before the second file
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x21]) + whole[place + 1 :])
        quick, slow = both(path)
        assert quick is None or quick == slow, place
        refused += quick is None
    assert refused > 20  # signature, lengths, name, every byte of data


@pytest.mark.parametrize(
    ("offset", "value"),
    [(8, 0x1), (8, 0x20), (8, 0x40), (10, 12), (10, 9)],
    ids=["password", "patched", "strong", "bzip2", "unknown"],
)
def test_what_is_unusual_is_left_to_zipfile(tmp_path, offset, value):
    path = made(tmp_path / "x.zip", zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    struct.pack_into("<H", content, content.index(b"PK\1\2") + offset, value)
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        assert read_plain(archive.fp, archive.infolist()[0]) is None


def test_a_large_file_is_left_to_zipfile(tmp_path):
    path = made(tmp_path / "x.zip", zipfile.ZIP_DEFLATED, bytes(2**20 + 1))
    quick, slow = both(path)
    assert (quick, len(slow)) == (None, 2**20 + 1)


def test_the_name_of_a_file_is_kept_once(tmp_path):
    path = made(tmp_path / "x.zip", zipfile.ZIP_STORED)
    with Archive(path) as archive:
        assert [archive._entries[name].filename is name for name in archive.names] == [True, True]
