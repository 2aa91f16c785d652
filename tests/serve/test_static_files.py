"""Files in memory: types, gzip where it is asked for, 304 for what a browser has."""

import gzip

import pytest
from starlette.requests import Request

from mien.serve.page_files import POLICY
from mien.serve.static_files import StaticFiles

TEXT = b"let a = 1;\n" * 200
FILES = {
    "index.html": b"<!doctype html>" + b" " * 2000,
    "mien.js": TEXT,
    "engine.wasm": b"\0asm" + bytes(2000),
    "small.css": b"a{}",
    "photo.png": bytes(5000),
    "model.onnx": bytes(5000),
    "deep/words.json": b"{}" + b" " * 2000,
    "strange.xyz": bytes(10),
}


@pytest.fixture(scope="module")
def files():
    return StaticFiles(FILES, POLICY)


def ask(files, name, **headers):
    raw = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    return files.response(name, Request({"type": "http", "headers": raw}))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("mien.js", "text/javascript; charset=utf-8"),
        ("engine.wasm", "application/wasm"),
        ("small.css", "text/css; charset=utf-8"),
        ("photo.png", "image/png"),
        ("model.onnx", "application/octet-stream"),
        ("deep/words.json", "application/json"),
        ("strange.xyz", "application/octet-stream"),
    ],
)
def test_a_file_comes_whole_and_with_its_type(files, name, kind):
    response = ask(files, name)
    assert (response.status_code, response.body) == (200, FILES[name])
    assert response.headers["content-type"] == kind
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*", "GZIP", "gzip;q=1.0"])
def test_gzip_where_it_is_asked_for(files, accepted):
    response = ask(files, "mien.js", accept_encoding=accepted)
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "accept-encoding"
    assert gzip.decompress(response.body) == TEXT
    assert len(response.body) < 200
    assert int(response.headers["content-length"]) == len(response.body)


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.000", "identity"])
def test_no_gzip_where_it_is_not(files, accepted):
    response = ask(files, "mien.js", accept_encoding=accepted)
    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "accept-encoding"  # another answer to another client


@pytest.mark.parametrize("name", ["photo.png", "small.css"])
def test_what_gzip_does_not_make_smaller_is_sent_as_it_is(files, name):
    assert ask(files, name, accept_encoding="gzip").body == FILES[name]


def test_what_the_client_has_is_not_sent_again(files):
    plain = ask(files, "mien.js").headers["etag"]
    zipped = ask(files, "mien.js", accept_encoding="gzip").headers["etag"]
    assert plain != zipped
    again = ask(files, "mien.js", if_none_match=f'"other", W/{plain}')
    assert (again.status_code, again.body, again.headers["etag"]) == (304, b"", plain)
    assert ask(files, "mien.js", if_none_match=zipped).status_code == 200
    other = StaticFiles({"mien.js": TEXT + b" "}, POLICY)
    assert ask(other, "mien.js", if_none_match=plain).status_code == 200
    assert ask(files, "mien.js").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["", "no.js", "../index.html", "/etc/passwd", "deep", "INDEX.HTML"]
)
def test_what_is_not_in_the_table_is_not_there(files, name):
    assert ask(files, name) is None


def test_a_page_may_run_no_script_but_its_own_files(files):
    policy = ask(files, "index.html").headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert rules["connect-src"] == "'self'"
    assert "unsafe-inline" not in policy
    assert "content-security-policy" not in ask(files, "mien.js").headers
