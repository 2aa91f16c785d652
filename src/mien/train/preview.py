"""What augmentation does to crops, change by change, for a person to look at.

Knows nothing of drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien import pixels
from mien.data import manifest
from mien.data.label_file import labels_of
from mien.faces import align
from mien.faces.detect import Detector
from mien.media import images
from mien.pixels import U8
from mien.train.augment import OFF, Augment, Strength, mix

__all__ = ["SHOWN", "Strip", "crops_of", "portrait", "strips"]

# How strongly a change that is switched off is shown.
SHOWN = Strength(
    colour=0.8,
    flip=1.0,
    crop=0.4,
    perspective=0.4,
    rotate=20.0,
    shift=0.15,
    scale=0.25,
    light=0.4,
    contrast=1.0,
    gamma=0.8,
    blur=1.0,
    coarse=1.0,
    noise=1.0,
    jpeg=1.0,
    erase=1.0,
    mixup=1.0,
    cutmix=1.0,
)
_MIXING = ("mixup", "cutmix")
# These strengths are chances: alone, a change is drawn in every cell whatever its chance.
_CHANCES = ("flip", "contrast", "blur", "coarse", "noise", "jpeg", "erase", *_MIXING)
_TRIES = 8  # draws of which a cell shows the one that changes the crop most


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """One crop and what a change made of it.

    Attributes:
        name: of the change.
        note: how strong it is.
        pictures: shape (1 + draws, 64, 64), uint8, grey; the first is the original.
        captions: one for each picture, often "".
    """

    name: str
    note: str
    pictures: U8
    captions: tuple[str, ...]


def crops_of(folders: Sequence[str]) -> U8:
    """Read a training crop of each class from the first folder that has one.

    Args:
        folders: prepared folders; those that do not exist are passed over.

    Returns:
        shape (N, 64, 64, 3), uint8, RGB; N from 0 to the number of classes.

    Raises:
        BadDataError: if a folder exists and has no readable manifest.
        BadImageError: if a crop cannot be read.
    """
    paths: dict[str, Path] = {}
    names: list[str] = []
    for folder in filter(Path.exists, map(Path, folders)):
        rows = manifest.read(folder)
        names += [name for name in labels_of(folder).names if name not in names]
        for label in names:
            own = [row for row in rows if row.label == label and row.split == "train"]
            if own:
                paths.setdefault(label, folder / own[len(own) // 2].path)
    crops = [_to_side(images.read_rgb(paths[label])) for label in names if label in paths]
    return np.stack(crops) if crops else np.empty((0, pixels.SIDE, pixels.SIDE, 3), np.uint8)


def portrait() -> U8:
    """Return two crops of the portrait in the package: the face, and its dark mirror image.

    Returns:
        shape (2, 64, 64, 3), uint8, RGB.
    """
    rgb = images.read_rgb(images.PORTRAIT)
    [detection] = Detector().find(rgb)
    face = align.crop(rgb, align.similarity(detection.landmarks))
    return np.stack([face, face[:, ::-1] // 2])


def strips(strength: Strength, crops: U8, draws: int, seed: int, everything: bool) -> list[Strip]:
    """Draw each change alone, at its strength in every cell, then all that are on together.

    In training most draws of a change are weak, or none where its strength is a chance. Alone, it
    is applied in every cell, and of `_TRIES` draws the cell shows the one that changes the crop
    most. All together are drawn as in training.

    Args:
        strength: of the changes; see `mien.train.augment`.
        crops: shape (N, 64, 64, 3), uint8, RGB, N at least 1; taken in turn.
        draws: how often each change is drawn.
        seed: of torch's random generator.
        everything: show what is switched off too, by the strengths of `SHOWN`.

    Returns:
        One strip a change, in the order of `Strength`; the last has all that are on.
    """
    result: list[Strip] = []
    for field in fields(Strength):
        torch.manual_seed(seed)  # what one change draws does not depend on those before it
        value = getattr(strength, field.name)
        shown = value or getattr(SHOWN, field.name)
        is_chance = field.name in _CHANCES
        if value or everything:
            note = f"chance {value:g}" if is_chance else f"up to {value:g}"
            note = note if value else f"off; drawn at {shown:g}"
            alone = replace(OFF, **{field.name: 1.0 if is_chance else shown})
            own = np.roll(crops, -len(result), axis=0)
            draw = _strip if field.name in _MIXING else _strongest
            result.append(draw(field.name, note, alone, own, draws))
    torch.manual_seed(seed)
    own = np.roll(crops, -len(result), axis=0)
    return [*result, _strip("all together", "what training sees", strength, own, draws)]


def _strongest(name: str, note: str, strength: Strength, crops: U8, draws: int) -> Strip:
    """Draw a change of the first crop many times, and keep the draws that change it most."""
    original = pixels.to_gray(crops[0])
    first = torch.from_numpy(crops[:1]).permute(0, 3, 1, 2).float() / 255
    changed = Augment(strength)(first.repeat(draws * _TRIES, 1, 1, 1))[:, 0]
    tries = _to_u8(changed).reshape(draws, _TRIES, *original.shape)
    differences = np.abs(tries.astype(np.int16) - original).mean(axis=(2, 3))
    chosen = tries[np.arange(draws), differences.argmax(axis=1)]
    pictures = np.concatenate([original[None], chosen])
    return Strip(name, note, pictures, ("",) * (1 + draws))


def _strip(name: str, note: str, strength: Strength, crops: U8, draws: int) -> Strip:
    """Draw changes of the first crop; the others are there to be mixed in."""
    batch = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
    augment = Augment(strength)
    is_mixed = any(getattr(strength, key) for key in _MIXING)
    pictures, captions = [pixels.to_gray(crops[0])], [""]
    for _ in range(draws):
        gray, shares = mix(
            augment(batch), torch.arange(len(batch)), len(batch), strength.mixup, strength.cutmix
        )
        pictures.append(_to_u8(gray[0, 0]))
        captions.append(f"{1 - float(shares[0, 0]):.0%} of another" if is_mixed else "")
    return Strip(name, note, np.stack(pictures), tuple(captions))


def _to_u8(gray: Tensor) -> U8:
    return (gray * 255).round().to(torch.uint8).numpy()


def _to_side(rgb: U8) -> U8:
    """Resize a crop to 64 x 64, as `mien.pixels` does for a network."""
    return np.stack([pixels.to_side(rgb[..., i]) for i in range(3)], axis=2)
