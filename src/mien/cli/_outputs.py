"""One scheme for what is written: an option named after a format takes names of that format.

``--csv``, ``--json``, ``--html``, ``--markdown`` and ``--parquet`` name a file of the format, and
``-`` is standard output; ``--out`` is the main result of a command, whatever that is. Where a table
has no option of its format, as ``--out``, ``--segments`` and ``--summary``, the end of its name
decides: CSV, or Parquet. A name that ends like another format is refused before any work is done:
its content would be another. So is what is no ordinary file, what is named twice, and what is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from mien.cli._shared import Echo, echo, needs
from mien.cli._usage import WrongUsageError
from mien.errors import OutputError
from mien.media import parquet
from mien.media.atomic import refuse_all_but_files
from mien.media.files import is_dir, is_store_address, is_there, real_path
from mien.media.standard_output import STANDARD_OUTPUT

__all__ = ["check_formats", "echo_beside", "refuse_clashes"]


@dataclass(frozen=True, slots=True)
class _Format:
    """What the files of an option are, and the endings that say so.

    Any ending that says nothing is fine too; the usual ones are what a refusal suggests.
    """

    kind: str
    usual: tuple[str, ...]
    endings: frozenset[str]
    is_table: bool = False
    prints: bool = True  # where it is given -


_CSV_ENDINGS = frozenset({".csv", ".tsv", ".txt"})
_BY_NAME = _Format(
    "CSV or Parquet", (".csv", ".parquet"), _CSV_ENDINGS | parquet.SUFFIXES, is_table=True
)
_HTML_ENDINGS = frozenset({".html", ".htm", ".xhtml"})
_JSON = _Format("JSON", (".json",), frozenset({".json", ".jsonl", ".ndjson", ".txt"}))
_FORMATS = {
    "--csv": _Format("CSV", (".csv",), _CSV_ENDINGS, is_table=True),
    "--segments": _BY_NAME,
    "--summary": _BY_NAME,
    "--html": _Format("HTML", (".html",), _HTML_ENDINGS),
    "--json": _JSON,
    "--out-file": _JSON,
    "--markdown": _Format("Markdown", (".md",), frozenset({".md", ".markdown", ".txt"})),
    "--parquet": _Format("Parquet", (".parquet",), parquet.SUFFIXES, is_table=True),
}
# What --out writes, where that is one of these formats.
_OUT = {
    "audit": _BY_NAME,
    "export": _Format("a model", (".onnx",), frozenset({".onnx"}), prints=False),
    "faithful": _JSON,
    "page": _Format("HTML", (".html",), _HTML_ENDINGS, prints=False),
    "recipes": _Format("TOML", (".toml",), frozenset({".toml", ".txt"})),
    "regions": _JSON,
    "scores": _BY_NAME,
}
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
# Options that draw into the file they name: what, and where the endings are that can be drawn.
_PLOT, _FIGURE = ("plot", "mien.show.plot_files", "FORMATS"), "figure"
_DRAWN = {
    **dict.fromkeys(("demo", "show-augmentation"), ("picture", "mien.media.writers", "FORMATS")),
    "explain": (_FIGURE, "mien.show.page", "SUFFIXES"),
    "video": ("film", "mien.media.video_writer", "SUFFIXES"),
}
# What `mien prepare` writes beside the pictures; a prepared folder has the first.
_PREPARED = (
    "manifest.csv", "labels.csv", "soft.csv", "excluded.csv", "labels.json", "prepare.json",
)  # fmt: skip
# Endings that say what a file is.
_KNOWN = {
    ".arrow", ".avi", ".avro", ".bmp", ".bz2", ".ckpt", ".csv", ".db", ".dta", ".feather", ".gif",
    ".gz", ".h5", ".hdf5", ".htm", ".html", ".jpeg", ".jpg", ".json", ".jsonl", ".m4v", ".md",
    ".mkv", ".mov", ".mp4", ".ndjson", ".ods", ".onnx", ".orc", ".parquet", ".pdf", ".png", ".pq",
    ".pt", ".pth", ".rds", ".safetensors", ".sav", ".sqlite", ".svg", ".tif", ".tiff", ".toml",
    ".tsv", ".webm", ".webp", ".xls", ".xlsb", ".xlsm", ".xlsx", ".xz", ".zip", ".zst",
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
        elif _drawn(param, command):
            param.callback = _refuse_undrawable


def _format(param: click.Parameter, command: click.Command) -> _Format | None:
    """What an option writes; None if it is none of these formats."""
    named = {**_FORMATS, "--out": _OUT.get(command.name or "")}
    return next((found for name in param.opts if (found := named.get(name))), None)


def _refuse_another(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Refuse a name that ends like another format, and pass on every other one."""
    own = _format(param, ctx.command)
    if own is None or value is None:
        return value
    if value == STANDARD_OUTPUT and not own.prints:
        raise WrongUsageError(f"{own.kind} is not printed", fix=f"end the name in {own.usual[0]}")
    if value != STANDARD_OUTPUT and is_dir(Path(value)):
        with_ray = "--out" in param.opts and any("--ray" in p.opts for p in ctx.command.params)
        if not with_ray:  # which takes a folder
            refuse_all_but_files(value)
        return value
    option, ending = "/".join(param.opts), Path(value).suffix.lower()
    near = _near(ending, own)
    if ending in _KNOWN - own.endings or near:
        others = [
            f"{name} for {other.kind}"
            for name, other in _FORMATS.items()
            if other is not _BY_NAME
            and ending in other.endings
            and any(name in p.opts and isinstance(p.type, click.Path) for p in ctx.command.params)
        ]
        raise WrongUsageError(
            f"{value} ends in {ending}, and {option} writes {own.kind}",
            fix=f"end the name in {' or '.join([*(near or own.usual), *others])}",
        )
    is_parquet = own is _FORMATS["--parquet"] or (own is _BY_NAME and ending in parquet.SUFFIXES)
    if is_parquet:
        needs(option, "tables", "pyarrow")
        if value == STANDARD_OUTPUT:
            raise WrongUsageError("Parquet is not printed", fix="name a file that ends in .parquet")
    if value != STANDARD_OUTPUT and not is_store_address(value):
        refuse_all_but_files(value, prints=own.prints and not is_parquet)
    return value


def _drawn(param: click.Parameter, command: click.Command) -> tuple[str, str, str] | None:
    """What an option draws into the file it names, and where the endings are; None for others."""
    named = {"--plot": _PLOT, "--out": _DRAWN.get(command.name or "")}
    return next((found for name in param.opts if (found := named.get(name))), None)


def _refuse_undrawable(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Refuse a name that ends in no format of what is drawn, and what is there and no file."""
    drawn = _drawn(param, ctx.command)
    if drawn is None or value is None:
        return value
    kind, module, name = drawn
    endings, ending = tuple(getattr(import_module(module), name)), value.suffix.lower()
    if value == STANDARD_OUTPUT:
        raise WrongUsageError(f"a {kind} is not printed", fix=f"end the name in {endings[0]}")
    if kind == _FIGURE and is_dir(value):
        return value
    refuse_all_but_files(value)
    may_be_folder = kind == _FIGURE and ending not in _KNOWN
    if ending not in endings and not may_be_folder:
        raise WrongUsageError(
            f"no {kind} format ends in {ending!r}: {value}",
            fix=f"end the name in {', '.join(endings)}",
        )
    return value


def _near(ending: str, own: _Format) -> list[str]:
    """The ending of a table that a misspelt one was meant to be."""
    if not own.is_table or ending in own.endings | _KNOWN or not ending[1:].isalpha():
        return []
    return get_close_matches(ending, own.endings, n=1, cutoff=0.7)


def _refuse_file(ctx: click.Context, _param: click.Parameter, value: Any) -> Any:
    """Refuse a file, or the name of one, where a folder is meant."""
    if value is None or is_dir(Path(value)):
        return value
    fix = f"name a folder; {_FOLDERS[ctx.command.name or '']}"
    if value == STANDARD_OUTPUT:
        raise WrongUsageError("- is standard output, and --out is a folder", fix)
    ending = Path(value).suffix
    if ending.lower() in _KNOWN:
        raise WrongUsageError(f"{value} ends in {ending}, and --out is a folder", fix)
    if not is_store_address(value) and is_there(Path(value)):
        raise OutputError(f"{value} is there and no folder, and --out is a folder", fix)
    return value


def echo_beside(
    *outputs: Path | None, folder: Path | None = None, inputs: Iterable[Path] = ()
) -> Echo:
    """Choose where a command prints its summary: not where one of its tables goes.

    Args:
        outputs: files to write, None where there is none; ``-`` is standard output.
        folder: that is written to as well.
        inputs: as for `refuse_clashes`.

    Returns:
        `echo`; to standard error if one of them is standard output.

    Raises:
        WrongUsageError: as `refuse_clashes` does.
    """
    refuse_clashes(outputs, folder, inputs)
    return partial(echo, err=STANDARD_OUTPUT in outputs)


def refuse_clashes(
    outputs: Iterable[Path | None], folder: Path | None = None, inputs: Iterable[Path] = ()
) -> None:
    """Refuse to write two results into one file, a file where a folder is needed, or what is read.

    Args:
        outputs: files to write, None where there is none.
        folder: that is written to as well; files may be in it.
        inputs: files and folders that are read; the tables of a prepared folder are kept too.

    Raises:
        WrongUsageError: if there is such an output.
    """
    files, read = list(filter(None, outputs)), list(inputs)
    taken = set(map(real_path, read))
    prepared = [path for path in read if is_there(path / _PREPARED[0])]
    data = {real_path(path / name) for path in prepared for name in _PREPARED}
    places = [real_path(path) for path in (*files, *filter(None, [folder]))]
    for path in files:
        place = real_path(path)
        if place in data:
            raise WrongUsageError(f"{path} is part of the data", fix="choose another name")
        if places.count(place) > 1 or place in taken or any(_is_same(path, file) for file in read):
            raise WrongUsageError(
                f"{path} is named twice", fix="choose another name for the output"
            )
        if any(place in other.parents for other in places):
            raise WrongUsageError(
                f"{path} is to be a file, and another output would be in it",
                fix="choose another name for it",
            )


def _is_same(path: Path, file: Path) -> bool:
    """Whether two names are of one file, as hard links are."""
    try:
        return path.samefile(file)
    except (OSError, ValueError):  # one of them is not there
        return False
