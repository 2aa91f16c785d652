"""A matplotlib figure -> a file; matplotlib is imported when the first one is drawn.

The same plot is the same file, byte by byte. `FORMATS` lists the formats by suffix. Knows nothing
of what is drawn.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

from mien.errors import MissingExtraError, OutputError
from mien.media import writers
from mien.media.writers import write_bytes

__all__ = ["FORMATS", "plot_figure", "refuse_format"]

# Suffix -> how matplotlib saves it.
FORMATS: dict[str, dict[str, Any]] = {
    **{
        suffix: {"pil_kwargs": options} if options else {}
        for suffix, (_, _, options) in writers.FORMATS.items()
    },
    ".svg": {"metadata": {"Date": None}},
    ".pdf": {"metadata": {"CreationDate": None}},
}


def refuse_format(path: Path | None) -> None:
    """Refuse the name of a plot in a format that cannot be written, before hours of work.

    Args:
        path: of the plot to write; None for no plot.

    Raises:
        OutputError: if it ends in none of `FORMATS`.
    """
    if path is not None and path.suffix.lower() not in FORMATS:
        raise OutputError(
            f"no plot format ends in {path.suffix!r}: {path}",
            fix=f"end the name in {', '.join(FORMATS)}",
        )


@contextmanager
def plot_figure(
    path: Path,
    size: tuple[float, float],
    what: str = "a plot",
    layout: Literal["constrained"] | None = "constrained",
    font: str = "",
) -> Iterator[Any]:
    """Give a figure to draw on, and write it when that has ended well.

    Args:
        path: of the plot to write; ends in one of `FORMATS`.
        size: width and height in inches, of 120 pixels each.
        what: needs matplotlib, for the message.
        layout: matplotlib's layout engine; None leaves the axes where they are put.
        font: file of a font for all words; "" takes matplotlib's own, which has Latin letters.

    Yields:
        The matplotlib figure.

    Raises:
        MissingExtraError: if matplotlib is not installed.
        OutputError: if the name ends otherwise, or the file cannot be written.
    """
    refuse_format(path)
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise MissingExtraError(what, "plot") from None
    buffer = io.BytesIO()
    suffix = path.suffix.lower()
    # no date and no random names inside: the same plot is the same file
    settings: dict[Any, Any] = {"svg.hashsalt": "mien"}
    if font:
        settings["font.family"] = _families(font)
    with rc_context(settings):
        figure = Figure(figsize=size, layout=layout)
        FigureCanvasAgg(figure)
        engine: Any = figure.get_layout_engine()
        if engine is not None:
            engine.set(w_pad=0.1, h_pad=0.1)  # inches; else words touch the edge
        yield figure
        figure.savefig(buffer, format=suffix[1:], dpi=120, **FORMATS[suffix])
    write_bytes(buffer.getvalue(), path)


@cache
def _families(font: str) -> list[str]:
    """Make a font known to matplotlib; its own font has the signs that this one lacks."""
    from matplotlib.font_manager import FontProperties, fontManager

    fontManager.addfont(font)
    return [FontProperties(fname=font).get_name(), "DejaVu Sans"]
