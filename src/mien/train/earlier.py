"""What a new run learns from: an earlier run or a model file, as its start or its teacher.

It has the same classes, and must not have seen the pictures that validate the new run. Knows
nothing of training.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mien.data.label_file import labels_of_all
from mien.errors import BadSettingError
from mien.labels import LabelSet
from mien.recognize.model import shipped_models
from mien.train.config import TrainConfig
from mien.train.run import TrainedRun, load_run

__all__ = ["HELD_OUT_BY", "is_file", "load_earlier_run", "refuse_unlike"]

HELD_OUT_BY = ("hold_out", "draw")  # settings that decide which pictures validate a run


def is_file(start: str) -> bool:
    """Tell whether what a setting names is a model file, or the name of one in the package.

    Args:
        start: the setting.

    Returns:
        False for the folder of a run.
    """
    names = {"shipped", *(path.stem for path in shipped_models())}
    is_run = Path(start).is_dir()
    return not is_run and (start in names or Path(start).suffix == ".onnx")


def load_earlier_run(folder: Path, role: str, settings: TrainConfig, *more: str) -> TrainedRun:
    """Load a run that a new run learns from.

    Args:
        folder: of the earlier run.
        role: what it is to the new run, for the error.
        settings: of the new run.
        more: names of settings in which both must agree, besides neutral and those that decide
            which pictures are held out.

    Returns:
        The earlier run.

    Raises:
        BadSettingError: if they do not agree, on classes too.
        BadModelError: if the earlier run has no weights.
    """
    earlier = load_run(folder)
    who, names = f"the {role} {folder}", ("neutral", *HELD_OUT_BY, *more)
    known = {name: getattr(earlier.settings, name) for name in names}
    refuse_unlike(who, earlier.labels, known, settings)
    return earlier


def refuse_unlike(
    who: str, labels: LabelSet, known: Mapping[str, Any], settings: TrainConfig
) -> None:
    """Check that a run may learn from another one.

    Args:
        who: the other one, for the error.
        labels: its classes.
        known: settings of it in which both must agree, by name.
        settings: of the run that learns.

    Raises:
        BadSettingError: if they do not agree, on classes too.
    """
    wanted_labels = labels_of_all(settings.data)
    if labels.targets != wanted_labels.targets:
        raise BadSettingError(
            f"{who} has the classes {labels}, the run that learns from it {wanted_labels}",
            fix="give both the same classes in the same order; or start from an exported file",
        )
    for name, own in known.items():
        wanted = getattr(settings, name)
        if own != wanted:
            raise BadSettingError(
                f"{who} has {name} = {own}, the run that learns from it {wanted}",
                fix=f"give both the same {name}",
            )
