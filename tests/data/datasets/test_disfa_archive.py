"""DISFA from the archive to crops and labels by one command, on made films in its layout.

The films are MPEG-4 in .avi at 20 frames a second, the label files are lines of ``frame,intensity``
for all twelve units, frame by frame, as the authors document them. No frame of the real database
is here.
"""

from importlib import import_module

import numpy as np
import pytest

from mien.data import manifest
from mien.data.datasets import Archive, read_listing
from mien.data.datasets.disfa import UNITS
from mien.media import images
from tests.support.commands import mien
from tests.support.pictures import folder_of, zip_of
from tests.support.video_files import clip

pytest.importorskip("av")

# What each frame shows, counted from 1: action units with their intensities, and what follows.
PLANTED = [
    ({}, "neutral"),
    ({6: 3, 12: 4}, "happiness"),
    ({1: 2, 2: 3, 5: 2, 26: 3}, "surprise"),
    ({1: 2, 4: 3, 15: 2}, "sadness"),
    ({4: 3, 5: 2}, "anger"),
    ({9: 3, 15: 2}, "disgust"),
    ({9: 2, 17: 4}, "disgust"),  # the variants with 9 and 17
    ({4: 1, 9: 3, 17: 2}, "disgust"),
    ({1: 3, 2: 2, 4: 2, 5: 3, 20: 2, 26: 2}, "fear"),
    ({1: 3, 2: 2, 4: 2, 5: 3, 20: 2, 25: 5}, "fear"),
    ({9: 5}, None),
    ({9: 1, 17: 1}, None),  # too weak for disgust, and not neutral either
]
SUBJECTS = ("SN001", "SN027")


def lightness(number):
    """How light a frame is, so that its crop tells which one it was."""
    return 0.4 + 0.05 * number


def label_files(subject):
    files = {}
    for unit in UNITS:
        lines = [f"{n},{units.get(unit, 0)}" for n, (units, _) in enumerate(PLANTED, start=1)]
        text = "\r\n".join(lines) + "\r\n"
        files[f"DISFA/ActionUnit_Labels/{subject}/{subject}_au{unit}.txt"] = text.encode()
    return files


@pytest.fixture(scope="module")
def files(tmp_path_factory, portrait):
    face = portrait[0:240, 100:340]
    frames = [(face * lightness(n)).round().astype(np.uint8) for n in range(1, len(PLANTED) + 1)]
    path = tmp_path_factory.mktemp("film") / "a.avi"
    clip(path, frames, rate=20, sound=None, codec="mpeg4")
    data = path.read_bytes()
    whole = {}
    for subject in SUBJECTS:
        whole[f"DISFA/Videos_LeftCamera/LeftVideo{subject}_comp.avi"] = data
        whole[f"DISFA/Videos_RightCamera/RightVideo{subject}_comp.avi"] = b"not looked at"
        whole |= label_files(subject)
    return whole


@pytest.mark.parametrize("make", [zip_of, folder_of], ids=["zip", "folder"])
def test_one_command_turns_the_archive_into_crops_with_the_labels_of_their_frames(
    tmp_path, files, make
):
    source, out = make(tmp_path / "disfa.zip", files), tmp_path / "out"
    # both films are of one portrait, so without --keep-leaks one would be a copy of the other
    words = ("--every", 1, "--test", 0.5, "--keep-leaks", "--workers", 1, "--out", out)
    result = mien("prepare", "disfa", source, *words)
    assert result.exit_code == 0, result.stderr
    rows = manifest.read(out)
    expected = {
        (subject, number): label
        for subject in SUBJECTS
        for number, (_, label) in enumerate(PLANTED, start=1)
        if label is not None
    }
    found = {(r.subject, int(r.original.rpartition("-")[2])): r.label for r in rows}
    assert found == expected
    assert "left out, no rule fits: 2" in result.stdout
    excluded = (out / "excluded.csv").read_text()
    assert excluded.count("2 of 12 frames") == 2
    splits = {split: {r.subject for r in rows if r.split == split} for split in ("train", "test")}
    assert sorted(map(len, splits.values())) == [1, 1]  # a person stays on one side
    for row in rows:  # the crop is of the frame that its label is of
        number = int(row.original.rpartition("-")[2])
        mean = images.read_rgb(out / row.path).mean()
        same = next(r for r in rows if r.subject == row.subject and r.original.endswith("-00001"))
        first = images.read_rgb(out / same.path).mean()
        assert mean / first == pytest.approx(lightness(number) / lightness(1), rel=0.035)


def test_each_film_is_opened_once_and_read_no_further_than_the_crop_that_is_made(
    tmp_path, files, monkeypatch
):
    opened, pulled = [], []
    disfa = import_module("mien.data.datasets.disfa")  # the package has its function of that name
    real = disfa._frames_of

    def watched(archive, video):
        opened.append(video)
        for number, frame in real(archive, video):
            pulled.append((video, number))
            yield number, frame

    monkeypatch.setattr(disfa, "_frames_of", watched)
    with Archive(folder_of(tmp_path, files)) as archive:
        items = read_listing("disfa", archive, {"every": 3}).items  # frames 1, 4, 7, 10
        assert pulled == []  # listing decodes nothing
        assert len(items) == 8
        for item in items:
            item.picture()
            video, _, name = item.original.rpartition("/")
            assert pulled[-1] == (video, int(name.rpartition("-")[2]))
    assert len(opened) == len(set(opened)) == 2
    assert len(pulled) == len(set(pulled)) == 20
