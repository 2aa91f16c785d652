"""Which font is taken, by letters that it has or lacks."""

import io
import os
from pathlib import Path

import pytest
from PIL import ImageFont

from mien.errors import BadSettingError
from mien.show import fonts
from mien.show.fonts import BUILT_IN, Font, find_font, font_of_file, lacking
from tests.support.made_fonts import bar_font

pytest.importorskip("fontTools")
CHINESE = "一丁七万丈三"  # no font that has Latin letters alone has one of them


@pytest.fixture(autouse=True)
def afresh():
    """What was found in one test is not known in the next."""
    find_font.cache_clear()
    yield
    find_font.cache_clear()


def letters_of(font):
    """The letters of a font by fontTools, which reads its table of them."""
    from fontTools.ttLib import TTFont

    file = font.path or io.BytesIO(ImageFont.load_default(16).path.getvalue())
    with TTFont(file, fontNumber=font.index, lazy=True) as opened:
        return set(opened.getBestCmap())


def test_what_a_font_lacks_is_what_its_own_table_lacks():
    asked = [chr(code) for code in range(0x21, 0x250) if chr(code).isprintable()]
    has = letters_of(BUILT_IN)
    expected = [letter for letter in asked if ord(letter) not in has]
    assert 0 < len(expected) < len(asked)
    assert list(lacking(BUILT_IN, "".join(asked))) == expected


def test_letters_of_a_font_without_a_shape_for_others_are_told_too(tmp_path):
    font = Font(str(bar_font(tmp_path / "bars.ttf", CHINESE)))
    assert lacking(font, f"a{CHINESE}b") == "ab"


def test_the_built_in_font_is_taken_where_it_has_the_letters(monkeypatch):
    monkeypatch.setattr(fonts, "_fonts_here", lambda language: pytest.fail("looked elsewhere"))
    assert find_font("hapines 38%", "en") is BUILT_IN


def test_the_first_font_with_all_letters_is_taken_and_damaged_ones_are_passed_over(
    tmp_path, monkeypatch
):
    (tmp_path / "no.ttf").write_bytes(b"no font")
    one = bar_font(tmp_path / "one.ttf", CHINESE[:-1])
    whole = bar_font(tmp_path / "whole.ttf", CHINESE)
    later = bar_font(tmp_path / "later.ttf", CHINESE + "a")
    here = [Font(str(path)) for path in (tmp_path / "no.ttf", one, whole, later)]
    monkeypatch.setattr(fonts, "_fonts_here", lambda language: iter(here))
    assert find_font(CHINESE, "zh") == Font(str(whole))


def test_without_a_font_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(fonts, "_fonts_here", lambda language: iter([]))
    with pytest.raises(
        BadSettingError, match=r"such as 一 丁 七(.|\n)*fonts-noto-cjk(.|\n)*--font"
    ):
        find_font("a" + CHINESE, "zh")
    with pytest.raises(BadSettingError, match=r"such as ß ü\n.*fonts-dejavu-core(.|\n)*--font"):
        find_font("aßü", "de")


def test_fonts_are_looked_for_in_folders_where_there_is_no_fontconfig(tmp_path, monkeypatch):
    monkeypatch.setattr(fonts.shutil, "which", lambda name: None)
    monkeypatch.setattr(fonts, "_folders", lambda: [tmp_path])
    (tmp_path / "deep").mkdir()
    bar_font(tmp_path / "deep" / "zzz.ttf", CHINESE)
    bar_font(tmp_path / "aaa.ttf", CHINESE)
    usual = bar_font(tmp_path / "deep" / "msyh.ttc", CHINESE)  # what Windows brings comes first
    assert find_font(CHINESE, "zh") == Font(str(usual))
    usual.unlink()
    find_font.cache_clear()
    assert find_font(CHINESE, "zh") == Font(str(tmp_path / "aaa.ttf"))


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_fontconfig_names_files_and_their_place_in_a_collection(tmp_path, monkeypatch):
    """A program in place of fc-match, which says what it was asked, and what it found."""
    bars = bar_font(tmp_path / "bars.ttf", CHINESE)
    script = tmp_path / "fc-match"
    instance = 3 << 16  # of a variable font: the number of a style above that of the font
    script.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n'
        f"printf '0\\t{tmp_path}/old.pcf.gz\\n{instance}\\t{bars}\\n'\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(fonts, "_folders", list)
    assert find_font(CHINESE, "zh") == Font(str(bars), 0)
    assert "sans:lang=zh-cn" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize("content", [b"text", b"", b"\0\1\0\0" + b"\0" * 40])
def test_a_file_that_is_no_font_is_refused(tmp_path, content):
    path = tmp_path / "letters.ttf"
    path.write_bytes(content)
    with pytest.raises(BadSettingError, match=r"no font that can be read(.|\n)*\.ttf, \.otf or"):
        font_of_file(path, "a")


def test_a_font_that_is_not_there_or_lacks_letters_is_refused_by_name(tmp_path):
    with pytest.raises(BadSettingError, match=r"no such file: .*gone\.ttf"):
        font_of_file(tmp_path / "gone.ttf", "a")
    path = bar_font(tmp_path / "bars.ttf", CHINESE)
    with pytest.raises(BadSettingError, match=r"bars\.ttf lacks letters .*: a b"):
        font_of_file(path, f"ab{CHINESE}")
    assert font_of_file(path, CHINESE) == Font(str(path))


def test_the_folders_of_a_system_are_those_that_are_there(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(fonts.sys, "platform", "darwin")
    (tmp_path / "Library" / "Fonts").mkdir(parents=True)
    assert tmp_path / "Library/Fonts" in fonts._folders()
    monkeypatch.setattr(fonts.sys, "platform", "win32")
    own = tmp_path / "Local" / "Microsoft" / "Windows" / "Fonts"
    own.mkdir(parents=True)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
    monkeypatch.setenv("WINDIR", str(tmp_path / "none"))
    assert fonts._folders() == [own]
