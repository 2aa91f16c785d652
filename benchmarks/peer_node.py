"""The expression networks of two npm packages, fetched by npm into a throw-away folder.

They run in Node (peer_node.mjs) on TensorFlow.js with WebAssembly, on one thread; crops go there
and scores come back in files. Only the network of the package that names expressions is asked,
with the package's own preparation of a crop: all rivals get the same faces.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np

from mien.pixels import F32, U8

__all__ = ["PACKAGES", "NodePeer", "fetch"]


PACKAGES = {"face-api": "@vladmandic/face-api@1.7.15", "human": "@vladmandic/human@3.3.6"}
_RUNNERS = ("@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0")
_SCRIPT = Path(__file__).with_name("peer_node.mjs")
_LONGEST_S = 600


def fetch(name: str, folder: Path) -> str:
    """Install a package and what runs it.

    Args:
        name: a key of `PACKAGES`.
        folder: an empty one, or one that this function filled before.

    Returns:
        "", or why it cannot be had.
    """
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return f"{PACKAGES[name]}: there is no Node"
    if (folder / "node_modules" / "@vladmandic" / name).is_dir():
        return ""
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    command = [npm, "install", *options, PACKAGES[name], *_RUNNERS]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_LONGEST_S)
    except (OSError, subprocess.SubprocessError) as error:
        return f"{PACKAGES[name]} cannot be had here ({type(error).__name__})"
    return ""


class NodePeer:
    """A network that runs in its own Node process."""

    def __init__(self, name: str, folder: Path) -> None:
        """Start the process and wait until the network is loaded.

        Args:
            name: a key of `PACKAGES`.
            folder: what `fetch` filled.
        """
        self._files = folder / "crops.bin", folder / "scores.bin"
        self._process = subprocess.Popen(
            ["node", str(_SCRIPT), str(folder), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"NODE_ENV": "production"},
        )
        ready = self._answer()
        self.parameters = int(ready["parameters"])
        self.last_s = 0.0
        self.cpu_s = ready["cpu"]

    def __call__(self, crops: U8, batch: int = 64) -> F32:
        """Score crops.

        Args:
            crops: shape (N, 64, 64, 3).
            batch: how many are handed over at once.

        Returns:
            shape (N, 7): anger, disgust, fear, happiness, sadness, surprise, neutral. `last_s` is
            then the time it took in Node, without the files, and `cpu_s` all processor time of
            the process so far.
        """
        source, target = self._files
        source.write_bytes(np.ascontiguousarray(crops).tobytes())
        question = {"crops": str(source), "out": str(target), "count": len(crops), "batch": batch}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        self.last_s, self.cpu_s = answer["s"], answer["cpu"]
        return np.fromfile(target, dtype=np.float32).reshape(len(crops), 7)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"Node ended with code {self._process.wait()}")
        return dict(json.loads(line))
