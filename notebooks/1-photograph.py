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
# # A photograph
#
# Read the faces of a photograph, look at the scores, and ask where the evidence lies. The photograph is the
# portrait that comes with mien (Eileen Collins, NASA, public domain).
# It needs `pip install "mien[tables]"` and a notebook.

# %%
import mien
from mien.media.images import PORTRAIT, read_rgb

portrait = read_rgb(PORTRAIT)
recognizer = mien.Recognizer()
picture = recognizer.read(portrait)  # or the name of a file
picture

# %% [markdown]
# The box, five landmarks, the label, six scores that sum to 1, and the probability that the face is calm:

# %%
[face] = picture.faces
print(face.label, round(face.confidence, 3))
print({name: round(value, 3) for name, value in face.scores.items()})
print("neutral:", round(face.neutral, 3))

# %% [markdown]
# ## Where was the evidence?
#
# Left: the crop. Middle: the map, scaled by its own maximum. Right: the map over the crop as the network saw it.

# %%
mien.explain_picture(portrait, recognizer=recognizer)

# %% [markdown]
# There is a map for each expression, also for those that the face does not show. Compare places, not strengths.

# %%
mien.explain_picture(portrait, label="fear", recognizer=recognizer)

# %% [markdown]
# The share of the evidence on each part of the face, for the predicted expression. It is that of the class map, another
# map than the ones above: `mien.explain_picture(portrait, "cam")` draws it.

# %%
print(face.sentence)
face.regions

# %% [markdown]
# ## What if a part is hidden?
#
# A map is a claim. Test it: hide the mouth of the crop, then the eyes, with grey, and classify again. In every crop of
# mien the eyes lie at a third of the height and the mouth at three quarters.

# %%
import numpy as np


def hidden(crop, top, bottom):
    """Return the crop with its rows from top to bottom in grey, both as shares of its height."""
    changed = crop.copy()
    rows = slice(round(top * len(crop)), round(bottom * len(crop)))
    changed[rows] = 128
    return changed


crops = [face.crop, hidden(face.crop, 0.62, 0.94), hidden(face.crop, 0.18, 0.5)]
scores = recognizer.classify(crops)
for name, row in zip(("whole", "without mouth", "without eyes"), scores, strict=True):
    best = mien.LABELS[int(np.argmax(row))]
    print(f"{name:<14} {best:<10} happiness {row[0]:.2f}")

# %% [markdown]
# Look at what the network was shown: is the mouth gone?

# %%
from PIL import Image

Image.fromarray(np.hstack(crops))

# %% [markdown]
# An expression is not an emotion: this names what a face shows, and not what a person feels.
