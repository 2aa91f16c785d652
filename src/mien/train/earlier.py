"""An earlier run or a model file: as a run's start, as its teacher, or beside it in an ensemble.

It has the same classes, and must not have seen the pictures that validate the run. Knows nothing
of training.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mien.data import manifest
from mien.data.datasets import DATASETS
from mien.data.label_file import labels_of_all
from mien.errors import BadModelError, BadSettingError
from mien.evaluate.learned import EARLIER, START, VALID, records_of, split_digests
from mien.labels import LabelSet
from mien.models import zoo
from mien.models.exported import load_exported, load_last
from mien.models.network import Network
from mien.recognize.model import Model, shipped_models
from mien.train.config import DEFAULTS, TrainConfig
from mien.train.data import is_validated
from mien.train.held_out import held_out_otherwise
from mien.train.optim import resize
from mien.train.run import (
    FOLDS,
    TEACHERS,
    TrainedRun,
    load_run,
    read_description,
    refuse_fold,
)

__all__ = [
    "Member",
    "held_out_by",
    "is_file",
    "licence_of",
    "load_earlier_run",
    "load_layers",
    "load_member",
    "refuse_learned",
    "refuse_seen",
    "refuse_unlike",
]

_WEIGHTS = "Weights: "  # how a licence begins
_NO_FOLDS = "train it with hold_out in place of folds"
_HELD_OUT_BY = ("hold_out", "draw")  # settings that decide which pictures validate a run


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
    """Load an earlier run for another one.

    Args:
        folder: of the earlier run.
        role: what it is to the other run, for the error.
        settings: of the other run.
        more: names of settings in which both must agree, besides neutral and those that decide
            which pictures are held out.

    Returns:
        The earlier run.

    Raises:
        BadSettingError: if they do not agree, on classes too, or the earlier one was trained by
            folds and has learned what validates the other, or is a part of a run by folds.
        BadModelError: if the earlier run has no weights.
        BadDataError: if the earlier run has no record.
    """
    if not folder.is_dir():
        shipped = ", ".join(path.stem for path in shipped_models())
        raise BadSettingError(
            f"the {role} {folder} is no folder of a run",
            fix=f"name a run's folder, an .onnx file of mien export, or a model of mien: {shipped}",
        )
    earlier = load_run(folder)
    who, names = f"the {role} {folder}", ("neutral", *_HELD_OUT_BY, *more)
    record = refuse_fold(folder, who)
    known = {name: getattr(earlier.settings, name) for name in names}
    if earlier.settings.folds:
        if is_validated(settings):
            raise BadSettingError(
                f"{who} was trained by folds, in the end on what the run holds out too",
                fix=_NO_FOLDS,
            )
        del known["hold_out"]  # both hold nothing out
    refuse_unlike(who, earlier.labels, known, settings)
    refuse_learned(who, {"data": record}, settings)
    return earlier


def refuse_learned(who: str, card: Mapping[str, Any], settings: TrainConfig) -> None:
    """Check that nothing of a model file has learned what validates a run, whatever its settings.

    A network that was trained by folds has learned all pictures in the end, also the ``valid``
    split of a folder; and where such a split decides what is held out, `hold_out` and `draw` do
    not tell it.

    Args:
        who: the file, for the error.
        card: of the file.
        settings: of the run.

    Raises:
        BadSettingError: if something has.
    """
    if not is_validated(settings):
        return
    sources = {row.source for folder in settings.data for row in manifest.read(folder)}
    records = records_of(card)
    says = any(VALID in record for record in records)
    own = split_digests(settings.data, "valid") if says else {}
    for record in records:
        shared = sorted(record.get("train_by_source", {}).keys() & sources)
        if shared and record.get(FOLDS):
            raise BadSettingError(
                f"{who} was trained by folds, in the end on all of {', '.join(shared)}, of which "
                "the run holds some out",
                fix=_NO_FOLDS,
            )
        if other := held_out_otherwise(record, own, settings):
            raise BadSettingError(
                f"{who} has held out other pictures of {', '.join(other)}, as the valid split of "
                "its folder says, and has learned some of those that are to validate the run",
                fix="prepare the folders of both with the same --valid and --seed",
            )


def refuse_unlike(
    who: str, labels: LabelSet, known: Mapping[str, Any], settings: TrainConfig
) -> None:
    """Check that an earlier run or a model file fits a run.

    Args:
        who: the earlier one, for the error.
        labels: its classes.
        known: settings of it in which both must agree, by name.
        settings: of the run.

    Raises:
        BadSettingError: if they do not agree, on classes too.
    """
    wanted_labels = labels_of_all(settings.data)
    if labels.targets != wanted_labels.targets:
        raise BadSettingError(
            f"{who} has the classes {labels}, the run has {wanted_labels}",
            fix="give both the same classes in the same order"
            + "; a start of other classes must be an exported file" * who.startswith("the start"),
        )
    for name, own in known.items():
        wanted = getattr(settings, name)
        if own != wanted:
            raise BadSettingError(
                f"{who} has {name} = {own}, the run has {wanted}",
                fix=f"give both the same {name}",
            )


def held_out_by(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that decided which pictures validated a model file's run.

    Args:
        record: of what the file learned from, as its card has it; an older one does not say them:
            nearly always they were the defaults.

    Returns:
        The settings by name.
    """
    return {name: record.get(name, DEFAULTS[name]) for name in _HELD_OUT_BY}


def refuse_seen(
    who: str, card: Mapping[str, Any], sources: Collection[str], settings: TrainConfig
) -> None:
    """Check that a model file has not seen pictures that would validate a run.

    Of a database that taught both, both must hold out the same pictures. A database that is new to
    the file, as are mostly those of other classes, may be held out as the run likes.

    Args:
        who: the file, for the error.
        card: of the file.
        sources: of the run's pictures, as its manifests name them.
        settings: of the run.

    Raises:
        BadSettingError: if the file has seen such pictures.
    """
    if not is_validated(settings):
        return
    refuse_learned(who, card, settings)
    for record in records_of(card):
        shared = sorted(record.get("train_by_source", {}).keys() & sources)
        own = held_out_by(record)
        if shared and (settings.folds or any(own[n] != getattr(settings, n) for n in own)):
            told = " and ".join(f"{name} = {value}" for name, value in own.items())
            instead = " in place of folds" if settings.folds else ""
            raise BadSettingError(
                f"{who} has learned from {', '.join(shared)} with {told}: some of the pictures "
                f"that are to validate the run",
                fix=f"set {told}{instead}, or leave {', '.join(shared)} out of data",
            )


def load_layers(model: Model, network: Network, crops: Tensor) -> Tensor:
    """Give a network the layers of a model file, all but the last.

    Args:
        model: the file.
        network: of the kind that was exported; it is changed.
        crops: some hundreds that are trained on, as a network takes them, of any side.

    Returns:
        The crops of the file's side, on which the layers are proven to be the file's.

    Raises:
        BadModelError: if the file is of another network, or does not return its features.
    """
    if "features" not in model.outputs:
        raise BadModelError(f"{model.path} does not return its features", fix="export it again")
    known = resize(crops, model.side)
    expected = model.tensors(known.numpy(), ["features"])["features"]
    load_exported(network, model.path.read_bytes(), known, expected)
    return known


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A network that answers together with that of a run.

    Attributes:
        network: in evaluation mode.
        record: its ``name``, ``licence`` and training ``data``, for the card.
    """

    network: Network
    record: dict[str, Any]


def load_member(path: str, settings: TrainConfig, crops: Tensor) -> Member:
    """Load a network that is to answer together with that of a run.

    Args:
        path: the folder of another run, an exported file, or the name of a model in the package.
        settings: of the run.
        crops: some hundreds of its training crops, as its network takes them.

    Returns:
        The network and what is known of it.

    Raises:
        BadSettingError: if it has other classes, or has seen pictures that validate the run.
        BadModelError: if the run or the file cannot be used.
        UnknownNameError: if mien builds no network of the name on the file's card.
    """
    if not is_file(path):
        run = load_earlier_run(Path(path), "member", settings)
        data = read_description(Path(path))
        licence = licence_of(data)
        return Member(run.network, {"name": run.settings.model, "licence": licence, "data": data})
    model = Model(path, threads=1)
    held_out = held_out_by(model.card.get("data", {}))
    refuse_unlike(f"the member {path}", model.labels, held_out, settings)
    refuse_learned(f"the member {path}", model.card, settings)
    answers = [name for name in ("logits", "neutral") if name in model.outputs]
    outputs = model.labels.outputs("neutral" in answers)
    network = zoo.build(model.card.get("name", ""), outputs, dropout=0, side=model.side).eval()
    known = load_layers(model, network, crops)
    found = model.tensors(known.numpy(), answers)
    logits = torch.cat([torch.from_numpy(found[name]) for name in answers], dim=1)
    load_last(network, model.path.read_bytes(), known, logits)
    said = {"name": "", "weights_sha256": "", "licence": "not said", "data": {}}
    return Member(network, {key: model.card.get(key, value) for key, value in said.items()})


def licence_of(record: Mapping[str, Any], others: Sequence[Mapping[str, str]] = ()) -> str:
    """Tell what the weights of a run may be used for.

    Args:
        record: of the run: its databases and those of the runs before it, its start and teachers.
            Databases that mien reads are for research; so is what an older record does not tell.
        others: what else the weights are made of, each with its ``name`` and ``licence``.

    Returns:
        The licence in words.
    """
    research = DATASETS.keys() - {"folder"}
    stages = [record, *record.get(EARLIER, ())]
    if any(research & set(stage.get("train_by_source", research)) for stage in stages):
        return (
            f"{_WEIGHTS}CC BY-NC 4.0, for research, because the training data are licensed for "
            "research."
        )
    start = [record[START]] if START in record else []
    teachers = [teacher for stage in stages for teacher in stage.get(TEACHERS, ())]
    groups = (("their start", start), ("their teacher", teachers), ("beside them", others))
    parts = [f"{part['name']}, {role}: {part['licence']}" for role, of in groups for part in of]
    allowed = "as the training pictures allow"
    words = [part.replace(_WEIGHTS, "").removesuffix(".") for part in (allowed, *parts)]
    return f"{_WEIGHTS}{', and '.join(words)}."
