"""What prepare made holds no leak that an audit finds: both have one definition of a copy."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mien.data import manifest
from mien.data.audit.findings import audit
from mien.data.dedup import duplicates
from mien.data.prepare import crop_store, crops
from mien.data.prepare.leaks import find_leaks
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from tests.support.pictures import encode, texture, zip_of
from tests.support.prepared_folder import row_of


def nearly(seed):
    """A picture and one that is more or less its copy: about as many as not are similar by 0.85."""
    rng = np.random.default_rng(seed)
    one, other = texture(2 * seed, 100), texture(2 * seed + 1, 100)
    share = rng.uniform(0.1, 0.6)
    mixed = (one * (1 - share) + other * share).astype(np.uint8)
    cut = rng.integers(0, 6, 4)
    mixed = mixed[cut[0] : 100 - cut[1], cut[2] : 100 - cut[3]]
    if seed % 2:
        mixed = mixed[:, ::-1]
    small = Image.fromarray(mixed).resize((48 + seed % 50, 48 + seed % 50))
    return encode(one), encode(small, quality=int(rng.integers(30, 95)))


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A hundred and fifty held-out pictures and as many that are more or less copies of them."""
    files = {}
    for seed in range(150):
        held = "valid" if seed % 3 == 0 else "test"
        one, other = nearly(seed)
        files[f"{held}/sad/{seed}.jpg"] = one
        files[f"train/sad/{seed}.jpg"] = other
    return zip_of(tmp_path_factory.mktemp("x") / "x.zip", files)


def leaks_in(*folders):
    found = audit(folders)
    return [found.both(finding) for finding in found.findings if found.is_leak(finding)]


@pytest.mark.parametrize(
    "settings", [{}, {"side": 48}, {"gray": True}, {"quality": 50}], ids=lambda s: "".join(s)
)
def test_an_audit_finds_no_leak_in_what_prepare_made(tmp_path, database, settings):
    raw = prepare(Settings("folder", str(database), keep_leaks=True, **settings), tmp_path / "raw")
    made = prepare(Settings("folder", str(database), **settings), tmp_path / "made")
    leaks = {
        (entry.row.original, entry.row.split) for pair in leaks_in(raw.folder) for entry in pair
    }
    left_out = {(r.original, r.split) for r in manifest.read(raw.folder)} - {
        (r.original, r.split) for r in manifest.read(made.folder)
    }
    assert 40 < len(left_out) < 110  # copies and no copies are both there
    assert {pair for pair in leaks if pair[1] == "train"} == left_out
    assert leaks_in(made.folder) == []


def test_pictures_that_are_equal_leak_even_where_nothing_can_be_compared(tmp_path):
    framed = np.zeros((64, 64), dtype=np.uint8)  # plain in the middle: no contrast to compare
    framed[4:-4, 4:-4] = 128
    gray, rgb = encode(framed, "PNG"), encode(np.repeat(framed[..., None], 3, axis=2), "PNG")
    files = {"train/sad/a.png": gray, "train/sad/b.png": rgb, "test/sad/c.png": rgb}
    path = zip_of(tmp_path / "x.zip", files | {"train/sad/d.png": encode(texture(1), "PNG")})
    raw = prepare(Settings("folder", str(path), keep_leaks=True), tmp_path / "raw")
    assert len(leaks_in(raw.folder)) == 2
    made = prepare(Settings("folder", str(path)), tmp_path / "made")
    assert (made.leaked, leaks_in(made.folder)) == ({"folder": 2}, [])
    other = zip_of(tmp_path / "y.zip", {n: d for n, d in files.items() if n.startswith("train")} | {
        "train/sad/d.png": encode(texture(1), "PNG")})  # fmt: skip
    settings = Settings("folder", str(other), against=(str(made.folder),))
    assert prepare(settings, tmp_path / "other").leaked == {"folder": 2}


def test_a_blank_picture_is_a_copy_of_no_other(tmp_path):
    files = {f"{split}/sad/a.png": encode(np.full((64, 64, 3), 7, np.uint8), "PNG")
             for split in ("train", "test")}  # fmt: skip
    made = prepare(Settings("folder", str(zip_of(tmp_path / "x.zip", files))), tmp_path / "made")
    assert made.kept.total() == 2
    assert [finding.kind for finding in audit([made.folder]).findings] == ["blank", "blank"]


def test_equal_pictures_hide_no_copy(tmp_path, monkeypatch):
    """Of a picture's two nearest neighbours both would be strangers that look alike from afar."""
    monkeypatch.setattr(duplicates, "_NEIGHBOURS", 2)
    monkeypatch.setattr(duplicates, "_CROWD", 2)
    rng = np.random.default_rng(0)
    coarse = texture(1).astype(np.float64)
    own, others = (np.kron(rng.normal(0, 40, (32, 32, 1)), np.ones((2, 2, 1))) for _ in range(2))
    face, stranger = (
        encode((coarse + d).clip(0, 255).astype(np.uint8), "PNG") for d in (own, others)
    )
    copy = (coarse + own).clip(0, 255).astype(np.uint8)[3:-3, 3:-3].copy()
    files = {
        "train/sad/a.png": face,
        "train/sad/b.png": encode(texture(2), "PNG"),
        "test/sad/1.png": stranger,
        "test/sad/2.png": stranger,
        "test/sad/3.png": encode(copy, "PNG"),
    }
    path = zip_of(tmp_path / "x.zip", files)
    made = prepare(Settings("folder", str(path)), tmp_path / "made")
    assert made.leaked == {"folder": 1}
    assert leaks_in(made.folder) == []


def test_what_is_a_copy_of_a_validation_picture_that_leaves_stays(tmp_path):
    one, two = texture(1).astype(float), texture(2).astype(float)
    mixed = {"test": 0.0, "valid": 0.3, "train": 0.5}  # each a copy of the one before, and no more
    with crop_store.store_in(tmp_path) as store:
        for split, share in mixed.items():
            shown = duplicates.thumbnail((one * (1 - share) + two * share).astype(np.uint8))
            crop = crops.Crop(b"", "", "as-is", shown, split.encode().ljust(32), 0)
            store.add(row_of("fear", split, f"{split}.png"), crop, None)
        carved, kept = (find_leaks(store, "made", "made", [], carved=c) for c in (True, False))
    assert {number: (leak.split, leak.original) for number, leak in carved.items()} == {
        1: ("test", "test.png")
    }
    assert {number: leak.original for number, leak in kept.items()} == {2: "valid.png"}


def studio(tmp_path, name, people, seed=9):
    """A .zip of pictures before one wall, similar by 0.9, with a table: who is in which split."""
    wall = texture(1, 100).astype(float)
    files, lines = {}, ["path,label,split,subject"]
    for number, (split, person) in enumerate(people):
        own = texture(seed + number, 100)
        files[f"{number}.png"] = encode((wall * 0.8 + own * 0.2).astype(np.uint8), "PNG")
        lines.append(f"{number}.png,sad,{split},{person}")
    return zip_of(tmp_path / name, files | {"labels.csv": "\n".join(lines).encode()})


def test_another_person_before_the_same_wall_is_no_copy_for_prepare_and_audit(tmp_path):
    people = [("train", "ann"), ("train", "bob"), ("test", "eve"), ("valid", "joe")]
    path = studio(tmp_path, "studio.zip", people)
    made = prepare(Settings("folder", str(path)), tmp_path / "made")
    assert (made.kept.total(), made.leaked, made.near_valid) == (4, {}, 0)
    assert audit([made.folder]).findings == []
    # one person's pictures are similar by nature too, and one picture twice is a copy
    same = studio(tmp_path, "same.zip", [("train", "ann"), ("test", "ann")])
    assert prepare(Settings("folder", str(same)), tmp_path / "same").leaked == {}
    with zipfile.ZipFile(same) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    path = zip_of(tmp_path / "twice.zip", files | {"0.png": files["1.png"]})
    assert prepare(Settings("folder", str(path)), tmp_path / "twice").leaked == {"folder": 1}


def test_each_held_out_picture_keeps_its_person(tmp_path):
    path = studio(tmp_path, "a.zip", [("train", ""), ("train", "ann"), ("test", "eve")])
    report = prepare(Settings("folder", str(path)), tmp_path / "a")
    assert report.leaked == {"folder": 1}  # of her whom nobody names; ann is not eve
    assert [row.subject for row in manifest.read(report.folder)] == ["ann", "eve"]
    # also where a blank picture before hers is left aside
    path = studio(tmp_path, "b.zip", [("train", "ann"), ("test", ""), ("test", "eve")])
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    blank = encode(np.full((64, 64, 3), 7, np.uint8), "PNG")
    path = zip_of(tmp_path / "c.zip", files | {"1.png": blank})
    assert prepare(Settings("folder", str(path)), tmp_path / "c").leaked == {}


def test_where_no_person_is_known_or_in_another_database_the_same_wall_is_a_copy(tmp_path):
    path = studio(tmp_path, "nobody.zip", [("train", ""), ("train", "bob"), ("test", "")])
    assert prepare(Settings("folder", str(path)), tmp_path / "nobody").leaked == {"folder": 2}
    held = studio(tmp_path, "held.zip", [("train", "ann"), ("test", "eve")])
    against = (str(prepare(Settings("folder", str(held)), tmp_path / "held").folder),)
    again = Settings("folder", str(held), side=48, against=against)  # as a framing of it would be
    assert prepare(again, tmp_path / "again").leaked == {}
    people = [("train", "ann"), ("train", "bob")]
    for name in ("held.zip", "other.zip"):  # of the same last name, too
        (tmp_path / "more").mkdir(exist_ok=True)
        other = studio(tmp_path / "more", name, people, 30)
        report = prepare(replace(again, archive=str(other)), tmp_path / f"made of {name}")
        assert report.leaked == {"folder": 2}


def test_a_folder_that_is_prepared_from_within_is_the_same_database(tmp_path, monkeypatch):
    path = studio(tmp_path, "held.zip", [("train", "ann"), ("test", "eve")])
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "held")
    held = prepare(Settings("folder", str(tmp_path / "held")), tmp_path / "one").folder
    monkeypatch.chdir(tmp_path / "held")
    again = Settings("folder", ".", side=48, against=(str(held),))
    assert prepare(again, tmp_path / "two").leaked == {}


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize("name", ["rafdb"])
def test_an_audit_finds_no_leak_in_the_real_databases(data_dir, tmp_path, name):
    made = prepare(Settings(name, str(data_dir / f"{name}.zip")), tmp_path / "made", workers=2)
    assert made.leaked[name] > 100
    assert leaks_in(made.folder) == []
