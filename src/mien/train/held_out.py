"""Which pictures validate a run where a ``valid`` split decides it, in a few letters.

Runs whose `hold_out` and `draw` agree hold out the same pictures of a database only if it has no
``valid`` split, or the same one. Knows nothing of networks.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mien.data import manifest
from mien.data.manifest import ALTERED
from mien.data.prepare.record import archive_of, database_of
from mien.train.config import TrainConfig

__all__ = ["VALID", "held_out_otherwise", "valid_splits"]

VALID = "valid_sha256"  # in the record of a run: what `valid_splits` returned


def valid_splits(folders: Sequence[str | Path]) -> dict[str, str]:
    """Tell which pictures the ``valid`` splits of prepared folders hold out.

    Args:
        folders: of a run.

    Returns:
        By database a digest of the names of these pictures, the same in every framing; "" where it
        has none. The last name of what an own folder was made from is a digest too: it goes on
        cards. Nothing else is, as a folder that has grown must be told to be the same.

    Raises:
        BadDataError: if a folder is missing.
    """
    names: dict[str, set[str]] = {}
    for folder in folders:
        archive = archive_of(Path(folder))
        archive = archive and _digest([archive])[:12]
        for row in manifest.read(folder):
            if row.framing != ALTERED and row.split != "test":
                held = names.setdefault(database_of(row.source, archive), set())
                held.update([row.original] if row.split == "valid" else [])
    return {name: _digest(sorted(held)) if held else "" for name, held in names.items()}


def _digest(names: Sequence[str]) -> str:
    text = "\n".join(names)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def held_out_otherwise(
    record: Mapping[str, Any], own: Mapping[str, str], settings: TrainConfig
) -> list[str]:
    """Name the databases of which a run holds out other pictures than an earlier one did.

    Args:
        record: of what the earlier one learned from; one that has no `VALID` names none.
        own: of the run's folders, from `valid_splits`.
        settings: of the run.

    Returns:
        The sources of those that both know and whose ``valid`` splits differ, if the run holds
        something out of them.
    """
    known = record.get(VALID, {})
    draws = bool(settings.hold_out or settings.folds)
    other = {name for name in own.keys() & known.keys() if own[name] != known[name]}
    return sorted({name.partition(":")[0] for name in other if own[name] or draws})
