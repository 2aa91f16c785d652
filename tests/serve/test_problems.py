"""Which status an error becomes."""

import json

import pytest

from mien.errors import BadImageError, MissingExtraError, OutputError, UnknownNameError
from mien.serve.problems import RequestError, busy, problem


@pytest.mark.parametrize(
    ("error", "status", "detail", "fix"),
    [
        (BadImageError("no picture", "send one"), 422, "no picture", "send one"),
        (UnknownNameError("method", "camm", ["cam"]), 422, "no method called 'camm'", "use cam"),
        (MissingExtraError("it", "video"), 501, "it needs the video extra",
         'pip install "mien[video]"'),
        (OutputError("full", "make room"), 500, "full", "make room"),
        (RequestError(413, "long", "shorten"), 413, "long", "shorten"),
        (busy("many", 1.2), 503, "too busy: many", "try again in 2 s"),
    ],
)  # fmt: skip
def test_an_error_becomes_its_problem(error, status, detail, fix):
    code, data, headers = problem(error)
    told = json.loads(data)
    assert (code, told["status"], told["detail"], told["fix"]) == (status, status, detail, fix)
    assert dict(headers)["content-type"] == "application/problem+json"
    assert dict(headers)["content-length"] == str(len(data))
    assert dict(headers).get("retry-after") == ("2" if status == 503 else None)
