"""What `mien video` and `mien frames` may be given: odd films, folders, animations, cameras."""

import signal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from mien.recognize.results import VIDEO_HEADER
from tests.support.commands import mien
from tests.support.made_camera import Lens
from tests.support.pictures import texture
from tests.support.tables import rows_of
from tests.support.video_files import (
    SHOWS_EMPTY_PACKETS,
    clip,
    noted,
    shades,
    stretched,
    swaying,
)

CORPUS = Path(__file__).parents[1] / "corpus"


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


def faces_of(source, folder, *words):
    """The rows of the table of a film, and the size of its annotated copy."""
    table, copy = folder / "t: 1.csv", folder / "t: 1.mp4"
    result = mien("video", source, "--csv", table, "--out", copy, *words)
    assert result.exit_code == 0, result.stderr
    with av.open(f"file:{copy}") as container:
        stream = container.streams.video[0]
        assert stream.sample_aspect_ratio in (None, 1)
        return rows_of(table), (stream.width, stream.height), result.stderr


def box_of(row):
    return [float(row[side]) for side in ("left", "top", "right", "bottom")]


@pytest.mark.parametrize("aspect", [Fraction(2), Fraction(1, 2)])
def test_a_squeezed_film_has_the_faces_that_are_seen(portrait, tmp_path, aspect):
    pictures = swaying(portrait, 5)
    plain, size, _ = faces_of(clip(tmp_path / "a.mp4", pictures, sound=None), tmp_path)
    stored = (160, 240) if aspect == 2 else (320, 120)
    squeezed = [cv2.resize(p, stored, interpolation=cv2.INTER_AREA) for p in pictures]
    rows, seen, _ = faces_of(stretched(tmp_path / "b.mp4", squeezed, aspect), tmp_path)
    assert seen == size == (320, 240)
    assert [row["label"] for row in rows] == [row["label"] for row in plain] == ["happiness"] * 5
    for row, other in zip(rows, plain, strict=True):
        assert box_of(row) == pytest.approx(box_of(other), abs=6)


def test_a_mirrored_film_has_its_face_where_it_is_seen(portrait, tmp_path):
    pictures = [p[:, ::-1].copy() for p in swaying(portrait, 5)]  # the face is on the right
    plain, _, _ = faces_of(clip(tmp_path / "a.mp4", pictures, sound=None), tmp_path)
    stored = [p[:, ::-1].copy() for p in pictures]
    mirrored = noted(clip(tmp_path / "b.mp4", stored, sound=None), (-1, 0, 0, 1))
    rows, _, _ = faces_of(mirrored, tmp_path)
    assert [row["label"] for row in rows] == ["happiness"] * 5
    for row, other in zip(rows, plain, strict=True):
        assert box_of(row) == pytest.approx(box_of(other), abs=3)
        assert box_of(row)[0] > 160


def test_frames_that_are_shown_on_are_not_called_damaged(tmp_path):
    rows, _, said = faces_of(CORPUS / "repeated-frames.ogv", tmp_path)
    assert [row["frame"] for row in rows] == [str(n) for n in range(8)]
    assert "skipped" not in said
    if SHOWS_EMPTY_PACKETS:
        assert "cut short" not in said


def test_a_film_that_is_cut_short_is_told_by_both_commands(tmp_path):
    path = clip(tmp_path / "a.mkv", [texture(n) for n in range(60)], sound=None)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    watched = mien("video", path, "--csv", tmp_path / "t.csv", "--quiet")
    cut = mien("frames", path, "--out", tmp_path / "faces", "--every", 30)
    assert (watched.exit_code, cut.exit_code) == (0, 0)
    lines = [line for line in watched.stderr.splitlines() if line.startswith("cut short: its last")]
    assert lines
    assert lines[0] in cut.stderr.splitlines()


def test_time_stamps_that_are_mended_are_told_by_both_commands(tmp_path):
    part = clip(tmp_path / "a.ts", shades(10), sound=None).read_bytes()
    path = tmp_path / "glued.ts"
    path.write_bytes(part + part)
    for words in (["video", "--csv", tmp_path / "t.csv"], ["frames", "--out", tmp_path / "faces"]):
        result = mien(words[0], path, *words[1:])
        assert result.exit_code == 0
        assert "time stamps, missing, running backwards or leaping ahead" in result.stderr


def test_a_folder_of_frames_is_a_film(portrait, tmp_path):
    (tmp_path / "in").mkdir()
    for number, picture in enumerate(swaying(portrait, 3)):
        Image.fromarray(picture).save(tmp_path / "in" / f"{number + 9}.png")
    rows, _, _ = faces_of(tmp_path / "in", tmp_path, "--rate", 10)
    assert [row["time_s"] for row in rows] == ["0.000", "0.100", "0.200"]
    assert box_of(rows[0])[0] < box_of(rows[2])[0]


@pytest.mark.parametrize("source", ["frames", "frames/%d.png"])
def test_a_plot_is_not_drawn_over_a_picture_that_is_read(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    for n in range(2):
        (tmp_path / "frames").mkdir(exist_ok=True)
        Image.fromarray(texture(n)).save(tmp_path / f"frames/{n}.png")
    before = (tmp_path / "frames/1.png").read_bytes()
    result = mien("video", source, "--plot", "frames/1.png", "--csv", "t.csv")
    assert (result.exit_code, "frames/1.png is named twice" in result.stderr) == (2, True)
    assert (tmp_path / "frames/1.png").read_bytes() == before
    assert not (tmp_path / "t.csv").exists()


def test_an_address_needs_leave(tmp_path):
    result = mien("video", "http://127.0.0.1:9/a.mp4", "--csv", tmp_path / "a.csv")
    assert result.exit_code == 2
    assert "is on the network\n  try: add --allow-network" in result.stderr
    result = mien("video", "http://127.0.0.1:9/a.mp4", "--allow-network")
    assert result.exit_code == 1
    refused = "cannot reach http://127.0.0.1:9/a.mp4 (Connection refused)\n  try: check the address"
    assert refused in result.stderr


@pytest.mark.parametrize("name", ["x" * 300 + ".mp4", "loop/a.mp4", ""])
def test_a_name_that_cannot_be_looked_up_is_one_error(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    result = mien("video", name, "--csv", "a.csv")
    assert (result.exit_code, result.stdout) == (1 if name else 2, "")
    assert result.stderr.count("\n  try: ") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


def test_the_faces_of_an_animation_are_cut_out(portrait, tmp_path):
    first, *more = map(Image.fromarray, swaying(portrait, 3))
    first.save(tmp_path / "a.webp", save_all=True, append_images=more, duration=200)
    result = mien("frames", tmp_path / "a.webp", "--out", tmp_path / "faces")
    assert result.exit_code == 0
    assert [row["time_s"] for row in rows_of(tmp_path / "faces" / "frames.csv")] == [
        "0.000",
        "0.200",
        "0.400",
    ]


def test_a_camera_is_recorded_with_the_times_at_which_it_saw(portrait, tmp_path, monkeypatch):
    lens = Lens(4)
    pictures = iter(swaying(portrait, 4))
    monkeypatch.setattr(lens, "read", lambda: (True, next(pictures)[..., ::-1].copy()))
    monkeypatch.setattr(cv2, "VideoCapture", lambda _: lens)
    ticks = iter([0.0, 5.0, 5.1, 5.3, 9.0])
    clock = SimpleNamespace(monotonic=lambda: next(ticks))  # other threads keep the real one
    monkeypatch.setattr("mien.media.sources.time", clock)
    result = mien("video", 0, "--csv", tmp_path / "a.csv", "--seconds", 1, "--smooth", 0)
    assert result.exit_code == 0
    assert [row["time_s"] for row in rows_of(tmp_path / "a.csv")] == ["0.000", "0.100", "0.300"]
    assert "mien serve --open" in result.stderr  # what shows it live


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_recording_and_its_files_are_whole(tmp_path, monkeypatch, number):
    class Endless(Lens):
        def read(self):
            if self.left == 900:
                signal.raise_signal(number)
            return super().read()

    monkeypatch.setattr(cv2, "VideoCapture", lambda _: Endless(1000))
    before = signal.getsignal(number)
    result = mien("video", 0, "--csv", tmp_path / "a.csv", "--out", tmp_path / "a.mp4")
    assert result.exit_code == 0
    assert (tmp_path / "a.csv").read_text() == ",".join(VIDEO_HEADER) + "\n"
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert 90 <= sum(1 for _ in container.decode(video=0)) < 900
    assert signal.getsignal(number) is before
