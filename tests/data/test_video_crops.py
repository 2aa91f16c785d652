import os
import resource
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from mien.data.video_crops import HEADER, CropOptions, VideoCrops, cut_faces
from mien.errors import BadSettingError, OutputError
from mien.faces import align
from tests.support.commands import mien
from tests.support.tables import rows_of
from tests.support.video_files import film, shades


@pytest.fixture(scope="session")
def talk(tmp_path_factory, portrait):
    """Six frames: nothing, nothing, a face, the face 20 pixels lower, nothing, the face."""
    face = portrait[0:240, 100:340].copy()
    lower = np.roll(face, 20, axis=0)
    nothing = np.full_like(face, 90)
    pictures = [nothing, nothing, face, lower, nothing, face]
    return film(tmp_path_factory.mktemp("film") / "talk.mov", pictures, rate=4)


def test_faces_are_cut_out_with_the_moment_they_are_from(talk, tmp_path, detector):
    found = cut_faces(talk, tmp_path / "out", CropOptions(), detector)
    rows = rows_of(tmp_path / "out" / "frames.csv")
    assert [(row["path"], row["time_s"], row["frame"], row["face"]) for row in rows] == [
        ("000002-0.jpg", "0.500", "2", "0"),
        ("000003-0.jpg", "0.750", "3", "0"),
        ("000005-0.jpg", "1.250", "5", "0"),
    ]
    assert (found.frames, found.with_face, found.faces, found.damaged) == (6, 3, 3, 0)
    assert abs(float(rows[1]["top"]) - float(rows[0]["top"]) - 20) < 4
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {"frames.csv", *(row["path"] for row in rows)}


def test_a_crop_is_what_recognition_sees(talk, tmp_path, detector, portrait):
    cut_faces(talk, tmp_path / "out", CropOptions(side=96), detector)
    picture = portrait[0:240, 100:340]
    [face] = detector.find(picture)
    expected = align.crop(picture, align.framing(face.landmarks, 96), 96).astype(int)
    with Image.open(tmp_path / "out" / "000002-0.jpg") as written:
        assert np.abs(np.asarray(written) - expected).mean() < 3


class Twins:
    """Finds every face twice."""

    def __init__(self, detector):
        self._detector = detector

    def find(self, rgb):
        return self._detector.find(rgb) * 2


def test_each_of_several_faces_in_a_frame_is_a_crop_and_the_frame_counts_once(
    talk, tmp_path, detector
):
    found = cut_faces(talk, tmp_path / "out", CropOptions(), Twins(detector))
    assert (found.frames, found.with_face, found.faces, found.rate) == (6, 3, 6, 4)
    rows = rows_of(tmp_path / "out" / "frames.csv")
    names = [f"{frame:06}-{face}.jpg" for frame in (2, 3, 5) for face in (0, 1)]
    assert [row["path"] for row in rows] == names
    assert [row["face"] for row in rows] == ["0", "1"] * 3


def test_the_quality_asked_for_is_that_of_the_files(talk, tmp_path, detector):
    sizes = []
    for quality in (95, 30):
        out = tmp_path / f"{quality}"
        cut_faces(talk, out, CropOptions(every=5, quality=quality), detector)
        sizes.append((out / "000005-0.jpg").stat().st_size)
    assert sizes[1] < sizes[0] / 2


@pytest.mark.parametrize("options", [{"every": 0}, {"rate": -1}, {"rate": float("nan")}])
def test_frames_that_cannot_be_chosen_are_refused(options):
    with pytest.raises(BadSettingError):
        CropOptions(**options)


def test_frames_are_chosen_by_number_or_by_time(talk, tmp_path, detector):
    for name, options, frames in [
        ("nth", CropOptions(every=3), ["3"]),
        ("second", CropOptions(rate=2), ["2"]),
        ("all", CropOptions(rate=4), ["2", "3", "5"]),
    ]:
        found = cut_faces(talk, tmp_path / name, options, detector)
        assert [row["frame"] for row in rows_of(tmp_path / name / "frames.csv")] == frames
        assert found.frames == {"nth": 2, "second": 3, "all": 6}[name]


def test_a_film_without_faces_is_an_empty_table(tmp_path, detector):
    path = film(tmp_path / "a.mov", shades(2, 128))
    assert cut_faces(path, tmp_path / "out", CropOptions(), detector).faces == 0
    assert (tmp_path / "out" / "frames.csv").read_text() == ",".join(HEADER) + "\n"


def test_a_folder_that_holds_something_is_refused_and_left_alone(talk, tmp_path, detector):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(OutputError, match="exists"):
        cut_faces(talk, tmp_path / "out", CropOptions(), detector)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_an_interrupted_run_leaves_nothing(talk, tmp_path, detector):
    def interrupted(frames, length):
        for number, frame in enumerate(frames):
            if number == 3:
                raise KeyboardInterrupt
            yield frame

    with pytest.raises(KeyboardInterrupt):
        cut_faces(talk, tmp_path / "out", CropOptions(), detector, interrupted)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_found(talk, tmp_path):
    result = mien("frames", talk, "--out", tmp_path / "out", "--per-second", 2)
    assert result.exit_code == 0
    assert result.stdout == "3 frames looked at, 1 with a face\n"
    assert result.stderr == f"wrote 1 faces and {tmp_path / 'out'}/frames.csv\n"


def test_all_that_was_wrong_with_a_film_is_kept():
    faults = {"rate": 25.0, "damaged": 1, "mended": 2, "left_out": ("a cover",), "missing_s": 3.5}
    found = VideoCrops()
    found.take_faults(SimpleNamespace(**faults))
    assert found == VideoCrops(**faults)


def test_both_ways_of_choosing_frames_are_wrong_usage(tmp_path):
    words = ["frames", "a.mp4", "--out", tmp_path / "x", "--every", 2, "--per-second", 2]
    assert mien(*words).exit_code == 2


def test_what_is_no_video_ends_with_one_message(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"words")
    result = mien("frames", tmp_path / "a.mp4", "--out", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("mien: not a video: ")
    assert not (tmp_path / "out").exists()


def peak_mb(path, out):
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom mien.data.video_crops import *\n"
        "from mien.faces.detect import Detector\n"
        "cut_faces(Path(sys.argv[1]), Path(sys.argv[2]), CropOptions(every=50), Detector())\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(out)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return float(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "getrusage"), reason="tells the peak of memory")
def test_memory_does_not_grow_with_the_length_of_the_film(tmp_path):
    short = film(tmp_path / "short.mov", shades(20, 512))
    long = film(tmp_path / "long.mov", shades(200, 512))  # 180 more frames are 140 MB as RGB
    assert peak_mb(long, tmp_path / "b") - peak_mb(short, tmp_path / "a") < 20


@pytest.mark.data
def test_the_real_film_has_its_face_from_the_frame_on_where_it_appears(data_dir, tmp_path):
    video = data_dir / "videos" / "noface_face.mov"
    result = mien("frames", video, "--out", tmp_path / "out", "--every", 6)
    assert result.exit_code == 0
    frames = [int(row["frame"]) for row in rows_of(tmp_path / "out" / "frames.csv")]
    assert 90 <= frames[0] <= 108
    assert frames[-1] >= 156
