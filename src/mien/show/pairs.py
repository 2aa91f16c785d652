"""A page that shows pictures in pairs, side by side, for a person to judge.

The page links to the pictures and holds none of them.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote_from_bytes

from mien.media.writers import write_text

__all__ = ["Pair", "write_pairs"]

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff }
section { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 14px }
figure { margin: 0; padding: 8px; border: 1px solid #ddd; border-radius: 6px }
figure.differs { border-color: #c33 } figure img { width: 96px; height: 96px; margin-right: 6px }
figcaption { font-size: 12px; overflow-wrap: anywhere }
.note { background: #fff4d6; padding: 8px 12px; border-radius: 6px }
"""


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
    """Write the page.

    Args:
        title: of the page.
        summary: text above the pairs, kept as it is laid out.
        sections: headings, each with its pairs.
        out: the .html file; the pictures are linked as seen from its folder.

    Raises:
        OutputError: if it cannot be written.
    """
    parts = [
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">',
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n<h1>{escape(title)}</h1>",
        '<p class="note">For your eyes on this machine: the pictures stay in their folders and '
        "belong to their databases. Do not publish or commit this page.</p>",
        f"<pre>{escape(summary)}</pre>",
    ]
    for heading, pairs in sections:
        parts.append(f"<h2>{escape(heading)}</h2>\n<section>")
        parts += [_figure(pair, out.resolve().parent) for pair in pairs]
        parts.append("</section>")
    write_text("\n".join(parts) + "\n</html>\n", out)


def _figure(pair: Pair, folder: Path) -> str:
    images = "".join(
        f'<img loading="lazy" alt="" src="{_link(picture, folder)}">' for picture in pair.pictures
    )
    words = "<br>".join(escape(line) for line in (pair.note, *pair.captions) if line)
    kind = ' class="differs"' if pair.stressed else ""
    return f"<figure{kind}>{images}<figcaption>{words}</figcaption></figure>"


def _link(picture: Path, folder: Path) -> str:
    """A link that works while page and pictures keep their places."""
    return quote_from_bytes(os.fsencode(os.path.relpath(picture.resolve(), folder)))
