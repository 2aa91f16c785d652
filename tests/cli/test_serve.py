import threading

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("fastapi_swagger")

from tests.support.commands import mien

ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def browser(monkeypatch):
    """A browser that notes what it is asked to open; a service that is up at once."""
    asked, opened = [], threading.Event()

    def open_address(address):
        asked.append(address)
        opened.set()
        return False

    def run_server(settings, host, port, workers, say):
        say(ADDRESS)

    monkeypatch.setattr("webbrowser.open", open_address)
    monkeypatch.setattr("mien.serve.server.run_server", run_server)
    return asked, opened


def test_the_page_is_opened_once_it_is_there_and_only_if_asked_for(browser):
    asked, opened = browser
    result = mien("serve")
    assert (result.exit_code, asked) == (0, [])
    assert f"mien serves at {ADDRESS}" in result.stdout
    mien("serve", "--open")
    assert opened.wait(60)
    assert asked == [ADDRESS]
