"""Several crops by several methods, beside the channels that vary most: one figure.

Pipeline: crops with an expression each -> maps by each method, activations of the explained layer
-> tiles -> a page for `mien.show.picture_grid.write_figure`.
"""

from collections.abc import Sequence

import numpy as np

from mien.explain.figure import channel_captions
from mien.explain.methods import REFUSALS, Source, explain
from mien.pixels import U8, to_batch
from mien.show import picture_grid
from mien.show.fonts import Font
from mien.show.picture_grid import FigureRow, Page
from mien.show.style import DARK, text_width
from mien.show.writing import ENGLISH, Writing

__all__ = ["methods_sheet", "stacked"]

_ACTIVATIONS = "activations"  # what the channels are called among what is left out
_CHANNELS = 3  # drawn of each crop
_LEFT, _LETTERS, _NAME_HIGH = 24, 22, 44  # of a name above a figure, in pixels


def methods_sheet(
    source: Source,
    crops: Sequence[U8],
    labels: Sequence[str],
    methods: Sequence[str] = ("cam", "grad-cam", "grad-cam++"),
    writing: Writing = ENGLISH,
) -> tuple[Page, dict[str, str]]:
    """Lay out a row for each crop: the face, its map by each method, its liveliest channels.

    Args:
        source: the network.
        crops: N of them, shape (side, side, 3), RGB.
        labels: N expressions; each crop is asked about its own.
        methods: keys of `mien.explain.METHODS`.
        writing: the font of all that is written, and the language of all but title and legend.

    Returns:
        The figure; and each method that the network does not allow, with the reason.

    Example:
        >>> import mien, skimage.data
        >>> from mien.explain.methods import source_of
        >>> recognizer = mien.Recognizer()
        >>> face = recognizer.read(skimage.data.astronaut()).faces[0]
        >>> page, left_out = methods_sheet(source_of(recognizer.model), [face.crop], ["happiness"])
        >>> len(page.pictures), left_out  # the face, three maps, three channels, the colours
        (8, {})
    """
    batches = [to_batch([crop], source.side) for crop in crops]
    columns: list[str] = [writing.say("face")]
    tiles: list[list[U8]] = [[picture_grid.crop_tile(crop)] for crop in crops]
    captions: list[list[str]] = [[writing.name(label)] for label in labels]
    left_out = {}
    for method in methods:
        try:
            maps = [
                explain(source, batch, method, label)
                for batch, label in zip(batches, labels, strict=True)
            ]
        except REFUSALS as error:
            left_out[method] = error.message
            continue
        columns.append(method)
        for row, below, crop, [own] in zip(tiles, captions, crops, maps, strict=True):
            row.append(picture_grid.outlined_map(np.ascontiguousarray(crop), own))
            below.append("" if (own > 0).any() else writing.say("nothing"))
    try:
        activations = [source.activations(batch)[0] for batch in batches]
    except REFUSALS as error:
        left_out[_ACTIVATIONS] = error.message
    else:
        columns.append(f"{_ACTIVATIONS} of {source.layer}, the liveliest channels")
        for row, below, own in zip(tiles, captions, activations, strict=True):
            row += picture_grid.channels(own, _CHANNELS)
            below += channel_captions(own, _CHANNELS, writing)
    rows = [FigureRow("", *pair) for pair in zip(tiles, captions, strict=True)]
    legend = "warm and bright = speaks for the expression below the face"
    title = "The same faces by every method"
    return picture_grid.figure(title, columns, rows, legend, writing=writing), left_out


def stacked(pages: Sequence[Page], names: Sequence[str]) -> Page:
    """Put figures one below the other, each under a name.

    Args:
        pages: of `mien.show.picture_grid.figure`.
        names: one for each.

    Returns:
        One page.
    """
    font = pages[0].writing.font
    width = max(*(page.width for page in pages), *(_name_width(name, font) for name in names))
    height = sum(page.height + _NAME_HIGH for page in pages)
    sheet = Page(width, height, writing=pages[0].writing)
    top = 0
    for page, name in zip(pages, names, strict=True):
        sheet.write(_LEFT, top + _NAME_HIGH * 0.6, name, _LETTERS, DARK)
        top += _NAME_HIGH
        sheet.pictures += [(x, y + top, tile) for x, y, tile in page.pictures]
        for x, y, text, size, colour in page.words:
            sheet.write(x, y + top, text, size, colour)
        top += page.height
    return sheet


def _name_width(name: str, font: Font) -> int:
    return 2 * _LEFT + text_width(name, _LETTERS, font)
