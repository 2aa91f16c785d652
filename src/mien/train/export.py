"""Export a run as one .onnx file: logits and what explains them in one pass, and the model card.

Pipeline: best averaged weights -> graph -> parity with torch proven on held-out crops, or on made
ones where those are few -> temperature fitted on held-out crops -> card -> sealed file, written
only if all of it holds.
"""

import hashlib
import io
import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from mien import __version__
from mien.documents import parse_json, read_text
from mien.errors import BadDataError, BadModelError, BadSettingError
from mien.evaluate.calibration import certain_from, fit_temperature
from mien.evaluate.learned import VALID
from mien.evaluate.metrics import auroc
from mien.media.progress import Progress
from mien.media.writers import write_bytes
from mien.models.ensemble import ensemble
from mien.models.network import Network, WithMaps, multiply_adds
from mien.pixels import F32, MEAN, STD
from mien.recognize.model import CARD, seal
from mien.train.cross_validate import Answers, read_answers, read_record
from mien.train.data import Data, load_data
from mien.train.dataset import Crops, network_inputs
from mien.train.earlier import licence_of, load_member
from mien.train.fast_occlusion import add_fast_occlusion
from mien.train.held_out import refuse_other_splits
from mien.train.neutral import fit_neutral, same_origin
from mien.train.run import TrainedRun, load_run, refuse_fold
from mien.train.validate import best_epoch, predict

__all__ = ["ERROR_RATE", "PARITY", "export", "read_metrics", "with_card"]

PARITY = 1e-4  # largest difference from torch, as a share of an output's largest value
ERROR_RATE = 0.2  # of expressions that are named, not called uncertain, on held-out pictures
_PROOF = 256  # crops the parity is proven on
_FEW = 50  # held-out crops; fewer say nothing of confidence
_KINKS = 2  # crops of those whose gradients may jump: a ReLU of the head rounds to its other side
_OPSET = 18
_METRICS = ("pictures", "accuracy", "mean_recall", "recall", "calibration_error", "split")


def export(
    run: Path,
    out: Path,
    metrics: dict[str, Any] | None = None,
    others: Sequence[str] = (),
    name: str = "",
    fast_occlusion: Progress | None = None,
) -> dict[str, Any]:
    """Write the best weights of a run as one sealed .onnx file.

    A run that has seen no neutral picture becomes a file that does not know neutral.

    Args:
        run: a folder of ``mien train``.
        out: the file to write.
        metrics: for the card, see `read_metrics`.
        others: further runs, exported files or names of models in the package, which answer
            together with the run: see `mien.models.ensemble`.
        name: on the card; by default the network's, or those of all joined by +.
        fast_occlusion: shows how far it is with learning, from training crops, what the logits
            lose where a place is hidden (`mien.train.fast_occlusion`; `iter` shows nothing); None
            leaves that out.

    Returns:
        The card, with the parity found.

    Raises:
        BadModelError: if the run holds no such network, the file differs from torch, or networks
            cannot answer together.
        BadDataError: if the data have other classes than the run, or too few crops of them for
            `fast_occlusion`.
        BadSettingError: if `others` have other classes, or have seen held-out pictures of the run;
            if the run is a part of one by folds, or its folders hold out other pictures now.
        OutputError: if the file cannot be written.
    """
    trained = load_run(run)
    record = refuse_fold(run, f"the run {run}")
    if others and trained.settings.folds:
        raise BadSettingError(
            f"{run} was measured by folds, which tell nothing of several networks together",
            fix="train it with hold_out in place of folds, or export it alone",
        )
    if not trained.settings.folds:  # those have their answers in a table
        refuse_other_splits(f"the run {run}", record, trained.settings, (VALID,))
    data = load_data(trained.settings)
    labels = trained.labels
    if data.train.labels.targets != labels.targets:
        raise BadDataError(
            f"the run {run} has the classes {labels}; its data have {data.train.labels}",
            fix="put the data back as they were, or train again",
        )
    members = []
    if others:
        [crops, *_] = network_inputs(data.train.gray[:_PROOF])
        members = [load_member(other, trained.settings, crops) for other in others]
        together = ensemble([trained.network, *(member.network for member in members)])
        trained = replace(trained, network=together)
    neutral = {}
    if trained.settings.neutral and labels.calm_beside:
        if any(row.label == labels.calm for row in data.train.rows):
            neutral = _learn_neutral(trained.network, data)
        else:
            _forget_neutral(trained.network, len(labels.names))
    model = WithMaps(trained.network, len(labels.names))
    graph = _to_onnx(model)
    parity = _prove_parity(model, graph, _proof(data.held))
    names = [trained.settings.model, *(member.record["name"] for member in members)]
    weights_sha256 = hashlib.sha256(graph).hexdigest()
    described = _describe(trained, neutral, model.linear_layers, name or "+".join(names))
    if fast_occlusion is not None:
        graph, described["explain"]["occlusion"] = add_fast_occlusion(
            graph, _scored(data.train).gray.numpy(), trained.network.side, progress=fast_occlusion
        )
    card = {
        **described,
        **_calibrate(_answers(run, trained, data.held)),
        "parameters": sum(p.numel() for p in trained.network.parameters()),
        "multiply_adds": multiply_adds(trained.network),
        "epoch": best_epoch(trained.history)["epoch"],
        "data": record,
        **({"members": [member.record for member in members]} if members else {}),
        "parity": float(f"{parity:.1e}"),
        "metrics": {**_by_folds(run, trained), **(metrics or {})},
        "licence": licence_of(record, [member.record for member in members]),
        "weights_sha256": weights_sha256,
        "sha256": "0" * 64,
    }
    write_bytes(with_card(graph, card), out)
    return card


def _describe(
    trained: TrainedRun, neutral: dict[str, float], linear_layers: int, name: str
) -> dict[str, Any]:
    """The first part of the card: what the model is, what it takes and what it returns."""
    return {
        "format": 1,
        "name": name,
        "mien": __version__,
        "labels": trained.labels.names,
        "calm": trained.labels.calm,
        "colours": trained.labels.colours,
        "neutral": neutral,
        "input": {
            "side": trained.network.side,
            "gray": True,
            "mean": [round(value, 3) for value in MEAN.tolist()],
            "std": [round(value, 3) for value in STD.tolist()],
        },
        "explain": {"layer": trained.network.explained, "linear_layers": linear_layers},
    }


def _answers(run: Path, trained: TrainedRun, held: Crops) -> Answers:
    """What is known of pictures that were held out: now, or by folds."""
    if trained.settings.folds:
        return read_answers(run, trained.labels)
    count = len(held.labels.names)
    scored = _scored(held)
    logits = np.empty((0, count), dtype=np.float32)
    if len(scored):
        logits = predict(trained.network, scored)[:, :count].numpy()
    return Answers(logits, scored.targets.numpy(), list(scored.databases))


def _scored(crops: Crops) -> Crops:
    """The crops of the classes that have a score, without the calm one beside them."""
    return crops.where(crops.targets.numpy() < len(crops.labels.names))


def _by_folds(run: Path, trained: TrainedRun) -> dict[str, Any]:
    """The figures of a run by folds, as those of an evaluation."""
    if not trained.settings.folds:
        return {}
    record = read_record(run)
    return {"folds": {key: record[key] for key in (*_METRICS, "accuracy_95")}}


def _calibrate(answers: Answers) -> dict[str, Any]:
    """Fit the temperature, and the confidence below which an expression is called uncertain."""
    if len(answers.targets) < _FEW:  # both would be chance: the network's own confidence stands
        uncertain = {"below": 0.0, "error_rate": ERROR_RATE, "answered": 1.0}
        return {"temperature": 1.0, "uncertain": uncertain, "calibrated_on": 0}
    # without an error no temperature is the best: the colder, the better
    flawless = bool((answers.logits.argmax(axis=1) == answers.targets).all())
    temperature = 1.0 if flawless else round(fit_temperature(answers.logits, answers.targets), 4)
    scores = (torch.from_numpy(answers.logits) / temperature).softmax(dim=1).numpy()
    below = _certain_from(scores, answers)
    answered = round(float((scores.max(axis=1) >= below).mean()), 4)
    uncertain = {"below": below, "error_rate": ERROR_RATE, "answered": answered}
    return {
        "temperature": temperature,
        "uncertain": uncertain,
        "calibrated_on": len(answers.targets),
    }


def _certain_from(scores: F32, answers: Answers) -> float:
    """The confidence below which an answer is not certain, in four digits where these suffice."""
    below = certain_from(scores, answers.targets, answers.sources, ERROR_RATE)
    if below <= scores.max(axis=1).min():
        return 0.0  # all that was held out may be answered
    rounded = math.ceil(below * 1e4) / 1e4
    return rounded if rounded < 1 else min(1.0, below)


def _learn_neutral(network: Network, data: Data) -> dict[str, float]:
    """Fit the head's neutral row and measure it on held-out pictures of the same databases."""
    fit_neutral(network, data.train)
    held = same_origin(data.held)
    number = len(held.labels.names)  # of the calm class beside them
    is_neutral = held.targets.numpy() == number
    if is_neutral.all() or not is_neutral.any():
        return {"held_out": 0}
    logits = predict(network, held).numpy()[:, number]
    return {
        "held_out": int(is_neutral.sum()),
        "others": int((~is_neutral).sum()),
        "auroc": round(auroc(logits, is_neutral), 4),
        "found_rate": round(float((logits[is_neutral] > 0).mean()), 4),
        "false_rate": round(float((logits[~is_neutral] > 0).mean()), 4),
    }


def _forget_neutral(network: Network, scored: int) -> None:
    """Take off the output for neutral, of which the run has seen no picture."""
    last = network.last
    last.weight, last.bias = nn.Parameter(last.weight[:scored]), nn.Parameter(last.bias[:scored])
    last.out_features = scored


def _to_onnx(model: WithMaps) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about its own exporter's deprecations
        torch.onnx.export(
            model,
            (torch.zeros(2, 3, model.network.side, model.network.side),),
            buffer,  # type: ignore[arg-type]
            input_names=["crops"],
            output_names=model.names,
            dynamic_axes={name: {0: "N"} for name in ("crops", *model.names)},
            opset_version=_OPSET,
            dynamo=False,
        )
    return buffer.getvalue()


def _proof(held: Crops) -> Tensor:
    """Held-out crops, spread over all of them; noise takes the places of those that lack."""
    if len(held) >= _PROOF:
        spread = np.linspace(0, len(held) - 1, _PROOF).round().astype(int)
        return held.gray[torch.from_numpy(spread)]
    shape = (_PROOF - len(held), *held.gray.shape[1:])
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return torch.cat([held.gray, torch.from_numpy(noise)])


def _prove_parity(model: WithMaps, graph: bytes, proof: Tensor) -> float:
    """Return how far the file is from torch, or refuse it."""
    parity = _parity(model, graph, proof)
    if not parity <= PARITY:  # a difference that is no number is refused too
        raise BadModelError(
            f"the exported file differs from torch by {parity:.2e} of an output's largest value, "
            f"allowed are {PARITY:.0e}",
            fix="report this network; nothing was written",
        )
    return parity


def _parity(model: WithMaps, graph: bytes, proof: Tensor) -> float:
    """Largest difference from torch over crops, as a share of an output's largest value."""
    # Rounding errors grow with the values, so they are compared with the largest value. Gradients
    # of a head with ReLUs jump where a unit is almost 0: the worst few crops may differ there.
    [batch] = network_inputs(proof)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    outputs = dict(zip(model.names, session.run(None, {"crops": batch.numpy()}), strict=True))
    with torch.inference_mode():
        expected = dict(zip(model.names, model(batch), strict=True))
        plain = model.network(batch)  # the network as it was trained, without maps
    kinks = _KINKS if model.linear_layers > 1 else 0
    worst = [_difference(outputs["logits"], plain[:, : model.classes].numpy(), 0)]
    for name, value in outputs.items():
        jumps = kinks if name in {"maps", "gradients"} else 0
        worst.append(_difference(value, expected[name].numpy(), jumps))
    return float(np.max(worst))  # a difference that is no number stays one


def _difference(value: F32, expected: F32, jumps: int) -> float:
    """Largest difference, without the worst `jumps` crops, as a share of the largest value."""
    by_crop = np.abs(value - expected).reshape(len(value), -1).max(axis=1)
    largest = float(np.sort(by_crop)[-1 - jumps])
    return largest / (float(np.abs(expected).max()) or 1.0)  # dead features are all 0


def with_card(graph: bytes, card: dict[str, Any]) -> bytes:
    """Check a graph, put the card into its metadata, and seal the file.

    Args:
        graph: as ONNX; a card that it has is replaced.
        card: its ``sha256`` is 64 zeros, in the place of the seal.

    Returns:
        The file.
    """
    model = onnx.load_from_string(graph)
    onnx.checker.check_model(model, full_check=True)
    onnx.helper.set_model_props(model, {CARD: json.dumps(card)})
    return seal(model.SerializeToString())


def read_metrics(path: Path) -> dict[str, Any]:
    """Read from a result of ``mien evaluate`` what belongs on the card.

    Args:
        path: a JSON file.

    Returns:
        The metrics by name.

    Raises:
        BadDataError: if the file is no such result.
    """
    try:
        record = parse_json(read_text(path))
        return {key: record[key] for key in _METRICS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadDataError(
            f"{path} is no result of mien evaluate", fix="make it with mien evaluate --out"
        ) from error
