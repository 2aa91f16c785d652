"""Maps from activations and gradients: a method is one short formula on arrays.

All take the channels (K, h, w) of one crop, or (..., K, h, w) of many; leading axes are broadcast
as numpy does it. All return (..., h, w), unscaled: whoever draws a map divides by its maximum. What
is 0 everywhere stays 0. Knows nothing of networks: `onnx_source` and `torch_source` read their
activations and gradients.
"""

from collections.abc import Callable

import numpy as np

from mien.pixels import F32, F64

__all__ = [
    "GRADIENT_METHODS",
    "cam",
    "eigen_cam",
    "grad_cam",
    "grad_cam_plus",
    "hires_cam",
    "layer_cam",
    "score_cam",
]


def cam(activations: F32, weights: F32) -> F32:
    """Weigh each channel by the linear layer that follows its mean, and sum.

    Args:
        activations: shape (..., K, h, w), the last features before they are averaged.
        weights: shape (..., K), the class's row of the only linear layer.

    Returns:
        shape (..., h, w); its mean is the class's logit without the bias. What is negative speaks
        against the class.

    Source:
        Zhou et al. 2016, arXiv:1512.04150, equation 2.
    """
    return _weighted(activations, weights)


def grad_cam(activations: F32, gradients: F32) -> F32:
    """Weigh each channel by its mean gradient, sum, keep the positive part.

    Args:
        activations: shape (..., K, h, w), output of the explained layer.
        gradients: shape (..., K, h, w), d(target) / d(activations), before the softmax.

    Returns:
        shape (..., h, w), >= 0.

    Source:
        Selvaraju et al. 2017, arXiv:1610.02391, equations 1 and 2.
    """
    return _weighted(activations, gradients.mean(axis=(-2, -1))).clip(min=0)


def grad_cam_plus(activations: F32, gradients: F32) -> F32:
    """Weigh each channel by its positive gradients, each by how alone it stands.

    Args:
        activations: shape (..., K, h, w), output of the explained layer.
        gradients: shape (..., K, h, w), d(target) / d(activations), before the softmax.

    Returns:
        shape (..., h, w), >= 0. The factor exp(target), which all channels share, is left out.

    Source:
        Chattopadhyay et al. 2018, arXiv:1710.11063, equations 5 and 19 (Grad-CAM++).
    """
    wide = gradients.astype(np.float64)  # a cube of a small gradient is no float32
    sums = (activations * wide**3).sum(axis=(-2, -1), keepdims=True)
    below = 2 * wide**2 + sums
    alphas = np.divide(wide**2, below, out=np.zeros_like(wide), where=below != 0)
    weights = (alphas * wide.clip(min=0)).sum(axis=(-2, -1))
    return _weighted(activations, weights).clip(min=0)


def hires_cam(activations: F32, gradients: F32) -> F32:
    """Multiply activations and gradients place by place, sum, keep the positive part.

    Args:
        activations: shape (..., K, h, w), output of the explained layer.
        gradients: shape (..., K, h, w), d(target) / d(activations), before the softmax.

    Returns:
        shape (..., h, w), >= 0.

    Source:
        Draelos and Carin 2020, arXiv:2011.08891, equation 4.
    """
    summed: F32 = (activations * gradients).sum(axis=-3)
    return summed.clip(min=0)


def layer_cam(activations: F32, gradients: F32) -> F32:
    """Multiply activations by positive gradients place by place, sum, keep the positive part.

    Args:
        activations: shape (..., K, h, w), output of the explained layer.
        gradients: shape (..., K, h, w), d(target) / d(activations), before the softmax.

    Returns:
        shape (..., h, w), >= 0.

    Source:
        Jiang et al. 2021, doi:10.1109/TIP.2021.3089943, equations 5 to 7.
    """
    return hires_cam(activations, gradients.clip(min=0))


def score_cam(activations: F32, scores: F32 | F64) -> F32:
    """Weigh each channel by the target's value when only what the channel shows is seen.

    Args:
        activations: shape (..., K, h, w), output of the explained layer.
        scores: shape (..., K), the target for the crop masked by each channel.

    Returns:
        shape (..., h, w), >= 0.

    Source:
        Wang et al. 2020, arXiv:1910.01279, algorithm 1. The baseline's score falls out of the
        softmax over the channels.
    """
    powers = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    return _weighted(activations, powers / powers.sum(axis=-1, keepdims=True)).clip(min=0)


def eigen_cam(activations: F32) -> F32:
    """Project the channels of each place on their first principal direction.

    Args:
        activations: shape (..., K, h, w), output of the explained layer.

    Returns:
        shape (..., h, w). It depends on no class; its sign is chosen so that the sum is positive.

    Source:
        Muhammad and Yeasin 2020, arXiv:2008.00299, section III: not centred.
    """
    shape = activations.shape
    places = activations.reshape(*shape[:-2], -1).swapaxes(-1, -2)  # (..., h * w, K)
    left, sizes, _ = np.linalg.svd(places.astype(np.float64), full_matrices=False)
    projected = left[..., 0] * sizes[..., :1]  # (..., h * w)
    sign = np.where(projected.sum(axis=-1, keepdims=True) < 0, -1, 1)
    maps: F32 = (projected * sign).reshape(*shape[:-3], *shape[-2:]).astype(np.float32)
    return maps


def _weighted(activations: F32, weights: F32 | F64) -> F32:
    """The sum of the channels, each times its weight."""
    flat = activations.reshape(*activations.shape[:-2], -1)  # (..., K, h * w)
    summed = np.asarray(weights, dtype=np.float32)[..., None, :] @ flat  # (..., 1, h * w)
    maps: F32 = summed.reshape(*summed.shape[:-2], *activations.shape[-2:])
    return maps


GRADIENT_METHODS: dict[str, Callable[[F32, F32], F32]] = {
    "grad-cam": grad_cam,
    "grad-cam++": grad_cam_plus,
    "hirescam": hires_cam,
    "layercam": layer_cam,
}
