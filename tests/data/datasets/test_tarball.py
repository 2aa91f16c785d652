"""A .tar, packed or not, is read like a .zip, and obeyed as little."""

import gzip
import io
import tarfile

import pytest

from mien.data import manifest
from mien.data.datasets import Archive, tarball
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError
from tests.support.dataset_listings import items_in, listing_of
from tests.support.pictures import folder_of, own_files, zip_of

KINDS = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}


def tar_of(path, files, mode="w:gz", **options):
    """Write a .tar of {name: bytes, or the type in a tuple of a member that is no file}."""
    with tarfile.open(path, mode, **options) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            if isinstance(data, bytes):
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
            else:
                [member.type], member.linkname = data, "/etc/passwd"
                archive.addfile(member)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_of_a_tar_are_read_in_any_order(tmp_path, kind):
    files = {f"x/{n}.jpg": bytes([n]) * (n * 700) for n in range(5)} | {
        "long/" * 40 + "a.jpg": b"z"
    }
    path = tar_of(tmp_path / f"x.{kind}", files, KINDS[kind])
    with Archive(path) as archive:
        assert archive.names == sorted(files)
        for name in (*files, *reversed(files)):
            assert archive.read(name) == files[name]
        with archive.open("x/3.jpg") as one, archive.open("x/4.jpg") as two:  # in turns
            assert (
                one.read(700) + two.read(1) + one.read()
                == files["x/3.jpg"][:700] + b"\4" + (files["x/3.jpg"][700:])
            )
            two.seek(-3, 2)
            assert (two.tell(), two.read()) == (2797, b"\4\4\4")


def test_a_tar_its_zip_and_its_folder_become_the_same_crops(tmp_path):
    files = own_files(3)
    made = {
        "tar": tar_of(tmp_path / "x.tar.gz", files),
        "zip": zip_of(tmp_path / "x.zip", files),
        "folder": folder_of(tmp_path / "x", files),
    }
    rows = {}
    for kind, path in made.items():
        prepare(Settings("folder", str(path)), tmp_path / f"of-{kind}")
        rows[kind] = manifest.read(tmp_path / f"of-{kind}")
    assert len(rows["tar"]) == 18
    assert rows["tar"] == rows["zip"] == rows["folder"]


def test_links_devices_and_names_that_lead_out_are_named_and_backslashes_read(tmp_path):
    files = {
        "happy\\a.jpg": b"a",
        "/sad/b.jpg": b"b",
        "../c.jpg": b"c",
        "fear/d.jpg": (tarfile.SYMTYPE,),
        "fear/e.jpg": (tarfile.LNKTYPE,),
        "fear/f.jpg": (tarfile.FIFOTYPE,),
        "fear": (tarfile.DIRTYPE,),
    }
    with Archive(tar_of(tmp_path / "x.tar.gz", files)) as archive:
        assert archive.names == ["happy/a.jpg", "sad/b.jpg"]
        assert [(p.original, p.reason) for p in archive.left_out] == [
            ("fear/d.jpg", "link"),
            ("fear/e.jpg", "link"),
            ("fear/f.jpg", "no ordinary file"),
            ("../c.jpg", "unsafe name"),
        ]


def test_a_file_with_holes_is_named(tmp_path):
    path = tmp_path / "x.tar"
    headers = {
        "GNU.sparse.map": "0,1",
        "GNU.sparse.size": "99999999999",
        "GNU.sparse.numblocks": "1",
    }
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("sad/a.jpg")
        member.size, member.pax_headers = 1, headers
        archive.addfile(member, io.BytesIO(b"x"))
    with Archive(path) as archive:
        assert [(p.original, p.reason) for p in archive.left_out] == [
            ("sad/a.jpg", "file with holes")
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_tar_that_was_cut_off_is_one_error(tmp_path, kind):
    path = tar_of(tmp_path / f"x.{kind}", {"a.jpg": bytes(range(256)) * 80}, KINDS[kind])
    path.write_bytes(path.read_bytes()[: 4000 if kind == "tar" else -20])
    with pytest.raises(BadDataError, match=r"is no whole \.tar .*\n.*download it again"):
        Archive(path)


def test_a_packed_file_that_is_no_tar_is_refused(tmp_path):
    path = tmp_path / "fer2013.csv.gz"
    path.write_bytes(gzip.compress(b"emotion,pixels,Usage\n" * 90))
    with pytest.raises(BadDataError, match=r"fer2013\.csv\.gz is no whole \.tar .*\n.*unpack it"):
        Archive(path)


def test_a_bomb_is_refused_while_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(tarball, "_PLAIN", 2**16)
    path = tar_of(tmp_path / "x.tar.gz", {"a.jpg": bytes(2**24)})
    with pytest.raises(BadDataError, match="grows to more than"):
        Archive(path)


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path):
    name = "x" * 2**21  # in a header of 2 MiB
    path = tar_of(tmp_path / "x.tar", {name: b""}, "w", format=tarfile.PAX_FORMAT)
    with pytest.raises(BadDataError, match=r"is no whole \.tar"):
        Archive(path)


def test_no_room_to_unpack_is_one_error(tmp_path, monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarball, "_room", Full)
    path = tar_of(tmp_path / "x.tar.gz", {"a.jpg": b"1"})
    with pytest.raises(BadDataError, match=r"no room to unpack .*No space left.*\n.*TMPDIR"):
        Archive(path)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    path = tar_of(tmp_path / "x.tar.gz", {"sad/a.jpg": b"1"})
    assert items_in(listing_of("folder", path)) == [("sad/a.jpg", "sadness", "train")]
    assert list((tmp_path / "tmp").iterdir()) == []
