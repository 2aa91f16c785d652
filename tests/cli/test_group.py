"""The group of all commands: help in groups, misspelt names, completion, --quiet."""

import io
import os
import re
import subprocess
import sys

import click
import pytest

from mien.cli import _shared, cli
from tests.support.commands import mien

COMMANDS = cli.list_commands(click.Context(cli))


def headings():
    """By heading of the help, the commands under it and the text beside each."""
    found = {}
    for heading, block in re.findall(
        r"^(\w+):\n((?:  .*\n)+)", mien("--help").stdout, re.MULTILINE
    ):
        rows = re.split(r"^  (?=\S)", block, flags=re.MULTILINE)[1:]
        found[heading] = {row.split()[0]: " ".join(row.split()[1:]) for row in rows}
    return found


def test_the_help_lists_every_command_once_under_a_heading():
    groups = headings()
    assert list(groups) == ["Options", "Recognise", "Explain", "Data", "Train", "About"]
    groups.pop("Options")
    assert sorted(name for names in groups.values() for name in names) == sorted(COMMANDS)
    assert "predict" in groups["Recognise"]
    assert "doctor" in groups["About"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_of_a_command_is_its_whole_first_paragraph(name):
    groups = headings()
    [summary] = [rows[name] for rows in groups.values() if name in rows]
    first = "".join(mien(name, "--help").stdout.split("\n\n")[1].split())
    assert summary.replace(" ", "") + "." == first  # without spaces: lines may break at hyphens


def test_mien_alone_says_what_to_do_first_and_is_no_error():
    result = mien()
    assert (result.exit_code, result.stderr) == (0, "")
    tried = re.findall(r"^  mien ([a-z]+)", result.stdout, flags=re.MULTILINE)
    assert tried[:2] == ["demo", "predict"]
    assert set(tried) <= set(COMMANDS)
    for line in re.findall(r"^  (mien .*?)  ", result.stdout, flags=re.MULTILINE):
        command = cli.get_command(click.Context(cli), line.split()[1])
        known = {o for p in command.params for o in p.opts}
        assert {word for word in line.split() if word.startswith("--")} <= known


@pytest.mark.parametrize(
    ("typed", "step"),
    [
        ("predikt", "try: mien predict\n"),
        ("explian", "try: mien explain\n"),
        ("Webcam", "try: mien video\n"),
        ("recognize", "try: mien predict\n"),
        ("xyzzy", "try: mien --help, which lists all"),
    ],
)
def test_a_misspelt_command_is_answered_with_the_one_that_was_meant(typed, step):
    result = mien(typed, "photo.jpg")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"no command called {typed!r}\n  {step}" in result.stderr


@pytest.mark.parametrize(
    ("shell", "words", "expected"),
    [("bash", "mien pre", ["plain,predict", "plain,prepare"]), ("zsh", "mien doc", ["plain"])],
)
def test_a_shell_completes_commands(shell, words, expected):
    count = str(len(words.split()) - 1)
    asked = {"_MIEN_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": count}
    code = "import sys; sys.argv[0] = 'mien'; from mien.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | asked
    )
    assert done.stdout.splitlines()[: len(expected)] == expected, done.stderr


class Terminal(io.StringIO):
    def isatty(self):
        return True


@click.command()
def _counting():
    for number in _shared.bar(range(3), 3, "reading"):
        _shared.echo(f"row {number}")
    _shared.echo_note("wrote it")
    _shared.echo("mien: 1 of 3 pictures could not be read", err=True)


def run_on_a_terminal(monkeypatch, *words):
    """What a command with a bar and a table writes to one terminal."""
    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "stderr", screen)
    command = click.Command("counting", callback=_counting.callback)
    command.params.append(_shared.quiet_option())
    command.main(list(words), standalone_mode=False)
    return screen.getvalue()


def test_the_bar_is_wiped_away_before_each_row_of_the_table(monkeypatch):
    shown = run_on_a_terminal(monkeypatch)
    assert "reading" in shown
    for number in range(3):
        assert f"\r\x1b[2Krow {number}\n" in shown
    assert "\r\x1b[2Kwrote" not in shown  # after the bar there is nothing to wipe
    assert "wrote it" in shown


def test_a_stream_that_is_closed_is_no_terminal(monkeypatch):
    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", None)  # as after >&-
    monkeypatch.setattr(sys, "stderr", screen)
    command = click.Command("counting", callback=_counting.callback)
    command.main([], standalone_mode=False)
    assert "reading" in screen.getvalue()
    monkeypatch.setattr(sys, "stderr", None)
    command.main([], standalone_mode=False)
    assert list(_shared.bar(range(3), 3)) == [0, 1, 2]


def test_quiet_leaves_the_rows_and_what_went_wrong(monkeypatch):
    shown = run_on_a_terminal(monkeypatch, "--quiet")
    assert shown == "row 0\nrow 1\nrow 2\nmien: 1 of 3 pictures could not be read\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_quiet_once(name):
    assert mien(name, "--help").stdout.count("--quiet") == 1
    assert mien(name, "--help").stdout.count("--quiet") == 1  # asked again, not added again


def test_a_command_without_a_heading_is_listed_all_the_same(monkeypatch):
    monkeypatch.setattr(cli, "groups", {"Recognise": ["predict"]})
    groups = headings()
    assert list(groups["Recognise"]) == ["predict"]
    assert sorted(groups["More"]) == sorted(set(COMMANDS) - {"predict"})
