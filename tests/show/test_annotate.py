"""What is drawn is in the right place, to scale, readable, and nowhere else."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from mien.faces import align, boxes
from mien.faces.boxes import Box, Detection
from mien.labels import LABELS, NEUTRAL
from mien.recognize.results import Face, Picture
from mien.show import heatmap, layout, style
from mien.show.annotate import annotate, enlargement

MOUTH, EYE = (31.6, 48.7), (16.6, 21.5)  # in the crop, as in the template
SCORES = np.array([0.5, 0.2, 0.12, 0.09, 0.06, 0.03], dtype=np.float32)


def spot(at, sigma=3.0):
    """Maps of the six classes, 64x64, each hot at one place only."""
    y, x = np.mgrid[:64, :64]
    bump = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * sigma**2))
    return np.repeat(bump[None], 6, axis=0).astype(np.float32)


def face_at(left, top, side, turn=0.0, maps=None):
    """A face in a square box, its template turned about the middle by some degrees."""
    middle = np.array([left + side / 2, top + side / 2])
    a = np.deg2rad(turn)
    spin = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    points = (align.TEMPLATE - 31.5) @ spin.T * (side / 64) + middle
    landmarks = points.astype(np.float32)
    detection = Detection(Box(left, top, left + side, top + side), landmarks, 0.9)
    crop = np.zeros((64, 64, 3), dtype=np.uint8)
    return Face(detection, SCORES, 0.25, crop, align.similarity(landmarks), maps)


def expected_point(face, points, zoom):
    """The middle of some landmarks, in pixels of the enlarged picture."""
    return (face.landmarks[points].mean(axis=0) + 0.5) * zoom - 0.5


def picture_of(rgb, *faces):
    return Picture("", rgb.shape[1], rgb.shape[0], faces)


def grey(height, width, value=128):
    return np.full((height, width, 3), value, dtype=np.uint8)


def cut(rgb, box):
    return rgb[round(box.top) : round(box.bottom), round(box.left) : round(box.right)]


def within(box, width, height):
    return box.left >= 0 and box.top >= 0 and box.right <= width and box.bottom <= height


def luminance(rgb):
    """Relative luminance, WCAG 2.2."""
    c = np.asarray(rgb, dtype=np.float64) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("turn", [0, 30, -75])
@pytest.mark.parametrize(("place", "points"), [(MOUTH, [3, 4]), (EYE, [0])])
@pytest.mark.parametrize(("size", "side"), [((600, 900), 240), ((150, 250), 60)])
def test_the_heat_map_lands_on_the_landmarks_of_a_turned_face(turn, place, points, size, side):
    rgb = grey(*size)
    face = face_at(size[1] * 0.3, size[0] * 0.3, side, turn, spot(place))
    picture = picture_of(rgb, face)
    cold, hot = (annotate(rgb, picture, heatmap=on).astype(int) for on in (False, True))
    zoom = enlargement(size[1], size[0])
    x, y = np.rint(expected_point(face, points, zoom)).astype(int)
    assert (cold[y, x] == 128).all()
    change = np.abs(hot - cold).sum(axis=2).astype(float)
    change[:, round(face.box.right * zoom) :] = 0  # the panel, which also differs by its legend
    y, x = np.mgrid[: change.shape[0], : change.shape[1]]
    centre = np.array([(change * x).sum(), (change * y).sum()]) / change.sum()
    expected = expected_point(face, points, zoom)
    np.testing.assert_allclose(centre, expected, atol=0.005 * side * zoom)
    distance = np.hypot(x - expected[0], y - expected[1])
    assert change[distance > 0.25 * side * zoom].max() == 0  # 16 of the crop's 64 pixels


def test_the_heat_map_keeps_the_face_visible_and_ends_softly():
    rgb = grey(200, 200, 0)
    rgb[::2] = 255  # stripes stand for a face
    matrix = np.array([[1, 0, -60], [0, 1, -60]], dtype=np.float32)
    heatmap.blend_heatmap(rgb, np.ones((64, 64), dtype=np.float32), matrix)
    assert np.abs(np.diff(rgb[80:110, 90].astype(int), axis=0)).min() >= 0.3 * 255
    even = grey(400, 400)
    matrix = np.array([[1, 0, -60], [0, 1, -60]], dtype=np.float32) / 4  # a face of usual size
    heatmap.blend_heatmap(even, np.ones((64, 64), dtype=np.float32), matrix)
    assert np.abs(even[188, 188].astype(int) - 128).max() > 50  # the middle is hot
    rise = np.abs(even[188, 55:188].astype(int) - 128).sum(axis=1)  # from outside to the middle
    share = rise / rise[-1]
    assert ((share > 0.05) & (share < 0.95)).sum() >= 5  # pixels: its border is no edge


def test_a_place_without_evidence_is_left_as_it_was():
    rgb = np.random.default_rng(0).integers(0, 256, (400, 900, 3), dtype=np.uint8)
    nothing = np.full((6, 4, 4), -1, dtype=np.float32)
    for maps in (nothing, None):
        drawn = annotate(rgb, picture_of(rgb, face_at(100, 100, 200, maps=maps)))
        np.testing.assert_array_equal(drawn[110:290, 110:290], rgb[110:290, 110:290])


def test_hotter_is_lighter_all_along_the_colour_map():
    light = luminance(heatmap.colours(np.linspace(0, 1, 33, dtype=np.float32)))
    assert (np.diff(light) > 0).all()
    r, g, b = heatmap.colours(np.float32(0.6))
    assert r > g > b  # orange, so the channels are RGB


@pytest.mark.parametrize("size", [(400, 600), (60, 90)])
def test_the_picture_given_is_not_changed(size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    before = rgb.copy()
    drawn = annotate(rgb, picture_of(rgb, face_at(10, 10, 40, maps=spot(MOUTH))))
    np.testing.assert_array_equal(rgb, before)
    assert not np.shares_memory(drawn, rgb)
    rgb.flags.writeable = False  # as an array from Pillow may be
    np.testing.assert_array_equal(
        annotate(rgb, picture_of(rgb, face_at(10, 10, 40, maps=spot(MOUTH)))), drawn
    )


CORNERS = [(0, 0), (1, 0), (0, 1), (1, 1)]


@pytest.mark.parametrize(("right", "low"), CORNERS)
@pytest.mark.parametrize("over", [0, 30])
def test_in_every_corner_all_is_drawn_and_only_where_planned(right, low, over):
    rgb = grey(500, 700)
    left = 700 - 150 + over if right else -over
    top = 500 - 150 + over if low else -over
    picture = picture_of(rgb, face_at(left, top, 150))
    [plan] = layout.plan(picture)
    changed = (annotate(rgb, picture) != rgb).any(axis=2)
    x0, y0, x1, y1 = plan.link
    tie = Box(min(x0, x1) - 4, min(y0, y1) - 4, max(x0, x1) + 4, max(y0, y1) + 4)
    for box in (plan.frame, plan.chip, plan.panel, tie):
        assert within(box, 700, 500)
        assert cut(changed, box).any()
        changed[round(box.top) : round(box.bottom), round(box.left) : round(box.right)] = False
    assert not changed.any()


def test_the_bars_are_to_scale_and_in_the_order_of_the_labels():
    rgb = grey(800, 1200)
    picture = picture_of(rgb, face_at(100, 200, 300))
    [plan] = layout.plan(picture)
    bars = cut(annotate(rgb, picture), plan.panel)
    rows, lengths = [], []
    for name in (*LABELS, NEUTRAL):
        found = (bars == style.COLOURS[name]).all(axis=2)
        rows.append(np.nonzero(found)[0].mean())
        lengths.append(found.sum(axis=1).max())
    assert (np.diff(rows) > 0).all()
    assert rows[6] - rows[5] > 1.2 * (rows[5] - rows[4])  # neutral stands apart
    expected = np.array([*(0.75 * SCORES), 0.25])  # of the six what is not neutral
    np.testing.assert_allclose(np.array(lengths) / lengths[0], expected / 0.375, atol=0.04)
    np.testing.assert_allclose(lengths[0], 0.375 * 5.6 * plan.panel_size, atol=2)


def test_frame_and_label_have_the_colour_of_what_the_face_shows():
    rgb = grey(500, 700)
    face = face_at(100, 150, 200)
    for shown, name in ((face, "happiness"), (replace(face, neutral=0.83), NEUTRAL)):
        picture = picture_of(rgb, shown)
        [plan] = layout.plan(picture)
        drawn = annotate(rgb, picture)
        assert plan.text == {"happiness": "happiness 38%", NEUTRAL: "neutral 83%"}[name]
        plate = (cut(drawn, plan.chip) == style.COLOURS[name]).all(axis=2)
        assert plate.mean() > 0.5
        assert tuple(drawn[250, 100]) == style.COLOURS[name]


def test_faces_in_rows_all_get_panels_that_cover_no_face_and_no_label():
    faces = [
        face_at(80 + 450 * i, 80 + 440 * j, 150, maps=spot(EYE)) for j in (0, 1) for i in range(3)
    ]
    plans = layout.plan(picture_of(grey(880, 1360), *faces))
    assert all(plan.panel and plan.legend for plan in plans)
    assert len({plan.panel_size for plan in plans}) == 1
    placed = [box for plan in plans for box in (plan.frame, plan.chip, plan.panel)]
    assert all(boxes.intersection(a, b) == 0 for a, b in combinations(placed, 2))


def test_all_labels_of_a_picture_have_one_size():
    # side by side, the labels of the first two would lie on each other at their usual size
    faces = [face_at(100, 100, 150), face_at(260, 100, 150), face_at(700, 300, 90)]
    plans = layout.plan(picture_of(grey(700, 1400), *faces))
    assert len({plan.size for plan in plans}) == 1
    chips = [plan.chip for plan in plans]
    assert all(boxes.intersection(a, b) == 0 for a, b in combinations(chips, 2))
    assert [plan.text for plan in plans] == [f"{number}  happiness 38%" for number in range(3)]


def test_a_map_without_a_panel_is_drawn_only_where_the_label_names_it():
    calm, happy = face_at(20, 60, 40, maps=spot(MOUTH)), face_at(160, 60, 40, maps=spot(MOUTH))
    calm = replace(calm, neutral=0.9)
    picture = picture_of(grey(330, 330), calm, happy)
    plans = layout.plan(picture)
    assert [plan.panel for plan in plans] == [None, None]
    drawn = annotate(grey(330, 330), picture)
    for face, shown in ((calm, False), (happy, True)):
        x, y = np.rint(face.landmarks[3:].mean(axis=0)).astype(int)
        assert (drawn[y, x] != 128).any() == shown


def test_in_a_crowd_only_frames_and_labels_are_left():
    faces = [face_at(20 + 120 * i, 40 + 120 * j, 50) for j in range(6) for i in range(9)]
    plans = layout.plan(picture_of(grey(740, 1100), *faces))
    assert [plan.panel for plan in plans] == [None] * 54
    placed = [box for plan in plans for box in (plan.frame, plan.chip)]
    assert all(within(box, 1100, 740) for box in placed)
    assert sum(boxes.intersection(a, b) for a, b in combinations(placed, 2)) == 0


def test_a_small_face_gets_a_label_that_can_be_read_and_no_panel():
    large, small = face_at(20, 60, 150), face_at(450, 40, 20)
    plans = layout.plan(picture_of(grey(400, 600), large, small))
    assert [plan.panel is None for plan in plans] == [False, True]
    assert plans[1].text == "1  happiness 38%"
    assert min(plan.size for plan in plans) >= 12
    assert min(plan.panel_size for plan in plans) >= 12


def test_a_panel_over_its_own_large_face_spares_eyes_nose_and_mouth():
    face = face_at(100, 100, 400)
    [plan] = layout.plan(picture_of(grey(600, 600), face))
    assert 0 < boxes.intersection(plan.panel, plan.frame) <= 0.3 * 400 * 400
    for x, y in face.landmarks:
        assert boxes.intersection(plan.panel, Box(x - 20, y - 20, x + 20, y + 20)) == 0


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_every_letter_can_be_read_on_any_picture(ground):
    rgb = grey(800, 1200, ground)
    picture = picture_of(rgb, face_at(100, 200, 300, maps=spot(MOUTH)))
    [plan] = layout.plan(picture)
    panel = cut(annotate(rgb, picture), plan.panel)
    em = plan.panel_size
    plate = panel[em // 2, em]
    names = panel[: round(11.5 * em), round(0.75 * em) : 6 * em]
    caption = panel[-round(1.8 * em) :, round(0.75 * em) : -em]
    chosen = names[em // 2 : 2 * em].reshape(-1, 3)
    other = names[round(2.2 * em) : round(3.4 * em)].reshape(-1, 3)
    for letters, least in ((chosen, 7), (other, 4.5), (caption.reshape(-1, 3), 4.5)):
        assert contrast(letters[luminance(letters).argmax()], plate) >= least
    for colour in style.COLOURS.values():
        assert contrast(style.DARK, colour) >= 4.5


def test_letters_and_lines_grow_with_a_large_picture():
    rgb = grey(4000, 6000)
    picture = picture_of(rgb, face_at(1000, 1000, 1500, maps=spot(MOUTH)))
    [plan] = layout.plan(picture)
    assert plan.panel_size >= 60  # a hundredth of the width: 12 pixels when shown at 1200
    drawn = annotate(rgb, picture)
    assert drawn.shape == rgb.shape
    row = (drawn[2000, 900:1100] == style.COLOURS["happiness"]).all(axis=1)
    assert 10 <= row.sum() <= 40


def test_a_tiny_picture_is_enlarged_until_its_label_can_be_read():
    rgb = grey(60, 90)
    picture = picture_of(rgb, face_at(10, 10, 40))
    drawn = annotate(rgb, picture)
    assert drawn.shape == (480, 720, 3)
    [plan] = layout.plan(picture, enlargement(90, 60))
    assert plan.frame == Box(80, 80, 400, 400)
    assert plan.size >= 12
    assert plan.panel
    assert (cut(drawn, plan.chip) == style.COLOURS["happiness"]).all(axis=2).mean() > 0.5
    bare = annotate(rgb, replace(picture, faces=()))
    assert (bare == 128).all()


@pytest.mark.parametrize("size", [(1, 300), (1, 5000), (5000, 1), (8, 320)])
def test_a_picture_too_narrow_for_letters_still_gets_its_frame(size):
    rgb = grey(*size)
    picture = picture_of(rgb, face_at(0, 0, 1))
    drawn = annotate(rgb, picture)
    zoom = enlargement(size[1], size[0])
    [plan] = layout.plan(picture, zoom)
    assert (plan.chip, plan.panel) == (None, None)
    assert drawn.shape == (size[0] * zoom, size[1] * zoom, 3)
    assert (drawn[0, :zoom] != 128).any()


def test_a_face_outside_the_picture_changes_nothing():
    rgb = np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    faces = [
        face_at(*at, 100, maps=spot(MOUTH)) for at in ((-300, 0), (900, 0), (0, 700), (0, -300))
    ]
    np.testing.assert_array_equal(annotate(rgb, picture_of(rgb, *faces)), rgb)


def test_another_picture_than_the_one_read_is_refused():
    with pytest.raises(ValueError, match=r"\(400, 600, 3\) uint8, this is \(600, 400, 3\)"):
        annotate(grey(600, 400), picture_of(grey(400, 600)))


def test_a_label_below_neutral_says_both_and_both_are_lit():
    rgb = grey(600, 900)
    face = replace(face_at(200, 200, 240), neutral=0.4)  # 0.6 of 0.5 is 0.3
    picture = picture_of(rgb, face)
    [plan] = layout.plan(picture)
    assert plan.text == "happiness 30%, neutral 40%"
    size = plan.panel_size
    drawn = cut(annotate(rgb, picture), plan.panel)
    lit = {
        name: drawn[round((0.75 + 1.4 * number + 0.5 * (number == 6)) * size) :][
            : round(1.4 * size)
        ]
        for number, name in enumerate((*LABELS, NEUTRAL))
    }
    letters = {name: int(row[:, : 6 * size].min(axis=2).max()) for name, row in lit.items()}
    assert {name for name, most in letters.items() if most > 220} == {"happiness", NEUTRAL}
