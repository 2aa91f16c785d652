"""Ten people, all made from the one public-domain portrait.

Cut out, mirrored, made broader or narrower, with other hair, skin and clothes; each can laugh, as
she does, or be astonished. Imports: numpy, cv2, mien.media.images.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

import mien
from mien.media import images

__all__ = ["Person", "person"]

_PORTRAIT = Path(mien.__file__).parent / "pictures" / "eileen_collins.jpg"
# Her outline in the portrait, by hand.
_OUTLINE = [
    (20, 430), (24, 330), (50, 262), (100, 225), (112, 190), (150, 156), (184, 152), (180, 126),
    (160, 108), (154, 82), (166, 50), (194, 24), (230, 15), (270, 26), (296, 54), (300, 96),
    (288, 122), (276, 134), (266, 166), (300, 205), (306, 236), (352, 270), (366, 340), (366, 430),
]  # fmt: skip
_HAIR = [
    (160, 108), (154, 82), (166, 50), (194, 24), (230, 15), (270, 26), (296, 54), (300, 96),
    (288, 122), (276, 126), (272, 96), (240, 82), (196, 80), (184, 96), (182, 126),
]  # fmt: skip
_SKIN = [
    (182, 126), (184, 96), (196, 80), (240, 82), (272, 96), (274, 130), (264, 164), (252, 186),
    (200, 186), (190, 160),
]  # fmt: skip
_FACE = (180.0, 66.0, 268.0, 178.0)  # cheeks, brow line, chin: measured in the portrait
_SIZE = 430  # pixels of the portrait used


@dataclass(frozen=True, eq=False)
class Person:
    """One identity, cut out.

    Attributes:
        rgba: shape (430, 430, 4), uint8; transparent about the figure.
        face: left, top, right, bottom of the face in it.
    """

    rgba: np.ndarray
    face: tuple[float, float, float, float]


# mirrored, width, hair's colour, skin's gain of red, green, blue, turn of the clothes' hue
_KINDS = (
    (False, 1.00, None, (1.00, 1.00, 1.00), 0),
    (True, 0.90, (0.30, 0.25, 0.25), (0.78, 0.70, 0.62), 100),
    (False, 1.12, (1.15, 0.75, 0.45), (1.08, 1.00, 0.98), 50),
    (True, 1.04, (1.25, 1.40, 1.80), (0.95, 0.93, 0.95), 75),
    (False, 0.92, (0.45, 0.30, 0.20), (0.60, 0.52, 0.45), 20),
    (True, 1.10, None, (0.90, 0.82, 0.70), 130),
    (False, 1.00, (0.20, 0.20, 0.22), (1.00, 0.95, 0.85), 155),
    (True, 0.95, (1.30, 1.00, 0.60), (1.05, 0.95, 0.92), 62),
    (False, 1.06, (0.80, 0.80, 0.95), (0.85, 0.78, 0.72), 88),
    (True, 1.00, (0.60, 0.35, 0.25), (0.70, 0.60, 0.50), 115),
)


@cache
def person(number: int, astonished: float = 0.0) -> Person:
    """Return one of the ten laughing (0), astonished (1), or between."""
    return _person(*_KINDS[number], astonished=astonished)


def _person(mirrored, width, hair, skin, hue, astonished=0.0) -> Person:
    rgb = _portrait()
    if astonished:
        rgb = cv2.addWeighted(_astonished(), astonished, rgb, 1 - astonished, 0)
    figure = _soft(_OUTLINE)
    coloured = _turned(rgb, hue)
    keep = np.clip(_soft(_HAIR) + _soft(_SKIN), 0, 1)[..., None]
    picture = rgb * keep + coloured * (1 - keep)
    for area, gain in ((_SKIN, skin), (_HAIR, hair or (1, 1, 1))):
        mask = _soft(area)[..., None]
        picture = picture * (1 - mask) + picture * np.array(gain) * mask
    rgba = np.dstack([picture, figure * 255]).clip(0, 255).astype(np.uint8)
    left, top, right, bottom = _FACE
    if mirrored:
        rgba = np.ascontiguousarray(rgba[:, ::-1])
        left, right = _SIZE - right, _SIZE - left
    broad = cv2.resize(rgba, (round(_SIZE * width), _SIZE), interpolation=cv2.INTER_AREA)
    return Person(broad, (left * width, top, right * width, bottom))


def _soft(polygon) -> np.ndarray:
    mask = np.zeros((_SIZE, _SIZE), dtype=np.float32)
    cv2.fillPoly(mask, [np.array(polygon)], 1.0)
    return cv2.GaussianBlur(mask, (0, 0), 1.5)


def _turned(rgb, hue) -> np.ndarray:
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(int)
    hsv[..., 0] = (hsv[..., 0] + hue) % 180
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)


@cache
def _portrait() -> np.ndarray:
    return images.read_rgb(_PORTRAIT)[:_SIZE, :_SIZE].copy()


@cache
def _astonished() -> np.ndarray:
    """The laughing mouth is an open one, and the brows are raised."""
    rgb = _portrait()
    mouth = np.zeros(rgb.shape[:2], dtype=np.uint8)
    cv2.ellipse(mouth, (224, 147), (27, 16), 2, 0, 360, 255, -1)
    skin = cv2.inpaint(rgb, mouth, 5, cv2.INPAINT_TELEA)
    for colour, (across, down) in (((176, 98, 88), (15, 18)), ((60, 22, 24), (11, 14))):
        cv2.ellipse(skin, (225, 152), (across, down), 0, 0, 360, colour, -1, cv2.LINE_AA)
    for points in ([(188, 90), (203, 82), (217, 88)], [(234, 89), (247, 84), (262, 92)]):
        cv2.polylines(skin, [np.array(points)], False, (95, 66, 45), 4, cv2.LINE_AA)
    return cv2.GaussianBlur(skin, (0, 0), 0.8)
