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
# # A network of your own
#
# Train a small network on drawn faces, measure it, and see where it looks. In a drawing we know what tells the
# expressions apart, mouth and brows; so a map can be right or wrong. It needs `pip install "mien[train]"` and a
# notebook.

# %%
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from PIL import Image, ImageDraw

folder = Path(mkdtemp())
# By expression: the mouth, and by how many pixels the inner ends of the brows are raised.
LOOKS = {
    "happiness": ("smile", 0),
    "surprise": ("open", 6),
    "sadness": ("frown", 5),
    "anger": ("line", -7),
    "disgust": ("slant", -3),
    "fear": ("wide", 7),
}


def draw_mouth(pen, kind, x, y, ink):
    """Draw a mouth about a place."""
    if kind in {"open", "wide"}:
        across, down = (6, 8) if kind == "open" else (13, 4)
        pen.ellipse((x - across, y - down, x + across, y + down), fill=ink)
    elif kind in {"smile", "frown"}:
        turn, top = (0, y - 12) if kind == "smile" else (180, y - 2)
        pen.arc((x - 13, top, x + 13, top + 16), turn + 15, turn + 165, fill=ink, width=3)
    else:
        drop = 5 if kind == "slant" else 0
        pen.line((x - 11, y - drop, x + 11, y + drop), fill=ink, width=3)


def draw_face(label, rng):
    """Draw a face of another size, place and colour every time: 96x96 pixels."""
    ground = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    picture = Image.fromarray(ground).resize((96, 96), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    x, y = rng.integers(44, 53, 2)
    wide, high = rng.integers(28, 36), rng.integers(32, 40)
    skin, ink = tuple(rng.integers(120, 250, 3).tolist()), tuple(rng.integers(0, 60, 3).tolist())
    pen.ellipse((x - wide, y - high, x + wide, y + high), fill=skin)
    mouth, raised = LOOKS[label]
    for side in (-1, 1):
        eye = x + side * 13
        pen.ellipse((eye - 3, y - 10, eye + 3, y - 4), fill=ink)
        pen.line((eye - side * 7, y - 17 - raised, eye + side * 7, y - 17), fill=ink, width=3)
    draw_mouth(pen, mouth, x, y + 18, ink)
    shade = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    light = Image.fromarray(shade).resize((96, 96), Image.Resampling.BICUBIC)
    return Image.blend(picture, light, 0.35).rotate(rng.uniform(-12, 12), fillcolor=ink)


rng = np.random.default_rng(0)
for label in LOOKS:
    (folder / "drawn" / label).mkdir(parents=True)
    for number in range(160):
        draw_face(label, rng).save(folder / "drawn" / label / f"{number:03}.png")

sheet = Image.new("RGB", (6 * 96, 2 * 96))
for column, label in enumerate(LOOKS):
    for row in range(2):
        one = Image.open(folder / "drawn" / label / f"{row:03}.png")
        sheet.paste(one, (96 * column, 96 * row))
sheet

# %% [markdown]
# ## Prepare
#
# A share of each expression is held out for choosing the epoch (`valid`), another for the end (`test`); training
# pictures that are copies of held-out ones are left out and counted.

# %%
import os

os.chdir(folder)
# !mien prepare folder drawn --out data/drawn --valid 0.35 --test 0.1 --quiet

# %% [markdown]
# ## Train
#
# `cnn13` is the smallest network of the paper; crops of 32 pixels, so that it takes seconds.

# %%
from mien.train.config import TrainConfig
from mien.train.trainer import train

settings = TrainConfig(
    data=("data/drawn",), model="cnn13", side=32, neutral=False, epochs=2, batch=8,
    rate=0.02, augment=False, bf16=False, threads=1,
)  # fmt: skip
history = train(settings, Path("runs/first"))
for row in history:
    print(f"epoch {row['epoch']}: held-out accuracy {row['held_accuracy']:.0%}")

# %% [markdown]
# ## Measure, once
#
# One `.onnx` file with its card, which every command and `mien.Recognizer(model=...)` takes.

# %%
import mien
from mien.evaluate.accuracy import evaluate
from mien.train.export import export

export(Path("runs/first"), Path("first.onnx"))
recognizer = mien.Recognizer(model="first.onnx", threads=1)
record = evaluate(recognizer, Path("data/drawn"), "test").record
print(f"{record['pictures']} test pictures, accuracy {record['accuracy']:.0%}")
print("95 %: " + " to ".join(f"{value:.0%}" for value in record["accuracy_95"]))

# %% [markdown]
# ## Where does it look?
#
# Grad-CAM for the true expression of one test picture each. Is the evidence on mouth and brows, or on the ground
# behind?

# %%
from mien import pixels
from mien.explain import explain
from mien.media import read_rgb
from mien.show.picture_grid import crop_tile, outlined_map

tiles = []
for label in LOOKS:
    file = next(iter(sorted(Path("data/drawn/test").glob(f"*_{label}/*.jpg"))))
    crop = read_rgb(file)
    [heat] = explain(recognizer.model, pixels.to_batch([crop], side=32), "grad-cam", label)
    tiles.append(np.vstack([crop_tile(crop), outlined_map(crop, heat)]))
Image.fromarray(np.hstack(tiles)).resize((768, 256))

# %% [markdown]
# Looking is not measuring: `mien faithful first.onnx data/drawn` compares the maps with some that know nothing of
# the network. And a network that learned drawn faces knows nothing of real ones.
