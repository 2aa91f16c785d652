"""The settings of a run: one flat TOML file that refuses typos. Knows neither torch nor data."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mien.documents import parse_toml, read_text
from mien.errors import BadSettingError, UnknownNameError
from mien.recognize.card import LEAST_SIDE, MOST_SIDE

__all__ = ["DEFAULTS", "TrainConfig", "load", "make", "read", "to_toml"]


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything a run depends on; the run folder keeps a copy.

    Attributes:
        data: prepared folders to train on.
        votes: folders whose ``soft.csv`` has several annotators' votes for some of the pictures.
        trust: share of these votes in the target; the label has the rest.
        classes: what the folders must have, in the order of their numbers; left out, whatever
            classes they have.
        model: a key of `mien.models.zoo.MODELS`.
        start: a run's folder to begin with its best weights instead of fresh ones; a model in the
            package or an exported file, whose classes may be others; or a network that has seen
            faces, see `mien.models.starts.STARTS`.
        frozen: train the head alone; the features stay as the start has them.
        start_file: of such a network: the package that ships it, downloaded.
        stem_rate: rate of the first layers that have weights, as a share of the others'.
        neutral: learn a calm class beside the scored ones, as neutral beside the six; else its
            pictures are left out.
        seed: of weights, order and augmentation.
        draw: seed of the held-out draw; the same for runs that are compared or teach each other.
        hold_out: share of the training pictures held out to choose the epoch and temperature.
        folds: 0; or that many networks are trained, each without another part of the pictures,
            and measured on it, and then one on all pictures: for data too few to hold out. Nothing
            else is held out then. All pictures of a person are in one fold.
        limit: use so many training pictures, held-out ones included, of every class in proportion
            to its size; 0 uses all.
        epochs: at most.
        batch: crops a step.
        balance: take rare expressions and small databases more often, in [0, 1), see
            `mien.train.dataset.class_shares`.
        side: of the crops, in pixels; 0 is the side that the network is made for.
        first_side: of the crops in the first epoch, in pixels, a multiple of 8; grows to `side`. 0
            has all epochs alike.
        rate: highest learning rate.
        schedule: ``one-cycle``, ``cosine`` or ``constant``.
        warmup: share of the steps in which the rate climbs (one-cycle).
        optimiser: ``sgd``, ``adam`` or ``adamw``.
        momentum: of SGD.
        nesterov: with Nesterov's correction of it.
        weight_decay: on weights; biases and batch norm go free.
        smoothing: label smoothing, in [0, 1).
        dropout: in the head: before its only linear layer, or after the first of three.
        average: decay of the running average of the weights a step; 0 switches it off.
        teachers: run folders and model files to learn from, see `mien.train.distill`.
        distil: share of the distance from the teachers in the loss; the targets have the rest.
        heat: temperature that softens the teachers' answers.
        patience: epochs without a better held-out accuracy before the run stops; 0 never stops.
        augment: change the crops at random, by the strengths below.
        flip, rotate, shift, scale, light, blur, erase: see `mien.train.augment.Strength`.
        colour, crop, perspective, contrast, gamma, coarse, noise, jpeg: more, off unless said.
        mixup, cutmix: change targets too, see `mien.train.augment`.
        guide: weight in the loss of how far class maps are from the regions where the true
            expression is expected, see `mien.train.guide`; 0 leaves the maps free.
        guide_shift: expect each expression where the one so many places on is expected: a control.
        shuffle_labels: learn the labels in random order: a control for explanations.
        bf16: compute in bfloat16 where that is safe and the device has it.
        compile: let torch compile the network (needs a C++ compiler on CPU).
        threads: of torch on CPU; 0 takes all cores.
        devices: GPUs, or processes without one, that share every batch; see `distributed`.
    """

    data: tuple[str, ...] = ()
    votes: tuple[str, ...] = ()
    trust: float = 0.5
    classes: tuple[str, ...] = ()
    model: str = "miennet"
    start: str = ""
    start_file: str = ""
    frozen: bool = False
    stem_rate: float = 1.0
    neutral: bool = True
    seed: int = 0
    draw: int = 0
    hold_out: float = 0.05
    folds: int = 0
    limit: int = 0
    epochs: int = 20
    batch: int = 128
    balance: float = 0.0
    side: int = 0
    first_side: int = 0
    rate: float = 0.15
    schedule: str = "one-cycle"
    warmup: float = 0.2
    optimiser: str = "sgd"
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    smoothing: float = 0.1
    dropout: float = 0.2
    average: float = 0.999
    teachers: tuple[str, ...] = ()
    distil: float = 0.7
    heat: float = 2.0
    patience: int = 0
    augment: bool = True
    flip: float = 0.5
    rotate: float = 14.0
    shift: float = 0.08
    scale: float = 0.15
    light: float = 0.3
    blur: float = 0.15
    erase: float = 0.2
    colour: float = 0.0
    crop: float = 0.0
    perspective: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    coarse: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    guide: float = 0.0
    guide_shift: int = 0
    shuffle_labels: bool = False
    bf16: bool = True
    compile: bool = False
    threads: int = 0
    devices: int = 1

    def __post_init__(self) -> None:
        """Refuse what is out of range, and say which range it is."""
        for name, known in (("schedule", _SCHEDULES), ("optimiser", _OPTIMISERS)):
            if getattr(self, name) not in known:
                raise UnknownNameError(name, getattr(self, name), known)
        if not self.data:
            raise BadSettingError("data is empty", fix='name prepared folders: data = ["data/x"]')
        if len(set(map(os.path.normpath, self.data))) < len(self.data):
            raise BadSettingError("data names a folder twice", fix="name each folder once")
        self._check_numbers()

    def _check_numbers(self) -> None:
        for names, fits, expected in _RANGES:
            for name in names:
                if not fits(getattr(self, name)):
                    raise _out_of_range(self, name, expected)
        if self.frozen and not self.start:
            raise BadSettingError(
                "frozen is set, and there is no start: fresh features would stay as they are",
                fix='name one, for instance start = "miennet"',
            )
        if self.guide and (self.mixup or self.cutmix):
            raise BadSettingError(
                "guide is set, and crops are mixed: places of two faces lie in one crop",
                fix="leave guide, or mixup and cutmix, at 0",
            )
        if self.folds and self.patience:
            raise BadSettingError(
                "folds and patience are set: held-out pictures would choose when a network stops",
                fix="leave patience at 0, and give the epochs that all folds shall have",
            )
        if self.shuffle_labels and self.teachers:
            raise BadSettingError(
                "shuffle_labels is set, and teachers would teach the labels as they are",
                fix="leave one of them out",
            )
        if self.batch % self.devices:
            raise _out_of_range(self, "batch", f"a multiple of devices, which is {self.devices}")


DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(TrainConfig)}
_SHARES = (
    "balance", "hold_out", "smoothing", "dropout", "average", "momentum", "warmup", "trust",
    "distil",
)  # fmt: skip
_COUNTS = (
    "limit", "patience", "threads", "weight_decay", "seed", "draw", "guide", "guide_shift",
    "stem_rate",
)  # fmt: skip
# What no run needs, and memory or float32 would not hold. Strengths: `mien.train.augment.Strength`.
_MOST_FOLDS = 1_000
_MOST_EPOCHS, _MOST_CROPS, _MOST_DEVICES, _MOST_RATE = 10**9, 100_000, 256, 1e9
_RANGES: tuple[tuple[tuple[str, ...], Callable[[Any], bool], str], ...] = (
    (_SHARES, lambda v: 0 <= v < 1, "a number in [0, 1)"),
    (("epochs",), lambda v: 1 <= v <= _MOST_EPOCHS, f"a whole number from 1 to {_MOST_EPOCHS:,}"),
    (("batch",), lambda v: 1 <= v <= _MOST_CROPS, f"a whole number from 1 to {_MOST_CROPS:,}"),
    (("devices",), lambda v: 1 <= v <= _MOST_DEVICES, f"a whole number from 1 to {_MOST_DEVICES}"),
    (_COUNTS, lambda v: 0 <= v < 2**32, "a number from 0, below 2**32"),
    (
        ("rate", "heat"),
        lambda v: 1 / _MOST_RATE <= v <= _MOST_RATE,
        f"a number above 0, from {1 / _MOST_RATE} to {_MOST_RATE:.0e}",
    ),
    (("folds",), lambda v: v == 0 or 2 <= v <= _MOST_FOLDS, f"0, or 2 to {_MOST_FOLDS:,}"),
    (
        ("side",),
        lambda v: v == 0 or LEAST_SIDE <= v <= MOST_SIDE,
        f"0, or a whole number from {LEAST_SIDE} to {MOST_SIDE}",
    ),
    (
        ("first_side",),
        lambda v: v in range(0, MOST_SIDE + 1, 8),
        f"a multiple of 8 up to {MOST_SIDE}",
    ),
)
_LATER = ("classes", "folds", "frozen")
_SCHEDULES = ("constant", "cosine", "one-cycle")
_OPTIMISERS = ("adam", "adamw", "sgd")


def _out_of_range(config: TrainConfig, name: str, expected: str) -> BadSettingError:
    return BadSettingError(f"{name} is {getattr(config, name)!r}", fix=f"give {expected}")


# What a run takes where it begins with a trained network and says neither optimiser nor rate: the
# usual rate would destroy what that network knows (docs/classes.md has the recipe's figures).
FOR_A_START: dict[str, Any] = {
    "optimiser": "adamw",
    "rate": 0.001,
    "schedule": "cosine",
    "batch": 32,
    "weight_decay": 0.01,
    "average": 0.98,
    "dropout": 0.0,
}


def load(path: str | Path, data: tuple[str, ...] = ()) -> TrainConfig:
    """Read settings; what the file leaves out has its default, see `make`.

    Args:
        path: a TOML file.
        data: folders to take if the file names none.

    Returns:
        The settings, checked.
    """
    return make({"data": list(data), **read(path)})


def read(path: str | Path) -> dict[str, Any]:
    """Read what a TOML file says, unchecked.

    Args:
        path: of the file.

    Returns:
        Its values by name.

    Raises:
        BadSettingError: if the file cannot be read.
    """
    try:
        return parse_toml(read_text(path))
    except (OSError, ValueError) as error:  # ValueError: no TOML of ours, or a NUL in the name
        raise BadSettingError(f"cannot read {path}: {error}", fix="check the file") from error


def make(raw: Mapping[str, object]) -> TrainConfig:
    """Make settings of values by name.

    Args:
        raw: what a TOML file says.

    Returns:
        The settings, checked; a value out of range is refused. What `raw` leaves out keeps its
        default, or with a `start` and neither `optimiser` nor `rate` that of `FOR_A_START`.

    Raises:
        UnknownNameError: if it names a setting that does not exist.
    """
    begins = bool(raw.get("start")) and not {"optimiser", "rate"} & raw.keys()
    values: dict[str, Any] = dict(FOR_A_START) if begins else {}
    for key, value in raw.items():
        if key not in DEFAULTS:
            raise UnknownNameError("setting", key, DEFAULTS)
        values[key] = _typed(key, value, DEFAULTS[key])
    return TrainConfig(**values)


def _typed(key: str, value: object, default: object) -> object:
    """Return the value in its default's type, or refuse it."""
    if isinstance(default, tuple) and isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            return tuple(_without_nul(key, item) for item in value)
    elif isinstance(default, float) and type(value) in {int, float}:
        return float(str(value))
    elif isinstance(default, str) and isinstance(value, str):
        return _without_nul(key, value)
    elif type(value) is type(default):
        return value
    raise BadSettingError(f"{key} is {value!r}", fix=_KINDS[type(default)].format(default))


_KINDS: dict[type, str] = {
    bool: "give true or false",
    int: "give a whole number, like {}",
    float: "give a number, like {}",
    str: 'give a text in quotes, like "{}"',
    tuple: 'give a list of texts in quotes, like ["a", "b"]',
}


def _without_nul(key: str, text: str) -> str:
    """Return a name, unless it holds what no file's name can."""
    if "\0" in text:
        raise BadSettingError(f"{key} = {text!r} holds a NUL character", fix="remove it")
    return text


def to_toml(config: TrainConfig) -> str:
    """Write settings as TOML that `load` reads back.

    Args:
        config: the settings.

    Returns:
        One line a setting. What came later than the first runs is left out where it is as usual, so
        that an earlier search goes on.

    Example:
        >>> print(to_toml(TrainConfig(data=("data/rafdb",))).splitlines()[0])
        data = ["data/rafdb"]
    """
    lines = []
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name in _LATER and value == field.default:
            continue
        if isinstance(value, tuple):
            text = "[" + ", ".join(map(_quoted, value)) + "]"
        elif isinstance(value, str):
            text = _quoted(value)
        else:
            text = str(value).lower() if isinstance(value, bool) else repr(value)
        lines.append(f"{field.name} = {text}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a TOML string; JSON escapes quotes, backslashes and control characters alike."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
