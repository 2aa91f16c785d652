"""Whether a model may have learned the pictures that it is measured on.

A folder of one's own that has grown, or was prepared with another seed, has other splits under its
old name: some of its test pictures are among those that an earlier model was trained on. So a run
keeps a digest of the splits that its folders had (`mien.train`), which goes on the model's card.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mien.data import manifest
from mien.data.label_file import labels_of
from mien.data.manifest import ALTERED
from mien.data.prepare.record import archive_of, database_of

__all__ = ["EARLIER", "START", "TEST", "VALID", "may_have_learned", "records_of", "split_digests"]

VALID, TEST = "valid_sha256", "test_sha256"  # in the record of a run: of `split_digests`
START = "start"  # in it: where the first weights come from
EARLIER = "earlier"  # and the runs before it, whose weights it began with


def split_digests(folders: Sequence[str | Path], split: str) -> dict[str, str]:
    """Tell which pictures a split of prepared folders holds out.

    Args:
        folders: of a run.
        split: ``valid``, or ``test``, of which only pictures of scored classes count.

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
        scored = labels_of(folder).names
        for row in manifest.read(folder):
            counts = row.label in scored if split == "test" else row.split != "test"
            if row.framing != ALTERED and counts:
                held = names.setdefault(database_of(row.source, archive), set())
                held.update([row.original] if row.split == split else [])
    return {name: _digest(sorted(held)) if held else "" for name, held in names.items()}


def _digest(names: Sequence[str]) -> str:
    text = "\n".join(names)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def records_of(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the records of all that a model file has learned from.

    Args:
        card: of the file.

    Returns:
        What the file, the networks in it, and the runs and files before these have learned from.
    """
    records = [card.get("data", {})]
    records += [member.get("data", {}) for member in card.get("members", ())]
    for record in records:
        records.extend(record.get(EARLIER, ()))
        if START in record:
            records.append(record[START])  # and is looked at in its turn
    return records


def may_have_learned(card: Mapping[str, Any], folder: Path, split: str) -> list[str]:
    """Name the databases of whose held-out pictures a model may have learned some.

    Args:
        card: of the model; one that does not say what was held out names none.
        folder: on which it is measured, made by ``mien prepare``.
        split: of it.

    Returns:
        The sources of those that held out other pictures when the model was trained; none for the
        split ``train``, which it is known to have learned.

    Raises:
        BadDataError: if the folder has no manifest.
    """
    if split == "train":
        return []
    key = {"valid": VALID, "test": TEST}[split]
    records = [record[key] for record in records_of(card) if key in record]
    own = split_digests([folder], split) if records else {}
    found = set()
    for known in records:
        found |= {n for n in own.keys() & known.keys() if own[n] and own[n] != known[n]}
    return sorted({name.partition(":")[0] for name in found})
