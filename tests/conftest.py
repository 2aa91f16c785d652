"""Fixtures that several test files share, and the order of the files."""

import os
from pathlib import Path

import pytest
from skimage import data

from mien import Recognizer
from mien.faces.detect import Detector
from tests.support.faulty_folder import plant_every_fault
from tests.support.prepared_folder import write_crops


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Of several processes let none have slow tests at the end: their files come first."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def portrait():
    """Eileen Collins by NASA, public domain: shape (512, 512, 3), one smiling face."""
    picture = data.astronaut()
    picture.flags.writeable = False
    return picture


@pytest.fixture(scope="session")
def detector():
    return Detector()


@pytest.fixture(scope="session")
def recognizer():
    return Recognizer(threads=1)


@pytest.fixture(scope="session")
def data_dir():
    """The folder of research databases, see the marker ``data``."""
    folder = Path(os.environ.get("MIEN_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no research databases in {folder}: set MIEN_DATA to their folder")
    return folder


@pytest.fixture
def clean_folder(tmp_path):
    """Forty-two pictures of seven classes in train and fourteen in test, all different."""
    return write_crops(tmp_path / "data", train=6, test=2)


@pytest.fixture
def dirty(clean_folder):
    """The same with one of every fault."""
    return plant_every_fault(clean_folder)
