"""The shapes of the answers as JSON Schema, for clients that are generated from /openapi.json.

They describe what `record` of the library's results returns; answers do not pass through them.

Source: OpenAPI 3.1, whose schemas are those of JSON Schema 2020-12.
"""

from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

__all__ = ["add_schemas", "schema_of"]

_PLACE = "#/components/schemas/{model}"
_Share = Annotated[float, Field(ge=0, le=1)]
_ByClass = dict[str, _Share]
_Point = Annotated[list[float], Field(min_length=2, max_length=2)]


class Face(BaseModel):
    """One face; places are in pixels of the picture, upright."""

    box: list[float] = Field(min_length=4, max_length=4, description="Left, top, right, bottom.")
    landmarks: list[_Point] = Field(
        min_length=5,
        max_length=5,
        description="Eyes, tip of the nose, corners of the mouth, as x, y; from the left.",
    )
    detection: _Share = Field(description="How sure it is that this is a face.")
    label: str = Field(description="The most probable class, a calm one, or uncertain.")
    confidence: _Share = Field(description="The largest of scores.")
    scores: _ByClass = Field(description="Of the classes but neutral; they sum to 1.")
    neutral: _Share = Field(description="The probability of a calm face; 0 if it is not known.")
    regions: dict[str, _Share] = Field(
        description="Shares of the evidence on parts of the face; empty without maps."
    )
    probabilities: _ByClass = Field(description="Of all classes, neutral too; they sum to 1.")


class Picture(BaseModel):
    """One picture and the faces in it."""

    path: str = Field(description="The name that the client gave the file, or its number.")
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    faces: list[Face]


class Unreadable(BaseModel):
    """One picture that could not be read."""

    path: str
    error: str


class Pictures(BaseModel):
    """Records in the order of the pictures that were sent."""

    pictures: list[Picture | Unreadable]


class Crops(BaseModel):
    """Scores in the order of the crops that were sent."""

    labels: list[str] = Field(description="The classes, in the order of the scores.")
    scores: list[list[_Share] | None] = Field(description="null for one that cannot be read.")
    errors: list[Unreadable]


class FollowedFace(Face):
    """One face of a video."""

    track: int | None = Field(description="The number that stays with the face.")


class Frame(BaseModel):
    """A line of a video with form=records."""

    time_s: float = Field(ge=0)
    frame: int = Field(ge=0, description="How many frames were shown before it.")
    faces: list[FollowedFace]


class Row(BaseModel):
    """A line of a video with form=rows: the columns of the CSV, the classes among them."""

    time_s: float = Field(ge=0)
    frame: int = Field(ge=0)
    track: int | None
    label: str
    confidence: _Share


class Summary(BaseModel):
    """How the reading of a video ended."""

    frames: int = Field(ge=0)
    damaged: int = Field(ge=0)
    mended: int = Field(ge=0)
    missing_s: float = Field(ge=0)
    left_out: list[str]
    cut: str | None = Field(description="Why the answer was cut off; null if it is whole.")


class End(BaseModel):
    """The last line of a video; an answer without it is not whole."""

    end: Summary


class KnownModel(BaseModel):
    """One model; what its card does not say is null."""

    name: str
    parameters: int | None
    multiply_adds: int | None
    metrics: dict[str, Any] | None
    licence: str | None
    sha256: str
    in_use: bool


class Models(BaseModel):
    """The models in the package and the one in use."""

    models: list[KnownModel]
    labels: list[str] = Field(description="The classes of the model in use.")
    methods: list[str] = Field(description="What /v1/explain can do with it.")


class Health(BaseModel):
    """The process answers."""

    status: str


class Ready(BaseModel):
    """Another request would be let in."""

    status: str
    inside: int = Field(ge=0, description="Requests in work or waiting.")
    places: int = Field(gt=0)


class Problem(BaseModel):
    """A refusal, RFC 9457."""

    title: str
    status: int
    detail: str = Field(description="What was got, and what was expected.")
    fix: str = Field(description="What to do next.")


_SHAPES = (Pictures, Crops, Frame, Row, End, Models, Health, Ready, Problem)


def schema_of(*names: str) -> dict[str, Any]:
    """Refer to shapes by name.

    Args:
        names: of the classes above.

    Returns:
        A schema: of one of them, or of any of several.

    Example:
        >>> schema_of("Problem")
        {'$ref': '#/components/schemas/Problem'}
    """
    told = [{"$ref": _PLACE.format(model=name)} for name in names]
    return told[0] if len(told) == 1 else {"anyOf": told}


def add_schemas(app: FastAPI) -> None:
    """Put the shapes into the document of an application.

    Args:
        app: whose responses refer to them.
    """
    _, shapes = models_json_schema(
        [(shape, "serialization") for shape in _SHAPES], ref_template=_PLACE
    )
    plain = app.openapi

    def document() -> dict[str, Any]:
        told = plain()
        told.setdefault("components", {}).setdefault("schemas", {}).update(shapes["$defs"])
        return told

    app.openapi = document  # type: ignore[method-assign]
