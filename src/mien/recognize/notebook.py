"""Faces as a table of HTML, which notebooks show in place of a text. Draws nothing of its own."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from mien.labels import LABELS, NEUTRAL
from mien.media.writers import encode_picture

if TYPE_CHECKING:
    from mien.recognize.results import Face

__all__ = ["faces_html"]

_MOST = 50  # faces; a notebook keeps all that it shows


def faces_html(title: str, faces: "Sequence[Face]") -> str:
    """Lay faces out as a table: crop, label, confidence, scores.

    Args:
        title: above the table; "" for none.
        faces: at most fifty are shown, and the others counted.

    Returns:
        HTML without scripts, with the crops inside.
    """
    head = "".join(f"<th>{name}</th>" for name in ("", "label", "", *LABELS, NEUTRAL))
    rows = "".join(map(_row, faces[:_MOST]))
    more = f"<p>and {len(faces) - _MOST:,} more</p>" if len(faces) > _MOST else ""
    caption = f"<p><b>{escape(title)}</b></p>" if title else ""
    table = f"<table><tr>{head}</tr>{rows}</table>" if faces else ""
    return f"<div>{caption}{table}{more}</div>"


def _row(face: "Face") -> str:
    crop = b64encode(encode_picture(face.crop, ".png")).decode("ascii")
    alt = escape(face.sentence)
    image = f'<img width="64" height="64" alt="{alt}" src="data:image/png;base64,{crop}">'
    values = (face.confidence, *face.scores.values(), face.neutral)
    cells = (image, escape(face.label), *(f"{value:.2f}" for value in values))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
