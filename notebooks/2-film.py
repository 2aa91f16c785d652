# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A film
#
# From a film to a table and a plot. It needs `pip install "mien[video,plot,tables]"` and a notebook.
#
# The film is made here, from the portrait that comes with mien: four seconds, in which the laughing mouth is
# painted over by an open one from second 1.5 to 3.

# %%
from fractions import Fraction
from pathlib import Path
from tempfile import mkdtemp

import av
import cv2
import numpy as np

from mien.media.images import PORTRAIT, read_rgb

RATE = 10  # frames a second
folder = Path(mkdtemp())
laughing = read_rgb(PORTRAIT)

mouth = np.zeros(laughing.shape[:2], dtype=np.uint8)
cv2.ellipse(mouth, (224, 147), (27, 16), 2, 0, 360, 255, -1)
astonished = cv2.inpaint(laughing, mouth, 5, cv2.INPAINT_TELEA)
for colour, size in (((176, 98, 88), (15, 18)), ((60, 22, 24), (11, 14))):
    cv2.ellipse(astonished, (225, 152), size, 0, 0, 360, colour, -1, cv2.LINE_AA)
for brow in ([(188, 90), (203, 82), (217, 88)], [(234, 89), (247, 84), (262, 92)]):
    cv2.polylines(astonished, [np.array(brow)], False, (95, 66, 45), 4, cv2.LINE_AA)

with av.open(str(folder / "talk.mp4"), "w") as film:
    stream = film.add_stream("libx264", rate=RATE)
    stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
    for number in range(4 * RATE):
        shown = astonished if 15 <= number < 30 else laughing
        sway = round(10 * np.sin(number / 5))
        left = 64 + sway
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(shown[40:280, left : left + 320]), format="rgb24"
        )
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        film.mux(stream.encode(frame.reformat(format="yuv420p")))
    film.mux(stream.encode(None))

# %% [markdown]
# ## Read it
#
# `read_video` gives the frames one by one. Keep what you need of each, as every frame has its pixels.

# %%
import pandas as pd

import mien
from mien.show.timeline import Timeline

timeline, tables = Timeline(), []
for frame in mien.read_video(folder / "talk.mp4"):
    timeline.add(frame)
    tables.append(frame.to_frame())
faces = pd.concat(tables, ignore_index=True)
faces[["time_s", "track", "label", "confidence", "happiness", "surprise"]].iloc[::8].round(2)

# %% [markdown]
# ## Look at it
#
# The scores as curves, the labels as a band, and the face at the peak of each expression:

# %%
from PIL import Image

from mien.show.timeline_plot import draw_timeline

draw_timeline(timeline, folder / "talk.png")
Image.open(folder / "talk.png").resize((900, 246))

# %% [markdown]
# ## Count
#
# Seconds with each label. Frames are not independent, so count time and not frames; and a change is seen about
# 0.2 s late, because scores are averaged over the past 0.3 s.

# %%
(faces.groupby("label")["time_s"].count() / RATE).rename("seconds").to_frame()

# %% [markdown]
# The same from the command line: `mien video talk.mp4 --csv talk.csv --plot talk.png --summary summary.csv`.
