"""An .onnx file and the card inside it: crops in, probabilities and maps out.

The card (labels, temperature, data, metrics, licence, hash) travels in the file's metadata, so one
file is the whole model. A file without our card, or changed since it was sealed, is refused. No
torch; knows nothing of photographs.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from mien.errors import BadModelError
from mien.labels import LABELS
from mien.pixels import F32, SIDE

__all__ = ["CARD", "SHIPPED", "Model", "Outputs", "find", "read_card", "seal", "softmax"]

SHIPPED = Path(__file__).parent / "weights" / "miennet.onnx"
CARD = "mien_card"  # key of the file's metadata
_FORMAT = 1
_SEAL = re.compile(rb'"sha256": "([0-9a-f]{64})"')
_EMPTY = b"0" * 64


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What a model says about N crops.

    Attributes:
        scores: shape (N, 6), probabilities of the six expressions, each row summing to 1.
        neutral: shape (N,), probability in [0, 1] of showing none of them; 0 for a model that
            has not learned it.
        maps: shape (N, 6, h, w), evidence by class and place, in logits; None if not asked for.
    """

    scores: F32
    neutral: F32
    maps: F32 | None


class Model:
    """A network ready to run."""

    def __init__(self, path: str | Path = SHIPPED, threads: int = 0, flip: bool = False) -> None:
        """Load a model file.

        Args:
            path: made by ``mien export``; or the name of a model in the package.
            threads: to compute with; 0 takes all cores.
            flip: `run` also looks at each crop's mirror image and averages, in twice the time.

        Raises:
            BadModelError: if the file is missing, not ours, or damaged.
        """
        path = find(path)
        self.card = read_card(path)
        self.flip = flip
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        self.session: Any = onnxruntime.InferenceSession(str(path), options, providers=providers)
        self.outputs = tuple(output.name for output in self.session.get_outputs())
        self._only_asked = onnxruntime.RunOptions()  # what only other outputs need is not computed
        self._only_asked.only_execute_path_to_fetches = True

    def run(self, batch: F32, maps: bool = True) -> Outputs:
        """Classify a batch.

        Args:
            batch: shape (N, 3, 64, 64), from `mien.pixels.to_batch`.
            maps: also return the class maps.

        Returns:
            Probabilities, calibrated by the card's temperature, and maps.

        Raises:
            ValueError: if the batch has another shape or type.
        """
        _check(batch)
        asked = ("logits", "neutral", "maps") if maps else ("logits", "neutral")
        wanted = [name for name in asked if name in self.outputs]
        if len(batch) == 0:
            nothing = np.empty((0, len(LABELS)), dtype=np.float32)
            return Outputs(nothing, nothing[:, 0], nothing[..., None, None] if maps else None)
        found: dict[str, Any] = dict(self.tensors(batch, wanted))
        if self.flip:
            mirrored = self.tensors(np.ascontiguousarray(batch[..., ::-1]), wanted)
            found = {name: _averaged(found[name], mirrored[name]) for name in wanted}
        temperature = float(self.card["temperature"])
        scores = softmax(found["logits"], temperature)
        neutral = np.zeros(len(batch), dtype=np.float32)
        if "neutral" in found:
            neutral = (1 + np.tanh(found["neutral"][:, 0] / 2)) / 2  # the logistic function
        return Outputs(scores, neutral, found.get("maps"))

    def tensors(self, batch: F32, names: Sequence[str]) -> dict[str, F32]:
        """Return outputs of the file as they are, and compute nothing else.

        Args:
            batch: shape (N, 3, 64, 64), N at least 1.
            names: of `outputs`.

        Returns:
            Each output by name.

        Raises:
            ValueError: if the batch has another shape or type.
        """
        _check(batch)
        found = self.session.run(list(names), {"crops": batch}, self._only_asked)
        return dict(zip(names, found, strict=True))


def find(model: str | Path) -> Path:
    """Return the file of a model.

    Args:
        model: a path; the name of a model in the package, see ``mien models``; or ``shipped`` for
            the usual one.

    Returns:
        The path as it is, unless only the package has a model of that name.

    Example:
        >>> find("miennet") == SHIPPED, find("other.onnx").name
        (True, 'other.onnx')
    """
    path = Path(model)
    if str(path) == "shipped":
        return SHIPPED
    shipped = SHIPPED.parent / f"{path.name}.onnx"
    return shipped if str(path) == path.name and not path.exists() and shipped.exists() else path


def _check(batch: F32) -> None:
    if batch.dtype != np.float32 or batch.ndim != 4 or batch.shape[1:] != (3, SIDE, SIDE):
        raise ValueError(
            f"expected (N, 3, {SIDE}, {SIDE}) float32, got {batch.shape} {batch.dtype}"
        )


def _averaged(value: F32, mirrored: F32) -> F32:
    """The mean of an output and of the one for the mirror image, whose maps are turned back."""
    back = mirrored[..., ::-1] if value.ndim == 4 else mirrored
    mean: F32 = (value + back) / np.float32(2)
    return mean


def softmax(logits: F32, temperature: float = 1.0) -> F32:
    """Turn logits into probabilities.

    Args:
        logits: shape (N, C).
        temperature: what they are divided by first; above 1 the probabilities are less sure.

    Returns:
        shape (N, C), float32 in [0, 1], each row summing to 1.

    Example:
        >>> softmax(np.array([[1, 1, 1, 1], [0, 0, 0, 500]], dtype=np.float32)).tolist()
        [[0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.0, 1.0]]
    """
    powers = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)


def read_card(path: str | Path) -> dict[str, Any]:
    """Check a model file's seal and return its card.

    Args:
        path: made by ``mien export``.

    Returns:
        The card: name, labels, temperature, parameters, data, metrics, licence, sha256 and more.

    Raises:
        BadModelError: if the file is missing, not ours, or damaged.
    """
    fix = "reinstall mien, or make the file again with mien export"
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise BadModelError(
            f"cannot read {path}: {error.strerror}", fix="check the path"
        ) from error
    seals = _SEAL.findall(data)
    if len(seals) != 1 or CARD.encode() not in data:
        raise BadModelError(f"{path} is not a model of mien: it has no card", fix=fix)
    if hashlib.sha256(data.replace(seals[0], _EMPTY)).hexdigest() != seals[0].decode():
        raise BadModelError(f"{path} is damaged: its hash is not the one on its card", fix=fix)
    card = _card_around(data, data.index(seals[0]))
    if card.get("format") != _FORMAT or tuple(card.get("labels", ())) != LABELS:
        raise BadModelError(
            f"{path} has a card of format {card.get('format')} for {card.get('labels')}",
            fix="use the version of mien that made it",
        )
    return card


def _card_around(data: bytes, place: int) -> dict[str, Any]:
    """Decode the JSON object that the byte at `place` lies in; the card is one line of ASCII."""
    start = data.rindex(b'{"format"', 0, place)
    card, _ = json.JSONDecoder().raw_decode(data[start:].decode("ascii", errors="replace"))
    return dict(card)


def seal(data: bytes) -> bytes:
    """Put the hash of a model file into its card, where 64 zeros stand.

    Args:
        data: an .onnx file whose card holds ``"sha256": "000..."``.

    Returns:
        The file with its hash.

    Raises:
        ValueError: if there is not exactly one place for it.
    """
    if [bytes(s) for s in _SEAL.findall(data)] != [_EMPTY]:
        raise ValueError('the card must hold "sha256": "000..." exactly once')
    digest = hashlib.sha256(data).hexdigest().encode()
    return data.replace(b'"sha256": "' + _EMPTY, b'"sha256": "' + digest)
