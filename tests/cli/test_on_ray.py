"""What --ray refuses before anything is read or written; no Ray is started here."""

import socket

import pytest

from tests.support.commands import mien
from tests.support.pictures import encode, folder_of, texture


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return folder_of(tmp_path, {"in/a.png": encode(texture(0), "PNG")})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("predict", "in"), "--ray needs --out"),
        (("scores", "in"), "--ray needs --out"),
        (("predict", "in", "--out", "run", "--crops"), "--ray and --crops do not go together"),
        (("predict", "in", "--out", "run", "--json"), "--ray and --json do not go together"),
        (("predict", "in", "--out", "run", "--csv", "t.csv"), "--ray and --csv do not go"),
        (("scores", "in", "--out", "run", "--parquet", "t.pq"), "--ray and --parquet do not go"),
        (("predict", "in", "--out", "run", "--workers", "1"), "--ray and --workers do not go"),
        (("predict", "in", "--out", "run", "--regions", "--no-heatmap"), "--regions needs heat"),
    ],
)
def test_options_that_need_this_machine_are_wrong_usage(photos, words, said):
    result = mien(*words, "--ray", "local")
    assert (result.exit_code, said in result.stderr) == (2, True)
    assert [path.name for path in photos.iterdir()] == ["in"]


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "s3://bucket/photos"),
        ("predict", "in", "--out", "s3://bucket/run"),
        ("scores", "s3://bucket/photos"),
        ("scores", "in", "--out", "s3://bucket/run"),
    ],
)
def test_an_address_without_ray_is_refused_with_the_next_step(photos, words):
    result = mien(*words)
    assert result.exit_code == 2
    assert "is an address, and only --ray reads and writes object stores" in result.stderr
    assert "try: add --ray local" in result.stderr


@pytest.mark.parametrize("command", ["predict", "scores"])
def test_nobody_at_the_address_is_said_before_anything_is_written(photos, command):
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    result = mien(command, "in", "--ray", address, "--out", "run")
    assert result.exit_code == 1
    assert f"mien: no Ray at {address}" in result.stderr
    assert "try: check the address" in result.stderr
    assert not (photos / "run").exists()
