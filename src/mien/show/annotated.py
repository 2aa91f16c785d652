"""A folder of annotated pictures, named like the ones they were made from."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mien.errors import OutputError
from mien.media.writers import write_picture
from mien.pixels import U8
from mien.recognize.results import Picture
from mien.show.draw import annotate

__all__ = ["AnnotatedFolder"]


class AnnotatedFolder:
    """Writes each picture annotated, and on request each face's crop."""

    def __init__(
        self,
        out: Path,
        given: Iterable[Path],
        files: Sequence[Path],
        heatmap: bool = True,
        crops: bool = False,
    ) -> None:
        """Choose a name for every picture before the first is written.

        Args:
            out: the folder to write to.
            given: the paths the user named; below a folder, its tree is kept.
            files: the pictures found there.
            heatmap: lay the heat map over each face.
            crops: also write the crops.

        Raises:
            OutputError: if a picture would be written over one that is to be read.
        """
        self._heatmap = heatmap
        self._crops = crops
        roots = [path for path in given if path.is_dir()]
        self._targets: dict[str, Path] = {}
        self._taken: set[Path] = {file.resolve() for file in files}
        for file in dict.fromkeys(files):
            target = out / _relative(file, roots)
            if target.resolve() == file.resolve():
                raise OutputError(f"{target} is the picture itself", fix="choose another --out")
            self._targets[str(file)] = _free(target, self._taken)

    def write(self, rgb: U8, picture: Picture) -> None:
        """Write one picture, and its faces' crops if they were asked for.

        Args:
            rgb: shape (H, W, 3), uint8.
            picture: what was read in it.
        """
        target = self._targets[picture.path]
        write_picture(annotate(rgb, picture, heatmap=self._heatmap), target)
        for number, face in enumerate(picture.faces if self._crops else ()):
            crop = target.with_name(f"{target.stem}-face{number}.png")
            write_picture(face.crop, _free(crop, self._taken))


def _relative(file: Path, roots: Iterable[Path]) -> Path:
    """Path below the folder the user named, with a suffix that can be written."""
    root = next((root for root in roots if file.is_relative_to(root)), file.parent)
    suffix = file.suffix if file.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"} else ".png"
    return file.relative_to(root).with_suffix(suffix)


def _free(target: Path, taken: set[Path]) -> Path:
    """Return the target, or a numbered one where its name is taken; remember it as taken."""
    choice, number = target, 1
    while choice.resolve() in taken:
        number += 1
        choice = target.with_name(f"{target.stem}-{number}{target.suffix}")
    taken.add(choice.resolve())
    return choice
