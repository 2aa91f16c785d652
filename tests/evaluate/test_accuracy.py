import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy import stats
from sklearn import metrics as oracle

from mien.data import manifest
from mien.errors import BadDataError, BadImageError
from mien.evaluate import accuracy, calibration, metrics
from mien.evaluate.accuracy import (
    PICTURES_HEADER,
    Evaluation,
    compare_models,
    evaluate,
    pictures_header,
)
from mien.labels import LABELS, PAPER, LabelSet, Rule
from mien.pixels import to_batch
from mien.recognize.model import Outputs
from tests.support.prepared_folder import SEVEN, row_of, striped, write_crop, write_crops

CARD = {"name": "standin", "weights_sha256": "0f" * 32, "data": {"seed": 4}}


class Standin:
    """A recognizer whose scores follow from the brightness of six parts of the crop."""

    def __init__(self):
        self.model = self
        self.card = CARD
        self.flip, self.rule = False, Rule(certain_from=0.5)
        self.labels, self.path = PAPER, "stand-in.onnx"

    to_batch = staticmethod(to_batch)

    def run(self, batch, maps=True):
        assert not maps  # nobody looks at them here
        assert len(batch) <= 64
        parts = batch[:, 0].reshape(len(batch), 2, 32, 4, 16).mean(axis=(2, 4)).reshape(-1, 8)
        powers = np.exp(3 * parts[:, :6])
        neutral = 1 / (1 + np.exp(-4 * parts[:, 6]))
        scores = powers / powers.sum(axis=1, keepdims=True)
        return Outputs(scores.astype(np.float32), neutral.astype(np.float32), None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """126 test pictures of the six, most of them happy, 14 neutral ones; 20 for training."""
    labels = (*SEVEN, "happiness", "happiness", "fear")
    return write_crops(tmp_path_factory.mktemp("given") / "made", train=2, test=14, labels=labels)


@pytest.fixture(scope="module")
def found(folder):
    return evaluate(Standin(), folder)


@pytest.fixture(scope="module")
def expected(folder):
    """The truth and the answer for every test picture, by Pillow and the stand-in alone."""
    rows = [row for row in manifest.read(folder) if row.split == "test" and row.label != "neutral"]
    batches = []
    for row in rows:
        with Image.open(folder / row.path) as image:
            gray = np.asarray(image.convert("L")) / np.float32(255)
        batches.append(np.stack([(gray - 0.485) / 0.229] * 3)[None].astype(np.float32))
    answers = [Standin().run(batch, maps=False) for batch in batches]
    return SimpleNamespace(
        rows=rows,
        targets=np.array([LABELS.index(row.label) for row in rows]),
        scores=np.concatenate([answer.scores for answer in answers]),
        neutral=np.concatenate([answer.neutral for answer in answers]),
    )


def test_the_scores_are_the_models_in_the_order_of_the_manifest(found, expected):
    assert found.rows == expected.rows
    assert len(found.rows) == 126  # more than one batch; the neutral ones are left out
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    np.testing.assert_allclose(found.neutral, expected.neutral, atol=1e-5)


def test_the_figures_are_scikit_learns(found, expected):
    predicted = expected.scores.argmax(axis=1)
    record = found.record
    table = oracle.confusion_matrix(expected.targets, predicted, labels=range(6))
    assert record["confusion"] == table.tolist()
    assert len(set(predicted)) > 3  # an answer that never varies would prove little
    recalls = oracle.recall_score(expected.targets, predicted, average=None, zero_division=0)
    assert record["recall"] == pytest.approx(dict(zip(LABELS, recalls, strict=True)), abs=5e-5)
    accuracy = oracle.accuracy_score(expected.targets, predicted)
    assert record["accuracy"] == pytest.approx(accuracy, abs=5e-5)
    balanced = oracle.balanced_accuracy_score(expected.targets, predicted)
    assert record["mean_recall"] == pytest.approx(balanced, abs=5e-5)
    f1 = oracle.f1_score(expected.targets, predicted, average="macro", zero_division=0)
    assert record["macro_f1"] == pytest.approx(f1, abs=5e-5)
    assert record["pictures"] == 126


def test_two_models_are_compared_on_the_same_pictures(found, folder, expected):
    class Blind(Standin):
        """Calls everything happiness."""

        def run(self, batch, maps=True):
            outputs = super().run(batch, maps)
            always = np.tile(np.float32([0.5, 0.1, 0.1, 0.1, 0.1, 0.1]), (len(batch), 1))
            return Outputs(always, outputs.neutral, None)

    other = evaluate(Blind(), folder)
    right = expected.scores.argmax(axis=1) == expected.targets
    happy = expected.targets == 0
    comparison = compare_models(found, other)
    assert comparison["only_this_right"] == (right & ~happy).sum()
    assert comparison["only_other_right"] == (happy & ~right).sum()
    assert comparison["accuracy"] == pytest.approx(happy.mean(), abs=5e-5)
    p = stats.binomtest(comparison["only_this_right"], (right != happy).sum()).pvalue
    assert comparison["mcnemar_p"] == pytest.approx(p, rel=1e-2)


def test_the_record_carries_interval_calibration_and_what_else_was_said(found, expected):
    right = int((expected.scores.argmax(axis=1) == expected.targets).sum())
    assert found.record["accuracy_95"] == pytest.approx(metrics.wilson(right, 126), abs=5e-5)
    error = calibration.calibration_error(expected.scores, expected.targets)
    assert found.record["calibration_error"] == pytest.approx(error, abs=2e-4)
    chance = calibration.chance_error(expected.scores)
    assert found.record["calibration_error_by_chance"] == pytest.approx(chance, abs=1e-3)
    calm = expected.neutral > 0.5
    doubted = ~calm & (expected.scores.max(axis=1) < 0.5)
    best = expected.scores.argmax(axis=1) == expected.targets
    seen = (best & ~calm & ~doubted).mean()  # neutral and uncertain are wrong answers here
    assert found.record["accuracy_as_called"] == pytest.approx(seen, abs=5e-5)
    for word, mask in (("neutral", calm), ("uncertain", doubted)):
        assert 0.1 < mask.mean() < 0.9
        assert found.record[f"called_{word}_rate"] == pytest.approx(mask.mean(), abs=5e-5)


def test_what_a_user_sees_is_right_only_where_the_label_is():
    scores = np.full((5, 6), 0.02, dtype=np.float32)
    for row, (best, value) in enumerate([(0, 0.9), (1, 0.9), (1, 0.9), (2, 0.4), (3, 0.9)]):
        scores[row, best] = value
    neutral = np.array([0.1, 0.7, 0.5, 0.1, 0.1], dtype=np.float32)
    targets = np.array([0, 1, 1, 2, 0])
    # right; called neutral; right, as calm as not; uncertain, though the best is right; wrong
    assert accuracy._as_called(Rule(certain_from=0.5), scores, neutral, targets, PAPER) == {
        "accuracy_as_called": 0.4,
        "called_neutral_rate": 0.2,
        "called_uncertain_rate": 0.2,
    }


def test_the_record_says_what_being_sure_is_worth(found, expected):
    surest = np.argsort(-expected.scores.max(axis=1))[:101]  # 80 % of 126, rounded up
    right = expected.scores[surest].argmax(axis=1) == expected.targets[surest]
    assert found.record["accuracy_at_80"] == pytest.approx(right.mean(), abs=5e-5)
    area = calibration.aurc(expected.scores, expected.targets)
    assert found.record["aurc"] == pytest.approx(area, abs=5e-5)


def test_the_record_says_what_was_measured_on_what(found, folder):
    record = json.loads(json.dumps(found.record))
    assert record["command"] == f"mien evaluate MODEL {folder} --split test"
    names = ("model", "weights_sha256", "seed", "source", "framing", "split")
    assert [record[n] for n in names] == ["standin", "0f" * 32, 4, "made", "as-is", "test"]
    assert re.fullmatch(r"[0-9a-f]{7,}(-dirty)?|\d+\.\d+\.\d+", record["commit"])


def test_every_picture_has_its_row(found, expected):
    header = "path,label,predicted,neutral,happiness,surprise,sadness,anger,disgust,fear"
    assert ",".join(PICTURES_HEADER) == header
    rows = list(found.picture_rows())
    assert len(rows) == 126
    for row, given, scores in zip(rows, expected.rows, expected.scores, strict=True):
        assert row[:3] == [given.path, given.label, LABELS[scores.argmax()]]
        assert row[4:] == pytest.approx(scores.tolist(), abs=1e-5)
    assert [row[3] for row in rows] == pytest.approx(expected.neutral.tolist(), abs=1e-5)


def test_the_other_split_is_measured_when_asked_for(folder):
    found = evaluate(Standin(), folder, "train")
    assert found.record["pictures"] == 18
    assert found.record["split"] == "train"
    assert found.record["command"].endswith("--split train")


def test_an_expression_that_does_not_occur_has_no_recall(tmp_path):
    folder = write_crops(tmp_path / "two", test=4, labels=("anger", "fear"))
    recall = evaluate(Standin(), folder).record["recall"]
    assert [label for label in LABELS if recall[label] is not None] == ["anger", "fear"]


def test_a_split_without_expressions_is_refused(tmp_path, folder):
    neutral = write_crops(tmp_path / "calm", test=3, labels=("neutral",))
    for where, split in ((neutral, "test"), (folder, "valid")):
        message = rf"{where.name} has no {split} pictures\n  try: choose another --split"
        with pytest.raises(BadDataError, match=message):
            evaluate(Standin(), where, split)


def test_a_picture_that_is_gone_is_named(tmp_path):
    manifest.write([row_of("fear", "test", "gone.png")], tmp_path)
    with pytest.raises(BadImageError, match=r"gone\.png"):
        evaluate(Standin(), tmp_path)


def test_crops_of_any_size_are_measured_and_a_folder_with_framed_ones_is_called_so(tmp_path):
    rows = []
    for number, (side, framing) in enumerate([(96, "as-is"), (64, "unframed"), (30, "framed")]):
        crop = np.asarray(Image.fromarray(striped("fear", number)).resize((side, side)))
        rows.append(
            write_crop(tmp_path, crop, row_of("fear", "test", f"{number}.png", "x", framing))
        )
    manifest.write(rows, tmp_path)
    record = evaluate(Standin(), tmp_path).record
    assert (record["pictures"], record["framing"], record["source"]) == (3, "framed", "x")


def test_a_class_called_as_a_column_of_the_table_has_a_column_of_its_own():
    labels = LabelSet(("predicted", "label", "open"))
    header = pictures_header(labels)
    assert header == ("path", "label", "predicted", "score_predicted", "score_label", "open")
    rows = [replace(row_of("fear", "test", "a.png"), label="open")]
    scores = np.array([[0.1, 0.2, 0.7]], dtype=np.float32)
    one = Evaluation(rows, scores, np.zeros(1, dtype=np.float32), {}, labels)
    assert [len(row) for row in one.picture_rows()] == [len(set(header))]
