"""A folder on a disk and an address are used alike; what is refused says why."""

from types import SimpleNamespace

import pytest

pyarrow = pytest.importorskip("pyarrow")

from mien.errors import BadImageError, BadSettingError, OutputError
from mien.media.folders import PictureFiles, walk_pictures
from mien.media.inputs import as_rgb
from mien.scale import places
from mien.scale.places import Place
from tests.support.pictures import encode, folder_of, texture

NAMES = ["b.jpg", "a.png", "a/x.jpg", "a/y/z.JPG", "a-b/c.png", "a.b/c.png", "notes.txt", ".h.jpg"]


@pytest.fixture
def folder(tmp_path):
    return folder_of(tmp_path / "in", dict.fromkeys(NAMES, b"x"))


def test_an_address_is_walked_in_the_order_of_a_path(folder):
    by_path, by_address = PictureFiles(), PictureFiles()
    expected = list(walk_pictures([folder], by_path))
    place = Place(f"file://{folder}")
    assert list(place.pictures(by_address)) == [f"file://{path}" for path in expected]
    assert by_address.left_out == by_path.left_out
    assert len(expected) == 6


def test_a_single_picture_and_a_missing_one(folder):
    assert list(Place(f"file://{folder}/b.jpg").pictures(PictureFiles())) == [
        f"file://{folder}/b.jpg"
    ]
    with pytest.raises(BadImageError, match=r"nothing is at file:///.*gone"):
        list(Place(f"file://{folder}/gone").pictures(PictureFiles()))


def test_what_is_fetched_is_the_file_and_what_is_not_fails_by_its_address(tmp_path):
    picture = texture(1)
    folder_of(tmp_path, {"a.png": encode(picture, "PNG")})
    place = Place(f"file://{tmp_path}")
    assert (as_rgb(place.fetch(f"file://{tmp_path}/a.png")) == picture).all()
    with pytest.raises(BadImageError, match=r"cannot read file:///.*/gone.png"):
        as_rgb(place.fetch(f"file://{tmp_path}/gone.png"))


def test_a_file_that_is_too_large_is_not_fetched(tmp_path, monkeypatch):
    folder_of(tmp_path, {"a.png": b"1234"})
    monkeypatch.setattr(places, "MAX_BYTES", 3)
    with pytest.raises(BadImageError, match=r"cannot read file:///.*/a.png: more than 3 bytes"):
        as_rgb(Place(f"file://{tmp_path}").fetch(f"file://{tmp_path}/a.png"))


def test_a_picture_that_the_store_refuses_in_its_own_way_fails_by_its_address(tmp_path):
    def refuse(_name):
        raise pyarrow.ArrowCancelled("the store is asleep")

    place = Place(f"file://{tmp_path}")
    place._files = SimpleNamespace(open_input_file=refuse)
    with pytest.raises(BadImageError, match=r"cannot read file:///.*/a.png: the store is asleep"):
        as_rgb(place.fetch(f"file://{tmp_path}/a.png"))


def run_at(scheme, tmp_path):
    """The folder of a run: on this disk, or in the object store that Arrow keeps in memory."""
    place = Place(f"{scheme}{tmp_path}/run")
    if scheme == "mock://":  # which wants its folders made
        place._files.create_dir(f"{place._root}/parts")
    return place


@pytest.mark.parametrize("scheme", ["", "file://", "mock://"])
def test_what_is_written_is_read(tmp_path, scheme):
    place = run_at(scheme, tmp_path)
    table = pyarrow.table({"n": [1, 2]})
    place.write_tables([table, table], table.schema, "parts/0.parquet")
    place.put_text("{}\n", "run.json")
    assert place.read_table("parts/0.parquet").to_pydict() == {"n": [1, 2, 1, 2]}
    assert place.read_text("run.json") == "{}\n"
    assert place.read_text("other.json") is None
    assert place.names("parts") == {"0.parquet"}
    assert place.names("other") == set()


@pytest.mark.parametrize("scheme", ["", "file://", "mock://"])
def test_a_table_that_fails_midway_is_absent(tmp_path, scheme):
    place = run_at(scheme, tmp_path)
    table = pyarrow.table({"n": [1]})

    def failing():
        yield table
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.write_tables(failing(), table.schema, "parts/0.parquet")
    assert place.names("parts") == set()


def test_a_damaged_table_is_named(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"text")
    with pytest.raises(OutputError, match=r"cannot read .*/t\.parquet"):
        Place(tmp_path).read_table("t.parquet")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://key:word@bucket/photos", "a key or password is in the address s3://...@..."),
        ("nothing://bucket", "cannot open nothing://bucket"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(address, words):
    with pytest.raises(BadSettingError) as caught:
        Place(address)
    assert words in caught.value.message
    assert "word@" not in str(caught.value)
