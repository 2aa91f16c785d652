"""Fonts made for a test: each letter that one has is a bar, and all that it lacks is empty."""

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont

EM = 1000
BAR, WIDE = 500, 700  # of an em: the ink of a letter, and its width with the gap behind it


def bar_font(path: Path, letters: str, family: str = "Bars") -> Path:
    """Write a font in which every letter is an upright bar, a gap beside it.

    Args:
        path: of the .ttf, or a .ttc: a collection of it and of a font that has an x alone.
        letters: that it has; a space is there too.
        family: its name.

    Returns:
        The path.
    """
    font = _built(letters, family)
    if path.suffix == ".ttc":
        collection = TTCollection()
        collection.fonts = [font, _built("x", f"{family} Other")]
        collection.save(path)
    else:
        font.save(path)
    return path


def _built(letters: str, family: str) -> TTFont:
    names = [".notdef", "space", *(f"u{ord(letter):x}" for letter in letters)]
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({32: "space"} | {ord(le): f"u{ord(le):x}" for le in letters})
    nothing = TTGlyphPen(None).glyph()
    glyphs = {name: _bar() for name in names} | {".notdef": nothing, "space": nothing}
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({name: (WIDE, 0) for name in names})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "psName": family})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200)
    builder.setupPost()
    return builder.font


def _bar() -> object:
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 720), (BAR, 720), (BAR, 0)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()
