"""What /openapi.json says of answers, held against answers by an independent validator."""

import copy
import json

import pytest
from jsonschema import Draft202012Validator

from mien.labels import LabelSet
from tests.support.onnx_files import three_classes
from tests.support.video_files import clip, swaying
from tests.support.web_server import served


@pytest.fixture(scope="module")
def document(service):
    return service.get("/openapi.json").json()


def closed(document):
    """The document, in which no object may have a member that its shape does not name."""
    document = copy.deepcopy(document)
    for shape in document["components"]["schemas"].values():
        if shape["type"] == "object" and shape["title"] != "Row":  # its classes are the model's
            shape["additionalProperties"] = False
    return document


def validator(document, path, status=200):
    """Of the answers of an address."""
    [operation] = document["paths"][path].values()
    [content] = operation["responses"][str(status)]["content"].values()
    return Draft202012Validator(content["schema"] | {"components": document["components"]})


def test_answers_have_the_shapes_that_the_document_tells_and_no_more(service, document, photo):
    strict = closed(document)
    files = [("files", ("a.jpg", photo)), ("files", ("b.txt", b"no picture"))]
    answers = {
        "/v1/pictures": service.post("/v1/pictures", files=files),
        "/v1/crops": service.post("/v1/crops", files=files),
        **{path: service.get(path) for path in ("/v1/models", "/health", "/ready")},
    }
    for path, answer in answers.items():
        assert answer.status_code == 200
        validator(strict, path).validate(answer.json())
    [face] = answers["/v1/pictures"].json()["pictures"][0]["faces"]
    assert face["label"] == "happiness"
    assert answers["/v1/crops"].json()["scores"][1] is None


def test_so_have_those_of_a_model_of_other_classes(tmp_path, photo):
    own = three_classes(tmp_path / "own.onnx", LabelSet(("open", "asleep", "left"), "resting"))
    with served(threads=1, model=str(own)) as service:
        strict = closed(service.get("/openapi.json").json())
        validator(strict, "/v1/models").validate(service.get("/v1/models").json())
        answer = service.post("/v1/pictures", content=photo).json()
    validator(strict, "/v1/pictures").validate(answer)
    assert len(answer["pictures"][0]["faces"][0]["scores"]) == 3


@pytest.mark.parametrize("form", ["records", "rows"])
def test_every_line_of_a_video_has_one_of_three_shapes(service, document, portrait, tmp_path, form):
    film = clip(tmp_path / "a.mp4", swaying(portrait, 3))
    answer = service.post("/v1/videos", params={"form": form}, content=film.read_bytes())
    lines = list(map(json.loads, answer.text.splitlines()))
    assert len(lines) == 4
    for line in lines:
        validator(closed(document), "/v1/videos").validate(line)


def test_a_refusal_has_the_shape_of_a_problem(service, document):
    answer = service.post("/v1/pictures")
    assert answer.status_code == 422
    validator(closed(document), "/v1/pictures", 422).validate(answer.json())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda face: face.pop("neutral"),
        lambda face: face.update(more=1),
        lambda face: face["box"].pop(),
        lambda face: face["scores"].update(fear=1.5),
    ],
)
def test_an_answer_of_another_shape_would_be_seen(service, document, photo, spoil):
    answer = service.post("/v1/pictures", content=photo).json()
    spoil(answer["pictures"][0]["faces"][0])
    assert not validator(closed(document), "/v1/pictures").is_valid(answer)


def test_examples_have_these_shapes_and_no_shape_is_without_a_use(document):
    used = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in used
    for path, operations in document["paths"].items():
        [operation] = operations.values()
        for status, answer in operation["responses"].items():
            for content in answer["content"].values():
                if "example" in content:
                    validator(document, path, status).validate(content["example"])
