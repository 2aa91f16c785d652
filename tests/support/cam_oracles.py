"""The same maps by others: torchcam and captum, as oracles of mien.explain.

torchcam 0.5.0 forgets the division in Grad-CAM++: it divides ``alpha[idx][mask]`` in place, which
is a copy. `GradCamPlus` is its class with that one line as the paper has it.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
captum_attr = pytest.importorskip("captum.attr")
torchcam = pytest.importorskip("torchcam.methods")

from mien.explain import explain
from mien.labels import LABELS


class GradCamPlus(torchcam.GradCAMpp):
    """torchcam's, with the weights of the paper's equation 19."""

    def _get_weights(self, class_idx, scores, **kwargs):
        self._backprop(scores, class_idx, **kwargs)
        weights = []
        for gradient, act in zip(self.hook_g, self.hook_a, strict=True):
            g = gradient.double()
            below = 2 * g**2 + (g**3 * act).sum(dim=(2, 3), keepdim=True)
            alpha = torch.where(g != 0, g**2 / below, 0)
            weights.append((alpha * torch.relu(g)).sum(dim=(2, 3)).float())
        return weights


def by_torchcam(kind, network, batch, layer, **options):
    """Maps of the predicted classes, shape (N, h, w), by one of torchcam's classes."""
    images = torch.from_numpy(batch).requires_grad_(True)
    with kind(network, layer, **options) as extractor:
        scores = network(images)
        chosen = scores[:, : len(LABELS)].argmax(dim=1).tolist()
        [maps] = extractor(chosen, scores, normalized=False)
    return maps.detach().numpy()


def by_captum(kind, network, batch, layer=None):
    """Maps of the predicted classes, shape (N, h, w), by one of captum's classes."""
    images = torch.from_numpy(batch)
    with torch.no_grad():
        index = network(images)[:, : len(LABELS)].argmax(dim=1)
    if kind is captum_attr.LayerGradCam:
        found = kind(network, network.get_submodule(layer)).attribute(
            images, index, relu_attributions=True
        )
    elif kind is captum_attr.Occlusion:
        found = kind(network).attribute(images, (3, 16, 16), (3, 8, 8), 0, index)[:, :1]
    else:  # one crop at a time: fifty steps of many would not fit
        pairs = zip(images, index.tolist(), strict=True)
        found = torch.cat([kind(network).attribute(one[None], target=i) for one, i in pairs])
        found = found.sum(dim=1, keepdim=True)
    return found.detach().numpy()[:, 0]


RIVALS = {
    "torchcam CAM": ("cam", torchcam.CAM),
    "torchcam GradCAM": ("grad-cam", torchcam.GradCAM),
    "torchcam GradCAMpp, mended": ("grad-cam++", GradCamPlus),
    "torchcam LayerCAM": ("layercam", torchcam.LayerCAM),
    "torchcam ScoreCAM": ("score-cam", torchcam.ScoreCAM),
    "captum LayerGradCam": ("grad-cam", captum_attr.LayerGradCam),
    "captum IntegratedGradients": ("integrated-gradients", captum_attr.IntegratedGradients),
}


def difference(name, network, batch):
    """Largest difference from a rival, both scaled to a largest value of 1 for each crop."""
    method, kind = RIVALS[name]
    rival = by_torchcam if name.startswith("torchcam") else by_captum
    options = {"fc_layer": "head"} if method == "cam" else {}
    theirs = rival(kind, network.eval(), batch, network.explained, **options)
    ours = explain(network, batch, method)
    if not theirs.any():
        raise ValueError(f"{name} draws nothing here, so nothing is compared")
    return float(np.abs(scaled(ours) - scaled(theirs)).max())


def scaled(maps):
    """Divide each map by its largest value; an empty one stays 0."""
    tops = np.abs(maps).max(axis=(1, 2), keepdims=True)
    return np.divide(maps, tops, out=np.zeros_like(maps), where=tops > 0)


def occlusion_difference(network, batch):
    """Largest difference from captum's falls, in units of the largest logit: falls are small."""
    ours = explain(network.eval(), batch, "occlusion")
    theirs = by_captum(captum_attr.Occlusion, network, batch)
    with torch.no_grad():
        largest = float(network(torch.from_numpy(batch)).abs().max())
    return float(np.abs(ours - theirs).max()) / largest


def activation_difference(network, batch):
    """Largest difference of the explained layer from captum's LayerActivation."""
    from mien.explain.torch_source import TorchSource

    layer = network.get_submodule(network.explained)
    theirs = captum_attr.LayerActivation(network.eval(), layer).attribute(torch.from_numpy(batch))
    return float(np.abs(TorchSource(network).activations(batch) - theirs.detach().numpy()).max())


def unlike_fresh(network, seed=0):
    """Give batch norm's statistics, the gates and the biases of a network a say."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if "running_var" in name:
            tensor.uniform_(0.5, 2, generator=generator)
        elif "running_mean" in name or "bias" in name:
            tensor.normal_(0, 0.3, generator=generator)
    torch.nn.init.normal_(network.last.weight, std=0.5, generator=generator)
    return network.eval()
