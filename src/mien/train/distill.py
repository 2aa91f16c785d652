"""Distillation: learn from larger networks, by their softened answers to the student's own crops.

Knows neither data nor the trainer.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div

from mien.train.config import TrainConfig
from mien.train.run import load_earlier_run

__all__ = ["Teachers", "distillation_loss"]


class Teachers(nn.Module):
    """Several trained networks, whose answers are averaged."""

    def __init__(self, runs: Sequence[str | Path], student: TrainConfig) -> None:
        """Load the best weights of each run.

        Args:
            runs: folders of ``mien train``.
            student: settings of the run that learns from them.

        Raises:
            BadSettingError: if a run learned other classes or held out other pictures: it would
                have seen those that validate its student.
            BadModelError: if a run has no weights.
        """
        super().__init__()
        self.networks = nn.ModuleList()
        for run in map(Path, runs):
            self.networks.append(load_earlier_run(run, "teacher", student).network)
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, batch: Tensor, temperature: float) -> Tensor:
        """Compute the mean answer of the teachers.

        Args:
            batch: shape (N, 3, side, side).
            temperature: softens the answers.

        Returns:
            shape (N, outputs), probabilities.
        """
        answers = [
            (network(batch).float() / temperature).softmax(dim=1) for network in self.networks
        ]
        return torch.stack(answers).mean(dim=0)


def distillation_loss(logits: Tensor, answers: Tensor, temperature: float) -> Tensor:
    """Compute how far a student is from its teachers.

    Args:
        logits: shape (N, K), the student's.
        answers: shape (N, K), the teachers' probabilities at `temperature`.
        temperature: softens both.

    Returns:
        The mean Kullback-Leibler divergence times the temperature squared, so that its gradients
        keep their size at any temperature.

    Source:
        Hinton, Vinyals and Dean 2015, arXiv:1503.02531, section 2; that teacher and student see
        the same changed crop: Beyer et al. 2022, arXiv:2106.05237.
    """
    softened = (logits / temperature).log_softmax(dim=1)
    return kl_div(softened, answers, reduction="batchmean") * temperature**2
