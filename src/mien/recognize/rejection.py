"""Does a crop show a face at all?

It does where the face detector finds one in the enlarged crop, or else where the class maps vary
enough: over a face they have hills and valleys, over a wall, a text or noise they are flat. Nothing
was trained for it. Measured by `python -m benchmarks.bench_rejection`, see docs/model-card.md.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from mien.errors import BadModelError, BadSettingError
from mien.faces.detect import Detector
from mien.pixels import BOOL, F32, U8, in_batches, refuse_one_crop, to_gray, to_side
from mien.recognize.model import Model

__all__ = ["BELOW", "MEASURED_ON", "are_faces", "detection", "spread", "threshold"]

# The spread of the shipped model's maps, in logits, below which a crop without a detected face is
# no face: the largest that keeps 97 % of the faces among held-out training crops, where it rejects
# 98 % of the others (results/rejection.json, "chosen"). A card may state another one, as
# "reject": {"below": 2.0}.
BELOW = 13.85
MEASURED_ON = "4007188c148c9dc04b84ecc826127eb16eea692ea7b60bcb9d23afaadd7c6efc"  # weights_sha256
_SIDE, _AROUND = 192, 96  # pixels, of the crop enlarged and of the grey border about it
_BORDER = (128, 128, 128)


def threshold(model: Model, own: bool | float = True) -> float:
    """Return the spread below which a model's maps show no face.

    Args:
        model: with class maps.
        own: a threshold to take instead of the card's, or True.

    Returns:
        The one given; or the card's; or, for the shipped weights, `BELOW`.

    Raises:
        BadModelError: if the model has no class maps, or no threshold was measured for it.
        BadSettingError: if the one given is no finite number.
    """
    if "maps" not in model.outputs:
        raise BadModelError(
            f"{model.path} returns no class maps, by which faces are told from other crops",
            fix="leave reject out, or make the file again with mien export",
        )
    if not isinstance(own, (bool, np.bool_)):
        if not math.isfinite(own):
            raise BadSettingError(
                f"reject is {own}, expected True or a finite spread in logits",
                fix="pass reject=True for the threshold on the model's card",
            )
        return float(own)
    if "below" in model.card.get("reject", {}):
        return float(model.card["reject"]["below"])
    if model.card.get("weights_sha256") == MEASURED_ON:
        return BELOW
    raise BadModelError(
        f"the card of {model.path} does not say below which spread of its maps a crop is no face",
        fix="leave reject (of a command --reject) out, or from Python give a threshold of your "
        "own: Recognizer(MODEL, reject=SPREAD), where SPREAD is what "
        "mien.recognize.rejection.spread(maps) gives for crops that are no faces",
    )


def are_faces(model: Model, detector: Detector, crops: Sequence[U8] | U8, below: float) -> BOOL:
    """Tell which crops show a face: the detector finds one, or else the class maps vary enough.

    Args:
        model: with class maps.
        detector: looks first; only crops without a detection cost a run of the model.
        crops: (N, H, W, 3) RGB or (N, H, W) grey uint8, or a list of crops of any sizes.
        below: a smaller spread of the maps shows no face, from `threshold`.

    Returns:
        shape (N,), True for a face.
    """
    shown = detection(detector, crops) > 0
    rest = np.flatnonzero(~shown)
    for part in in_batches(len(rest)):
        batch = model.to_batch([crops[number] for number in rest[part]])
        shown[rest[part]] = spread(model.tensors(batch, ["maps"])["maps"]) >= below
    return shown


def detection(detector: Detector, crops: Sequence[U8] | U8) -> F32:
    """Return how surely the detector finds a face in each crop.

    Args:
        detector: looks at each crop as the network does: grey, 64 x 64; enlarged, with a border.
        crops: as `are_faces` takes them.

    Returns:
        shape (N,), its confidence in [0, 1], 0 where it finds none.
    """
    refuse_one_crop(crops)
    found = [detector.boxes(_enlarged(crop)) for crop in crops]
    return np.array([max((sure for _, sure in boxes), default=0) for boxes in found], np.float32)


def _enlarged(crop: U8) -> U8:
    gray = to_side(to_gray(crop))
    rgb = np.repeat(gray[..., None], 3, axis=2)
    large = cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    borders = (_AROUND,) * 4
    return np.asarray(cv2.copyMakeBorder(large, *borders, cv2.BORDER_CONSTANT, value=_BORDER))


def spread(maps: F32) -> F32:
    """Return how much class maps vary.

    Args:
        maps: shape (N, 6, h, w), in logits.

    Returns:
        shape (N,), their standard deviation over classes and places, in logits.

    Example:
        >>> spread(np.array([[[[0.0, 2.0]]]], dtype=np.float32)).tolist()
        [1.0]
    """
    return np.asarray(maps.std(axis=(1, 2, 3)), dtype=np.float32)
