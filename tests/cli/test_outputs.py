"""Where results go: one name among many that cannot be written, - for standard output, names
that a terminal or a spreadsheet would obey."""

import csv
import json
import os
import sys

import numpy as np
import pytest

from mien.cli._outputs import echo_beside
from mien.cli._shared import echo, echo_error
from mien.cli._usage import WrongUsageError
from mien.errors import OutputError
from mien.media.escapes import escaped, guarded, unguarded
from mien.media.standard_output import STANDARD_OUTPUT, StandardOutput
from mien.media.writers import CsvWriter, open_table, write_bytes, write_picture, write_text
from tests.support.commands import mien
from tests.support.full_disk import full_disk
from tests.support.pictures import encode, folder_of, own_files

BLANK = encode(np.full((60, 80, 3), 190, dtype=np.uint8), "PNG")
EVIL = "=cmd|' !C calc'!A0.png"


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_one_crop_that_cannot_be_written_fails_alone(tmp_path, monkeypatch, portrait):
    monkeypatch.chdir(tmp_path)
    long = "n" * 250 + ".png"  # with -face0 it has 256 bytes, one too many
    face = encode(portrait, "PNG")
    folder_of(tmp_path, {f"in/{long}": face, "in/a.png": face, "in/z.png": face})
    result = mien("predict", "in", "--csv", "t.csv", "--out", "out", "--crops")
    assert result.exit_code == 1
    crop = f"out/{'n' * 250}-face0.png"
    first = f"mien: cannot write {crop}: File name too long\n  try: choose a shorter name\n"
    assert result.stderr == f"{first}mien: 1 of the files could not be written\n"
    expected = {"a.png", "a-face0.png", long, "z.png", "z-face0.png"}
    assert set(names(tmp_path / "out")) == expected
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 4


def test_one_figure_that_cannot_be_written_fails_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {"in/a.png": BLANK, "in/b.png": BLANK, "out/a.png/keep": b""})
    result = mien("explain", "in", "--crop", "--out", "out")
    assert result.exit_code == 1
    assert result.stderr.startswith("mien: out/a.png is a folder\n  try: ")
    assert result.stderr.endswith("mien: 1 of the files could not be written\n")
    assert "in/b.png  face 0  out/b.png\n" in result.stdout
    assert names(tmp_path / "out") == ["a.png", "a.png/keep", "b.png"]


@pytest.mark.parametrize("suffix", [".pdf", ".svg", ".png"])
def test_a_full_disk_is_one_error_in_every_format_of_a_figure(tmp_path, portrait, suffix):
    (tmp_path / "a.png").write_bytes(encode(portrait, "PNG"))
    out = tmp_path / f"why{suffix}"
    with full_disk():
        result = mien("explain", tmp_path / "a.png", "--out", out)
    assert result.exit_code == 1
    assert f"mien: cannot write {out}: File too large\n  try: " in result.stderr
    assert names(tmp_path) == ["a.png"]


@pytest.mark.parametrize("name", ["n" * 300 + ".csv", "a\0.csv", "file/x.csv", "loop/x.csv"])
def test_every_name_that_cannot_be_written_is_one_error_of_every_writer(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    path = tmp_path / name
    rgb = np.zeros((2, 2, 3), dtype=np.uint8)
    for write in (
        lambda: write_text("x", path),
        lambda: write_picture(rgb, path.with_suffix(".png")),
        lambda: CsvWriter(path, ("a",)).__enter__(),
        lambda: open_table(path, ("a",)).__enter__(),
    ):
        with pytest.raises(OutputError, match=r"\n  try: ") as caught:
            write()
        assert "cannot write" in caught.value.message or "no file can be" in caught.value.message
    assert names(tmp_path) == ["file", "loop"]


def test_csv_minus_prints_the_rows_that_a_file_would_hold_and_nothing_else(
    tmp_path, monkeypatch, portrait
):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {"in/a.png": encode(portrait, "PNG"), "in/b.png": b"no picture"})
    to_file = mien("predict", "in", "--csv", "t.csv")
    printed = mien("predict", "in", "--csv", "-")
    assert printed.stdout == (tmp_path / "t.csv").read_text()
    assert len(printed.stdout.splitlines()) == 2
    assert (printed.exit_code, printed.stderr) == (1, to_file.stderr)
    assert not (tmp_path / "-").exists()


def test_two_outputs_on_standard_output_are_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(BLANK)
    result = mien("predict", tmp_path / "a.png", "--json", "--csv", "-")
    assert (result.exit_code, "--json and --csv - both print" in result.stderr) == (2, True)
    with pytest.raises(WrongUsageError, match="- is named twice"):
        echo_beside(STANDARD_OUTPUT, None, STANDARD_OUTPUT)


def test_scores_and_stats_print_their_table_alone(tmp_path, monkeypatch, clean_folder):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path, {"in/a.png": BLANK})
    mien("scores", "in", "--out", "t.csv")
    result = mien("scores", "in", "--out", "-")
    assert result.stdout == (tmp_path / "t.csv").read_text()
    assert result.stderr == "1 pictures\n"
    plain = mien("stats", clean_folder, "--csv", "s.csv")
    result = mien("stats", clean_folder, "--csv", "-")
    assert result.stdout == (tmp_path / "s.csv").read_text()
    assert result.stderr == plain.stdout
    assert not (tmp_path / "-").exists()


def test_bytes_are_not_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match=r"output, which takes tables alone\n  try: name a file"):
        write_bytes(b"a model", STANDARD_OUTPUT)


def test_standard_output_that_is_closed_is_one_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match=r"standard output is closed\n  try: "):
        StandardOutput()


def test_another_name_of_a_file_that_is_read_is_no_name_for_an_output(tmp_path):
    (tmp_path / "a.csv").write_text("read")
    os.link(tmp_path / "a.csv", tmp_path / "b.csv")
    with pytest.raises(WrongUsageError, match=r"b\.csv is named twice"):
        echo_beside(tmp_path / "b.csv", inputs=[tmp_path / "a.csv"])


# (text as it came, as it is written); a number is no formula
CELLS = [
    ("photo.jpg", "photo.jpg"),
    ("", ""),
    (EVIL, f"'{EVIL}"),
    ("@sum(a)", "'@sum(a)"),
    ("+1+cmd", "'+1+cmd"),
    ("-x.jpg", "'-x.jpg"),
    ("\t=1", "'\t=1"),
    ("\r=1", "'\r=1"),
    ("\n=1", "'\n=1"),
    *((f"{wide}1", f"'{wide}1") for wide in "＝＋－＠"),
    ("'=1", "''=1"),
    ("'quoted'", "'quoted'"),
    ("-0.25", "-0.25"),
    ("+1e-3", "+1e-3"),
    (-3, -3),
    (None, None),
]


@pytest.mark.parametrize(("cell", "written"), CELLS)
def test_a_cell_that_a_spreadsheet_would_compute_is_guarded_and_can_be_read_back(cell, written):
    assert guarded(cell) == written
    if isinstance(cell, str):
        assert unguarded(written) == cell


@pytest.mark.parametrize("words", [["predict", "--csv"], ["scores", "--out"]])
def test_a_name_that_is_a_formula_is_guarded_in_the_table(tmp_path, monkeypatch, words, portrait):
    monkeypatch.chdir(tmp_path)
    (tmp_path / EVIL).write_bytes(encode(portrait, "PNG"))
    command, option = words
    given = [EVIL] if command == "predict" else ["."]
    assert mien(command, *given, option, "t.csv").exit_code == 0
    with (tmp_path / "t.csv").open(newline="") as file:
        [_, row] = csv.reader(file)
    assert (row[0], unguarded(row[0])) == (f"'{EVIL}", EVIL)
    [record] = map(json.loads, mien("predict", EVIL, "--json").stdout.splitlines())
    assert record["path"] == EVIL  # JSON is for programs


def test_our_own_table_of_labels_is_read_back_with_such_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second, *_ = own_files(3).values()
    folder_of(tmp_path, {f"in/{EVIL}": first, "in/b.png": second})
    with CsvWriter(tmp_path / "labels.csv", ("path", "label")) as table:
        table.write((EVIL, "fear"))
        table.write(("b.png", "anger"))
    result = mien("prepare", "folder", "in", "--labels", "labels.csv", "--out", "out", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    with (tmp_path / "out" / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["original"], row["label"]) for row in rows} == {(EVIL, "fear"), ("b.png", "anger")}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("a\x9bb\x7f", "a\\x9bb\\x7f"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("a\u2028b\u2029c\u2066d\u200fe", "a\\u2028b\\u2029c\\u2066d\\u200fe"),
        ("café 写真 👩‍👧", "café 写真 👩‍👧"),
        (os.fsdecode(b"caf\xe9"), os.fsdecode(b"caf\xe9")),
    ],
)
def test_control_characters_are_shown_and_other_letters_stay(name, shown):
    assert escaped(name) == shown
    assert escaped(f"{name}\n", but="\n").endswith("\n")


def test_what_a_command_prints_has_no_control_characters_but_the_ends_of_its_lines(capsys):
    echo("one\ntwo\x07\x9b\x1b[2J")
    echo_error(OutputError("cannot write a\x1b[2J\nmien: all is well", fix="b\r"))
    printed = capsys.readouterr()
    assert printed.out == "one\ntwo\\x07\\x9b\\x1b[2J\n"
    assert printed.err == "mien: cannot write a\\x1b[2J\\nmien: all is well\n  try: b\\r\n"


def test_escape_codes_in_names_do_not_reach_the_terminal(tmp_path, monkeypatch, portrait):
    monkeypatch.chdir(tmp_path)
    good, bad = "a\x1b[2J\nmien: all is well.png", "b\x1b]0;x\x07\n.jpg"
    folder_of(tmp_path, {f"in/{good}": encode(portrait, "PNG"), f"in/{bad}": b"no picture"})
    for words in (["predict", "in"], ["explain", "in", "--out", "o\x1b[1m"], ["scores", "in"]):
        result = mien(*words)
        text = result.stdout + result.stderr
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\nmien: all is well" not in text
        assert "b\\x1b]0;x\\x07\\n.jpg" in text
