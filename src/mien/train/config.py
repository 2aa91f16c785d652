"""The settings of a run: one flat TOML file, where a typo is refused.

Imports: the standard library, mien.errors. Knows neither torch nor data.
"""

import json
import math
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from mien.errors import BadSettingError, UnknownNameError

__all__ = ["TrainConfig", "load", "to_toml"]


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything a run depends on; the run folder keeps a copy.

    Attributes:
        data: prepared folders to train on.
        model: a key of `mien.models.zoo.MODELS`.
        neutral: learn neutral as a seventh class; else neutral pictures are left out.
        seed: of weights, order, augmentation and the held-out draw.
        hold_out: share of the training pictures held out to choose the epoch and temperature.
        epochs: at most.
        batch: crops a step.
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
        patience: epochs without a better held-out accuracy before the run stops; 0 never stops.
        augment: change the crops at random, by the strengths below.
        flip, rotate, shift, scale, light, blur, erase: see `mien.data.augment.Strength`.
        colour, crop, perspective, gamma, coarse, noise, jpeg: more of them, off unless said.
        mixup, cutmix: change targets too, see `mien.data.mix`.
        shuffle_labels: learn labels dealt out anew at random: a control for explanations.
        bf16: compute in bfloat16 where that is safe.
        compile: let torch compile the network (needs a C++ compiler on CPU).
        threads: of torch on CPU; 0 takes all cores.
    """

    data: tuple[str, ...] = ()
    model: str = "miennet"
    neutral: bool = True
    seed: int = 0
    hold_out: float = 0.05
    epochs: int = 20
    batch: int = 128
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
    gamma: float = 0.0
    coarse: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    shuffle_labels: bool = False
    bf16: bool = True
    compile: bool = False
    threads: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of range, and say which range it is."""
        for name, known in (("schedule", _SCHEDULES), ("optimiser", _OPTIMISERS)):
            if getattr(self, name) not in known:
                raise UnknownNameError(name, getattr(self, name), known)
        if not self.data:
            raise BadSettingError("data is empty", fix='name prepared folders: data = ["data/x"]')
        self._check_numbers()

    def _check_numbers(self) -> None:
        for name in ("hold_out", "smoothing", "dropout", "average", "momentum", "warmup"):
            if not 0 <= getattr(self, name) < 1:
                raise _out_of_range(self, name, "a number in [0, 1)")
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise _out_of_range(self, name, "a whole number from 1")
        for name in ("patience", "threads", "weight_decay", "seed"):
            if not 0 <= getattr(self, name) < 2**32:
                raise _out_of_range(self, name, "a number from 0, below 2**32")
        if not 0 < self.rate < math.inf:
            raise _out_of_range(self, "rate", "a number above 0")


_SCHEDULES = ("constant", "cosine", "one-cycle")
_OPTIMISERS = ("adam", "adamw", "sgd")


def _out_of_range(config: TrainConfig, name: str, expected: str) -> BadSettingError:
    return BadSettingError(f"{name} is {getattr(config, name)!r}", fix=f"give {expected}")


def load(path: str | Path, data: tuple[str, ...] = ()) -> TrainConfig:
    """Read settings; what the file leaves out keeps its default.

    Args:
        path: a TOML file.
        data: folders to take if the file names none.

    Returns:
        The settings, checked.

    Raises:
        BadSettingError: if the file cannot be read or a value is out of range.
        UnknownNameError: if it names a setting that does not exist.
    """
    try:
        raw = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettingError(f"cannot read {path}: {error}", fix="check the file") from error
    defaults = {field.name: field.default for field in fields(TrainConfig)}
    for key, value in raw.items():
        if key not in defaults:
            raise UnknownNameError("setting", key, defaults)
        raw[key] = _typed(key, value, defaults[key])
    return TrainConfig(**{"data": data, **raw})


def _typed(key: str, value: object, default: object) -> object:
    """Return the value in its default's type, or refuse it."""
    if isinstance(default, tuple) and isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            return tuple(value)
    elif isinstance(default, float) and type(value) in {int, float}:
        return float(str(value))
    elif type(value) is type(default):
        return value
    wanted = "list of strings" if isinstance(default, tuple) else type(default).__name__
    raise BadSettingError(f"{key} = {value!r}", fix=f"give a {wanted}, like {default!r}")


def to_toml(config: TrainConfig) -> str:
    """Write settings as TOML that `load` reads back.

    Args:
        config: the settings.

    Returns:
        One line a setting.

    Example:
        >>> print(to_toml(TrainConfig(data=("data/rafdb",))).splitlines()[0])
        data = ["data/rafdb"]
    """
    lines = []
    for field in fields(config):
        value = getattr(config, field.name)
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
