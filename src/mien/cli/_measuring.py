"""What commands that measure share: the option of the split, a progress bar, figures as JSON."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mien.cli._shared import bar

if TYPE_CHECKING:
    from mien.media.progress import Progress

__all__ = ["SPLIT", "progress", "write_json"]

SPLIT = click.option(
    "--split", type=click.Choice(["train", "valid", "test"]), default="test", show_default=True
)


def progress(label: str) -> "Progress":
    """Make what shows how far a measurement is.

    Args:
        label: text before the bar.

    Returns:
        What takes the items and yields them.
    """
    return lambda items: bar(items, len(items), label)


def write_json(record: dict[str, Any], path: Path) -> None:
    """Write figures.

    Args:
        record: JSON-ready.
        path: of the file.
    """
    from mien.media.writers import write_text

    write_text(json.dumps(record, indent=1) + "\n", path)
