"""The tables of one film or several: rows, JSON lines, a summary; and what was wrong with one."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cli._shared import echo

if TYPE_CHECKING:
    from mien.data.video_crops import VideoCrops
    from mien.labels import LabelSet
    from mien.media.video_source import VideoSource
    from mien.recognize.results import VideoFrame
    from mien.show.film_rows import RowOptions

__all__ = ["FilmTables", "report_film"]


class FilmTables:
    """Opens the tables, and takes the frames of one film after another."""

    def __init__(
        self, options: "RowOptions", tables: dict[str, Path | None], summary: Path | None
    ) -> None:
        """Keep what to write; nothing is opened yet.

        Args:
            options: rows and columns of csv and parquet.
            tables: files by format.
            summary: the file of the summary, a .csv or .parquet.
        """
        self._options, self._paths, self._summary = options, tables, summary
        self._is_open = False
        self._rows: list[Callable[[Any], object]] = []
        self._lines: list[Callable[[Any], object]] = []
        self._summaries: list[Callable[[Any], object]] = []
        self._end: Callable[[], None] = lambda: None

    def open(self, stack: ExitStack, labels: "LabelSet") -> None:
        """Open the files, unless they are open; not before it is known that there is a film.

        Args:
            stack: closes them; they appear if all went well.
            labels: the classes of the model that reads the films.
        """
        if self._is_open:
            return
        from mien.media.parquet import is_parquet
        from mien.media.writers import open_outputs
        from mien.recognize.columns import columns_of
        from mien.show.film_rows import summary_header

        self._is_open, self._options = True, replace(self._options, labels=labels)
        header = self._options.header
        lines = {"json": self._paths.get("json")}
        rows = {name: path for name, path in self._paths.items() if name != "json"}
        in_parquet = self._summary is not None and is_parquet(self._summary)
        summary = {"parquet" if in_parquet else "csv": self._summary}
        for kept, paths, names in (
            (self._rows, rows, header),
            (self._lines, lines, header),
            (self._summaries, summary, summary_header(labels)),
        ):
            outputs = open_outputs(paths, names, _as_they_are, columns_of(names))
            kept += stack.enter_context(outputs)

    def begin(self, film: str) -> "Callable[[VideoFrame], None]":
        """Begin a film.

        Args:
            film: its name.

        Returns:
            What takes its frames, in order.
        """
        from mien.show.film_rows import FilmRows, summary_rows
        from mien.show.timeline import Timeline

        rows, timeline = FilmRows(self._options, film), Timeline()

        def write_frame(frame: "VideoFrame") -> None:
            found = rows.add(frame)
            for write in self._rows:
                write(found)
            for write in self._lines:
                write(_Line(film if self._options.film else None, frame))
            if self._summaries:
                timeline.add(frame)

        def end() -> None:
            found = rows.finish()
            for write in self._rows:
                write(found)
            for write in self._summaries:
                write(list(summary_rows(film, timeline.segments, self._options.labels)))

        self._end = end
        return write_frame

    def end(self) -> None:
        """End the film, if one was begun."""
        self._end()
        self._end = lambda: None


def report_film(film: "VideoSource | VideoCrops", count: int) -> None:
    """Say on standard error what was wrong with a film.

    Args:
        film: read to its end, or as far as it was wanted.
        count: how many frames were read.
    """
    for line in film.left_out:
        echo(line, err=True)
    if film.damaged:
        echo(f"skipped: {film.damaged:,} damaged parts of the film", err=True)
    if film.mended:
        echo(
            f"mended: {film.mended:,} time stamps, missing, running backwards or leaping ahead",
            err=True,
        )
    if film.missing_s > max(0.5, 2 / (film.rate or 25)):
        missing = f"its last {film.missing_s:.1f} s are missing"
        echo(f"cut short: {missing}, the first {count:,} frames were read", err=True)


def _as_they_are(rows: Any) -> Any:
    return rows


@dataclass(frozen=True, slots=True)
class _Line:
    """A frame as a JSON line, with the name of its film if there are several."""

    film: str | None
    frame: "VideoFrame"

    def record(self) -> dict[str, Any]:
        first = {} if self.film is None else {"film": self.film}
        return {**first, **self.frame.record()}
