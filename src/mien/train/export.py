"""A run becomes one .onnx file: logits and what explains them in one pass, and its card.

The way through: best averaged weights -> graph -> temperature fitted on held-out pictures ->
parity with torch proven on real crops -> card -> sealed file, kept only if all of it holds.
"""

import hashlib
import io
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from mien import __version__
from mien.errors import BadDataError, BadModelError
from mien.evaluate.calibration import certain_from, fit_temperature
from mien.evaluate.metrics import auroc
from mien.labels import LABELS, NEUTRAL_INDEX
from mien.media.writers import atomic
from mien.models.network import Network, WithMaps
from mien.pixels import F32, MEAN, SIDE, STD
from mien.recognize.model import CARD, seal
from mien.train.data import Data, gather
from mien.train.dataset import Crops, normalise
from mien.train.neutral import fit_neutral, same_origin
from mien.train.run import trained
from mien.train.validate import predict

__all__ = ["ERROR_RATE", "PARITY", "export"]

PARITY = 1e-4  # largest difference from torch, as a share of an output's largest value
ERROR_RATE = 0.2  # of expressions that are named, not called uncertain, on held-out pictures
_PROOF = 256  # crops the parity is proven on
_KINKS = 2  # crops of those whose gradients may jump: a ReLU of the head rounds to its other side
_OPSET = 18
_LICENCE = (
    "Weights: CC BY-NC 4.0, for research, because the training data are licensed for research."
)


def export(run: Path, out: Path, metrics: dict[str, Any] | None = None) -> dict[str, Any]:
    """Write the best weights of a run as one sealed .onnx file.

    Args:
        run: a folder of ``mien train``.
        out: the file to write.
        metrics: what ``mien evaluate`` measured, for the card.

    Returns:
        The card, with the parity found.

    Raises:
        BadModelError: if the run holds no such network, or the file differs from torch.
        BadDataError: if there are fewer than 256 held-out crops to prove the parity on.
        OutputError: if the file cannot be written.
    """
    found = trained(run)
    settings, network = found.settings, found.network
    data = gather(settings)
    held = data.held
    if len(held) < _PROOF:
        raise BadDataError(
            f"{len(held)} held-out crops, {_PROOF} are needed to prove that the file is right",
            fix="train with a larger hold_out",
        )
    calm = _learn_neutral(network, data) if settings.neutral else {}
    model = WithMaps(network)
    graph = _to_onnx(model)
    parity = _parity(model, graph, held)
    if not parity <= PARITY:  # a difference that is no number is refused too
        raise BadModelError(
            f"the exported file differs from torch by {parity:.2e} of an output's largest value, "
            f"allowed are {PARITY:.0e}",
            fix="report this network; nothing was written",
        )
    six = held.where(held.targets.numpy() < NEUTRAL_INDEX)
    logits = predict(network, six)[:, :NEUTRAL_INDEX]
    temperature = round(fit_temperature(logits.numpy(), six.targets.numpy()), 4)
    scores = (logits / temperature).softmax(dim=1).numpy()
    described = json.loads((run / "data.json").read_text(encoding="utf-8"))
    card = {
        "format": 1,
        "name": settings.model,
        "mien": __version__,
        "labels": LABELS,
        "neutral": calm,
        "input": {"side": SIDE, "gray": True, "mean": MEAN.tolist(), "std": STD.tolist()},
        "explain": {"layer": network.explained, "linear_layers": model.linear_layers},
        "temperature": temperature,
        "uncertain": _doubt(scores, six),
        "parameters": sum(p.numel() for p in network.parameters()),
        "multiply_adds": multiply_adds(network),
        "epoch": max(found.history, key=lambda row: row["held_accuracy"])["epoch"],
        "data": described,
        "parity": float(f"{parity:.1e}"),
        "metrics": metrics or {},
        "licence": _LICENCE,
        "weights_sha256": hashlib.sha256(graph).hexdigest(),
        "sha256": "0" * 64,
    }
    card["input"]["mean"] = [round(v, 3) for v in card["input"]["mean"]]
    card["input"]["std"] = [round(v, 3) for v in card["input"]["std"]]
    with atomic(out) as part:
        part.write_bytes(_with_card(graph, card))
    return card


def _learn_neutral(network: Network, data: Data) -> dict[str, float]:
    """Fit the head's neutral row and measure it on held-out pictures of the same databases."""
    fit_neutral(network, data.train)
    held = same_origin(data.held)
    is_calm = held.targets.numpy() == NEUTRAL_INDEX
    if is_calm.all() or not is_calm.any():
        return {"held_out": 0}
    logits = predict(network, held).numpy()[:, NEUTRAL_INDEX]
    return {
        "held_out": int(is_calm.sum()),
        "others": int((~is_calm).sum()),
        "auroc": round(auroc(logits, is_calm), 4),
        "found_rate": round(float((logits[is_calm] > 0).mean()), 4),
        "false_rate": round(float((logits[~is_calm] > 0).mean()), 4),
    }


def _doubt(scores: F32, held: Crops) -> dict[str, float]:
    """Choose the confidence below which an expression is called uncertain."""
    sources = [row.source for row in held.rows]
    below = certain_from(scores, held.targets.numpy(), sources, ERROR_RATE)
    below = min(1.0, math.ceil(below * 1e4) / 1e4)
    answered = float((scores.max(axis=1) >= below).mean())
    return {"below": below, "error_rate": ERROR_RATE, "answered": round(answered, 4)}


def _to_onnx(model: WithMaps) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about its own exporter's deprecations
        torch.onnx.export(
            model,
            (torch.zeros(2, 3, SIDE, SIDE),),
            buffer,  # type: ignore[arg-type]
            input_names=["crops"],
            output_names=model.names,
            dynamic_axes={name: {0: "N"} for name in ("crops", *model.names)},
            opset_version=_OPSET,
            dynamo=False,
        )
    return buffer.getvalue()


def _parity(model: WithMaps, data: bytes, held: Crops) -> float:
    """Largest difference from torch over real crops, as a share of an output's largest value."""
    # Rounding grows with the size of what is rounded, so it is judged by that. Gradients of a head
    # with ReLUs jump where a unit is all but 0: the worst few crops may differ in what rests there.
    spread = np.linspace(0, len(held) - 1, _PROOF).round().astype(int)
    batch = normalise(held.gray[torch.from_numpy(spread), None].float() / 255)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    found = dict(zip(model.names, session.run(None, {"crops": batch.numpy()}), strict=True))
    with torch.inference_mode():
        expected = dict(zip(model.names, model(batch), strict=True))
        plain = model.network(batch)  # the network as it was trained, without maps
    kinks = _KINKS if model.linear_layers > 1 else 0
    worst = [_difference(found["logits"], plain[:, :NEUTRAL_INDEX].numpy(), 0)]
    for name, value in found.items():
        jumps = kinks if name in {"maps", "gradients"} else 0
        worst.append(_difference(value, expected[name].numpy(), jumps))
    return float(np.max(worst))  # a difference that is no number stays one


def _difference(got: F32, expected: F32, jumps: int) -> float:
    """Largest difference, but for some crops, as a share of the largest expected value."""
    by_crop = np.abs(got - expected).reshape(len(got), -1).max(axis=1)
    largest = float(np.sort(by_crop)[-1 - jumps])
    return largest / float(np.abs(expected).max())


@torch.inference_mode()
def multiply_adds(network: nn.Module) -> int:
    """Count the multiply-adds of convolutions and linear layers for one crop.

    Args:
        network: takes (N, 3, 64, 64).

    Returns:
        Their number.
    """
    total = 0

    def count(module: nn.Module, inputs: Any, output: Tensor) -> None:
        nonlocal total
        places = output[0, 0].numel() if output.ndim == 4 else 1
        total += sum(p.numel() for p in module.parameters() if p.ndim > 1) * places

    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        network(torch.zeros(1, 3, SIDE, SIDE))
    finally:
        for hook in hooks:
            hook.remove()
    return total


def _with_card(data: bytes, card: dict[str, Any]) -> bytes:
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    onnx.helper.set_model_props(model, {CARD: json.dumps(card)})
    return seal(model.SerializeToString())
