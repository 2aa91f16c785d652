"""Little videos, made on the spot and free of loss, so that their frames can be told exactly."""

from fractions import Fraction

import av
import numpy as np


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
