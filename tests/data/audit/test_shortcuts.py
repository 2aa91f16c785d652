import csv

import numpy as np
import pytest

from mien.data.audit import shortcuts
from mien.data.audit.findings import audit
from mien.data.audit.shortcuts import find_shortcuts
from mien.labels import LABELS
from tests.support.commands import mien
from tests.support.faulty_folder import add
from tests.support.pictures import texture
from tests.support.prepared_folder import row_of, striped, write_crops


def test_a_name_that_tells_the_label_is_told(tmp_path):
    rows = []
    for number in range(100):
        label = ("happiness", "fear")[number % 2]
        name = ("web_" if number % 2 == 0 or number < 10 else "lab_") + f"{number}.png"
        rows.append((striped(label, number), label, "train", name))
    folder = add(tmp_path / "data", *rows)
    [shortcut] = audit([folder]).shortcuts
    assert (shortcut.source, shortcut.sign) == ("made", "name")
    assert shortcut.counts == {"web_": {"happiness": 50, "fear": 5}, "lab_": {"fear": 45}}
    assert (shortcut.guess, shortcut.blind) == (0.95, 0.5)
    # H(label) = 1 bit; H(label | name) = 0.55 * H(50 / 55) = 0.242; less 1 / (2 ln 2 * 100)
    assert shortcut.information == pytest.approx(1 - 0.55 * 0.4395 - 0.0072, abs=1e-3)
    result = mien("audit", folder, "--out", tmp_path / "x.csv")
    assert "made: the name gives the label away" in result.stdout
    with (tmp_path / "x.csv").open(newline="") as file:
        written = [(row["kind"], row["label"], row["detail"][:24]) for row in csv.DictReader(file)]
    assert written == [
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
    folder = add(tmp_path / "data", *rows)
    next(folder.rglob("*x0.bmp")).unlink()  # nobody knows its colour
    found = audit([folder])
    assert [shortcut.sign for shortcut in found.shortcuts] == ["file type", "colour"]
    assert found.shortcuts[1].counts == {"colour": {"fear": 40}, "grey": {"happiness": 39}}


def test_a_grey_picture_stays_grey_though_its_channels_were_rounded(tmp_path):
    gray = np.repeat(texture(1)[..., :1] // 2, 3, axis=2)
    rounded, tinted = (gray + np.uint8([0, shift, 0]) for shift in (8, 9))
    rows = [(rounded, "fear", "train", "a.png"), (tinted, "fear", "train", "b.png")]
    assert audit([add(tmp_path / "data", *rows)]).thumbnails.gray.tolist() == [True, False]


def test_a_database_that_brings_one_class_alone_is_told(tmp_path):
    a = write_crops(tmp_path / "a", train=30, labels=("happiness", "fear"), source="aaa")
    b = write_crops(tmp_path / "b", train=40, labels=("neutral",), source="bbb", seed=500)
    [shortcut] = audit([a, b]).shortcuts
    assert (shortcut.source, shortcut.sign) == ("all", "database")
    assert shortcut.counts["bbb"] == {"neutral": 40}


def test_names_that_spell_the_label_or_tell_nothing_are_no_give_away(tmp_path):
    labels = ("happiness", "fear")
    rows = [
        (striped(labels[i % 2], i), labels[i % 2], "train", f"{labels[i % 2]}_{i}.png")
        for i in range(60)
    ]
    assert audit([add(tmp_path / "a", *rows)]).shortcuts == []
    rows = [
        (striped(labels[i % 2], i), labels[i % 2], "train", f"{'ab'[i // 2 % 2]}{i}.png")
        for i in range(60)
    ]
    assert audit([add(tmp_path / "b", *rows)]).shortcuts == []


def test_signs_of_a_few_pictures_are_taken_together(tmp_path):
    labels = ("happiness", "fear")
    rows = [
        (striped(labels[i % 2], i), labels[i % 2], "train", f"{'abcdef'[i % 6]}{i}.png")
        for i in range(114)  # 19 of each letter, which tells the label
    ]
    assert audit([add(tmp_path / "a", *rows)]).shortcuts == []


def test_a_sign_that_makes_no_guess_better_is_no_give_away(tmp_path):
    shares = {"a": 10, "b": 40}  # of 100 each are fear, the rest happiness
    rows = [
        (striped("fear", 200 * j + i), "fear" if i < fear else "happiness", "train", f"{letter}{i}")
        for j, (letter, fear) in enumerate(shares.items())
        for i in range(100)
    ]
    assert audit([add(tmp_path / "a", *rows)]).shortcuts == []


def test_neither_the_case_of_names_nor_their_folders_are_signs():
    names = {"fear": "A/x{}.JPG", "anger": "b/X{}.jpg"}
    rows = [
        (row_of(label, "train", name.format(number)), False)
        for label, name in names.items()
        for number in range(40)
    ]
    assert find_shortcuts(rows) == []


def test_many_names_that_fit_the_labels_by_chance_are_no_give_away(monkeypatch):
    rng = np.random.default_rng(0)
    rows = [
        (row_of(str(label), "train", f"{first}{second}-{number}.png"), False)
        for first in "abcde"
        for second in "vwxyz"
        for number, label in enumerate(rng.choice(LABELS, 20))
    ]
    assert find_shortcuts(rows) == []
    monkeypatch.setattr(shortcuts, "_INFORMATION", -1)  # to guess by them does pay, of these
    assert [shortcut.sign for shortcut in find_shortcuts(rows)] == ["name"]
