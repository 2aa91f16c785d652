"""One page about a model on a split, along the way of the paper's Figure 1.

Data -> model -> predictions -> explanation -> inspection -> improvement. Figures and the worst
errors are pictures inside the page, so it is one file. It shows faces of the database: it is for
its reader alone. Knows nothing of models.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from PIL import Image

from mien.media.writers import write_text
from mien.pixels import U8

__all__ = ["Section", "Seen", "write_page"]


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1000px; color: #222 }
nav { background: #f2f2f2; padding: 8px 12px; border-radius: 6px }
table { border-collapse: collapse } td, th { padding: 2px 14px 2px 0; text-align: left }
.seen { display: grid; grid-template-columns: repeat(auto-fill, minmax(215px, 1fr)); gap: 12px }
figure { margin: 0; padding: 8px; border: 1px solid #ddd; border-radius: 6px }
.seen img { width: 96px; height: 96px; margin-right: 4px } .plot { max-width: 100% }
figcaption { font-size: 12px; overflow-wrap: anywhere }
.note { background: #fff4d6; padding: 8px 12px; border-radius: 6px }
"""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
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
    """A step of the way.

    Attributes:
        title: of the step.
        words: paragraphs.
        rows: of a table of two columns.
        plots: PNG files to put into the page.
        seen: crops to show.
    """

    title: str
    words: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    plots: tuple[Path, ...] = ()
    seen: tuple[Seen, ...] = ()


def write_page(title: str, note: str, sections: Sequence[Section], out: Path) -> None:
    """Write the page.

    Args:
        title: of the page.
        note: above everything.
        sections: in order.
        out: the .html file.
    """
    way = " &rarr; ".join(f'<a href="#{i}">{escape(s.title)}</a>' for i, s in enumerate(sections))
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>",
        f'<p class="note">{escape(note)}</p><nav>{way}</nav>',
        *(_section(number, section) for number, section in enumerate(sections)),
        "</html>",
    ]
    write_text("\n".join(parts) + "\n", out)


def _section(number: int, section: Section) -> str:
    lines = [f'<h2 id="{number}">{number + 1}. {escape(section.title)}</h2>']
    lines += [f"<p>{escape(words)}</p>" for words in section.words]
    if section.rows:
        cells = (f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in section.rows)
        lines.append(f"<table>{''.join(cells)}</table>")
    for plot in section.plots:
        alt = escape(plot.stem.replace("-", " "))
        lines.append(f'<img class="plot" alt="{alt}" src="{_inline(plot.read_bytes())}">')
    if section.seen:
        lines.append(f'<div class="seen">{"".join(map(_figure, section.seen))}</div>')
    return "\n".join(lines)


def _figure(seen: Seen) -> str:
    said = "<br>".join(map(escape, seen.caption))
    pictures = "".join(
        f'<img alt="{alt}" src="{_inline(_png(rgb))}">'
        for alt, rgb in (("the crop", seen.crop), ("its heat map", seen.heat))
    )
    return f"<figure>{pictures}<figcaption>{said}</figcaption></figure>"


def _png(rgb: U8) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def _inline(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
