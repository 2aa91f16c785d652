"""A service with the usual settings, which several files share."""

from importlib.util import find_spec
from pathlib import Path

import pytest

collect_ignore_glob = [] if find_spec("fastapi") else ["test_*.py"]

if find_spec("fastapi"):
    from mien.serve.page_files import POLICY, page_files
    from tests.support.browser import chromium
    from tests.support.browser import served as browser_served
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


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address(request):
    """Where the page is served with the module's `STAND_IN` in place of the engine."""
    files = page_files() | {"mien.js": request.module.STAND_IN}
    with browser_served(files, POLICY) as (address, _asked):
        yield address
