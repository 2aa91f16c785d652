"""Many pictures, one after another: each becomes a result or a named failure, none is lost.

Memory does not grow with their number.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.errors import BadImageError
from mien.media import images
from mien.pixels import F32, U8, to_gray, to_side
from mien.recognize.recognizer import Recognizer
from mien.results import Picture

__all__ = ["Failure", "list_pictures", "read_many", "score_many"]

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture that could not be read.

    Attributes:
        path: of the file.
        error: what is wrong and what to do.
    """

    path: str
    error: BadImageError

    def record(self) -> dict[str, str]:
        """Return it as JSON-ready values."""
        return {"path": self.path, "error": self.error.message}


def list_pictures(paths: Iterable[str | Path]) -> list[Path]:
    """List the files that paths name; a path that does not exist stays, to fail by name later.

    Args:
        paths: files and folders.

    Returns:
        The files, folders walked.

    Raises:
        BadImageError: if there is not one.
    """
    given = [Path(path) for path in paths]
    found: list[Path] = []
    for path in given:
        found.extend(images.find_pictures([path]) if path.is_dir() else [path])
    if not found:
        names = ", ".join(map(str, given))
        raise BadImageError(f"no pictures in {names}", fix="name a folder that holds JPEG or PNG")
    return found


def read_many(
    recognizer: Recognizer,
    files: Iterable[Path],
    heatmap: bool = True,
    max_pixels: int = images.MAX_PIXELS,
) -> Iterator[tuple[U8 | None, Picture | Failure]]:
    """Read pictures one at a time.

    Args:
        recognizer: reads each.
        files: from `list_pictures`.
        heatmap: also keep the class maps.
        max_pixels: larger pictures fail.

    Yields:
        The picture as (H, W, 3) RGB and what was read in it; or None and why it failed.
    """
    for file in files:
        try:
            rgb = images.read_rgb(file, max_pixels)
        except BadImageError as error:
            yield None, Failure(str(file), error)
            continue
        found = recognizer.read(rgb, heatmap)
        yield rgb, Picture(str(file), found.width, found.height, found.faces)


def score_many(
    recognizer: Recognizer, files: Sequence[Path], max_pixels: int = images.MAX_PIXELS
) -> Iterator[tuple[Path, F32 | Failure]]:
    """Score pictures that are face crops already, a batch at a time.

    Args:
        recognizer: scores them.
        files: from `list_pictures`.
        max_pixels: larger pictures fail.

    Yields:
        Each file in order, with its six scores, shape (6,), or why it failed.
    """
    for start in range(0, len(files), _BATCH):
        results: dict[Path, F32 | Failure] = {}
        crops: dict[Path, U8] = {}
        for file in files[start : start + _BATCH]:
            try:
                crops[file] = to_side(to_gray(images.read_rgb(file, max_pixels)))
            except BadImageError as error:
                results[file] = Failure(str(file), error)
        scores = recognizer.classify(list(crops.values()))
        results |= dict(zip(crops, scores, strict=True))
        for file in files[start : start + _BATCH]:
            yield file, results[file]
