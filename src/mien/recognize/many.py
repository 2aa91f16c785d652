"""Many pictures become results or named failures; none is lost, and memory does not grow.

`stream` reads side by side, `read_many` one at a time with the pixels, `score_many` crops by the
batch. Knows nothing of drawing.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mien.errors import BadImageError
from mien.faces.yunet import one_thread
from mien.media import images
from mien.media.folders import search_pictures
from mien.media.inputs import FetchedFile, PictureLike, as_rgb, path_of
from mien.media.parallel import share
from mien.pixels import F32, U8, in_batches, to_gray, to_side
from mien.recognize.results import Picture
from mien.values import Result

if TYPE_CHECKING:
    from mien.recognize.recognizer import Recognizer

__all__ = ["Failure", "NoFace", "list_pictures", "read_many", "score_many", "stream"]

_FEW = 8  # pictures; to load the networks again takes as long as reading so many


@dataclass(frozen=True, slots=True, eq=False)
class Failure(Result):
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


@dataclass(frozen=True, slots=True)
class NoFace:
    """A crop on which no face was seen.

    Attributes:
        path: of the file.
    """

    path: str


def list_pictures(paths: Iterable[str | Path]) -> list[Path]:
    """List the files that paths name; a path that does not exist stays, to fail by name later.

    Args:
        paths: files and folders.

    Returns:
        The files, folders walked; `mien.media.search_pictures` also tells what is left out.

    Raises:
        BadImageError: if there is not one, or a path is empty.
    """
    return search_pictures(paths).files


def stream(
    recognizer: "Recognizer",
    pictures: Iterable[PictureLike],
    workers: int,
    heatmap: bool,
    options: tuple[int, int, str],
) -> Iterator[Picture | Failure]:
    """Read pictures side by side in threads, see `Recognizer.read_many`.

    Args:
        recognizer: reads each; with several workers one of the same settings and one thread does.
        pictures: whatever `Recognizer.read` takes.
        workers: threads.
        heatmap: also keep the class maps.
        options: the most pixels, the most MiB, and the order of an array's colours.

    Yields:
        Each picture's result or failure, in order.
    """
    source = iter(pictures)
    first = list(islice(source, _FEW)) if workers > 1 else []
    if len(first) < _FEW:
        workers = 1
    reader = recognizer.with_threads(1) if workers > 1 else recognizer

    def read(picture: PictureLike) -> Picture | Failure:
        try:
            return reader.read(picture, heatmap, *options)
        except BadImageError as error:
            return Failure(path_of(picture), error)

    everything = chain(first, source)
    if workers == 1:
        yield from map(read, everything)
        return
    with one_thread(), closing(share(lambda: read, everything, workers, threads=True)) as results:
        yield from results


def read_many(
    recognizer: "Recognizer",
    files: Iterable[PictureLike],
    heatmap: bool = True,
    max_pixels: int = images.MAX_PIXELS,
    max_memory: int = images.MAX_MEMORY,
) -> Iterator[tuple[U8 | None, Picture | Failure]]:
    """Read pictures one at a time.

    Args:
        recognizer: reads each.
        files: from `list_pictures`; or whatever else `Recognizer.read` takes.
        heatmap: also keep the class maps.
        max_pixels: larger pictures fail.
        max_memory: MiB; pictures whose decoding takes more fail.

    Yields:
        The picture as (H, W, 3) RGB and what was read in it; or None and why it failed.
    """
    for file in files:
        try:
            rgb = as_rgb(file, max_pixels, max_memory)
        except BadImageError as error:
            yield None, Failure(path_of(file), error)
            continue
        yield rgb, replace(recognizer.read(rgb, heatmap), path=path_of(file))
        del rgb  # before the next is decoded: two large ones need not be in memory


def score_many(
    recognizer: "Recognizer",
    files: Sequence[Path | FetchedFile],
    max_pixels: int = images.MAX_PIXELS,
    max_memory: int = images.MAX_MEMORY,
    reject: bool = False,
    calm: bool = False,
) -> Iterator[tuple[Path | FetchedFile, F32 | Failure | NoFace]]:
    """Score pictures that are face crops already, a batch at a time.

    Args:
        recognizer: scores them.
        files: from `list_pictures`, or fetched.
        max_pixels: larger pictures fail.
        max_memory: MiB; pictures whose decoding takes more fail.
        reject: give `NoFace` where no face is seen; needs a recognizer that rejects.
        calm: give one value more, the last: how probable it is that the face is calm.

    Yields:
        Each file in order, with its scores, shape (C,), or why it failed, or `NoFace`.
    """
    for part in in_batches(len(files)):
        results: dict[Path | FetchedFile, F32 | Failure | NoFace] = {}
        crops: dict[Path | FetchedFile, U8] = {}
        for file in files[part]:
            try:
                rgb = as_rgb(file, max_pixels, max_memory)
                crops[file] = to_side(to_gray(rgb), recognizer.model.side)
            except BadImageError as error:
                results[file] = Failure(path_of(file), error)
        if calm:
            scores = np.column_stack(recognizer.classify_calm(list(crops.values())))
        else:
            scores = recognizer.classify(list(crops.values()))
        results |= dict(zip(crops, scores, strict=True))
        if reject:
            shown = recognizer.are_faces(list(crops.values()))
            results |= {
                f: NoFace(path_of(f)) for f, face in zip(crops, shown, strict=True) if not face
            }
        for file in files[part]:
            yield file, results[file]
