"""What happens to a picture on its way from one database into another: 15 kinds, none to heavy.

Each takes a uint8 RGB picture, shape (H, W, 3), and a random generator, and returns a changed copy.
"""

from collections.abc import Callable

import cv2
import numpy as np

from mien.pixels import U8

__all__ = ["CHANGES"]

Change = Callable[[U8, np.random.Generator], U8]


def _bytes(values: np.ndarray) -> U8:
    return values.round().clip(0, 255).astype(np.uint8)


def _exact(picture: U8, _: np.random.Generator) -> U8:
    return picture.copy()


def _jpeg(picture: U8, _: np.random.Generator) -> U8:
    encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR)  # bytes in, bytes out: BGR or RGB is one


def _smaller(picture: U8, _: np.random.Generator) -> U8:
    size = (picture.shape[1], picture.shape[0])
    return cv2.resize(cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA), size)


def _brightness(picture: U8, rng: np.random.Generator) -> U8:
    return _bytes(picture + rng.choice([-50.0, 50.0]))


def _contrast(picture: U8, rng: np.random.Generator) -> U8:
    return _bytes((picture - 128.0) * rng.choice([0.5, 1.5]) + 128)


def _gamma(picture: U8, rng: np.random.Generator) -> U8:
    return _bytes(255 * (picture / 255.0) ** rng.choice([0.6, 1.7]))


def _gray(picture: U8, _: np.random.Generator) -> U8:
    return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def _mirror(picture: U8, _: np.random.Generator) -> U8:
    return picture[:, ::-1].copy()


def _crop(picture: U8, rng: np.random.Generator, kept: float) -> U8:
    """Keep a share of the side, anywhere, and enlarge it to the old size."""
    height, width = (round(side * kept) for side in picture.shape[:2])
    top = int(rng.integers(picture.shape[0] - height + 1))
    left = int(rng.integers(picture.shape[1] - width + 1))
    part = picture[top : top + height, left : left + width]
    return cv2.resize(part, (picture.shape[1], picture.shape[0]))


def _crop_5(picture: U8, rng: np.random.Generator) -> U8:
    return _crop(picture, rng, 0.95)


def _crop_10(picture: U8, rng: np.random.Generator) -> U8:
    return _crop(picture, rng, 0.90)


def _crop_25(picture: U8, rng: np.random.Generator) -> U8:
    return _crop(picture, rng, 0.75)


def _moved(picture: U8, matrix: np.ndarray) -> U8:
    size = (picture.shape[1], picture.shape[0])
    return cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE)


def _shift(picture: U8, rng: np.random.Generator) -> U8:
    x, y = rng.choice([-3.0, 3.0], 2)
    return _moved(picture, np.array([[1, 0, x], [0, 1, y]]))


def _rotate(picture: U8, rng: np.random.Generator) -> U8:
    middle = (picture.shape[1] / 2 - 0.5, picture.shape[0] / 2 - 0.5)
    return _moved(picture, cv2.getRotationMatrix2D(middle, rng.choice([-3.0, 3.0]), 1))


def _blur_and_noise(picture: U8, rng: np.random.Generator) -> U8:
    return _bytes(cv2.GaussianBlur(picture, (0, 0), 1.0) + rng.normal(0, 8, picture.shape))


def _several(picture: U8, rng: np.random.Generator) -> U8:
    return _jpeg(_crop_5(_gamma(_mirror(picture, rng), rng), rng), rng)


CHANGES: dict[str, Change] = {
    "exact": _exact,
    "JPEG quality 40": _jpeg,
    "48 pixels and back": _smaller,
    "brightness 50 up or down": _brightness,
    "contrast x0.5 or x1.5": _contrast,
    "gamma 0.6 or 1.7": _gamma,
    "grey": _gray,
    "mirrored": _mirror,
    "cropped 5 %": _crop_5,
    "cropped 10 %": _crop_10,
    "shifted 3 pixels": _shift,
    "rotated 3 degrees": _rotate,
    "blur 1 and noise 8": _blur_and_noise,
    "mirror, gamma, crop 5 %, JPEG": _several,
    "cropped 25 %": _crop_25,
}
