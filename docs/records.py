"""The measurements in results/, which the tables of the documentation are made of.

Each record names the weights that were measured, by their hash.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mien.recognize.model import SHIPPED, read_card

__all__ = [
    "RESULTS",
    "ROOT",
    "Record",
    "earlier_weights",
    "machine",
    "origin",
    "read",
    "read_of_shipped",
]

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"

Record = dict[str, Any]


def read(name: str) -> Record:
    """Read a record.

    Args:
        name: of the file in results/, without its suffix.

    Returns:
        The record.
    """
    record: Record = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return record


def read_of_shipped(name: str) -> Record:
    """Read a record, and stop the build if it is of another model than the one shipped.

    Args:
        name: of the file in results/, without its suffix.

    Returns:
        The record.
    """
    record = read(name)
    if record["weights_sha256"] != read_card(SHIPPED)["weights_sha256"]:
        sys.exit(f"results/{name}.json was measured on another model: measure it again")
    return record


def earlier_weights(record: Mapping[str, Any]) -> str:
    """Write a remark if a record is of our network, but of weights before the shipped ones.

    Args:
        record: of any model.

    Returns:
        The remark with a space before it, or "".
    """
    card = read_card(SHIPPED)
    ours = record.get("name", record.get("model")) == card["name"]
    if not ours or record["weights_sha256"] == card["weights_sha256"]:
        return ""
    return f" (weights {record['weights_sha256'][:8]}, which came before those in the package now)"


def machine(record: Mapping[str, Any]) -> str:
    """Say what a record was measured on.

    Args:
        record: of a benchmark.

    Returns:
        Processor, cores and Python.
    """
    own = record["machine"]
    return f"{own['processor']}, {own['cores']} cores, Python {own['python']}"


def origin(name: str) -> str:
    """Say where a figure comes from.

    Args:
        name: of the file in results/, without its suffix; of a benchmark.

    Returns:
        The file, the machine and the day.
    """
    record = read(name)
    return f"`results/{name}.json`: {machine(record)}, {record['date'][:10]}"
