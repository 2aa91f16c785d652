"""What /docs shows of each address: a summary, how to send, and an answer as an example."""

from typing import Any

from starlette.responses import JSONResponse, Response

from mien.explain import METHODS
from mien.labels import LABELS, PAPER

__all__ = ["CROPS", "EXPLAIN", "HEALTH", "METRICS", "MODELS", "PICTURES", "READY", "VIDEOS"]

_DATA_URL = "data:image/jpeg;base64,/9j/4AAQ..."
_FILE = {"type": "string", "format": "binary"}
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
_UNREADABLE = {"path": "notes.txt", "error": "not a picture: notes.txt"}
_PROBLEM = {
    "title": "Service Unavailable",
    "status": 503,
    "detail": "too busy: 18 requests are in work or waiting",
    "fix": "try again in 2 s",
}


def _sent(one: str, many: bool) -> dict[str, Any]:
    """The ways to send pictures."""
    files = {"type": "array", "items": _FILE} if many else _FILE
    listed: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    if not many:
        listed["maxItems"] = 1
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"files": files}}
                },
                "image/jpeg": {"schema": _FILE | {"description": one}},
                "application/json": {
                    "schema": {"type": "object", "properties": {"pictures": listed}},
                    "example": {"pictures": [_DATA_URL]},
                },
            },
        }
    }


def _answers(media_type: str, example: object, *statuses: int) -> dict[int, Any]:
    """A good answer, and the problems that are to be expected."""
    shown: dict[str, Any] = {} if example is None else {"example": example}
    answers: dict[int, Any] = {200: {"content": {media_type: shown}, "description": "The answer."}}
    for status in statuses:
        content = {"application/problem+json": {"example": _PROBLEM}}
        answers[status] = {"description": _WHY[status], "content": content}
    return answers


_WHY = {
    401: "The token is missing or wrong.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    422: "What was sent cannot be used.",
    501: "An extra is not installed.",
    503: "Too many requests; Retry-After says when to try again.",
}
_USUAL = (401, 408, 413, 422, 503)


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
    _answers("application/json", {"pictures": [_RECORD, _UNREADABLE]}, *_USUAL),
    _sent("The picture file itself.", many=True),
)
CROPS = _address(
    "Scores of face crops",
    _answers(
        "application/json",
        {"labels": LABELS, "scores": [list(_SCORES.values())], "errors": []},
        *_USUAL,
    ),
    _sent("The face crop itself.", many=True),
)
EXPLAIN = _address(
    f"A figure of the evidence, by one of {', '.join(METHODS)}",
    _answers("image/png", None, *_USUAL),
    _sent("The picture file itself.", many=False),
)
VIDEOS = _address(
    "Faces and expressions in a video, as JSON lines",
    _answers(
        "application/jsonl",
        {"time_s": 0.04, "frame": 1, "faces": [{"track": 1, **_FACE}]},
        *_USUAL,
        501,
    ),
    {
        "requestBody": {
            "required": True,
            "content": {
                "video/mp4": {"schema": _FILE},
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"files": _FILE}}
                },
            },
        }
    },
)
MODELS = _address(
    "The models in the package",
    _answers("application/json", {"models": [{"name": "miennet", "in_use": True}]}, 401),
)
HEALTH = _address("Whether the process answers", _answers("application/json", {"status": "ok"}))
READY = _address(
    "Whether another request would be let in",
    _answers("application/json", {"status": "ready", "inside": 0, "places": 18}, 503),
)
METRICS = _address("Numbers for Prometheus", _answers("text/plain", None, 401))
