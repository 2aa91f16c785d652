"""The columns of every table of faces, with type, unit and meaning.

docs/many.md shows this list. A column has one meaning, in whichever of these tables it is. The
other tables, and what reads a table back, are in `mien.table_kinds`.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mien.faces.regions import REGIONS
from mien.labels import LABELS, NEUTRAL, PAPER, UNCERTAIN, LabelSet
from mien.media.data_frames import Column, data_frame

if TYPE_CHECKING:
    from mien.recognize.results import Picture, VideoFrame

__all__ = [
    "COLUMNS",
    "as_data_frame",
    "columns_of",
    "labels_of",
    "picture_header",
    "probability_columns",
    "score_columns",
    "share_columns",
    "video_header",
]

_EDGE = "edge of the box around the face; may lie outside the picture"
_SCORE = "that the face shows it, if it is not neutral; the six sum to 1"
_OF_ALL = "that the face shows it; the six and neutral sum to 1"

COLUMNS: dict[str, Column] = {
    "path": Column("text", "the picture's file, as it was named"),
    "filepath": Column("text", "the crop's file, as it was named"),
    "film": Column("text", "the film's file, as it was named"),
    "face": Column("integer", "number of the face in its picture, the largest is 0"),
    "time_s": Column("number", "when the frame is shown, from the first frame on", "s"),
    "frame": Column("integer", "number of the frame in the film, from 0"),
    "track": Column("integer", "number that a face keeps from frame to frame"),
    "left": Column("number", f"left {_EDGE}", "px"),
    "top": Column("number", f"upper {_EDGE}", "px"),
    "right": Column("number", f"right {_EDGE}", "px"),
    "bottom": Column("number", f"lower {_EDGE}", "px"),
    "detection": Column("number", "that it is a face, by the detector", "probability"),
    "label": Column("text", "one of the six, neutral, uncertain or no face"),
    "confidence": Column("number", "of the label", "probability"),
    "neutral": Column("number", "that the face shows none of the six", "probability"),
    **{label: Column("number", _SCORE, "probability") for label in LABELS},
    **{
        f"on_{name}": Column("number", "of the evidence that lies there", "share")
        for name in REGIONS
    },
    **{f"p_{label}": Column("number", _OF_ALL, "probability") for label in PAPER.targets},
    "measured": Column("integer", "1 if the scores are of this frame, 0 if of an earlier one"),
    "start_s": Column("number", "when it is shown first", "s"),
    "end_s": Column("number", "when it is shown no longer", "s"),
    "seconds": Column("number", "how long it is shown; of a film all faces added up", "s"),
    **{
        f"share_{word}": Column("number", f"of that time with the label {word}", "share")
        for word in (*LABELS, NEUTRAL, UNCERTAIN)
    },
    "changes": Column("integer", "from one label to another, without a gap"),
    "changes_per_minute": Column("number", "changes in a minute of that time", "1/min"),
    "transitions": Column("text", "each kind of change with its number"),
    "error": Column("text", "why the picture could not be read; all others but its file are empty"),
}


_OWN_SCORE = Column("number", "that the face shows it, of one's own classes", "probability")
_OWN_PROBABILITY = Column(
    "number", "that the face shows it; one's own classes sum to 1", "probability"
)
_OWN_SHARE = Column("number", "of that time with that label", "share")


def score_columns(labels: LabelSet, others: Collection[str] = ()) -> tuple[str, ...]:
    """Name the columns that the probabilities of a face have.

    Args:
        labels: the classes.
        others: columns that the table has beside those of faces.

    Returns:
        That of a calm class beside the names, then those of the names. A class called as another
        column is ``score_NAME``.

    Example:
        >>> score_columns(LabelSet(("left", "right"), "straight")), score_columns(PAPER)[:2]
        (('straight', 'score_left', 'score_right'), ('neutral', 'happiness'))
        >>> score_columns(LabelSet(("fold", "crease")), others=("fold",))
        ('score_fold', 'crease')
    """
    names = ([labels.calm] if labels.calm_beside else []) + list(labels.names)
    return tuple(f"score_{n}" if n in _FACTS or n in others else n for n in names)


_OF_A_FACE = ("left", "top", "right", "bottom", "detection", "label", "confidence")


def picture_header(labels: LabelSet) -> tuple[str, ...]:
    """Name the columns of a table of pictures.

    Args:
        labels: the classes of the model that read them.

    Returns:
        Those of `mien.recognize.results.CSV_HEADER` for the paper's six and neutral.
    """
    return ("path", "face", *_OF_A_FACE, *score_columns(labels))


def video_header(labels: LabelSet) -> tuple[str, ...]:
    """Name the columns of a table of frames.

    Args:
        labels: the classes of the model that read them.

    Returns:
        Those of `mien.recognize.results.VIDEO_HEADER` for the paper's six and neutral.
    """
    return ("time_s", "frame", "track", *_OF_A_FACE, *score_columns(labels))


def probability_columns(labels: LabelSet) -> tuple[str, ...]:
    """Name the columns of the probabilities on one scale, which a table may have last.

    Args:
        labels: the classes.

    Returns:
        One for each name, then one for a calm class beside them.

    Example:
        >>> probability_columns(LabelSet(("left", "right"), "straight"))
        ('p_left', 'p_right', 'p_straight')
    """
    return tuple(f"p_{name}" for name in labels.targets)


def share_columns(labels: LabelSet) -> tuple[str, ...]:
    """Name the columns of how long a face was called what.

    Args:
        labels: the classes.

    Returns:
        One for each name, for a calm class beside them, and for ``uncertain``.
    """
    return tuple(f"share_{name}" for name in (*labels.targets, UNCERTAIN))


_FACTS = COLUMNS.keys() - {*PAPER.targets}


def columns_of(header: Iterable[str]) -> dict[str, Column]:
    """Return the columns of a table.

    Args:
        header: their names, of `COLUMNS`; others are those of classes of one's own.

    Returns:
        By name, in the order of the header.
    """
    starts = {"share_": _OWN_SHARE, "p_": _OWN_PROBABILITY}
    own = {name: starts.get(name[: name.find("_") + 1], _OWN_SCORE) for name in header}
    return {name: COLUMNS.get(name, column) for name, column in own.items()}


def labels_of(read: "Picture | VideoFrame") -> LabelSet:
    """Return the classes of a picture's or frame's faces; without faces its model's.

    Args:
        read: the picture or frame.

    Returns:
        The classes.
    """
    return read.faces[0].labels if read.faces else read.labels


def as_data_frame(header: Iterable[str], rows: Iterable[Sequence[Any]], library: str | None) -> Any:
    """Return rows as a DataFrame with the types of their columns.

    Args:
        header: names of the columns.
        rows: values in their order.
        library: ``pandas`` or ``polars``; by default the first of them that is installed.

    Returns:
        ``pandas.DataFrame`` or ``polars.DataFrame``.

    Raises:
        MissingExtraError: if neither library is installed.
        UnknownNameError: if there is no such library.
    """
    return data_frame(columns_of(header), rows, library)
