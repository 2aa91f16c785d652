"""From prepared crops to a trained network and its .onnx file. Needs torch, as only `models` does.

config        the settings of a run: one frozen dataclass, one flat TOML file
data          the crops that a run trains on, the held-out part, votes
dataset       crops in memory and in batches; ExpressionDataset for other training loops
held_out      which pictures judge a run where a split of its folders decides it
leakage       copies of held-out crops leave training
augment       changes of a crop, on tensors; changes that mix two crops
copies        altered copies of crops on disk
earlier       a run or a model file that a run learns from, or that answers with it
first         the network that a run begins with: fresh, or one that was trained before
trainer       the training loop: epochs, steps, checkpoints; resumes where it stopped
cross_validate  runs by folds, for data of which too little could be held out
validate      held-out loss and accuracy, the best epoch, early stopping
divergence    a loss that is no number ends a run; one that explodes is told
optim         optimisers, learning rate and input size by step; the layout of memory
distill       other networks as teachers
guide         class maps drawn to the regions of the true expression
neutral       the row of the head that tells neutral from the six
regression    a linear layer fitted to features that stay as they are
run           the folder of a run: settings, checkpoints; a run read back
checkpoint    the gate through which a checkpoint is read
history       the table of a run's epochs, which its checkpoint holds too
distributed   the processes that share every batch; memory kept between steps
preview       what augmentation does to crops, change by change
grid, search  the points of a search, and the runs that train them
outcomes      what a search found: its table, the best point, what plots show
export        a run -> one .onnx file with its card
fast_occlusion  one more output of that file: what the logits lose where a place is hidden
recipes       the recipes that come with mien (needs no torch)
paper         the rows of the paper's tables, trained and measured again
paper_tables  the values that the paper printed, beside ours (needs no torch)
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
