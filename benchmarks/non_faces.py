"""Crops of all that is no face: patches of free pictures, and what is drawn here.

The pictures come in scikit-image's wheel: CC0, in the public domain, or without known restriction
by its own account; those of which it says nothing are left out, and so are coins with heads on
them. Of the two pictures with people only parts without a head are taken. Backs of heads are drawn,
for want of free photographs: a measure of drawn ones says little of real ones.
"""

from collections.abc import Callable

import cv2
import numpy as np
from skimage import data

from benchmarks import portraits
from mien.faces import align
from mien.pixels import U8

__all__ = ["KINDS", "make"]

Rng = np.random.Generator
SIDE = 64

# Kind: pictures and, of each, the part that may be used: top, left (pixels).
_PICTURES: dict[str, tuple[tuple[Callable[[], U8], int, int], ...]] = {
    "texture": ((data.brick, 0, 0), (data.grass, 0, 0), (data.gravel, 0, 0)),
    "object": (
        (data.coffee, 0, 0),
        (data.rocket, 0, 0),
        (data.clock, 0, 0),
        (data.astronaut, 220, 0),  # suit, helmet
        (data.camera, 170, 0),  # coat, tripod, grass
        (data.camera, 0, 300),  # skyline
    ),
    "science": (
        (data.cell, 0, 0),
        (data.hubble_deep_field, 0, 0),
        (data.immunohistochemistry, 0, 0),
        (data.retina, 0, 0),
        (data.microaneurysms, 0, 0),
    ),
    "text": ((data.text, 0, 0),),
    "cat": ((data.chelsea, 0, 0),),
}


def make(kind: str, count: int, seed: int = 0) -> U8:
    """Make crops of a kind.

    Args:
        kind: one of `KINDS`.
        count: how many, no two alike.
        seed: of the choice.

    Returns:
        shape (count, 64, 64, 3), uint8, RGB.
    """
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    if kind in _PICTURES:
        parts = [read()[top:, left:] for read, top, left in _PICTURES[kind]]
        return np.stack([_patch(parts[i % len(parts)], rng) for i in range(count)])
    return np.stack([_DRAWN[kind](rng) for _ in range(count)])


def _patch(picture: U8, rng: Rng) -> U8:
    """A square anywhere, from 48 pixels to all of the height, upright or mirrored."""
    rgb = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    side = int(rng.integers(48, min(rgb.shape[:2]) + 1))
    top = int(rng.integers(0, rgb.shape[0] - side + 1))
    left = int(rng.integers(0, rgb.shape[1] - side + 1))
    part = rgb[top : top + side, left : left + side, :3]
    way = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(np.ascontiguousarray(part), (SIDE, SIDE), interpolation=way))
    return small[:, ::-1] if rng.random() < 0.5 else small


def _noise(rng: Rng) -> U8:
    """White noise, blurred by nothing to 12 pixels."""
    white = rng.normal(128, 60, (SIDE, SIDE, 3))
    sigma = float(rng.choice([0, 1, 2, 4, 8, 12]))
    soft = cv2.GaussianBlur(white, (0, 0), sigma) if sigma else white
    spread = rng.uniform(20, 70) / max(float(soft.std()), 1e-6)
    return ((soft - soft.mean()) * spread + rng.uniform(60, 190)).clip(0, 255).astype(np.uint8)


def _gradient(rng: Rng) -> U8:
    """One colour that becomes another, or stays."""
    y, x = np.indices((SIDE, SIDE)) / (SIDE - 1)
    angle = rng.uniform(0, 2 * np.pi)
    way = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) + 0.5
    first, last = rng.uniform(0, 255, (2, 3))
    return (first + (last - first) * way[..., None]).clip(0, 255).astype(np.uint8)


def _drawing(rng: Rng) -> U8:
    """A few shapes on a plain ground."""
    canvas = np.full((SIDE, SIDE, 3), rng.integers(0, 256, 3), dtype=np.uint8)
    for _ in range(int(rng.integers(1, 8))):
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        a, b = (tuple(int(v) for v in rng.integers(0, SIDE, 2)) for _ in range(2))
        shape = int(rng.integers(0, 4))
        if shape == 0:
            cv2.rectangle(canvas, a, b, colour, -1)
        elif shape == 1:
            cv2.circle(canvas, a, int(rng.integers(3, 24)), colour, -1, cv2.LINE_AA)
        elif shape == 2:
            cv2.line(canvas, a, b, colour, int(rng.integers(1, 6)), cv2.LINE_AA)
        else:
            word = chr(int(rng.integers(65, 91)))
            cv2.putText(canvas, word, a, cv2.FONT_HERSHEY_SIMPLEX, 1.5, colour, 2, cv2.LINE_AA)
    return canvas


def _back_of_head(rng: Rng) -> U8:
    """Hair over a neck, with ears, on a plain ground."""
    canvas = np.full((SIDE, SIDE, 3), rng.integers(60, 256, 3), dtype=np.uint8)
    skin = np.array([224, 172, 140]) * rng.uniform(0.35, 1.1)
    hair = np.array([90, 65, 45]) * rng.uniform(0.2, 2.2)
    tones = [tuple(float(v) for v in tone.clip(0, 255)) for tone in (skin, hair)]
    x, y = 32 + rng.uniform(-4, 4), 28 + rng.uniform(-4, 4)
    wide, high = rng.uniform(18, 27), rng.uniform(22, 30)
    neck = (int(x - 0.5 * wide), int(y)), (int(x + 0.5 * wide), SIDE)
    cv2.rectangle(canvas, *neck, tones[0], -1)
    for sign in (-1, 1):
        cv2.ellipse(canvas, (int(x + sign * wide), int(y + 4)), (4, 7), 0, 0, 360, tones[0], -1)
    cv2.ellipse(canvas, (int(x), int(y)), (int(wide), int(high)), 0, 0, 360, tones[1], -1)
    strands = cv2.GaussianBlur(rng.normal(0, 90, (SIDE, SIDE)), (0, 0), sigmaX=0.7, sigmaY=4)
    lit = canvas + np.where((canvas == np.uint8(tones[1])).all(axis=2), strands, 0)[..., None]
    return np.asarray(cv2.GaussianBlur(lit.clip(0, 255).astype(np.uint8), (0, 0), 0.7))


def _shuffled(rng: Rng) -> U8:
    """The portrait in the package, cut into sixteen tiles that are shuffled."""
    [face] = portraits.detections(1, int(rng.integers(0, 10_000)))
    crop = align.crop(portraits.portrait(), align.similarity(face.landmarks))
    tiles = crop.reshape(4, 16, 4, 16, 3).swapaxes(1, 2).reshape(16, 16, 16, 3)
    mixed = tiles[rng.permutation(16)].reshape(4, 4, 16, 16, 3).swapaxes(1, 2)
    return mixed.reshape(SIDE, SIDE, 3)


_DRAWN: dict[str, Callable[[Rng], U8]] = {
    "noise": _noise,
    "gradient": _gradient,
    "drawing": _drawing,
    "back of a head, drawn": _back_of_head,
    "shuffled portrait": _shuffled,
}
KINDS = (*_PICTURES, *_DRAWN)
