import numpy as np
import pytest

pytest.importorskip("scipy")

from mien import pixels
from mien.errors import BadDataError, BadSettingError
from mien.evaluate import explanations
from mien.evaluate.explanations import (
    FaithfulnessSettings,
    beats,
    choose_pictures,
    compare,
    faithfulness_record,
    measure_methods,
)
from mien.evaluate.faithfulness import METRICS
from mien.evaluate.maps import CONTROLS, ExplainedModel
from mien.media import images
from mien.recognize.model import SHIPPED, Model
from tests.support.prepared_folder import write_crops

PATCH = (slice(48, 60), slice(4, 28))


def looks_at_a_patch(batch):
    """Stand-in network: happy by the contrast in one patch, else sad."""
    logits = np.zeros((len(batch), 6), dtype=np.float32)
    logits[:, 0] = 4 * batch[:, 0, *PATCH].std(axis=(1, 2))
    logits[:, 2] = 1
    return logits


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(1).integers(0, 256, (24, 64, 64), dtype=np.uint8)


@pytest.fixture(scope="module")
def values(crops):
    return measure_methods(ExplainedModel(looks_at_a_patch), crops, ["occlusion"], seed=0)


def test_occlusion_of_a_network_that_looks_at_a_patch_beats_every_control(values):
    record = compare(values)
    for metric in ("insertion", "deletion", "road"):
        assert beats(record, "occlusion", metric), record["against"]["occlusion"]
    assert list(record["mean"]) == ["occlusion", *CONTROLS]
    assert not any(beats(record, name, metric) for name in CONTROLS for metric in METRICS)


def test_every_picture_is_measured_once_whatever_the_chunks(crops, values, monkeypatch):
    monkeypatch.setattr(explanations, "_CHUNK", 24)
    again = measure_methods(ExplainedModel(looks_at_a_patch), crops, ["occlusion"], seed=0)
    assert {len(v) for of in values.values() for v in of.values()} == {24}
    for metric in ("insertion", "deletion", "increase"):  # equal places are drawn anew
        one, other = again["edges"][metric], values["edges"][metric]
        np.testing.assert_allclose(one, other, atol=2e-3)


def test_the_maps_of_a_control_are_drawn_anew_for_every_chunk(crops, monkeypatch):
    monkeypatch.setattr(explanations, "_CHUNK", 1)
    twice = np.repeat(crops[:1], 2, axis=0)
    found = measure_methods(ExplainedModel(looks_at_a_patch), twice, ["occlusion"], seed=0)
    assert found["edges"]["drop"][0] == found["edges"]["drop"][1]  # the same picture
    assert found["random"]["drop"][0] != found["random"]["drop"][1]


def test_each_picture_is_asked_for_the_class_it_is_given_and_no_other(crops):
    flat = np.full((1, 64, 64), 90, dtype=np.uint8)  # sad, the noisy ones are happy
    both = np.concatenate([crops[:1], flat])
    assert ExplainedModel(looks_at_a_patch).scores(both).argmax(axis=1).tolist() == [0, 2]
    found = measure_methods(ExplainedModel(looks_at_a_patch), both, ["occlusion"], seed=0)
    sad = np.exp(1) / (np.exp(1) + 5)  # of a flat picture, however much of it is shown
    assert found["random"]["insertion"][1] == pytest.approx(sad, abs=1e-4)


def test_gains_and_p_values_are_scipys_times_the_number_of_tests():
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(0)
    names = ["a", *CONTROLS]
    values = {n: {m: random.random(30).astype(np.float32) for m in METRICS} for n in names}
    values["a"]["deletion"] = values["edges"]["deletion"] - np.float32(0.1)
    record = compare(values)
    assert record["against"]["a"]["edges"]["deletion"]["gain"] == pytest.approx(0.1)
    difference = values["a"]["road"] - values["gaussian"]["road"]
    found = record["against"]["a"]["gaussian"]["road"]
    assert found["gain"] == pytest.approx(difference.mean(), abs=1e-4)
    expected = min(1, stats.wilcoxon(difference).pvalue * len(CONTROLS) * len(METRICS))
    assert found["p"] == pytest.approx(expected, rel=0.05)
    better = stats.wilcoxon(values["edges"]["deletion"] - values["a"]["deletion"]).pvalue
    for methods in (1, 2):  # every test counts: of each method, control and metric
        found = compare(values | {"b": values["a"]} if methods == 2 else values)
        p = found["against"]["a"]["edges"]["deletion"]["p"]
        assert p == pytest.approx(better * methods * len(CONTROLS) * len(METRICS), rel=0.05)
    drop = values["a"]["drop"]
    assert record["error"]["a"]["drop"] == pytest.approx(
        np.sqrt(drop.astype(float).var(ddof=1) / 30), abs=1e-4
    )


def test_equal_maps_are_not_better_than_each_other():
    same = {m: np.linspace(0, 1, 30, dtype=np.float32) for m in METRICS}
    record = compare({name: same for name in ("a", *CONTROLS)})
    assert record["against"]["a"]["random"]["road"] == {"gain": 0, "p": 1}
    assert not beats(record, "a", "road")


def test_pictures_are_drawn_by_the_seed_without_neutral(tmp_path):
    folder = write_crops(tmp_path / "data", train=1, test=3)
    rows, crops = choose_pictures(folder, "test", 10, seed=0)
    assert len({row.path for row in rows}) == len(rows) == len(crops) == 10
    assert {row.split for row in rows} == {"test"}
    assert "neutral" not in {row.label for row in rows}
    first = pixels.to_gray(images.read_rgb(folder / rows[0].path))
    np.testing.assert_array_equal(crops[0], first)
    assert [r.path for r in choose_pictures(folder, "test", 10, seed=0)[0]] == [
        r.path for r in rows
    ]
    assert [r.path for r in choose_pictures(folder, "test", 10, seed=1)[0]] != [
        r.path for r in rows
    ]
    assert len(choose_pictures(folder, "test", 99, seed=0)[0]) == 18
    with pytest.raises(BadDataError, match="has no valid pictures"):
        choose_pictures(folder, "valid", 10, seed=0)


def test_checks_of_a_single_picture_are_refused(tmp_path):
    with pytest.raises(ValueError, match="take 2 or more, or 0"):
        FaithfulnessSettings(tmp_path, "test", ["cam"], 10, sanity_pictures=1, seed=0)
    FaithfulnessSettings(tmp_path, "test", ["cam"], 10, sanity_pictures=0, seed=0)


def test_a_network_that_is_not_the_files_is_refused_before_anything_is_measured(
    tmp_path, monkeypatch
):
    pytest.importorskip("torch")
    from mien.models import zoo

    monkeypatch.setattr(explanations, "measure_methods", None)
    folder = write_crops(tmp_path / "data", train=1, test=1)
    settings = FaithfulnessSettings(folder, "test", ["cam"], 4, 2, seed=0)
    with pytest.raises(BadSettingError, match="the run is not that of the model"):
        faithfulness_record(Model(SHIPPED, 1), settings, zoo.build("miennet", 7, 0).eval())
