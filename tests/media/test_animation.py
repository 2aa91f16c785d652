"""An animated WebP, GIF or PNG is a video."""

import numpy as np
import pytest
from PIL import Image

from mien.errors import BadImageError, BadSettingError
from mien.media import decoder
from mien.media.sources import open_file, open_video
from tests.support.pictures import encode, texture

LASTS_MS = [100, 200, 100, 100, 50]


def animation(path, pictures, kind, **options):
    first, *more = [p if isinstance(p, Image.Image) else Image.fromarray(p) for p in pictures]
    path.write_bytes(
        encode(first, kind, save_all=True, append_images=more, duration=LASTS_MS, **options)
    )
    return path


@pytest.mark.parametrize("name", ["a.webp", "a.gif", "a.png", "a.mp4"])
def test_an_animation_has_its_frames_and_their_times(tmp_path, name):
    kind = {"a.webp": "WEBP", "a.gif": "GIF", "a.png": "PNG", "a.mp4": "WEBP"}[name]
    pictures = [texture(n) for n in range(5)]
    options = {"lossless": True} if kind == "WEBP" else {}
    with open_video(animation(tmp_path / name, pictures, kind, **options)) as video:
        shown = list(video.pictures(video))
        assert (video.damaged, video.mended) == (0, 0)
    assert [frame.number for frame, _ in shown] == list(range(5))
    assert [round(frame.time_s, 6) for frame, _ in shown] == [0, 0.1, 0.3, 0.4, 0.5]
    for (_, rgb), picture in zip(shown, pictures, strict=True):
        assert np.abs(rgb.astype(int) - picture).mean() < (12 if kind == "GIF" else 0.01)


def test_what_is_clear_is_white(tmp_path):
    frames = []
    for level in range(5):
        pixels = np.zeros((64, 64, 4), dtype=np.uint8)
        pixels[..., :3] = texture(level)
        pixels[:32, :, 3] = 255
        frames.append(Image.fromarray(pixels))
    with open_video(animation(tmp_path / "a.webp", frames, "WEBP", lossless=True)) as video:
        rgb = [frame.rgb() for frame in video]
    for level, shown in enumerate(rgb):
        np.testing.assert_array_equal(shown[:32], texture(level)[:32])
        assert (shown[32:] == 255).all()


def test_a_still_webp_is_a_picture_as_before(tmp_path):
    (tmp_path / "a.webp").write_bytes(encode(texture(1), "WEBP"))
    with pytest.raises(BadImageError, match=r"a\.webp is a picture, or a file of pictures"):
        open_file(tmp_path / "a.webp")


def test_a_rate_for_an_animation_is_refused(tmp_path):
    path = animation(tmp_path / "a.webp", [texture(n) for n in range(5)], "WEBP")
    with pytest.raises(BadSettingError, match="has its own rate"):
        open_video(path, rate=5)


def test_a_damaged_animation_is_read_as_far_as_it_goes(tmp_path):
    path = animation(
        tmp_path / "a.webp", [texture(n, 200) for n in range(5)], "WEBP", lossless=True
    )
    data = bytearray(path.read_bytes())
    starts = [place for place in range(len(data)) if data[place : place + 4] == b"ANMF"]
    data[starts[3] + 40 : starts[3] + 400] = bytes(360)
    path.write_bytes(data)
    with open_file(path) as video:
        frames = list(video)
        assert [frame.number for frame in frames] == [0, 1, 2]
        assert video.damaged == 2


@pytest.mark.parametrize("size", [30, 200])
def test_a_webp_cut_short_is_an_error_or_counted(tmp_path, size):
    path = animation(tmp_path / "a.webp", [texture(n) for n in range(5)], "WEBP")
    path.write_bytes(path.read_bytes()[:size])
    with (
        pytest.raises(BadImageError, match=r"not a picture|damaged picture|damaged video"),
        open_video(path) as video,
    ):
        list(video)


@pytest.mark.parametrize("side", [8192, 16_384])
def test_an_animation_that_says_it_is_huge_is_refused(tmp_path, side):
    path = animation(tmp_path / "a.webp", [texture(n) for n in range(5)], "WEBP")
    data = path.read_bytes()
    size = (side - 1).to_bytes(3, "little") * 2
    path.write_bytes(data[:24] + size + data[30:])  # of the canvas, in the chunk VP8X
    with pytest.raises(BadImageError, match=r"(not a video|picture too large): .*a\.webp"):
        open_video(path)


def test_an_animation_too_large_is_refused(tmp_path, monkeypatch):
    path = animation(tmp_path / "a.webp", [texture(n) for n in range(5)], "WEBP")
    monkeypatch.setattr(decoder, "MAX_PIXELS", 64 * 64 - 1)
    with pytest.raises(BadImageError, match="has frames of 64x64"):
        open_video(path)
