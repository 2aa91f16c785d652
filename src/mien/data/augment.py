"""Random changes of a batch that leave its expressions as they are (kornia does the work).

Imports: torch, kornia.
"""

import warnings
from dataclasses import dataclass

from torch import Tensor, nn

from mien.errors import BadSettingError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # kornia marks deprecations of torch.jit on import
    import kornia.augmentation as kornia

__all__ = ["Augment", "Strength"]


@dataclass(frozen=True, slots=True)
class Strength:
    """How strongly to change a batch; a zero switches a change off.

    Attributes:
        flip: chance of a mirror image.
        rotate: up to so many degrees either way.
        shift: up to this share of the side, each way.
        scale: up to this share larger or smaller.
        light: brightness and contrast by up to this share.
        blur: chance of a Gaussian blur, sigma 0.4 to 1.6 pixels.
        erase: chance of a grey rectangle over 2 to 20 % of the crop.
    """

    flip: float = 0.5
    rotate: float = 14.0
    shift: float = 0.08
    scale: float = 0.15
    light: float = 0.3
    blur: float = 0.15
    erase: float = 0.2

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        for name in ("flip", "shift", "scale", "light", "blur", "erase"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise BadSettingError(f"{name} is {value}", fix=f"give a {name} in [0, 1]")
        if not 0 <= self.rotate <= 180:
            raise BadSettingError(f"rotate is {self.rotate}", fix="give degrees in [0, 180]")


class Augment(nn.Module):
    """Changes each crop of a batch on its own, drawing from torch's random generator."""

    def __init__(self, strength: Strength) -> None:
        """Set up the changes that are switched on."""
        super().__init__()
        s = strength
        size = (1 - s.scale, 1 + s.scale)
        light = (1 - s.light, 1 + s.light)
        wanted = (
            (s.flip, kornia.RandomHorizontalFlip(p=s.flip)),
            (
                s.rotate or s.shift or s.scale,
                kornia.RandomAffine(s.rotate, (s.shift, s.shift), size, padding_mode="border", p=1),
            ),
            (s.light, kornia.RandomBrightness(light, p=1)),
            (s.light, kornia.RandomContrast(light, p=1)),
            (s.blur, kornia.RandomGaussianBlur((5, 5), (0.4, 1.6), p=s.blur)),
            (s.erase, kornia.RandomErasing((0.02, 0.2), value=0.5, p=s.erase)),
        )
        self.changes = nn.Sequential(*(change for chance, change in wanted if chance))

    def forward(self, gray: Tensor) -> Tensor:
        """Map (N, 1, 64, 64) in [0, 1] to the same shape and range."""
        changed: Tensor = self.changes(gray)
        return changed
