"""The next step after a refusal is one that a client of the service, or who runs it, can take."""

import re

import click
import pytest

from mien.cli import cli
from mien.explain import METHODS
from mien.serve import engine
from mien.show import fonts
from tests.support.onnx_files import channels_model
from tests.support.pictures import encode, png, texture
from tests.support.web_server import problem_of, served


@pytest.fixture
def no_fonts(monkeypatch):
    """No language but English can be written."""
    monkeypatch.setattr(fonts, "_fonts_here", lambda _language: iter(()))
    fonts.find_font.cache_clear()
    yield
    fonts.find_font.cache_clear()


def assert_can_be_done(fix):
    command = cli.get_command(None, "serve")
    params = command.get_params(click.Context(command))
    options = {name for param in params for name in param.opts}
    assert set(re.findall(r"--[a-z][a-z-]*", fix)) <= options, fix
    assert set(re.findall(r"\bmien (?!serve\b)\w+", fix)) == set(), fix


@pytest.mark.parametrize(
    ("query", "fix"),
    [
        ({"method": "integrated-gradients"}, "use cam, grad-cam, "),
        ({"method": "integrated-gradient"}, "use cam, "),
        ({"method": "gradcam"}, "use grad-cam"),
        ({"label": "joy"}, "use "),
        ({"lang": "xx"}, "use "),
        ({"lang": "zh"}, "install a font"),
        ({"face": 3}, "0 is the largest"),
    ],
)
@pytest.mark.usefixtures("no_fonts")
def test_of_a_figure(service, photo, query, fix):
    told = problem_of(service.post("/v1/explain", params=query, content=photo))
    assert told["status"] == 422
    assert told["fix"].startswith(fix)
    assert "integrated" not in told["fix"]
    assert_can_be_done(told["fix"])


@pytest.mark.parametrize(
    ("name", "data", "fix"),
    [
        ("a.jpg", encode(texture(3, 120)), "send a face crop with crop=true"),  # no face
        ("a.mp4", b"no picture", "send a video to /v1/videos"),
        ("a.txt", b"no picture", "give a JPEG, PNG"),
        ("a.png", png(6_000, 6_000), "shrink it"),
    ],
)
def test_of_a_picture_that_cannot_be_explained(service, name, data, fix):
    told = problem_of(service.post("/v1/explain", files={"files": (name, data)}))
    assert told["status"] == 422
    assert told["fix"].startswith(fix)
    assert_can_be_done(told["fix"])


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"no video",
    ],
)
def test_of_what_is_no_video(service, data):
    told = problem_of(service.post("/v1/videos", content=data))
    assert (told["status"], told["fix"]) == (
        422,
        "give a video file such as .mp4, .mov, .avi or .webm",
    )


def test_a_model_that_returns_only_logits_offers_what_needs_no_more(tmp_path, photo):
    (tmp_path / "m.onnx").write_bytes(channels_model())
    with served(threads=1, model=str(tmp_path / "m.onnx")) as service:
        assert service.get("/v1/models").json()["methods"] == ["occlusion"]
        for method in METHODS:
            answer = service.post("/v1/explain", params={"method": method}, content=photo)
            if method == "occlusion":
                assert answer.status_code == 200
                continue
            told = problem_of(answer)
            assert (told["status"], told["fix"]) == (422, "use occlusion")


def test_methods_are_tried_by_few_passes_through_the_network(recognizer, monkeypatch):
    passes = []
    source = engine.source_of(recognizer.model)
    whole = recognizer.model.tensors

    def counted(batch, outputs):
        passes.append(len(batch))
        return whole(batch, outputs)

    monkeypatch.setattr(source.model, "tensors", counted)
    assert set(METHODS) - set(engine.usable_methods(source)) == {"integrated-gradients"}
    assert sum(passes) <= len(METHODS)
