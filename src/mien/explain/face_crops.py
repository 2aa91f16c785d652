"""The upright crops of a picture's faces, as networks of one side or of several take them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mien.errors import BadImageError
from mien.faces import align
from mien.faces.boxes import Detection
from mien.pixels import F32, SIDE, U8
from mien.recognize.recognizer import Recognizer

__all__ = ["FaceCrops", "crops_of", "cut_out", "find_faces"]

_CROP = "give a face crop with --crop, or to the service with crop=true"


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrops:
    """One face, cut out once for each side: a crop made smaller afterwards is another picture.

    Attributes:
        by_side: the crop for each side of a network, shape (side, side, 3), RGB.
        landmarks: shape (5, 2), in pixels of a crop of 64; None for a crop that was given.
    """

    by_side: dict[int, U8]
    landmarks: F32 | None = None


def find_faces(
    recognizer: Recognizer, rgb: U8, name: str, sides: Collection[int], crop: bool = False
) -> list[FaceCrops]:
    """Cut the faces out of a picture for networks of several sides.

    Args:
        recognizer: finds the faces; its own network counts for nothing.
        rgb: shape (H, W, 3), uint8.
        name: what to call it in an error.
        sides: of the networks, in pixels.
        crop: the picture is one face crop already; it is only resized.

    Returns:
        One face or more, the largest first.

    Raises:
        BadImageError: if it shows no face.
    """
    if crop:
        whole, smooth = Image.fromarray(rgb), Image.Resampling.BILINEAR
        return [FaceCrops({side: np.asarray(whole.resize((side, side), smooth)) for side in sides})]
    faces = recognizer.detector.find(rgb)
    if not faces:
        raise BadImageError(f"no face in {name}", fix=_CROP)
    crops = zip(*(cut_out(rgb, faces, side) for side in sides), strict=True)
    return [
        FaceCrops(dict(zip(sides, own, strict=True)), _in_crop(face))
        for face, own in zip(faces, crops, strict=True)
    ]


def crops_of(recognizer: Recognizer, rgb: U8, name: str, crop: bool = False) -> list[U8]:
    """Return the upright crops of a picture's faces for the recognizer's network.

    Args:
        recognizer: finds the faces.
        rgb: shape (H, W, 3), uint8.
        name: what to call it in an error.
        crop: the picture is one face crop already; it is only resized.

    Returns:
        One crop or more, shape (side, side, 3), RGB, the largest face first.

    Raises:
        BadImageError: if it shows no face.
    """
    side = recognizer.model.side
    return [face.by_side[side] for face in find_faces(recognizer, rgb, name, [side], crop)]


def cut_out(rgb: U8, faces: Sequence[Detection], side: int) -> list[U8]:
    """Return the upright crop of each face.

    Args:
        rgb: shape (H, W, 3), uint8.
        faces: found in it.
        side: of the network that takes the crops, in pixels.

    Returns:
        Shapes (side, side, 3).
    """
    transforms = [align.framing(face.landmarks, side) for face in faces]
    return [align.crop(rgb, to_crop, side) for to_crop in transforms]


def _in_crop(face: Detection) -> F32:
    """Where the landmarks lie in a crop of 64 pixels, shape (5, 2)."""
    to_crop = align.framing(face.landmarks, SIDE)
    return np.asarray(face.landmarks @ to_crop[:, :2].T + to_crop[:, 2], dtype=np.float32)
