"""Faces to measure with, all made from the one portrait in the package (public domain).

Every one differs in turn, size, place, light and noise, from a fixed seed.
"""

from pathlib import Path

import numpy as np
from PIL import Image

import mien
from mien.faces import align
from mien.faces.boxes import Box, Detection
from mien.faces.detect import Detector
from mien.media import images
from mien.pixels import U8

__all__ = ["PATH", "crops", "detections", "portrait", "scene"]


PATH = Path(mien.__file__).parent / "pictures" / "eileen_collins.jpg"
_GROUND = (96, 108, 120)
# Left, top, side of the pasted portraits.
_PLACES = (
    (20, 20, 340),
    (380, 20, 300),
    (700, 20, 260),
    (980, 20, 280),
    (60, 400, 300),
    (420, 400, 240),
    (720, 380, 320),
)


def portrait() -> U8:
    """Return the portrait, shape (512, 512, 3)."""
    return images.read_rgb(PATH)


def detections(count: int, seed: int = 0) -> list[Detection]:
    """Return the portrait's face, found `count` times with landmarks that differ.

    Args:
        count: how many.
        seed: of the differences.

    Returns:
        Detections on `portrait()`.
    """
    [face] = Detector().find(portrait())
    rng = np.random.default_rng(seed)
    moved = []
    for _ in range(count):
        turn = rng.uniform(0.85, 1.2) * np.exp(1j * np.radians(rng.uniform(-12, 12)))
        points = face.landmarks.astype(np.float64) @ np.array([1, 1j])
        points = (points - points.mean()) * turn + points.mean()
        points += complex(*rng.uniform(-0.06, 0.06, 2)) * face.box.width
        five = np.stack([points.real, points.imag], axis=1).astype(np.float32)
        moved.append(Detection(face.box, five, face.confidence))
    return moved


def crops(count: int, seed: int = 0) -> U8:
    """Return upright crops of the face, no two alike.

    Args:
        count: how many.
        seed: of the differences.

    Returns:
        shape (count, 64, 64, 3), uint8, RGB.
    """
    rgb = portrait()
    rng = np.random.default_rng(seed)
    made = np.empty((count, align.SIDE, align.SIDE, 3), dtype=np.uint8)
    for i, face in enumerate(detections(count, seed)):
        crop = align.crop(rgb, align.similarity(face.landmarks)).astype(np.float32)
        lit = crop * rng.uniform(0.6, 1.3) + rng.uniform(-30, 30)
        made[i] = (lit + rng.normal(0, 6, crop.shape)).clip(0, 255)
    return made


def scene(count: int) -> tuple[U8, list[Box]]:
    """Paste the portrait on a plain photograph of 1280x720 pixels.

    Args:
        count: how many times, 1 to 7.

    Returns:
        The picture, shape (720, 1280, 3), and where each portrait lies.
    """
    image = Image.new("RGB", (1280, 720), _GROUND)
    original = Image.fromarray(portrait())
    boxes = []
    for left, top, side in _PLACES[:count]:
        small = original.resize((side, side), Image.Resampling.LANCZOS)
        image.paste(small, (left, top))
        boxes.append(Box(left, top, left + side, top + side))
    return np.asarray(image), boxes
