"""A film's faces keep their numbers and get their scores when they are due."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest
from commands import mien
from disk import full_disk
from filmed import clip, film
from test_reels import Lens

import mien as package
from mien import video
from mien.cli.film import video_command
from mien.film.reels import open_film
from mien.recognize.smooth import USUAL_S, Smoother
from mien.results import FILM_HEADER
from mien.video import Choice, Watcher, watch

HEADER = (
    "time_s,frame,track,left,top,right,bottom,detection,label,confidence,neutral,"
    "happiness,surprise,sadness,anger,disgust,fear"
)
RAW = Choice(smooth_s=0, heatmap=False)


def swaying(portrait, count, faces=1):
    """The portrait's head, moving to the right, in frames of 320x240; once or twice."""
    head = cv2.resize(portrait[:260, 95:355], (150, 150), interpolation=cv2.INTER_AREA)
    pictures = []
    for number in range(count):
        picture = np.full((240, 320, 3), 110, dtype=np.uint8)
        for place in range(faces):
            left = 4 + 160 * place + (number if faces == 1 else 0)
            picture[40:190, left : left + 150] = head
        pictures.append(picture)
    return pictures


@pytest.fixture(scope="module")
def pictures(portrait):
    """Three frames without a face, then twelve with the face moving."""
    nothing = np.full((240, 320, 3), 110, dtype=np.uint8)
    return [nothing] * 3 + swaying(portrait, 12)


@pytest.fixture(scope="module")
def walk(pictures, tmp_path_factory):
    return film(tmp_path_factory.mktemp("film") / "walk.mov", pictures, rate=25)


@pytest.fixture(scope="module")
def talk(portrait, tmp_path_factory):
    """As a camera writes it, with sound."""
    return clip(tmp_path_factory.mktemp("film") / "talk.mp4", swaying(portrait, 15))


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_film_is_read_frame_by_frame_with_the_faces_in_it(walk, pictures, recognizer):
    assert package.read_video is video.read_video
    moments = list(package.read_video(walk, recognizer, RAW))
    assert [moment.number for moment in moments] == list(range(15))
    assert [round(moment.time_s, 3) for moment in moments] == [n / 25 for n in range(15)]
    for moment, picture in zip(moments, pictures, strict=True):
        np.testing.assert_array_equal(moment.rgb, picture)
        assert (moment.width, moment.height) == (320, 240)
    assert [len(moment.faces) for moment in moments] == [0] * 3 + [1] * 12
    faces = [moment.faces[0] for moment in moments[3:]]
    assert len({face.track for face in faces}) == 1
    assert {face.label for face in faces} == {"happiness"}
    [face] = recognizer.read(pictures[-1]).faces
    moved = faces[-1].box.left - faces[0].box.left
    assert moved == pytest.approx(11, abs=2)
    assert abs(faces[-1].box.left - face.box.left) < 4
    assert np.abs(faces[-1].values - face.values).max() < 0.1


def test_it_may_be_left_at_any_frame(walk, recognizer):
    moments = package.read_video(walk, recognizer, RAW)
    assert next(moments).number == 0
    moments.close()
    assert list(moments) == []


class Counting:
    """A recognizer that counts what it reads."""

    def __init__(self, recognizer):
        self._recognizer = recognizer
        self.detector = recognizer.detector
        self.read = []

    def read_faces(self, rgb, found, heatmap):
        self.read.append(len(found))
        return self._recognizer.read_faces(rgb, found, heatmap)


def test_every_so_many_frames_faces_are_read_and_between_they_move_on(walk, recognizer):
    counting = Counting(recognizer)
    with open_film(walk) as reel:
        moments = list(watch(reel, Watcher(counting, replace(RAW, every=5, heatmap=True))))
    # frame 3, when the face is new, then 5 and 10
    assert counting.read == [1, 1, 1]
    faces = {moment.number: moment.faces[0] for moment in moments if moment.faces}
    for number in (6, 7, 8, 9):
        assert faces[number].values is faces[5].values
        assert faces[number].maps is faces[5].maps
        assert faces[number].neutral == faces[5].neutral
        assert faces[number].box.left > faces[5].box.left
        point = np.append(faces[number].landmarks[2], 1)  # the nose tip comes to where it was
        before = np.append(faces[5].landmarks[2], 1)
        there, here = faces[number].to_crop @ point, faces[5].to_crop @ before
        np.testing.assert_allclose(there, here, atol=2)


def test_all_faces_of_a_frame_are_read_in_one_go(portrait, tmp_path, recognizer):
    counting = Counting(recognizer)
    path = film(tmp_path / "a.mov", swaying(portrait, 4, faces=2), rate=25)
    with open_film(path) as reel:
        moments = list(watch(reel, Watcher(counting, RAW)))
    assert counting.read == [2, 2, 2, 2]
    assert [[face.track for face in moment.faces] for moment in moments] == [[0, 1]] * 4


def test_scores_are_smoothed_over_a_track_at_the_times_of_its_frames(walk, recognizer):
    found = {}
    for seconds in (0, 0.1):
        choice = Choice(smooth_s=seconds, heatmap=False)
        with open_film(walk) as reel:
            moments = [m for m in watch(reel, Watcher(recognizer, choice)) if m.faces]
        found[seconds] = [(moment.time_s, moment.faces[0]) for moment in moments]
    smoother = Smoother(0.1)
    for (time_s, raw), (_, smooth) in zip(found[0], found[0.1], strict=True):
        calm = np.array([raw.neutral], dtype=np.float32)
        scores, neutral = smoother.smooth([raw.track], raw.values[None], calm, time_s)
        np.testing.assert_allclose(smooth.values, scores[0], atol=1e-5)
        assert smooth.neutral == pytest.approx(float(neutral[0]), abs=1e-5)
    assert np.abs(found[0.1][-1][1].values - found[0][-1][1].values).max() > 1e-4


def test_the_command_smooths_as_the_library_does():
    defaults = {param.name: param.default for param in video_command.params}
    assert defaults["smooth"] == USUAL_S == Choice().smooth_s


@pytest.mark.parametrize("every", [0, -1])
def test_a_choice_that_makes_no_sense_is_refused(every):
    with pytest.raises(ValueError, match="every must be 1 or more"):
        Choice(every=every)


def test_the_command_writes_table_lines_segments_plot_and_film(talk, tmp_path):
    names = {"--csv": "a.csv", "--json": "a.jsonl", "--plot": "a.png", "--segments": "s.csv"}
    words = [word for option, name in names.items() for word in (option, tmp_path / "o" / name)]
    result = mien("video", talk, "--out", tmp_path / "o" / "a.mp4", *words, "--landmarks")
    assert (result.exit_code, result.stdout) == (0, "")
    made = sorted(path.name for path in (tmp_path / "o").iterdir())
    assert made == ["a.csv", "a.jsonl", "a.mp4", "a.png", "s.csv"]
    assert all(f"wrote {tmp_path / 'o' / name}" in result.stderr for name in made)
    text = (tmp_path / "o" / "a.csv").read_text()
    assert text.partition("\n")[0] == HEADER == ",".join(FILM_HEADER)
    rows = rows_of(tmp_path / "o" / "a.csv")
    assert [row["frame"] for row in rows] == [str(n) for n in range(15)]
    assert [row["time_s"] for row in rows] == [f"{n / 25:.3f}" for n in range(15)]
    lines = [json.loads(line) for line in (tmp_path / "o" / "a.jsonl").read_text().splitlines()]
    assert [(line["frame"], line["time_s"]) for line in lines] == [
        (n, round(n / 25, 3)) for n in range(15)
    ]
    for line, row in zip(lines, rows, strict=True):
        [face] = line["faces"]
        assert (str(face["track"]), face["label"]) == (row["track"], row["label"])
        assert face["scores"]["fear"] == float(row["fear"])
        assert [str(v) for v in face["box"]] == [row[s] for s in ("left", "top", "right", "bottom")]
    with av.open(str(tmp_path / "o" / "a.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(frames) == 15
    assert frames[0].shape == (240, 320, 3)
    box = [float(rows[-1][side]) for side in ("left", "top", "right", "bottom")]
    edge = frames[-1][round(box[1]) + 20 : round(box[3]) - 10, round(box[0])]
    assert np.abs(edge.astype(int) - (240, 228, 66)).mean() < 40  # happiness is yellow


def test_without_heat_maps_the_middle_of_the_face_stays_as_it_was(talk, tmp_path):
    result = mien("video", talk, "--out", tmp_path / "a.mp4", "--no-heatmap")
    assert result.exit_code == 0
    with av.open(str(talk)) as before, av.open(str(tmp_path / "a.mp4")) as after:
        pairs = zip(before.decode(video=0), after.decode(video=0), strict=True)
        for old, new in pairs:
            a, b = (f.to_ndarray(format="rgb24").astype(int) for f in (old, new))
            x = 78 + round(float(old.time) * 25)  # the nose
            assert np.abs(a - b)[100:120, x - 8 : x + 8].mean() < 8


def test_without_an_output_the_table_is_printed(talk):
    result = mien("video", talk, "--every", 3)
    lines = result.stdout.splitlines()
    assert (result.exit_code, lines[0], len(lines), result.stderr) == (0, HEADER, 16, "")


def test_a_film_without_faces_is_a_header_and_the_same_film(tmp_path):
    ramp = np.linspace(40, 200, 320).astype(np.uint8)
    picture = np.repeat(np.tile(ramp, (240, 1))[..., None], 3, axis=2)
    path = film(tmp_path / "a.mov", [picture] * 4)
    result = mien("video", path, "--out", tmp_path / "b.mp4", "--csv", tmp_path / "b.csv")
    assert result.exit_code == 0
    assert (tmp_path / "b.csv").read_text() == HEADER + "\n"
    with av.open(str(tmp_path / "b.mp4")) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(frames) == 4
    for frame in frames:
        assert np.abs(frame.astype(int) - picture).mean() < 2


def test_results_may_not_take_each_others_place_nor_the_films(talk, tmp_path):
    before = talk.read_bytes()
    link = tmp_path / "link.mp4"
    link.hardlink_to(talk)
    same = tmp_path / "x.csv"
    for words in (["--out", talk], ["--out", link], ["--csv", same, "--segments", same]):
        result = mien("video", talk, *words)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "is named twice\n  try: choose another name" in result.stderr
    assert talk.read_bytes() == before
    assert not same.exists()


@pytest.mark.parametrize(
    "words", [["--every", "0"], ["--smooth", "-1"], ["--rate", "0"], ["--seconds", "0"], ["b.mp4"]]
)
def test_wrong_usage_exits_with_two(words):
    assert mien("video", "a.mp4", *words).exit_code == 2


def test_a_film_is_stopped_after_so_many_seconds(talk):
    result = mien("video", talk, "--seconds", 0.2)
    assert len(result.stdout.splitlines()) == 1 + 5  # frames at 0, 0.04, ..., 0.16


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("gone.mp4", None, "no such file"),
        ("a.mp4", b"words", "not a video"),
        ("-1", None, "no such file"),
    ],
)
def test_what_is_no_film_ends_with_one_message_and_no_file(tmp_path, name, data, message):
    if data:
        (tmp_path / name).write_bytes(data)
    result = mien("video", "--csv", tmp_path / "b.csv", "--", tmp_path / name)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"mien: {message}")
    assert not (tmp_path / "b.csv").exists()


def test_a_film_cut_short_is_read_as_far_as_it_goes_and_it_is_said(portrait, tmp_path):
    grain = np.random.default_rng(0).integers(0, 30, (60, 240, 320, 3), dtype=np.uint8)
    grainy = [
        picture // 2 + noise for picture, noise in zip(swaying(portrait, 60), grain, strict=True)
    ]
    path = clip(tmp_path / "a.mkv", grainy, sound=None)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    result = mien("video", path, "--out", tmp_path / "b.mp4", "--csv", tmp_path / "b.csv")
    rows = rows_of(tmp_path / "b.csv")
    assert result.exit_code == 0
    assert 10 < len(rows) < 50
    assert f"are missing, the first {len(rows)} frames were read" in result.stderr
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == len(rows)


def test_a_full_disk_ends_all_outputs(talk, tmp_path):
    with full_disk():
        result = mien("video", talk, "--out", tmp_path / "b.mp4", "--csv", tmp_path / "b.csv")
    assert result.exit_code == 1
    assert f"cannot write {tmp_path / 'b.mp4'}" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_camera_is_recorded_with_the_times_at_which_it_saw(portrait, tmp_path, monkeypatch):
    lens = Lens(4)
    pictures = iter(swaying(portrait, 4))
    monkeypatch.setattr(lens, "read", lambda: (True, next(pictures)[..., ::-1].copy()))
    monkeypatch.setattr(cv2, "VideoCapture", lambda _: lens)
    ticks = iter([0.0, 5.0, 5.1, 5.3, 9.0])
    monkeypatch.setattr("mien.film.reels.time.monotonic", lambda: next(ticks))
    result = mien("video", 0, "--csv", tmp_path / "a.csv", "--seconds", 1, "--smooth", 0)
    assert result.exit_code == 0
    assert [row["time_s"] for row in rows_of(tmp_path / "a.csv")] == ["0.000", "0.100", "0.300"]


def test_ctrl_c_ends_a_recording_and_its_files_are_whole(tmp_path, monkeypatch):
    class Endless(Lens):
        def read(self):
            if self.left == 900:
                signal.raise_signal(signal.SIGINT)
            return super().read()

    monkeypatch.setattr(cv2, "VideoCapture", lambda _: Endless(1000))
    before = signal.getsignal(signal.SIGINT)
    result = mien("video", 0, "--csv", tmp_path / "a.csv", "--out", tmp_path / "a.mp4")
    assert result.exit_code == 0
    assert (tmp_path / "a.csv").read_text() == HEADER + "\n"
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert 90 <= sum(1 for _ in container.decode(video=0)) < 900
    assert signal.getsignal(signal.SIGINT) is before


def test_without_the_extra_it_is_named(talk, monkeypatch):
    monkeypatch.setattr("mien.cli.extras.find_spec", lambda name: None if name == "av" else name)
    result = mien("video", talk)
    assert result.exit_code == 1
    assert 'mien video needs the video extra\n  try: pip install "mien[video]"' in result.stderr


def start(*words, stdin=None):
    code = "from mien.cli import main; main()"
    typed = [sys.executable, "-c", code, "video", *map(str, words)]
    return subprocess.Popen(
        typed, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.mark.slow
def test_ctrl_c_ends_at_once_and_leaves_no_file(portrait, tmp_path):
    (tmp_path / "in").mkdir()
    path = clip(tmp_path / "in" / "a.mp4", swaying(portrait, 40) * 100)
    out = tmp_path / "out"
    running = start(path, "--out", out / "a.mp4", "--csv", out / "a.csv")
    wait_for(lambda: out.is_dir() and any(p.stat().st_size > 20_000 for p in out.iterdir()))
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "Traceback" not in said
    assert list(out.iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_ends_a_run_that_waits_for_its_input(tmp_path):
    there, other = os.pipe()
    with os.fdopen(other, "wb"), os.fdopen(there, "rb") as stdin:
        running = start("-", "--csv", tmp_path / "a.csv", stdin=stdin)
        time.sleep(3)
        assert running.poll() is None
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def peak_mb(path, out):
    words = ["-c", "from mien.cli import main; main()", "video", path, "--out", out / "a.mp4"]
    words += ["--csv", out / "a.csv"]
    code = (
        "import os, sys\nwords = [sys.executable, *sys.argv[1:]]\n"
        "pid = os.posix_spawn(words[0], words, os.environ)\n"
        "_, status, usage = os.wait4(pid, 0)\nprint(status, usage.ru_maxrss / 1024)"
    )
    # the peak of a new process starts at that of the one it was forked from
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, *map(str, words)],
        capture_output=True,
        text=True,
        check=True,
    )
    status, peak = done.stdout.split()[-2:]
    assert status == "0", done.stderr
    return float(peak)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_the_film(portrait, tmp_path):
    once = swaying(portrait, 40)
    short = clip(tmp_path / "short.mp4", once * 3)
    long = clip(tmp_path / "long.mp4", once * 25)
    least = peak_mb(short, tmp_path / "a")
    assert least < 600
    assert peak_mb(long, tmp_path / "b") < 1.1 * least  # 880 more frames are 200 MB as RGB


@pytest.fixture
def clips(data_dir):
    return data_dir / "videos"


@pytest.mark.data
def test_the_calm_face_begins_to_smile_when_it_does(clips, tmp_path):
    for smooth, name in ((0, "raw.csv"), (USUAL_S, "smooth.csv")):
        words = ["--csv", tmp_path / name, "--smooth", smooth]
        assert mien("video", clips / "single_face.mp4", *words).exit_code == 0
        rows = rows_of(tmp_path / name)
        assert len(rows) == 72
        assert {row["track"] for row in rows} == {"0"}
        assert {row["label"] for row in rows if float(row["time_s"]) < 0.5} == {"neutral"}
        moved = next(float(row["time_s"]) for row in rows if row["label"] != "neutral")
        smiled = next(float(row["time_s"]) for row in rows if row["label"] == "happiness")
        # to the eye the corners of the mouth rise at 0.6 s, and the teeth are seen at 0.7 s
        assert 0.5 <= moved <= 1.1
        assert 0.5 <= smiled <= 1.1


@pytest.mark.data
def test_the_film_without_a_face_is_a_header_and_looks_the_same(clips, tmp_path):
    source, out = clips / "no_face.mp4", tmp_path / "b.mp4"
    result = mien("video", source, "--out", out, "--csv", tmp_path / "b.csv")
    assert result.exit_code == 0
    assert (tmp_path / "b.csv").read_text() == HEADER + "\n"
    with av.open(str(source)) as before, av.open(str(out)) as after:
        pairs = zip(before.decode(video=0), after.decode(video=0), strict=True)
        for old, new in pairs:
            assert old.time == pytest.approx(new.time, abs=1e-3)
            a, b = (f.to_ndarray(format="rgb24").astype(int) for f in (old, new))
            assert 10 * np.log10(255**2 / ((a - b) ** 2).mean()) > 35
    with av.open(str(source)) as before, av.open(str(out)) as after:
        first, second = ([bytes(p) for p in c.demux(audio=0) if p.size] for c in (before, after))
        assert first == second


@pytest.mark.data
def test_the_only_track_starts_where_the_face_appears(clips, tmp_path):
    words = ["--csv", tmp_path / "a.csv", "--segments", tmp_path / "s.csv"]
    assert mien("video", clips / "noface_face.mov", *words).exit_code == 0
    rows = rows_of(tmp_path / "a.csv")
    assert {row["track"] for row in rows} == {"0"}
    with open_film(clips / "noface_face.mov") as reel:
        appears = next(frame.time_s for frame in reel if frame.number == 97)
    assert float(rows[0]["time_s"]) == pytest.approx(appears, abs=0.3)
    assert rows_of(tmp_path / "s.csv")[0]["start_s"] == f"{float(rows[0]['time_s']):g}"
