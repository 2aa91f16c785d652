"""What recognition returns: frozen, checked, in named units.

A `Picture`, or a `VideoFrame`, has `Face`s, of `mien.recognize.face`. Each knows its own rows and
record. Knows nothing of files, models and drawing.
"""

from dataclasses import dataclass, field
from typing import Any

from mien.faces.regions import REGIONS
from mien.labels import PAPER, LabelSet
from mien.pixels import U8
from mien.recognize.columns import (
    as_data_frame,
    labels_of,
    picture_header,
    probability_columns,
    video_header,
)
from mien.recognize.face import Face
from mien.values import Result

__all__ = [
    "CSV_HEADER",
    "REGIONS_HEADER",
    "VIDEO_HEADER",
    "Face",
    "Picture",
    "VideoFrame",
    "picture_header",
    "probability_columns",
    "video_header",
]

CSV_HEADER, VIDEO_HEADER = picture_header(PAPER), video_header(PAPER)
REGIONS_HEADER = tuple(f"on_{name}" for name in REGIONS)  # columns that may follow


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
        return as_data_frame(picture_header(labels_of(self)), self.rows(), library)

    def record(self) -> dict[str, Any]:
        """Return the picture as JSON-ready values."""
        return {
            "path": self.path,
            "width": self.width,
            "height": self.height,
            "faces": [face.record() for face in self.faces],
        }

    def rows(
        self, regions: bool = False, probabilities: bool = False
    ) -> list[list[str | int | float]]:
        """Return one CSV row a face.

        Args:
            regions: also the shares of the evidence; "" for a face that was read without maps.
            probabilities: also those of all classes on one scale.

        Returns:
            Values in the order of `picture_header`, then, if asked for, of `REGIONS_HEADER`
            and of `probability_columns`.
        """
        rows: list[list[str | int | float]] = []
        for number, face in enumerate(self.faces):
            own = face.regions if regions else {}  # they cost more than all else in a row
            shares = [own.get(name, "") for name in REGIONS] if regions else []
            more = face.rounded_probabilities.values() if probabilities else ()
            rows.append([self.path, number, *face.row(), *shares, *more])
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
        return as_data_frame(video_header(labels_of(self)), self.rows(), library)

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
