"""Distillation: learn from other networks, by their softened answers to the student's own crops.

Knows neither data nor the trainer.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div

from mien.errors import BadSettingError
from mien.models.network import Network
from mien.recognize.model import Model, find, read_card
from mien.train.config import TrainConfig
from mien.train.earlier import (
    held_out_by,
    is_file,
    licence_of,
    load_earlier_run,
    refuse_learned,
    refuse_unlike,
)
from mien.train.optim import resize
from mien.train.run import read_description

__all__ = ["Teachers", "distillation_loss", "origin_of_teacher"]


class Teachers(nn.Module):
    """Several trained networks, whose answers are averaged."""

    def __init__(self, teachers: Sequence[str | Path], student: TrainConfig) -> None:
        """Load the best weights of each run, and each model file.

        Args:
            teachers: folders of ``mien train``, exported files, or names of models in the package.
            student: settings of the run that learns from them.

        Raises:
            BadSettingError: if a teacher learned other classes or held out other pictures: it would
                have seen those that validate its student.
            BadModelError: if a run has no weights, or a file cannot be used.
        """
        super().__init__()
        self.teachers = nn.ModuleList()
        for teacher in teachers:
            if is_file(str(teacher)):
                self.teachers.append(_FileTeacher(str(teacher), student))
            else:
                earlier = load_earlier_run(Path(teacher), "teacher", student)
                self.teachers.append(_RunTeacher(earlier.network))
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, batch: Tensor, temperature: float) -> Tensor:
        """Compute the mean answer of the teachers.

        Args:
            batch: shape (N, 3, side, side); a teacher of another side is shown it resized.
            temperature: softens the answers.

        Returns:
            shape (N, outputs), probabilities.
        """
        answers = [teacher(batch, temperature) for teacher in self.teachers]
        return torch.stack(answers).mean(dim=0)


class _RunTeacher(nn.Module):
    """The network of a run, as it was trained."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Tensor, temperature: float) -> Tensor:
        logits: Tensor = self.network(resize(batch, self.network.side))
        return (logits.float() / temperature).softmax(dim=1)


class _FileTeacher(nn.Module):
    """A model file: its scores share what is not neutral, as its users see them."""

    def __init__(self, path: str, student: TrainConfig) -> None:
        super().__init__()
        self.model = Model(path, threads=student.threads)
        self.has_neutral = student.neutral and self.model.labels.calm_beside
        if self.has_neutral and "neutral" not in self.model.outputs:
            raise BadSettingError(
                f"the teacher {path} does not know neutral, the run that learns from it does",
                fix="choose another teacher, or set neutral = false",
            )
        known = held_out_by(self.model.card.get("data", {}))
        refuse_unlike(f"the teacher {path}", self.model.labels, known, student)
        refuse_learned(f"the teacher {path}", self.model.card, student)
        # a decorator would load torch's compiler, 1.6 s, with this module
        self.forward = torch.compiler.disable(self._answer)  # type: ignore[no-untyped-call]

    def _answer(self, batch: Tensor, temperature: float) -> Tensor:
        crops = resize(batch.float(), self.model.side).contiguous().cpu().numpy()
        names = ["logits", "neutral"] if self.has_neutral else ["logits"]
        found = {n: torch.from_numpy(v) for n, v in self.model.tensors(crops, names).items()}
        scores = (found["logits"] / temperature).softmax(dim=1)
        if self.has_neutral:
            neutral = (found["neutral"] / temperature).sigmoid()
            scores = torch.cat([scores * (1 - neutral), neutral], dim=1)
        return scores.to(batch.device)


def origin_of_teacher(teacher: str) -> dict[str, Any]:
    """Tell what a teacher is, and what its licence says.

    Args:
        teacher: the folder of a run, an exported file, or the name of a model in the package.

    Returns:
        ``name`` and ``licence``.

    Raises:
        BadDataError: if the run has no record.
        BadModelError: if the file cannot be read.
    """
    if is_file(teacher):
        card = read_card(find(teacher))
        return {key: card.get(key, "not said") for key in ("name", "licence")}
    return {"name": Path(teacher).name, "licence": licence_of(read_description(Path(teacher)))}


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
