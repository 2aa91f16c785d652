"""Which records in results/ are older than the data or the model that they speak of.

A record of a model names its weights; a table of data can be compared with what `mien prepare`
counted last. `older` lists what does not agree, and `build.py --check` fails where it lists any.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from records import RESULTS, Record

from mien.labels import LABELS
from mien.recognize.model import SHIPPED, read_card

__all__ = ["older"]

_TABLE3 = "table3.md"
_SETS = {"RAF-DB test": "rafdb-test", "FER2013 test": "fer2013-test"}  # of peers.json
_COUNT, _STATS = "six", "mien stats data/... --markdown results/table3.md"


def older(results: Path = RESULTS) -> list[str]:
    """List what was measured or counted on other data or another model than there is now.

    Args:
        results: the folder of records.

    Returns:
        A sentence for each, with what to run.
    """
    table = _table3(results / _TABLE3)
    prepared = {
        path.stem.removeprefix("prepare-"): _read(path)
        for path in sorted(results.glob("prepare-*.json"))
    }
    return [
        *_of_table3(table, prepared),
        *_of_audit(_read(results / "audit.json"), table),
        *_of_models(results, table),
        *_of_peers(results),
    ]


def _read(path: Path) -> Record:
    record: Record = json.loads(path.read_text(encoding="utf-8"))
    return record


def _table3(path: Path) -> dict[tuple[str, str], dict[str, int]]:
    """The counts in the first table of table3.md, by folder's name and split."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    found = {}
    for row in rows:
        if len(row) != len(head):
            break
        cells = dict(zip(head, row, strict=True))
        numbers = {k: int(v.replace(",", "")) for k, v in cells.items() if v[:1].isdigit()}
        found[Path(cells["folder"]).name, cells["split"]] = numbers
    return found


def _of_table3(
    table: dict[tuple[str, str], dict[str, int]], prepared: dict[str, Record]
) -> Iterator[str]:
    """Table 3 beside what `mien prepare` kept."""
    for name, record in prepared.items():
        kept: dict[str, int] = {}
        for split, label, count in record["report"]["kept"]:
            kept[split] = kept.get(split, 0) + (count if label in LABELS else 0)
        for split, count in kept.items():
            said = table.get((name, split), {}).get(_COUNT)
            if said != count:
                yield (
                    f"results/{_TABLE3} counts {said} {split} pictures of {name}, and "
                    f"results/prepare-{name}.json {count}: run {_STATS}"
                )


def _of_audit(audit: Record, table: dict[tuple[str, str], dict[str, int]]) -> Iterator[str]:
    """The audit beside Table 3: it reads the folders with what was left out."""
    for entry in audit["pictures"]:
        own = table.get((entry["source"], entry["split"]))
        if own is None:
            continue
        count = sum(entry["labels"].get(label, 0) for label in LABELS)
        together = own[_COUNT] + own.get("left out", 0)
        if count != together:
            yield (
                f"results/audit.json has {count} {entry['split']} pictures of {entry['source']}, "
                f"and results/{_TABLE3} {together}: run mien audit data/... --json that file"
            )


def _of_models(results: Path, table: dict[tuple[str, str], dict[str, int]]) -> Iterator[str]:
    """Records of the shipped network beside the weights in the package, and its test pictures."""
    card = read_card(SHIPPED)
    for path in sorted(results.glob("*.json")):
        record = _read(path)
        is_ours = record.get("name", record.get("model")) == card["name"]
        if not is_ours or "weights_sha256" not in record:
            continue
        if record["weights_sha256"] != card["weights_sha256"]:
            yield (
                f"results/{path.name} was measured on the weights {record['weights_sha256'][:8]}, "
                f"and the package has {card['weights_sha256'][:8]}: measure it again"
            )
        own = table.get((record.get("source", ""), record.get("split", "")))
        if own is not None and "accuracy" in record and record["pictures"] != own[_COUNT]:
            yield (
                f"results/{path.name} was measured on {record['pictures']} pictures, and "
                f"results/{_TABLE3} counts {own[_COUNT]}: run mien evaluate again"
            )


def _of_peers(results: Path) -> Iterator[str]:
    """The comparison with other packages beside our own accuracies: it names no weights."""
    ours, *_ = _read(results / "peers.json")["rivals"]
    for title, name in _SETS.items():
        accuracy = _read(results / f"{name}.json")["accuracy"]
        if ours["sets"][title]["accuracy"] != accuracy:
            yield (
                f"results/peers.json has {ours['sets'][title]['accuracy']} on {title}, and "
                f"results/{name}.json {accuracy}: run python -m benchmarks.peers"
            )
