"""The page of ``mien evaluate --report``, on drawn crops and the shipped model."""

import json
import pkgutil
import string
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from PIL import Image

from mien.evaluate import report as report_module
from mien.evaluate.accuracy import Evaluation, evaluate
from mien.evaluate.report import improvements, report, worst
from mien.labels import LABELS, LabelSet
from mien.recognize.model import SHIPPED
from mien.recognize.recognizer import Recognizer
from mien.show import fonts
from mien.words import letters
from tests.support.commands import mien
from tests.support.made_fonts import bar_font
from tests.support.own_classes import write_own
from tests.support.prepared_folder import SEVEN, write_crops


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_crops(tmp_path_factory.mktemp("given") / "made", test=6, labels=SEVEN)


@pytest.fixture(scope="module")
def reported(folder):
    out = folder.parent / "out"
    words = ("--out", out, "--report", "--against", "shipped")
    return out, mien("evaluate", "shipped", folder, *words)


def test_the_page_goes_the_way_of_the_papers_figure(reported):
    out, result = reported
    assert result.exit_code == 0, result.stderr
    page = (out / "made-test-report.html").read_text()
    steps = ("Data", "Model", "Predictions", "Explanation", "Inspection", "Improvement")
    places = [page.index(f". {step}</h2>") for step in steps]
    assert places == sorted(places)
    assert "keep it to yourself" in page
    assert page.count('alt="its heat map"') >= 12
    record = json.loads((out / "made-test.json").read_text())
    assert f"{record['accuracy']:.1%}" in page
    assert f"{record['macro_f1']:.1%}" in page
    assert "http" not in page  # nothing is fetched
    for name in ("data", "training", "confusion", "reliability", "explanations", "errors"):
        assert f'alt="made test report {name}"' in page
        with Image.open(out / f"made-test-report-{name}.png") as plot:
            assert len(np.unique(np.asarray(plot.convert("L")))) > 20


def test_a_model_does_not_differ_from_itself(reported):
    out, result = reported
    against = json.loads((out / "made-test.json").read_text())["against"]
    assert (against["only_this_right"], against["only_other_right"]) == (0, 0)
    assert against["mcnemar_p"] == 1.0
    assert "McNemar p = 1" in result.stdout


def test_the_surest_errors_come_first(folder):
    found = evaluate(Recognizer(threads=1), folder)
    chosen = worst(found, 5)
    called = found.scores.argmax(axis=1)
    assert len(chosen) == 5
    assert all(called[i] != found.targets[i] for i in chosen)
    sureness = [found.scores[i].max() for i in chosen]
    assert sureness == sorted(sureness, reverse=True)
    others = set(np.flatnonzero(called != found.targets)) - set(chosen)
    assert max(found.scores[i].max() for i in others) <= sureness[-1]


def test_the_surest_right_answer_of_each_class_is_explained(folder, reported):
    found = evaluate(Recognizer(threads=1), folder)
    right = found.scores.argmax(axis=1) == found.targets
    own = [np.flatnonzero(right & (found.targets == target)) for target in range(6)]
    assert max(map(len, own)) > 1  # else the surest would be the only one
    surest = [
        numbers[found.scores[numbers].max(axis=1).argmax()] for numbers in own if len(numbers)
    ]
    shown = section((reported[0] / "made-test-report.html").read_text(), "Explanation")
    paths = [found.rows[i].path for i in range(len(found.rows))]
    explained = {path for path in paths if path in shown.replace("<wbr>", "")}
    assert explained == {paths[i] for i in surest}


@pytest.mark.parametrize(("low", "high", "tells"), [(0.75, 0.89, True), (0.68, 0.92, False)])
def test_improvements_name_the_weakest_class_and_a_gap_that_is_no_chance(folder, low, high, tells):
    found = evaluate(Recognizer(threads=1), folder)
    scores = np.full((36, 6), 0.02, dtype=np.float32)
    scores[np.arange(36), found.targets] = 0.9
    afraid = found.targets == 5
    scores[afraid] = 0.02
    scores[afraid, 1] = 0.9  # fear is called surprise
    recall = dict.fromkeys(found.record["recall"], 1.0) | {"fear": 0.0}
    table = np.diag([6, 6, 6, 6, 6, 0])
    table[5, 1] = 6
    record = {**found.record, "recall": recall, "accuracy": 30 / 36, "confusion": table.tolist()}
    record["accuracy_95"] = [low, high]
    said = improvements(Evaluation(found.rows, scores, found.neutral, record))
    assert said[0] == "Weakest: fear, of which 0.0% are found; most often it is called surprise."
    assert said[1].startswith("The model is too sure by 6.7%") == tells  # 0.9 - 30 / 36
    assert not any("rarer" in line for line in said)  # as many as of every class
    kept = np.flatnonzero(~afraid | (np.cumsum(afraid) > 3))
    fewer = Evaluation([found.rows[i] for i in kept], scores[kept], found.neutral[kept], record)
    assert improvements(fewer)[1].startswith("fear is rarer than the mean class")


def test_a_report_needs_a_place(folder):
    assert mien("evaluate", "shipped", folder, "--report").exit_code == 2


def section(page, title):
    return page.partition(f". {title}</h2>")[2].partition("<h2")[0]


def test_the_shipped_model_is_explained_by_every_method_and_its_curves_are_there(reported):
    out, _ = reported
    page = (out / "made-test-report.html").read_text()
    assert 'alt="made test report training"' in section(page, "Model")
    assert "miennet-history.csv" in section(page, "Model")
    assert 'alt="made test report data"' in section(page, "Data")
    assert 'alt="made test report explanations"' in section(page, "Explanation")
    assert 'alt="made test report errors"' in section(page, "Inspection")
    assert "left out" not in page  # it ends in one linear layer, so CAM is defined


def test_the_history_in_the_package_is_the_one_in_results():
    shipped = SHIPPED.with_name("miennet-history.csv").read_bytes()
    assert shipped == (Path(__file__).parents[2] / "results" / "train-miennet.csv").read_bytes()


def test_captions_are_on_the_scale_of_all_figures_and_the_page_says_so(folder, tmp_path):
    recognizer = Recognizer(threads=1)
    found = evaluate(recognizer, folder)
    scores = np.full((36, 6), 0.02, dtype=np.float32)
    scores[np.arange(36), found.targets] = 0.9
    scores[found.targets == 5] = 0.02, 0.6, 0.02, 0.02, 0.04, 0.3  # fear is called surprise
    neutral = np.full(36, 0.5, dtype=np.float32)  # so that half of each score is left
    given = Evaluation(found.rows, scores, neutral, found.record)
    report(given, recognizer, SHIPPED, folder, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    right, wrong = section(page, "Explanation"), section(page, "Inspection")
    assert "labelled anger, called anger<br>anger 45%, neutral 50%<br>" in right
    said = "labelled fear, called surprise<br>surprise 30%, fear 15%, neutral 50%<br>"
    assert wrong.count(said) == 6
    for part in (right, wrong):
        assert "Percentages are of everything that a face may show, neutral too" in part


KANJI = "喜怒哀驚嫌恐"


@pytest.fixture
def bars(tmp_path, monkeypatch):
    """The only font of this system: it has the letters of the classes and all that is written."""
    used = sorted({*string.printable, *letters("en"), *"…·", *KANJI} - {*string.whitespace})
    path = bar_font(tmp_path / "bars.ttf", "".join(used), "Report")
    monkeypatch.setattr(fonts, "_fonts_here", lambda language: iter([fonts.Font(str(path))]))
    fonts.find_font.cache_clear()
    yield path
    fonts.find_font.cache_clear()


def test_classes_in_other_letters_are_drawn_in_a_font_that_has_them(tmp_path, monkeypatch, bars):
    recognizer = Recognizer(threads=1)
    recognizer.model.labels = LabelSet(tuple(KANJI))
    folder = write_own(tmp_path / "own", recognizer.labels, train=0, test=2)
    pages = noted(monkeypatch, "mien.evaluate.report.write_figure")
    figures = noted(monkeypatch, "matplotlib.figure.Figure.savefig")
    found = evaluate(recognizer, folder)
    # a letter that the font of a plot lacks is a warning, and warnings are errors here
    report(found, recognizer, SHIPPED, folder, tmp_path / "r.html")
    assert {page.writing.font.path for page in pages} == {str(bars)}
    named = [figure for figure in figures if KANJI[0] in ticks(figure)]
    assert len(named) == 2  # confusion and counts
    for figure in named:
        assert figure.axes[0].get_xticklabels()[0].get_fontname() == "Report"


def test_letters_that_no_font_has_are_refused_before_anything_is_measured(
    folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(fonts, "_fonts_here", lambda language: iter([]))
    monkeypatch.setattr(Recognizer, "labels", LabelSet(tuple("眠憂")))
    fonts.find_font.cache_clear()
    result = mien("evaluate", "shipped", folder, "--out", tmp_path / "out", "--report")
    fonts.find_font.cache_clear()
    assert (result.exit_code, "no font of this system has" in result.stderr) == (1, True)
    assert not (tmp_path / "out").exists()


def noted(monkeypatch, name):
    """The first argument of every call of a function."""
    given, function = [], pkgutil.resolve_name(name)

    def noting(first, *others, **named):
        given.append(first)
        return function(first, *others, **named)

    monkeypatch.setattr(name, noting)
    return given


def ticks(figure):
    return [label.get_text() for label in figure.axes[0].get_xticklabels()]


@pytest.mark.torch
def test_a_paper_networks_page_has_everything_but_cam_and_says_why(folder, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    export = pytest.importorskip("mien.train.export")
    from mien.models import zoo
    from tests.support.exported_runs import with_random_statistics, write_run
    from tests.support.tiny_network import settings_for

    monkeypatch.setattr(export, "_PROOF", 4)  # in a tenth of the time
    torch.manual_seed(0)
    learned = write_crops(tmp_path / "learned", train=4, labels=LABELS)
    settings = settings_for(learned, hold_out=0.4, model="cnn13", neutral=False)
    network = with_random_statistics(zoo.build("cnn13", 6, 0.5)).eval()
    run = write_run(tmp_path / "run", network, settings)
    export.export(run, run / "cnn13.onnx")
    lines = ["epoch,train_loss,held_loss,held_accuracy,rate,seconds", "1,1.5,1.4,0.3,0.1,9"]
    (run / "history.csv").write_text("\n".join([*lines, "2,1.2,1.3,0.5,0.1,9"]))
    result = mien("evaluate", run / "cnn13.onnx", folder, "--out", tmp_path / "out", "--report")
    assert result.exit_code == 0, result.stderr
    page = (tmp_path / "out" / "made-test-report.html").read_text()
    for title, plot in (
        ("Data", "data"),
        ("Model", "training"),
        ("Predictions", "confusion"),
        ("Predictions", "reliability"),
        ("Inspection", "errors"),
    ):
        assert f'alt="made test report {plot}"' in section(page, title)
    said = "cam is left out: CAM needs the mean of the features and one linear layer"
    assert said in section(page, "Inspection")
    assert "grad-cam is left out" not in page
    # it was trained without neutral, and nothing is said of how probable that is
    assert "neutral" not in section(page, "Inspection")


def test_curves_are_those_of_the_history_beside_the_file_or_the_page_says_there_are_none(
    folder, tmp_path
):
    model = tmp_path / "run" / "own.onnx"
    model.parent.mkdir()
    model.write_bytes(SHIPPED.read_bytes())
    words = ("evaluate", model, folder, "--out", tmp_path / "out", "--report")
    (model.parent / "history.csv").write_text("epoch,loss\n1,2\n")
    damaged = mien(*words)
    assert damaged.exit_code == 1
    assert "history.csv is no history of a run" in damaged.stderr
    (model.parent / "history.csv").unlink()
    assert mien(*words).exit_code == 0
    page = (tmp_path / "out" / "made-test-report.html").read_text()
    assert "No curves of training" in section(page, "Model")
    assert "<img" not in section(page, "Model")


def test_a_history_that_excel_has_saved_is_read(tmp_path):
    names = ("epoch", "train_loss", "held_loss", "held_accuracy")
    table = tmp_path / "history.csv"
    table.write_text(",".join(names) + "\r\n1,1.5,1.25,0.5\r\n", "utf-8-sig", newline="")
    assert report_module._history(table) == [dict(zip(names, (1, 1.5, 1.25, 0.5), strict=True))]
