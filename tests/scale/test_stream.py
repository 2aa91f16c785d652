"""Files come back in their order, each once, whoever read them."""

from dataclasses import dataclass
from functools import partial

import cv2
import pytest

from mien.media.journal import Journal, stamp_of
from mien.scale import stream
from mien.scale.stream import CROP_S, DRAWN_S, Plan, plan, read_files


@dataclass(frozen=True)
class Length:
    """A stand-in for a reading: how many bytes a file has."""

    length: int
    stamp: tuple[int, int] | None

    def record(self):
        return self.length

    @classmethod
    def restored(cls, _path, values):
        return cls(values, None)


class Reader:
    """Reads the lengths of files, and notes which; missing ones are failures without a stamp."""

    def __init__(self, seen=None):
        self.seen = seen if seen is not None else []

    def __call__(self, files):
        self.seen += [file.name for file in files]
        stamps = [stamp_of(file) for file in files]
        return [Length(stamp[0] if stamp else -1, stamp) for stamp in stamps]


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"{number:02}" for number in range(20)]
    for number, path in enumerate(paths):
        path.write_bytes(b"." * number)
    return paths


@pytest.fixture
def four_cores(monkeypatch):
    monkeypatch.setattr(stream, "cores", lambda: 4)


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((1, 0, None), (1, 0, False)),  # one photo: as always
        ((7, 0, None), (1, 0, False)),
        ((8, 0, None), (4, 1, False)),  # threads, one network thread each
        ((399, 0, None), (4, 1, False)),
        ((400, 0, None), (4, 1, True)),  # processes
        ((199, 0, None, DRAWN_S), (4, 1, False)),  # drawn photos
        ((200, 0, None, DRAWN_S), (4, 1, True)),
        ((1000, 1, None), (1, 1, False)),
        ((3, 2, None), (2, 1, False)),  # asked for
        ((1, 2, None), (1, 1, False)),
        ((50, 0, 2), (2, 2, False)),  # threads of networks times workers: the cores
        ((50, 0, 0), (1, 0, False)),
        ((50, 0, 1), (4, 1, False)),
        ((79, 0, None, CROP_S, 64), (1, 0, False)),
        ((200, 0, None, CROP_S, 64), (4, 1, False)),
        ((100, 0, None, CROP_S, 64), (2, 1, False)),  # two batches
        ((3_999, 0, None, CROP_S, 64), (4, 1, False)),
        ((4_000, 0, None, CROP_S, 64), (4, 1, True)),
    ],
)
def test_who_reads(asked, expected):
    chosen = plan(*asked)
    assert (chosen.workers, chosen.threads, chosen.processes) == expected


@pytest.mark.parametrize(
    "how", [Plan(1, 1, 3), Plan(2, 1, 3), Plan(2, 1, 3, processes=True)], ids=str
)
def test_readings_come_in_the_order_of_the_files(files, how):
    found = [(reading.length, fresh) for reading, fresh in read_files(files, Reader, Length, how)]
    assert found == [(number, True) for number in range(20)]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_journal_knows_is_not_read_again_and_keeps_its_place(tmp_path, files, workers):
    how, seen = Plan(workers, 1, 3), []
    with Journal(tmp_path / "j", {}) as journal:
        for file in files[2:17:2]:
            journal.add(file, stamp_of(file), 100)
        files[4].write_bytes(b"changed since")
        files[19].unlink()
        results = read_files(files, partial(Reader, seen), Length, how, journal)
        lengths = [reading.length for reading, _ in results]
    expected = [100 if n in range(2, 17, 2) else n for n in range(20)]
    expected[4], expected[19] = 13, -1
    assert lengths == expected
    assert sorted(seen) == [f"{n:02}" for n in range(20) if n == 4 or n not in range(2, 17, 2)]
    with Journal(tmp_path / "j", {}) as journal:  # and the next run reads what failed alone
        again: list[str] = []
        list(read_files(files, partial(Reader, again), Length, how, journal))
    assert again == ["19"]


def test_what_the_caller_has_not_finished_is_read_again(tmp_path, files):
    with Journal(tmp_path / "j", {}) as journal:
        results = read_files(files, Reader, Length, Plan(1, 1), journal)
        for reading, _ in results:
            if reading.length == 5:
                break  # as after a signal, while its annotated picture was written
        results.close()
        assert journal.known(files[4]) == 4
        assert journal.known(files[5]) is None


@pytest.mark.parametrize(
    "how", [Plan(1, 1, 3), Plan(2, 1, 3), Plan(2, 1, 3, processes=True)], ids=str
)
def test_the_caller_says_what_is_remembered_once_it_has_done_with_a_reading(tmp_path, files, how):
    refused = set()

    def remembered(reading):
        return None if reading.length in refused else reading.length + 100

    with Journal(tmp_path / "j", {}) as journal:
        for reading, _ in read_files(files, Reader, Length, how, journal, remembered):
            if reading.length in {3, 19}:
                refused.add(reading.length)  # as a file that cannot be written
        known = [journal.known(file) for file in files]
    assert known == [None if n in {3, 19} else n + 100 for n in range(20)]


def test_a_folder_that_is_read_already_costs_no_round_trips(tmp_path, files):
    parts = []

    def make():
        return lambda part: parts.append(part) or Reader()(part)

    with Journal(tmp_path / "j", {}) as journal:
        for file in files:
            journal.add(file, stamp_of(file), 7)
        found = list(read_files(files, make, Length, Plan(1, 1), journal))
    assert [(reading.length, fresh) for reading, fresh in found] == [(7, False)] * 20
    assert parts == [[]]


def test_opencv_computes_on_one_core_beside_others_and_as_before_afterwards(files):
    before, inside = cv2.getNumThreads(), []

    def make():
        return lambda part: inside.append(cv2.getNumThreads()) or Reader()(part)

    cv2.setNumThreads(3)
    try:
        list(read_files(files, make, Length, Plan(2, 1)))
        assert (set(inside), cv2.getNumThreads()) == ({1}, 3)
    finally:
        cv2.setNumThreads(before)
