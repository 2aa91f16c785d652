"""Grey batches, augmented by chosen changes."""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from mien.train.augment import OFF, Augment
from tests.support.pictures import texture


def grey_batch(count=16):
    """Textures from black to white, shape (N, 1, 64, 64), in [0, 1]."""
    pictures = [Image.fromarray(texture(seed)).convert("L") for seed in range(count)]
    batch = np.stack([np.asarray(picture) for picture in pictures])[:, None].astype(np.float32)
    low, high = batch.min(axis=(2, 3), keepdims=True), batch.max(axis=(2, 3), keepdims=True)
    return torch.from_numpy((batch - low) / (high - low))


def augmented(batch, seed=0, **strength):
    torch.manual_seed(seed)
    return Augment(replace(OFF, **strength))(batch)


def which_changed(batch, out):
    """For each crop of a batch, whether it changed."""
    return ((out - batch).abs().amax(dim=(1, 2, 3)) > 1e-3).tolist()
