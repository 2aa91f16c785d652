"""An .onnx file, ready to run: crops in, probabilities and maps out.

Pipeline: seal and card checked (card.py) -> session -> two crops on trial -> batches. Whatever is
wrong with a file is one `BadModelError`. Knows nothing of photographs.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state

from mien.cores import at_most_cores
from mien.errors import BadModelError, UnknownNameError
from mien.labels import LabelSet
from mien.media.files import is_there
from mien.pixels import F32, SIDE, U8, to_batch
from mien.recognize.card import CARD, labels_on, read_card, read_sealed, seal

__all__ = [
    "CARD",
    "SHIPPED",
    "Model",
    "Outputs",
    "calm_scores",
    "find",
    "read_card",
    "seal",
    "shipped_models",
    "softmax",
]

SHIPPED = Path(__file__).parent / "weights" / "miennet.onnx"
# All that onnxruntime raises: it has no common base for its own errors.
_REFUSALS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    *(
        kind
        for kind in vars(onnxruntime_pybind11_state).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What a model says about N crops.

    Attributes:
        scores: shape (N, C), probabilities of the C classes, each row summing to 1.
        neutral: shape (N,), probability in [0, 1] of being calm, see `Face.neutral`; 0 for a model
            that has not learned it.
        maps: shape (N, C, h, w), evidence by class and place, in logits; None if not asked for.
    """

    scores: F32
    neutral: F32
    maps: F32 | None


class Model:
    """A network ready to run.

    Threads may share it: it does not change after it was loaded. It can be pickled: the other
    process loads the file again.

    Attributes:
        path: of the file.
        card: of the file, see `read_card`.
        labels: its classes.
        side: of a crop, in pixels, as the network takes it.
        flip: whether `run` averages over mirror images.
        session: of onnxruntime.
        outputs: names of what the file returns.
    """

    def __init__(self, path: str | Path = SHIPPED, threads: int = 0, flip: bool = False) -> None:
        """Load a model file.

        Args:
            path: made by ``mien export``; or the name of a model in the package.
            threads: to compute with, at most one a core; 0 takes all cores.
            flip: `run` also looks at each crop's mirror image and averages, in twice the time.

        Raises:
            BadModelError: if the file is missing, not ours, damaged, or cannot be run.
            ValueError: if `threads` is negative.
        """
        found = find(path)
        data, self.card = read_sealed(found)
        self.labels = labels_on(self.card)
        self.path = found.absolute()
        self.flip = flip
        self.side = int(self.card.get("input", {}).get("side", SIDE))
        self._threads = at_most_cores(threads)
        with _as_model_error(self.path):
            self.session: Any = _session(data, self._threads)
        self.outputs = tuple(output.name for output in self.session.get_outputs())
        self._only_wanted = onnxruntime.RunOptions()  # what only other outputs need is not computed
        self._only_wanted.only_execute_path_to_fetches = True
        self._try()

    def __reduce__(self) -> tuple[object, ...]:
        """Travel as settings and the hash of the file; a file of the package by its name alone."""
        path = self.path.name if self.path in shipped_models() else self.path
        return _reloaded, (type(self), path, self._threads, self.flip, self.card["sha256"])

    def with_threads(self, threads: int) -> "Model":
        """Load the same file again, to compute with another number of threads.

        Args:
            threads: at most one a core; 0 takes all cores.

        Returns:
            Another model.

        Raises:
            BadModelError: if the file is another one by now.
        """
        return _reloaded(type(self), self.path, threads, self.flip, self.card["sha256"])

    def _try(self) -> None:
        """Run two crops, and refuse a network that does not give what a model must."""
        inputs = [(i.name, i.type, i.shape[1:]) for i in self.session.get_inputs()]
        side = self.side
        if inputs != [("crops", "tensor(float)", [3, side, side])]:
            raise _no_model(self.path, f"takes {inputs}, not crops (N, 3, {side}, {side})")
        if "logits" not in self.outputs:
            raise _no_model(self.path, f"returns {', '.join(self.outputs)}, but no logits")
        count = len(self.labels.names)
        shapes: dict[str, tuple[int | None, ...]] = {  # for N crops; None may be anything
            "logits": (count,),
            "neutral": (1,),
            "maps": (count, None, None),
            "occlusion": (count, None, None),
        }
        if "neutral" in self.outputs and not self.labels.calm_beside:
            raise _no_model(self.path, "returns neutral, and its card has no class for it")
        names = [name for name in shapes if name in self.outputs]
        for name, value in self.tensors(np.zeros((2, 3, side, side), np.float32), names).items():
            shape = (2, *shapes[name])
            right = len(value.shape) == len(shape) and all(
                wanted in {None, got} for got, wanted in zip(value.shape, shape, strict=True)
            )
            if not right or value.dtype != np.float32 or not np.isfinite(value).all():
                got = f"{name} of shape {value.shape}, {value.dtype}, for two crops"
                raise _no_model(self.path, f"returns {got}, not finite float32 {shape}")

    def to_batch(self, crops: Sequence[U8] | U8) -> F32:
        """Turn crops into this network's input.

        Args:
            crops: (N, H, W, 3) or (N, H, W) uint8, or a sequence of crops of any sizes.

        Returns:
            shape (N, 3, side, side), float32.

        Raises:
            BadImageError: if a crop has another shape or type.
        """
        return to_batch(crops, self.side)

    def run(self, batch: F32, maps: bool = True) -> Outputs:
        """Classify a batch.

        Args:
            batch: shape (N, 3, side, side), from `to_batch`.
            maps: also return the class maps.

        Returns:
            Probabilities, calibrated by the card's temperature, and maps.

        Raises:
            BadModelError: if the network fails, or returns what is no number.
            ValueError: if the batch has another shape or type.
        """
        self._check(batch)
        if len(batch) == 0:
            empty = np.empty((0, len(self.labels.names)), dtype=np.float32)
            return Outputs(empty, empty[:, 0], empty[..., None, None] if maps else None)
        wanted = ("logits", "neutral", "maps") if maps else ("logits", "neutral")
        names = [name for name in wanted if name in self.outputs]
        tensors = self.tensors(batch, names)
        if self.flip:
            mirrored = self.tensors(np.ascontiguousarray(batch[..., ::-1]), names)
            tensors = {name: _averaged(tensors[name], mirrored[name]) for name in names}
        _refuse_no_numbers(tensors["logits"], self.path)
        scores = softmax(tensors["logits"], float(self.card["temperature"]))
        neutral = calm_scores(self.labels, scores)
        if "neutral" in tensors:
            neutral = _logistic(tensors["neutral"][:, 0])
        return Outputs(scores, neutral, tensors.get("maps"))

    def tensors(self, batch: F32, names: Sequence[str]) -> dict[str, F32]:
        """Return outputs of the file as they are, and compute nothing else.

        Args:
            batch: shape (N, 3, side, side), N at least 1.
            names: of `outputs`.

        Returns:
            Each output by name.

        Raises:
            BadModelError: if the network fails.
            ValueError: if the batch has another shape or type.
        """
        self._check(batch)
        with _as_model_error(self.path):
            values = self.session.run(list(names), {"crops": batch}, self._only_wanted)
        return dict(zip(names, values, strict=True))

    def _check(self, batch: F32) -> None:
        shape = (3, self.side, self.side)
        if batch.dtype != np.float32 or batch.ndim != 4 or batch.shape[1:] != shape:
            wanted = f"(N, 3, {self.side}, {self.side}) float32"
            raise ValueError(f"expected {wanted}, got {batch.shape} {batch.dtype}")


def calm_scores(labels: LabelSet, scores: F32) -> F32:
    """Return the scores of the calm class where it is one of the scored ones.

    Args:
        labels: the classes.
        scores: shape (N, C).

    Returns:
        shape (N,); 0 where no scored class is the calm one.
    """
    if labels.calm in labels.names:
        return scores[:, labels.names.index(labels.calm)]
    return np.zeros(len(scores), dtype=np.float32)


def _session(data: bytes, threads: int) -> Any:
    """Open a session with the bytes whose seal was checked, whatever the file holds by now."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what is wrong is in our own error
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


@contextmanager
def _as_model_error(path: Path) -> Iterator[None]:
    """Turn what onnxruntime says of a file into one error."""
    try:
        yield
    except _REFUSALS as error:
        reason = " ".join(str(error).split())[:300]
        newer = "opset" in reason.lower() or "ir version" in reason.lower()
        raise BadModelError(
            f"{path} cannot be run by onnxruntime {onnxruntime.__version__}: {reason}",
            fix="pip install --upgrade onnxruntime" if newer else "make it again with mien export",
        ) from error


def _refuse_no_numbers(logits: F32, path: Path) -> None:
    if not np.isfinite(logits).all():
        raise _no_model(path, "returns logits that are no numbers")


def _no_model(path: Path, what: str) -> BadModelError:
    return BadModelError(f"{path} {what}", fix="make the file again with mien export")


def _reloaded(kind: type[Model], path: str | Path, threads: int, flip: bool, sha256: str) -> Model:
    """Load a model that was pickled, and refuse another one that is there by now."""
    path = SHIPPED.with_name(path) if isinstance(path, str) else path  # of this installation
    model = kind(path, threads, flip)
    if model.card["sha256"] != sha256:
        raise BadModelError(
            f"{path} is another model than when it was first loaded",
            fix="start again with one model",
        )
    return model


def _averaged(value: F32, mirrored: F32) -> F32:
    """The mean of an output and of the one for the mirror image, whose maps are turned back."""
    back = mirrored[..., ::-1] if value.ndim == 4 else mirrored
    mean: F32 = (value + back) / np.float32(2)
    return mean


def _logistic(logits: F32) -> F32:
    return np.asarray((1 + np.tanh(logits / 2)) / 2, dtype=np.float32)


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


def shipped_models() -> list[Path]:
    """List the model files in the package, the usual one first.

    Returns:
        Their paths.

    Example:
        >>> shipped_models()[0] == SHIPPED
        True
    """
    return sorted(SHIPPED.parent.glob("*.onnx"), key=lambda path: (path != SHIPPED, path.name))


def find(model: str | Path) -> Path:
    """Return the file of a model.

    Args:
        model: a path; the name of a model in the package, see ``mien models``; or ``shipped`` for
            the usual one.

    Returns:
        The path as it is, unless only the package has a model of that name.

    Raises:
        UnknownNameError: if it is a name without an ending, and neither there nor in the package.

    Example:
        >>> find("miennet") == SHIPPED, find("other.onnx").name
        (True, 'other.onnx')
    """
    path = Path(model)
    if str(path) == "shipped":
        return SHIPPED
    if str(model) != path.name or path.suffix or "\0" in path.name or is_there(path):
        return path
    names = {file.stem: file for file in shipped_models()}
    if path.name not in names:
        raise UnknownNameError("model", path.name, {*names, "shipped", "or the path of a file"})
    return names[path.name]
