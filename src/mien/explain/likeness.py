"""How alike two maps are: the measure of sanity and stability.

A map that stays the same when the network has forgotten what it learned explains the picture and
not the network; one that changes with a little noise cannot be trusted for one picture. Knows
nothing of networks.
"""

import numpy as np

from mien.pixels import F32, U8

__all__ = ["NOISE", "likeness", "shaken"]


NOISE = 4.0  # grey levels, standard deviation: hardly seen


def likeness(maps: F32, others: F32) -> F32:
    """Correlate the order of places in pairs of maps.

    Args:
        maps: shape (N, h, w).
        others: shape (N, h, w).

    Returns:
        shape (N,), Spearman's rank correlation in [-1, 1]; 0 where a map is constant, for such a
        map says nothing.

    Source:
        Adebayo et al. 2018, arXiv:1810.03292, section 3, without taking absolute values: the sign
        of these maps has a meaning.
    """
    from scipy.stats import rankdata

    one, other = (rankdata(m.reshape(len(m), -1), axis=1) for m in (maps, others))
    one -= one.mean(axis=1, keepdims=True)
    other -= other.mean(axis=1, keepdims=True)
    size = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    product = (one * other).sum(axis=1)
    found: F32 = np.divide(product, size, out=np.zeros_like(size), where=size > 0).astype(
        np.float32
    )
    return found


def shaken(crops: U8, random: np.random.Generator) -> U8:
    """Add a little noise to crops.

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: draws.

    Returns:
        shape (N, H, W), uint8.
    """
    noisy = crops + random.normal(0, NOISE, crops.shape)
    return np.rint(noisy).clip(0, 255).astype(np.uint8)
