"""The settings of runs and grids for `digests.py`, good ones and wrong ones. Text alone."""

from benchmarks.digest_runs import NETWORKS

__all__ = ["settings"]

_TRAIN = """data = ["../prepare-many/data"]
epochs = 3
batch = 16
hold_out = 0.8
average = 0.9
first_side = 48
crop = 0.1
noise = 0.2
colour = 0.1
mixup = 0.3
bf16 = false
threads = 1
"""
_GRID = """data = ["../prepare-many/data"]
rate = [0.02, 0.1]
epochs = [1, 2]
batch = 16
hold_out = 0.8
schedule = "constant"
neutral = false
augment = false
bf16 = false
threads = 1
"""
_PUPIL = """data = ["../prepare-many/data"]
teachers = ["../train/run"]
start = "../train/run"
epochs = 3
patience = 1
batch = 16
hold_out = 0.8
balance = 0.3
optimiser = "adamw"
schedule = "cosine"
rate = 0.001
cutmix = 0.3
perspective = 0.1
contrast = 0.3
gamma = 0.3
coarse = 0.3
jpeg = 0.3
bf16 = false
threads = 1
"""
_VOTES = """data = ["../prepare-fer2013/table"]
votes = ["../prepare-ferplus/data"]
epochs = 1
batch = 7
hold_out = 0.3
bf16 = false
threads = 1
"""
# Of a deep network with three linear layers, little is learned: enough to be told apart.
_DEEP = """data = ["../prepare-many/data"]
model = "cnn10"
epochs = 1
batch = 6
hold_out = 0.92
rate = 0.001
average = 0.5
neutral = false
bf16 = false
threads = 1
"""
_NETWORK = """data = ["../prepare-fer2013/table"]
epochs = 1
batch = 8
hold_out = 0.0
momentum = 0.0
nesterov = false
augment = false
neutral = false
bf16 = false
threads = 1
"""


def settings() -> dict[str, bytes]:
    """Every file of settings by name."""
    texts = {
        "train.toml": _TRAIN,
        "pupil.toml": _PUPIL,
        "votes.toml": _VOTES,
        "shuffled.toml": _TRAIN + "shuffle_labels = true\n",
        "deep.toml": _DEEP,
        "grid.toml": _GRID,
        "other-grid.toml": _GRID.replace("0.02", "0.03"),
        "elsewhere.toml": 'data = ["not/here"]\njpeg = 0.5\ngamma = 0.4\nperspective = 0.1\n',
        "misspelt.toml": 'data = ["not/here"]\nepoch = 3\n',
        "outside.toml": 'data = ["not/here"]\nhold_out = 1.5\n',
        "no-model.toml": _TRAIN + 'model = "resnet81"\n',
        "broken.toml": "data = [\n",
    }
    texts |= {f"{name}.toml": f'{_NETWORK}model = "{name}"\n' for name in NETWORKS}
    return {name: text.encode() for name, text in texts.items()}
