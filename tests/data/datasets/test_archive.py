"""The gate to the files of a dataset: what is odd is read or named, in archives and folders."""

import io
import os
import struct
import zipfile
from pathlib import Path

import pytest

from mien.data import manifest
from mien.data.datasets.archive import Archive
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError
from tests.support.dataset_listings import items_in, listing_of
from tests.support.odd_zips import patched, zip_like
from tests.support.pictures import encode, folder_of, own_files, texture, zip_of


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
