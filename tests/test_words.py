"""The words for expressions: a table that a person wrote, so its faults are looked for here."""

import tomllib
from collections import Counter
from pathlib import Path

import pytest

import mien.words
from mien.words import meaning, plain

TABLE = tomllib.loads(
    (Path(mien.words.__file__).parent / "expressions.toml").read_text(encoding="utf-8")
)
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


def test_no_word_means_two_expressions_or_stands_twice():
    words = Counter(plain(word) for names in TABLE.values() for word in names)
    assert {word: count for word, count in words.items() if count > 1 or not word} == {}


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
