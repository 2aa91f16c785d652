"""Chromium with the page in it, and a server of its files that notes what is asked for.

Needs playwright (the dev extra) and Debian's chromium; a test that has not got them is skipped.
"""

import base64
import gzip
import io
import mimetypes
import shutil
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from PIL import Image

from tests.support.local_server import listening

PATIENCE = 120_000  # ms; machines of tests may be slow
_AXE = Path(__file__).with_name("axe.min.js.gz")  # axe-core 4.14.1, MPL 2.0
_ARGUMENTS = [
    "--no-sandbox",  # as root, in a container
    "--disable-gpu",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@contextmanager
def chromium(*arguments):
    """A browser, if there is one."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (dev)")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium: apt-get install --no-install-recommends chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=path, args=[*_ARGUMENTS, *arguments], handle_sigint=False
        )
        yield browser
        browser.close()


@contextmanager
def opened(browser, address, **options):
    """The page of mien, ready; a fault in its scripts fails the test."""
    options = {"locale": "en-US", "accept_downloads": True} | options
    context = browser.new_context(**options)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#loading", state="hidden", timeout=PATIENCE)
    yield page
    assert faults == []
    context.close()


def violations(page):
    """What axe finds wrong on a page, as the rule and the beginning of the element."""
    page.add_script_tag(content=gzip.decompress(_AXE.read_bytes()).decode())
    found = page.evaluate("() => axe.run({resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['html'][:90]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@contextmanager
def served(files, policy=None):
    """Serve files by name; yield the address and the list of (method, path) asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(("GET", self.path))
            name = self.path.split("?")[0].lstrip("/") or "index.html"
            data = files.get(name)
            self.send_response(404 if data is None else 200)
            kind = "text/javascript" if name.endswith(".mjs") else mimetypes.guess_type(name)[0]
            self.send_header("Content-Type", kind or "application/octet-stream")
            self.send_header("Content-Length", str(len(data or b"")))
            if policy:
                self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(data or b"")

        def do_POST(self):
            asked.append(("POST", self.path))
            self.send_error(405)

        def log_message(self, *_):
            pass

    with listening(Handler) as address:
        yield address, asked


def picture_address(rgb):
    """A picture as an address that holds it, without loss."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


class Engine:
    """The engine of the page in an empty page of its own."""

    _OPEN = "async () => { window.mien = await (await import('/mien.js')).Mien.open(); }"
    _READ = """async ([address, time]) => {
      const blob = await (await fetch(address)).blob();
      const result = await (time === null ? mien.read(blob) : mien.frame(blob, time));
      for (const face of result.faces) {
        face.gray = [...face.gray];
        face.maps = face.maps ? [...face.maps.values] : null;
      }
      return result;
    }"""

    def __init__(self, page, address):
        self._page = page
        page.goto(f"{address}/empty.html")
        page.evaluate(self._OPEN)

    def restart(self, choice="FILM"):
        """Begin another video, searched as follow.js names it."""
        begin = "async (choice) => mien.restart((await import('/follow.js'))[choice])"
        self._page.evaluate(begin, choice)

    def read(self, rgb, time=None):
        """The faces of a picture, or with a time of the next frame; milliseconds by stage."""
        result = self._page.evaluate(self._READ, [picture_address(rgb), time])
        return result["faces"], result["ms"]


@contextmanager
def engine(browser, files):
    """The engine with these files of the page."""
    with served(files | {"empty.html": b"<!doctype html><title>empty</title>"}) as (address, _):
        page = browser.new_page()
        yield Engine(page, address)
        page.close()
