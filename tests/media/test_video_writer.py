"""A film that is written plays as its source did: times, colours, sound; it is whole or absent."""

import hashlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mien.errors import OutputError
from mien.media.sources import open_video
from mien.media.video_writer import VideoWriter, atomic_video
from tests.support.full_disk import full_disk
from tests.support.pictures import texture
from tests.support.video_files import clip, film, shades, stretched, tone


def copy(source, target, stop=None):
    """Read a film and write it again, as it is."""
    with open_video(source, sound=True) as video, atomic_video(target, video, 1) as written:
        for frame in video:
            if frame.number == stop:
                raise KeyboardInterrupt
            written.write(frame.rgb(), frame.time_s)
    return target


def times(path):
    with av.open(f"file:{path}") as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def packets(path, track=0):
    """(seconds, hash) of each packet of the sound, without those of no length at the end."""
    with av.open(str(path)) as container:
        return [
            (float(p.pts * p.time_base), hashlib.sha256(bytes(p)).hexdigest())
            for p in container.demux(audio=track)
            if p.size
        ]


def lasts(path, kind):
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return float(stream.duration * stream.time_base)


def test_it_is_h264_that_browsers_play_with_its_index_in_front(tmp_path):
    out = copy(clip(tmp_path / "a.mkv", shades(30)), tmp_path / "out.mp4")
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == 25
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.mkv", "out.mp4"]


def test_times_are_kept_at_a_variable_rate(tmp_path):
    stamps = [0, 1, 7, 8, 30, 31]
    source = film(tmp_path / "a.mov", [texture(n) for n in range(6)], rate=30, times=stamps)
    out = copy(source, tmp_path / "out.mp4")
    assert times(out) == pytest.approx([n / 30 for n in stamps], abs=1e-3)


def test_frames_nearer_than_the_unit_of_time_follow_each_other_and_each_is_shown(tmp_path):
    source = film(tmp_path / "a.avi", shades(3))  # whose unit is a frame, a tenth of a second
    out = tmp_path / "out.mp4"
    with open_video(source) as video, atomic_video(out, video, 1) as written:
        for frame, time_s in zip(video, (0.0, 0.01, 0.2), strict=True):
            written.write(frame.rgb(), time_s)
    assert times(out) == pytest.approx([0, 0.1, 0.2])
    assert lasts(out, "video") == pytest.approx(0.3)


def test_pictures_stay_where_they_were_and_look_the_same(tmp_path):
    pictures = [np.full((96, 128, 3), (200, 40, 40), dtype=np.uint8) for _ in range(5)]
    for number, picture in enumerate(pictures):
        picture[:, number * 20 : number * 20 + 16] = (40, 60, 210)
    out = copy(film(tmp_path / "a.mov", pictures), tmp_path / "out.mp4")
    with open_video(out) as video:
        for frame, picture in zip(video, pictures, strict=True):
            difference = np.abs(frame.rgb().astype(int) - picture)
            assert np.percentile(difference, 90) <= 6
            assert difference[:, frame.number * 20 + 4 : frame.number * 20 + 12].max() <= 12


def test_colours_that_are_named_are_kept_and_named(tmp_path):
    red = np.full((64, 64, 3), (200, 40, 40), dtype=np.uint8)
    source = tmp_path / "a.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.colorspace = 1  # BT.709
        frame = av.VideoFrame.from_ndarray(red, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for path in (source, copy(source, tmp_path / "out.mp4")):
        with open_video(path) as video:
            assert video.colour_is_named
            [shown] = [frame.rgb() for frame in video]
        assert np.abs(shown[20:40, 20:40].astype(int) - red[0, 0]).max() <= 4


def test_sound_is_copied_packet_by_packet(tmp_path):
    source = clip(tmp_path / "a.mp4", shades(50))
    out = copy(source, tmp_path / "out.mp4")
    before, after = packets(source), packets(out)
    assert len(before) >= 94
    assert [data for _, data in after] == [data for _, data in before]
    moved = [b - a for (a, _), (b, _) in zip(before, after, strict=True)]
    assert max(map(abs, moved)) < 1e-3


def test_sound_that_starts_before_the_pictures_stays_so_much_before(tmp_path):
    source = clip(tmp_path / "a.mkv", shades(25), late_s=2)
    assert times(source)[0] == pytest.approx(2, abs=0.03)
    out = copy(source, tmp_path / "out.mp4")
    with av.open(str(out)) as container:
        first = {
            stream.type: float((stream.start_time or 0) * stream.time_base)
            for stream in container.streams
        }
    assert first["video"] - first["audio"] == pytest.approx(2, abs=0.04)
    assert lasts(out, "audio") == pytest.approx(lasts_heard(source), abs=0.05)


def lasts_heard(path):
    stamps = [time for time, _ in packets(path)]
    return stamps[-1] - stamps[0] + 1024 / 48_000


@pytest.mark.parametrize(("name", "sound"), [("a.mov", "pcm_s16le"), ("a.mkv", "mp2")])
def test_sound_that_mp4_players_do_not_know_becomes_aac(tmp_path, name, sound):
    out = copy(clip(tmp_path / name, shades(50), sound=sound), tmp_path / "out.mp4")
    with av.open(str(out)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        decoded = [frame.to_ndarray() for frame in container.decode(audio=0)]
    wave = np.concatenate([samples.mean(axis=0) for samples in decoded])[4800:-4800]
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    assert spectrum.argmax() * 48_000 / len(wave) == pytest.approx(440, abs=3)
    assert lasts(out, "audio") == pytest.approx(2, abs=0.06)


def test_sound_of_a_transport_stream_is_copied(tmp_path):
    out = copy(clip(tmp_path / "a.ts", shades(50)), tmp_path / "out.mp4")
    with av.open(str(out)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        heard = sum(frame.samples for frame in container.decode(audio=0))
    assert heard == pytest.approx(96_000, abs=4096)


@pytest.mark.parametrize("sound", ["aac", "mp2"])
def test_a_film_that_starts_late_starts_at_once_with_its_sound(tmp_path, sound):
    source = clip(tmp_path / "a.mkv", shades(50), sound=sound, late_s=3, quiet_s=3)
    assert (times(source)[0], packets(source)[0][0]) == pytest.approx((3, 3), abs=0.05)
    out = copy(source, tmp_path / "out.mp4")
    assert (times(out)[0], packets(out)[0][0]) == pytest.approx((0, 0), abs=0.05)
    assert packets(out)[-1][0] == pytest.approx(2, abs=0.1)


def with_two_tracks(path, *pitches):
    """A film with a track for each pitch, the second in French and the one to begin with."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        tracks = [container.add_stream("aac", rate=48_000, layout="mono") for _ in pitches]
        tracks[0].disposition, tracks[1].disposition = 0, 1
        tracks[1].metadata["language"] = "fra"
        for picture in shades(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for track, pitch in zip(tracks, pitches, strict=True):
            for start in range(0, 96_000, 1024):
                container.mux(track.encode(tone(start, pitch=pitch)))
            container.mux(track.encode(None))
        container.mux(stream.encode(None))
    return path


def test_every_track_of_sound_is_kept_with_its_language_and_which_is_first(tmp_path):
    source = with_two_tracks(tmp_path / "a.mp4", 440, 880)
    out = copy(source, tmp_path / "out.mp4")
    with av.open(str(out)) as container:
        first, second = container.streams.audio
        assert [track.disposition.value & 1 for track in (first, second)] == [0, 1]
        assert second.language == "fra"
    for number, pitch in enumerate((440, 880)):
        before, after = packets(source, number), packets(out, number)
        assert [data for _, data in after] == [data for _, data in before]
        assert [t for t, _ in after] == pytest.approx([t for t, _ in before], abs=1e-3)
        with av.open(str(out)) as container:
            heard = np.concatenate([s.to_ndarray()[0] for s in container.decode(audio=number)])
        spectrum = np.abs(np.fft.rfft(heard[4800:-4800] * np.hanning(len(heard) - 9600)))
        assert spectrum.argmax() * 48_000 / (len(heard) - 9600) == pytest.approx(pitch, abs=3)


@pytest.mark.parametrize("sound", ["aac", "mp2"])
@pytest.mark.parametrize("order", [(0, 50), (50, 0)])
def test_sound_keeps_to_the_pictures_where_the_clock_leaps(tmp_path, sound, order):
    pictures = [texture(n) for n in range(50)]
    parts = [
        clip(tmp_path / f"{s}.ts", pictures, sound=sound, late_s=s, quiet_s=s).read_bytes()
        for s in order
    ]
    (tmp_path / "glued.ts").write_bytes(b"".join(parts))
    out = copy(tmp_path / "glued.ts", tmp_path / "out.mp4")
    assert times(out) == pytest.approx([n / 25 for n in range(100)], abs=2e-3)
    assert packets(out)[-1][0] == pytest.approx(4, abs=0.1)
    assert lasts(out, "audio") == pytest.approx(4, abs=0.15)
    steps = np.diff([time for time, _ in packets(out)])
    assert steps.min() > 0
    assert steps.max() < 0.1


def test_pixels_that_are_not_square_are_written_as_they_are_seen(tmp_path):
    source = stretched(tmp_path / "a.mp4", [texture(1)[:48]] * 5, Fraction(2))
    with av.open(str(copy(source, tmp_path / "out.mp4"))) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (128, 48)
        assert (stream.sample_aspect_ratio or 1) == 1  # PyAV 19 says 0:1 where 18 says None


@pytest.mark.parametrize("name", ["12:30.mp4", "Talk: part 1.mp4", "http:a.mp4"])
def test_a_name_with_a_colon_is_a_file(tmp_path, monkeypatch, name):
    source = clip(tmp_path / "a.mp4", shades(5))
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    assert len(times(copy(source, Path(name)).resolve())) == 5
    assert [path.name for path in Path().iterdir()] == [name]


@pytest.mark.parametrize("fails_at", [0, 1, 4])
def test_after_an_error_no_part_file_stays(tmp_path, fails_at, monkeypatch):
    source = clip(tmp_path / "in.mp4", shades(5))
    whole = VideoWriter.write

    def write(self, rgb, time_s):
        if time_s >= fails_at / 25:
            raise RuntimeError("planted")
        whole(self, rgb, time_s)

    monkeypatch.setattr(VideoWriter, "write", write)
    with pytest.raises(RuntimeError, match="planted"):
        copy(source, tmp_path / "out: 1.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_without_sound_there_is_none(tmp_path):
    out = copy(clip(tmp_path / "a.mp4", shades(5), sound=None), tmp_path / "out.mp4")
    with av.open(str(out)) as container:
        assert not container.streams.audio


@pytest.mark.long
def test_after_ten_minutes_sound_and_pictures_are_less_than_a_frame_apart(tmp_path):
    source = tmp_path / "a.mp4"
    # 29.97 frames a second, as television has them: no whole number of anything
    clip(source, shades(40, 32) * 450, rate=30)
    with av.open(str(source)) as container:
        assert container.duration / 1e6 == pytest.approx(600, abs=0.1)
    out = copy(source, tmp_path / "out.mp4")
    drift = np.abs(np.array(times(out)) - np.array(times(source)))
    assert drift.max() < 0.001
    heard, before = packets(out), packets(source)
    assert abs(heard[-1][0] - before[-1][0]) < 0.001
    assert len(heard) == len(before)


def test_an_odd_size_grows_by_a_row_and_a_column(tmp_path):
    picture = texture(3, 128)[:71, :99]
    out = copy(film(tmp_path / "a.mov", [picture] * 3), tmp_path / "out.mp4")
    with open_video(out) as video:
        shown = next(iter(video)).rgb()
    assert shown.shape == (72, 100, 3)
    expected = np.pad(picture, ((0, 1), (0, 1), (0, 0)), mode="edge").astype(int)
    assert np.abs(shown - expected).mean() < 6


def test_a_frame_of_another_size_is_scaled_to_the_first(tmp_path):
    source = film(tmp_path / "a.mov", shades(2))
    with open_video(source) as video, atomic_video(tmp_path / "out.mp4", video) as written:
        list(video)
        written.write(np.full((64, 64, 3), 90, dtype=np.uint8), 0)
        written.write(np.full((200, 100, 3), 90, dtype=np.uint8), 0.1)
    with open_video(tmp_path / "out.mp4") as video:
        assert [frame.rgb().shape for frame in video] == [(64, 64, 3)] * 2


@pytest.mark.parametrize("older", [None, b"old"])
def test_an_interrupted_film_leaves_the_folder_as_it_was(tmp_path, older):
    source = clip(tmp_path / "a.mp4", shades(50))
    out = tmp_path / "out" / "out.mp4"
    out.parent.mkdir()
    if older:
        out.write_bytes(older)
    with pytest.raises(KeyboardInterrupt):
        copy(source, out, stop=40)
    assert [path.name for path in out.parent.iterdir()] == (["out.mp4"] if older else [])
    assert not older or out.read_bytes() == older


def test_a_full_disk_is_explained_and_nothing_is_left(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (20, 96, 96, 3), dtype=np.uint8)
    source = film(tmp_path / "a.mov", list(noise))
    with full_disk(), pytest.raises(OutputError, match=r"cannot write .*out.mp4.*\n.*free space"):
        copy(source, tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mov"]


def test_a_place_that_cannot_be_written_to_is_known_before_the_first_frame(tmp_path):
    (tmp_path / "file").write_text("")
    with open_video(film(tmp_path / "a.mov", shades(2))) as video:
        for target in (tmp_path / "file" / "out.mp4", Path("/proc/out.mp4")):
            with pytest.raises(OutputError, match="cannot write"):
                atomic_video(target, video).__enter__()


def test_a_name_that_is_no_film_is_refused(tmp_path):
    refused = pytest.raises(OutputError, match=r"'.avi'.*\n  try: end the name in .mp4")
    with open_video(film(tmp_path / "a.mov", shades(2))) as video, refused:
        atomic_video(tmp_path / "out.avi", video).__enter__()


@pytest.mark.parametrize("sound", ["aac", "mp2"])
def test_packets_of_sound_that_run_backwards_do_not_stop_it(tmp_path, sound):
    parts = [clip(tmp_path / f"{i}.ts", shades(25), sound=sound).read_bytes() for i in range(2)]
    (tmp_path / "glued.ts").write_bytes(b"".join(parts))
    out = copy(tmp_path / "glued.ts", tmp_path / "out.mp4")
    assert len(times(out)) >= 48
    assert min(np.diff(times(out))) > 0
    assert min(np.diff([time for time, _ in packets(out)])) > 0


def test_a_tone_is_what_is_said():
    assert tone(0).samples == 1024
