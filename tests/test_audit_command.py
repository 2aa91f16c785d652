import csv
import json
import os
import re
from html import unescape
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from commands import mien
from crops import row_of, striped, write_crop, write_crops
from made import encode, texture, zip_of

from mien.data import manifest
from mien.data.audit import audit
from mien.data.clean import clean, to_drop
from mien.data.manifest import Row
from mien.data.prepare import Settings, prepare
from mien.errors import BadDataError, OutputError


def add(folder, *pictures):
    """Add (picture, label, split, name, changes of the row) to a prepared folder."""
    rows = manifest.read(folder) if (folder / manifest.NAME).exists() else []
    for picture, label, split, name, *changes in pictures:
        source, subject, framing = (*changes, *("made", "", "as-is")[len(changes) :])
        row = row_of(label, split, name, source, framing)
        row = Row(row.path, label, source, split, subject, "", name, framing)
        rows.append(write_crop(folder, picture, row))
    folder.mkdir(exist_ok=True)
    manifest.write(rows, folder)
    return folder


def changed(picture):
    """The same picture, a little smaller, brighter and turned into a JPEG."""
    cut = cv2.resize(picture[2:-2, 1:-3], (64, 64))
    data = np.frombuffer(encode((cut * 0.8 + 30).astype(np.uint8), quality=60), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].copy()


def pairs_of(found):
    """Kind and names of each finding, the names in order."""
    return {
        (f.kind, *sorted(entry.row.original for entry in found.both(f))) for f in found.findings
    }


@pytest.fixture
def clean_folder(tmp_path):
    """Forty-two pictures of seven classes in train and fourteen in test, all different."""
    return write_crops(tmp_path / "data", train=6, test=2)


@pytest.fixture
def dirty(clean_folder):
    """The same with one of every fault."""
    one, two, three, four = (texture(seed) for seed in (900, 901, 902, 903))
    return add(
        clean_folder,
        (one, "fear", "test", "t1.png"),
        (one, "fear", "train", "leak.png"),
        (changed(one[:, ::-1]), "anger", "train", "near-leak.png"),
        (two, "sadness", "train", "sad.png"),
        (two, "anger", "train", "angry.png"),
        (three, "sadness", "train", "a.png"),
        (changed(three), "anger", "train", "b.png"),
        (four, "disgust", "train", "c.png"),
        (four, "disgust", "train", "d.png"),
        (np.full((64, 64, 3), 7, np.uint8), "fear", "train", "blank.png"),
        (np.full((64, 64, 3), 7, np.uint8), "anger", "test", "blank-too.png"),
    )


def test_in_a_clean_folder_nothing_is_found(clean_folder):
    found = audit([clean_folder])
    assert (found.findings, found.giveaways, found.shared_subjects) == ([], [], {})
    assert len(found.entries) == 56


def test_every_planted_fault_is_found_and_nothing_else(dirty):
    found = audit([dirty])
    assert pairs_of(found) == {
        ("exact copy", "leak.png", "t1.png"),
        ("near-copy", "near-leak.png", "t1.png"),
        ("near-copy", "leak.png", "near-leak.png"),
        ("exact copy", "angry.png", "sad.png"),
        ("near-copy", "a.png", "b.png"),
        ("exact copy", "c.png", "d.png"),
        ("blank", "blank.png"),
        ("blank", "blank-too.png"),
    }


def test_a_pair_is_told_from_the_side_that_learns(dirty):
    found = audit([dirty])
    leaks = [found.both(f) for f in found.findings if found.is_leak(f)]
    assert [(a.row.split, b.row.split) for a, b in leaks] == [("train", "test")] * 2


def test_contradictions_and_mirrored_copies_are_marked(dirty):
    found = audit([dirty])
    told = {
        tuple(e.row.original for e in found.both(f)): (
            found.is_contradiction(f),
            f.mirrored,
            f.similarity,
        )
        for f in found.findings
        if f.that is not None
    }
    assert told["leak.png", "t1.png"] == (False, False, 1.0)
    assert told["near-leak.png", "t1.png"][:2] == (True, True)
    assert told["angry.png", "sad.png"] == (True, False, 1.0)
    assert told["d.png", "c.png"] == (False, False, 1.0)
    assert told["b.png", "a.png"][:2] == (True, False)
    assert 0.85 <= told["b.png", "a.png"][2] < 1


def test_of_many_equal_pictures_each_is_named_with_the_most_telling_partner(tmp_path):
    one = texture(1)
    told = [("happiness", "train"), ("happiness", "train"), ("fear", "train"), ("fear", "valid")]
    rows = [(one, label, split, f"{i}.png") for i, (label, split) in enumerate(told)]
    found = audit([add(tmp_path / "data", *rows)])
    # each of train with the held-out one, and the held-out one with one of another label
    assert pairs_of(found) == {("exact copy", f"{i}.png", "3.png") for i in range(3)}


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
    assert record["leaking_pictures"] == record["contradicting_pairs"] == 1
    assert re.search(r"near-copy +train / test +aaa / bbb +1 +1 +0 +1", result.stdout)


def test_two_framings_of_one_picture_are_one_picture(tmp_path):
    crops = [texture(seed) for seed in range(5)]
    plain = add(tmp_path / "x", *((c, "fear", "train", f"{i}.png") for i, c in enumerate(crops)))
    framed = add(
        tmp_path / "x-framed",
        *((changed(c), "fear", "train", f"{i}.png", "made", "", "framed")
          for i, c in enumerate(crops)),
    )  # fmt: skip
    found = audit([framed, plain, plain])
    assert found.findings == []
    assert len(found.entries) == 5
    assert {entry.folder for entry in found.entries} == {plain}  # they show more than a frame does


def test_pictures_of_one_name_in_two_folders_of_ones_own_are_two_pictures(tmp_path):
    one = texture(1)
    folders = [
        add(tmp_path / name, (picture, "fear", "train", "1.png", "folder"))
        for name, picture in (("a", one), ("b", changed(one)), ("c", texture(2)))
    ]
    found = audit(folders)
    assert len(found.entries) == 3
    assert [f.kind for f in found.findings] == ["near-copy"]


def test_pictures_of_one_person_are_no_copies_unless_nearly_identical(tmp_path):
    face = texture(1)
    later = (face * 0.75 + texture(2) * 0.25).astype(np.uint8)
    other = texture(3)
    rows = [
        (face, "fear", "train", "1.png", "ck", "S1"),
        (later, "anger", "test", "2.png", "ck", "S1"),
        (other, "fear", "train", "3.png", "ck", "S2"),
        (np.clip(other.astype(int) + 1, 0, 255).astype(np.uint8), "fear", "test", "4", "ck", "S2"),
    ]
    found = audit([add(tmp_path / "data", *rows)])
    assert pairs_of(found) == {("same subject", "1.png", "2.png"), ("near-copy", "3.png", "4")}
    assert [found.is_leak(f) for f in found.findings] == [True, False]
    assert not any(found.is_contradiction(f) for f in found.findings)
    assert found.shared_subjects == {"ck": 2}


def test_two_people_of_one_studio_are_no_copies_and_those_of_two_databases_are(tmp_path):
    face = texture(1)
    alike = (face * 0.75 + texture(2) * 0.25).astype(np.uint8)
    rows = [
        (face, "fear", "train", "1.png", "ck", "S1"),
        (alike, "anger", "test", "2.png", "ck", "S2"),
        (alike, "anger", "test", "3.png", "other", "S2"),
    ]
    assert pairs_of(audit([add(tmp_path / "data", *rows)])) == {
        ("exact copy", "2.png", "3.png"),
        ("near-copy", "1.png", "3.png"),
    }


@pytest.mark.parametrize(
    ("picture", "blank"),
    [
        (np.zeros((64, 64, 3), np.uint8), True),
        (np.random.default_rng(0).integers(120, 125, (64, 64, 3), dtype=np.uint8), True),
        (np.pad(texture(1, 8), ((28, 28), (28, 28), (0, 0))), True),  # a speck on black
        ((texture(1) * 0.1 + 100).astype(np.uint8), False),  # faint
        ((texture(1) * 0.2).astype(np.uint8), False),  # dark
    ],
    ids=["black", "noise", "speck", "faint", "dark"],
)
def test_a_blank_picture_is_told_from_a_faint_one(tmp_path, picture, blank):
    found = audit([add(tmp_path / "data", (picture, "fear", "train", "1.png"))])
    assert [f.kind for f in found.findings] == ["blank"] * blank


def test_a_missing_and_a_damaged_picture_are_named(clean_folder):
    rows = manifest.read(clean_folder)
    (clean_folder / rows[0].path).unlink()
    (clean_folder / rows[1].path).write_bytes(b"no picture")
    found = audit([clean_folder])
    assert [(f.kind, f.this) for f in found.findings] == [("unreadable", 0), ("unreadable", 1)]
    assert rows[0].path in found.findings[0].detail
    assert len(clean(found, to_drop(found))) == 1
    assert manifest.read(clean_folder) == rows[2:]


def test_fix_takes_out_leaks_contradictions_and_blanks_and_keeps_the_old_manifest(dirty):
    before = (dirty / "manifest.csv").read_bytes()
    pictures = set(dirty.rglob("*.png"))
    result = mien("audit", dirty, "--fix")
    assert result.exit_code == 0
    names = {row.original for row in manifest.read(dirty)}
    gone = {"leak.png", "near-leak.png", "sad.png", "angry.png", "blank.png", "blank-too.png"}
    assert not names & gone
    assert {"t1.png", "a.png", "b.png", "c.png", "d.png"} <= names
    assert len(names) == 56 + 5
    assert (dirty / "manifest-before-audit.csv").read_bytes() == before
    assert set(dirty.rglob("*.png")) == pictures
    assert "kept 61 rows, dropped 6" in result.stdout
    assert re.search(r"2  train  copy of a test picture", result.stdout)
    assert re.search(r"2  train  same picture with another label", result.stdout)
    assert re.search(r"1  test   blank", result.stdout)
    with (dirty / "dropped-by-audit.csv").open(newline="") as file:
        assert {(row["label"], row["split"], row["reason"]) for row in csv.DictReader(file)} == {
            ("fear", "train", "copy of a test picture"),
            ("anger", "train", "copy of a test picture"),
            ("sadness", "train", "same picture with another label"),
            ("anger", "train", "same picture with another label"),
            ("fear", "train", "blank"),
            ("anger", "test", "blank"),
        }


def test_after_a_fix_nothing_is_left_to_drop_and_nothing_is_written(dirty):
    mien("audit", dirty, "--fix")
    files = {path: path.stat().st_mtime_ns for path in dirty.rglob("*")}
    found = audit([dirty])
    assert not any(found.is_leak(f) for f in found.findings)
    assert pairs_of(found) == {("exact copy", "c.png", "d.png"), ("near-copy", "a.png", "b.png")}
    result = mien("audit", dirty, "--fix")
    assert "dropped 0" in result.stdout
    assert {path: path.stat().st_mtime_ns for path in dirty.rglob("*")} == files


def test_a_second_fix_keeps_the_first_manifest_too(dirty):
    mien("audit", dirty, "--fix")
    first = (dirty / "manifest-before-audit.csv").read_bytes()
    second = (dirty / "manifest.csv").read_bytes()
    add(dirty, (np.zeros((64, 64, 3), np.uint8), "fear", "train", "new.png"))
    grown = (dirty / "manifest.csv").read_bytes()
    mien("audit", dirty, "--fix")
    assert (dirty / "manifest-before-audit.csv").read_bytes() == first
    assert (dirty / "manifest-before-audit-2.csv").read_bytes() == grown
    assert (dirty / "manifest.csv").read_bytes() == second


def test_without_fix_the_folder_stays_as_it_is(dirty):
    files = {path: path.stat().st_mtime_ns for path in dirty.rglob("*")}
    assert mien("audit", dirty).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in dirty.rglob("*")} == files


def test_every_framing_of_a_picture_leaves_with_it(tmp_path):
    one = texture(1)
    plain = add(tmp_path / "x", (one, "fear", "train", "1"), (one, "fear", "test", "2"))
    framed = add(
        tmp_path / "x-framed",
        (texture(5), "fear", "train", "1", "made", "", "framed"),
        (texture(6), "fear", "test", "2", "made", "", "framed"),
    )
    found = audit([framed, plain])
    reports = clean(found, to_drop(found))
    assert [(r.folder, r.kept, r.dropped.total()) for r in reports] == [
        (plain, 1, 1),
        (framed, 1, 1),
    ]
    for folder in (plain, framed):
        assert [row.original for row in manifest.read(folder)] == ["2"]


def test_a_validation_picture_that_is_in_test_leaves_and_train_yields_to_both(tmp_path):
    one = texture(1)
    folder = add(
        tmp_path / "x", *((one, "fear", split, split) for split in ("train", "valid", "test"))
    )
    found = audit([folder])
    assert to_drop(found) == {0: "copy of a test picture", 1: "copy of a test picture"}


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
    assert record["leaking_pictures"] == 2
    assert record["dropped"] == {}
    assert {line["kind"]: line["pairs"] for line in record["findings"]}["blank"] == 1


def test_a_name_that_tells_the_label_is_told(tmp_path):
    rows = []
    for number in range(100):
        label = ("happiness", "fear")[number % 2]
        name = ("web_" if number % 2 == 0 or number < 10 else "lab_") + f"{number}.png"
        rows.append((striped(label, number), label, "train", name))
    folder = add(tmp_path / "data", *rows)
    [giveaway] = audit([folder]).giveaways
    assert (giveaway.source, giveaway.sign) == ("made", "name")
    assert giveaway.counts == {"web_": {"happiness": 50, "fear": 5}, "lab_": {"fear": 45}}
    assert (giveaway.guess, giveaway.blind) == (0.95, 0.5)
    # H(label) = 1 bit; H(label | name) = 0.55 * H(50 / 55) = 0.242; less 1 / (2 ln 2 * 100)
    assert giveaway.information == pytest.approx(1 - 0.55 * 0.4395 - 0.0072, abs=1e-3)
    result = mien("audit", folder, "--out", tmp_path / "x.csv")
    assert "made: the name gives the label away" in result.stdout
    with (tmp_path / "x.csv").open(newline="") as file:
        told = [(row["kind"], row["label"], row["detail"][:24]) for row in csv.DictReader(file)]
    assert told == [
        ("give-away", "happiness", "name web_: 55 pictures: "),
        ("give-away", "fear", "name lab_: 45 pictures: "),
    ]


def test_file_type_and_colour_that_tell_the_label_are_told(tmp_path):
    rows = []
    for number in range(80):
        label = ("happiness", "fear")[number % 2]
        crop = striped(label, number)
        crop = crop if number % 2 else np.repeat(crop[..., :1], 3, axis=2)
        rows.append((crop, label, "train", f"x{number}." + ("jpg" if number % 2 else "bmp")))
    found = audit([add(tmp_path / "data", *rows)])
    assert [giveaway.sign for giveaway in found.giveaways] == ["file type", "colour"]
    assert found.giveaways[1].counts == {"colour": {"fear": 40}, "grey": {"happiness": 40}}


def test_a_database_that_brings_one_class_alone_is_told(tmp_path):
    a = write_crops(tmp_path / "a", train=30, labels=("happiness", "fear"), source="aaa")
    b = write_crops(tmp_path / "b", train=40, labels=("neutral",), source="bbb", seed=500)
    [giveaway] = audit([a, b]).giveaways
    assert (giveaway.source, giveaway.sign) == ("all", "database")
    assert giveaway.counts["bbb"] == {"neutral": 40}


def test_names_that_spell_the_label_or_tell_nothing_are_no_give_away(tmp_path):
    labels = ("happiness", "fear")
    rows = [
        (striped(labels[i % 2], i), labels[i % 2], "train", f"img{i}_{labels[i % 2]}.png")
        for i in range(60)
    ]
    assert audit([add(tmp_path / "a", *rows)]).giveaways == []
    rows = [
        (striped(labels[i % 2], i), labels[i % 2], "train", f"{'ab'[i // 2 % 2]}{i}.png")
        for i in range(60)
    ]
    assert audit([add(tmp_path / "b", *rows)]).giveaways == []


def test_the_balance_of_the_classes_is_told(tmp_path):
    folder = write_crops(tmp_path / "a", train=3, labels=("happiness", "fear"))
    add(folder, (texture(1), "happiness", "train", "x.png"))
    add(folder, (texture(2), "happiness", "train", "y.png"), (texture(3), "fear", "train", "z.png"))
    assert "made train: 9 pictures: happiness 55.6%, fear 44.4%" in mien("audit", folder).stdout


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
def test_manifest_and_pictures_are_not_written_over(dirty, option):
    picture = dirty / manifest.read(dirty)[0].path
    for target in (dirty / "manifest.csv", picture):
        before = target.read_bytes()
        result = mien("audit", dirty, option, target)
        assert result.exit_code == 1
        assert "is part of the data" in result.stderr
        assert target.read_bytes() == before


def test_two_outputs_of_one_name_are_wrong_usage(dirty, tmp_path):
    result = mien("audit", dirty, "--out", tmp_path / "x", "--html", tmp_path / "x")
    assert result.exit_code == 2


def test_a_manifest_that_cannot_be_replaced_stays_as_it_was(dirty, monkeypatch):
    def full(rows, folder):
        raise OSError(28, "No space left on device")

    found = audit([dirty])
    before = (dirty / "manifest.csv").read_bytes()
    monkeypatch.setattr(manifest, "write", full)
    with pytest.raises(OutputError, match="No space left on device"):
        clean(found, to_drop(found))
    assert (dirty / "manifest.csv").read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(dirty):
    dirty.chmod(0o555)
    try:
        result = mien("audit", dirty, "--fix")
    finally:
        dirty.chmod(0o755)
    assert result.exit_code == 1
    assert "cannot write" in result.stderr


def test_what_prepare_drops_as_a_leak_is_what_an_audit_of_all_pictures_finds(tmp_path):
    files = {f"DATASET/train/{n}/a{n}.jpg": encode(texture(n)) for n in range(1, 8)}
    files["DATASET/test/4/t.jpg"] = encode(texture(3), quality=50)
    archive = zip_of(tmp_path / "rafdb.zip", files)
    kept = prepare(Settings("rafdb", str(archive), keep_leaks=True), tmp_path / "all").folder
    clean_one = prepare(Settings("rafdb", str(archive)), tmp_path / "clean").folder
    found = audit([kept])
    [leak] = [f for f in found.findings if found.is_leak(f)]
    assert found.entries[leak.this].row.original == "DATASET/train/3/a3.jpg"
    assert audit([clean_one]).findings == []
    mien("audit", kept, "--fix")
    assert manifest.read(kept) == manifest.read(clean_one)
