"""The words for expressions: tables that a person wrote, so their faults are looked for here."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import mien.words
from mien.words import LANGUAGES as CODES
from mien.words import called, caption, letters, meaning, plain

FOLDER = Path(mien.words.__file__).parent
TABLE = tomllib.loads((FOLDER / "expressions.toml").read_text(encoding="utf-8"))
CAPTIONS = tomllib.loads((FOLDER / "captions.toml").read_text(encoding="utf-8"))
# The six words, then neutral, as dictionaries have them: written again by hand.
LANGUAGES = {
    "English": "happy surprised sad angry disgusted scared neutral",
    "German": "Freude Überraschung Traurigkeit Wut Ekel Angst neutral",
    "French": "joie surprise tristesse colère dégoût peur neutre",
    "Spanish": "alegría sorpresa tristeza ira asco miedo neutro",
    "Italian": "gioia sorpresa tristezza rabbia disgusto paura neutrale",
    "Portuguese": "alegria surpresa tristeza raiva nojo medo neutro",
    "Turkish": "mutlu şaşkın üzgün kızgın iğrenme korku nötr",
    "Chinese": "高兴 惊讶 悲伤 愤怒 厌恶 恐惧 中性",
    "traditional Chinese": "高興 驚訝 悲傷 憤怒 厭惡 恐懼 中性",
    "Japanese": "喜び 驚き 悲しみ 怒り 嫌悪 恐れ 無表情",
}
MEANT = ["happiness", "surprise", "sadness", "anger", "disgust", "fear", "neutral"]


def test_no_word_means_two_expressions():
    """Two languages may share one, as Spanish and Portuguese do."""
    words = [
        {plain(word) for names in by_language.values() for word in names}
        for by_language in TABLE.values()
    ]
    found = Counter(word for own in words for word in own)
    assert {word: count for word, count in found.items() if count > 1 or not word} == {}


def test_no_word_stands_twice_in_a_language():
    for language in CODES:
        words = Counter(plain(word) for names in TABLE.values() for word in names[language])
        assert {word for word, count in words.items() if count > 1} == set(), language


def test_the_expressions_are_ours_and_contempt():
    assert list(TABLE) == [*MEANT, "contempt"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_language_mean_what_they_say(language):
    assert [meaning(word) for word in LANGUAGES[language].split()] == MEANT


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("01-neutral", "neutral"),
        ("[Angry]", "anger"),
        ("(3) JOY", "happiness"),
        ("Happy_2", "happiness"),
        ("en colère", "anger"),
        ("KIZGIN", "anger"),  # dotless and dotted i are one letter here
        ("İğrenme", "disgust"),
        ("U\u0308berraschung", "surprise"),  # an accent of its own, as macOS writes names
        ("Ａｎｇｅｒ", "anger"),
        ("６_恐怖", "fear"),
        ("contempt", "contempt"),
        ("unhappy", None),
        ("not happy", None),
        ("happy sad", None),
        ("AN", None),
        ("4", None),
        ("", None),
        ("\udcff", None),
    ],
)
def test_case_accents_numbers_and_brackets_do_not_matter_and_other_words_do(word, meant):
    assert meaning(word) == meant


# What drawings call the six, neutral and contempt: as a speaker would write them below a picture.
DRAWN = {
    "en": "happiness surprise sadness anger disgust fear neutral contempt",
    "de": "Freude Überraschung Trauer Wut Ekel Angst neutral Verachtung",
    "fr": "joie surprise tristesse colère dégoût peur neutre mépris",
    "es": "alegría sorpresa tristeza enfado asco miedo neutral desprecio",
    "it": "gioia sorpresa tristezza rabbia disgusto paura neutrale disprezzo",
    "pt": "alegria surpresa tristeza raiva nojo medo neutro desprezo",
    "tr": "mutluluk şaşkınlık üzüntü öfke iğrenme korku nötr küçümseme",
    "zh": "高兴 惊讶 悲伤 愤怒 厌恶 恐惧 中性 轻蔑",
    "ja": "喜び 驚き 悲しみ 怒り 嫌悪 恐れ 無表情 軽蔑",
}


@pytest.mark.parametrize("language", DRAWN)
def test_an_expression_is_called_by_its_name_in_a_language(language):
    named = [called(label, language) for label in [*MEANT, "contempt"]]
    assert named == DRAWN[language].split()
    assert [called(word, language) for word in ("asleep", "", "Happy")] == ["asleep", "", "Happy"]


def test_every_table_has_all_languages():
    assert sorted(CODES) == sorted(DRAWN)
    for name, texts in (TABLE | CAPTIONS).items():
        assert texts.keys() == {*CODES}, name
        assert all(texts.values()), name


@pytest.mark.parametrize("key", CAPTIONS)
def test_a_caption_has_the_same_blanks_in_all_languages(key):
    blanks = {code: sorted(re.findall(r"\{\d\}", text)) for code, text in CAPTIONS[key].items()}
    assert len({tuple(own) for own in blanks.values()}) == 1
    assert all(re.sub(r"\{\d\}", "", text).count("{") == 0 for text in CAPTIONS[key].values())


def test_what_is_said_of_any_face_is_a_caption():
    assert [called(word, "fr") for word in ("uncertain", "no face")] == [
        "incertain",
        "aucun visage",
    ]
    assert called("uncertain") == "uncertain"
    assert caption("channel", "de", 3, "0", "1.5") == "Kanal 3: 0 bis 1.5"


def test_the_letters_of_a_language_are_all_that_it_writes():
    assert {*"şıİ"} & {*letters("tr")} == {*"şı"}
    assert {*"高兴惊讶不确定"} <= {*letters("zh")}
    assert " " not in letters("fr")
    assert letters("en").isascii()
