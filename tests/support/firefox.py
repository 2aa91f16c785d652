"""Firefox with a page in it, driven by WebDriver BiDi over a WebSocket: no driver is downloaded.

Needs Firefox 132 or newer, and websockets (the extra `web`); a test without them is skipped.
"""

import json
import os
import re
import shutil
import subprocess
import time
from contextlib import contextmanager

import pytest

__all__ = ["PATIENCE_S", "Firefox", "firefox"]

PATIENCE_S = 120  # machines of tests may be slow
_PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "intl.accept_languages": "en-US, en",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}


class Firefox:
    """A tab: goes to an address, runs functions, takes files; notes what is logged as an error."""

    def __init__(self, socket):
        self._socket, self._last, self.faults = socket, 0, []
        self._call("session.new", capabilities={})
        [tab] = self._call("browsingContext.getTree")["contexts"]
        self._tab = tab["context"]
        self._call("session.subscribe", events=["log.entryAdded"])

    def _call(self, method, **params):
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv(timeout=PATIENCE_S))
            if said.get("method") == "log.entryAdded" and said["params"]["level"] == "error":
                self.faults.append(said["params"]["text"])
            if said.get("id") == self._last:
                assert said["type"] == "success", said
                return said["result"]

    def goto(self, address):
        self._call("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def evaluate(self, function):
        """What a function of JavaScript without arguments returns, by way of JSON."""
        told = self._call(
            "script.callFunction",
            functionDeclaration=f"async () => JSON.stringify((await ({function})()) ?? null)",
            awaitPromise=True,
            target={"context": self._tab},
        )
        assert told["type"] == "success", told
        return json.loads(told["result"]["value"])

    def until(self, function):
        """Wait until a function returns something true; return it."""
        end = time.monotonic() + PATIENCE_S
        while not (given := self.evaluate(function)):
            assert time.monotonic() < end, function
            time.sleep(0.1)
        return given

    def give(self, selector, path):
        """Choose a file."""
        locator = {"type": "css", "value": selector}
        found = self._call("browsingContext.locateNodes", context=self._tab, locator=locator)
        element = {"sharedId": found["nodes"][0]["sharedId"]}
        self._call("input.setFiles", context=self._tab, element=element, files=[str(path)])


@contextmanager
def firefox(folder):
    """A browser with a profile of its own in a folder, if there is one."""
    client = pytest.importorskip("websockets.sync.client", reason="needs websockets (web)")
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        pytest.skip("needs Firefox: apt-get install --no-install-recommends firefox-esr")
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in _PREFERENCES.items()]
    (folder / "user.js").write_text("\n".join(lines), encoding="utf-8")
    words = [path, "--headless", "--no-remote", "--profile", str(folder)]
    words.append("--remote-debugging-port=0")
    own = os.environ | {"HOME": str(folder)}
    with (folder / "log.txt").open("wb") as log:
        started = subprocess.Popen(words, env=own, stdout=subprocess.DEVNULL, stderr=log)
    try:
        address = _address(folder / "log.txt", started)
        with client.connect(f"{address}/session", max_size=None) as socket:
            yield Firefox(socket)
    finally:
        started.terminate()
        started.wait(30)


def _address(log, started):
    """Where the browser listens, once it has said so."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and started.poll() is None:
        text = log.read_text(encoding="utf-8", errors="replace")
        if said := re.search(r"WebDriver BiDi listening on (ws://\S+)\s", text):
            return said[1]
        time.sleep(0.1)
    pytest.skip(f"Firefox does not listen: {log.read_text(encoding='utf-8')[-300:]}")
