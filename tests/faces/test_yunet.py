import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import pytest

from mien.cores import cores
from mien.faces.detect import YUNET, locate
from mien.faces.yunet import YuNet


@pytest.fixture
def busy(monkeypatch):
    """OpenCV's detector replaced by one that notes who is in it: the most at once, in all."""
    made, inside, most = [], [], []
    two_are_in = threading.Event()

    class Slow:
        def __init__(self):
            made.append(self)
            self.users = 0

        def setInputSize(self, _size):  # noqa: N802
            self.users += 1
            assert self.users == 1, "two threads in one detector"
            inside.append(self)
            most.append(len(inside))
            if len(inside) > 1:
                two_are_in.set()

        def detect(self, _picture):
            two_are_in.wait(0.05)
            inside.remove(self)
            self.users -= 1
            return 1, None

    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *_: Slow())
    return made, most


def test_no_two_threads_are_ever_in_one_detector_and_none_is_made_in_vain(busy, portrait):
    made, most = busy
    yunet = YuNet(locate(YUNET), 0.7)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(yunet.rows, [portrait] * 40))
    assert len(made) == max(most) <= cores()
    assert cores() == 1 or len(made) > 1  # they did work side by side


def test_one_thread_keeps_one_detector(busy, portrait):
    made, most = busy
    yunet = YuNet(locate(YUNET), 0.7)
    for _ in range(3):
        yunet.rows(portrait)
    assert (len(made), most) == (1, [1] * 4)  # one of them to plan


def test_a_detector_that_failed_is_not_used_again(monkeypatch, portrait):
    made = []

    class Failing:
        def __init__(self):
            made.append(self)
            self.calls = 0

        def setInputSize(self, _size):  # noqa: N802
            self.calls += 1
            if self is made[0] and self.calls == 2:
                raise cv2.error("out of memory")

        def detect(self, _picture):
            return 1, None

    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *_: Failing())
    yunet = YuNet(locate(YUNET), 0.7)
    with pytest.raises(cv2.error, match="out of memory"):
        yunet.rows(portrait)
    assert yunet.rows(portrait).shape == (0, 15)
    assert len(made) == 2


def test_what_a_detector_says_does_not_depend_on_what_it_saw_before(portrait):
    sides = (96, 160, 224, 288, 352, 420, 512)
    given = [cv2.resize(portrait, (side, side - side // 8)) for side in sides]
    expected = None
    for order in (sides, sides[::-1], sides[3:] + sides[:3], sides[5:] + sides[:5]):
        yunet, found = YuNet(locate(YUNET), 0.7), {}
        for side in order:
            found[side] = yunet.rows(given[sides.index(side)]).tobytes()
        expected = expected or found
        assert found == expected
