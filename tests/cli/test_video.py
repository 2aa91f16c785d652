"""What `mien video` writes, and what it says when it cannot."""

import json
import sys

import av
import numpy as np
import pytest

from mien.media.sources import open_video
from mien.recognize.results import VIDEO_HEADER
from mien.recognize.video import USUAL_S
from tests.support.commands import mien
from tests.support.full_disk import full_disk
from tests.support.tables import rows_of
from tests.support.video_files import clip, film, swaying

HEADER = (
    "time_s,frame,track,left,top,right,bottom,detection,label,confidence,neutral,"
    "happiness,surprise,sadness,anger,disgust,fear"
)


@pytest.fixture(scope="module")
def talk(portrait, tmp_path_factory):
    """As a camera writes it, with sound."""
    return clip(tmp_path_factory.mktemp("film") / "talk.mp4", swaying(portrait, 15))


def test_the_command_writes_table_lines_segments_plot_and_film(talk, tmp_path):
    names = {"--csv": "a.csv", "--json": "a.jsonl", "--plot": "a.png", "--segments": "s.csv"}
    words = [word for option, name in names.items() for word in (option, tmp_path / "o" / name)]
    result = mien("video", talk, "--out", tmp_path / "o" / "a.mp4", *words, "--landmarks")
    assert (result.exit_code, result.stdout) == (0, "")
    made = sorted(path.name for path in (tmp_path / "o").iterdir())
    assert made == ["a.csv", "a.jsonl", "a.mp4", "a.png", "s.csv"]
    assert all(f"wrote {tmp_path / 'o' / name}" in result.stderr for name in made)
    text = (tmp_path / "o" / "a.csv").read_text()
    assert text.partition("\n")[0] == HEADER == ",".join(VIDEO_HEADER)
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
        assert (result.exit_code, result.stdout) == (2, "")
        assert "is named twice\n  try: choose another name" in result.stderr
    assert talk.read_bytes() == before
    assert not same.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--every", "0"],
        ["--smooth", "-1"],
        ["--rate", "0"],
        ["--seconds", "0"],
        ["b.mp4"],
        ["--smooth", "nan"],
        ["--rate", "nan"],
        ["--seconds", "NaN"],
    ],
)
def test_wrong_usage_exits_with_two(words):
    assert mien("video", "a.mp4", *words).exit_code == 2


def test_a_film_is_stopped_after_so_many_seconds(talk):
    result = mien("video", talk, "--seconds", 0.2)
    assert len(result.stdout.splitlines()) == 1 + 5  # frames at 0, 0.04, ..., 0.16


def test_a_full_disk_ends_all_outputs(talk, tmp_path):
    with full_disk():
        result = mien("video", talk, "--out", tmp_path / "b.mp4", "--csv", tmp_path / "b.csv")
    assert result.exit_code == 1
    assert f"cannot write {tmp_path / 'b.mp4'}" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_csv_minus_prints_the_rows_once_and_another_output_is_a_file(talk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mien("video", talk, "--csv", "a.csv")
    result = mien("video", talk, "--csv", "-", "--segments", "s.csv")
    assert result.exit_code == 0
    assert result.stdout == (tmp_path / "a.csv").read_text()
    assert result.stderr == "wrote s.csv\n"
    result = mien("video", talk, "--csv", "-", "--json", "-")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "- is named twice" in result.stderr
    assert not (tmp_path / "-").exists()


def test_a_plot_of_a_format_that_cannot_be_written_is_refused_before_the_video_is_read(
    talk, tmp_path
):
    result = mien("video", talk, "--plot", tmp_path / "a.gif", "--csv", tmp_path / "a.csv")
    assert result.exit_code == 2
    assert "no plot format ends in '.gif'" in result.stderr
    assert list(tmp_path.iterdir()) == []
    assert mien("video", talk, "--plot", tmp_path / "a.pdf").exit_code == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_without_the_extra_it_is_named(talk, monkeypatch):
    monkeypatch.setattr("mien.cli._shared.find_spec", lambda name: None if name == "av" else name)
    result = mien("video", talk)
    assert result.exit_code == 1
    assert 'mien video needs the video extra\n  try: pip install "mien[video]"' in result.stderr


def test_matplotlib_is_needed_for_a_plot_alone(talk, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "mien.cli._shared.find_spec", lambda name: None if name == "matplotlib" else name
    )
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # an import of it fails
    outputs = ["--out", tmp_path / "a.mp4", "--csv", tmp_path / "a.csv"]
    result = mien("video", talk, *outputs, "--segments", tmp_path / "s.csv")
    assert result.exit_code == 0
    assert len(rows_of(tmp_path / "a.csv")) == 15
    refused = mien("video", talk, "--plot", tmp_path / "a.png")
    assert refused.exit_code == 1
    assert (
        'mien video --plot needs the plot extra\n  try: pip install "mien[plot]"' in refused.stderr
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.mp4", "s.csv"]


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
    with open_video(clips / "noface_face.mov") as video:
        appears = next(frame.time_s for frame in video if frame.number == 97)
    assert float(rows[0]["time_s"]) == pytest.approx(appears, abs=0.3)
    assert rows_of(tmp_path / "s.csv")[0]["start_s"] == f"{float(rows[0]['time_s']):g}"
