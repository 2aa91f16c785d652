"""Who comes in, whose turn it is, and who has to make room, worked by hand."""

import asyncio
import re
from contextlib import suppress

import pytest

from mien.serve.problems import RequestError
from mien.serve.turns import Turns, Visit


def run(test):
    """Run an asynchronous test, which ends soon or hangs no one."""

    async def limited():
        async with asyncio.timeout(5):
            await test()

    asyncio.run(limited())


def turns(slots=1, queue=4, max_held=1000):
    return Turns(slots, queue, max_held)


async def asleep():
    for _ in range(5):
        await asyncio.sleep(0)


def test_one_client_fills_the_house_and_no_more():
    house = turns(slots=2, queue=3)
    visits = [house.enter("a") for _ in range(5)]
    with pytest.raises(RequestError, match="5 requests are in work or waiting") as refused:
        house.enter("a")
    assert refused.value.status == 503
    assert refused.value.retry_after_s >= 1
    house.leave(visits[0])
    house.enter("a")


def test_turns_go_round_the_clients():
    async def test():
        house = turns(queue=8)
        order = []

        async def work(client, number):
            visit = house.enter(client)
            async with house.turn(visit):
                order.append(f"{client}{number}")
                await asleep()
            house.leave(visit)

        names = [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("c", 0), ("b", 1)]
        await asyncio.gather(*(work(client, number) for client, number in names))
        # a0 begins at once; then one of each in turn, and what is left
        assert order == ["a0", "a1", "b0", "c0", "a2", "b1"]

    run(test)


def test_never_more_at_once_than_slots():
    async def test():
        house = turns(slots=2, queue=8)
        now, most = 0, 0

        async def work():
            nonlocal now, most
            visit = house.enter("a")
            async with house.turn(visit):
                now += 1
                most = max(most, now)
                await asleep()
                now -= 1
            house.leave(visit)

        await asyncio.gather(*(work() for _ in range(7)))
        assert (now, most, house.inside) == (0, 2, 0)

    run(test)


def test_the_client_with_the_most_makes_room_for_another_by_its_newest():
    async def test():
        house = turns(slots=1, queue=3)
        visits = [house.enter("many") for _ in range(4)]

        async def wait(visit):
            async with house.turn(visit):
                await asyncio.sleep(60)

        tasks = [asyncio.create_task(wait(visit)) for visit in visits]
        await asleep()
        other = house.enter("few")
        await asleep()
        assert [task.done() for task in tasks] == [False, False, False, True]
        assert tasks[3].exception() is visits[3].refusal
        assert house.inside == 4
        house.enter("few")  # 3 against 1: one more has to go
        await asleep()
        assert [task.done() for task in tasks] == [False, False, True, True]
        with pytest.raises(RequestError):  # 2 against 2: they are even
            house.enter("few")
        assert other.refusal is None
        for task in tasks[:2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(test)


def test_who_is_at_work_is_not_sent_away():
    async def test():
        house = turns(slots=2, queue=0)
        busy = [house.enter("a"), house.enter("a")]
        async with house.turn(busy[0]), house.turn(busy[1]):
            with pytest.raises(RequestError):
                house.enter("b")
            assert [visit.refusal for visit in busy] == [None, None]

    run(test)


def test_a_body_that_is_arriving_is_sent_away_at_once():
    async def test():
        house = turns(slots=1, queue=1)
        house.enter("a")
        newest = house.enter("a")

        async def arrive():
            async with asyncio.timeout(60) as newest.arriving:
                await asyncio.sleep(60)

        task = asyncio.create_task(arrive())
        await asleep()
        house.enter("b")
        with pytest.raises(TimeoutError):
            await task
        assert newest.refusal.status == 503

    run(test)


@pytest.mark.parametrize("reason", ["places", "bytes"])
def test_a_body_whose_time_is_over_is_sent_away_without_a_fault_of_the_next(reason):
    async def test():
        house = turns(slots=1, queue=1, max_held=100)
        late, newest = house.enter("a"), house.enter("a")

        async def arrive(visit, limit_s):
            with suppress(TimeoutError):
                async with asyncio.timeout(limit_s) as visit.arriving:
                    await asyncio.sleep(60)
            await asyncio.sleep(60)  # its answer is on the way

        tasks = [asyncio.create_task(arrive(visit, 0)) for visit in (late, newest)]
        await asleep()
        house.hold(late, 60)
        if reason == "places":
            house.enter("b")
            assert (late.refusal, newest.refusal.status) == (None, 503)
        else:
            house.hold(newest, 50)
            assert (late.refusal.status, newest.refusal) == (503, None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(test)


def test_every_change_of_how_many_are_inside_is_told():
    told = []
    house = Turns(slots=1, queue=1, max_held=100, on_change=told.append)
    first, _ = house.enter("a"), house.enter("a")
    house.enter("b")  # the newest of a makes room
    house.leave(first)
    house.leave(first)  # twice is once
    assert told == [1, 2, 1, 2, 1, 1]


def test_a_turn_that_comes_in_the_moment_of_giving_up_is_passed_on():
    async def test():
        house = turns(slots=1, queue=3)
        first, second, third = (house.enter("a") for _ in range(3))

        async def work(visit):
            async with house.turn(visit):
                return "done"

        async with house.turn(first):
            giving_up = asyncio.create_task(work(second))
            behind = asyncio.create_task(work(third))
            await asleep()
        giving_up.cancel()  # the slot is its own already, and it does not know yet
        assert await behind == "done"
        async with house.turn(first):
            pass  # the slot came back

    run(test)


def test_the_largest_body_goes_when_too_many_bytes_are_held():
    house = turns(slots=1, queue=4, max_held=100)
    large, small, newest = (house.enter("a") for _ in range(3))
    house.hold(large, 60)
    house.hold(small, 30)
    house.hold(newest, 20)
    assert large.refusal.status == 503
    assert house.inside == 2
    house.hold(small, 50)  # 30 + 20 + 50: all that may be held, as the large one's are gone
    with pytest.raises(RequestError, match="too many bytes"):
        house.hold(small, 1)


def test_bytes_are_free_again_when_their_visit_ends():
    house = turns(max_held=100)
    for _ in range(5):
        visit = house.enter("a")
        house.hold(visit, 90)
        house.leave(visit)
        house.leave(visit)  # twice is once
    house.hold(house.enter("a"), 100)


def test_a_guest_waits_for_turns_and_has_no_place():
    async def test():
        house = turns(slots=1, queue=0)
        visit = house.enter("a")
        async with house.turn(visit):
            waiting = asyncio.create_task(house.turn(Visit("guest")).__aenter__())
            await asleep()
            assert not waiting.done()
            assert house.inside == 1
        await waiting

    run(test)


def test_what_a_client_is_told_to_wait_grows_with_the_turns():
    async def test():
        house = turns(slots=1, queue=1)
        visits = [house.enter("a"), house.enter("a")]
        with pytest.raises(RequestError, match=re.escape("try again in 1 s")):
            house.enter("a")
        house._mean_s = 7.2  # seconds a turn: 2 visits take 14.4 s
        with pytest.raises(RequestError, match=re.escape("try again in 15 s")):
            house.enter("a")
        house._mean_s = 1e6
        with pytest.raises(RequestError, match=re.escape("try again in 60 s")):
            house.enter("a")
        assert len(visits) == 2

    run(test)
