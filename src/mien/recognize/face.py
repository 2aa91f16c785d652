"""What recognition returns of one face: frozen, checked, in named units.

A `Face` has a `Box`, five landmarks, a score for each class and the class maps. It has two kinds of
numbers. `scores` are the paper's: of the scored classes alone, summing to 1 also where the face is
calm. `probabilities` are what people are shown: all classes, the calm one too, on one scale. Knows
nothing of files, models and drawing.
"""

from dataclasses import dataclass
from typing import Any

from mien.errors import UnknownNameError
from mien.faces import align
from mien.faces.boxes import Box, Detection
from mien.faces.regions import named_shares
from mien.labels import NO_FACE, PAPER, USUAL, LabelSet, Rule
from mien.pixels import F32, SIDE, U8, to_heat
from mien.values import Result

__all__ = ["Face"]


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
        """Return label, its probability and box in a few words."""
        place = ", ".join(f"{edge:.0f}" for edge in self.box.as_list())
        track = "" if self.track is None else f", track {self.track}"
        return f"<Face {self.label} {self.probability:.2f} at ({place}){track}>"

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
        """The probability of each scored class by name; they sum to 1, also of a calm face."""
        return {label: float(v) for label, v in zip(self.labels.names, self.values, strict=True)}

    @property
    def probabilities(self) -> dict[str, float]:
        """Of everything that the face may show, calm too: one scale, summing to 1.

        Where the calm class lies beside the scored ones, as neutral beside the six, these are the
        scores times 1 - `neutral`, then `neutral`; else they are the scores.
        """
        return self.labels.probabilities(self.values.tolist(), self.neutral)

    @property
    def rounded_probabilities(self) -> dict[str, float]:
        """`probabilities` with the four digits that tables and JSON have."""
        return {name: round(value, 4) for name, value in self.probabilities.items()}

    @property
    def probability(self) -> float:
        """Of `label` among `probabilities`; of `expression` if ``uncertain``; 0 for ``no face``."""
        if not self.is_face:
            return 0.0
        known = self.probabilities
        return known.get(self.label, known[self.expression])

    @property
    def named(self) -> dict[str, float]:
        """What people are shown as the name of the face: `label` with its `probability`.

        Where a calm class beside the scores is more probable than that, but not as probable as the
        rule asks of a calm face, its name and probability follow: else the bars would contradict
        the label. A rule that calls no face calm (`six`) names the label alone.
        """
        said = {self.label: self.probability}
        may_be_calm = self.is_face and self.labels.calm_beside and self.rule.neutral_above < 1
        if may_be_calm and self.neutral > self.probability:
            said.setdefault(self.labels.calm, float(self.neutral))
        return said

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
        """How sure `label` is: `neutral`, or the best of `scores`; 0 for ``no face``.

        The two are not of one scale: a score is of a face that is not calm. What is drawn and
        printed is `probability`.
        """
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
        return named_shares(to_heat(self.maps[int(self.values.argmax())], SIDE), on_grid)

    @property
    def sentence(self) -> str:
        """What the face shows, and where the evidence for it lies, in words."""
        from mien.recognize.notebook import face_sentence

        return face_sentence(self)

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
                face was read without maps, or by a model that returns none.
        """
        if self.maps is None:
            raise ValueError(
                "this face has no maps: call read(..., heatmap=True), with a model that gives them"
            )
        names = self.labels.names
        if label is not None and label not in names:
            if label == self.labels.calm:
                raise ValueError(f"there is a map for each of {', '.join(names)}, none for {label}")
            raise UnknownNameError(f"expression (there are {', '.join(names)})", str(label), names)
        return to_heat(self.maps[names.index(label or self.expression)], self.crop.shape[0])

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
            "probabilities": self.rounded_probabilities,
        }

    def row(self) -> list[str | int | float]:
        """Return box, detection, label, confidence and scores as a row of `picture_header` has."""
        calm = [self.neutral] if self.labels.calm_beside else []
        digits = (self.confidence, *calm, *self.scores.values())
        detection = round(self.detection.confidence, 4)
        scores = [round(value, 4) for value in digits]
        return [*self.box.as_list(), detection, self.label, *scores]
