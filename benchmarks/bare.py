"""The shipped network without mien: plain arithmetic and a plain ONNX Runtime session.

The yardstick for speed and the oracle for answers, so it shares no code with what it measures.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from PIL import Image

from mien.pixels import F32, U8
from mien.recognize.model import SHIPPED, read_card

__all__ = ["logits", "open_session", "softmax", "to_tensor"]


def open_session(threads: int) -> Any:
    """Open the shipped network.

    Args:
        threads: to compute with.

    Returns:
        An `onnxruntime.InferenceSession`.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(SHIPPED), options, providers=["CPUExecutionProvider"])


def to_tensor(crop: U8) -> F32:
    """Turn a crop into network input by the arithmetic on the model's card.

    Args:
        crop: shape (H, W, 3), uint8, RGB; of another size than the card's, Pillow resizes it.

    Returns:
        shape (3, side, side), float32.
    """
    card = read_card(SHIPPED)["input"]
    size = (card["side"], card["side"])
    image = Image.fromarray(crop).convert("L").resize(size, Image.Resampling.BILINEAR)
    gray = np.asarray(image, dtype=np.float64) / 255
    mean, std = (np.array(card[name])[:, None, None] for name in ("mean", "std"))
    return ((gray - mean) / std).astype(np.float32)


def logits(session: Any, tensors: F32, batch: int) -> F32:
    """Run the network over ready tensors.

    Args:
        session: from `open_session`.
        tensors: shape (N, 3, side, side).
        batch: how many at once.

    Returns:
        shape (N, 6).
    """
    starts = range(0, len(tensors), batch)
    parts = [session.run(["logits"], {"crops": tensors[i : i + batch]})[0] for i in starts]
    return np.concatenate(parts)


def softmax(logits: F32) -> npt.NDArray[np.float64]:
    """Turn logits into probabilities at the card's temperature.

    Args:
        logits: shape (N, 6).

    Returns:
        shape (N, 6), each row summing to 1.
    """
    powers = np.exp(logits.astype(np.float64) / read_card(SHIPPED)["temperature"])
    return powers / powers.sum(axis=1, keepdims=True)
