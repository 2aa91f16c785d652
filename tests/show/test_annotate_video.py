"""What is drawn on a video is where the faces are, can be read, and does not jump."""

from dataclasses import replace

import numpy as np
import pytest

from mien.faces.boxes import Box, intersection
from mien.labels import LABELS
from mien.recognize.results import VideoFrame
from mien.show import style
from mien.show.annotate import Overlay
from mien.show.style import COLOURS, Masks, Sprite, paint
from mien.show.video_layout import SteadyPanels, VideoLayout
from tests.show.test_annotate import SCORES, face_at, spot

MAPS = spot((31.6, 48.7))


def faced(left, top, side, track=0, maps=None):
    return replace(face_at(left, top, side, maps=maps), track=track)


def frame_of(*faces, size=(1280, 720), number=0, value=128):
    rgb = np.full((size[1], size[0], 3), value, dtype=np.uint8)
    return VideoFrame(number, number / 25, faces, rgb)


def settled(overlay, *faces, size=(1280, 720), frames=12):
    """Draw the same faces for half a second and return the last frame."""
    for number in range(frames):
        drawn = overlay.draw(frame_of(*faces, size=size, number=number))
    return drawn


def where(drawn, colour):
    """The box about the pixels of a colour: left, top, right, bottom."""
    rows, columns = np.nonzero((drawn == colour).all(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_a_mask_mixes_its_colour_in_and_is_cut_at_the_edge():
    canvas = np.full((3, 4, 3), 100, dtype=np.uint8)
    mask = np.array([[255, 51], [0, 255]], dtype=np.uint8)
    paint(canvas, mask, (200, 0, 100), 1, 1)
    assert canvas[1, 1].tolist() == [200, 0, 100]
    assert canvas[1, 2].tolist() == [120, 80, 100]  # a fifth of the way
    assert canvas[2, 1].tolist() == [100, 100, 100]
    assert canvas[2, 2].tolist() == [200, 0, 100]
    for left, top in [(-1, -1), (3, 2), (-5, 0), (0, 9)]:
        edge = np.full((3, 4, 3), 100, dtype=np.uint8)
        paint(edge, mask, (200, 0, 100), left, top)
        assert (edge != 100).any(axis=2).sum() == {(-1, -1): 1, (3, 2): 1}.get((left, top), 0)


def test_a_sprite_lies_as_its_masks_would():
    canvas = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    mask = np.random.default_rng(1).integers(0, 256, (9, 12), dtype=np.uint8)
    expected = canvas.copy()
    paint(expected, mask, (250, 10, 99), 5, 6)
    paint(expected, mask[:4], (0, 200, 0), 7, 8)
    sprite = Sprite(14, 9)
    sprite.add(mask, (250, 10, 99), 0, 0)
    sprite.add(mask[:4], (0, 200, 0), 2, 2)
    sprite.draw(canvas, 5, 6)
    assert np.abs(canvas.astype(int) - expected).max() <= 1


def test_masks_are_kept_but_not_without_end(monkeypatch):
    made = []
    monkeypatch.setattr(style, "_KEPT", 3)
    monkeypatch.setattr(
        style, "_word", lambda text, size, font: made.append(text) or np.zeros((1, 1))
    )
    kept = Masks()
    for text in "aabbaabc":
        kept.word(text, 12)
    assert made == ["a", "b", "c"]
    for text in "dabc":
        kept.word(text, 12)
    assert made == ["a", "b", "c", "d", "a", "b", "c"]


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (3840, 2160), (720, 1280)])
def test_the_frame_is_on_the_box_and_grows_with_the_video(size):
    side = size[1] // 4
    drawn = Overlay().draw(frame_of(faced(200, 100, side), size=size))
    left, _, right, bottom = where(drawn, COLOURS["happiness"])
    assert (left, bottom) == (200, 100 + side)
    assert right >= 200 + side
    line = 0
    while (drawn[100 + side // 2, 200 + line] == COLOURS["happiness"]).all():
        line += 1
    assert line == max(2, round(0.16 * max(12, round((size[0] * size[1]) ** 0.5 / 60))))


def test_without_a_face_the_frame_is_left_as_it_was():
    nothing = frame_of(value=77)
    drawn = Overlay().draw(nothing)
    np.testing.assert_array_equal(drawn, nothing.rgb)
    assert drawn is not nothing.rgb


def test_the_pixels_of_the_frame_are_left_as_they_were():
    seen = frame_of(faced(300, 200, 200, maps=MAPS))
    Overlay(landmarks=True).draw(seen)
    assert (seen.rgb == 128).all()


def test_the_heat_map_is_over_its_face_only_when_it_is_wanted():
    face = faced(300, 200, 200, maps=MAPS)
    x, y = (face.landmarks[3:].mean(axis=0)).round().astype(int)
    assert (Overlay().draw(frame_of(face))[y, x] != 128).all()
    assert (Overlay(heatmap=False).draw(frame_of(face))[y, x] == 128).all()


def test_landmarks_are_marked_where_they_are():
    face = faced(300, 200, 200)
    plain, marked = (Overlay(landmarks=on).draw(frame_of(face)).copy() for on in (False, True))
    changed = (plain != marked).any(axis=2)
    for x, y in face.landmarks:
        assert changed[round(y), round(x)]
    rows, columns = np.nonzero(changed)
    nearest = np.hypot(
        columns[:, None] - face.landmarks[:, 0], rows[:, None] - face.landmarks[:, 1]
    ).min(axis=1)
    assert nearest.max() < 6


def test_a_panel_comes_after_a_while_and_its_bars_are_as_long_as_the_scores():
    overlay = Overlay()
    face = faced(300, 200, 260)
    first = overlay.draw(frame_of(face)).copy()
    assert (first[200:450, 600:] == 128).all()
    drawn = settled(overlay, face)
    length = []
    for label in LABELS[1:4]:  # of surprise 15 %, sadness 9 %, anger 7 %: three quarters
        left, _, right, _ = where(drawn, COLOURS[label])
        length.append(right - left)
    whole = 5.6 * 16  # em of a video of 1280 x 720
    np.testing.assert_allclose(length, 0.75 * SCORES[1:4] * whole, atol=2.5)


def test_a_panel_explains_the_heat_map_only_where_there_is_one():
    heights = []
    for heatmap, maps in ((True, MAPS), (True, None), (False, MAPS)):
        drawn = settled(Overlay(heatmap), faced(300, 200, 260, maps=maps))
        rows = np.nonzero((drawn[:, 700] != 128).any(axis=1))[0]
        heights.append(rows.max() - rows.min() + 1)
    assert heights == [229, 189, 189]  # em of 16: 14.3 with the legend, 11.8 without


def test_a_small_video_is_enlarged_as_a_picture_is():
    drawn = Overlay().draw(frame_of(faced(30, 20, 60), size=(160, 90)))
    assert drawn.shape == (360, 640, 3)
    assert where(drawn, COLOURS["happiness"])[0] == 120


def places(*, size=(1280, 720), extent=(200, 180)):
    return SteadyPanels(size, extent, 16)


def at(where, time_s, *boxes):
    """Ask for places of faces whose boxes are (left, top, side), numbered from 0."""
    faces = [faced(*box, track=number) for number, box in enumerate(boxes)]
    panels = where.place(faces, [face.box for face in faces], time_s)
    return {track: (round(box.left), round(box.top)) for track, box in panels.items()}


def test_a_panel_goes_right_of_its_face_else_left_else_nowhere():
    cases = [((300, 200, 200), (508, 200)), ((1000, 200, 200), (792, 200))]
    for box, expected in cases:
        where = places()
        assert at(where, 0, box) == {}
        assert at(where, 0.29, box) == {}
        assert at(where, 0.31, box) == {0: expected}
    where = places(size=(400, 300))
    at(where, 0, (100, 50, 200))
    assert at(where, 1, (100, 50, 200)) == {}
    where = places()  # a face of half the panel's height is too small for it
    at(where, 0, (300, 200, 70))
    assert at(where, 1, (300, 200, 70)) == {}


def test_a_panel_keeps_its_side_while_the_face_trembles_at_the_edge():
    where = places()
    sides = set()
    for number in range(200):
        x = 868 + 6 * np.sin(number)  # right of it there is room for 200 pixels now, now not
        found = at(where, number / 25, (x, 200, 200))
        if found:
            sides.add(found[0][0] > x)
    assert sides == {True}


def test_a_panel_glides_and_does_not_jump():
    where = places()
    left = []
    for number in range(100):
        x = 300 + 2 * number + 5 * (-1) ** number  # moves on, and trembles by 10 pixels
        found = at(where, number / 25, (x, 200, 200))
        if found:
            left.append(found[0][0])
    steps = np.diff(left)
    assert len(left) > 80
    assert np.abs(steps).max() <= 7
    assert left[-1] == pytest.approx(300 + 2 * 99 + 208, abs=12)


def test_no_panel_covers_another_face_or_panel():
    where = places()
    boxes = [(100, 100, 200), (320, 100, 200), (700, 300, 200)]
    at(where, 0, *boxes)
    found = at(where, 1, *boxes)
    assert len(found) >= 2
    drawn = [Box(x, y, x + 200, y + 180) for x, y in found.values()]
    drawn += [Box(x, y, x + side, y + side) for x, y, side in boxes]
    for i, one in enumerate(drawn):
        assert all(intersection(one, other) == 0 for other in drawn[:i])


def test_a_panel_gives_way_to_a_face_that_comes():
    where = places()
    at(where, 0, (300, 200, 200))
    assert at(where, 1, (300, 200, 200)) == {0: (508, 200)}
    found = at(where, 1.04, (300, 200, 200), (540, 220, 150))
    assert 0 not in found
    assert at(where, 1.4, (300, 200, 200), (540, 220, 150))[0] == (92, 200)


def chips_of(layout, *boxes, time_s=0.0):
    faces = [faced(*box, track=number) for number, box in enumerate(boxes)]
    return [plan.chip for plan in layout.plan(faces, 1, time_s)]


def test_a_label_goes_where_it_covers_no_other_face_and_stays_there():
    layout = VideoLayout((1280, 720), legend=False)
    above, alone = (400, 100, 150), (420, 270, 150)  # the label of the second would be on the first
    first, second = chips_of(layout, above, alone)
    assert (first.bottom, second.top) == (100, 420)  # above its frame, and below
    assert intersection(first, Box(420, 270, 570, 420)) == 0
    assert chips_of(layout, (400, 90, 150), alone, time_s=0.04)[1].top == 420
    assert chips_of(VideoLayout((1280, 720), legend=False), alone)[0].bottom == 270


def test_a_panel_is_tied_to_its_face():
    overlay, face = Overlay(), faced(300, 200, 260)
    drawn = settled(overlay, face)
    gap = drawn[:, 562:566]  # between the frame, which ends at 560, and the panel at 568
    tied = (gap == COLOURS["happiness"]).all(axis=(1, 2))
    assert 2 <= tied.sum() <= 5  # the line is about as wide as the frame's, of 3 pixels
    assert 200 < np.flatnonzero(tied).mean() < 460


def test_a_map_that_nothing_names_is_not_drawn():
    calm = replace(faced(300, 200, 260, maps=MAPS), neutral=0.9)  # neutral, over a map of happiness
    x, y = (calm.landmarks[3:].mean(axis=0)).round().astype(int)
    overlay = Overlay()
    assert (overlay.draw(frame_of(calm))[y, x] == 128).all()  # it has no panel yet
    assert (settled(overlay, calm)[y, x] != 128).any()  # now its panel says of what it is


def test_what_is_gone_is_forgotten():
    where = places()
    for number in range(1000):
        face = faced(300, 200, 200, track=number)
        where.place([face], [face.box], number)
    assert len(where._places) == 1


def test_a_panel_that_is_pushed_leaves_the_label_of_its_own_face_free():
    layout = VideoLayout((1280, 720), legend=True)
    covered = []
    for number in range(90):  # it rises, below the panel above it, between two other faces
        top = 330 - 3 * number
        faces = (
            faced(520, top, 200, maps=MAPS),
            faced(300, max(top, 100), 200, 1),
            faced(740, max(top, 100), 200, 2),
            faced(520, top + 215, 200, 3),
        )
        plan = layout.plan(faces, 1, number / 25)[0]
        if plan.panel:
            share = intersection(plan.panel, plan.chip) / (plan.chip.width * plan.chip.height)
            covered.append(share)
    assert len(covered) > 5  # it has a panel at first
    assert max(covered) <= 0.1
