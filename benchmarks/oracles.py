"""How far are mien's maps from those that torchcam and captum draw?

Each map is divided by its largest value; the figure is the largest difference over all places and
random inputs (normal pixels, as the network's input is normalised). Occlusion's falls are small
beside the logits they are differences of, so they are judged by those.

Run: OMP_NUM_THREADS=1 python -m benchmarks.oracles [--inputs 100] [--slow-inputs 3]
         [--weights cnn15=runs/NAME miennet=runs/NAME] [--only NAME...] [--out DIR]
Writes explain-oracles.json there, in results/ unless said, network by network: an interrupted run
keeps what it has.
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from benchmarks import timing
from mien.media.writers import write_text
from mien.models import zoo
from mien.models.network import Network
from mien.train import config, run
from mien.train.run import BEST
from tests.support import cam_oracles

BOUND = 1e-5
SLOW = {"torchcam ScoreCAM", "captum IntegratedGradients"}  # minutes for each input


def random_network(name: str) -> Network:
    torch.manual_seed(0)
    network: Network = cam_oracles.unlike_fresh(zoo.build(name, 6, 0.2))
    return network


def trained_network(name: str, folder: Path) -> Network:
    settings = config.load(folder / "config.toml")
    network = zoo.build(name, 6 + settings.neutral, settings.dropout)
    run.load_weights(folder / BEST, network)
    return network.eval()


def measure(network: Network, inputs: int, slow_inputs: int) -> dict[str, dict[str, float]]:
    generator = np.random.default_rng(0)
    batch = generator.normal(size=(inputs, 3, 64, 64)).astype(np.float32)
    found = {}
    for name in cam_oracles.RIVALS:
        if cam_oracles.RIVALS[name][0] == "cam" and not isinstance(network.head, torch.nn.Linear):
            continue
        chosen = batch[: slow_inputs if name in SLOW else inputs]
        worst = max(
            cam_oracles.difference(name, network, chosen[i : i + 10])
            for i in range(0, len(chosen), 10)
        )
        found[name] = {"inputs": len(chosen), "largest_difference": worst}
        print(f"  {name:<28} {worst:.1e} on {len(chosen)}", flush=True)
    found["captum LayerActivation"] = {
        "inputs": inputs,
        "largest_difference": cam_oracles.activation_difference(network, batch),
    }
    found["captum Occlusion"] = {
        "inputs": slow_inputs,
        "largest_difference": cam_oracles.occlusion_difference(network, batch[:slow_inputs]),
    }
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=100)
    parser.add_argument("--slow-inputs", type=int, default=3)
    parser.add_argument("--weights", nargs="*", default=[], metavar="NAME=RUN")
    parser.add_argument("--only", nargs="*", default=["miennet", "resnet18", "cnn15"])
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    chosen = parser.parse_args()
    out = chosen.out / "explain-oracles.json"
    settings = {"inputs": chosen.inputs, "slow_inputs": chosen.slow_inputs, "seed": 0}
    head = timing.head(__doc__.splitlines()[0], "benchmarks.oracles", settings)
    packages = {name: version(name) for name in ("torch", "torchcam", "captum")}
    torch.set_num_threads(1)
    networks = {f"{name}, random": random_network(name) for name in chosen.only}
    for name, folder in (pair.split("=") for pair in chosen.weights):
        networks[f"{name}, trained"] = trained_network(name, Path(folder))
    report = head | {
        "bound": BOUND,
        "versions": head["versions"] | packages,
        "networks": json.loads(out.read_text())["networks"] if out.exists() else {},
    }
    for title, network in networks.items():
        print(title, flush=True)
        report["networks"][title] = measure(network, chosen.inputs, chosen.slow_inputs)
        write_text(json.dumps(report, indent=1) + "\n", out)
    differences = [row for found in report["networks"].values() for row in found.values()]
    worst = max(row["largest_difference"] for row in differences)
    print(f"largest difference {worst:.1e}, bound {BOUND:.0e}")
    sys.exit(worst > BOUND)


if __name__ == "__main__":
    main()
