import json

import numpy as np
import pytest

from mien.data.label_file import write_labels
from mien.data.manifest import rows_of_split
from mien.errors import BadDataError, UnknownNameError
from mien.evaluate.accuracy import commit
from mien.evaluate.evidence import evidence
from mien.explain import explain
from mien.faces.regions import REGIONS, divide, region_shares
from mien.labels import LABELS, PAPER, LabelSet, index
from mien.media import images
from mien.pixels import enlarge, to_batch
from mien.recognize.model import SHIPPED, Model, Outputs
from tests.support.commands import mien
from tests.support.prepared_folder import write_crops

PLACES = dict(zip(LABELS, [(50, 32), (21, 16), (10, 20), (35, 31), (60, 32), (3, 32)], strict=True))
FOUND = ("mouth", "eyes", "brows", "nose", "chin", "forehead")


class Pointing:
    """Stand-in model: each class's map is one spot, and less light makes it negative."""

    to_batch = staticmethod(to_batch)
    labels, path = PAPER, "stand-in.onnx"

    def run(self, batch):
        maps = np.zeros((len(batch), 6, 64, 64), dtype=np.float32)
        for label, (y, x) in PLACES.items():
            maps[:, index(label), y, x] = batch[:, 0].std(axis=(1, 2))
        flat = np.full((len(batch), 6), 1 / 6, dtype=np.float32)
        return Outputs(flat, flat[:, 0], maps)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("made") / "data", train=1, test=3)


def test_each_expressions_evidence_is_where_its_map_points(folder):
    found = evidence(Pointing(), folder)
    assert list(found) == list(LABELS)
    for label, region in zip(LABELS, FOUND, strict=True):
        assert found[label]["share"] == {name: float(name == region) for name in REGIONS}
        assert found[label]["pictures"] == 3
        on = float(region in found[label]["expected"])
        assert found[label]["on_expected"] == on
        assert found[label]["on_expected_95"] == [on, on]
    assert (found["happiness"]["on_expected"], found["disgust"]["on_expected"]) == (1, 1)
    assert found["anger"]["on_expected"] == 0  # the nose is not expected there


def test_chance_is_the_share_of_the_area(folder):
    found = evidence(Pointing(), folder)["sadness"]
    parts = np.isin(divide(), [REGIONS.index(name) for name in found["expected"]])
    assert found["area_of_expected"] == pytest.approx(parts.mean(), abs=1e-4)
    assert found["units"] == [1, 4, 15]


def test_another_methods_maps_can_be_asked_for_and_are_those_of_the_labelled_class(folder):
    model = Model(SHIPPED)
    found = evidence(model, folder, method="fast-occlusion")
    for label in ("surprise", "disgust"):
        paths = [row.path for row in rows_of_split(folder, "test") if row.label == label]
        batch = model.to_batch([images.read_rgb(folder / path) for path in paths])
        maps = enlarge(explain(model, batch, "fast-occlusion", label), 64, 64)
        expected = region_shares(maps, divide()).mean(axis=0)
        assert list(found[label]["share"].values()) == pytest.approx(list(expected), abs=1e-4)
    assert found["disgust"]["share"] != evidence(model, folder)["disgust"]["share"]
    with pytest.raises(UnknownNameError, match="no method called 'fast'"):
        evidence(model, folder, method="fast")


def test_the_record_names_the_method_and_the_commit(folder, tmp_path):
    words = ("regions", "shipped", folder, "--out")
    assert mien(*words, tmp_path / "a.json").exit_code == 0
    assert mien(*words, tmp_path / "b.json", "--method", "occlusion").exit_code == 0
    usual, other = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert other["command"] == usual["command"] + " --method occlusion"
    assert other["commit"] == usual["commit"] == commit()
    assert other["folders"] != usual["folders"]


def test_a_split_without_pictures_is_refused(folder):
    with pytest.raises(BadDataError, match="has no valid pictures"):
        evidence(Pointing(), folder, "valid")


def test_the_command_measures_folders_and_writes_the_figures(folder, tmp_path):
    result = mien("regions", "shipped", folder, "--out", tmp_path / "a.json")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "data test: share of the evidence for the labelled expression"
    assert lines[1].split() == [*REGIONS, "expected", "its", "area"]
    assert [line.split()[0] for line in lines[2:]] == list(LABELS)
    assert (tmp_path / "a.json").exists()
    words = ("--split", "train", "--csv", "-")
    header, *rows = mien("regions", "shipped", folder, *words).stdout.splitlines()
    assert header.split(",")[:4] == ["folder", "split", "label", "pictures"]
    assert [row.split(",")[:4] for row in rows] == [["data", "train", name, "1"] for name in LABELS]


class Divided(Pointing):
    """Stand-in model: of each map a share is on the mouth, the rest where nothing is expected."""

    def __init__(self, shares):
        self.shares = iter(shares)

    def run(self, batch):
        maps = np.zeros((len(batch), 6, 64, 64), dtype=np.float32)
        for crop in maps:
            crop[:, *PLACES["happiness"]] = share = next(self.shares)
            crop[:, 0, 0] = 1 - share
        flat = np.full((len(batch), 6), 1 / 6, dtype=np.float32)
        return Outputs(flat, flat[:, 0], maps)


def test_a_folder_that_cannot_be_measured_is_named_before_another_is(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("mien.evaluate.evidence.evidence", lambda *_: pytest.fail("measured"))
    own = write_crops(tmp_path / "own", test=1)
    write_labels(own, LabelSet(("open", "asleep")))
    untested = write_crops(tmp_path / "untested", train=1)
    for other, why in (
        (tmp_path / "gone", "no manifest.csv in "),
        (untested, "has no test pictures"),
        (own, "own has open, asleep"),
    ):
        result = mien("regions", "shipped", folder, other)
        assert (result.exit_code, result.stdout) == (1, "")
        assert why in result.stderr


def test_the_interval_of_a_mean_share_is_that_of_the_normal_law(tmp_path):
    folder = write_crops(tmp_path / "data", test=200, labels=("happiness",))
    shares = np.random.default_rng(0).beta(2, 3, 200)
    found = evidence(Divided(shares), folder)["happiness"]
    assert found["on_expected"] == pytest.approx(shares.mean(), abs=1e-4)
    reach = 1.96 * shares.std() / np.sqrt(200)
    low, high = found["on_expected_95"]
    assert (shares.mean() - low, high - shares.mean()) == pytest.approx((reach, reach), rel=0.08)
