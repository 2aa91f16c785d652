"""The pictures of docs/how-it-decides.md, from the portrait and faces made of it; and its rule.

Each picture carries the hash of the weights and of this file, so that `build.py` knows without
drawing whether it is out of date.
"""

import hashlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from records import ROOT

from mien.labels import LABELS
from mien.recognize.model import SHIPPED, read_card

__all__ = ["FIGURES", "PARTS", "draw", "stale"]

FOLDER = ROOT / "docs" / "pictures"
_INK = "#D55E00"
_STEPS = 6  # from laughing to astonished


def stale() -> list[str]:
    """Name the pictures that are missing, or of other weights or another version of this file."""
    return [name for name in FIGURES if _digest_of(FOLDER / f"{name}.jpg") != _digest()]


def draw() -> None:
    """Draw every picture anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, figure in FIGURES.items():
        buffer = io.BytesIO()
        figure().savefig(buffer, format="png", dpi=100)
        picture = Image.open(buffer).convert("RGB")
        picture.save(FOLDER / f"{name}.jpg", quality=88, optimize=True, comment=_digest())


def _digest() -> str:
    own = Path(__file__).read_bytes()
    return hashlib.sha256(own + read_card(SHIPPED)["weights_sha256"].encode()).hexdigest()


def _digest_of(path: Path) -> str:
    if not path.exists():
        return ""
    with Image.open(path) as image:
        return image.info.get("comment", b"").decode()


def _panels(rows: int, columns: int, height: float) -> tuple[Any, Any]:
    """A grid that can be read on a phone, too: few columns."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns).ravel()
    for panel in axes:
        panel.set_xticks([])
        panel.set_yticks([])
    return figure, axes


def _steps() -> Any:
    """Photograph with box and landmarks, crop, what the network sees, crop under its map."""
    from matplotlib.patches import Rectangle

    from mien import Recognizer, pixels
    from mien.media.images import PORTRAIT, read_rgb
    from mien.show.heatmap import colours

    rgb = read_rgb(PORTRAIT)
    [face] = Recognizer(threads=1).read(rgb).faces
    gray = pixels.to_gray(face.crop)
    heat = face.heatmap()[..., None]
    over = gray[..., None] * (1 - 0.6 * heat) + 0.6 * heat * colours(heat[..., 0])
    figure, (photo, crop, seen, evidence) = _panels(2, 2, 7.6)
    box = face.box
    photo.imshow(rgb)
    photo.add_patch(
        Rectangle((box.left, box.top), box.right - box.left, box.bottom - box.top, fill=False,
                  color=_INK, lw=2)
    )  # fmt: skip
    photo.plot(*face.landmarks.T, "o", ms=3, color="white", mec=_INK)
    crop.imshow(face.crop)
    seen.imshow(gray, cmap="gray", vmin=0, vmax=255)
    evidence.imshow(over.clip(0, 255).astype(np.uint8))
    third = f"3. {gray.shape[0]}x{gray.shape[1]} grey"
    titles = ("1. find", "2. cut out, upright", third, f"6. evidence for {face.label}")
    for panel, title in zip((photo, crop, seen, evidence), titles, strict=True):
        panel.set_title(title, fontsize=13)
    return figure


def _maps() -> Any:
    """The six maps of the portrait, each divided by its own maximum."""
    from mien import Recognizer
    from mien.media.images import PORTRAIT, read_rgb
    from mien.show.picture_grid import outlined_map

    [face] = Recognizer(threads=1).read(read_rgb(PORTRAIT)).faces
    figure, panels = _panels(2, len(LABELS) // 2, 5.6)
    for number, (panel, label) in enumerate(zip(panels, LABELS, strict=True)):
        panel.imshow(outlined_map(face.crop, face.maps[number]))
        panel.set_title(f"{label}\n{face.scores[label]:.3f}", fontsize=13)
    return figure


def _change() -> Any:
    """The portrait painted over towards astonishment, with what is said of each."""
    sys.path.append(str(ROOT))
    from mien import Recognizer
    from tests.support.rendered_people import person

    recognizer = Recognizer(threads=1)
    figure, panels = _panels(2, _STEPS // 2, 5.9)
    for panel, amount in zip(panels, np.linspace(0, 1, _STEPS), strict=True):
        rgba = person(0, float(amount)).rgba.astype(np.float32)
        alpha = rgba[..., 3:] / 255
        rgb = (rgba[..., :3] * alpha + 190 * (1 - alpha)).astype(np.uint8)
        faces = recognizer.read(rgb).faces
        panel.imshow(rgb[20:230, 110:340])
        said = faces[0].label if faces else "no face found"
        scores = faces[0].scores if faces else {}
        numbers = [f"{name} {scores[name]:.2f}" for name in ("happiness", "surprise") if scores]
        panel.set_title(said, fontsize=13)
        panel.set_xlabel("\n".join(numbers), fontsize=12)
    return figure


def rule() -> str:
    """When a face is called neutral or uncertain, with the numbers of the shipped model."""
    card = read_card(SHIPPED)
    return (
        "A face is called `neutral` if that is more probable than not. Else it is called "
        f"`uncertain` if the best of the six scores is below {card['uncertain']['below']:.3f}, "
        "which was chosen on held-out pictures. Else the best of the six is its label.\n"
    )


FIGURES: dict[str, Callable[[], Any]] = {
    "decides-steps": _steps,
    "decides-maps": _maps,
    "decides-change": _change,
}
PARTS = {"decides-rule": rule}
