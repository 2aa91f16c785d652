"""The page on the service: its Python runs, and its addresses and options are the real ones."""

import re
from pathlib import Path

import click
import pytest

from mien.cli import cli
from tests.support.commands import mien

pytest.importorskip("fastapi", reason="the web extra is not installed")

from mien.serve.settings import Settings
from tests.support.web_server import served

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def service():
    with served(threads=1) as running:
        yield running


def test_every_address_of_the_page_is_there_and_no_other(service):
    named = set(re.findall(r"`(?:POST|GET|WS) (/[a-z0-9/]+)`", PAGE)) | {"/ready"}
    documented = set(service.get("/openapi.json").json()["paths"])
    assert named == documented | {"/v1/live"}


def test_every_option_of_the_page_exists_with_the_default_that_it_says():
    command = cli.get_command(None, "serve")
    params = {option: p for p in command.get_params(click.Context(command)) for option in p.opts}
    named = set(re.findall(r"--(?:max-|allow-)?[a-z]+(?:-[a-z]+)?(?=[ `])", PAGE)) - {
        "--data-binary",
        "--json",
        "--root-path",
    }
    assert named <= params.keys()
    assert "16 | requests" in PAGE
    usual = Settings()
    for option, field in {
        "--queue": "queue", "--max-bytes": "max_bytes", "--max-pixels": "max_pixels",
        "--max-memory": "max_memory", "--max-pictures": "max_pictures", "--timeout": "timeout_s",
        "--max-faces": "max_faces", "--max-videos": "max_videos", "--max-live": "max_live",
        "--max-video-bytes": "max_video_bytes", "--max-video-time": "max_video_s",
    }.items():  # fmt: skip
        assert params[option].default == getattr(usual, field), option


def test_without_its_extra_the_command_says_which_one(monkeypatch):
    monkeypatch.setattr("mien.cli._shared.find_spec", lambda name: None)
    result = mien("serve")
    assert result.exit_code == 1
    assert 'pip install "mien[web]"' in result.stderr
