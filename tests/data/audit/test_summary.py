import csv
import json
import re
from html import unescape
from urllib.parse import unquote

import numpy as np
import pytest

from mien.data import manifest
from mien.data.audit.findings import audit
from mien.errors import BadDataError
from tests.support.commands import mien
from tests.support.faulty_folder import add, changed
from tests.support.pictures import texture
from tests.support.prepared_folder import write_crops


def test_copies_in_another_database_are_found_and_counted_where_they_are(tmp_path):
    one, two = texture(1), texture(2)
    a = add(
        tmp_path / "a", (one, "fear", "train", "1.png", "aaa"), (two, "fear", "test", "2", "aaa")
    )
    b = add(tmp_path / "b", (changed(one), "anger", "test", "x.png", "bbb"))
    result = mien("audit", a, b, "--json", tmp_path / "counts.json")
    assert result.exit_code == 0
    record = json.loads((tmp_path / "counts.json").read_text())
    assert record["origins"] == [
        {"of": "aaa", "pictures": 2, "copy in": "bbb", "its split": "test", "found": 1,
         "same label": 0},
        {"of": "aaa", "pictures": 2, "copy in": "nowhere else", "its split": "", "found": 1,
         "same label": ""},
        {"of": "bbb", "pictures": 1, "copy in": "aaa", "its split": "train", "found": 1,
         "same label": 0},
        {"of": "bbb", "pictures": 1, "copy in": "nowhere else", "its split": "", "found": 0,
         "same label": ""},
    ]  # fmt: skip
    [line] = record["findings"]
    assert line == {
        "kind": "near-copy", "splits": "train / test", "databases": "aaa / bbb", "pairs": 1,
        "pictures": 1, "mirrored": 0, "other label": 1,
    }  # fmt: skip
    assert record["leaking_pictures"] == {"aaa train": 1}
    assert record["contradicting_pairs"] == 1
    assert re.search(r"near-copy +train / test +aaa / bbb +1 +1 +0 +1", result.stdout)


def test_pairs_of_two_databases_in_one_split_are_counted_together_whichever_comes_first(tmp_path):
    one, two = texture(1), texture(2)
    rows = [
        (one, "fear", "train", "1", "aaa"),
        (changed(one), "fear", "train", "2", "bbb"),
        (two, "fear", "train", "3", "bbb"),
        (changed(two), "fear", "train", "4", "aaa"),
    ]
    result = mien("audit", add(tmp_path / "data", *rows))
    assert re.findall(r"near-copy +train +(\S+ / \S+) +(\d+) ", result.stdout) == [
        ("aaa / bbb", "2")
    ]


def test_a_picture_that_leaks_twice_counts_once_and_one_class_alone_is_not_weighed(tmp_path):
    one = texture(1)
    names = {"train": [one], "test": [one, changed(one)]}
    rows = [(p, "fear", split, f"{n}.png") for split in names for n, p in enumerate(names[split])]
    result = mien("audit", add(tmp_path / "data", *rows), "--json", tmp_path / "x.json")
    record = json.loads((tmp_path / "x.json").read_text())
    assert record["leaking_pictures"] == {"made train": 1}
    assert sum(line["pairs"] for line in record["findings"]) == 3
    assert "made test: 2 pictures: fear 100.0%\n" in f"{result.stdout}\n"


def test_each_column_of_the_table_of_pairs_counts_what_it_says(tmp_path):
    one, two = texture(1), texture(2)
    near = changed(one)
    rows = [
        (one, "fear", "train", "1.png"),
        (near, "fear", "test", "2.png"),
        ((near * 0.9).astype(np.uint8), "fear", "test", "3.png"),
        (two, "fear", "train", "4.png"),
        (changed(two), "anger", "train", "5.png"),
    ]
    mien("audit", add(tmp_path / "data", *rows), "--json", tmp_path / "x.json")
    record = json.loads((tmp_path / "x.json").read_text())
    found = record["findings"]
    assert (record["contradicting_pairs"], record["leaking_pictures"]) == (1, {"made train": 1})
    columns = ("splits", "pairs", "pictures", "other label")
    assert [tuple(line[name] for name in columns) for line in found] == [
        ("test", 1, 1, 0),
        ("train", 1, 1, 1),
        ("train / test", 2, 1, 0),
    ]


def test_a_copy_in_another_database_may_have_the_same_label_there(tmp_path):
    one = texture(1)
    a = add(tmp_path / "a", (one, "fear", "train", "1.png", "aaa"))
    b = add(tmp_path / "b", (one, "fear", "test", "x.png", "bbb"))
    mien("audit", a, b, "--json", tmp_path / "x.json")
    origins = json.loads((tmp_path / "x.json").read_text())["origins"]
    assert [(line["of"], line["same label"]) for line in origins if line["found"]] == [
        ("aaa", 1), ("bbb", 1),
    ]  # fmt: skip


def test_of_copies_in_several_databases_the_most_similar_is_where_it_comes_from(tmp_path):
    one = texture(1)
    rows = [
        (one, "fear", "train", "1", "aaa"),
        (one, "fear", "train", "1", "bbb"),
        (changed(one), "fear", "train", "1", "ccc"),
    ]
    folders = [add(tmp_path / row[-1], row) for row in rows]
    mien("audit", *folders, "--json", tmp_path / "x.json")
    origins = json.loads((tmp_path / "x.json").read_text())["origins"]
    assert [line["copy in"] for line in origins if line["of"] == "aaa"] == ["bbb", "nowhere else"]


def test_the_csv_has_a_line_for_every_finding(dirty, tmp_path):
    out = tmp_path / "new" / "findings.csv"
    assert mien("audit", dirty, "--out", out, "--fix").exit_code == 0
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == [
        *["exact copy"] * 3, *["near-copy"] * 3, "blank", "blank",
    ]  # fmt: skip
    [leak] = [row for row in rows if row["path"].endswith("/made-as-is-leak.png")]
    assert leak == {
        "kind": "exact copy",
        "path": f"{dirty.as_posix()}/train/5_fear/made-as-is-leak.png",
        "label": "fear",
        "split": "train",
        "source": "made",
        "other_path": f"{dirty.as_posix()}/test/5_fear/made-as-is-t1.png",
        "other_label": "fear",
        "other_split": "test",
        "other_source": "made",
        "similarity": "1.000",
        "mirrored": "",
        "contradiction": "",
        "leak": "yes",
        "detail": "",
        "dropped": "copy of a test picture",
    }
    [near] = [row for row in rows if "near-leak.png" in row["path"] and row["leak"]]
    assert (near["mirrored"], near["contradiction"], near["leak"]) == ("yes", "yes", "yes")
    [both] = [row for row in rows if row["path"].endswith("angry.png")]
    why = "same picture with another label"
    assert both["dropped"] == f"{why}; the other: {why}"
    [stays] = [row for row in rows if row["path"].endswith("b.png")]
    assert (stays["leak"], stays["dropped"]) == ("", "")


def test_the_page_shows_every_pair_with_links_that_lead_to_the_pictures(dirty, tmp_path):
    page = tmp_path / "pages" / "audit.html"
    assert mien("audit", dirty, "--html", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    links = re.findall(r'<img [^>]*src="([^"]+)"', text)
    shown = [(page.parent / unquote(unescape(link))).resolve() for link in links]
    assert all(path.is_file() for path in shown)
    found = audit([dirty])
    assert shown == [entry.path.resolve() for f in found.findings for entry in found.both(f)]
    assert "Do not publish or commit" in text
    assert text.count('<figure class="differs">') == 4
    assert text.count("; they have different labels<br>") == 4  # said in words, too
    assert "similarity 1.000<br>" in text


def test_names_are_no_markup_on_the_page(tmp_path):
    name = '<b>&"x" #1?.png'
    folder = add(tmp_path / "d & e", (np.zeros((64, 64, 3), np.uint8), "fear", "train", name))
    mien("audit", folder, "--html", tmp_path / "p.html")
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "<b>" not in text
    [link] = re.findall(r'src="([^"]+)"', text)
    assert (tmp_path / unquote(link)).is_file()


def test_the_record_names_no_picture(dirty, tmp_path):
    mien("audit", dirty, "--json", tmp_path / "counts.json")
    text = (tmp_path / "counts.json").read_text()
    assert ".png" not in text
    record = json.loads(text)
    assert record["leaking_pictures"] == {"made train": 2}
    assert record["dropped"] == {}
    mien("audit", dirty, "--fix", "--json", tmp_path / "counts.json")
    assert json.loads((tmp_path / "counts.json").read_text())["dropped"] == {
        "copy of a test picture": 2, "same picture with another label": 2, "blank": 2,
    }  # fmt: skip
    assert {line["kind"]: line["pairs"] for line in record["findings"]}["blank"] == 1


def test_the_balance_of_the_classes_is_told(tmp_path):
    folder = write_crops(tmp_path / "a", train=3, labels=("happiness", "fear"))
    add(folder, (texture(1), "happiness", "train", "x.png"))
    add(folder, (texture(2), "happiness", "train", "y.png"), (texture(3), "fear", "train", "z.png"))
    assert "made train: 9 pictures: happiness 55.6%, fear 44.4%" in mien("audit", folder).stdout
    add(folder, *((texture(10 + n), "happiness", "train", f"{n}.png") for n in range(7)))
    assert "25.0% (largest 3 times the smallest)" in mien("audit", folder).stdout


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: None, "no manifest.csv in"),
        (lambda folder: folder.mkdir(), "no manifest.csv in"),
        (lambda folder: folder.write_text("x"), "no manifest.csv in"),
        (lambda folder: (folder.mkdir(), (folder / "manifest.csv").write_text("a,b\n1,2\n")),
         "expected the columns path,label"),
        (lambda folder: (folder.mkdir(), manifest.write([], folder)), "no picture in"),
    ],
    ids=["missing", "empty", "a file", "another table", "no rows"],
)  # fmt: skip
def test_a_folder_that_was_not_prepared_is_refused_with_the_next_step(tmp_path, make, says):
    make(tmp_path / "data")
    result = mien("audit", tmp_path / "data")
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr
    assert "try: " in result.stderr
    with pytest.raises(BadDataError):
        audit([tmp_path / "data"])


def test_without_a_folder_the_usage_is_shown():
    assert mien("audit").exit_code == 2


@pytest.mark.parametrize("option", ["--out", "--html", "--json"])
def test_a_result_that_cannot_be_written_is_named_and_the_data_stay(dirty, option):
    before = (dirty / "manifest.csv").read_bytes()
    result = mien("audit", dirty, "--fix", option, dirty / "manifest.csv" / "x")
    assert result.exit_code == 1
    assert "cannot write" in result.stderr
    assert (dirty / "manifest.csv").read_bytes() == before
    assert not list(dirty.glob("*audit*"))


@pytest.mark.parametrize("option", ["--out", "--html", "--json"])
def test_manifest_and_pictures_are_not_written_over(dirty, option, tmp_path):
    picture = dirty / manifest.read(dirty)[0].path
    wanted = {"--out": ".csv", "--html": ".html", "--json": ".json"}[option]
    link = tmp_path / f"link{wanted}"
    link.symlink_to(picture)
    for target in (dirty / "manifest.csv", picture, link):
        before = target.read_bytes()
        result = mien("audit", dirty, option, target)
        assert result.exit_code == 2
        why = "is part of the data" if target.suffix == wanted else f"ends in {target.suffix}, and"
        assert why in result.stderr
        assert target.read_bytes() == before


def test_two_outputs_of_one_name_are_wrong_usage(dirty, tmp_path):
    result = mien("audit", dirty, "--out", tmp_path / "x", "--html", tmp_path / "x")
    assert result.exit_code == 2
