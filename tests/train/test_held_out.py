"""Networks that have held out other pictures by a ``valid`` split are refused for a run."""

import json
import shutil
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from mien.data import manifest
from mien.errors import BadSettingError
from mien.evaluate.learned import may_have_learned, split_digests
from mien.recognize.model import read_card
from mien.train.config import to_toml
from mien.train.data import load_data
from mien.train.dataset import load_crops, network_inputs
from mien.train.distill import Teachers
from mien.train.earlier import load_member
from mien.train.export import export
from mien.train.first import first_network
from mien.train.held_out import held_out_otherwise
from mien.train.run import load_run, read_description
from mien.train.trainer import train
from tests.support.own_classes import write_own
from tests.support.tiny_network import settings_for

pytestmark = pytest.mark.torch


def own_folder(folder, first, archive="all", source="folder"):
    """The same 72 pictures, of which every third from `first` validates; 3 for none."""
    rows = []
    for number, row in enumerate(manifest.read(write_own(folder, train=24))):
        split = "valid" if number // 3 % 3 == first else "train"
        rows.append(replace(row, source=source, split=split))
    manifest.write(rows, folder)
    (folder / "prepare.json").write_text(json.dumps({"archive": archive}))
    return folder


@pytest.fixture(scope="module")
def w0(tmp_path_factory):
    """A run on W0 and its file."""
    root = tmp_path_factory.mktemp("w0")
    settings = settings_for(own_folder(root / "W0", 0), epochs=1, augment=False)
    train(settings, root / "run")
    export(root / "run", root / "w0.onnx")
    return root


def begins(path, settings):
    first_network(replace(settings, start=str(path)), load_crops(settings.data, "train"))


def answers_beside(path, settings):
    [crops, *_] = network_inputs(load_data(settings).train.gray[:64])
    load_member(str(path), settings, crops)


def teaches(path, settings):
    Teachers([str(path)], settings)


ROLES = (begins, answers_beside, teaches)


@pytest.mark.parametrize("kind", ["run", "w0.onnx"])
@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.__name__)
def test_what_held_out_other_pictures_by_a_valid_split_is_refused(w0, tmp_path, role, kind):
    settings = settings_for(own_folder(tmp_path / "W1", 1), epochs=1, augment=False)
    with pytest.raises(BadSettingError, match="has held out other pictures of folder, as") as error:
        role(w0 / kind, settings)
    assert error.value.fix == "prepare the folders of both with the same --valid and --seed"
    # the same split in another framing, and another database, are no fault
    role(w0 / kind, replace(settings, data=(str(own_folder(tmp_path / "W0-framed", 0)),)))
    role(w0 / kind, replace(settings, data=(str(own_folder(tmp_path / "X", 1, "other")),)))


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.__name__)
def test_a_share_drawn_of_what_was_divided_by_a_split_is_refused(w0, tmp_path, role):
    settings = settings_for(own_folder(tmp_path / "W", 3), epochs=1, augment=False)
    with pytest.raises(BadSettingError, match="has held out other pictures of folder"):
        role(w0 / "run", settings)
    # the file is asked by refuse_learned alone; with nothing held out it may have seen all
    begins(w0 / "w0.onnx", replace(settings, hold_out=0.0))


def test_a_record_of_an_earlier_version_is_judged_as_before(w0, tmp_path):
    shutil.copytree(w0 / "run", tmp_path / "run")
    record = read_description(w0 / "run")
    assert list(record.pop("valid_sha256").values()) != [""]
    (tmp_path / "run" / "data.json").write_text(json.dumps(record))
    settings = settings_for(own_folder(tmp_path / "W1", 1), epochs=1, augment=False)
    for role in ROLES:
        role(tmp_path / "run", settings)
        with pytest.raises(BadSettingError, match="has draw = 0, the run has 1"):
            role(tmp_path / "run", replace(settings, draw=1))


def test_what_a_start_began_with_is_asked_too(w0, tmp_path):
    other = settings_for(own_folder(tmp_path / "X", 0, "other"), epochs=1, augment=False)
    train(replace(other, start=str(w0 / "run")), tmp_path / "second")
    export(tmp_path / "second", tmp_path / "second.onnx")
    settings = settings_for(own_folder(tmp_path / "W1", 1), epochs=1, augment=False)
    for kind in ("second", "second.onnx"):
        for role in ROLES:
            with pytest.raises(BadSettingError, match="has held out other pictures of folder"):
                role(tmp_path / kind, settings)


def test_the_digest_is_of_the_pictures_and_names_no_folder_of_ones_own(w0, tmp_path):
    known = read_card(w0 / "w0.onnx")["data"]["valid_sha256"]
    assert (
        known == read_description(w0 / "run")["valid_sha256"] == split_digests([w0 / "W0"], "valid")
    )
    [name] = known
    assert name.startswith("folder:")
    assert "all" not in name
    framed = own_folder(tmp_path / "framed", 0)
    rows = [replace(row, framing="framed") for row in manifest.read(framed)[::-1]]
    manifest.write(rows, framed)
    assert split_digests([framed], "valid") == split_digests([w0 / "W0", framed], "valid") == known
    real = own_folder(tmp_path / "real", 3, source="rafdb")
    assert split_digests([real], "valid") == {"rafdb": ""}
    assert (
        held_out_otherwise(
            {"valid_sha256": known}, split_digests([real], "valid"), settings_for(real)
        )
        == []
    )


def again(w0, place, first):
    """W0, prepared again there with another split, and a copy of its run for it."""
    shutil.copytree(w0 / "run", place / "run")
    folder = own_folder(place / "W0", first)
    settings = replace(load_run(w0 / "run").settings, data=(str(folder),))
    (place / "run" / "config.toml").write_text(to_toml(settings))
    return place / "run", settings


def test_a_run_goes_on_and_is_exported_with_the_pictures_that_it_held_out_alone(w0, tmp_path):
    run, settings = again(w0, tmp_path, 1)
    with pytest.raises(BadSettingError, match="began with another valid split of its data"):
        train(replace(settings, epochs=2), run, resume=True)
    with pytest.raises(BadSettingError, match="began with another valid split of its data"):
        export(run, tmp_path / "run.onnx")
    assert not (tmp_path / "run.onnx").exists()
    own_folder(tmp_path / "W0", 0, archive="renamed")  # the same pictures
    assert len(train(replace(settings, epochs=2), run, resume=True)) == 2
    export(run, tmp_path / "run.onnx")


def test_a_run_does_not_go_on_where_it_has_learned_what_tests_now(w0, tmp_path):
    run, settings = again(w0, tmp_path, 0)
    rows = manifest.read(tmp_path / "W0")
    last = rows.pop()
    manifest.write([*rows, replace(last, split="test")], tmp_path / "W0")
    with pytest.raises(BadSettingError, match="began with another test split of its data"):
        train(replace(settings, epochs=2), run, resume=True)
    export(run, tmp_path / "run.onnx")  # which learns nothing of it; its card tells `evaluate`
    card = read_card(tmp_path / "run.onnx")
    assert may_have_learned(card, tmp_path / "W0", "test") == ["folder"]
    assert may_have_learned(card, tmp_path / "W0", "valid") == []
    manifest.write([*rows, last], tmp_path / "W0")
    assert may_have_learned(card, tmp_path / "W0", "test") == []
