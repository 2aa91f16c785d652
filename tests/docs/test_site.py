"""The site builds without a warning and without a network; a browser searches it from the disk."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the site extra is not installed")
pytest.importorskip("furo")
pytest.importorskip("myst_parser")

from tests.support.browser import chromium

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
pytestmark = pytest.mark.slow
WIDTHS = (390, 1440)  # pixels: a phone, a screen

# What makes a browser fetch: attributes of elements, and addresses in style sheets. Not `a href`.
FETCHES = re.compile(
    r"""<(?:script|img|iframe|source|video|embed|object)\b[^>]*?\b(?:src|data)\s*=\s*["']([^"']+)
    |<link\b[^>]*?\bhref\s*=\s*["']([^"']+)
    |url\(\s*["']?([^"')]+)
    |@import\s+["']([^"']+)""",
    re.VERBOSE,
)


def fetched(text):
    """The addresses that a page or a style sheet fetches by itself."""
    return [next(filter(None, groups)) for groups in FETCHES.findall(text)]


def is_outside(address):
    return re.match(r"(?:[a-z]+:)?//", address) is not None


def build(source, out):
    words = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    return subprocess.run(
        [*words, str(source), str(out)], capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    done = build(DOCS, out)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return out


def test_every_page_is_on_the_site_and_in_its_contents(site):
    pages = {path.stem for path in DOCS.glob("*.md")}
    assert pages <= {path.stem for path in site.glob("*.html")}
    index = (site / "index.html").read_text(encoding="utf-8")
    listed = set(
        re.findall(r'<li class="toctree-l1"><a class="reference internal" href="([\w-]+)', index)
    )
    assert listed == pages - {"index"}


def test_no_page_fetches_anything_from_outside(site):
    files = [path for path in site.rglob("*") if path.suffix in {".html", ".css"}]
    found = {
        (path.name, address)
        for path in files
        for address in fetched(path.read_text(encoding="utf-8"))
        if is_outside(address)
    }
    assert found == set()
    assert len(files) > 30


@pytest.mark.parametrize(
    ("text", "outside"),
    [
        ('<script src="https://cdn.example.org/x.js"></script>', True),
        ('<link rel="stylesheet" href="//fonts.example.org/css">', True),
        ("<style>@import 'http://example.org/a.css'</style>", True),
        ("body { background: url(https://example.org/a.png) }", True),
        ('<img alt="a" src="_images/demo.png">', False),
        ('<a href="https://example.org">a link is no fetch</a>', False),
    ],
)
def test_what_counts_as_fetched_from_outside(text, outside):
    assert any(map(is_outside, fetched(text))) == outside


def test_the_reference_has_every_public_name_with_its_parameters(site):
    sys.path.append(str(DOCS))
    import names

    page = (site / "api.html").read_text(encoding="utf-8")
    documented = set(re.findall(r'<dt class="sig sig-object py" id="([\w.]+)"', page))
    assert {f"{path}.{name}" for path, name, _ in names.public_names()} <= documented
    assert "mien.Recognizer.read" in documented


def test_links_to_other_places_are_listed_and_not_followed(site):
    lines = (site / "outside-links.txt").read_text(encoding="utf-8").splitlines()
    listed = dict(line.split("  ", 1) for line in lines)
    assert listed["https://arxiv.org/abs/2402.15662"].split() == ["for-students", "paper"]


def test_each_link_that_leads_nowhere_stops_the_build(tmp_path):
    """In one build: it stops for whatever it warns of, so it must warn of each."""
    wrong = ("two.md", "no-such-heading", "gone.png")
    page = "# One\n\n[a](two.md)\n\n[a](#no-such-heading)\n\n![a](gone.png)\n"
    (tmp_path / "index.md").write_text(page, encoding="utf-8")
    settings = (DOCS / "conf.py").read_text(encoding="utf-8")
    settings = settings.replace("Path(__file__).parents[1]", f"Path({str(ROOT)!r})")
    settings = settings.replace('["static"]', "[]").replace('["site.css"]', "[]")
    (tmp_path / "conf.py").write_text(settings, encoding="utf-8")
    done = build(tmp_path, tmp_path / "out")
    assert done.returncode != 0
    warnings = [line for line in done.stderr.splitlines() if "WARNING: " in line]
    for problem in wrong:
        assert sum(problem in line for line in warnings) == 1, done.stderr


@pytest.mark.browser
def test_a_browser_searches_the_site_from_the_disk_and_no_page_is_wider_than_the_screen(site):
    with chromium() as browser:
        page = browser.new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{site.as_uri()}/search.html?q=journal")
            page.wait_for_selector("#search-results li a")
            found = page.locator("#search-results li a").evaluate_all("all => all.map(a => a.href)")
            assert any("many.html" in address for address in found)
        wide = []
        for file in sorted(site.glob("*.html")):
            page.goto(file.as_uri())
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                if page.evaluate("document.documentElement.scrollWidth") > width:
                    wide.append((file.name, width))
        assert wide == []
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
