from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mien import Recognizer
from mien.errors import BadImageError
from mien.recognize.recognizer import Failure, list_pictures, read_many, score_many
from tests.support.pictures import encode, folder_of, texture


class BrightIsHappy:
    """Stand-in for a recognizer: happiness for a bright crop, sadness for a dark one."""

    def __init__(self):
        self.batches = []
        self.rejects = False
        self.model = SimpleNamespace(side=64)

    def classify(self, crops):
        self.batches.append(len(crops))
        classes = [0 if crop.mean() > 128 else 2 for crop in crops]
        return np.eye(6, dtype=np.float32)[classes]


def plain(value, size=(64, 64)):
    return encode(np.full((*size, 3), value, dtype=np.uint8), "PNG")


def test_folders_are_walked_and_files_kept_even_missing_ones(tmp_path):
    folder_of(tmp_path, {"in/b.png": b"", "in/sub/a.jpg": b"", "in/notes.txt": b"", "x.dat": b""})
    given = [tmp_path / "gone.jpg", tmp_path / "in", tmp_path / "x.dat"]
    names = ["gone.jpg", "in/b.png", "in/sub/a.jpg", "x.dat"]
    assert list_pictures(map(str, given)) == [tmp_path / name for name in names]


def test_folders_without_a_picture_are_named(tmp_path):
    folder_of(tmp_path, {"empty/notes.txt": b""})
    with pytest.raises(BadImageError, match=r"no pictures in .*empty\n  try: name a folder"):
        list_pictures([tmp_path / "empty"])


def test_what_cannot_be_read_fails_by_name_and_the_rest_goes_on(recognizer, portrait, tmp_path):
    names = {"a.png": encode(portrait, "PNG"), "b.jpg": b"text", "c.png": plain(9)}
    folder = folder_of(tmp_path, names)
    files = [*list_pictures([folder]), tmp_path / "gone.png"]
    (rgb, read), (none, broken), (_, blank), (_, gone) = read_many(recognizer, files)
    np.testing.assert_array_equal(rgb, portrait)
    assert (read.path, len(read.faces)) == (str(tmp_path / "a.png"), 1)
    np.testing.assert_array_equal(read.faces[0].values, recognizer.read(portrait).faces[0].values)
    assert none is None
    broken_path = str(tmp_path / "b.jpg")
    assert broken.record() == {"path": broken_path, "error": f"not a picture: {broken_path}"}
    assert (blank.path, blank.width, blank.faces) == (str(tmp_path / "c.png"), 64, ())
    assert gone.record()["error"] == f"no such file: {tmp_path / 'gone.png'}"


def test_heat_maps_and_the_cap_are_handed_on(recognizer, portrait, tmp_path):
    folder_of(tmp_path, {"a.png": encode(portrait, "PNG"), "b.png": plain(9, (513, 512))})
    files = list_pictures([tmp_path])
    (_, read), (_, large) = read_many(recognizer, files, heatmap=False, max_pixels=512 * 512)
    assert read.faces[0].maps is None
    assert "too large" in large.error.message
    [(_, mapped)] = read_many(recognizer, files[:1])
    assert mapped.faces[0].maps.shape[0] == 6


def test_pictures_are_read_one_at_a_time(recognizer, tmp_path):
    folder_of(tmp_path, {"a.png": plain(9)})

    def files():
        yield tmp_path / "a.png"
        raise AssertionError("asked for the second before the first was used")

    _, picture = next(read_many(recognizer, files()))
    assert picture.width == 64


def test_scores_keep_the_order_of_the_files_across_batches_and_failures(tmp_path):
    bright = [number % 3 == 0 for number in range(150)]
    names = {f"{n:03}.png": plain(255 * b, (8, 8)) for n, b in enumerate(bright)}
    names["070.png"] = b"text"
    files = list_pictures([folder_of(tmp_path, names)])
    recognizer = BrightIsHappy()
    found = list(score_many(recognizer, files))
    assert [file for file, _ in found] == files
    failure = found[70][1]
    assert isinstance(failure, Failure)
    assert failure.path == str(files[70])
    classes = [scores.argmax() for n, (_, scores) in enumerate(found) if n != 70]
    assert classes == [0 if b else 2 for n, b in enumerate(bright) if n != 70]
    assert recognizer.batches == [64, 63, 22]


def test_the_scores_of_files_are_those_of_their_pixels(recognizer, tmp_path):
    crops = [texture(1, 64), texture(2, 90), texture(3, 30)]
    names = {f"{n}.png": encode(crop, "PNG") for n, crop in enumerate(crops)}
    found = score_many(recognizer, list_pictures([folder_of(tmp_path, names)]))
    scores = np.stack([values for _, values in found])
    np.testing.assert_allclose(scores, recognizer.classify(crops), atol=1e-6)


def test_a_folder_of_unreadable_files_gives_failures_alone(tmp_path):
    files = list_pictures([folder_of(tmp_path, {"a.png": b"", "b.png": b"text"})])
    found = dict(score_many(BrightIsHappy(), files))
    assert [failure.path for failure in found.values()] == [str(file) for file in files]


def test_crops_above_the_cap_fail(tmp_path):
    files = list_pictures([folder_of(tmp_path, {"a.png": plain(0, (9, 9))})])
    [(_, failure)] = score_many(BrightIsHappy(), files, max_pixels=80)
    assert failure.error.message.endswith("has 9x9 pixels, the cap is 80")


@pytest.fixture(scope="module")
def side_by_side(portrait):
    """Ten pictures: faces that differ, plain ones, and one that is no picture."""
    faces = [np.ascontiguousarray(np.roll(portrait, 3 * n, axis=1)) for n in range(4)]
    blank = np.full((60, 80, 3), 190, dtype=np.uint8)
    return [faces[0], blank, faces[1], b"text", blank, faces[2], faces[3], blank, blank, faces[0]]


@pytest.mark.parametrize("workers", [1, 3])
def test_read_many_reads_as_read_does_in_order_and_names_failures(
    recognizer, side_by_side, workers, monkeypatch
):
    monkeypatch.setattr("mien.recognize.recognizer.at_most_cores", lambda n: n)
    results = list(recognizer.read_many(side_by_side, workers))
    for given, result in zip(side_by_side, results, strict=True):
        if isinstance(given, bytes):
            assert isinstance(result, Failure)
            assert "not a picture" in result.error.message
        else:
            assert result.record() == recognizer.read(given).record()
    assert sum(isinstance(result, Failure) for result in results) == 1


def test_read_many_reads_only_a_few_ahead_and_works_beside_itself(recognizer, monkeypatch):
    monkeypatch.setattr("mien.recognize.recognizer.at_most_cores", lambda n: n)
    taken = []
    blank = np.full((60, 80, 3), 190, dtype=np.uint8)

    def pictures():
        for number in range(100):
            taken.append(number)
            yield blank

    before = cv2.getNumThreads()
    first, second = (recognizer.read_many(pictures(), 2) for _ in range(2))
    assert next(first).width == next(second).width == 80
    assert len(taken) < 2 * 20
    first.close()
    second.close()
    assert cv2.getNumThreads() == before


def test_networks_of_one_thread_read_side_by_side_and_the_caller_keeps_its_own(monkeypatch):
    monkeypatch.setattr("mien.recognize.recognizer.at_most_cores", lambda n: n)
    monkeypatch.setattr("mien.recognize.model.at_most_cores", lambda n: n)
    four = Recognizer(threads=4)
    one = four.with_threads(1)
    threads = [r.model.session.get_session_options().intra_op_num_threads for r in (four, one)]
    assert threads == [4, 1]
    assert one.with_threads(1) is one
    assert (one.rule, one.model.card) == (four.rule, four.model.card)
    asked = []
    real = Recognizer.with_threads
    monkeypatch.setattr(Recognizer, "with_threads", lambda r, n: asked.append(n) or real(r, n))
    list(four.read_many([b""] * 7, 2))
    assert asked == []  # so few are read before another network is loaded
    list(four.read_many([b""] * 8, 2))
    assert asked == [1]


def test_a_negative_number_of_workers_is_refused(recognizer):
    with pytest.raises(ValueError, match="must be 0"):
        next(recognizer.read_many([], workers=-1))
