"""Faces in words, and as a table of HTML, which notebooks show in place of a text."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from mien.faces.regions import words
from mien.labels import NO_FACE, PAPER, UNCERTAIN
from mien.media.writers import encode_picture

if TYPE_CHECKING:
    from mien.recognize.face import Face

__all__ = ["face_sentence", "faces_html", "faces_text"]

_NAMED = 3  # faces that a short text names
_MOST = 50  # faces; a notebook keeps all that it shows


def faces_text(faces: "Sequence[Face]") -> str:
    """Name the labels of faces; of many the first.

    Args:
        faces: of a picture.

    Returns:
        A few words.
    """
    named = ", ".join(f"{face.label} {face.probability:.2f}" for face in faces[:_NAMED])
    more = f" and {len(faces) - _NAMED} more" if len(faces) > _NAMED else ""
    return named + more if faces else "no faces"


def faces_html(title: str, faces: "Sequence[Face]") -> str:
    """Lay faces out as a table: crop, label with its probability, all probabilities.

    Args:
        title: above the table; "" for none.
        faces: at most fifty are shown, and the others counted.

    Returns:
        HTML without scripts, with the crops inside.
    """
    labels = faces[0].labels if faces else PAPER
    named = ("", "label", "", *labels.targets)
    head = "".join(f"<th>{escape(name)}</th>" for name in named)
    rows = "".join(map(_row, faces[:_MOST]))
    more = f"<p>and {len(faces) - _MOST:,} more</p>" if len(faces) > _MOST else ""
    caption = f"<p><b>{escape(title)}</b></p>" if title else ""
    table = f"<table><tr>{head}</tr>{rows}</table>" if faces else ""
    return f"<div>{caption}{table}{more}</div>"


def face_sentence(face: "Face") -> str:
    """Say what a face shows, and where the evidence for it lies.

    Args:
        face: of a picture.

    Returns:
        Such as ``happiness 0.98: 61 % of the evidence on the mouth``; where the label is not what
        the evidence is for, that is named too.
    """
    if not face.is_face:
        return NO_FACE
    said = ", ".join(f"{name} {value:.2f}" for name, value in face.named.items())
    if face.label == UNCERTAIN:
        said = f"{UNCERTAIN}, most likely {_likeliest(face)}"
    elif face.label != face.expression:
        said += f", {face.expression} {face.probabilities[face.expression]:.2f}"
    if face.maps is None:
        return said
    of = "" if face.label == face.expression else f" for {face.expression}"
    return f"{said}: {words(face.regions).replace(' evidence', f' evidence{of}', 1)}"


def _likeliest(face: "Face") -> str:
    """The best expression of an uncertain face; after neutral where that is more probable."""
    likely = {**face.named, face.expression: face.probability}
    del likely[UNCERTAIN]
    ordered = sorted(likely.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {value:.2f}" for name, value in ordered)


def _row(face: "Face") -> str:
    crop = b64encode(encode_picture(face.crop, ".png")).decode("ascii")
    alt = escape(face.sentence)
    image = f'<img width="64" height="64" alt="{alt}" src="data:image/png;base64,{crop}">'
    values = (face.probability, *face.probabilities.values())
    calm = "".join(f" ({name} {face.named[name]:.2f})" for name in list(face.named)[1:])
    cells = (image, escape(face.label + calm), *(f"{value:.2f}" for value in values))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
