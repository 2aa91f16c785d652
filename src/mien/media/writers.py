"""Write text, CSV, JSON lines, pictures and folders that are whole or absent, never half.

Pipeline: a hidden part file in the target's folder -> all is written -> it takes the target's name.
After an error or Ctrl-C the part is removed, and an older target is as it was. A new format of
pictures is a line in `FORMATS`, a new format of results one in `OUTPUTS`. Knows nothing of faces.
"""

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol, Self

from PIL import Image

from mien.errors import OutputError
from mien.pixels import U8

__all__ = [
    "FORMATS",
    "OUTPUTS",
    "CsvWriter",
    "LinesWriter",
    "Table",
    "TextFile",
    "as_output_error",
    "atomic",
    "atomic_folder",
    "open_outputs",
    "open_table",
    "write_picture",
    "write_text",
]

# Suffix -> Pillow's name, the format's longest side in pixels, how to save.
FORMATS: dict[str, tuple[str, int, dict[str, int]]] = {
    ".png": ("PNG", 2**31 - 1, {}),
    ".jpg": ("JPEG", 65_500, {"quality": 95, "subsampling": 0}),  # 0: colour as fine as light
    ".jpeg": ("JPEG", 65_500, {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", 16_383, {"quality": 95}),
}


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Lend a part file that becomes the target when the block ends well.

    Args:
        path: the target; its folder is made if need be.

    Yields:
        The part file to write: in the target's folder, without the target's suffix.

    Raises:
        OutputError: if the target is a folder or device, or cannot be written.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "note.txt"
        >>> with atomic(target) as part:
        ...     _ = part.write_text("done")
        >>> target.read_text()
        'done'
    """
    with as_output_error(path):
        if path.is_dir():
            raise OutputError(f"{path} is a folder", fix="name a file in it")
        if path.exists() and not path.is_file():
            raise OutputError(f"{path} is not an ordinary file", fix="name an ordinary file")
        path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:40]}.{token_hex(4)}.part")
    try:
        yield part
        with as_output_error(path):
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def as_output_error(path: Path, *others: type[Exception]) -> Iterator[None]:
    """Turn the system's refusal into an error with the next step.

    Args:
        path: the target.
        others: errors that mean the same as the system's own.

    Yields:
        Nothing.

    Raises:
        OutputError: if the block cannot write it.
    """
    refusals: tuple[type[Exception], ...] = (OSError, *others)
    try:
        yield
    except refusals as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(
            f"cannot write {path}: {reason}",
            fix="name a file in a folder that you may write to, on a disk with free space",
        ) from error


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """Lend ``DIR.part``, which becomes ``DIR`` when the block ends well.

    What a killed run left there is removed first, and what this one leaves after an error.

    Args:
        out: the folder to make; it must not exist.

    Yields:
        The empty folder to fill.

    Raises:
        OutputError: if it cannot be written.
    """
    out = out.resolve()
    part = out.with_name(out.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        part.rename(out)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(
            f"cannot write {part}: {reason}", fix="choose another --out, or free some space"
        ) from error
    finally:  # also after Ctrl-C; when all went well it has been renamed
        shutil.rmtree(part, ignore_errors=True)


def write_text(text: str, path: Path) -> None:
    """Write a text file in UTF-8.

    Args:
        text: all of it.
        path: the target.

    Raises:
        OutputError: if the file cannot be written.
    """
    with atomic(path) as part, as_output_error(path):
        part.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")


def write_picture(rgb: U8, path: Path) -> None:
    """Write a picture in the format its name ends with.

    Args:
        rgb: shape (H, W, 3), uint8, RGB.
        path: ends in .png, .jpg, .jpeg or .webp; the lossy ones are written at quality 95.

    Raises:
        OutputError: if the name ends otherwise, or the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise OutputError(
            f"no picture format ends in {path.suffix!r}: {path}",
            fix=f"end the name in {', '.join(FORMATS)}",
        )
    kind, longest, options = FORMATS[path.suffix.lower()]
    if max(rgb.shape) > longest:
        raise OutputError(f"{kind} holds at most {longest} pixels a side: {path}", fix="use .png")
    with atomic(path) as part, as_output_error(path):
        Image.fromarray(rgb).save(part, kind, **options)


class LinesWriter:
    """A text file, written piece by piece; it appears when the ``with`` block ends well."""

    def __init__(self, path: Path) -> None:
        """Keep the target; nothing is opened yet.

        Args:
            path: the target.
        """
        self.path = path
        self._stack = ExitStack()
        self._file: Any = None
        self._refused: OutputError | None = None

    def __enter__(self) -> Self:
        """Open the part file."""
        with ExitStack() as stack:  # closes what was opened if a later step fails
            part = stack.enter_context(atomic(self.path))
            with as_output_error(self.path):
                # surrogateescape: a file name that is not UTF-8 is written as its own bytes
                file = part.open("w", encoding="utf-8", errors="surrogateescape", newline="")
                self._file = stack.enter_context(file)
            self._stack = stack.pop_all()
        return self

    def write(self, text: str) -> None:
        """Add text.

        Args:
            text: with its newline.

        Raises:
            OutputError: if the disk refuses it.
        """
        try:
            with as_output_error(self.path):
                self._file.write(text)
        except OutputError as error:
            self._refused = error
            raise

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """Give the file its name, or remove it after an error.

        What the disk refused is an error even if the caller went on without it.

        Raises:
            OutputError: if the disk refused anything, the end of the file too.
        """
        with as_output_error(self.path):
            if error is None and self._refused:
                self._stack.__exit__(OutputError, self._refused, None)
                raise self._refused
            self._stack.__exit__(kind, error, trace)


class CsvWriter:
    """A CSV file, written row by row; it appears when the ``with`` block ends well."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        """Keep the target and its header; nothing is opened yet.

        Args:
            path: the target.
            header: names of the columns.
        """
        self.header = tuple(header)
        self._lines = LinesWriter(path)
        self._table = csv.writer(self._lines, lineterminator="\n")

    def __enter__(self) -> Self:
        """Open the part file and write the header."""
        with ExitStack() as stack:
            stack.enter_context(self._lines)
            self._table.writerow(self.header)
            stack.pop_all()
        return self

    def write(self, row: Iterable[object]) -> None:
        """Add a row; None is an empty value.

        Args:
            row: one value a column.

        Raises:
            ValueError: if it has not as many values as the header.
        """
        values = tuple(row)
        if len(values) != len(self.header):
            raise ValueError(f"a row needs {len(self.header)} values, got {len(values)}")
        self._table.writerow(values)

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """Give the file its name, or remove it after an error."""
        self._lines.__exit__(kind, error, trace)


class Table(Protocol):
    """Takes the rows of a CSV file: Python's own writer, whose class has no public name."""

    def writerow(self, row: Iterable[Any], /) -> Any:
        """Write one row."""

    def writerows(self, rows: Iterable[Iterable[Any]], /) -> None:
        """Write many."""


@contextmanager
def open_table(path: Path, header: Sequence[str]) -> Iterator[Table]:
    """Open a CSV file inside `atomic_folder`, where it needs no part file of its own.

    Args:
        path: the file.
        header: names of the columns.

    Yields:
        The table that takes its rows.
    """
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        yield table


class TextFile(Protocol):
    """Takes text: a `LinesWriter`, or standard output."""

    def write(self, text: str, /) -> object:
        """Add text."""


_Rows = Callable[[Any], Iterable[Iterable[object]]]  # of one result
_Write = Callable[[Any], object]  # called for each result in turn


@contextmanager
def open_outputs(
    paths: Mapping[str, Path | None], header: Sequence[str], rows: _Rows
) -> Iterator[list[_Write]]:
    """Open files of results; they appear when the block ends well.

    Args:
        paths: by format, one of `OUTPUTS`; None for a format that is not wanted.
        header: names of the columns of a table.
        rows: returns the rows of a result in such a table.

    Yields:
        For each file, what writes one result.
    """
    with ExitStack() as stack:
        yield [
            OUTPUTS[name](stack.enter_context(LinesWriter(path)), header, rows)
            for name, path in paths.items()
            if path
        ]


def _csv_rows(file: TextFile, header: Sequence[str], rows: _Rows) -> _Write:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(header)
    return lambda result: table.writerows(rows(result))


def _json_lines(file: TextFile, _header: Sequence[str], _rows: _Rows) -> _Write:
    return lambda result: file.write(json.dumps(result.record()) + "\n")


# The formats of results: each begins a file and returns what writes one result.
OUTPUTS: dict[str, Callable[[TextFile, Sequence[str], _Rows], _Write]] = {
    "csv": _csv_rows,
    "json": _json_lines,
}
