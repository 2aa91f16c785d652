"""Names in nine languages: the letters are there, and they are drawn."""

import string
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mien.errors import BadSettingError, UnknownNameError
from mien.labels import LABELS, PAPER, LabelSet
from mien.show import fonts, layout, panel
from mien.show.annotate import Overlay, annotate
from mien.show.fonts import BUILT_IN, find_font
from mien.show.panel import Panel, measure
from mien.show.style import Masks, colours_of, text_width
from mien.show.writing import ENGLISH, Writing, write_in
from mien.words import LANGUAGES, called, letters
from tests.show.test_annotate import face_at, grey, picture_of, spot
from tests.show.test_fonts import letters_of
from tests.support.made_fonts import bar_font

ROWS = (*LABELS, "neutral")
OTHERS = [language for language in LANGUAGES if language != "en"]


@pytest.fixture(scope="module")
def bars(tmp_path_factory):
    """A font whose letters are bars, with all letters of the nine languages."""
    used = {letter for language in LANGUAGES for letter in letters(language)}
    used |= {*string.printable} - {*string.whitespace}
    path = tmp_path_factory.mktemp("fonts") / "bars.ttf"
    return bar_font(path, "".join(sorted({*used, *"…·眠"})))


def here(language):
    """The writing that a user of this machine gets; Chinese needs a font that not all have."""
    try:
        return write_in(language)
    except BadSettingError as error:
        pytest.skip(str(error))


def runs(line):
    """How many runs of True there are in a line of pixels."""
    return int(np.count_nonzero(np.diff(line.astype(int), prepend=0) == 1))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_font_that_is_taken_has_every_letter_of_the_language(language):
    writing = here(language)
    has = letters_of(writing.font)
    written = [*letters(language), *string.digits, "%", *"".join(map(writing.name, ROWS))]
    assert [letter for letter in written if letter != " " and ord(letter) not in has] == []
    face = fonts.sized(writing.font, 40)
    missing = bytes(face.getmask("\U0010ffff"))
    assert [letter for letter in written if bytes(face.getmask(letter)) == missing] == [" "] * (
        written.count(" ")
    )


@pytest.mark.parametrize("language", ["de", "fr", "es", "it", "pt", "tr"])
def test_matplotlib_brings_a_font_for_latin_letters(language, monkeypatch):
    pytest.importorskip("matplotlib")
    find_font.cache_clear()
    monkeypatch.setattr(fonts, "_fontconfig", lambda language: iter([]))
    monkeypatch.setattr(fonts, "_folders", list)
    font = find_font(letters(language), language)
    assert "matplotlib" in font.path
    assert {*map(ord, letters(language))} <= letters_of(font) | {ord(" ")}
    find_font.cache_clear()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_label_and_a_panel_have_as_many_letters_as_the_names(language, bars):
    """In this font a letter that is drawn is a bar, and one that is missing is nothing."""
    writing = write_in(language, bars)
    rgb, face = grey(900, 1400), face_at(500, 250, 380)
    picture = picture_of(rgb, face)
    [plan] = layout.plan(picture, 1, True, writing)
    drawn = annotate(rgb, picture, lang=writing)
    chip = plan.chip
    middle = round((chip.top + chip.bottom) / 2)
    yellow = drawn[middle, round(chip.left) + 2 : round(chip.right) - 2, 0] > 120
    # half of the face's happiness is calm: 0.5 * 0.75
    assert plan.text == f"{called('happiness', language)} 38%"
    assert runs(~yellow) == len(plan.text.replace(" ", ""))
    size = plan.panel_size
    left, names = round(plan.panel.left), round(0.75 * size)
    bar = round((0.75 + panel._name_width(PAPER, writing)) * size)
    for number, label in enumerate(ROWS):
        row = round(plan.panel.top) + round(
            (0.75 + 0.7 + 1.4 * number + 0.5 * (number == 6)) * size
        )
        line = drawn[row, left + names : left + bar].mean(axis=1)
        assert runs(line > 90) == len(called(label, language).replace(" ", "")), label


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_legend_and_no_name_is_cut(language):
    writing = here(language)
    size, small = 40, round(0.86 * 40)
    width, _ = measure(size, True, PAPER, writing)
    room = (width - 2 * round(0.75 * size) - 2) / small
    for label in LABELS:
        said = writing.say("warm", writing.name(label))
        assert writing.name(label) in said
        assert text_width(said, 100, writing.font) <= 100 * room, said
    longest = max(text_width(writing.name(label), 100, writing.font) for label in ROWS)
    assert longest <= 100 * (12 - 0.75)


def test_a_film_is_annotated_in_its_language(bars):
    writing = write_in("ja", bars)
    from tests.show.test_annotate_video import faced, settled

    face = faced(500, 200, 260)
    drawn = {
        lang: settled(Overlay(lang=lang), face).astype(int).copy()
        for lang in (writing, replace(writing, language="zh"), write_in("en", bars))
    }
    first, *others = drawn.values()
    assert all((first != other).any() for other in others)


def test_english_is_drawn_as_it_was_and_reads_no_font():
    assert write_in("en") is ENGLISH
    assert Writing("en", BUILT_IN) == ENGLISH
    rgb = grey(600, 900)
    picture = picture_of(rgb, face_at(200, 200, 240, maps=spot((31, 48))))
    np.testing.assert_array_equal(annotate(rgb, picture), annotate(rgb, picture, lang="en"))
    assert (annotate(rgb, picture) != annotate(rgb, picture, lang="de")).any()


@pytest.mark.parametrize(
    ("given", "fix"),
    [("deu", "use de"), ("german", "use de, en"), ("DE", "use de"), ("", "use de")],
)
def test_a_language_that_is_none_is_refused_with_the_nearest(given, fix):
    with pytest.raises(UnknownNameError, match=rf"no language called '{given}'\n  try: {fix}"):
        annotate(grey(60, 60), picture_of(grey(60, 60)), lang=given)


def test_classes_of_ones_own_stay_as_they_are_and_need_a_font_too(bars, monkeypatch):
    own = LabelSet(("asleep", "fear", "眠ぬ"))
    assert [write_in("de").name(name) for name in own.names] == ["asleep", "Angst", "眠ぬ"]
    monkeypatch.setattr(fonts, "_fonts_here", lambda language: iter([]))
    find_font.cache_clear()
    with pytest.raises(BadSettingError, match="ぬ 眠"):
        write_in("en", labels=own)
    with pytest.raises(BadSettingError, match=r"bars\.ttf lacks .*: ぬ"):
        write_in("en", bars, own)
    find_font.cache_clear()


def test_a_panel_of_own_classes_is_as_wide_as_their_names_in_the_language():
    own = LabelSet(("surprise", "no"))
    english, german = (measure(20, False, own, write_in(lang))[0] for lang in ("en", "de"))
    assert german > english
    width, height = measure(20, False, own, write_in("de"))
    canvas = np.zeros((height, width, 3), np.uint8)
    face = replace(
        face_at(0, 0, 100), labels=own, values=np.array([0.75, 0.25], dtype=np.float32), neutral=0.0
    )
    Panel(20, False, own, Masks(), write_in("de")).draw(canvas, face, 0, 0)
    colour = np.array(colours_of(own)["surprise"])
    bar = np.flatnonzero((np.abs(canvas.astype(int) - colour).sum(axis=2) < 40).any(axis=0))
    assert bar[0] == pytest.approx(20 * (0.75 + panel._name_width(own, write_in("de"))), abs=2)


def test_a_timeline_is_plotted_in_its_language(bars, tmp_path):
    pytest.importorskip("matplotlib")
    from mien.show.timeline_plot import draw_timeline
    from tests.show.test_timeline import face, filled

    seen = filled([(n / 4, [face(1, "sadness" if n < 20 else "fear")]) for n in range(40)])
    draw_timeline(seen, tmp_path / "de.svg", "de")
    text = (tmp_path / "de.svg").read_text(encoding="utf-8")
    for words in ("Trauer", "Angst", "Spur 1", "Zeit (s)", "1 Gesicht", "neutral", "Trauer 54 %"):
        assert f"<!-- {words} -->" in text
    assert "sadness" not in text
    # a letter that the font lacks is a warning, and warnings are errors here
    draw_timeline(seen, tmp_path / "ja.svg", write_in("ja", bars))
    assert "<!-- 悲しみ -->" in (tmp_path / "ja.svg").read_text(encoding="utf-8")
    draw_timeline(filled([(0.0, []), (1.0, [])]), tmp_path / "none.svg", "fr")
    assert "<!-- aucun visage -->" in (tmp_path / "none.svg").read_text(encoding="utf-8")


def test_a_collection_of_fonts_serves_plots_and_pictures_alike(tmp_path):
    pytest.importorskip("matplotlib")
    from mien.show.timeline_plot import draw_timeline
    from tests.show.test_timeline import face, filled

    used = sorted({*letters("zh"), *string.printable, *"…·"} - {*string.whitespace})
    path = bar_font(tmp_path / "bars.ttc", "".join(used), "Collected")
    writing = write_in("zh", path)
    for suffix in (".svg", ".png", ".pdf"):
        draw_timeline(filled([(0, [face(1)]), (9, [face(1)])]), tmp_path / f"t{suffix}", writing)
        assert (tmp_path / f"t{suffix}").stat().st_size > 1000
    with Image.open(tmp_path / "t.png") as image:
        assert image.size[0] == 1440
    rgb = grey(500, 700)
    assert (annotate(rgb, picture_of(rgb, face_at(200, 150, 200)), lang=writing) != rgb).any()
