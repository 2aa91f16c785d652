"""What do explanations cost beyond the passes that they need, and beside torchcam's?

On cnn15 with random weights, one thread: Grad-CAM of torch beside one forward and one backward
from the logits to the explained layer, written by hand; heat maps of the exported graph beside its
logits alone; Score-CAM of all six expressions, which the exported graph's masked crops serve
together, beside six calls of torchcam, and of one expression beside one call.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_explain [--repeats 5]
Goal: Grad-CAM at most 1.2 times the two passes; maps at most 1.15 times logits alone; Score-CAM
for the six maps at most a tenth of torchcam's time.
Check: each answer equals its rival's.
"""

import numpy as np
import onnxruntime
import torch

from benchmarks import timing
from mien.explain import explain, explain_each
from mien.explain.targets import resolve_target
from mien.explain.torch_source import TorchSource
from mien.labels import LABELS
from mien.models import zoo
from mien.models.network import WithMaps
from mien.train import export
from tests.support import cam_oracles

CROPS, LABEL = 16, 5


class Graph:
    """The exported graph without a card, as `mien.explain` asks a model file."""

    layer = "features.4.2"

    def __init__(self, network: torch.nn.Module) -> None:
        """Export a network."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(export._to_onnx(WithMaps(network)), options)
        self.only = onnxruntime.RunOptions()
        self.only.only_execute_path_to_fetches = True

    def ask(self, batch: np.ndarray, *names: str) -> list[np.ndarray]:
        """Return outputs by name."""
        return self.session.run(names, {"crops": batch}, self.only)

    def logits(self, batch: np.ndarray) -> np.ndarray:
        """As `mien.explain` asks for them."""
        return self.ask(batch, "logits")[0]

    def activations(self, batch: np.ndarray, layer: str | None = None) -> np.ndarray:
        """As `mien.explain` asks for them."""
        return self.ask(batch, "features")[0]


def two_passes(network: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    """One forward and one backward to the last block, by hand: the yardstick."""
    stages = network.features
    with torch.no_grad():
        features = stages[-1][:-1](stages[:-1](images))
    features.requires_grad_(True)
    logits = network.head(network.pool(stages[-1][-1](features)))
    [gradients] = torch.autograd.grad(logits[:, LABEL].sum(), features)
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    return torch.relu((weights * features).sum(dim=1)).detach()


def torchcam_score(network: torch.nn.Module, crop: np.ndarray, classes: range) -> np.ndarray:
    found = []
    with cam_oracles.torchcam.ScoreCAM(network, network.explained) as extractor:
        for label in classes:
            with torch.no_grad():
                network(torch.from_numpy(crop))
            found.append(extractor(label, normalized=False)[0].numpy())
    return np.stack(found)


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    return float(np.abs(a - b).max()) <= 1e-5 * float(np.abs(b).max())


def main() -> None:
    chosen = timing.options(repeats=5)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = cam_oracles.unlike_fresh(zoo.build("cnn15", 6, 0.5))
    graph = Graph(network)
    batch = np.random.default_rng(0).normal(size=(CROPS, 3, 64, 64)).astype(np.float32)
    images, crop = torch.from_numpy(batch), batch[:1]
    settings = {"network": "cnn15", "crops": CROPS, "threads": 1, "repeats": chosen.repeats}
    report = timing.Report("explain", __doc__.splitlines()[0], settings)

    ours = explain(network, batch, "grad-cam", LABELS[LABEL])
    timing.check(alike(ours, two_passes(network, images).numpy()), "the same Grad-CAM")
    source, target = TorchSource(network), resolve_target(LABELS[LABEL], np.zeros((CROPS, 6)))
    times = timing.take_turns(
        {
            "two passes": lambda: two_passes(network, images),
            "grad-cam": lambda: source.activations_and_gradients(batch, [target]),
            "logits": lambda: graph.logits(batch),
            "logits and maps": lambda: graph.ask(batch, "logits", "maps"),
        },
        4 * chosen.repeats,
    )
    for a, b in (("grad-cam", "two passes"), ("logits and maps", "logits")):
        print(a, "/", b, timing.ratio(times[a], times[b]), flush=True)
    six = range(len(LABELS))
    expected = torchcam_score(network, crop, six)
    timing.check(alike(explain_each(graph, crop, "score-cam", LABELS), expected), "Score-CAM")
    times |= timing.take_turns(
        {
            "torchcam, six": lambda: torchcam_score(network, crop, six),
            "score-cam, six": lambda: explain_each(graph, crop, "score-cam", LABELS),
            "torchcam, one": lambda: torchcam_score(network, crop, range(1)),
            "score-cam, one": lambda: explain(graph, crop, "score-cam", LABELS[0]),
        },
        max(1, chosen.repeats // 2),
        warmup=0,  # each ran for the check
    )
    pairs = {
        "Grad-CAM on cnn15 / its two passes": ("grad-cam", "two passes", 1.2),
        "cnn15 with maps / logits alone": ("logits and maps", "logits", 1.15),
        "Score-CAM on cnn15, six maps / torchcam": ("score-cam, six", "torchcam, six", 0.1),
        "Score-CAM on cnn15, one map / torchcam": ("score-cam, one", "torchcam, one", 0.1),
    }
    ratios = {name: timing.ratio(times[a], times[b]) for name, (a, b, _) in pairs.items()}
    report.figures = {
        "times": {name: spent.record() for name, spent in times.items()},
        "ratios": ratios,
    }
    report.table([(name, f"{row['median']:.3f}, IQR {row['iqr']}") for name, row in ratios.items()])
    report.goals = [
        timing.Goal(name, limit, ratios[name]["median"]) for name, (_, _, limit) in pairs.items()
    ]
    report.write(chosen.out)


if __name__ == "__main__":
    main()
