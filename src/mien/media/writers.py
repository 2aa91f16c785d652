"""Write text, CSV, JSON lines and pictures, whole or not at all, and say so if the disk refuses.

Every file that mien writes goes through here, or through `mien.media.video_writer`; a rule of
`tests/test_rules.py` lists the exceptions. `mien.media.atomic` makes files whole or absent. A new
format of pictures is a line in `FORMATS`, a new format of results one in `OUTPUTS`. Knows nothing
of faces.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from PIL import Image

from mien.errors import OutputError
from mien.media.atomic import as_output_error, atomic, atomic_folder
from mien.media.csv_lines import Table, TextFile, csv_table
from mien.media.data_frames import Column
from mien.media.escapes import guarded
from mien.media.parquet import open_parquet
from mien.media.standard_output import STANDARD_OUTPUT, StandardOutput
from mien.pixels import U8

__all__ = [
    "FORMATS",
    "OUTPUTS",
    "CsvWriter",
    "LinesWriter",
    "add_file",
    "as_output_error",
    "atomic",
    "atomic_folder",
    "encode_picture",
    "open_outputs",
    "open_table",
    "write_bytes",
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


def write_text(text: str, path: Path) -> None:
    """Write a text file in UTF-8.

    Args:
        text: all of it.
        path: the target; ``-`` is standard output.

    Raises:
        OutputError: if the file cannot be written.
    """
    if path == STANDARD_OUTPUT:
        StandardOutput().write(text)
        return
    with atomic(path, prints=True) as part, as_output_error(path):
        part.write_bytes(text.encode("utf-8", errors="surrogateescape"))


def write_bytes(data: bytes, path: Path) -> None:
    """Write a file.

    Args:
        data: all of it.
        path: the target.

    Raises:
        OutputError: if the file cannot be written.
    """
    with atomic(path) as part, as_output_error(path):
        part.write_bytes(data)


def add_file(data: bytes, path: Path) -> bool:
    """Write a file inside `atomic_folder`, where it needs no part of its own.

    Args:
        data: all of it.
        path: in a folder that exists.

    Returns:
        False if there is such a file already; it stays as it is.

    Raises:
        OutputError: if it cannot be written.
    """
    with as_output_error(path), suppress(FileExistsError):
        with path.open("xb") as file:
            file.write(data)
        return True
    return False


def write_picture(rgb: U8, path: Path) -> None:
    """Write a picture in the format its name ends with.

    Args:
        rgb: shape (H, W, 3), uint8, RGB.
        path: ends in .png, .jpg, .jpeg or .webp; the lossy ones are written at quality 95.

    Raises:
        OutputError: if the name ends otherwise, or the file cannot be written.
    """
    kind, options = _format(rgb, path.suffix, str(path))
    with atomic(path) as part, as_output_error(path):
        Image.fromarray(rgb).save(part, kind, **options)


def encode_picture(rgb: U8, suffix: str) -> bytes:
    """Return what the file of a picture holds, as `write_picture` writes it.

    Args:
        rgb: shape (H, W, 3), uint8, RGB.
        suffix: of the file.

    Returns:
        The whole file.

    Raises:
        OutputError: if no format ends so, or it cannot hold so many pixels.
    """
    name = f"a picture of {rgb.shape[1]}x{rgb.shape[0]} pixels"
    kind, options = _format(rgb, suffix, name)
    buffer = io.BytesIO()
    with as_output_error(Path(name)):
        Image.fromarray(rgb).save(buffer, kind, **options)
    return buffer.getvalue()


def _format(rgb: U8, suffix: str, name: str) -> tuple[str, dict[str, int]]:
    """Pillow's name of a format, and how to save in it."""
    if suffix.lower() not in FORMATS:
        raise OutputError(
            f"no picture format ends in {suffix!r}: {name}",
            fix=f"end the name in {', '.join(FORMATS)}",
        )
    kind, longest, options = FORMATS[suffix.lower()]
    if max(rgb.shape) > longest:
        raise OutputError(f"{kind} holds at most {longest} pixels a side: {name}", fix="use .png")
    return kind, options


class LinesWriter:
    """A text file, written piece by piece; it appears when the ``with`` block ends well.

    ``-`` is standard output, where every piece appears at once.
    """

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
        if self.path == STANDARD_OUTPUT:
            self._file = StandardOutput()
            return self
        with ExitStack() as stack:  # closes what was opened if a later step fails
            part = stack.enter_context(atomic(self.path, prints=True))
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
    """A CSV file, written row by row; it appears when the ``with`` block ends well.

    Text that a spreadsheet would take for a formula gets an apostrophe in front: see
    `mien.media.escapes.guarded`.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        """Keep the target and its header; nothing is opened yet.

        Args:
            path: the target; ``-`` is standard output.
            header: names of the columns.
        """
        self.header = tuple(header)
        self._lines = LinesWriter(path)
        self._table = csv_table(self._lines)

    def __enter__(self) -> Self:
        """Open the part file and write the header."""
        with ExitStack() as stack:
            stack.enter_context(self._lines)
            self._table.writerow(map(guarded, self.header))
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
        self._table.writerow(map(guarded, values))

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """Give the file its name, or remove it after an error."""
        self._lines.__exit__(kind, error, trace)


@contextmanager
def open_table(path: Path, header: Sequence[str]) -> Iterator[Table]:
    """Open a CSV file for programs: every cell is written as it is, formulas too.

    Args:
        path: the file.
        header: names of the columns.

    Yields:
        The table that takes its rows.
    """
    with LinesWriter(path) as lines:
        table = csv_table(lines)
        table.writerow(header)
        yield table


_Rows = Callable[[Any], Iterable[Iterable[object]]]  # of one result
_Write = Callable[[Any], object]  # called for each result in turn


@contextmanager
def open_outputs(
    paths: Mapping[str, Path | None],
    header: Sequence[str],
    rows: _Rows,
    columns: Mapping[str, Column] | None = None,
) -> Iterator[list[_Write]]:
    """Open files of results; they appear when the block ends well.

    Args:
        paths: by format, one of `OUTPUTS` or ``parquet``; None for a format that is not wanted.
        header: names of the columns of a table.
        rows: returns the rows of a result in such a table.
        columns: of the header, for Parquet.

    Yields:
        For each file, what writes one result.
    """
    with ExitStack() as stack:
        writes = [
            OUTPUTS[name](stack.enter_context(LinesWriter(path)), header, rows)
            for name, path in paths.items()
            if path and name != "parquet"
        ]
        if target := paths.get("parquet"):
            add = stack.enter_context(open_parquet(target, columns or {}))
            writes.append(lambda result: [add(tuple(row)) for row in rows(result)])
        yield writes


def _csv_rows(file: TextFile, header: Sequence[str], rows: _Rows) -> _Write:
    table = csv_table(file)
    table.writerow(map(guarded, header))
    return lambda result: table.writerows(map(guarded, row) for row in rows(result))


def _json_lines(file: TextFile, _header: Sequence[str], _rows: _Rows) -> _Write:
    return lambda result: file.write(json.dumps(result.record()) + "\n")


# The formats of results: each begins a file and returns what writes one result.
OUTPUTS: dict[str, Callable[[TextFile, Sequence[str], _Rows], _Write]] = {
    "csv": _csv_rows,
    "json": _json_lines,
}
