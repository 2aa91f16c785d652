from collections import Counter

import numpy as np
import pytest

from mien.data import manifest
from mien.data.datasets import Archive, read_listing
from mien.data.datasets.disfa import RULES, UNITS, expression
from mien.data.prepare.pipeline import prepare
from mien.data.prepare.record import Settings
from mien.errors import BadDataError, BadImageError
from tests.support.pictures import folder_of, zip_of
from tests.support.video_files import film

STILL = dict.fromkeys(UNITS, 0)


def shown(*units, at=3):
    return STILL | dict.fromkeys(units, at)


@pytest.mark.parametrize(
    ("units", "label"),
    [
        ((), "neutral"),
        ((6, 12), "happiness"),
        ((6, 12, 25, 26), "happiness"),
        ((1, 4, 15), "sadness"),
        ((1, 4, 15, 17), "sadness"),
        ((1, 2, 5, 26), "surprise"),
        ((4, 5), "anger"),
        ((9, 15), "disgust"),
        ((9, 17), "disgust"),
        ((9, 4), None),
        ((1, 2, 4, 5, 20, 26), "fear"),  # though surprise and anger fit too
        ((1, 2, 4, 5, 20, 25), "fear"),
        ((1, 2, 4, 5, 26), "surprise"),  # without 20 no fear; more units than anger
        ((12,), None),
        ((25,), None),
        ((4, 5, 6, 12), None),  # anger and happiness equally well
        ((4, 5, 9, 15), None),
    ],
)
def test_expressions_follow_from_action_units(units, label):
    assert expression(shown(*units)) == label


def test_weak_units_make_neither_an_expression_nor_a_neutral_face():
    assert expression(shown(6, 12, at=1)) is None
    assert expression(shown(6, 12, at=1), least=1) == "happiness"
    assert expression(shown(6, 12, at=2)) == "happiness"
    assert expression(shown(6, 12, at=2), least=3) is None


def test_the_rules_name_the_six_by_units_that_disfa_codes():
    assert len(RULES) == 6
    assert all(rule <= set(UNITS) for rules in RULES.values() for rule in rules)


FRAMES = 9
SMILES = {4, 5, 6, 7}  # counted from 1


def labels_of(subject):
    """Frames 1 to 9: still, a smile from 4 to 7, a raised brow at 9."""
    files = {}
    for unit in UNITS:
        strength = [3 if number in SMILES else 0 for number in range(1, FRAMES + 1)]
        if unit not in {6, 12}:
            strength = [0] * FRAMES
        if unit == 2:
            strength[8] = 4
        lines = "\n".join(f"{number},{s}" for number, s in enumerate(strength, start=1))
        files[f"ActionUnit_Labels/{subject}/{subject}_au{unit}.txt"] = lines.encode()
    return files


@pytest.fixture(scope="session")
def video(tmp_path_factory, portrait):
    """Nine frames of a face with a mark of its own shade; no face in the sixth."""
    pictures = []
    for number in range(1, FRAMES + 1):
        picture = np.full((240, 320, 3), 20 * number, dtype=np.uint8)
        if number != 6:
            picture[:, 40:280] = portrait[0:240, 100:340]
            picture[110:120, 150:160] = 20 * number  # a mark on the face
        pictures.append(picture)
    return film(tmp_path_factory.mktemp("film") / "a.avi", pictures, rate=20).read_bytes()


def disfa_files(video):
    return {
        "Video_LeftCamera/LeftVideoSN001_comp.avi": video,
        "Video_LeftCamera/LeftVideoSN002_comp.avi": video,
        "Video_RightCamera/RightVideoSN001_comp.avi": b"not looked at",
        **labels_of("SN001"),
        **labels_of("SN002"),
    }


@pytest.mark.parametrize("make", [zip_of, folder_of], ids=["zip", "folder"])
def test_frames_are_labelled_by_their_action_units(tmp_path, video, make):
    path = make(tmp_path / "disfa", disfa_files(video))
    with Archive(path) as archive:
        listing = read_listing("disfa", archive, {"every": 2})  # frames 1, 3, 5, 7, 9
        name = "Video_LeftCamera/LeftVideoSN00{0}_comp.avi/SN00{0}-0000{1}"
        assert [(i.original, i.label, i.subject) for i in listing.items] == [
            (name.format(person, number), label, f"SN00{person}")
            for person in (1, 2)
            for number, label in (
                (1, "neutral"),
                (3, "neutral"),
                (5, "happiness"),
                (7, "happiness"),
            )
        ]
        assert {item.split for item in listing.items} == {"train"}
        assert [(p.reason, p.detail) for p in listing.problems] == [
            ("no rule fits", "1 of 5 frames")
        ] * 2
        for item in listing.items[:4]:
            face = item.picture()
            assert abs(face.shape[0] - face.shape[1]) < 40
            assert 100 < max(face.shape) < 240  # the face and some room, not the whole frame


def test_a_damaged_frame_does_not_shift_the_labels(tmp_path, video):
    data = bytearray(video)
    starts = [i for i in range(len(data)) if data[i : i + 8] == b"\x89PNG\r\n\x1a\n"]
    data[starts[1] : starts[1] + 8] = b"--------"  # the second frame, and the third with it
    archives = [
        folder_of(tmp_path / name, disfa_files(bytes(content)))
        for name, content in (("whole", video), ("damaged", data))
    ]
    faces = []
    for path in archives:
        with Archive(path) as archive:
            items = read_listing("disfa", archive, {"every": 4}).items  # 1, 5 (and 9: no rule)
            faces.append(items[1].picture())
    np.testing.assert_array_equal(*faces)
    with Archive(archives[1]) as archive:
        items = read_listing("disfa", archive, {"every": 2}).items
        with pytest.raises(BadImageError, match=r"_comp\.avi has no number 3"):
            items[1].picture()


def test_a_frame_without_a_face_cannot_be_used_and_is_named(tmp_path, video):
    with Archive(folder_of(tmp_path, disfa_files(video))) as archive:
        items = read_listing("disfa", archive, {"every": 5}).items  # frames 1 and 6
        with pytest.raises(BadImageError, match=r"no face in frame 6 of .*SN001"):
            items[1].picture()


def test_a_subject_without_all_labels_is_left_out(tmp_path, video):
    files = disfa_files(video)
    del files["ActionUnit_Labels/SN002/SN002_au12.txt"]
    with Archive(folder_of(tmp_path, files)) as archive:
        listing = read_listing("disfa", archive, {"every": 2})
    assert {item.subject for item in listing.items} == {"SN001"}
    assert "no labels of action units [12]" in {problem.detail for problem in listing.problems}


def test_labels_that_are_no_numbers_are_refused(tmp_path, video):
    files = disfa_files(video) | {"ActionUnit_Labels/SN001/SN001_au4.txt": b"one,two"}
    with (
        Archive(folder_of(tmp_path, files)) as archive,
        pytest.raises(BadDataError, match=r"SN001_au4\.txt has not lines of frame,intensity"),
    ):
        read_listing("disfa", archive, {})


@pytest.mark.parametrize("frame", [False, True], ids=["as is", "framed"])
def test_a_film_becomes_crops_of_people_who_stay_on_one_side(tmp_path, video, frame):
    archive = folder_of(tmp_path / "disfa", disfa_files(video))
    settings = Settings("disfa", str(archive), frame=frame, test=0.5, options={"every": 1})
    report = prepare(settings, tmp_path / "out")
    rows = manifest.read(tmp_path / "out")
    assert len(report.unreadable) == 2  # the sixth frame of both
    people = {split: {r.subject for r in rows if r.split == split} for split in ("train", "test")}
    assert len(people["test"]) == 1
    assert not people["train"] & people["test"]
    labels = Counter(row.label for row in rows if row.split == "test")
    assert labels == {"neutral": 4, "happiness": 3}
    assert {row.framing for row in rows} == {"framed" if frame else "as-is"}
