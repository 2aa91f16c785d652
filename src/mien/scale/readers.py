"""What a worker does with the pictures it is handed: photographs, or face crops.

All that costs time is done there: decoding, detection, crops, scores, drawing, encoding. What comes
back is small and ready to be written: a record, a text, encoded pictures. The names of files are
chosen and the files are written by the process that hands out the work, so that a worker that ends
leaves nothing behind.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import BadImageError, OutputError
from mien.faces.regions import REGIONS
from mien.labels import NO_FACE, LabelSet
from mien.media import images
from mien.media.files import outwait
from mien.media.inputs import FetchedFile, path_of
from mien.media.journal import Stamp, stamp_of
from mien.media.writers import encode_picture
from mien.pixels import F32, U8
from mien.recognize.many import Failure, NoFace, read_many, score_many
from mien.recognize.recognizer import Recognizer
from mien.recognize.results import Picture
from mien.show.annotate import annotate, written_suffix
from mien.show.writing import ENGLISH, Writing

__all__ = ["Caps", "CropReader", "CropReading", "Drawing", "PhotoReader", "PhotoReading"]


@dataclass(frozen=True, slots=True)
class Caps:
    """What a picture may cost.

    Attributes:
        max_pixels: larger pictures fail.
        max_memory: MiB; pictures whose decoding takes more fail.
    """

    max_pixels: int = images.MAX_PIXELS
    max_memory: int = images.MAX_MEMORY


@dataclass(frozen=True, slots=True)
class Drawing:
    """Which pictures are drawn.

    Attributes:
        annotated: the picture with what was read in it.
        heatmap: with the heat map over each face.
        crops: each face's upright crop too.
        writing: the language and the font of what is written on it.
    """

    annotated: bool = False
    heatmap: bool = True
    crops: bool = False
    writing: Writing = ENGLISH


@dataclass(frozen=True, slots=True)
class PhotoReading:
    """What a worker brings back of one photograph.

    Attributes:
        values: the record of the picture, as ``mien predict --json`` writes it.
        text: of it, for people.
        error: why it could not be read.
        stamp: the file's size and time before it was read.
        drawn: picture files: the annotated picture, then the faces' crops; or why there is none.
    """

    values: dict[str, Any]
    text: str = ""
    error: BadImageError | None = None
    stamp: Stamp | None = None
    drawn: tuple[bytes | OutputError, ...] = ()

    @classmethod
    def restored(cls, _path: Path, values: dict[str, Any]) -> "PhotoReading":
        """Return one that was read by an earlier run.

        Args:
            values: from its journal.
        """
        return cls(values)

    def record(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return self.values

    def rows(
        self, labels: LabelSet, regions: bool = False, probabilities: bool = False
    ) -> list[list[str | int | float]]:
        """Return one row a face, as `Picture.rows` does.

        Args:
            labels: the classes of the model.
            regions: also the shares of the evidence.
            probabilities: also those of all classes on one scale.

        Returns:
            Values in the order of `picture_header`, then, if asked for, of `REGIONS_HEADER`
            and of `probability_columns`.
        """
        rows: list[list[str | int | float]] = []
        for number, face in enumerate(self.values.get("faces", ())):  # none where it has an error
            facts = (face["detection"], face["label"], face["confidence"])
            calm = [face["neutral"]] if labels.calm_beside else []
            scores = [face["scores"][name] for name in labels.names]
            shares = [face["regions"].get(name, "") for name in REGIONS] if regions else []
            more = face["probabilities"].values() if probabilities else ()
            start = (self.values["path"], number, *face["box"])
            rows.append([*start, *facts, *calm, *scores, *shares, *more])
        return rows


class PhotoReader:
    """Finds the faces in photographs, reads and draws them; called with some files at a time."""

    def __init__(
        self,
        recognizer: Recognizer,
        heatmap: bool,
        caps: Caps,
        drawing: Drawing,
        text: Callable[[Picture | Failure], str] | None = None,
    ) -> None:
        """Keep what to do; it can be pickled.

        Args:
            recognizer: reads each picture.
            heatmap: also keep the class maps.
            caps: larger pictures fail.
            drawing: which pictures are drawn.
            text: writes a result for people, if that is wanted.
        """
        self._recognizer, self._heatmap, self._caps = recognizer, heatmap, caps
        self._drawing, self._text = drawing, text

    def __call__(self, files: Sequence[Path | FetchedFile]) -> list[PhotoReading]:
        """Read photographs; a reading for each, in order."""
        return [self._read(file) for file in files]

    def _read(self, file: Path | FetchedFile) -> PhotoReading:
        caps = (self._caps.max_pixels, self._caps.max_memory)
        stamp = _stamp_of(file)
        [(rgb, result)] = read_many(self._recognizer, [file], self._heatmap, *caps)
        if isinstance(result, Failure) and outwait(result.error.__cause__):
            [(rgb, result)] = read_many(self._recognizer, [file], self._heatmap, *caps)
        text = self._text(result) if self._text else ""
        if isinstance(result, Failure) or rgb is None:
            error = result.error if isinstance(result, Failure) else None
            return PhotoReading(result.record(), text, error)
        drawn = tuple(_encoded(*picture) for picture in self._drawn(rgb, result))
        return PhotoReading(result.record(), text, None, stamp, drawn)

    def _drawn(self, rgb: U8, picture: Picture) -> Iterator[tuple[U8, str]]:
        """Draw what is wanted, each with the suffix of its file."""
        how = self._drawing
        if not how.annotated:
            return
        drawn = annotate(rgb, picture, heatmap=how.heatmap, lang=how.writing)
        yield drawn, written_suffix(picture.path)
        if how.crops:
            yield from ((face.crop, ".png") for face in picture.faces)


def _stamp_of(file: Path | FetchedFile) -> Stamp | None:
    return stamp_of(file) if isinstance(file, Path) else None


def _encoded(rgb: U8, suffix: str) -> bytes | OutputError:
    try:
        return encode_picture(rgb, suffix)
    except OutputError as error:  # no room for so many pixels in that format
        return error


@dataclass(frozen=True, slots=True)
class CropReading:
    """What a worker brings back of one crop.

    Attributes:
        file: of the crop.
        scores: shape (C,); None if it could not be read or is no face.
        error: why it could not be read.
        stamp: the file's size and time before it was read.
        neutral: how probable it is that the face is calm; None where that was not asked for.
    """

    file: Path | FetchedFile
    scores: F32 | None
    error: BadImageError | None = None
    stamp: Stamp | None = None
    neutral: float | None = None

    @classmethod
    def restored(cls, path: Path, values: list[float] | dict[str, Any] | str) -> "CropReading":
        """Return one that was read by an earlier run.

        Args:
            path: of the crop.
            values: from its journal.
        """
        if isinstance(values, str):
            return cls(path, None)
        own: dict[str, Any] = values if isinstance(values, dict) else {"scores": values}
        return cls(path, np.array(own["scores"], dtype=np.float32), neutral=own.get("neutral"))

    def record(self) -> list[float] | dict[str, Any] | str:
        """Return the scores as they are, JSON-ready; ``no face`` where there are none."""
        if self.scores is None:
            return NO_FACE
        scores = [float(value) for value in self.scores]
        return scores if self.neutral is None else {"scores": scores, "neutral": self.neutral}

    def row(
        self, labels: LabelSet, full: bool = True, more: Sequence[str] = ("label",)
    ) -> list[str]:
        """Return a row of the table of ``mien scores``.

        Args:
            labels: the classes of the model.
            full: all digits instead of two.
            more: columns that follow, in this order: ``label``; ``probabilities``, which need
                `neutral`.

        Returns:
            The file, its scores, empty where there are none, and what else was asked for.
        """
        values = [] if self.scores is None else list(self.scores)
        label = labels.names[int(np.argmax(values))] if values else NO_FACE
        row = [path_of(self.file), *_digits(values, len(labels.names), full)]
        if "label" in more:
            row.append(label)
        if "probabilities" in more:
            calm = self.neutral or 0.0
            shares = labels.probabilities(values, calm).values() if values else ()
            row += _digits(list(map(np.float32, shares)), len(labels.targets), full)
        return row

    def rows(self, labels: LabelSet, more: Sequence[str] = ()) -> list[list[str]]:
        """Return the rows with all digits.

        Args:
            labels: the classes of the model.
            more: as for `row`.

        Returns:
            One.
        """
        return [self.row(labels, more=more)]


def _digits(values: Sequence[np.float32], columns: int, full: bool) -> list[str]:
    """Numbers as text; empty cells where there are none."""
    if not values:
        return [""] * columns
    return [str(value) if full else f"{value:.2f}" for value in values]


class CropReader:
    """Scores face crops; called with a batch of files at a time."""

    def __init__(
        self, recognizer: Recognizer, caps: Caps, reject: bool, calm: bool = False
    ) -> None:
        """Keep what to do; it can be pickled.

        Args:
            recognizer: scores them.
            caps: larger pictures fail.
            reject: leave those without scores on which no face is seen.
            calm: also say how probable it is that each is calm.
        """
        self._recognizer, self._caps, self._reject = recognizer, caps, reject
        self._calm = calm

    def __call__(self, files: Sequence[Path | FetchedFile]) -> list[CropReading]:
        """Score crops; a reading for each, in order."""
        stamps = [_stamp_of(file) for file in files]
        caps = (self._caps.max_pixels, self._caps.max_memory)
        how = (*caps, self._reject, self._calm)
        found = list(score_many(self._recognizer, files, *how))
        if any(isinstance(r, Failure) and outwait(r.error.__cause__) for _, r in found):
            found = list(score_many(self._recognizer, files, *how))
        return [
            self._reading(file, result, stamp)
            for (file, result), stamp in zip(found, stamps, strict=True)
        ]

    def _reading(
        self, file: Path | FetchedFile, result: F32 | Failure | NoFace, stamp: Stamp | None
    ) -> CropReading:
        if isinstance(result, Failure):
            return CropReading(file, None, result.error)
        if isinstance(result, NoFace):
            return CropReading(file, None, None, stamp)
        if not self._calm:
            return CropReading(file, result, None, stamp)
        return CropReading(file, result[:-1], None, stamp, float(result[-1]))
