"""The last line of a video's answer: what was read, damaged or missing, and why it was cut off."""

import json
from dataclasses import replace

import pytest

from mien.errors import BadImageError, BadSettingError
from mien.serve import video_lines as lines_module
from mien.serve.bodies import Given
from mien.serve.video_lines import VideoRequest, video_lines
from tests.support.video_files import clip, swaying


@pytest.fixture(scope="module")
def talk(portrait, tmp_path_factory):
    """A kind of file that can be read from its start without its end."""
    return clip(tmp_path_factory.mktemp("video") / "talk.ts", swaying(portrait, 8)).read_bytes()


def read(recognizer, data, wanted=None, max_work_s=60.0):
    lines = list(
        video_lines(recognizer, Given("talk.ts", data), wanted or VideoRequest(), max_work_s)
    )
    assert all(line.endswith("\n") for line in lines)
    *frames, last = map(json.loads, lines)
    assert last.keys() == {"end"}
    assert last["end"]["frames"] == len(frames)
    return frames, last["end"]


def test_a_whole_video_was_read_to_its_end(recognizer, talk):
    frames, end = read(recognizer, talk)
    assert [frame["frame"] for frame in frames] == list(range(8))
    assert (end["damaged"], end["missing_s"], end["cut"]) == (0, 0, None)


def test_damage_is_counted(recognizer, talk):
    hurt = bytearray(talk)
    hurt[len(talk) // 2 : len(talk) // 2 + 2000] = bytes(2000)
    frames, end = read(recognizer, bytes(hurt))
    assert len(frames) < 8 or end["damaged"] > 0


def test_work_that_takes_too_long_is_cut_off_and_says_so(recognizer, talk):
    assert read(recognizer, talk, max_work_s=0) == (
        [],
        {
            "frames": 0, "damaged": 0, "mended": 0, "missing_s": 0.0, "left_out": [],
            "cut": "0 s of work are over",
        },
    )  # fmt: skip


def test_what_goes_wrong_behind_the_first_frame_is_in_the_last_line(recognizer, talk, monkeypatch):
    whole = lines_module.recognize_frames

    def breaking(source, video_recognizer):
        for frame in whole(source, video_recognizer):
            if frame.number == 3:
                raise BadImageError("the disk is on fire", fix="run")
            yield replace(frame)

    monkeypatch.setattr(lines_module, "recognize_frames", breaking)
    frames, end = read(recognizer, talk)
    assert (len(frames), end["cut"]) == (3, "the disk is on fire")


def test_what_cannot_be_meant_is_refused():
    for wrong in ({"every": 0}, {"smooth_s": -1}, {"smooth_s": float("nan")}):
        with pytest.raises(BadSettingError):
            VideoRequest(**wrong)
