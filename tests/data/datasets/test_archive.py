"""The gate to the files of a dataset: what is odd, damaged, locked or huge is read or named."""

import io
import os
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import pytest

from mien.data import manifest
from mien.data.datasets import archive as gate
from mien.data.datasets.archive import Archive
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError, BadImageError
from tests.support.dataset_listings import items_in, listing_of
from tests.support.pictures import encode, folder_of, own_files, texture, zip_of

DEFLATE64 = 9


def zip_like(path, files, compression=zipfile.ZIP_DEFLATED, system=3):
    """Write a .zip of (name, bytes) pairs, a name as often as it comes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of repeated names
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, data in files:
                entry = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
                entry.create_system = system
                archive.writestr(entry, data, compression)
    return path


def patched(path, where, offset, data):
    """Overwrite bytes of every record of a kind: PK34 before a file, PK12 in the list."""
    content = bytearray(path.read_bytes())
    place = content.find(where)
    while place >= 0:
        content[place + offset : place + offset + len(data)] = data
        place = content.find(where, place + 4)
    path.write_bytes(content)
    return path


def left_out_in(archive):
    return [(problem.original, problem.reason) for problem in archive.left_out]


@pytest.mark.parametrize("system", [0, 3], ids=["dos", "unix"])
def test_a_zip_with_backslashes_is_read_as_one_with_slashes(tmp_path, system):
    names = ["data/happy/0.jpg", "data/train/sad/1.jpg", "data/test/fear/2.jpg"]
    files = [(name.replace("/", "\\"), name.encode()) for name in names]
    path = zip_like(tmp_path / "x.zip", [*files, ("data\\happy\\", b"")], system=system)
    with Archive(path) as archive:
        assert archive.names == sorted(names)
        assert [archive.read(name) for name in names] == [name.encode() for name in names]
    assert items_in(listing_of("folder", path)) == [
        ("data/happy/0.jpg", "happiness", "train"),
        ("data/test/fear/2.jpg", "fear", "test"),
        ("data/train/sad/1.jpg", "sadness", "train"),
    ]


def test_a_backslash_in_a_name_of_unix_stays_one(tmp_path):
    path = zip_like(tmp_path / "x.zip", [("happy/a\\b.jpg", b"1"), ("sad/c.jpg", b"2")])
    with Archive(path) as archive:
        assert archive.names == ["happy/a\\b.jpg", "sad/c.jpg"]


def test_names_that_lead_out_and_links_are_named_and_absolute_ones_read_from_the_root(tmp_path):
    link = zipfile.ZipInfo("happy/link.jpg")
    link.external_attr = 0o120777 << 16
    files = [
        ("/home/me/happy/a.jpg", b"a"),
        ("C:\\me\\sad\\b.jpg", b"b"),
        ("./fear//c.jpg", b"c"),
        ("../../etc/happy/d.jpg", b"d"),
        ("sad/../../e.jpg", b"e"),
        (link, b"/etc/passwd"),
        ("empty/", b""),
    ]
    with Archive(zip_like(tmp_path / "x.zip", files)) as archive:
        assert archive.names == ["fear/c.jpg", "home/me/happy/a.jpg", "me/sad/b.jpg"]
        assert [archive.read(name) for name in archive.names] == [b"c", b"a", b"b"]
        assert left_out_in(archive) == [
            ("../../etc/happy/d.jpg", "unsafe name"),
            ("sad/../../e.jpg", "unsafe name"),
            ("happy/link.jpg", "link"),
        ]


def test_what_the_gate_leaves_out_is_counted_and_listed_by_prepare(tmp_path):
    files = [*own_files(1).items(), ("../happy/x.png", b""), ("fear/y.png", b"")]
    files += [("fear/y.png", encode(texture(99), "PNG"))]
    path = zip_like(tmp_path / "x.zip", files)
    report = prepare(Settings("folder", str(path)), tmp_path / "out")
    assert dict(report.skipped) == {"unsafe name": 1, "repeated name": 1}
    assert report.kept.total() == 7
    assert "../happy/x.png" in (tmp_path / "out" / "excluded.csv").read_text()


NAME = "fröhlich.jpg"


@pytest.mark.parametrize(
    ("raw", "utf8", "read_as"),
    [
        (NAME.encode(), True, NAME),
        (NAME.encode(), False, NAME),  # written by programs that do not say so
        (NAME.encode("cp437"), False, NAME),
        (NAME.encode("latin-1"), False, "fr÷hlich.jpg"),  # as CP437, which the standard says
        (NAME.encode("latin-1"), True, "fr÷hlich.jpg"),  # said to be UTF-8, and is not
    ],
    ids=["utf-8", "utf-8 unsaid", "cp437", "latin-1", "no utf-8"],
)
def test_a_name_in_any_encoding_is_read(tmp_path, raw, utf8, read_as):
    stand_in = "x" * len(raw)
    files = [(f"sad/{stand_in}", b"one"), ("happy/b.jpg", b"two")]
    path = zip_like(tmp_path / "x.zip", files)
    content = path.read_bytes().replace(stand_in.encode(), raw)
    path.write_bytes(content)
    if utf8:
        for where, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            patched(path, where, offset, struct.pack("<H", 0x800))
    with Archive(path) as archive:
        assert archive.names == ["happy/b.jpg", f"sad/{read_as}"]
        assert [archive.read(name) for name in archive.names] == [b"two", b"one"]


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_every_compression_that_python_knows_is_read(tmp_path, compression):
    data = {"happy/a.jpg": encode(texture(1)), "sad/b.jpg": bytes(200_000), "c.csv": b""}
    with Archive(zip_like(tmp_path / "x.zip", data.items(), compression)) as archive:
        assert {name: archive.read(name) for name in archive.names} == data
        for name in archive.names:
            with archive.open(name) as stream:
                assert stream.read() == data[name]


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
    """200 MB of zeros that say to be 1,000 bytes; a block of bzip2 has 46 MB of them."""
    path = zip_like(tmp_path / "x.zip", [("happy/a.jpg", bytes(200_000_000))], compression)
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


def test_what_is_no_file_in_a_folder_is_named(tmp_path):
    folder = folder_of(tmp_path / "x", {"happy/a.jpg": b"a", "sad/b.jpg": b"b"})
    os.mkfifo(folder / "sad" / "pipe.jpg")
    (folder / "happy" / "gone.jpg").symlink_to("nowhere.jpg")
    (folder / "happy" / "loop.jpg").symlink_to("loop.jpg")
    (folder / "happy" / "linked.jpg").symlink_to("a.jpg")
    (folder / "fear").symlink_to("sad")
    with Archive(folder) as archive:
        assert archive.names == ["happy/a.jpg", "happy/linked.jpg", "sad/b.jpg"]
        assert sorted(left_out_in(archive)) == [
            ("fear", "linked folder"),
            ("happy/gone.jpg", "link that leads nowhere"),
            ("happy/loop.jpg", "link that leads nowhere"),
            ("sad/pipe.jpg", "no ordinary file"),
        ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_folder_that_may_not_be_read_is_named(tmp_path):
    folder = folder_of(tmp_path / "x", {"happy/a.jpg": b"a", "sad/b.jpg": b"b"})
    (folder / "sad").chmod(0)
    try:
        with Archive(folder) as archive:
            assert (archive.names, left_out_in(archive)) == (
                ["happy/a.jpg"],
                [("sad", "cannot be opened")],
            )
    finally:
        (folder / "sad").chmod(0o755)


def test_an_unreadable_folder_is_named(tmp_path, monkeypatch):
    """As above, for those who run the tests as root."""
    scan = os.scandir

    def refusing(path):
        if str(path).endswith("sad"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    folder = folder_of(tmp_path / "x", {"happy/a.jpg": b"a", "sad/b.jpg": b"b"})
    monkeypatch.setattr(os, "scandir", refusing)
    with Archive(folder) as archive:
        assert archive.names == ["happy/a.jpg"]
        [problem] = archive.left_out
    assert (problem.original, problem.detail) == ("sad", "Permission denied")


def test_a_path_that_cannot_be_one_is_one_error(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "pipe", tmp_path / "loop", "nul\0.zip", "x" * 300, "/dev/zero"):
        with pytest.raises(BadDataError):
            Archive(path)
        with pytest.raises(BadDataError):
            prepare(Settings("folder", str(path)), tmp_path / "out")
    with pytest.raises(BadDataError):
        prepare(Settings("folder", str(folder_of(tmp_path / "y", own_files(1)))), Path("nul\0"))


@pytest.mark.parametrize("suffix", ["gif", "pgm", "ppm", "avif"])
def test_every_picture_that_mien_reads_is_one_of_a_dataset(tmp_path, suffix):
    names = [f"happy/a.{suffix}", f"happy/B.{suffix.upper()}"]
    listing = listing_of("folder", folder_of(tmp_path, dict.fromkeys(names, b"")))
    assert {item.original for item in listing.items} == set(names)


def test_a_stream_is_sought_and_told_as_a_video_needs_it(tmp_path):
    data = os.urandom(300_000)
    for path in (zip_of(tmp_path / "x.zip", {"a": data}), folder_of(tmp_path / "x", {"a": data})):
        with Archive(path) as archive, archive.open("a") as stream:
            assert stream.seekable()
            assert (stream.seek(-5, io.SEEK_END), stream.read()) == (len(data) - 5, data[-5:])
            assert (stream.seek(7), stream.read(9), stream.tell()) == (7, data[7:16], 16)


def test_the_manifest_of_a_zip_made_by_windows_is_that_of_the_folder(tmp_path):
    files = own_files(2)
    folder = folder_of(tmp_path / "x", files)
    back = zip_like(tmp_path / "x.zip", [(n.replace("/", "\\"), d) for n, d in files.items()])
    for source, out in ((folder, "one"), (back, "two")):
        prepare(Settings("folder", str(source)), tmp_path / out)
    assert manifest.read(tmp_path / "one") == manifest.read(tmp_path / "two")
