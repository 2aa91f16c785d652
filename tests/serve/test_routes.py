"""Every answer is the library's own: compared with the commands, and with calls of the library."""

import io
import json
import threading
import time
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from mien.errors import BadImageError
from mien.labels import LABELS
from mien.media.images import read_rgb
from mien.recognize.recognizer import Failure
from mien.recognize.results import VIDEO_HEADER
from mien.recognize.video import Choice, read_video
from mien.serve import routes, turns
from tests.support.commands import mien
from tests.support.pictures import encode, png, texture
from tests.support.video_files import clip, swaying
from tests.support.web_server import answer, problem_of, served, wait_until


@pytest.fixture(scope="module")
def files(portrait, tmp_path_factory):
    """Pictures of several sizes, kinds and numbers of faces, and what is none."""
    folder = tmp_path_factory.mktemp("pictures")
    pair = np.concatenate([portrait[:300, 80:380], portrait[:300, 80:380][:, ::-1]], axis=1)
    made = {
        "a.jpg": encode(portrait),
        "b.png": encode(pair, "PNG"),
        "c.webp": encode(portrait[:240, 100:340], "WEBP"),
        "d.jpg": encode(texture(3, 120)),
        "e.jpg": b"no picture",
        "f.jpg": encode(portrait)[:5000],
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def talk(portrait, tmp_path_factory):
    return clip(tmp_path_factory.mktemp("video") / "talk.mp4", swaying(portrait, 8))


def upload(paths):
    return [("files", (path.name, path.read_bytes())) for path in paths]


def lines_of(response):
    return [json.loads(line) for line in response.text.splitlines()]


def test_pictures_are_answered_as_the_command_prints_them(service, files, monkeypatch):
    monkeypatch.chdir(files)
    paths = sorted(files.iterdir())
    result = mien("predict", "--json", "--threads", 1, *(path.name for path in paths))
    expected = [json.loads(line) for line in result.stdout.splitlines()]
    answered = service.post("/v1/pictures", files=upload(paths)).json()["pictures"]
    assert answered == expected
    assert [len(record.get("faces", "x")) for record in answered] == [1, 2, 1, 0, 1, 1]
    assert ["error" in record for record in answered] == [False] * 4 + [True] * 2


def test_crops_are_scored_as_the_library_scores_them(service, files, recognizer):
    paths = [files / name for name in ("a.jpg", "e.jpg", "d.jpg")]
    body = service.post("/v1/crops", files=upload(paths)).json()
    expected = recognizer.classify([read_rgb(paths[0]), read_rgb(paths[2])]).tolist()
    assert body["scores"] == [expected[0], None, expected[1]]
    assert body["labels"] == list(LABELS)
    assert body["errors"] == [{"path": "e.jpg", "error": "not a picture: e.jpg"}]


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ({}, []),
        ({"method": "occlusion", "label": "fear"}, ["--method", "occlusion", "--class", "fear"]),
        ({"label": "all"}, ["--class", "all"]),
        ({"crop": "true"}, ["--crop"]),
        ({"lang": "de"}, ["--lang", "de"]),
    ],
)
def test_a_figure_is_the_one_that_the_command_writes(service, files, tmp_path, query, options):
    mien("explain", files / "a.jpg", "--out", tmp_path / "why.png", *options)
    response = service.post("/v1/explain", params=query, content=(files / "a.jpg").read_bytes())
    assert response.headers["content-type"] == "image/png"
    shown = np.asarray(Image.open(io.BytesIO(response.content)))
    np.testing.assert_array_equal(shown, read_rgb(tmp_path / "why.png"))


def test_the_face_to_explain_can_be_chosen(service, files, tmp_path):
    mien("explain", files / "b.png", "--out", tmp_path / "why.png")
    data = (files / "b.png").read_bytes()
    shown = service.post("/v1/explain", params={"face": 1}, content=data).content
    expected = read_rgb(tmp_path / "why-face1.png")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(shown))), expected)
    told = problem_of(service.post("/v1/explain", params={"face": 2}, content=data))
    assert told["detail"] == "no face 2 in 0, which has 2"


@pytest.mark.parametrize(
    ("query", "detail", "fix"),
    [
        ({"method": "grad-cm"}, "no method called 'grad-cm'", "use grad-cam"),
        ({"label": "angr"}, "no expression called 'angr'", "use anger"),
        ({"lang": "deu"}, "no language called 'deu'", "use de"),
        (
            {"method": "integrated-gradients"},
            "integrated-gradients needs gradients by torch",
            "use",
        ),
        ({"face": "-1"}, "face: Input should be greater than or equal to 0", "see /docs"),
        ({"face": "x"}, "face: Input should be a valid integer", "see /docs"),
    ],
)
def test_what_cannot_be_explained_comes_with_the_next_step(service, photo, query, detail, fix):
    told = problem_of(service.post("/v1/explain", params=query, content=photo))
    assert told["status"] == 422
    assert detail in told["detail"]
    assert told["fix"].startswith(fix)


def test_a_picture_without_a_face_cannot_be_explained(service, files):
    response = service.post("/v1/explain", content=(files / "d.jpg").read_bytes())
    assert problem_of(response)["detail"] == "no face in 0"


@pytest.mark.parametrize(("form", "many"), [("raw", None), ("multipart", "talk.mp4")])
def test_a_video_is_answered_as_the_command_prints_it(service, talk, form, many):
    expected = [json.loads(line) for line in mien("video", talk, "--json", "-").stdout.splitlines()]
    sent = {"files": upload([talk])} if many else {"content": talk.read_bytes()}
    *frames, end = lines_of(service.post("/v1/videos", **sent))
    assert frames == expected
    assert len(frames) == 8
    assert end == {
        "end": {
            "frames": 8, "damaged": 0, "mended": 0, "missing_s": 0, "left_out": [], "cut": None
        }
    }  # fmt: skip


def test_rows_have_the_columns_of_the_table(service, talk, recognizer):
    options = {"form": "rows", "every": 3, "smooth": 0, "seconds": 0.2}
    *rows, end = lines_of(service.post("/v1/videos", params=options, content=talk.read_bytes()))
    frames = read_video(talk, recognizer, Choice(every=3, smooth_s=0))
    expected = [row for frame in frames if frame.time_s < 0.2 for row in frame.rows()]
    assert [tuple(row) for row in rows] == [VIDEO_HEADER] * 5
    assert [list(row.values())[1:] for row in rows] == [row[1:] for row in expected]
    assert [row["time_s"] for row in rows] == [float(row[0]) for row in expected]
    assert end["end"]["frames"] == 5


def test_what_is_no_video_is_a_problem(service, photo):
    told = problem_of(service.post("/v1/videos", content=photo))
    assert (told["status"], told["fix"]) == (
        422,
        "give a video file such as .mp4, .mov, .avi or .webm",
    )
    assert problem_of(service.post("/v1/videos", content=b""))["detail"] == "no video was sent"


def test_a_list_of_files_sent_as_a_video_opens_none(service):
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    for content in (playlist, b"ffconcat version 1.0\nfile /etc/passwd\n"):
        assert problem_of(service.post("/v1/videos", content=content))["status"] == 422


def test_videos_need_their_extra_and_say_so_before_the_body_is_read(service, monkeypatch):
    monkeypatch.setattr(routes, "find_spec", lambda name: None if name == "lap" else name)
    head = b"POST /v1/videos HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with service.raw(head) as connection:
        told = problem_of(answer(connection))
    assert (told["status"], told["fix"]) == (501, 'pip install "mien[video]"')


def test_limits_of_a_picture_are_kept(photo, files, talk):
    pair = (files / "b.png").read_bytes()
    limits = {"max_pixels": 200_000, "max_faces": 1, "max_pictures": 2}
    with served(threads=1, **limits) as narrow:
        large, crowd = narrow.post(
            "/v1/pictures", files=[("files", ("large.jpg", photo)), ("files", ("two.png", pair))]
        ).json()["pictures"]
        assert large["error"].startswith("picture too large: large.jpg has 512x512 pixels")
        assert crowd["error"] == "too many faces: two.png has 2, the cap is 1"
        told = problem_of(narrow.post("/v1/pictures", files=[("files", ("x", b"x"))] * 3))
        assert "more than 2 pictures" in told["detail"]
        assert "--max-pictures" in told["fix"]


def test_a_bomb_is_refused_before_it_is_decoded(service):
    bomb = png(30_000, 30_000, b"x")  # 900 million pixels in a hundred bytes
    [record] = service.post("/v1/pictures", content=bomb).json()["pictures"]
    assert "far too many pixels" in record["error"]
    [record] = service.post("/v1/pictures", content=png(6_000, 6_000)).json()["pictures"]
    assert "36" not in record["error"]
    assert "the cap is 25,000,000" in record["error"]


def test_a_video_takes_a_place_of_its_own_and_no_second(service, talk, photo):
    data = talk.read_bytes()
    head = f"POST /v1/videos HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
    with service.raw(head.encode() + data[:1000]) as first:
        wait_until(lambda: service.post("/v1/videos", content=b"x").status_code == 503)
        response = service.post("/v1/videos", content=b"x")
        assert int(response.headers["retry-after"]) >= 1
        assert service.post("/v1/pictures", content=photo).status_code == 200
        first.sendall(data[1000:])
        assert first.recv(15) == b"HTTP/1.1 200 OK"
    wait_until(lambda: service.post("/v1/videos", content=b"x").status_code == 422)


def test_a_video_that_is_being_read_makes_room_for_no_other(talk, monkeypatch):
    go_on = threading.Event()

    def slow_lines(*_):
        yield "{}\n"
        assert go_on.wait(20)
        yield '{"end": {}}\n'

    monkeypatch.setattr(routes, "video_lines", slow_lines)
    data = talk.read_bytes()
    head = f"POST /v1/videos HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
    with served(threads=1, max_videos=2) as two:
        with two.raw(head.encode() + data) as one, two.raw(head.encode() + data) as another:
            for reading in (one, another):
                assert reading.recv(15) == b"HTTP/1.1 200 OK"
            with two.client("127.0.0.2") as other:
                assert other.post("/v1/videos", content=data).status_code == 503
            assert two.house.video_turns.inside == 2
            go_on.set()
            for reading in (one, another):
                assert b"".join(iter(partial(reading.recv, 65536), b"")).count(b'{"end": {}}') == 1
        wait_until(lambda: two.house.video_turns.inside == 0)
        for _ in range(3):  # more than there are places: each was free again
            assert two.post("/v1/videos", content=data).status_code == 200


def test_the_time_that_videos_take_tells_a_refused_client_when_to_try_again(talk, monkeypatch):
    ticks = iter(range(0, 1000, 100))  # seconds: each video takes 100
    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=partial(next, ticks)))
    monkeypatch.setattr(routes, "video_lines", lambda *_: iter(['{"end": {}}\n']))
    with served(threads=1) as running:
        house = running.house.video_turns
        assert running.post("/v1/videos", content=b"x").status_code == 200
        wait_until(lambda: house.inside == 0)
        house.enter("a")
        refused = running.post("/v1/videos", content=b"x")
    # the first guess is 0.05 s, moved by a tenth of what is missing to 100 s
    assert refused.headers["retry-after"] == "11"


def test_a_client_that_leaves_ends_the_work_on_its_video(service, portrait, tmp_path):
    long = clip(tmp_path / "long.mp4", swaying(portrait, 30) * 4)
    data = long.read_bytes()
    head = f"POST /v1/videos HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
    before = threading.active_count()
    for _ in range(4):  # the moment at which it leaves is another one each time
        with service.raw(head.encode() + data) as leaving:
            assert leaving.recv(15) == b"HTTP/1.1 200 OK"
        wait_until(lambda: service.post("/v1/videos", content=b"x").status_code == 422)
        wait_until(lambda: threading.active_count() <= before + 1)  # its decoder's threads are gone


@pytest.mark.parametrize("path", ["/v1/pictures", "/v1/crops"])
def test_a_client_that_leaves_ends_the_work_on_its_pictures(service, path, monkeypatch):
    begun, left = [], threading.Event()

    def read(given):
        begun.append(given.name)
        assert left.wait(20)
        return Failure(given.name, BadImageError("no picture", fix="send one"))

    for work in ("picture", "crop"):
        monkeypatch.setattr(service.house.engine, work, read)
    body = json.dumps({"pictures": ["x"] * 5}).encode()
    kind = "Content-Type: application/json"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    with service.raw(head.encode() + body):
        wait_until(lambda: begun)
    time.sleep(0.2)  # until the service has seen that it left
    left.set()
    wait_until(lambda: service.house.turns.inside == 0)
    assert begun == ["0"]


@pytest.mark.parametrize("path", ["/v1/pictures", "/v1/crops", "/v1/explain"])
def test_nothing_is_read_for_a_client_that_left_before_its_turn(service, path, monkeypatch):
    begun, held = [], threading.Event()

    def read(given, *_):
        begun.append(given.data)
        assert held.wait(20)
        return Failure(given.name, BadImageError("no picture", fix="send one"))

    for work in ("picture", "crop", "explanation"):
        monkeypatch.setattr(service.house.engine, work, read)
    with service.raw(b"POST /v1/pictures HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nfirst"):
        wait_until(lambda: begun)
        with service.raw(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nleft".encode()
        ):
            wait_until(lambda: service.house.turns._lines)  # it waits for its turn
        time.sleep(0.2)  # until the service has seen that it left
        held.set()
        wait_until(lambda: service.house.turns.inside == 0)
    assert begun == [b"first"]


def test_models_name_the_one_in_use(service, recognizer):
    body = service.get("/v1/models").json()
    [used] = [model for model in body["models"] if model["in_use"]]
    assert used["sha256"] == recognizer.model.card["sha256"]
    assert used["metrics"] == recognizer.model.card["metrics"]
    assert body["labels"] == list(LABELS)
    assert body["methods"] == [
        "cam", "grad-cam", "grad-cam++", "hirescam", "layercam", "score-cam", "eigen-cam",
        "occlusion", "fast-occlusion",
    ]  # fmt: skip
    assert "/" not in json.dumps([model["name"] for model in body["models"]])


def test_health_and_ready(service):
    assert service.get("/health").json() == {"status": "ok"}
    assert service.get("/ready").json() == {"status": "ready", "inside": 0, "places": 17}


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/v1/models"])
def test_what_is_only_read_may_be_asked_for_by_its_head_alone(service, path):
    with service.client() as client:
        head = client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == service.get(path).headers["content-type"]
        refused = client.put(path)
    assert problem_of(refused)["status"] == 405
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}
