"""Little videos, made on the spot and free of loss, so that their frames can be told exactly."""

from fractions import Fraction

import av
import cv2
import numpy as np
from av import library_versions

# Before FFmpeg 8 the last empty packets of a video were hidden: they looked like missing frames.
SHOWS_EMPTY_PACKETS = library_versions["libavformat"] >= (62,)


def film(path, pictures, rate=10, times=None):
    """Write (H, W, 3) pictures as a video; `times` in frames at `rate`, default 0, 1, 2, ..."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=rate)
        height, width = pictures[0].shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, "rgb24"
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number if times is None else times[number]
            frame.time_base = Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def shades(count, side=64):
    """Plain pictures, each a little brighter."""
    return [np.full((side, side, 3), 10 + number, dtype=np.uint8) for number in range(count)]


def clip(path, pictures, rate=25, sound="aac", **options):
    """Write a film as cameras do, lossy and with a tone.

    `options`: codec, pix_fmt, qp (of libx264; 0 is free of loss), late_s (of the pictures),
    quiet_s (before the tone), title, movflags, format (of the file, where its name does not say).
    """
    codec, late_s = options.get("codec", "libx264"), options.get("late_s", 0)
    written = {"movflags": options["movflags"]} if "movflags" in options else {}
    with av.open(f"file:{path}", "w", options.get("format"), written) as container:
        if "title" in options:
            container.metadata["title"] = options["title"]
        stream = container.add_stream(codec, rate=rate)
        height, width = pictures[0].shape[:2]
        stream.width, stream.height = width, height
        stream.pix_fmt = options.get("pix_fmt", "yuv420p")
        if "qp" in options:
            stream.options = {"qp": str(options["qp"])}
        audio = container.add_stream(sound, rate=48_000, layout="mono") if sound else None
        for number, picture in enumerate(pictures):
            kind = "rgba" if picture.shape[2] == 4 else "rgb24"
            frame = av.VideoFrame.from_ndarray(picture, format=kind)
            frame = frame.reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = number + round(late_s * rate), Fraction(1, rate)
            container.mux(stream.encode(frame))
        if audio:
            length_s = len(pictures) / rate + late_s
            first = round(options.get("quiet_s", 0) * 48_000)
            for start in range(first, round(length_s * 48_000), 1024):
                container.mux(audio.encode(tone(start, audio.codec_context.format.name)))
            container.mux(audio.encode(None))
        container.mux(stream.encode(None))
    return path


def tone(start, kind="fltp", pitch=440):
    """1024 samples of a pitch in Hz, from a sample on."""
    wave = 0.2 * np.sin(2 * np.pi * pitch * np.arange(start, start + 1024) / 48_000)
    whole = kind.startswith("s16")
    samples = (wave * 32767).astype(np.int16) if whole else wave.astype(np.float32)
    frame = av.AudioFrame.from_ndarray(samples[None], format=kind, layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
    return frame


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


def noted(path, matrix):
    """Note in a .mov or .mp4 how the camera was held: a stored (x, y) is (a x + c y, b x + d y)."""
    a, b, c, d = (value * 65536 for value in matrix)
    plain, held = (
        b"".join(value.to_bytes(4, "big", signed=True) for value in values)
        for values in ((65536, 0, 0, 0, 65536), (a, b, 0, c, d))
    )
    data = path.read_bytes()
    track = data.index(plain, data.index(b"tkhd"))
    path.write_bytes(data[:track] + held + data[track + len(plain) :])
    return path


def stretched(path, pictures, aspect, rate=10):
    """Write a film whose pixels are `aspect` times as wide as they are high."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        height, width = pictures[0].shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
