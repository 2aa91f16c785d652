"""The arithmetic of benchmarks/peers.py: who is right more often, on which faces."""

import csv

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binom

from benchmarks import face_sets, peers
from benchmarks.contenders import Answers, Rival
from mien.data import manifest
from tests.support.prepared_folder import row_of, striped, write_crop


def answers(predicted, calm=None):
    """Scores of six classes that name these, with a confidence of 0.75."""
    scores = np.full((len(predicted), 6), 0.05, dtype=np.float32)
    scores[np.arange(len(predicted)), predicted] = 0.75
    return Answers(scores, np.zeros(len(predicted), bool) if calm is None else np.array(calm))


def test_the_paired_test_counts_only_where_the_two_differ():
    targets = np.array([0] * 20)
    ours = answers([0] * 18 + [1] * 2)
    theirs = answers([0] * 10 + [1] * 8 + [0] + [1])
    found = peers.mcnemar(ours, theirs, targets)
    assert (found["only_ours"], found["only_theirs"]) == (8, 1)
    assert found["p"] == pytest.approx(20 / 512, rel=0.01)  # 2 (C(9,0) + C(9,1)) / 2^9
    assert found["p"] == pytest.approx(2 * binom.cdf(1, 9, 0.5), rel=0.01)


def test_two_that_agree_everywhere_do_not_differ():
    same = answers([0, 1, 2])
    assert peers.mcnemar(same, same, np.array([0, 0, 2]))["p"] == 1


def test_neutral_is_left_out_and_then_counted_as_an_answer_that_is_wrong():
    targets = np.arange(6)
    found = peers.figures(answers([0, 1, 2, 3, 4, 0], calm=[True] + [False] * 5), targets)
    assert found["accuracy"] == pytest.approx(5 / 6, abs=1e-4)
    assert found["mean_recall"] == pytest.approx(5 / 6, abs=1e-4)
    assert found["accuracy_with_neutral"] == pytest.approx(4 / 6, abs=1e-4)
    assert found["called_neutral"] == pytest.approx(1 / 6, abs=1e-4)
    # precision 1/2 and recall 1 for happiness: F1 2/3; 1 for four classes; 0 for fear
    assert found["macro_f1"] == pytest.approx((2 / 3 + 4) / 6, abs=1e-4)
    assert found["calibration_error"] == pytest.approx(5 / 6 - 0.75, abs=1e-4)


@pytest.fixture
def folder(tmp_path):
    """Test pictures: one with a copy that was left out of train, its mirror image, another."""
    first, other = striped("neutral", 1), striped("neutral", 2)
    rows = []
    for number, crop in enumerate([first, np.ascontiguousarray(first[:, ::-1]), other]):
        rows.append(write_crop(tmp_path, crop, row_of("fear", "test", f"{number}.png")))
    manifest.write(rows, tmp_path)
    with (tmp_path / "excluded.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["original", "split", "reason", "detail", "similarity"])
        table.writerow(["a.png", "train", "copy of test", "made:0.png", "0.99"])
        table.writerow(["b.png", "train", "unreadable", "made:2.png", ""])
    return tmp_path


def test_a_picture_whose_copy_has_a_copy_in_train_is_left_out_too(folder):
    faces = face_sets.load(folder, "test")
    assert face_sets.without_copies(faces, folder).tolist() == [False, False, True]


def test_a_part_of_a_set_is_spread_evenly_and_keeps_its_labels(folder):
    faces = face_sets.load(folder, "test", most=2)
    assert [row.original for row in faces.rows] == ["0.png", "2.png"]
    assert faces[np.array([False, True])].rows[0].original == "2.png"
    assert faces.targets.tolist() == [5, 5]


def test_damage_comes_once_to_each_crop_in_every_kind_and_strength():
    crops = np.repeat(striped("happiness", 3)[None], 85, axis=0)
    faces = face_sets.FaceSet([None] * 85, crops, np.zeros(85, dtype=np.int64))
    damaged = face_sets.damaged(faces).crops
    assert (damaged != crops).any(axis=(1, 2, 3)).all()
    assert len({crop.tobytes() for crop in damaged}) == 85
    np.testing.assert_array_equal(face_sets.damaged(faces).crops, damaged)


def test_the_border_is_the_mean_of_the_lowest_rows():
    crop = np.zeros((64, 64, 3), dtype=np.uint8)
    crop[-2:] = (90, 60, 30)
    wide = face_sets.padded(crop)
    assert wide.shape == (64, 64, 3)
    assert wide[0, 0].tolist() == [90, 60, 30]
    assert wide[32, 32].tolist() == [0, 0, 0]
    assert (wide[:, 32] == (90, 60, 30)).all(axis=1).sum() == pytest.approx(2 * 10 * 64 / 84, abs=2)


def test_crops_come_in_the_side_that_a_rival_takes_as_pillow_resizes_them(folder):
    [first, *_] = face_sets.load(folder, "test", side=88).crops
    [plain, *_] = face_sets.load(folder, "test").crops
    assert plain.shape == (64, 64, 3)
    expected = Image.fromarray(plain).resize((88, 88), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(first, np.asarray(expected))


def test_portraits_from_a_studio_come_to_ours_as_photographs_do_and_to_peers_as_suits_them():
    ours = Rival("mien", "", answers, ("as distributed",))
    peer = Rival("peer", "", answers, ("as distributed", face_sets.FRAMED))
    assert peers.framings_of(ours, "rafdb") == ("as distributed",)
    assert peers.framings_of(ours, "ckplus") == (face_sets.FRAMED,)
    assert peers.framings_of(peer, "tfeid") == peer.framings


def test_what_is_measured_later_is_added_and_nothing_else_changes():
    before = {
        "date": "old", "sets": {"a": 3}, "absent": [],
        "rivals": [
            {"name": "mien", "one": 1, "framing": {"x": 1}, "sets": {"a": {"accuracy": 0.5}}},
            {"name": "gone", "one": 2, "framing": {}, "sets": {"a": {"accuracy": 0.25}}},
        ],
    }  # fmt: skip
    now = {
        "command": "peers --only b", "date": "new", "sets": {"b": 4},
        "rivals": [{"name": "mien", "framing": {"y": 2}, "sets": {"b": {"accuracy": 0.75}}}],
    }  # fmt: skip
    found = peers.added(before, now)
    assert (found["date"], found["sets"]) == ("old", {"a": 3, "b": 4})
    assert found["added"] == {"b": {"command": "peers --only b", "date": "new"}}
    [ours, gone] = found["rivals"]
    assert ours == {
        "name": "mien", "one": 1, "framing": {"x": 1, "y": 2},
        "sets": {"a": {"accuracy": 0.5}, "b": {"accuracy": 0.75}},
    }  # fmt: skip
    assert gone == before["rivals"][1]
