"""Changes that put two crops into one, and share the target between their expressions.

Plain torch: kornia 0.9's mixup and cutmix apply their chance twice and cut every crop of a batch
at the same place (its issues 4649 and 4712). Knows neither files nor labels.
"""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

__all__ = ["blend", "mix", "paste"]


def mix(
    batch: Tensor, targets: Tensor, classes: int, mixup: float, cutmix: float
) -> tuple[Tensor, Tensor]:
    """Blend crops of a batch, then paste rectangles.

    Args:
        batch: shape (N, C, H, W), float.
        targets: shape (N,), class numbers; or (N, classes), shares of them.
        classes: how many there are.
        mixup: chance of each crop to be blended.
        cutmix: chance of each crop to get a rectangle.

    Returns:
        The new batch, and targets of shape (N, classes) whose rows sum to 1; both as they came
        where both chances are 0.
    """
    if not mixup and not cutmix:
        return batch, targets
    shares = targets if targets.ndim == 2 else one_hot(targets, classes).to(batch.dtype)
    if mixup:
        batch, shares = blend(batch, shares, mixup)
    if cutmix:
        batch, shares = paste(batch, shares, cutmix)
    return batch, shares


def blend(batch: Tensor, shares: Tensor, chance: float) -> tuple[Tensor, Tensor]:
    """Replace crops by a weighted mean of themselves and another crop (mixup).

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


def paste(batch: Tensor, shares: Tensor, chance: float) -> tuple[Tensor, Tensor]:
    """Replace a rectangle of crops by the same place of another crop (cutmix).

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
    rows = _inside(batch.shape[2], area.sqrt())  # (N, H)
    columns = _inside(batch.shape[3], area.sqrt())  # (N, W)
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


def _inside(side: int, share: Tensor) -> Tensor:
    """Draw where on one axis a rectangle lies: shape (N, side), True inside."""
    length = (share * side).round()
    start = (torch.rand(len(share), device=share.device) * (side - length + 1)).floor()
    place = torch.arange(side, device=share.device)
    return (place >= start[:, None]) & (place < (start + length)[:, None])
