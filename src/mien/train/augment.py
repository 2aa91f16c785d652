"""Random changes of a batch of crops, and changes that mix two crops and their targets.

Pipeline of `Augment`: colour becomes grey -> geometry -> light -> what a camera and a file do ->
erasing. These leave the expression as it is; kornia does the work. `mix` puts two crops into one
(mixup, cutmix) and shares the target between their expressions. It is plain torch: kornia 0.9's
mixup and cutmix apply their chance twice and cut every crop of a batch at the same place (its
issues 4649 and 4712).
Knows neither files nor labels.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, one_hot

from mien.errors import BadSettingError
from mien.pixels import SIDE

__all__ = ["LUMA", "OFF", "Augment", "Strength", "cutmix", "mix", "mixup"]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # kornia marks deprecations of torch.jit on import
    import kornia.augmentation as kornia
    from kornia.geometry.transform import warp_perspective

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as `mien.pixels.to_gray`
_SIDES = (24, 32, 40, 48)  # pixels; smaller faces are rarely found, so never classified
_LARGEST_CROP = 0.9
_LARGEST_NOISE = 0.2  # standard deviation
_LARGEST_FADING = 0.75  # share of the distance from the mean


@dataclass(frozen=True, slots=True)
class Strength:
    """How strongly to change a batch; a zero switches a change off.

    Attributes:
        colour: red, green and blue weigh up to this share more or less where colour becomes grey.
        flip: chance of a mirror image.
        crop: cut off up to this share of the area, and enlarge what is left; at most 0.9.
        perspective: move each corner inwards by up to this share of half the side.
        rotate: up to so many degrees either way.
        shift: up to this share of the side, each way.
        scale: up to this share larger or smaller.
        light: brightness and contrast by up to this share.
        contrast: chance of losing up to three quarters of the distance from the crop's mean.
        gamma: exponent from 1 / (1 + gamma) to 1 + gamma.
        blur: chance of a Gaussian blur, sigma 0.4 to 1.6 pixels of 64, more in larger crops.
        coarse: chance of being shrunk to 24, 32, 40 or 48 pixels a side and enlarged again.
        noise: chance of Gaussian noise with a standard deviation of up to 0.2.
        jpeg: chance of being stored as a JPEG of quality 15 to 80.
        erase: chance of a grey rectangle over 2 to 20 % of the crop.
        mixup: chance of being blended with another crop, see `mixup` below.
        cutmix: chance of a rectangle from another crop, see `cutmix` below.
    """

    colour: float = 0.0
    flip: float = 0.5
    crop: float = 0.0
    perspective: float = 0.0
    rotate: float = 14.0
    shift: float = 0.08
    scale: float = 0.15
    light: float = 0.3
    contrast: float = 0.0
    gamma: float = 0.0
    blur: float = 0.15
    coarse: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0
    erase: float = 0.2
    mixup: float = 0.0
    cutmix: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            top = {"rotate": 180, "crop": _LARGEST_CROP}.get(name, 1)
            if not 0 <= value <= top:
                unit = "degrees" if name == "rotate" else f"a {name}"
                raise BadSettingError(f"{name} is {value}", fix=f"give {unit} in [0, {top}]")

    @classmethod
    def of(cls, settings: object) -> "Strength":
        """Read the strengths from anything that has them as attributes.

        Args:
            settings: for example a `mien.train.config.TrainConfig`.

        Returns:
            The strengths, checked.
        """
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


OFF = Strength(**{field.name: 0.0 for field in fields(Strength)})


class Augment(nn.Module):
    """Changes each crop of a batch independently, with torch's random generator."""

    def __init__(self, strength: Strength, side: int = SIDE) -> None:
        """Set up the changes that are switched on.

        Args:
            strength: of each.
            side: of the crops, in pixels.
        """
        super().__init__()
        self.colour = strength.colour
        self.geometry, self.changes = (
            nn.Sequential(*(make(strength, side) for is_on, make in steps if is_on(strength)))
            for steps in (_GEOMETRY, _OTHERS)
        )

    def forward(self, batch: Tensor) -> Tensor:
        """Map (N, 1, H, W) grey or (N, 3, H, W) RGB, in [0, 1], to grey (N, 1, H, W)."""
        changed: Tensor = self.changes(self.geometry(self._to_gray(batch)))
        return changed

    def with_places(self, batch: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Change crops as `forward` does, and move places on them as the crops are moved.

        Args:
            batch: as for `forward`.
            places: shape (N, P, H, W), in [0, 1].

        Returns:
            The changed crops, shape (N, 1, H, W), and the moved places, shape (N, P, H, W).
        """
        moved = self.geometry(torch.cat([self._to_gray(batch), places], dim=1))
        return self.changes(moved[:, :1]), moved[:, 1:]

    def _to_gray(self, batch: Tensor) -> Tensor:
        return _to_gray(batch, self.colour) if batch.shape[1] == 3 else batch


def _to_gray(batch: Tensor, colour: float) -> Tensor:
    """Weigh the channels as luma does, give or take a share; the weights sum to 1."""
    luma = torch.tensor(LUMA, device=batch.device).expand(len(batch), 3)
    if colour:
        luma = luma * (1 + colour * (2 * torch.rand(len(batch), 3, device=batch.device) - 1))
    weights = luma / luma.sum(dim=1, keepdim=True)
    return torch.einsum("nchw,nc->nhw", batch, weights)[:, None]


class _PerCrop(nn.Module):
    """Changes some crops, each by its own strength, drawn evenly up to the largest."""

    def __init__(
        self, change: Callable[[Tensor, Tensor], Tensor], chance: float, largest: float
    ) -> None:
        super().__init__()
        self.change, self.chance, self.largest = change, chance, largest

    def forward(self, gray: Tensor) -> Tensor:
        """Change (N, 1, H, W)."""
        drawn = self.largest * torch.rand(len(gray), 1, 1, 1, device=gray.device)
        return self.change(gray, drawn * (torch.rand_like(drawn) < self.chance))


def _add_noise(gray: Tensor, spread: Tensor) -> Tensor:
    """Add noise with its own strength to each crop; kornia's has one for all."""
    return (gray + spread * torch.randn_like(gray)).clamp(0, 1)


def _fade(gray: Tensor, lost: Tensor) -> Tensor:
    """Move pixels towards the mean of their crop; kornia moves them towards black."""
    return torch.lerp(gray, gray.mean(dim=(1, 2, 3), keepdim=True), lost)


class _Perspective(kornia.RandomPerspective):  # type: ignore[misc]  # kornia's types are lost
    """kornia's change leaves black wedges; here the border is repeated."""

    def apply_transform(
        self,
        input: Tensor,
        params: dict[str, Tensor],
        flags: dict[str, Any],
        transform: Tensor | None = None,
    ) -> Tensor:
        size = (input.shape[2], input.shape[3])
        assert transform is not None
        return warp_perspective(input, transform, size, padding_mode="border", align_corners=True)


class _Coarse(nn.Module):
    """Shrinks some crops and enlarges them again, as if the face had been far away."""

    def __init__(self, chance: float) -> None:
        super().__init__()
        self.chance = chance

    def forward(self, gray: Tensor) -> Tensor:
        """Change (N, 1, H, W)."""
        drawn = torch.randint(len(_SIDES), (len(gray),))
        drawn[torch.rand(len(gray)) >= self.chance] = -1
        changed = gray.clone()
        for number, side in enumerate(_SIDES):
            chosen = drawn == number
            if chosen.any():
                small = interpolate(gray[chosen], (side, side), mode="bilinear", antialias=True)
                changed[chosen] = interpolate(small, gray.shape[2:], mode="bilinear")
        return changed


class _Jpeg(nn.Module):
    """kornia's JPEG takes colour only: three equal channels in, one of them out."""

    def __init__(self, chance: float) -> None:
        super().__init__()
        self.jpeg = kornia.RandomJPEG((15.0, 80.0), p=chance)

    def forward(self, gray: Tensor) -> Tensor:
        """Change (N, 1, H, W)."""
        changed: Tensor = self.jpeg(gray.expand(-1, 3, -1, -1))
        return changed[:, :1]


def _blur(chance: float, zoom: float) -> nn.Module:
    """The same blur of the face, whatever the side of the crop."""
    kernel = 2 * round(2 * zoom) + 1
    sigma = (0.4 * zoom, 1.6 * zoom)
    blur: nn.Module = kornia.RandomGaussianBlur((kernel, kernel), sigma, p=chance)
    return blur


# The steps in order: whether a strength switches it on, and what makes it.
_Steps = tuple[tuple[Callable[[Strength], float], Callable[[Strength, int], nn.Module]], ...]
_GEOMETRY: _Steps = (
    (lambda s: s.flip, lambda s, _: kornia.RandomHorizontalFlip(p=s.flip)),
    (
        lambda s: s.crop,
        lambda s, side: kornia.RandomResizedCrop((side, side), (1 - s.crop, 1.0), (1.0, 1.0), p=1),
    ),
    (lambda s: s.perspective, lambda s, _: _Perspective(s.perspective, p=1)),
    (
        lambda s: s.rotate or s.shift or s.scale,
        lambda s, _: kornia.RandomAffine(
            s.rotate, (s.shift, s.shift), (1 - s.scale, 1 + s.scale), padding_mode="border", p=1
        ),
    ),
)
_OTHERS: _Steps = (
    (lambda s: s.light, lambda s, _: kornia.RandomBrightness((1 - s.light, 1 + s.light), p=1)),
    (lambda s: s.light, lambda s, _: kornia.RandomContrast((1 - s.light, 1 + s.light), p=1)),
    (lambda s: s.contrast, lambda s, _: _PerCrop(_fade, s.contrast, _LARGEST_FADING)),
    (lambda s: s.gamma, lambda s, _: kornia.RandomGamma((1 / (1 + s.gamma), 1 + s.gamma), p=1)),
    (lambda s: s.blur, lambda s, side: _blur(s.blur, side / SIDE)),
    (lambda s: s.coarse, lambda s, _: _Coarse(s.coarse)),
    (lambda s: s.noise, lambda s, _: _PerCrop(_add_noise, s.noise, _LARGEST_NOISE)),
    (lambda s: s.jpeg, lambda s, _: _Jpeg(s.jpeg)),
    (lambda s: s.erase, lambda s, _: kornia.RandomErasing((0.02, 0.2), value=0.5, p=s.erase)),
)


def mix(
    batch: Tensor, targets: Tensor, classes: int, mixup_chance: float, cutmix_chance: float
) -> tuple[Tensor, Tensor]:
    """Apply `mixup` to a batch, then `cutmix`.

    Args:
        batch: shape (N, C, H, W), float.
        targets: shape (N,), class numbers; or (N, classes), shares of them.
        classes: how many there are.
        mixup_chance: of each crop to be blended with another one.
        cutmix_chance: of each crop to get a rectangle of another one.

    Returns:
        The new batch, and targets of shape (N, classes) whose rows sum to 1; both unchanged where
        both chances are 0.
    """
    if not mixup_chance and not cutmix_chance:
        return batch, targets
    shares = targets if targets.ndim == 2 else one_hot(targets, classes).to(batch.dtype)
    if mixup_chance:
        batch, shares = mixup(batch, shares, mixup_chance)
    if cutmix_chance:
        batch, shares = cutmix(batch, shares, cutmix_chance)
    return batch, shares


def mixup(batch: Tensor, shares: Tensor, chance: float) -> tuple[Tensor, Tensor]:
    """Replace crops by a weighted mean of themselves and another crop.

    Args:
        batch: shape (N, C, H, W).
        shares: shape (N, K), of each class in the target.
        chance: of each crop; the other's weight is uniform in [0, 1).

    Returns:
        The new batch and shares.

    Source:
        Zhang et al. 2018, arXiv:1710.09412, equation in section 1, with alpha = 1.
    """
    other, weight = _partners(batch, chance)
    mixed = torch.lerp(batch, batch[other], weight[:, None, None, None])
    return mixed, torch.lerp(shares, shares[other], weight[:, None])


def cutmix(batch: Tensor, shares: Tensor, chance: float) -> tuple[Tensor, Tensor]:
    """Replace a rectangle of crops by the same place of another crop.

    Args:
        batch: shape (N, C, H, W).
        shares: shape (N, K), of each class in the target.
        chance: of each crop; the rectangle has the crop's proportions, and the share of its area
            is uniform in [0, 1).

    Returns:
        The new batch and shares; the other's share is the share of its pixels.

    Source:
        Yun et al. 2019, arXiv:1905.04899, equations 1 and 2, with alpha = 1; the rectangle always
        lies inside.
    """
    other, area = _partners(batch, chance)
    rows = _span(batch.shape[2], area.sqrt())  # (N, H)
    columns = _span(batch.shape[3], area.sqrt())  # (N, W)
    inside = rows[:, None, :, None] & columns[:, None, None, :]  # (N, 1, H, W)
    weight = inside.to(batch.dtype).mean(dim=(1, 2, 3))
    mixed = torch.where(inside, batch[other], batch)
    return mixed, torch.lerp(shares, shares[other], weight[:, None])


def _partners(batch: Tensor, chance: float) -> tuple[Tensor, Tensor]:
    """Draw for each crop another one, and its weight: 0 where the crop is left alone."""
    count, device = len(batch), batch.device
    step = int(torch.randint(1, max(count, 2), ()))  # never 0: a crop is not its own partner
    other = torch.arange(count, device=device).roll(step)
    weight = torch.rand(count, device=device, dtype=batch.dtype)
    return other, weight * (torch.rand(count, device=device) < chance)


def _span(side: int, share: Tensor) -> Tensor:
    """Draw where on one axis a rectangle lies: shape (N, side), True inside."""
    length = (share * side).round()
    start = (torch.rand(len(share), device=share.device) * (side - length + 1)).floor()
    place = torch.arange(side, device=share.device)
    return (place >= start[:, None]) & (place < (start + length)[:, None])
