"""Learn from larger networks: their softened answers, on the very crops the student sees.
Knows neither data nor the loop.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div

from mien.train.config import TrainConfig
from mien.train.run import earlier

__all__ = ["Teachers", "distance"]


class Teachers(nn.Module):
    """Several trained networks, whose answers are averaged."""

    def __init__(self, runs: Sequence[str | Path], student: TrainConfig) -> None:
        """Load the best weights of each run.

        Args:
            runs: folders of ``mien train``.
            student: whose teachers they are to be.

        Raises:
            BadSettingError: if a run learned other classes or held out other pictures: it would
                have seen those that judge its student.
            BadModelError: if a run has no weights.
        """
        super().__init__()
        self.networks = nn.ModuleList()
        for run in map(Path, runs):
            self.networks.append(earlier(run, "teacher", student).network)
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, batch: Tensor, heat: float) -> Tensor:
        """Answer.

        Args:
            batch: shape (N, 3, 64, 64).
            heat: the temperature that softens the answers.

        Returns:
            shape (N, outputs), probabilities, the mean over the teachers.
        """
        answers = [(network(batch).float() / heat).softmax(dim=1) for network in self.networks]
        return torch.stack(answers).mean(dim=0)


def distance(logits: Tensor, answers: Tensor, heat: float) -> Tensor:
    """Say how far a student is from its teachers.

    Args:
        logits: shape (N, K), the student's.
        answers: shape (N, K), the teachers' probabilities at `heat`.
        heat: the temperature.

    Returns:
        The mean Kullback-Leibler divergence times heat squared, so that its gradients keep their
        size at any heat.

    Source:
        Hinton, Vinyals and Dean 2015, arXiv:1503.02531, section 2; that teacher and student see
        the same changed crop: Beyer et al. 2022, arXiv:2106.05237.
    """
    softened = (logits / heat).log_softmax(dim=1)
    return kl_div(softened, answers, reduction="batchmean") * heat**2
