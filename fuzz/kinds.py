"""KINDS: for each kind of input its seeds, its door, its mutation and its goal."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from fuzz import doors, seeds
from fuzz.mutate import Seed, change_bytes, change_members, change_model, change_text

__all__ = ["KINDS", "Kind", "find"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of input.

    Attributes:
        seeds: makes the files to begin with, in a folder.
        door: makes what uses a file, in a folder.
        change: of a file.
        goal: how many inputs a whole campaign tries.
        share: of the time of `make fuzz`.
    """

    seeds: Callable[[Path], list[Seed]]
    door: Callable[[Path], Callable[[Path], None]]
    change: Callable[..., bytes]
    goal: int
    share: float


KINDS = {
    "pictures": Kind(seeds.pictures, doors.pictures, change_bytes, 1_000_000, 0.4),
    "videos": Kind(seeds.videos, doors.videos, change_bytes, 10_000, 0.2),
    "archives": Kind(seeds.archives, doors.archives, change_members, 10_000, 0.15),
    "models": Kind(seeds.models, doors.models, change_model, 2_000, 0.1),
    "manifests": Kind(seeds.manifests, doors.manifests, change_text, 2_000, 0.05),
    "settings": Kind(seeds.settings, doors.settings, change_text, 10_000, 0.05),
    "checkpoints": Kind(seeds.runs, doors.checkpoints, change_text, 2_000, 0.05),
}


def find(name: str) -> Kind:
    """Return a kind.

    Args:
        name: a key of `KINDS`; or ``module:NAME`` of one elsewhere.

    Returns:
        The kind.
    """
    module, _, own = name.partition(":")
    kind: Kind = getattr(import_module(module), own) if own else KINDS[name]
    return kind
