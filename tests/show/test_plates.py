"""What the plates of faces say: the number of each, its label, and what a number belongs to."""

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest

from mien.faces.boxes import Box, intersection
from mien.labels import FER2013, LABELS, NEUTRAL, LabelSet, Rule
from mien.show import layout
from mien.show.annotate import annotate
from mien.show.panel import Panel, measure
from mien.show.placement import classes_said, label_text, label_texts
from mien.show.style import Masks, text_width
from mien.show.video_layout import VideoLayout
from mien.show.writing import Writing
from tests.show.test_annotate import cut, face_at, grey, picture_of, spot, within
from tests.show.test_annotate_video import faced

UNSURE = np.array([0.2, 0.1, 0.4, 0.1, 0.1, 0.1], dtype=np.float32)
RULE = Rule(neutral_above=0.5, certain_from=0.48)
CALMER, SHORT = "uncertain: sadness 22%, neutral 44%", "uncertain: sadness 36%"


def unsure(face, neutral=0.44):
    """The same face, whose best expression is too weak: sadness, 0.4 of what is not neutral."""
    return replace(face, values=UNSURE, neutral=neutral, rule=RULE)


def test_of_an_uncertain_face_the_number_has_its_expression_before_it():
    face = face_at(0, 0, 100)
    assert label_text(unsure(face)) == CALMER
    assert label_text(unsure(face, 0.1)) == SHORT
    assert label_text(face) == "happiness 38%"
    assert list(unsure(face).named) == ["uncertain", NEUTRAL]  # the values of old
    assert classes_said(unsure(face)) == {"sadness": pytest.approx(0.224), NEUTRAL: 0.44}


def test_where_the_calm_class_is_scored_too_it_may_be_the_likeliest():
    values = np.array([0.1, 0.1, 0.1, 0.2, 0.1, 0.1, 0.3], dtype=np.float32)
    face = replace(face_at(0, 0, 100), values=values, labels=FER2013, rule=RULE)
    assert label_text(face) == "uncertain: neutral 30%"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "unsicher: Trauer 22%, neutral 44%"),
        ("fr", "incertain : tristesse 22%, neutre 44%"),
        ("es", "incierto: tristeza 22%, neutral 44%"),
        ("it", "incerto: tristezza 22%, neutrale 44%"),
        ("pt", "incerto: tristeza 22%, neutro 44%"),
        ("tr", "belirsiz: üzüntü 22%, nötr 44%"),
        ("zh", "不确定：悲伤 22%, 中性 44%"),
        ("ja", "不明：悲しみ 22%, 無表情 44%"),
    ],
)
def test_an_uncertain_face_is_named_in_every_language(language, said):
    assert label_text(unsure(face_at(0, 0, 100)), Writing(language)) == said


def test_behind_a_word_from_right_to_left_its_number_stays_its_own():
    own = LabelSet(("غضب", "open"))
    values = np.array([0.45, 0.55], dtype=np.float32)
    face = replace(face_at(0, 0, 100), values=values, labels=own, rule=Rule(certain_from=0.6))
    assert label_text(face) == "uncertain: open 55%"
    # after the mark a line goes on from left to right: else it would read 55, the word, then %
    face = replace(face, values=values[::-1])
    assert label_text(face) == "uncertain: غضب \u200e55%"


def lit(face):
    """The rows of a panel whose names are bright."""
    size = 20
    width, height = measure(size, False, face.labels)
    canvas = np.zeros((height, width, 3), np.uint8)
    Panel(size, False, face.labels, Masks()).draw(canvas, face, 0, 0)
    tops = [round((0.75 + 1.4 * n + 0.5 * (n == 6)) * size) for n in range(7)]
    names = [canvas[top : top + 28, : 6 * size].min(axis=2).max() for top in tops]
    numbers = [canvas[top : top + 28, -4 * size :].min(axis=2).max() for top in tops]
    bright = [{n for n, most in enumerate(found) if most > 200} for found in (names, numbers)]
    assert bright[0] == bright[1]
    return {(*LABELS, NEUTRAL)[n] for n in bright[0]}


def test_the_rows_that_the_label_names_are_lit():
    face = face_at(0, 0, 100)
    assert lit(unsure(face)) == {"sadness", NEUTRAL}
    assert lit(unsure(face, 0.1)) == {"sadness"}
    assert lit(face) == {"happiness"}


def test_in_a_picture_of_several_each_face_has_the_number_of_the_table():
    faces = [face_at(60, 100, 150), unsure(face_at(800, 100, 150)), unsure(face_at(500, 500, 60))]
    picture = picture_of(grey(700, 1400), *faces)
    plans = layout.plan(picture)
    said = ["0  happiness 38%", f"1  {CALMER}", f"2  {CALMER}"]
    assert [plan.text for plan in plans] == said
    assert [plan.panel is None for plan in plans] == [False, False, True]
    assert [row[:2] for row in picture.rows()] == [["", number] for number in range(3)]
    alone = layout.plan(picture_of(grey(700, 1400), faces[1]))
    assert [plan.text for plan in alone] == [CALMER]


def test_a_number_is_drawn_on_its_plate():
    faces = [face_at(60, 100, 150), face_at(800, 100, 150)]
    picture = picture_of(grey(700, 1400), *faces)
    drawn = annotate(grey(700, 1400), picture)
    zero, one = (cut(drawn, plan.chip) for plan in layout.plan(picture))
    digit = round(1.2 * layout.plan(picture)[0].size)
    assert (zero[:, :digit] != one[:, :digit]).any()
    np.testing.assert_array_equal(zero[:, -4 * digit :], one[:, -4 * digit :])


def apart(chips, frames):
    """Whether no plate covers another one or the frame of another face."""
    pairs = [*combinations(chips, 2)]
    pairs += [(a, b) for i, a in enumerate(chips) for j, b in enumerate(frames) if i != j]
    return sum(intersection(a, b) for a, b in pairs) == 0


def test_where_there_is_no_room_a_plate_says_less_and_at_last_its_number():
    face = unsure(face_at(0, 0, 100))
    assert label_texts(face, 12) == [f"12  {CALMER}", "12  uncertain", "12"]
    assert label_texts(face, None) == [CALMER, "uncertain"]
    crowd = [unsure(face_at(20 + 46 * i, 40 + 90 * j, 40)) for j in range(4) for i in range(6)]
    plans = layout.plan(picture_of(grey(420, 330), *crowd))
    assert all(plan.text in label_texts(crowd[n], n) for n, plan in enumerate(plans))
    assert sum(plan.text.isdecimal() for plan in plans) >= 8
    assert apart([plan.chip for plan in plans], [plan.frame for plan in plans])
    assert all(within(plan.chip, 330, 420) for plan in plans)


def films(*faces, size=(640, 360), layout=None, time_s=0.0):
    """The texts and plates of a frame."""
    plans = (layout or VideoLayout(size, legend=False)).plan(faces, 1, time_s)
    return [plan.text for plan in plans], [plan.chip for plan in plans]


def test_in_a_film_every_label_begins_with_its_track():
    texts, _ = films(faced(60, 120, 90, track=7))
    assert texts == ["7  happiness 38%"]
    texts, _ = films(faced(60, 120, 90, track=12), unsure(faced(400, 120, 90, track=3)))
    assert texts == ["12  happiness 38%", f"3  {CALMER}"]
    assert films(face_at(60, 120, 90))[0] == ["happiness 38%"]  # no track, no number


def test_plates_of_a_film_say_less_before_they_cover_each_other():
    row = [unsure(faced(10 + 105 * i, 120, 90, track=i)) for i in range(6)]
    texts, chips = films(*row)
    assert texts[0] == f"0  {CALMER}"
    assert len(set(texts)) == 6
    assert any(text != f"{number}  {CALMER}" for number, text in enumerate(texts))
    assert apart(chips, [face.box for face in row])
    assert all(within(chip, 640, 360) for chip in chips)


def test_a_plate_that_says_less_does_not_flicker():
    steady, said = VideoLayout((640, 360), legend=False), []
    shown, below = unsure(faced(10, 120, 60, track=0)), faced(10, 181, 200, track=2)
    for number in range(60):  # the room beside it grows, and trembles by 12 pixels
        beside = faced(60 + 4 * number + 6 * (-1) ** number, 110, 200, track=1)
        texts, _ = films(beside, below, shown, layout=steady, time_s=number / 25)
        said.append(texts[2])
    assert [*dict.fromkeys(said)] == ["0", "0  uncertain", f"0  {CALMER}"]
    assert sum(a != b for a, b in pairwise(said)) == 2


@pytest.mark.parametrize("width", [180, 60])
def test_a_film_narrower_than_a_label_has_letters_within_their_plate(width):
    [text], [chip] = films(unsure(faced(10, 100, 50, track=3)), size=(width, 320))
    assert text == {180: "3  uncertain", 60: "3"}[width]
    assert text_width(text, 12) < chip.width
    assert within(chip, width, 320)


def test_a_map_is_not_drawn_where_the_plate_alone_is_there():
    small = unsure(face_at(100, 100, 40, maps=spot((31.6, 48.7))))
    [plan] = layout.plan(picture_of(grey(330, 330), small))
    assert (plan.panel, plan.text) == (None, CALMER)
    assert not plan.heat
    assert isinstance(plan.chip, Box)
