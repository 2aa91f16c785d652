"""One scheme for what is written: an option named after a format takes names of that format.

``--csv``, ``--json``, ``--html``, ``--markdown`` and ``--parquet`` name a file of the format, and
``-`` is standard output; ``--out`` is the main result of a command, whatever that is. Where a table
has no option of its format, as ``--out``, ``--segments`` and ``--summary``, the end of its name
decides: CSV, or Parquet. A name that ends like another format is refused before any work is done:
its content would be another.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from mien.cli._shared import needs
from mien.errors import OutputError
from mien.media import parquet
from mien.media.standard_output import STANDARD_OUTPUT

__all__ = ["check_formats"]


@dataclass(frozen=True, slots=True)
class _Format:
    """What the files of an option are, and the endings that say so.

    Any ending that says nothing is fine too; the usual ones are what a refusal suggests.
    """

    kind: str
    usual: tuple[str, ...]
    endings: frozenset[str]
    is_table: bool = False


_CSV_ENDINGS = frozenset({".csv", ".tsv", ".txt"})
_BY_NAME = _Format(
    "CSV or Parquet", (".csv", ".parquet"), _CSV_ENDINGS | parquet.SUFFIXES, is_table=True
)
_JSON = _Format("JSON", (".json",), frozenset({".json", ".jsonl", ".ndjson", ".txt"}))
_FORMATS = {
    "--csv": _Format("CSV", (".csv",), _CSV_ENDINGS, is_table=True),
    "--segments": _BY_NAME,
    "--summary": _BY_NAME,
    "--html": _Format("HTML", (".html",), frozenset({".html", ".htm", ".xhtml"})),
    "--json": _JSON,
    "--markdown": _Format("Markdown", (".md",), frozenset({".md", ".markdown", ".txt"})),
    "--parquet": _Format("Parquet", (".parquet",), parquet.SUFFIXES, is_table=True),
}
# What --out writes, where that is one of these formats.
_OUT = {"audit": _BY_NAME, "faithful": _JSON, "regions": _JSON, "scores": _BY_NAME}
# Commands whose --out is a folder, and what to do if a file was meant.
_OTHERS_READ = "its tables are read by other commands, and are CSV"
_FOLDERS = {
    "augment": _OTHERS_READ,
    "prepare": _OTHERS_READ,
    **dict.fromkeys(("evaluate", "frames", "search"), "or --parquet for the table"),
    "predict": "pictures keep their names in it; --csv and --parquet name a table",
    "reproduce": "its tables are written into it",
    "train": "mien export makes a file of the run",
}
# Endings that say what a file is.
_KNOWN = {
    ".arrow", ".avi", ".avro", ".bmp", ".bz2", ".csv", ".db", ".dta", ".feather", ".gif", ".gz",
    ".h5", ".hdf5", ".htm", ".html", ".jpeg", ".jpg", ".json", ".jsonl", ".m4v", ".md", ".mkv",
    ".mov", ".mp4", ".ndjson", ".ods", ".onnx", ".orc", ".parquet", ".pdf", ".png", ".pq", ".rds",
    ".sav", ".sqlite", ".svg", ".tif", ".tiff", ".toml", ".tsv", ".webm", ".webp", ".xls", ".xlsb",
    ".xlsm", ".xlsx", ".xz", ".zip", ".zst",
}  # fmt: skip


def check_formats(command: click.Command) -> None:
    """Let a command refuse names of outputs that end like another format than they get.

    Args:
        command: its options are known by their names; those that take no path stay as they are.
    """
    for param in command.params:
        if not isinstance(param.type, click.Path) or param.callback is not None:
            continue
        if _format(param, command):
            param.callback = _refuse_another
        elif "--out" in param.opts and command.name in _FOLDERS:
            param.callback = _refuse_file


def _format(param: click.Parameter, command: click.Command) -> _Format | None:
    """What an option writes; None if it is none of these formats."""
    named = {**_FORMATS, "--out": _OUT.get(command.name or "")}
    return next((found for name in param.opts if (found := named.get(name))), None)


def _refuse_another(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Refuse a name that ends like another format, and pass on every other one."""
    own = _format(param, ctx.command)
    if own is None or value is None or Path(value).is_dir():  # a folder: said by the command
        return value
    option, ending = "/".join(param.opts), Path(value).suffix.lower()
    near = _near(ending, own)
    if ending in _KNOWN - own.endings or near:
        others = [
            f"{name} for {other.kind}"
            for name, other in _FORMATS.items()
            if other is not _BY_NAME
            and ending in other.endings
            and any(name in p.opts for p in ctx.command.params)
        ]
        raise OutputError(
            f"{value} ends in {ending}, and {option} writes {own.kind}",
            fix=f"end the name in {' or '.join([*(near or own.usual), *others])}",
        )
    if own is _FORMATS["--parquet"] or (own is _BY_NAME and parquet.is_parquet(Path(value))):
        needs(option, "tables", "pyarrow")
        if value == STANDARD_OUTPUT:
            raise OutputError("Parquet is not printed", fix="name a file that ends in .parquet")
    return value


def _near(ending: str, own: _Format) -> list[str]:
    """The ending of a table that a misspelt one was meant to be."""
    if not own.is_table or ending in own.endings | _KNOWN or not ending[1:].isalpha():
        return []
    return get_close_matches(ending, own.endings, n=1, cutoff=0.7)


def _refuse_file(ctx: click.Context, _param: click.Parameter, value: Any) -> Any:
    """Refuse the name of a file where a folder is meant."""
    if value is None or Path(value).suffix.lower() not in _KNOWN or Path(value).is_dir():
        return value
    raise OutputError(
        f"{value} ends in {Path(value).suffix}, and --out is a folder",
        fix=f"name a folder; {_FOLDERS[ctx.command.name or '']}",
    )
