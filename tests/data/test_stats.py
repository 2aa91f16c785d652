import csv
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mien.data import manifest, stats
from mien.data.label_file import write_labels
from mien.errors import BadDataError
from mien.labels import LABELS, PAPER, LabelSet
from tests.support.commands import mien
from tests.support.prepared_folder import row_of, write_crops


def folder_of(path, *groups, left_out=()):
    """A manifest of so many rows a (source, split, label), and a list of what was left out."""
    path.mkdir()
    rows = []
    for source, split, label, count in groups:
        row = replace(row_of(label, "train", "", source), split=split)
        rows += [replace(row, original=f"{i}.png") for i in range(count)]
    manifest.write(rows, path)
    lines = [f"x{i}.jpg,{split},copy of test,,0.99" for i, split in enumerate(left_out)]
    text = "\n".join(["original,split,reason,detail,similarity", *lines])
    (path / "excluded.csv").write_text(text + "\n", encoding="utf-8")
    return path


@pytest.fixture
def rafdb(tmp_path):
    return folder_of(
        tmp_path / "rafdb",
        ("rafdb", "test", "fear", 2),
        ("rafdb", "train", "happiness", 9),
        ("rafdb", "train", "anger", 3),
        ("rafdb", "train", "neutral", 5),
        left_out=["train", "train", "train", ""],
    )


def test_pictures_are_counted_by_database_split_and_class(rafdb):
    train, test = stats.count([rafdb])
    assert (train.folder, train.source, train.split) == (str(rafdb), "rafdb", "train")
    assert train.labels == Counter(happiness=9, anger=3, neutral=5)
    assert (train.six, train.left_out) == (12, 3)
    assert (test.split, test.six, test.left_out) == ("test", 2, 0)


def test_rows_are_in_the_order_of_the_classes(rafdb):
    train, test = stats.rows(stats.count([rafdb]))
    assert stats.header(PAPER)[3:9] == LABELS
    assert train == (str(rafdb), "rafdb", "train", 9, 0, 0, 3, 0, 0, 12, 5, 3)
    assert test == (str(rafdb), "rafdb", "test", 0, 0, 0, 0, 0, 2, 2, 0, 0)


def test_folders_keep_their_order_and_each_database_of_one_has_its_lines(tmp_path):
    first = folder_of(tmp_path / "b", ("y", "test", "fear", 1), ("x", "train", "fear", 2))
    second = folder_of(tmp_path / "a", ("x", "train", "fear", 4))
    found = [(c.folder[-1], c.source, c.split, c.six) for c in stats.count([first, second])]
    assert found == [("b", "x", "train", 2), ("b", "y", "test", 1), ("a", "x", "train", 4)]
    assert [c.left_out for c in stats.count([first, second])] == [None, None, 0]


def test_without_the_list_of_exclusions_their_number_is_unknown(rafdb):
    (rafdb / "excluded.csv").unlink()
    assert stats.rows(stats.count([rafdb]))[0][-1] == ""


def test_neutral_pictures_that_were_left_out_are_not_counted_among_the_six(rafdb):
    lines = ["a.jpg,train,neutral,copy of test,,0.99", "b.jpg,train,fear,copy of test,,0.99"]
    text = "\n".join(["original,split,label,reason,detail,similarity", *lines])
    (rafdb / "excluded.csv").write_text(text + "\n", encoding="utf-8")
    train, test = stats.count([rafdb])
    assert (train.left_out, test.left_out) == (1, 0)
    assert stats.beside_paper([train, test])[0][3:6] == (12, 1, 13)


def test_a_name_that_is_no_utf_8_does_not_hide_what_was_left_out(rafdb):
    lines = [
        "original,split,label,reason,detail,similarity",
        "caf\udce9.jpg,train,fear,unreadable,,",
    ]
    text = "\n".join(lines) + "\n"
    (rafdb / "excluded.csv").write_bytes(text.encode(errors="surrogateescape"))
    assert [c.left_out for c in stats.count([rafdb])] == [1, 0]


def test_beside_the_paper_what_was_left_out_is_added(rafdb):
    train, test, valid = stats.beside_paper(stats.count([rafdb]))
    assert train == (str(rafdb), "RAF-DB", "train", 12, 3, 15, 9747, 15 - 9747)
    assert test == (str(rafdb), "RAF-DB", "test", 2, 0, 2, 2388, 2 - 2388)
    assert valid == (str(rafdb), "RAF-DB", "valid", "", "", "", 600, "")


def test_our_validation_pictures_come_from_train_and_are_compared_there():
    train, test, valid = stats.beside_paper([
        stats.Count("f", "fer2013", "train", Counter(fear=7), 1),
        stats.Count("f", "fer2013", "valid", Counter(fear=2), 1),
    ])
    assert train[3:] == (9, 2, 11, 23743, 11 - 23743)
    assert test[3:] == ("", "", "", 5945, "")
    assert valid[3:] == ("", "", "", 600, "")


def test_neutral_pictures_and_other_databases_are_not_compared(tmp_path):
    neutral = folder_of(tmp_path / "n", ("fer2013", "train", "neutral", 4))
    other = folder_of(tmp_path / "o", ("folder", "train", "fear", 4))
    counts = stats.count([neutral, other])
    assert stats.beside_paper(counts) == []
    assert stats.notes(counts) == []


def test_a_database_of_the_paper_with_other_classes_is_not_compared(tmp_path):
    folder = folder_of(
        tmp_path / "r", ("rafdb", "train", "fear", 4), ("rafdb", "train", "anger", 1)
    )
    write_labels(folder, LabelSet(("fear", "anger")))
    [count] = stats.count([folder])
    assert count.six == 5
    assert (stats.beside_paper([count]), stats.notes([count])) == ([], [])


def test_a_list_of_exclusions_that_excel_has_saved_is_counted(rafdb):
    text = "split,original\r\ntrain,a.jpg\r\ntest,b.jpg\r\n"
    (rafdb / "excluded.csv").write_text(text, encoding="utf-8-sig", newline="")
    assert [count.left_out for count in stats.count([rafdb])] == [1, 1]


def test_the_papers_numbers_are_those_it_printed(rafdb, tmp_path):
    fer = folder_of(tmp_path / "f", ("fer2013", "train", "fear", 1))
    told = [row[6] for row in stats.beside_paper(stats.count([rafdb, fer]))]
    assert told == [9747, 2388, 600, 23743, 5945, 600]
    notes = stats.notes(stats.count([rafdb, fer]))
    assert [note.split(":")[0] for note in notes[:2]] == ["RAF-DB", "FER2013"]
    assert len(notes) == 3
    assert 3995 + 436 + 4097 + 7215 + 4830 + 3171 == 23744  # the note's sum


def test_what_the_paper_leaves_open_is_filled_by_ours_and_not_compared(tmp_path):
    studio = folder_of(
        tmp_path / "c", ("ckplus", "train", "fear", 3), ("ckplus", "train", "neutral", 2)
    )
    train, valid = stats.beside_paper(stats.count([studio]))
    assert train[1:] == ("CK+", "train", 3, 0, 3, "", "")
    assert valid[1:] == ("CK+", "valid", "", "", "", 600, "")
    divided = folder_of(tmp_path / "t", ("tfeid", "train", "fear", 3), ("tfeid", "test", "fear", 1))
    rows = stats.beside_paper(stats.count([divided]))
    assert [(row[2], row[5], row[6]) for row in rows] == [
        ("train", 3, ""),
        ("test", 1, ""),  # the paper has none
        ("valid", "", 600),
    ]


@pytest.mark.data
def test_the_downloads_hold_what_the_notes_say(data_dir):
    import zipfile

    for name, train, test in (("rafdb", 9747, 2388), ("fer2013", 23742, 5945)):
        with zipfile.ZipFile(data_dir / f"{name}.zip") as archive:
            files = [n for n in archive.namelist() if n.endswith(".jpg")]
        parts = Counter(part for n in files for part in n.split("/")[:2])
        assert (parts["train"], parts["test"]) == (train, test)


def test_a_folder_that_was_not_prepared_and_an_empty_one_are_named(tmp_path):
    with pytest.raises(BadDataError, match=r"no manifest.csv in .*gone"):
        stats.count([tmp_path / "gone"])
    manifest.write([], tmp_path)
    with pytest.raises(BadDataError, match="no picture in"):
        stats.count([tmp_path])


def test_the_command_prints_both_tables_and_the_explanation(rafdb):
    result = mien("stats", rafdb)
    assert (result.exit_code, result.stderr) == (0, "")
    header, train, test, *_ = result.stdout.splitlines()
    assert header.split()[:4] == ["folder", "database", "split", "happiness"]
    assert train.split()[1:] == ["rafdb", "train", *map(str, (9, 0, 0, 3, 0, 0, 12, 5, 3))]
    assert test.split()[2:] == ["test", *map(str, (0, 0, 0, 0, 0, 2, 2, 0, 0))]
    assert "train    12         3        15  9,747  -9,732" in result.stdout
    assert "The paper's 600 validation pictures" in result.stdout


def test_the_command_writes_csv_markdown_and_plot(tmp_path, rafdb):
    pytest.importorskip("matplotlib")
    names = [tmp_path / "out" / name for name in ("t.csv", "t.md", "t.png")]
    result = mien("stats", rafdb, "--csv", names[0], "--markdown", names[1], "--plot", names[2])
    assert result.exit_code == 0
    assert result.stderr == "".join(f"wrote {name}\n" for name in names)
    with names[0].open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [(row["split"], row["six"], row["anger"]) for row in table] == [
        ("train", "12", "3"),
        ("test", "2", "0"),
    ]
    lines = names[1].read_text(encoding="utf-8").splitlines()
    assert lines[2].endswith("| rafdb | train | 9 | 0 | 0 | 3 | 0 | 0 | 12 | 5 | 3 |")
    assert f"| {rafdb} | RAF-DB | train | 12 | 3 | 15 | 9,747 | -9,732 |" in lines
    with Image.open(names[2]) as image:
        assert min(image.size) > 300


def test_a_plot_without_matplotlib_names_the_extra(rafdb, tmp_path, monkeypatch):
    monkeypatch.setattr("mien.cli._shared.find_spec", lambda _: None)
    result = mien("stats", rafdb, "--plot", tmp_path / "t.png")
    assert result.exit_code == 1
    assert 'pip install "mien[plot]"' in result.stderr
    assert mien("stats", rafdb).exit_code == 0


def test_the_command_needs_a_folder():
    assert mien("stats").exit_code == 2


def test_stats_of_a_folder_as_prepared(tmp_path):
    found = stats.count([write_crops(tmp_path, train=3, test=1)])
    assert [(c.split, c.six, c.labels["neutral"]) for c in found] == [
        ("train", 18, 3),
        ("test", 6, 1),
    ]


def test_the_bars_are_as_high_as_the_counts(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    from mien.show import plots

    kept = []
    monkeypatch.setattr(Figure, "savefig", lambda self, file, **_: kept.append(self))
    one = {"happiness": 9, "fear": 2}
    plots.class_bars(
        [("a", "train", one), ("a", "test", {"fear": 1}), ("b", "train", {"neutral": 4})],
        tmp_path / "x.png",
    )
    first, second = kept[0].axes
    assert [[bar.get_height() for bar in bars] for bars in first.containers] == [
        [9, 0, 0, 0, 0, 2, 0],
        [0, 0, 0, 0, 0, 1, 0],
    ]
    assert [bar.get_height() for bar in second.containers[0]] == [0, 0, 0, 0, 0, 0, 4]
    assert [text.get_text() for text in first.get_legend().get_texts()] == ["train 11", "test 1"]
    assert [tick.get_text() for tick in first.get_xticklabels()] == [*LABELS, "neutral"]
    middles = [np.mean([bars[i].get_center()[0] for bars in first.containers]) for i in range(7)]
    np.testing.assert_allclose(middles, range(7), atol=1e-9)
