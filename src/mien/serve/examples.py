"""What /docs shows of each address: a summary, how to send, and an answer as an example."""

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response

from mien.errors import MienError, MissingExtraError
from mien.labels import LABELS, PAPER
from mien.serve.problems import RequestError, busy, problem
from mien.serve.schemas import schema_of

__all__ = ["CROPS", "EXPLAIN", "HEALTH", "METRICS", "MODELS", "PICTURES", "READY", "VIDEOS"]

_DATA_URL = "data:image/jpeg;base64,/9j/4AAQ..."
_FILE = {"type": "string", "format": "binary"}
_ANY_FILE = "application/octet-stream"  # of any format that mien reads; clients know how to send it
_SCORES = dict(zip(LABELS, (0.9801, 0.0042, 0.0021, 0.0015, 0.0101, 0.002), strict=True))
_FACE = {
    "box": [170, 60, 280, 210],
    "landmarks": [[199.1, 118.4], [249.5, 113.2], [226.3, 146.1], [206.2, 173.3], [251.6, 169.0]],
    "detection": 0.9324,
    "label": "happiness",
    "confidence": 0.9801,
    "scores": _SCORES,
    "neutral": 0.0123,
    "regions": {"mouth": 0.61, "cheeks": 0.22},
    "probabilities": {
        name: round(value, 4)
        for name, value in PAPER.probabilities(list(_SCORES.values()), 0.0123).items()
    },
}
_RECORD = {"path": "photo.jpg", "width": 512, "height": 512, "faces": [_FACE]}
_MODEL = {
    "name": "miennet",
    "parameters": 1_148_263,
    "multiply_adds": 69_637_024,
    "metrics": {},
    "licence": "Weights: CC BY-NC 4.0, for research",
    "sha256": "0123...",
    "in_use": True,
}
_UNREADABLE = {"path": "notes.txt", "error": "not a picture: notes.txt"}
# Refusals as the gate and the addresses word them.
_SEND = (
    'send a picture file as the body, multipart parts called files, or {"pictures": [data URLs]}'
)
_SEND_VIDEO = "send the video file as the body, or as one multipart part called files"
_NO_JSON = RequestError(
    HTTPStatus.BAD_REQUEST, "no valid JSON: Expecting value: line 1 column 1 (char 0)", _SEND
)
_NO_TOKEN = RequestError(
    HTTPStatus.UNAUTHORIZED,
    "the token is missing or wrong",
    "send the header Authorization: Bearer TOKEN, with the token of mien serve",
)
_FOREIGN = RequestError(
    HTTPStatus.FORBIDDEN,
    "a page of another origin may not call",
    "start mien serve with --allow-origin and the page's scheme and host",
)
_LATE = RequestError(
    HTTPStatus.REQUEST_TIMEOUT,
    "the body did not arrive within 30 s",
    "send it faster, or a smaller one",
)
_LARGE = RequestError(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "the body has more than 33,554,432 bytes",
    "send less, or start mien serve with a higher --max-bytes",
)
_LARGE_VIDEO = RequestError(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "the body has more than 67,108,864 bytes",
    "send less, or start mien serve with a higher --max-video-bytes",
)
_PACKED = RequestError(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "a body with Content-Encoding: gzip",
    "send the body as it is, without Content-Encoding",
)
_NO_PICTURE = RequestError(422, "no picture was sent", _SEND)
_NO_VIDEO = RequestError(422, "no video was sent", _SEND_VIDEO)
_NO_EXTRA = MissingExtraError("/v1/videos", "video")
_BUSY = busy("17 requests are in work or waiting", 2)


def _sent(one: str, many: bool) -> dict[str, Any]:
    """The ways to send pictures."""
    files = {"type": "array", "items": _FILE, "minItems": 1} if many else _FILE
    listed: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    if not many:
        listed["maxItems"] = 1
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": _holding("files", files)},
                _ANY_FILE: {"schema": _FILE | {"description": one}},
                "application/json": {
                    "schema": _holding("pictures", listed),
                    "example": {"pictures": [_DATA_URL]},
                },
            },
        }
    }


def _holding(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """An object with one member, which must be there."""
    return {"type": "object", "properties": {name: schema}, "required": [name]}


def _answers(
    media_type: str, example: object, schema: dict[str, Any], *refusals: MienError
) -> dict[int, Any]:
    """A good answer, and the problems that are to be expected."""
    shown = {"schema": schema} | ({} if example is None else {"example": example})
    answers: dict[int, Any] = {200: {"content": {media_type: shown}, "description": "The answer."}}
    refused = schema_of("Problem")
    for refusal in refusals:
        status, data, headers = problem(refusal)
        content = {dict(headers)["content-type"]: {"schema": refused, "example": json.loads(data)}}
        answers[status] = {"description": _WHY[status], "content": content}
    return answers


_WHY = {
    400: "The JSON cannot be understood.",
    401: "The token is missing or wrong.",
    403: "A page of another origin may not call.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is packed.",
    422: "What was sent cannot be used.",
    501: "An extra is not installed.",
    503: "Too many requests; Retry-After says when to try again.",
}
_DOOR = (_NO_TOKEN, _FOREIGN)
_USUAL = (_NO_JSON, *_DOOR, _LATE, _LARGE, _PACKED, _NO_PICTURE, _BUSY)


def _address(
    summary: str, answers: dict[int, Any], extra: dict[str, Any] | None = None
) -> dict[str, Any]:
    is_json = "application/json" in answers[200]["content"]
    return {
        "summary": summary,
        "response_model": None,
        "response_class": JSONResponse if is_json else Response,
        "responses": answers,
        "openapi_extra": extra,
    }


PICTURES = _address(
    "Faces and expressions in pictures",
    _answers(
        "application/json",
        {"pictures": [_RECORD, _UNREADABLE]},
        schema_of("Pictures"),
        *_USUAL,
    ),
    _sent("The picture file itself.", many=True),
)
CROPS = _address(
    "Scores of face crops",
    _answers(
        "application/json",
        {"labels": LABELS, "scores": [list(_SCORES.values())], "errors": []},
        schema_of("Crops"),
        *_USUAL,
    ),
    _sent("The face crop itself.", many=True),
)
EXPLAIN = _address(
    "A figure of where the evidence for an expression lies in a face",
    _answers("image/png", None, _FILE, *_USUAL),
    _sent("The picture file itself.", many=False),
)
VIDEOS = _address(
    "Faces and expressions in a video, as JSON lines",
    _answers(
        "application/jsonl",
        {"time_s": 0.04, "frame": 1, "faces": [{"track": 1, **_FACE}]},
        schema_of("Frame", "Row", "End") | {"description": "Of each line."},
        *(*_DOOR, _LATE, _LARGE_VIDEO, _PACKED, _NO_VIDEO, _NO_EXTRA, _BUSY),
    ),
    {
        "requestBody": {
            "required": True,
            "content": {
                _ANY_FILE: {"schema": _FILE},
                "multipart/form-data": {"schema": _holding("files", _FILE)},
            },
        }
    },
)
MODELS = _address(
    "The models in the package",
    _answers(
        "application/json",
        {"models": [_MODEL], "labels": LABELS, "methods": ["grad-cam"]},
        schema_of("Models"),
        *_DOOR,
    ),
)
HEALTH = _address(
    "Whether the process answers",
    _answers("application/json", {"status": "ok"}, schema_of("Health")),
)
READY = _address(
    "Whether another request would be let in",
    _answers(
        "application/json",
        {"status": "ready", "inside": 0, "places": 18},
        schema_of("Ready"),
        _BUSY,
    ),
)
METRICS = _address(
    "Numbers for Prometheus", _answers("text/plain", None, {"type": "string"}, *_DOOR)
)
