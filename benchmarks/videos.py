"""Videos to measure with: the portrait of the package (public domain) in motion, and a tone.

Every face sways about its place in a grid on its own path, over a smooth background with grain.
"""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks import portraits
from mien.pixels import U8

__all__ = ["RATE", "SIZE", "frames", "write"]

RATE, SIZE = 25, (1280, 720)
_GRIDS = {0: (1, 1), 1: (1, 1), 3: (3, 1), 10: (5, 2)}  # faces: columns, rows
_SWAY = 0.06  # of a cell
_GRAIN = 3.0  # gray levels
_GRAINS = 8  # patterns of grain, used in turn
_SOUND_RATE, _SOUND_STEP = 48_000, 1024


def frames(faces: int, count: int, size: tuple[int, int] = SIZE) -> list[U8]:
    """Draw the frames of a video.

    Args:
        faces: 0, 1, 3 or 10.
        count: frames.
        size: width and height in pixels.

    Returns:
        Each frame, shape (H, W, 3), uint8, RGB.
    """
    rng = np.random.default_rng(0)
    coarse = rng.integers(70, 150, (5, 8, 3), dtype=np.uint8)
    ground = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    grains = [rng.normal(0, _GRAIN, ground.shape).astype(np.int16) for _ in range(_GRAINS)]
    portrait = portraits.portrait()[:260, 95:355]  # the head: a face takes a third of it
    drawn = []
    for number in range(count):
        picture = ground.copy()
        for place in range(faces):
            _paste(picture, portrait, place, faces, number / RATE)
        noisy = picture.astype(np.int16) + grains[number % _GRAINS]
        drawn.append(noisy.clip(0, 255).astype(np.uint8))
    return drawn


def _paste(picture: U8, portrait: U8, place: int, faces: int, time_s: float) -> None:
    """Draw face number `place` of `faces` where it is at a time."""
    columns, rows = _GRIDS[faces]
    width, height = picture.shape[1] // columns, picture.shape[0] // rows
    side = int(min(width, height) * (0.8 + 0.05 * np.sin(0.7 * time_s + place)))
    sway = _SWAY * min(width, height)
    x = (place % columns + 0.5) * width + sway * np.sin(1.3 * time_s + 2 * place)
    y = (place // columns + 0.5) * height + sway * np.cos(0.9 * time_s + 3 * place)
    left, top = int(x - side / 2), int(y - side / 2)
    small = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    picture[top : top + side, left : left + side] = small


def write(path: Path, pictures: list[U8], count: int, sound: bool = True) -> Path:
    """Write a video as H.264 and AAC; its pictures run forwards and backwards until it ends.

    Args:
        path: an .mp4.
        pictures: the frames to repeat.
        count: number of frames of the video.
        sound: whether it has a tone.

    Returns:
        The path.
    """
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "crf": "18"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height = pictures[0].shape[1], pictures[0].shape[0]
        stream.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=_SOUND_RATE, layout="mono") if sound else None
        there_and_back = [*pictures, *pictures[-2:0:-1]]
        samples = 0
        for number in range(count):
            rgb = there_and_back[number % len(there_and_back)]
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
            while audio and samples / _SOUND_RATE < (number + 1) / RATE:
                container.mux(audio.encode(_tone(samples)))
                samples += _SOUND_STEP
        container.mux(stream.encode(None))
        if audio:
            container.mux(audio.encode(None))
    return path


def _tone(start: int) -> av.AudioFrame:
    """Part of a tone of 440 Hz that begins at sample `start`."""
    times = np.arange(start, start + _SOUND_STEP) / _SOUND_RATE
    wave = (0.2 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = _SOUND_RATE, start
    frame.time_base = Fraction(1, _SOUND_RATE)
    return frame
