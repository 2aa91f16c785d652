"""The font of what is drawn: Pillow's own, or another one that has the letters.

Pipeline: letters that will be drawn -> Pillow's own font, which has English ones, if it has them ->
else the fonts that fontconfig names for the language -> else those in the folders where systems
keep theirs -> else matplotlib's, which has Latin letters with all accents. A letter that a font
lacks is drawn as a box, so each candidate is asked for every letter first. Knows nothing of words.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

from mien.errors import BadSettingError

__all__ = ["BUILT_IN", "Font", "find_font", "font_of_file", "lacking", "sized"]

_SUFFIXES = {".otf", ".ttc", ".ttf"}
_NOBODY = "\U0010ffff"  # no letter: what a font draws for it, it draws for all that it lacks
_TRIED = 24  # pixels an em, at which letters are compared
_MOST = 60  # fonts of fontconfig's list that are tried; it begins with the likeliest
_SHOWN = 12  # missing letters that a message names
_WAIT_S = 30.0
# Where there is no fontconfig: first those that a system brings for the language, by its maker.
_USUAL = {
    "zh": ("PingFang.ttc", "Hiragino Sans GB.ttc", "STHeiti Medium.ttc", "msyh.ttc", "simsun.ttc"),
    "ja": ("ヒラギノ角ゴシック W3.ttc", "YuGothM.ttc", "meiryo.ttc", "msgothic.ttc"),
}
_ANY = ("NotoSansCJK-Regular.ttc", "DejaVuSans.ttf", "Arial Unicode.ttf", "Arial.ttf", "arial.ttf")
_LATIN = 'fonts-dejavu-core of Debian and Ubuntu or that of pip install "mien[plot]"'
_ASIAN = "fonts-noto-cjk of Debian and Ubuntu"
_FIRST_ASIAN = 0x2E80
_CHINA = {"zh": "zh-cn"}  # as fontconfig calls simplified Chinese


@dataclass(frozen=True, slots=True)
class Font:
    """A font of a file.

    Attributes:
        path: of the file; "" for the font built into Pillow (Aileron, CC0).
        index: of the font among those of a collection.
    """

    path: str = ""
    index: int = 0


BUILT_IN = Font()


@lru_cache(maxsize=64)
def sized(font: Font, size: int) -> ImageFont.FreeTypeFont:
    """Return a font, ready to draw.

    Args:
        font: which one.
        size: of one em, in pixels.

    Returns:
        Pillow's object.

    Raises:
        BadSettingError: if its file is no font.
        ValueError: if Pillow was built without FreeType.
    """
    if font.path:
        try:
            return ImageFont.truetype(font.path, size, font.index)
        except OSError as error:
            raise BadSettingError(
                f"{font.path} is no font that can be read: {error}",
                fix="name a .ttf, .otf or .ttc file",
            ) from error
    built_in = ImageFont.load_default(size=size)
    if not isinstance(built_in, ImageFont.FreeTypeFont):
        raise ValueError("this Pillow was built without FreeType and has no scalable font")
    return built_in


def lacking(font: Font, letters: str) -> str:
    """Return the letters that a font does not have.

    Args:
        font: which one.
        letters: each once.

    Returns:
        Those that it would draw as boxes, or not at all.

    Raises:
        BadSettingError: if its file is no font.

    Example:
        >>> lacking(BUILT_IN, "a%喜")
        '喜'
    """
    face = sized(font, _TRIED)
    missing = _shape(face, _NOBODY)
    return "".join(letter for letter in letters if _shape(face, letter) == missing)


def _shape(face: ImageFont.FreeTypeFont, letter: str) -> tuple[object, ...]:
    mask = face.getmask(letter)
    return mask.size, bytes(mask)


def font_of_file(path: Path, letters: str) -> Font:
    """Return the font of a file that somebody named.

    Args:
        path: of the file; of a collection the first font is taken.
        letters: that will be drawn, each once.

    Returns:
        The font.

    Raises:
        BadSettingError: if there is no such file, it is no font, or it lacks some of the letters.
    """
    if not path.is_file():
        raise BadSettingError(f"no such file: {path}", fix="name a .ttf, .otf or .ttc file")
    font = Font(str(path))
    missing = lacking(font, letters)
    if missing:
        raise BadSettingError(
            f"{path} lacks letters that will be drawn: {_named(missing)}",
            fix="name a font that has them, or none: then one is looked for",
        )
    return font


def _named(letters: str) -> str:
    return " ".join(letters[:_SHOWN]) + (" ..." if len(letters) > _SHOWN else "")


@lru_cache(maxsize=64)
def find_font(letters: str, language: str) -> Font:
    """Find a font that has the letters.

    Args:
        letters: that will be drawn, each once.
        language: that they are of, as ``zh``.

    Returns:
        Pillow's own if that has them; else the first on this system.

    Raises:
        BadSettingError: if there is none.
    """
    missing = lacking(BUILT_IN, letters)
    if not missing:
        return BUILT_IN
    for font in _fonts_here(language):
        try:
            if not lacking(font, letters):
                return font
        except BadSettingError:  # a bitmap font, or a damaged one: another will do
            continue
    package = _ASIAN if any(ord(letter) >= _FIRST_ASIAN for letter in missing) else _LATIN
    raise BadSettingError(
        f"no font of this system has all letters that will be drawn, such as {_named(missing)}",
        fix=f"install one, as {package}, or name a font file with --font, "
        f'from Python lang=mien.show.writing.write_in("{language}", font=...)',
    )


def _fonts_here(language: str) -> Iterator[Font]:
    """The fonts of this system, the likeliest first."""
    yield from _fontconfig(language)
    files: dict[str, Path] = {}
    for folder in _folders():
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in _SUFFIXES:
                files.setdefault(path.name, path)
    first = [name for name in (*_USUAL.get(language, ()), *_ANY) if name in files]
    yield from (Font(str(files[name])) for name in dict.fromkeys([*first, *files]))
    matplotlib = find_spec("matplotlib")  # its files alone: nothing of it is imported
    if matplotlib and matplotlib.origin:
        yield Font(str(Path(matplotlib.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"))


def _fontconfig(language: str) -> Iterator[Font]:
    """What fontconfig, which most systems but Windows have, would take; nothing without it."""
    program = shutil.which("fc-match")
    if program is None:
        return
    wanted = f"sans:lang={_CHINA.get(language, language)}"
    command = [program, "--sort", "--format", "%{index}\t%{file}\n", wanted]
    try:
        run = subprocess.run(command, capture_output=True, timeout=_WAIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):  # the folders are looked through next
        return
    for line in os.fsdecode(run.stdout).splitlines()[:_MOST]:
        index, _, path = line.partition("\t")
        if Path(path).suffix.lower() in _SUFFIXES and index.isdecimal():
            yield Font(path, int(index) & 0xFFFF)  # above: the instance of a variable font


def _folders() -> list[Path]:
    """Where systems keep fonts: those folders that are there."""
    home = Path.home()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", str(home / "AppData" / "Local"))
        windows = os.environ.get("WINDIR", "C:/Windows")
        places = [Path(windows, "Fonts"), Path(local, "Microsoft", "Windows", "Fonts")]
    elif sys.platform == "darwin":
        places = [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    else:
        places = [home / ".local/share/fonts", home / ".fonts"]
        places += [Path("/usr/share/fonts"), Path("/usr/local/share/fonts")]
    return [place for place in places if place.is_dir()]
