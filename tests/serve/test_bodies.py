"""What a body holds, sent in every way there is, by clients of every kind."""

import base64
import encodings
import json

import numpy as np
import pytest

from tests.support.pictures import encode
from tests.support.web_server import problem_of

EDGE = "frontier"
FORM = {"content-type": f"multipart/form-data; boundary={EDGE}"}
JSON = {"content-type": "application/json"}


def part(data, name=b"files", filename=b"a.jpg"):
    said = b'form-data; name="%s"' % name
    if filename is not None:
        said += b'; filename="%s"' % filename
    return b"--%s\r\nContent-Disposition: %s\r\n\r\n%s\r\n" % (EDGE.encode(), said, data)


def form(*parts):
    return b"".join(parts) + b"--%s--\r\n" % EDGE.encode()


def url(data, kind="image/jpeg"):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.fixture(scope="module")
def small(portrait):
    """A file with one face."""
    return encode(portrait[:240, 100:340])


@pytest.fixture
def post(service):
    def send(content, headers=None):
        return service.post("/v1/pictures", content=content, headers=headers or {})

    return send


def test_three_ways_to_send_give_the_same_faces(post, small):
    answers = [
        post(form(part(small)), FORM),
        post(json.dumps({"pictures": [url(small)]}), JSON),
        post(small, {"content-type": "image/jpeg"}),
        post(small),  # no type at all
        post(small, {"content-type": "application/x-www-form-urlencoded"}),  # as curl sends it
    ]
    records = [answer.json()["pictures"] for answer in answers]
    assert [len(found) for found in records] == [1] * 5
    assert [found[0].pop("path") for found in records] == ["a.jpg", "0", "0", "0", "0"]
    assert records[0][0]["faces"][0]["label"] == "happiness"
    assert all(found == records[0] for found in records)


def test_names_come_back_as_they_were_sent_whatever_their_letters(post, small):
    names = [b"caf\xe9.jpg", "café.jpg".encode(), b"\xff\xfe.jpg", b"../../etc/passwd", b""]
    found = post(form(*(part(small, filename=name) for name in names)), FORM).json()["pictures"]
    # what is no UTF-8 is read as Latin-1; a file without a name has its number
    assert [record["path"] for record in found] == [
        "café.jpg", "café.jpg", "ÿþ.jpg", "../../etc/passwd", "4"
    ]  # fmt: skip
    assert all(len(record["faces"]) == 1 for record in found)


def test_one_that_cannot_be_read_is_named_and_the_others_are_read(post, small):
    body = form(part(small), part(b"words", filename=b"notes.txt"), part(b"", filename=b"none.png"))
    good, words, empty = post(body, FORM).json()["pictures"]
    assert len(good["faces"]) == 1
    assert words == {"path": "notes.txt", "error": "not a picture: notes.txt"}
    assert empty == {"path": "none.png", "error": "not a picture: none.png"}


@pytest.mark.parametrize(
    "entry",
    ["/etc/passwd", "photo.jpg", "file:///etc/passwd", "http://127.0.0.1:1/x.jpg", 7, None, ["x"]],
)
def test_paths_and_addresses_are_refused_without_a_look_at_them(post, small, entry, monkeypatch):
    opened = []
    monkeypatch.setattr("mien.media.images.open_regular", lambda *_: opened.append(1))
    refused, read = post(json.dumps({"pictures": [entry, url(small)]}), JSON).json()["pictures"]
    assert refused == {
        "path": "0",
        "error": "picture 0 is no data URL; paths and addresses are never opened",
    }
    assert len(read["faces"]) == 1
    assert opened == []


@pytest.mark.parametrize("entry", ["data:image/png;base64,???", "data:image/png;base64,QUJ"])
def test_what_is_no_base64_is_named(post, entry):
    [record] = post(json.dumps({"pictures": [entry]}), JSON).json()["pictures"]
    assert record["error"].startswith("picture 0 is no valid base64")


@pytest.mark.parametrize(
    ("content", "status", "detail"),
    [
        (b"{", 400, "no valid JSON"),
        (b'{"pictures": ["\xff"]}', 400, "no valid JSON"),
        (b"[1]", 422, "no list called pictures"),
        (b'{"pictures": "x"}', 422, "no list called pictures"),
        (b'{"pictures": []}', 422, "no picture was sent"),
        (b'{"pictures": NaN}', 400, "no valid JSON"),
        (b'{"pictures": ' + b"9" * 5000 + b"}", 400, "no valid JSON"),
        (b'{"pictures": {"a": ' * 30 + b"1" + b"}" * 30, 400, "no valid JSON"),  # deep
        (b"[" * 100_000, 422, "more than 64 pictures"),
        (b'{"pictures": [' + b"0," * 500_000 + b"0]}", 422, "more than 64 pictures"),
        (b'{"pictures": [' + b"0," * 64 + b"0]}", 422, "more than 64 pictures"),
        (b"", 400, "no valid JSON"),
    ],
)
def test_json_that_is_wrong_deep_or_huge(post, content, status, detail):
    told = problem_of(post(content, JSON))
    assert told["status"] == status
    assert detail in told["detail"]


def test_64_pictures_of_the_longest_form_are_not_too_many(post):
    dot = url(encode(np.zeros((1, 1, 3), np.uint8), "PNG"), "image/png;charset=utf-8")
    found = post(json.dumps({"pictures": [dot] * 64}), JSON).json()["pictures"]
    assert [record["faces"] for record in found] == [[]] * 64


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (form(*[part(b"x")] * 10_000), "more than 64 pictures"),
        (form(*[part(b"x", filename=None)] * 10_000), "a part called 'files' without a filename"),
        (form(part(b"x" * 70_000, filename=None)), "a part called 'files' without a filename"),
        (form(part(b"x", name=b"image")), "a part called 'image'"),
        (form(b"--frontier\r\nX: y\r\n\r\nz\r\n"), "Content-Disposition"),
        (b"no form at all", "no valid multipart form"),
        (part(b"x") + part(b"y")[:-3], "cut off before its end"),
        (form(), ""),
    ],
)
def test_forms_that_are_wrong_or_flood(post, body, detail):
    told = problem_of(post(body, FORM))
    assert (told["status"], detail in told["detail"]) == (422, True), told


@pytest.mark.parametrize("path", ["/v1/explain", "/v1/videos"])
def test_where_one_is_wanted_two_are_refused_with_what_helps(service, path):
    told = problem_of(service.post(path, content=form(part(b"x"), part(b"y")), headers=FORM))
    assert (told["detail"], told["fix"]) == ("more than one file was sent", "send one alone")


def test_what_is_wrong_with_the_form_of_a_video_is_told_with_how_to_send_a_video(service):
    told = problem_of(service.post("/v1/videos", content=b"no form at all", headers=FORM))
    assert told["fix"].startswith("send the video file as the body")


def test_a_form_without_a_boundary_is_refused(post):
    told = problem_of(post(form(part(b"x")), {"content-type": "multipart/form-data"}))
    assert told["detail"] == "no valid multipart form: Missing boundary in multipart."


@pytest.mark.parametrize(
    ("charset", "filename"),
    [
        ("unicode_escape", rb"\ud800.jpg"),  # half a character, which no JSON can hold
        ("utf-7", b"+2AA-"),
        ("utf-16", b"a.jpg"),
        ("undefined", b"a.jpg"),
        ("idna", b"a.jpg"),
        ("hex", b"a.jpg"),
        ("no-such-letters", b"a.jpg"),
    ],
)
def test_a_name_is_what_it_is_in_utf_8_whatever_letters_the_form_says(post, charset, filename):
    kind = {"content-type": f"multipart/form-data; charset={charset}; boundary={EDGE}"}
    [record] = post(form(part(b"x", filename=filename)), kind).json()["pictures"]
    assert record["path"].encode() == filename


def test_what_a_form_says_its_letters_are_is_not_remembered(post):
    """Python keeps every name of an encoding that it looks for, and has no bound."""
    kind = {"content-type": f"multipart/form-data; boundary={EDGE}; charset=letters-of-a-stranger"}
    assert post(form(part(b"x")), kind).status_code == 200
    assert not [name for name in encodings._cache if "stranger" in name]


@pytest.mark.parametrize("edge", ["a b", "a;charset=hex", r"quo\"te", "back\\slash", "=?:/"])
def test_every_boundary_that_a_form_may_have_is_found(post, small, edge):
    said = edge.replace("\\", r"\\").replace('"', r"\"")
    kind = {"content-type": f'multipart/form-data; boundary="{said}"'}
    body = form(part(small)).replace(EDGE.encode(), edge.encode())
    [record] = post(body, kind).json()["pictures"]
    assert len(record["faces"]) == 1


def test_a_long_part_header_is_refused_or_read_but_ends(post, small):
    response = post(form(part(small, filename=b"n" * 100_000)), FORM)
    assert response.status_code in {200, 422}
    assert post(small).status_code == 200
