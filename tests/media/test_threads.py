"""Items come in order, errors in their place, and nobody waits for ever."""

import threading
import time

import pytest

from mien.media.threads import WriteBehind, prefetch


def threads():
    own = ("mien-ahead", "mien-behind")
    return {thread.name for thread in threading.enumerate() if thread.name.startswith(own)}


def failing_at(stop, error=RuntimeError):
    yield from range(stop)
    raise error


def test_items_come_in_order_from_another_thread():
    made_by = []

    def source():
        for number in range(50):
            made_by.append(threading.current_thread())
            yield number

    assert list(prefetch(source())) == list(range(50))
    assert threading.current_thread() not in made_by


@pytest.mark.parametrize("items", [[], [None], [None, 0, ""]])
def test_any_value_may_be_an_item(items):
    assert list(prefetch(items)) == items


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_an_error_comes_after_the_items_before_it(error):
    items = prefetch(failing_at(5, error))
    assert [next(items) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(error):
        next(items)
    assert threads() == set()


def test_no_more_is_made_than_may_wait():
    made = []

    def source():
        for number in range(100):
            made.append(number)
            yield number

    items = prefetch(source(), depth=3)
    assert next(items) == 0
    time.sleep(0.1)
    assert len(made) <= 4  # the one handed out and three that wait
    items.close()
    assert len(made) <= 4
    assert threads() == set()


def test_who_leaves_early_wakes_a_source_that_waits():
    waits, woken = threading.Event(), threading.Event()

    def source():
        yield 1
        waits.set()
        assert woken.wait(10), "nobody woke the source"

    items = prefetch(source(), stop=woken.set)
    assert next(items) == 1
    assert waits.wait(10)
    start = time.perf_counter()
    items.close()
    assert time.perf_counter() - start < 5
    assert threads() == set()


def test_work_is_done_in_order_and_finished_at_the_end():
    done = []

    def slowly(item):
        time.sleep(0.001)
        done.append(item)

    with WriteBehind(slowly) as behind:
        for number in range(30):
            behind.put(number)
    assert done == list(range(30))
    assert threads() == set()


def test_work_that_falls_behind_is_waited_for():
    go, done = threading.Semaphore(0), []

    def work(item):
        assert go.acquire(timeout=10)
        done.append(item)

    def feed():
        for number in range(10):
            behind.put(number)
            fed.append(number)

    fed = []
    with WriteBehind(work, depth=2) as behind:
        feeder = threading.Thread(target=feed)
        feeder.start()
        time.sleep(0.1)
        assert len(fed) == 3  # one in work and two that wait; the fourth does not fit
        go.release(10)
        feeder.join(10)
    assert done == list(range(10))


def test_an_error_in_the_work_comes_out_and_the_rest_is_dropped():
    done = []

    def work(item):
        if item == 3:
            raise OSError("full")
        done.append(item)

    def feed():
        with WriteBehind(work) as behind:
            for number in range(1000):
                behind.put(number)

    with pytest.raises(OSError, match="full"):
        feed()
    assert done[:3] == [0, 1, 2]
    assert len(done) < 10
    assert threads() == set()


def test_what_waited_behind_an_error_is_dropped_and_the_error_stays():
    failed, done, refused = threading.Event(), [], []

    def work(item):
        if item == 0:
            assert failed.wait(10)
            raise OSError("first")
        done.append(item)

    def go_on():
        with WriteBehind(work, depth=5) as behind:
            for number in range(4):
                behind.put(number)
            failed.set()
            for number in range(3):
                try:
                    while True:
                        behind.put(number)
                except OSError as error:
                    refused.append(error)

    with pytest.raises(OSError, match="first") as last:
        go_on()
    assert done == []
    assert refused == [last.value] * 3


def test_a_source_that_failed_is_not_asked_again():
    asked = []

    def fail(item):
        asked.append(item)
        time.sleep(0.1)  # meanwhile the next ones are queued
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        list(prefetch(map(fail, range(3)), depth=3))
    assert asked == [0]


def test_an_error_in_the_last_work_is_not_lost():
    def work(item):
        raise OSError("full")

    with pytest.raises(OSError, match="full"), WriteBehind(work) as behind:
        behind.put(1)


def test_after_an_error_of_the_caller_only_the_work_begun_is_finished():
    begun, go, done = threading.Event(), threading.Event(), []

    def work(item):
        begun.set()
        assert go.wait(10)
        done.append(item)

    def interrupted():
        with WriteBehind(work, depth=5) as behind:
            for number in range(5):
                behind.put(number)
            assert begun.wait(10)
            threading.Timer(0.05, go.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == [0]
