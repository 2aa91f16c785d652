"""Two HTML pages: a report about a model on a split, and pictures in pairs for a person to judge.

The report follows the paper's Figure 1: data -> model -> predictions -> explanation -> inspection
-> improvement. Its plots and crops are inside the page, so it is one file. The page of pairs links
to the pictures and holds none of them. Both show faces of a database: they are for their reader
alone. Knows nothing of models.
"""

import base64
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote_from_bytes

from PIL import Image

from mien.media.writers import write_text
from mien.pixels import U8

__all__ = ["ExplainedCrop", "Pair", "Section", "write_pairs", "write_report"]

_SHARED_STYLE = """
figure { margin: 0; padding: 8px; border: 1px solid #ddd; border-radius: 6px }
figcaption { font-size: 13px; overflow-wrap: anywhere }
.note { background: #fff4d6; padding: 8px 12px; border-radius: 6px }
"""
_VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'
_REPORT_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1248px; color: #222;
  padding: 0 16px; background: #fff }
nav { background: #f2f2f2; padding: 8px 12px; border-radius: 6px }
table { border-collapse: collapse }
td, th { padding: 2px 14px 2px 0; text-align: left; vertical-align: top }
.seen { display: grid; grid-template-columns: repeat(auto-fill, minmax(232px, 1fr)); gap: 12px }
.seen img { width: calc(50% - 4px); max-width: 160px; margin-right: 4px }
.plots { display: flex; flex-wrap: wrap; gap: 12px; margin: 12px 0 }
.plot { overflow-x: auto; max-width: 100% }
.plot img { display: block; max-width: 100%; height: auto }
"""
_PAIRS_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em auto; padding: 0 16px; max-width: 1400px;
  color: #222; background: #fff }
pre { overflow-x: auto }
section { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 14px }
figure.differs { border-color: #c33 } figure img { width: 96px; height: 96px; margin-right: 6px }
"""
_LEGIBLE = 0.8  # of its pixels that a plot has at least; below that its letters are too small


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedCrop:
    """A crop, the crop under its heat map, and what is said of it.

    Attributes:
        crop: shape (H, W, 3), uint8, RGB.
        heat: the same with the heat map.
        caption: lines.
    """

    crop: U8
    heat: U8
    caption: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the report.

    Attributes:
        title: of the section.
        words: paragraphs.
        rows: of a table of two columns.
        plots: PNG files to put into the page.
        crops: to show, each beside its heat map.
    """

    title: str
    words: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    plots: tuple[Path, ...] = ()
    crops: tuple[ExplainedCrop, ...] = ()


def write_report(title: str, note: str, sections: Sequence[Section], out: Path) -> None:
    """Write the page.

    Args:
        title: of the page.
        note: above everything.
        sections: in order.
        out: the .html file.
    """
    links = " &rarr; ".join(f'<a href="#{i}">{escape(s.title)}</a>' for i, s in enumerate(sections))
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8">{_VIEWPORT}',
        f"<title>{escape(title)}</title>",
        f"<style>{_SHARED_STYLE}{_REPORT_STYLE}</style><main><h1>{escape(title)}</h1>",
        f'<p class="note">{escape(note)}</p><nav>{links}</nav>',
        *(_section(number, section) for number, section in enumerate(sections)),
        "</main></html>",
    ]
    write_text("\n".join(parts) + "\n", out)


def _section(number: int, section: Section) -> str:
    lines = [f'<h2 id="{number}">{number + 1}. {escape(section.title)}</h2>']
    lines += [f"<p>{escape(words)}</p>" for words in section.words]
    if section.rows:
        cells = (f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in section.rows)
        lines.append(f"<table>{''.join(cells)}</table>")
    if section.plots:
        lines.append(f'<div class="plots">{"".join(map(_plot, section.plots))}</div>')
    if section.crops:
        lines.append(f'<div class="seen">{"".join(map(_crop_figure, section.crops))}</div>')
    return "\n".join(lines)


def _plot(plot: Path) -> str:
    """A plot in a frame of its own: on a narrow page that scrolls, so that words stay legible."""
    png, alt = plot.read_bytes(), escape(plot.stem.replace("-", " "))
    width, height = (int.from_bytes(png[at : at + 4]) for at in (16, 20))  # as every PNG says
    return (
        f'<div class="plot" role="group" aria-label="{alt}" tabindex="0">'
        f'<img alt="{alt}" width="{width}" height="{height}" '
        f'style="min-width: {round(_LEGIBLE * width)}px" src="{_inline(png)}"></div>'
    )


def _crop_figure(explained: ExplainedCrop) -> str:
    caption = "<br>".join(map(_breakable, explained.caption))
    pictures = "".join(
        f'<img alt="{alt}" src="{_inline(_png(rgb))}">'
        for alt, rgb in (("the crop", explained.crop), ("its heat map", explained.heat))
    )
    return f"<figure>{pictures}<figcaption>{caption}</figcaption></figure>"


def _breakable(line: str) -> str:
    """A line whose file names may break behind each slash."""
    return escape(line).replace("/", "/<wbr>")


def _png(rgb: U8) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def _inline(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


@dataclass(frozen=True, slots=True)
class Pair:
    """One or two pictures and what is said of them.

    Attributes:
        pictures: their files.
        captions: a line for each.
        note: a line for both.
        stressed: whether to draw a red frame.
    """

    pictures: tuple[Path, ...]
    captions: tuple[str, ...]
    note: str
    stressed: bool = False


def write_pairs(
    title: str, summary: str, sections: Sequence[tuple[str, Sequence[Pair]]], out: Path
) -> None:
    """Write pictures in pairs, for a person to judge.

    Args:
        title: of the page.
        summary: text above the pairs, kept as it is laid out.
        sections: headings, each with its pairs.
        out: the .html file; the pictures are linked as seen from its folder.

    Raises:
        OutputError: if it cannot be written.
    """
    parts = [
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">{_VIEWPORT}',
        f"<title>{escape(title)}</title>\n<style>{_SHARED_STYLE}{_PAIRS_STYLE}</style>",
        f"<main><h1>{escape(title)}</h1>",
        '<p class="note">For your eyes on this machine: the pictures stay in their folders and '
        "belong to their databases. Do not publish or commit this page.</p>",
        f'<pre tabindex="0">{escape(summary)}</pre>',
    ]
    for heading, pairs in sections:
        parts.append(f"<h2>{escape(heading)}</h2>\n<section>")
        parts += [_pair_figure(pair, out.resolve().parent) for pair in pairs]
        parts.append("</section>")
    write_text("\n".join(parts) + "\n</main></html>\n", out)


def _pair_figure(pair: Pair, folder: Path) -> str:
    images = "".join(
        f'<img loading="lazy" alt="" src="{_link(picture, folder)}">' for picture in pair.pictures
    )
    words = "<br>".join(_breakable(line) for line in (pair.note, *pair.captions) if line)
    kind = ' class="differs"' if pair.stressed else ""
    return f"<figure{kind}>{images}<figcaption>{words}</figcaption></figure>"


def _link(picture: Path, folder: Path) -> str:
    """A link that works while page and pictures keep their places."""
    return quote_from_bytes(os.fsencode(os.path.relpath(picture.resolve(), folder)))
