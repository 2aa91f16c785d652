"""Archives that are damaged, locked or huge: refused in one message, or the file is named."""

import os
import struct
import tracemalloc
import zipfile

import pytest

from mien.data.datasets import archive as gate
from mien.data.datasets.archive import Archive
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError, BadImageError
from tests.support.odd_zips import patched, zip_like
from tests.support.pictures import encode, folder_of, own_files, texture, zip_of

DEFLATE64 = 9


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("place", range(0, 60, 3))
def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path, compression, place):
    """A wrong byte at many places of the packed data: each makes another error of zipfile."""
    good, bad = encode(texture(1)), encode(texture(2))
    path = zip_like(tmp_path / "x.zip", [("happy/a.jpg", bad), ("fear/b.jpg", good)], compression)
    content = bytearray(path.read_bytes())
    start = content.index(b"happy/a.jpg") + len("happy/a.jpg")
    content[start + place] ^= 0xFF
    path.write_bytes(content)
    with Archive(path) as archive:
        if compression == zipfile.ZIP_LZMA and place in {0, 6}:  # a version, a dictionary's size
            assert archive.read("happy/a.jpg") == bad
            return
        assert archive.read("fear/b.jpg") == good
        with pytest.raises(BadImageError, match=r"in the archive: happy/a\.jpg"):
            archive.read("happy/a.jpg")
        with pytest.raises(BadDataError, match=r"in the archive: happy/a\.jpg"):
            archive.open("happy/a.jpg").read()
    report = prepare(Settings("folder", str(path)), tmp_path / "out")
    assert (list(report.unreadable), report.kept.total()) == (["happy/a.jpg"], 1)


@pytest.mark.parametrize("method", [DEFLATE64, 1, 6, 97, 98, 99], ids=str)
def test_a_file_packed_in_a_way_that_python_does_not_know_is_named(tmp_path, method):
    good = encode(texture(1))
    path = zip_like(tmp_path / "x.zip", [("sad/a.jpg", good)])
    for where, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        patched(path, where, offset, struct.pack("<H", method))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("fear/b.jpg", good)
    with Archive(path) as archive:
        assert archive.read("fear/b.jpg") == good
        for read in (archive.read, archive.open):
            with pytest.raises((BadImageError, BadDataError), match="locked in the archive: sad/a"):
                read("sad/a.jpg")
    report = prepare(Settings("folder", str(path)), tmp_path / "out")
    assert (list(report.unreadable), report.kept.total()) == (["sad/a.jpg"], 1)


def test_an_archive_of_a_later_version_is_one_error(tmp_path):
    path = patched(zip_of(tmp_path / "x.zip", own_files(1)), b"PK\1\2", 6, b"\x49")
    with pytest.raises(BadDataError, match=r"no whole \.zip \(zip file version 7\.3\)"):
        Archive(path)


def outcome_of(path, files):
    """What the gate makes of a damaged archive: one error, or which files are whole."""
    try:
        with Archive(path) as archive:
            return {name: read_or_error(archive, name) == files[name] for name in archive.names}
    except BadDataError as error:
        return error.message


def read_or_error(archive, name):
    try:
        return archive.read(name)
    except BadImageError:
        return b""


def test_an_archive_cut_anywhere_is_refused_or_its_files_are_named(tmp_path):
    files = own_files(1, labels=["happy", "sad"])
    whole = zip_of(tmp_path / "x.zip", files).read_bytes()
    path = tmp_path / "cut.zip"
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        assert "cut.zip is no whole .zip" in outcome_of(path, files)
        path.write_bytes(whole[:length] + whole[length + 50 :])  # a hole
        outcome = outcome_of(path, files)
        assert "no whole .zip" in outcome or not all(outcome.values())


def test_a_file_that_says_to_be_huge_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = zip_like(tmp_path / "x.zip", [("happy/a.jpg", bytes(1000)), ("sad/b.jpg", b"b")])
    content = bytearray(path.read_bytes())
    for where, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        place = content.index(where)
        content[place + offset : place + offset + 4] = struct.pack("<L", 2**32 - 2)
    path.write_bytes(content)
    opened = []
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *a, **b: opened.append(a))
    with Archive(path) as archive:
        for read in (archive.read, archive.open):
            with pytest.raises((BadImageError, BadDataError), match="would become 4,294,967,294"):
                read("happy/a.jpg")
    assert opened == []


def test_a_file_larger_than_the_cap_is_refused_by_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(gate, "MAX_BYTES", 1000)
    big, small = os.urandom(1001), os.urandom(1000)
    files = {"happy/a.jpg": big, "happy/b.jpg": small}
    for path in (zip_of(tmp_path / "x.zip", files), folder_of(tmp_path / "x", files)):
        with Archive(path) as archive:
            assert archive.read("happy/b.jpg") == small
            with pytest.raises(BadImageError, match=r"too large: happy/a\.jpg has 1,001 bytes"):
                archive.read("happy/a.jpg")
            assert archive.open("happy/a.jpg").read() == big  # streamed: no cap


def test_a_sparse_file_of_20_gb_is_refused_by_its_size(tmp_path):
    folder_of(tmp_path, {"happy/a.jpg": b""})
    with (tmp_path / "happy" / "a.jpg").open("r+b") as file:
        file.truncate(20 * 2**30)
    with Archive(tmp_path) as archive, pytest.raises(BadImageError, match="21,474,836,480 bytes"):
        archive.read("happy/a.jpg")


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_file_that_hides_its_size_fills_no_memory(tmp_path, compression):
    """130 MB of zeros that say to be 1,000 bytes; a block of bzip2 has 46 MB of them."""
    path = zip_like(tmp_path / "x.zip", [("happy/a.jpg", bytes(130_000_000))], compression)
    for where, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        patched(path, where, offset, struct.pack("<L", 1000))
    with Archive(path) as archive:
        tracemalloc.start()
        with pytest.raises(BadImageError, match=r"damaged in the archive: happy/a\.jpg"):
            archive.read("happy/a.jpg")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 110_000_000


def test_a_list_of_files_that_would_fill_the_memory_is_refused(tmp_path):
    path = tmp_path / "x.zip"
    size = 2**28 + 1
    with path.open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, size, 0, 0))
    with pytest.raises(BadDataError, match=r"lists its files in 268,435,457 bytes"):
        Archive(path)
