"""A service with the usual settings, which several files share."""

from importlib.util import find_spec
from pathlib import Path

import pytest

collect_ignore_glob = [] if find_spec("fastapi") else ["test_*.py"]

if find_spec("fastapi"):
    from tests.support.web_server import served

PORTRAIT = Path(__file__).parents[2] / "src" / "mien" / "pictures" / "eileen_collins.jpg"


@pytest.fixture(scope="session")
def service():
    with served(threads=1) as running:
        yield running


@pytest.fixture(scope="session")
def photo():
    """The bytes of the portrait in the package."""
    return PORTRAIT.read_bytes()


@pytest.fixture(scope="session")
def photo_path():
    return PORTRAIT
