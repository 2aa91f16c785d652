"""From a face crop to network input. The only place where pixels become numbers.

Training and serving both call this file, so a model never sees two kinds of input.
Pipeline: uint8 RGB or grey crop -> grey -> square -> [0, 1] -> normalised -> three equal channels.
The side of the square is the network's: 64 pixels, unless its model card says another.
It also defines the array types and the batches of the package, and enlarges coarse maps. Knows
nothing of torch and cv2.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from mien.errors import BadImageError

__all__ = [
    "BATCH",
    "BOOL",
    "F32",
    "F64",
    "I64",
    "MEAN",
    "SIDE",
    "STD",
    "U8",
    "check_rgb",
    "enlarge",
    "in_batches",
    "refuse_one_crop",
    "resampling",
    "to_batch",
    "to_gray",
    "to_heat",
    "to_input",
    "to_side",
]

# The array types of the whole package; nothing else defines them.
U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
BOOL = npt.NDArray[np.bool_]
SIDE = 64  # pixels: of the paper's networks, and of the grid that regions of the face are laid on
BATCH = 64  # crops given to a network at once, to bound memory
MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)  # ImageNet's, as in the paper's code
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)
# One row a channel: grey value -> network input. A look-up is faster than the arithmetic.
_GRAYS = np.arange(256, dtype=np.float32)
_TABLE: F32 = ((_GRAYS / 255 - MEAN[:, None]) / STD[:, None]).astype(np.float32)  # (3, 256)


def to_gray(crop: U8) -> U8:
    """Convert RGB to luma, bit for bit as Pillow's ``convert("L")`` does.

    Args:
        crop: shape (H, W, 3), uint8 in [0, 255], channels in RGB order (not OpenCV's BGR);
            or (H, W), which is grey already and returned as it is.

    Returns:
        shape (H, W), uint8.

    Raises:
        BadImageError: if `crop` is neither.

    Source:
        ITU-R BT.601 weights in 16-bit fixed point.

    Example:
        >>> to_gray(np.full((1, 1, 3), 200, dtype=np.uint8)).tolist()
        [[200]]
    """
    if not isinstance(crop, np.ndarray) or crop.dtype != np.uint8 or 0 in crop.shape:
        raise BadImageError(*_not_a_crop(crop))
    if crop.ndim == 2:
        return crop
    if crop.ndim != 3 or crop.shape[2] != 3:
        raise BadImageError(*_not_a_crop(crop))
    return np.asarray(Image.fromarray(np.ascontiguousarray(crop)).convert("L"))


def check_rgb(rgb: object) -> None:
    """Check that something is a picture as `mien.media.read_rgb` returns it.

    Args:
        rgb: shape (H, W, 3), uint8, without empty sides.

    Raises:
        BadImageError: if it is anything else, for which `mien.media.inputs.as_rgb` may be.
    """
    got = type(rgb).__name__
    if isinstance(rgb, np.ndarray):
        if rgb.dtype == np.uint8 and rgb.shape[2:] == (3,) and 0 not in rgb.shape:
            return
        got = f"{rgb.shape} {rgb.dtype}"
    raise BadImageError(
        f"expected an (H, W, 3) RGB uint8 picture, got {got}",
        fix="convert it with mien.media.inputs.as_rgb(picture)",
    )


def _not_a_crop(crop: object) -> tuple[str, str]:
    """Return the message and its next step."""
    got, fix = type(crop).__name__, "read the picture with mien.media.read_rgb(path)"
    if isinstance(crop, np.ndarray):
        got = f"{crop.shape} {crop.dtype}"
        if crop.dtype.kind == "f":
            fix += ', or make bytes of [0, 1]: (255 * crop).round().astype("uint8")'
        elif crop.ndim == 3 and crop.shape[0] in {1, 3, 4}:
            fix = "put the channels last: crop.transpose(1, 2, 0)"
        elif crop.ndim == 3 and crop.shape[2] in {1, 2, 4}:
            fix = "give crop[..., 0], which is grey" if crop.shape[2] < 3 else "give crop[..., :3]"
    elif hasattr(crop, "__array_interface__") or hasattr(crop, "__array__"):  # Pillow's, torch's
        fix = "give numpy.asarray(crop), channels last"
    return f"expected an (H, W, 3) RGB or (H, W) grey uint8 array, got {got}", fix


def to_side(gray: U8, side: int = SIDE) -> U8:
    """Resize a grey crop to a square, averaging when it shrinks.

    Args:
        gray: shape (H, W), uint8.
        side: length of the square's side in pixels.

    Returns:
        shape (side, side), uint8.

    Example:
        >>> to_side(np.full((10, 20), 7, dtype=np.uint8)).shape
        (64, 64)
    """
    if gray.shape == (side, side):
        return gray
    resized = Image.fromarray(gray).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def to_input(crop: U8, side: int = SIDE) -> F32:
    """Turn one crop into the network's input.

    Args:
        crop: shape (H, W, 3) RGB or (H, W) grey, uint8.
        side: of the input in pixels; `mien.recognize.model.Model.side` is a model's.

    Returns:
        shape (3, side, side), float32, normalised, the three channels equal before normalising.

    Raises:
        BadImageError: if `crop` has another shape or type.

    Example:
        >>> to_input(np.zeros((64, 64), dtype=np.uint8))[:, 0, 0].astype(float).round(3).tolist()
        [-2.118, -2.036, -1.804]
    """
    return np.take(_TABLE, to_side(to_gray(crop), side), axis=1)


def to_batch(crops: Sequence[U8] | U8, side: int = SIDE) -> F32:
    """Turn crops into one batch.

    Args:
        crops: (N, H, W, 3) or (N, H, W) uint8, or a sequence of crops of any sizes.
        side: of the input in pixels; `mien.recognize.model.Model.side` is a model's.

    Returns:
        shape (N, 3, side, side), float32; N may be 0.

    Raises:
        BadImageError: if a crop has another shape or type, or `crops` is one RGB crop.

    Example:
        >>> to_batch([np.zeros((9, 9), dtype=np.uint8), np.zeros((5, 7, 3), dtype=np.uint8)]).shape
        (2, 3, 64, 64)
    """
    refuse_one_crop(crops)
    batch = np.empty((len(crops), 3, side, side), dtype=np.float32)
    for i, crop in enumerate(crops):
        gray = to_side(to_gray(crop), side)
        for channel in range(3):
            np.take(_TABLE[channel], gray, out=batch[i, channel])
    return batch


def refuse_one_crop(crops: object) -> None:
    """Check that crops are many: the rows of one would be taken for crops.

    Args:
        crops: as `to_batch` takes them.

    Raises:
        BadImageError: if `crops` is one crop, or cannot be counted.
    """
    if isinstance(crops, np.ndarray):
        if crops.ndim == 2 or (crops.ndim == 3 and crops.shape[2] == 3):
            raise BadImageError(f"expected many crops, got one of {crops.shape}", fix="pass [crop]")
        if crops.ndim not in {3, 4}:
            expected = f"expected (N, H, W, 3) or (N, H, W) crops, got shape {crops.shape}"
            raise BadImageError(expected, fix="pass a list of crops where their sizes differ")
    elif not isinstance(crops, Sequence) and not hasattr(crops, "__array__"):
        got = type(crops).__name__
        raise BadImageError(f"expected a list of crops, got {got}", fix="pass list(crops)")


def in_batches(count: int, size: int = BATCH) -> Iterator[slice]:
    """Divide a sequence into parts of a size; the last part may be shorter.

    Args:
        count: how many items the sequence has.
        size: of a part, 1 or more.

    Yields:
        The slice of each part, in order; none for an empty sequence.

    Example:
        >>> ["abcde"[part] for part in in_batches(5, 2)]
        ['ab', 'cd', 'e']
    """
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def enlarge(coarse: F32, height: int, width: int) -> F32:
    """Enlarge maps bilinearly, pixel centres aligned.

    Args:
        coarse: shape (..., h, w).
        height: of the result, at least h.
        width: of the result, at least w.

    Returns:
        shape (..., height, width).

    Example:
        >>> enlarge(np.array([[0, 1]], dtype=np.float32), 1, 4).tolist()
        [[0.0, 0.25, 0.75, 1.0]]
    """
    rows = resampling(coarse.shape[-2], height)
    columns = resampling(coarse.shape[-1], width)
    fine: F32 = (rows @ coarse @ columns.T).astype(np.float32, copy=False)
    return fine


def to_heat(coarse: F32, side: int) -> F32:
    """Enlarge a map of evidence, keep what is positive, and scale it by its strongest place.

    Args:
        coarse: shape (h, w).
        side: of the result, at least h and w.

    Returns:
        shape (side, side), in [0, 1]; all 0 where nothing is positive.

    Example:
        >>> to_heat(np.array([[-3, 2], [1, 0]], dtype=np.float32), 2).tolist()
        [[0.0, 1.0], [0.5, 0.0]]
    """
    fine: F32 = enlarge(coarse, side, side).clip(min=0).astype(np.float32)
    top = float(fine.max())
    return fine / np.float32(top) if top > 0 else fine


@lru_cache(maxsize=8)
def resampling(source: int, target: int) -> F32:
    """Return the weights that resize a line of pixels, bilinear, averaging when it shrinks.

    ``rows @ pixels @ columns.T`` resizes as `to_side` and `enlarge` do, here without rounding.

    Args:
        source: pixels of the line.
        target: pixels of the result.

    Returns:
        shape (target, source), each row summing to 1; not to be written to.

    Example:
        >>> resampling(4, 2).astype(float).round(3).tolist()
        [[0.429, 0.429, 0.143, 0.0], [0.0, 0.143, 0.429, 0.429]]
    """
    centres = (np.arange(target) + 0.5) * source / target - 0.5
    if target >= source:
        centres = centres.clip(0, source - 1)
    distance = np.abs(centres[:, None] - np.arange(source)) / max(1.0, source / target)
    weights = (1 - distance).clip(min=0)
    found: F32 = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    found.flags.writeable = False  # it is kept for the next map
    return found
