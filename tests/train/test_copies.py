"""Altered copies on disk: what they are, where they come from, and that a stop changes nothing."""

import csv
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")

from PIL import Image

from mien.data import manifest
from mien.data.audit.clean import to_drop
from mien.data.audit.findings import audit
from mien.data.folds import draw_folds
from mien.data.label_file import labels_of
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError, BadSettingError, OutputError
from mien.labels import LABELS
from mien.media import images, writers
from mien.train import copies, cross_validate
from mien.train.augment import OFF, Strength
from mien.train.copies import CopySettings, write_copies
from mien.train.data import load_data
from mien.train.dataset import load_crops
from tests.support.commands import mien
from tests.support.own_classes import OWN, write_own
from tests.support.pictures import encode, folder_of
from tests.support.prepared_folder import row_of, striped, write_crop, write_crops
from tests.support.tiny_network import settings_for, tiny_in_zoo

pytestmark = pytest.mark.torch

FLIPPED = CopySettings(replace(OFF, flip=1.0), quality=100)
CHANGED = CopySettings(Strength(rotate=20, crop=0.3, perspective=0.3, colour=0.6), copies=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("given") / "made", train=12, test=1, labels=LABELS)


def files_in(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_copy_is_the_changed_crop_with_its_label_and_its_origin(folder, tmp_path):
    found = write_copies(folder, tmp_path / "out", FLIPPED)
    assert (found.originals, found.written, found.unreadable) == (72, 72, {})
    given = {row.original: row for row in manifest.read(folder) if row.split == "train"}
    rows = manifest.read(tmp_path / "out")
    assert Counter(row.split for row in rows) == {"train": 72}
    assert {row.framing for row in rows} == {"altered"}
    for row in rows:
        of = given.pop(row.original)
        assert (row.label, row.source, row.subject) == (of.label, of.source, of.subject)
        copy = images.read_rgb(tmp_path / "out" / row.path)[..., 0].astype(int)
        with Image.open(folder / of.path) as image:
            plain = np.asarray(image.convert("L")).astype(int)
        assert np.abs(copy - plain[:, ::-1]).max() <= 3  # the mirror image, but for JPEG
        with Image.open(tmp_path / "out" / row.path) as image:
            assert row.sha256 == manifest.hash_pixels(np.asarray(image))
    assert given == {}  # the test crops have no copies, every training crop has one
    with (tmp_path / "out" / "labels.csv").open(newline="") as file:
        numbers = {line["image"]: int(line["label"]) for line in csv.DictReader(file)}
    assert numbers == {row.path: LABELS.index(row.label) for row in rows}
    with (tmp_path / "out" / "copies.csv").open(newline="") as file:
        origins = list(csv.DictReader(file))
    assert {line["of"] for line in origins} == {
        row.path for row in manifest.read(folder) if row.split == "train"
    }
    assert {line["copy"] for line in origins} == {"1"}


@pytest.mark.slow
def test_copies_follow_from_the_seed_and_not_from_the_number_of_processes(folder, tmp_path):
    for name, settings, workers in (
        ("one", CHANGED, 1),
        ("two", CHANGED, 2),
        ("other", replace(CHANGED, seed=1), 1),
    ):
        write_copies(folder, tmp_path / name, settings, workers=workers)
    assert files_in(tmp_path / "one") == files_in(tmp_path / "two")
    pictures = [path for path in files_in(tmp_path / "one") if path.suffix == ".jpg"]
    assert len(pictures) == 144
    one, other = files_in(tmp_path / "one"), files_in(tmp_path / "other")
    assert all(one[path] != other[path] for path in pictures)
    pairs = {row.original: [] for row in manifest.read(tmp_path / "one")}
    for row in manifest.read(tmp_path / "one"):
        pairs[row.original].append(row.sha256)
    assert all(len(set(hashes)) == 2 for hashes in pairs.values())  # no two copies are alike


def test_a_run_that_was_stopped_goes_on_and_repeats_nothing(folder, tmp_path, monkeypatch):
    write_copies(folder, tmp_path / "whole", CHANGED)
    written = []
    real = writers.write_bytes

    def stop(data, path):
        if len(written) == 100:
            raise KeyboardInterrupt
        written.append(path)
        real(data, path)

    monkeypatch.setattr(copies, "write_bytes", stop)
    with pytest.raises(KeyboardInterrupt):
        write_copies(folder, tmp_path / "out", CHANGED)
    assert not (tmp_path / "out" / "manifest.csv").exists()
    with pytest.raises(BadDataError, match=r"no manifest\.csv"):
        audit([tmp_path / "out"])
    again = []
    monkeypatch.setattr(copies, "write_bytes", lambda d, p: (again.append(p), real(d, p)))
    assert write_copies(folder, tmp_path / "out", CHANGED).fresh
    assert len(again) == 44
    assert not set(again) & set(written)
    assert files_in(tmp_path / "out") == files_in(tmp_path / "whole")
    monkeypatch.setattr(copies, "share", None)
    found = write_copies(folder, tmp_path / "out", CHANGED)
    assert (found.fresh, found.written) == (False, 144)


def test_a_folder_of_other_settings_or_other_crops_is_not_written_to(folder, tmp_path):
    write_copies(folder, tmp_path / "out", FLIPPED)
    with pytest.raises(BadDataError, match="was not made with these settings"):
        write_copies(folder, tmp_path / "out", replace(FLIPPED, seed=1))
    with pytest.raises(BadDataError, match="holds altered copies"):
        write_copies(tmp_path / "out", tmp_path / "more", FLIPPED)
    with pytest.raises(BadDataError, match="lie in each other"):
        write_copies(folder, folder / "copies", FLIPPED)
    other = write_crops(tmp_path / "made", train=1, labels=LABELS, seed=900)
    with pytest.raises(BadDataError, match="settings of these crops"):
        write_copies(other, tmp_path / "out", FLIPPED)


def test_what_makes_no_copy_with_a_label_is_refused():
    with pytest.raises(BadSettingError, match="a mixture of crops has no label"):
        CopySettings(replace(OFF, mixup=0.1))
    with pytest.raises(BadSettingError, match="every change is at 0"):
        CopySettings(OFF)


def test_a_crop_that_cannot_be_read_is_named_and_has_no_copy(tmp_path):
    given = write_crops(tmp_path / "made", train=2, labels=LABELS)
    broken = manifest.read(given)[3].path
    (given / broken).write_bytes(b"no picture")
    (tmp_path / "c.toml").write_text("rotate = 9.0\n")
    result = mien("augment", given, tmp_path / "c.toml", "--copies", 2, "--workers", 1)
    assert result.exit_code == 0, result.stderr
    assert f"no copy of {broken}: " in result.stderr
    assert "22 copies of 11 training crops" in result.stdout
    assert broken not in (tmp_path / "made-copies" / "copies.csv").read_text()
    record = json.loads((tmp_path / "made-copies" / "augment.json").read_text())
    assert list(record["report"]["unreadable"]) == [broken]
    again = mien("augment", given, tmp_path / "c.toml", "--copies", 2, "--workers", 1)
    assert "is complete already; nothing to do" in again.stderr


@pytest.mark.parametrize("named", [".", "..", "../made"])
def test_without_out_copies_are_beside_the_folder_however_it_is_named(tmp_path, monkeypatch, named):
    given = write_crops(tmp_path / "made", train=1, labels=LABELS)
    (tmp_path / "c.toml").write_text("rotate = 9.0\n")
    monkeypatch.chdir(given / "train" if named == ".." else given)
    result = mien("augment", named, tmp_path / "c.toml", "--workers", 1)
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "made-copies" / "copies.csv").is_file()


def test_for_an_audit_a_picture_and_its_copies_are_one(folder, tmp_path):
    write_copies(folder, tmp_path / "out", FLIPPED)  # every copy is a near-copy by its pixels
    found = audit([folder, tmp_path / "out"])
    assert found.findings == []
    assert len(found.entries) == 78
    alone = audit([tmp_path / "out"])
    assert (len(alone.entries), alone.findings) == (72, [])


def test_an_audit_knows_a_copy_whose_picture_is_held_out_elsewhere(tmp_path):
    learned = write_crops(tmp_path / "a" / "made", train=1, labels=LABELS)
    hidden = CopySettings(replace(OFF, crop=0.9, rotate=180.0), seed=3)  # no pixel tells it
    write_copies(learned, tmp_path / "copies", hidden)
    row = manifest.read(learned)[2]
    other = tmp_path / "b"
    held = write_crop(other, striped(row.label, 3), row_of(row.label, "test", row.original))
    manifest.write([held], other)
    found = audit([tmp_path / "copies", other])
    [leak] = [f for f in found.findings if found.is_leak(f)]
    assert leak.detail == "altered copy"
    assert [e.row.original for e in found.both(leak)] == [row.original] * 2
    assert [e.row.split for e in found.both(leak)] == ["train", "test"]
    assert list(to_drop(found)) == [leak.this]


def test_prepare_against_the_originals_still_finds_what_copies_would_leak(tmp_path):
    """Copies hold no test pictures: the folder they are made of is the one to compare with."""
    given = write_crops(tmp_path / "made", train=1, test=2, labels=LABELS)
    write_copies(given, tmp_path / "copies", FLIPPED)
    held = [row for row in manifest.read(given) if row.split == "test"]
    with Image.open(given / held[0].path) as image:
        leaking = np.asarray(image.convert("RGB"))
    pictures = {f"fear/{n}.png": encode(striped("fear", 500 + n), "PNG") for n in range(3)}
    own = folder_of(tmp_path / "own", {**pictures, "fear/leak.png": encode(leaking, "PNG")})
    settings = Settings("folder", str(own), against=(str(given),))
    assert prepare(settings, tmp_path / "prepared").leaked == {"made": 1}
    with pytest.raises(BadDataError, match="no test split\n  try: leave it out of --against"):
        prepare(replace(settings, against=(str(tmp_path / "copies"),)), tmp_path / "p2")


def test_copies_of_held_out_pictures_are_neither_learned_nor_measured(folder, tmp_path):
    write_copies(folder, tmp_path / "out", CHANGED)
    with tiny_in_zoo():
        plain = load_data(settings_for(folder, hold_out=0.3))
        more = load_data(settings_for(folder, tmp_path / "out", hold_out=0.3))
    held = {row.original for row in plain.held.rows}
    assert held
    assert {row.original for row in more.held.rows} == held
    assert {row.framing for row in more.held.rows} == {"as-is"}
    learned = Counter(row.original for row in more.train.rows)
    assert not held & set(learned)
    assert set(learned.values()) == {3}  # the picture and its two copies


def test_copies_of_own_classes_have_the_classes_of_their_folder(tmp_path):
    given = write_own(tmp_path / "own", train=3)
    write_copies(given, tmp_path / "out", FLIPPED)
    assert labels_of(tmp_path / "out") == OWN
    with (tmp_path / "out" / "labels.csv").open(newline="") as file:
        numbers = {line["image"]: int(line["label"]) for line in csv.DictReader(file)}
    rows = manifest.read(tmp_path / "out")
    assert numbers == {row.path: OWN.names.index(row.label) for row in rows}
    with tiny_in_zoo():
        data = load_data(settings_for(given, tmp_path / "out", hold_out=0.2))
    assert len(data.train) > 9  # more than the crops: the copies too


def test_a_fold_measures_pictures_and_not_their_copies(folder, tmp_path):
    write_copies(folder, tmp_path / "out", FLIPPED)
    pool = load_crops([folder, tmp_path / "out"], "train")
    folds = draw_folds(pool.rows, 3, seed=0)
    parts = [cross_validate._part(pool, folds == number, number) for number in range(3)]
    measured = Counter(row.original for part in parts for row in part.held.rows)
    assert measured == {row.original: 1 for row in manifest.read(folder) if row.split == "train"}
    for part in parts:
        held = {row.original for row in part.held.rows}
        assert not held & {row.original for row in part.train.rows}
        assert len(part.train) == 2 * (72 - len(held))


def test_a_full_disk_is_named(folder, tmp_path, monkeypatch):
    def refuse(*_):
        raise OutputError("cannot write: No space left on device", fix="free some space")

    monkeypatch.setattr(copies, "write_bytes", refuse)
    with pytest.raises(OutputError, match="No space left"):
        write_copies(folder, tmp_path / "out", FLIPPED)
