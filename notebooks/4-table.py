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
# # A table of many pictures
#
# Read a folder into a table, and ask the table. It needs `pip install "mien[tables,plot]"` and a notebook.
#
# The folder is made here: the portrait that comes with mien, blurred and darkened in many strengths. So the truth
# is known, it is the same face every time, and the question is: **how bad may a picture be?**

# %%
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from mien.media.images import PORTRAIT

folder = Path(mkdtemp()) / "pictures"
folder.mkdir()
portrait = Image.open(PORTRAIT)
BLURS, LIGHTS = np.arange(0, 13, 2), (1.0, 0.5, 0.25, 0.12, 0.06)
for blur in BLURS:
    for light in LIGHTS:
        soft = portrait.filter(ImageFilter.GaussianBlur(float(blur)))
        dark = ImageEnhance.Brightness(soft).enhance(light)
        dark.save(folder / f"blur{blur:02}-light{light:.2f}.png", compress_level=1)

# %% [markdown]
# ## Read them
#
# `read_many` uses all cores and keeps the order. What cannot be read would be a named failure, not an exception.

# %%
import pandas as pd

import mien

recognizer = mien.Recognizer()
results = list(recognizer.read_many(sorted(folder.iterdir()), workers=0))
pictures = [result for result in results if isinstance(result, mien.Picture)]
faces = pd.concat([picture.to_frame() for picture in pictures], ignore_index=True)
print(len(results), "files,", len(pictures), "read,", faces["path"].nunique(), "with a face")

# %% [markdown]
# ## First: what was not found
#
# A picture without a face has no row. A mean over the rows would hide it.

# %%
found = set(faces["path"])
missing = [Path(result.path).stem for result in results if result.path not in found]
print(len(missing), "pictures without a face, among them", ", ".join(missing[:3]))

# %% [markdown]
# ## Then: what the scores do

# %%
numbers = faces["path"].str.extract(r"blur(?P<blur>\d+)-light(?P<light>[\d.]+)\.png").astype(float)
faces = faces.join(numbers)
faces.pivot_table(index="blur", columns="light", values="happiness").astype(float).round(2)

# %%
faces.pivot(index="blur", columns="light", values="label")

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
for light, rows in faces.groupby("light"):
    axes.plot(rows["blur"], rows["happiness"].astype(float), "o-", ms=3, label=f"light {light:g}")
axes.set(xlabel="blur, sigma in pixels", ylabel="score of happiness", ylim=(0, 1))
_ = axes.legend(frameon=False)

# %% [markdown]
# The same from the command line, into one file that pandas, polars, DuckDB and R read:
# `mien predict pictures --parquet faces.parquet --resume`.
