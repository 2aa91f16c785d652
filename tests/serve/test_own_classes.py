"""The service with a model of other classes names them in every answer."""

import json

import numpy as np
import pytest

from mien.labels import LabelSet
from mien.media.images import read_rgb
from mien.recognize.columns import video_header
from mien.recognize.recognizer import Recognizer
from tests.support.onnx_files import three_classes
from tests.support.video_files import clip, swaying
from tests.support.web_server import served

BESIDE = LabelSet(("open", "asleep", "left"), "resting")


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return three_classes(tmp_path_factory.mktemp("own") / "own.onnx", BESIDE)


@pytest.fixture(scope="module")
def service(own):
    with served(threads=1, model=str(own)) as running:
        yield running


def test_pictures_and_crops_have_the_classes_of_the_model(service, own, photo, photo_path):
    recognizer = Recognizer(own, threads=1)
    sent = [("files", ("a.jpg", photo))]
    [answered] = service.post("/v1/pictures", files=sent).json()["pictures"]
    [face] = recognizer.read(photo_path).faces
    assert answered["faces"][0]["scores"] == pytest.approx(face.scores, abs=1e-4)
    crops = service.post("/v1/crops", files=sent).json()
    assert crops["labels"] == list(BESIDE.names)
    expected = recognizer.classify([read_rgb(photo_path)])
    np.testing.assert_allclose(crops["scores"], expected, atol=1e-6)
    assert service.get("/v1/models").json()["labels"] == list(BESIDE.names)


def test_an_explanation_takes_their_names_and_no_others(service, photo):
    query = {"method": "occlusion", "label": "asleep"}
    good = service.post("/v1/explain", params=query, content=photo)
    assert good.status_code == 200
    assert good.content[:8] == b"\x89PNG\r\n\x1a\n"
    bad = service.post("/v1/explain", params=query | {"label": "fear"}, content=photo)
    assert bad.status_code == 422
    assert "no expression called 'fear'" in bad.json()["detail"]


def test_rows_of_a_film_have_their_columns(service, portrait, tmp_path):
    film = clip(tmp_path / "talk.mp4", swaying(portrait, 3))
    answer = service.post("/v1/videos", params={"form": "rows"}, content=film.read_bytes())
    rows = [json.loads(line) for line in answer.text.splitlines()][:-1]
    assert [tuple(row) for row in rows] == [video_header(BESIDE)] * 3
