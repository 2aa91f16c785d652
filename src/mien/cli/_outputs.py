"""One scheme for what is written: an option named after a format takes names of that format.

``--csv``, ``--json``, ``--html``, ``--markdown`` and ``--parquet`` name a file of the format, and
``-`` is standard output; ``--out`` is the main result of a command, whatever that is. A name that
ends like another format is refused before any work is done: its content would be another.
"""

from pathlib import Path
from typing import Any

import click

from mien.errors import OutputError

__all__ = ["check_formats"]

# Option: what its files are, and the endings that say so. Any ending that says nothing is fine too.
_FORMATS = {
    "--csv": ("CSV", {".csv", ".tsv", ".txt"}),
    "--segments": ("CSV", {".csv", ".tsv", ".txt"}),
    "--html": ("HTML", {".html", ".htm", ".xhtml"}),
    "--json": ("JSON", {".json", ".jsonl", ".ndjson", ".txt"}),
    "--markdown": ("Markdown", {".md", ".markdown", ".txt"}),
    "--parquet": ("Parquet", {".parquet", ".pq"}),
}
# What --out writes, where that is one of these formats.
_OUT = {"audit": "--csv", "faithful": "--json", "regions": "--json", "scores": "--csv"}
# Endings that say what a file is.
_KNOWN = {
    ".avi", ".bmp", ".csv", ".gif", ".htm", ".html", ".jpeg", ".jpg", ".json", ".jsonl", ".m4v",
    ".md", ".mkv", ".mov", ".mp4", ".ndjson", ".ods", ".onnx", ".parquet", ".pdf", ".png", ".pq",
    ".svg", ".tif", ".tiff", ".toml", ".tsv", ".webm", ".webp", ".xls", ".xlsx", ".zip",
}  # fmt: skip


def check_formats(command: click.Command) -> None:
    """Let a command refuse names of outputs that end like another format than they get.

    Args:
        command: its options are known by their names; those that take no path stay as they are.
    """
    for param in command.params:
        names = [name if name != "--out" else _OUT.get(command.name or "") for name in param.opts]
        formats = [name for name in names if name in _FORMATS]
        if formats and isinstance(param.type, click.Path) and param.callback is None:
            param.callback = _refuse_another


def _refuse_another(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Refuse a name that ends like another format, and pass on every other one."""
    if value is None or Path(value).is_dir():  # a folder: said by the command
        return value
    own = next((name for name in param.opts if name in _FORMATS), None)
    kind, endings = _FORMATS[own or _OUT[ctx.command.name or ""]]
    ending = Path(value).suffix.lower()
    if ending in _KNOWN - endings:
        others = [
            f"{name} for {other}"
            for name, (other, theirs) in _FORMATS.items()
            if ending in theirs and any(name in p.opts for p in ctx.command.params)
        ]
        option = "/".join(param.opts)
        raise OutputError(
            f"{value} ends in {ending}, and {option} writes {kind}",
            fix=" or ".join([f"end the name in {min(endings)}", *others]),
        )
    return value
