"""One recognizer for many threads and processes: each result is the one a single thread gets."""

import asyncio
import copy
import multiprocessing
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np
import pytest

from mien import Recognizer
from mien.errors import BadModelError
from mien.faces.detect import Detector
from mien.recognize.model import SHIPPED, Model
from mien.recognize.video import Choice, VideoRecognizer
from tests.support.onnx_files import channels_model
from tests.support.pictures import texture

SIDES = (96, 160, 224, 288, 352, 420, 512, 640)


def pictures(portrait):
    """Eight pictures of eight sizes, none square; in every other one there is no face."""
    scaled = [
        cv2.resize(portrait, (side, side - 16 * n), interpolation=cv2.INTER_AREA)
        for n, side in enumerate(SIDES)
    ]
    return [picture if n % 2 else texture(n, len(picture)) for n, picture in enumerate(scaled)]


def values(picture):
    """All that was read, in numbers."""
    return [
        np.concatenate([
            face.box.as_list(),
            face.landmarks.ravel(),
            face.values,
            [face.neutral, face.detection.confidence],
        ])
        for face in picture.faces
    ] + [face.maps for face in picture.faces]


def assert_same(found, expected):
    assert len(found.faces) == len(expected.faces)
    for one, other in zip(values(found), values(expected), strict=True):
        np.testing.assert_array_equal(one, other)


def soak(recognizer, portrait, threads, reads):
    """Read pictures of eight sizes in several threads, each in an order of its own."""
    given = pictures(portrait)
    expected = [recognizer.read(picture) for picture in given]
    assert [len(picture.faces) for picture in expected] == [0, 1] * 4
    start = threading.Barrier(threads)

    def work(seed):
        start.wait()
        for number in np.random.default_rng(seed).integers(0, len(given), reads // threads):
            assert_same(recognizer.read(given[number]), expected[number])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))


def test_eight_threads_read_pictures_of_eight_sizes_as_one_does(portrait):
    soak(Recognizer(threads=1), portrait, threads=8, reads=320)


@pytest.mark.long
def test_two_thousand_reads_in_eight_threads_of_all_cores_are_right(portrait):
    soak(Recognizer(), portrait, threads=8, reads=2_000)


def test_asyncio_may_read_in_threads(portrait):
    recognizer, given = Recognizer(threads=1), pictures(portrait)
    expected = [recognizer.read(picture) for picture in given]

    async def together():
        tasks = [asyncio.to_thread(recognizer.read, picture) for picture in given * 3]
        return await asyncio.gather(*tasks)

    for found, right in zip(asyncio.run(together()), expected * 3, strict=True):
        assert_same(found, right)


def test_videos_in_several_threads_may_share_a_recognizer(portrait):
    """The follower of a video also searches small pictures, by a detector of another size."""
    recognizer = Recognizer(threads=1)
    films = [[np.roll(picture, 3 * n, axis=1) for n in range(8)] for picture in pictures(portrait)]

    def watch(frames):
        one = VideoRecognizer(recognizer, Choice())
        return [one.read(n, n / 25, frame) for n, frame in enumerate(frames)]

    expected = [watch(frames) for frames in films]
    with ThreadPoolExecutor(8) as pool:
        for film, right in zip(pool.map(watch, films), expected, strict=True):
            for one, other in zip(film, right, strict=True):
                assert [face.track for face in one.faces] == [face.track for face in other.faces]
                assert_same(one, other)


def test_small_searches_in_several_threads_are_right(portrait):
    detector, given = Detector(), pictures(portrait)
    expected = [detector.boxes(picture, long_side=160) for picture in given]
    assert any(expected)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(partial(detector.boxes, long_side=160), given * 10))
    assert found == expected * 10


def test_the_detector_is_loaded_once_however_many_threads_ask_for_it_first(monkeypatch):
    from mien.recognize import recognizer as module

    made, go = [], threading.Barrier(8)

    class Slow(Detector):
        def __init__(self, threads, **settings):
            made.append(threads)
            threading.Event().wait(0.05)
            super().__init__(threads, **settings)

    monkeypatch.setattr(module, "Detector", Slow)
    recognizer = Recognizer(threads=1)

    def ask(_):
        go.wait()
        return recognizer.detector

    with ThreadPoolExecutor(8) as pool:
        assert len(set(map(id, pool.map(ask, range(8))))) == 1
    assert made == [1]


def test_a_recognizer_that_was_pickled_reads_the_same(portrait):
    made = Recognizer(threads=1, six=True, flip=True, reject=True)
    expected = made.read(portrait)
    for back in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made), copy.copy(made)):
        assert back.rule == made.rule
        assert (back.rejects, back.model.flip) == (True, True)
        assert_same(back.read(portrait), expected)


def test_model_and_detector_can_be_pickled_and_keep_their_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made.onnx").write_bytes(channels_model())
    model = Model("made.onnx", threads=1, flip=True)
    monkeypatch.chdir("/")  # the other process may work somewhere else
    back = pickle.loads(pickle.dumps(model))
    assert (back.card, back.flip) == (model.card, True)
    detector = pickle.loads(pickle.dumps(Detector(confidence=0.99, long_side=320)))
    assert (detector.confidence, detector.long_side) == (0.99, 320)


def test_a_model_of_the_package_travels_without_the_place_of_the_package():
    sent = pickle.dumps(Recognizer(threads=1))
    assert SHIPPED.parent.name.encode() not in sent  # it lies elsewhere on another machine
    assert pickle.loads(sent).model.path == SHIPPED


def test_another_model_at_the_place_of_the_one_that_was_pickled_is_refused(tmp_path):
    path = tmp_path / "made.onnx"
    path.write_bytes(channels_model())
    pickled = pickle.dumps(Model(path, threads=1))
    path.write_bytes(channels_model(temperature=3.0))
    with pytest.raises(BadModelError, match="is another model than when it was first loaded"):
        pickle.loads(pickled)


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_the_processes_of_a_pool_read_the_same(portrait, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this system")
    recognizer, given = Recognizer(threads=1), pictures(portrait)
    expected = [recognizer.read(picture) for picture in given]
    with multiprocessing.get_context(method).Pool(1) as pool:
        for found, right in zip(pool.map(recognizer.read, given, 8), expected, strict=True):
            assert_same(found, right)


def test_the_shipped_model_is_named_by_its_whole_path():
    assert Model(threads=1).path == SHIPPED
