"""`--lang` and `--font`: what is drawn is in the language, what a machine reads is not."""

import csv
import json
import re

import numpy as np
import pytest
from PIL import Image

import mien as library
from mien.show import fonts, writing
from mien.show.annotate import annotate
from mien.show.fonts import find_font
from mien.show.writing import write_in
from mien.words import letters
from tests.support.commands import mien
from tests.support.pictures import encode
from tests.support.video_files import clip, swaying


@pytest.fixture(scope="module")
def photo(portrait, tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    path.write_bytes(encode(portrait, "PNG"))
    return path


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_predict_draws_in_the_language_and_its_tables_stay_english(
    photo, portrait, recognizer, tmp_path
):
    files = ("--csv", tmp_path / "f.csv", "--json", "--out-file", tmp_path / "f.json")
    result = mien("predict", photo, "--out", tmp_path / "out", *files, "--lang", "tr")
    assert result.exit_code == 0
    picture = recognizer.read(portrait)
    expected, english = (annotate(portrait, picture, lang=lang) for lang in ("tr", "en"))
    drawn = pixels(tmp_path / "out" / "astronaut.png")
    np.testing.assert_array_equal(drawn, expected)
    assert (drawn != english).any()
    with (tmp_path / "f.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert row["label"] == "happiness"
    [face] = json.loads((tmp_path / "f.json").read_text())["faces"]
    assert next(iter(face["scores"])) == face["label"] == "happiness"


@pytest.mark.parametrize("command", ["predict", "video"])
def test_a_language_without_a_drawing_is_wrong_usage(photo, command):
    result = mien(command, photo, "--lang", "de")
    assert result.exit_code == 2
    assert "--lang and --font are for what is drawn: they need --out" in result.stderr


@pytest.mark.parametrize(
    "words",
    [("predict", "--out", "out"), ("video", "--out", "a.mp4"), ("explain",), ("demo",)],
    ids=lambda words: words[0],
)
def test_no_such_language_and_no_such_font_are_said_before_the_work(
    photo, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no.ttf").write_bytes(b"no font")
    command, *more = words
    given = [] if command == "demo" else [photo]
    for options, said, code in (
        (["--lang", "deu"], "no language called 'deu'\n  try: use de", 2),
        (["--lang", "de", "--font", "no.ttf"], "no.ttf is no font that can be read", 1),
        (["--font", "gone.ttf"], "no such file: gone.ttf", 1),
    ):
        result = mien(command, *given, *more, *options)
        assert (result.exit_code, result.stdout) == (code, "")
        assert said in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["no.ttf"]


def test_without_a_font_for_the_letters_nothing_is_begun(photo, tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "_fonts_here", lambda language: iter([]))
    for known in (find_font, writing._written):
        known.cache_clear()
    result = mien("predict", photo, "--out", tmp_path / "out", "--lang", "zh")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.search(r"no font of this system has .*fonts-noto-cjk.*--font", result.stderr, re.S)
    assert not (tmp_path / "out").exists()


def test_a_run_that_goes_on_goes_on_in_its_language(photo, tmp_path):
    words = ("predict", photo, "--out", tmp_path / "o", "--csv", tmp_path / "f.csv", "--resume")
    assert mien(*words, "--lang", "de").exit_code == 0
    assert mien(*words, "--lang", "de").exit_code == 0
    other = mien(*words, "--lang", "fr")
    assert other.exit_code == 1
    assert "lang" in other.stderr


def test_explain_writes_its_figure_in_the_language_and_its_sentence_in_english(photo, tmp_path):
    result = mien("explain", photo, "--out", tmp_path / "why.svg", "--lang", "es")
    assert result.exit_code == 0
    assert "happiness 0." in result.stdout
    text = (tmp_path / "why.svg").read_text(encoding="utf-8")
    words = re.findall(r"<text[^>]*>([^<]*)</text>", text)
    assert 'xml:lang="es"' in text
    assert re.fullmatch(r"alegría \d+%, neutral \d+% · fast-occlusion", words[0])
    assert words[1:4] == ["rostro", "mapa", "mapa sobre el rostro"]
    expected = r"cálido y claro = a favor de: alegría \(\d+%\); cada mapa se refiere a su punto .*"
    assert re.fullmatch(expected, words[-3])
    assert not any(re.search("happiness|warm|face", word) for word in words)


def test_the_library_draws_a_figure_in_the_language(photo, recognizer):
    german, english = (
        library.explain_picture(photo, recognizer=recognizer, lang=lang) for lang in ("de", "en")
    )
    assert np.asarray(german).shape != np.asarray(english).shape


@pytest.mark.slow
def test_film_and_plot_are_in_the_language(portrait, tmp_path):
    film = clip(tmp_path / "talk.mp4", swaying(portrait, 6))
    for lang in ("it", "en"):
        names = ("--out", tmp_path / f"{lang}.mp4", "--plot", tmp_path / f"{lang}.svg")
        table = ("--csv", tmp_path / f"{lang}.csv")
        assert mien("video", film, *names, *table, "--lang", lang).exit_code == 0
    assert "<!-- gioia -->" in (tmp_path / "it.svg").read_text(encoding="utf-8")
    italian, english = (tmp_path / f"{lang}.csv" for lang in ("it", "en"))
    assert italian.read_text() == english.read_text()
    first = [next(library.read_video(tmp_path / f"{lang}.mp4")).rgb for lang in ("it", "en")]
    assert (np.abs(first[0].astype(int) - first[1]) > 60).any()


def test_a_font_of_ones_own_draws_the_demo(tmp_path):
    from tests.support.made_fonts import bar_font

    used = {*letters("zh"), *"".join(map(chr, range(33, 127))), *"…·"}
    font = bar_font(tmp_path / "bars.ttf", "".join(sorted(used)))
    result = mien("demo", "--out", tmp_path / "d.png", "--lang", "zh", "--font", font)
    assert result.exit_code == 0
    assert "happiness" in result.stdout
    portrait = library.media.images.read_rgb(library.media.images.PORTRAIT)
    picture = library.Recognizer(threads=1).read(portrait)
    expected = annotate(portrait, picture, lang=write_in("zh", font))
    np.testing.assert_array_equal(pixels(tmp_path / "d.png"), expected)
