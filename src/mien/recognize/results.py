"""What recognition returns: frozen, checked, in named units.

A `Picture`, or a `VideoFrame`, has `Face`s; a `Face` has a `Box`, five landmarks, a score for each
class and the class maps. Each knows its own rows and record. Knows nothing of files, models and
drawing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mien.errors import UnknownNameError
from mien.faces import align
from mien.faces.boxes import Box, Detection
from mien.faces.regions import REGIONS, named_shares, words
from mien.labels import NO_FACE, PAPER, USUAL, LabelSet, Rule
from mien.pixels import F32, SIDE, U8, enlarge
from mien.recognize.columns import picture_header, video_header
from mien.values import Result

__all__ = [
    "CSV_HEADER",
    "REGIONS_HEADER",
    "VIDEO_HEADER",
    "Face",
    "Picture",
    "VideoFrame",
    "picture_header",
    "video_header",
]

CSV_HEADER, VIDEO_HEADER = picture_header(PAPER), video_header(PAPER)
REGIONS_HEADER = tuple(f"on_{name}" for name in REGIONS)  # columns that may follow


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Face(Result):
    """What was read in one face.

    Attributes:
        detection: box, landmarks and the detector's confidence.
        values: shape (C,), the scores in the order of `labels.names`, in [0, 1], summing to 1.
        neutral: probability in [0, 1] that the face is calm: its own where the calm class lies
            beside the names, that class's score where it is one of them, 0 where there is none.
        maps: shape (C, h, w), evidence for each class over the crop, in logits; or None.
        crop: shape (side, side, 3), RGB, the upright crop that the network saw (as grey).
        to_crop: shape (2, 3), the affine transform from picture to crop pixels.
        rule: when `label` is neutral or uncertain.
        track: in a video, the number that this face keeps from frame to frame; else None.
        is_face: False if it is none after all, see `Recognizer(reject=True)`.
        measured: False if the scores are those of an earlier frame, see `video.Choice.every`.
        labels: the classes of the model; C = 6 for the paper's.
    """

    detection: Detection
    values: F32
    neutral: float
    crop: U8
    to_crop: F32
    maps: F32 | None = None
    rule: Rule = USUAL
    track: int | None = None
    is_face: bool = True
    measured: bool = True
    labels: LabelSet = PAPER

    def __post_init__(self) -> None:
        """Check shapes and that the scores are probabilities."""
        count = len(self.labels.names)
        if self.values.shape != (count,):
            raise ValueError(f"values must have shape ({count},), got {self.values.shape}")
        if not abs(float(self.values.sum()) - 1) <= 1e-3:  # not > 1e-3: NaN is refused too
            raise ValueError(f"values must sum to 1, got {self.values.sum():.4f}: apply softmax")

    def __repr__(self) -> str:
        """Return label, confidence and box in a few words."""
        place = ", ".join(f"{edge:.0f}" for edge in self.box.as_list())
        track = "" if self.track is None else f", track {self.track}"
        return f"<Face {self.label} {self.confidence:.2f} at ({place}){track}>"

    def _repr_html_(self) -> str:
        """Show the face in a notebook."""
        from mien.recognize.notebook import faces_html

        return faces_html("", [self])

    @property
    def box(self) -> Box:
        """Where the face is, in pixels of the picture."""
        return self.detection.box

    @property
    def landmarks(self) -> F32:
        """Shape (5, 2): eyes, nose tip, mouth corners, in pixels of the picture."""
        return self.detection.landmarks

    @property
    def scores(self) -> dict[str, float]:
        """The probability of each class by name; they sum to 1."""
        return {label: float(v) for label, v in zip(self.labels.names, self.values, strict=True)}

    @property
    def expression(self) -> str:
        """The most probable of the scored classes, even when the face is calm."""
        return self.labels.names[int(self.values.argmax())]

    @property
    def label(self) -> str:
        """The most probable class, ``neutral`` or ``uncertain``, or ``no face``."""
        if not self.is_face:
            return NO_FACE
        return self.rule.label(self.values.tolist(), self.neutral, self.labels)

    @property
    def confidence(self) -> float:
        """The probability of `label`: `neutral`, or the best score; 0 for ``no face``."""
        if not self.is_face:
            return 0.0
        is_calm = self.labels.calm_beside and self.label == self.labels.calm
        return float(self.neutral) if is_calm else float(self.values.max())

    @property
    def regions(self) -> dict[str, float]:
        """Share of the evidence for `expression` on each part of the face; {} without maps."""
        if self.maps is None:
            return {}
        landmarks = self.landmarks @ self.to_crop[:, :2].T + self.to_crop[:, 2]
        on_grid = align.rescale(landmarks, SIDE / self.crop.shape[0])
        return named_shares(_normalised(self.maps[int(self.values.argmax())], SIDE), on_grid)

    @property
    def sentence(self) -> str:
        """What the face shows, and where the evidence for it lies, in words."""
        if not self.is_face:
            return NO_FACE
        head = f"{self.label} {self.confidence:.2f}"
        if self.label != self.expression:
            together = self.labels.together
            head += f", of {together} {self.expression} {float(self.values.max()):.2f}"
        return head if self.maps is None else f"{head}: {words(self.regions)}"

    def heatmap(self, label: str | None = None) -> F32:
        """Return where in the crop the evidence for an expression lies.

        Args:
            label: one of `labels.names`; by default `expression`.

        Returns:
            shape (side, side) of `crop`, float32 in [0, 1]; the strongest place is 1, and all is 0
            where nothing speaks for the expression.

        Raises:
            UnknownNameError: if `label` is none of them.
            ValueError: if it is a calm class beside them, as ``neutral``, which has no map, or the
                face was read without maps.
        """
        if self.maps is None:
            raise ValueError("this face was read without heat maps: call read(..., heatmap=True)")
        names = self.labels.names
        if label is not None and label not in names:
            if label == self.labels.calm:
                raise ValueError(f"there is a map for each of {', '.join(names)}, none for {label}")
            raise UnknownNameError(f"expression (there are {', '.join(names)})", str(label), names)
        return _normalised(self.maps[names.index(label or self.expression)], self.crop.shape[0])

    def record(self) -> dict[str, Any]:
        """Return the face as JSON-ready values, named as in the documented output."""
        return {
            "box": self.box.as_list(),
            "landmarks": [[round(float(v), 1) for v in point] for point in self.landmarks],
            "detection": round(self.detection.confidence, 4),
            "label": self.label,
            "confidence": round(self.confidence, 4),
            "scores": {label: round(v, 4) for label, v in self.scores.items()},
            "neutral": round(self.neutral, 4),
            "regions": self.regions,
        }

    def row(self) -> list[str | int | float]:
        """Return box, detection, label, confidence and scores as a row of `picture_header` has."""
        calm = [self.neutral] if self.labels.calm_beside else []
        digits = (self.confidence, *calm, *self.scores.values())
        detection = round(self.detection.confidence, 4)
        scores = [round(value, 4) for value in digits]
        return [*self.box.as_list(), detection, self.label, *scores]


def _normalised(coarse: F32, side: int) -> F32:
    """Enlarge a coarse map bilinearly to (side, side), keep what is positive, scale to [0, 1]."""
    fine: F32 = enlarge(coarse, side, side).clip(min=0).astype(np.float32)
    top = float(fine.max())
    return fine / np.float32(top) if top > 0 else fine


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Picture(Result):
    """One picture and the faces in it.

    Attributes:
        path: where it came from, or "" for an array.
        width: pixels.
        height: pixels.
        faces: largest first; empty when there is no face.
        labels: the classes of the model, for a table without faces.
    """

    path: str
    width: int
    height: int
    faces: tuple[Face, ...] = field(default_factory=tuple)
    labels: LabelSet = PAPER

    def __repr__(self) -> str:
        """Return name, size and labels in a few words."""
        from mien.recognize.notebook import faces_text

        size = f"{self.width}x{self.height}"
        return f"<Picture {self.path or 'array'} {size}: {faces_text(self.faces)}>"

    def _repr_html_(self) -> str:
        """Show the faces in a notebook."""
        from mien.recognize.notebook import faces_html

        return faces_html(repr(self)[1:-1], self.faces)

    def to_frame(self, library: str | None = None) -> Any:
        """Return a row a face as a DataFrame, with the columns of `picture_header`.

        Args:
            library: ``pandas`` or ``polars``; by default the first of them that is installed.

        Returns:
            ``pandas.DataFrame`` or ``polars.DataFrame``; without rows for a picture without faces.
            Of many pictures: ``pandas.concat(p.to_frame() for p in pictures)``.

        Raises:
            MissingExtraError: if neither library is installed.
            UnknownNameError: if there is no such library.

        Example:
            >>> import mien, skimage.data
            >>> mien.Recognizer().read(skimage.data.astronaut()).to_frame()["label"].to_list()
            ['happiness']
        """
        return _to_frame(picture_header(_labels_of(self)), self.rows(), library)

    def record(self) -> dict[str, Any]:
        """Return the picture as JSON-ready values."""
        return {
            "path": self.path,
            "width": self.width,
            "height": self.height,
            "faces": [face.record() for face in self.faces],
        }

    def rows(self, regions: bool = False) -> list[list[str | int | float]]:
        """Return one CSV row a face.

        Args:
            regions: also the shares of the evidence; "" for a face that was read without maps.

        Returns:
            Values in the order of `picture_header`, then of `REGIONS_HEADER` if asked for.
        """
        rows: list[list[str | int | float]] = []
        for number, face in enumerate(self.faces):
            own = face.regions if regions else {}  # they cost more than all else in a row
            shares = [own.get(name, "") for name in REGIONS] if regions else []
            rows.append([self.path, number, *face.row(), *shares])
        return rows


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class VideoFrame(Result):
    """One frame of a video and the faces in it.

    Attributes:
        number: how many frames were shown before it.
        time_s: when it is shown, in seconds from the first frame on.
        faces: each with its `track`; empty when there is no face.
        rgb: shape (H, W, 3), uint8, RGB: its pixels, upright.
        labels: the classes of the model, for a table without faces.
    """

    number: int
    time_s: float
    faces: tuple[Face, ...]
    rgb: U8
    labels: LabelSet = PAPER

    def __repr__(self) -> str:
        """Return number, time and labels in a few words."""
        from mien.recognize.notebook import faces_text

        return f"<VideoFrame {self.number} at {self.time_s:.3f} s: {faces_text(self.faces)}>"

    def _repr_html_(self) -> str:
        """Show the faces in a notebook."""
        from mien.recognize.notebook import faces_html

        return faces_html(repr(self)[1:-1], self.faces)

    def to_frame(self, library: str | None = None) -> Any:
        """Return a row a face as a DataFrame, with the columns of `video_header`.

        Args:
            library: ``pandas`` or ``polars``; by default the first of them that is installed.

        Returns:
            ``pandas.DataFrame`` or ``polars.DataFrame``.

        Raises:
            MissingExtraError: if neither library is installed.
            UnknownNameError: if there is no such library.
        """
        return _to_frame(video_header(_labels_of(self)), self.rows(), library)

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.rgb.shape[0])

    def record(self) -> dict[str, Any]:
        """Return the frame as JSON-ready values."""
        faces = [{"track": face.track, **face.record()} for face in self.faces]
        return {"time_s": round(self.time_s, 3), "frame": self.number, "faces": faces}

    def rows(self) -> list[list[str | int | float | None]]:
        """Return one CSV row a face, in the order of `video_header`."""
        start = (f"{self.time_s:.3f}", self.number)
        return [[*start, face.track, *face.row()] for face in self.faces]


def _labels_of(read: Picture | VideoFrame) -> LabelSet:
    return read.faces[0].labels if read.faces else read.labels


def _to_frame(header: tuple[str, ...], rows: Iterable[Sequence[Any]], library: str | None) -> Any:
    from mien.media.data_frames import data_frame
    from mien.recognize.columns import columns_of

    return data_frame(columns_of(header), rows, library)
