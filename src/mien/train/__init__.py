"""From prepared crops to a trained network and its .onnx file. Needs torch, as only `models` does.

config        the settings of a run: one frozen dataclass, one flat TOML file
data          what a run trains on: crops, the held-out part, votes
dataset       crops in memory and in batches; ExpressionDataset for anybody's own loop
augment       changes of a crop, on tensors; changes that mix two crops
trainer       epochs: batches, losses, checkpoints; resumes where it stopped
validate      held-out loss and accuracy, early stopping
optim         optimisers, learning rate and input size by step
distill       the answers of teachers as targets
neutral       the head that tells a calm face
run           a run's folder: settings, history, checkpoints, a trained network read back
distributed   several processes that share every batch; memory kept between steps
preview       what the augmentation does, on real crops
grid, search  the points of a grid, and the walk through them
export        a run -> one .onnx file with its card
paper         the rows of the paper trained and measured again
paper_tables  what the paper printed, beside ours (needs no torch)
"""

from typing import TYPE_CHECKING

from mien._lazy import on_first_use

if TYPE_CHECKING:
    from mien.train.augment import Augment as Augment
    from mien.train.dataset import ExpressionDataset as ExpressionDataset

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "Augment": "mien.train.augment",
        "ExpressionDataset": "mien.train.dataset",
    },
)
