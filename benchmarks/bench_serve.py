"""How fast does the service read, beside a loop of `Recognizer.read`, and does it bear a crowd?

First the same photographs: by one thread of the library, by `mien serve` with one worker and with
two, of one thread each, and with one of two threads, in turn. Then a crowd: 64 clients with 2,000
requests of mixed sizes and kinds, every eighth of them slow, broken or hostile; the memory of the
service is looked at all the while.

Run: OMP_NUM_THREADS=1 python -m benchmarks.bench_serve [--repeats N] [--requests N]
Goals: 0.9 of the loop's rate with one worker, 1.7 with two (on two cores); below 600 MiB, and flat;
the slowest hundredth of the answers within the time that a full queue takes.
Check: every answer equals the library's own, and every hostile client gets the answer it should.
"""

import argparse
import json
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

import mien
from benchmarks import non_faces, portraits, timing
from benchmarks.web_clients import HOSTILE, Client, Server, post_of, serving
from mien.cores import cores
from mien.errors import BadImageError
from mien.media import images
from mien.serve.settings import Settings

PHOTOS, CLIENTS, CROWD, EVERY = 48, 8, 64, 8  # every eighth request is hostile
REST_S = 0.5  # of a client that found no place, before it tries again
SETTINGS = Settings()


@dataclass
class Request:
    """A picture as a file, the request that sends it, and the answer that is right."""

    data: bytes
    sent: bytes
    right: Any


def file_of(rgb: Any, suffix: str) -> bytes:
    ok, coded = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    timing.check(ok, f"a picture can be written as {suffix}")
    return bytes(coded.tobytes())


def photos() -> list[bytes]:
    """The same photograph of 1280x720 with one to three faces, as JPEG."""
    return [file_of(portraits.scene(1 + n % 3)[0], ".jpg") for n in range(PHOTOS)]


def mixed(recognizer: mien.Recognizer) -> list[Request]:
    """Pictures of many sizes and kinds, some damaged, with the library's answers."""
    rng = np.random.default_rng(0)
    whole, made = portraits.scene(3)[0], []
    [blank] = non_faces.make("texture", 1, seed=0)
    for number, width in enumerate((160, 320, 640, 960, 1280, 1920, 2560, 3840)):
        size = (width, width * 9 // 16)
        for rgb in (whole, np.asarray(blank)):
            sized = np.asarray(cv2.resize(rgb, size))
            made.append(file_of(sized, (".jpg", ".png")[number % 2]))
    made.append(made[8][: len(made[8]) // 2])
    made.append(rng.bytes(20_000))
    return [Request(d, post_of("/v1/pictures", d), record(recognizer, d)) for d in made]


def record(recognizer: mien.Recognizer, data: bytes) -> dict[str, Any]:
    """What the service must answer."""
    try:
        rgb = images.decode_rgb(data, "0", SETTINGS.max_pixels, SETTINGS.max_memory)
    except BadImageError as error:
        return {"path": "0", "error": error.message}
    return recognizer.read(rgb).record() | {"path": "0"}


def by_clients(server: Server, requests: Sequence[bytes], right: Sequence[Any]) -> None:
    """Post all, a few at once, and check every answer; a client that is free takes the next.

    A connection stays with the worker that took it, so shares of one size would wait for the
    worker that took more of them.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(requests)):
        waiting.put(number)

    def work(client: Client) -> int:
        done = 0
        with suppress(queue.Empty):
            while True:
                i = waiting.get_nowait()
                _, body, _ = client.ask_patiently(requests[i], REST_S)
                timing.check(json.loads(body)["pictures"] == [right[i]], "an answer of the service")
                done += 1
        client.close()
        return done

    with ThreadPoolExecutor(CLIENTS) as threads:
        answered = sum(threads.map(work, [Client(server.port) for _ in range(CLIENTS)]))
    timing.check(answered == len(requests), "every request was answered")


def rates(report: timing.Report, repeats: int) -> None:
    """Compare the service with the loop."""
    recognizer, given = mien.Recognizer(threads=1), photos()
    requests = [post_of("/v1/pictures", data) for data in given]
    right = [record(recognizer, data) for data in given]
    with (
        serving("--threads", "1") as one,
        serving("--workers", "2", "--threads", "1") as two,
        serving("--threads", "2") as threads,
    ):
        times = timing.take_turns(
            {
                "loop": lambda: [recognizer.read(data) for data in given],
                "one worker": lambda: by_clients(one, requests, right),
                "two workers": lambda: by_clients(two, requests, right),
                "one worker of two threads": lambda: by_clients(threads, requests, right),
            },
            repeats,
            warmup=1,
        )
    goals = {"one worker": 0.9, "two workers": 1.7, "one worker of two threads": 0}  # 0: none
    for name, goal in goals.items():
        slower = timing.ratio(times[name], times["loop"])
        report.figures[f"{name}, rate / loop"] = round(1 / slower["median"], 3)
        if goal:
            report.goals.append(
                timing.Goal(f"service, {name} / a loop of read", 1 / goal, slower["median"])
            )
    report.figures["per_picture"] = {name: t.record(PHOTOS) for name, t in times.items()}


@dataclass
class Crowd:
    """What happened to 64 clients."""

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    waits: int = 0
    hostile: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, server: Server, mine: range, mix: Sequence[Request]) -> None:
        """Send my share."""
        client = Client(server.port)
        for number in mine:
            if number % EVERY == 0:
                self._attack(server, number // EVERY, mix[4].data)
                continue
            request = mix[(number * 7 + number // len(mix)) % len(mix)]
            status, body, spent = client.ask_patiently(request.sent, REST_S)
            same = status == 200 and json.loads(body)["pictures"] == [request.right]
            with self.lock:
                self.seconds.append(spent)
                if not same:
                    self.wrong.append(f"{number}: {status}")
        client.close()
        with self.lock:
            self.waits += client.waits

    def _attack(self, server: Server, number: int, photo: bytes) -> None:
        name = list(HOSTILE)[number % len(HOSTILE)]
        wrong = HOSTILE[name](server.port, photo)
        with self.lock:
            self.hostile[name] = self.hostile.get(name, 0) + 1
            if wrong:
                self.wrong.append(f"{name}: {wrong}")


def crowd(report: timing.Report, requests: int) -> None:
    """Let the crowd in, and look at the memory until it has gone."""
    mix, seen, over = mixed(mien.Recognizer(threads=1)), Crowd(), threading.Event()
    memory: list[float] = []
    with serving() as server:

        def look() -> None:
            while not over.wait(0.1):
                memory.append(server.memory_mib())

        watcher = threading.Thread(target=look)
        watcher.start()
        start = time.perf_counter()
        with ThreadPoolExecutor(CROWD) as threads:
            shares = [range(n, requests, CROWD) for n in range(CROWD)]
            list(threads.map(lambda mine: seen.client(server, mine, mix), shares))
        spent = time.perf_counter() - start
        over.set()
        watcher.join()
        peak = server.memory_mib("VmHWM")
        timing.check(Client(server.port).ask(mix[0].sent)[0] == 200, "it answers afterwards")
    timing.check(not seen.wrong, f"every answer as the library's: {seen.wrong[:5]}")
    third = max(1, len(memory) // 3)
    growth = float(np.median(memory[-third:]) / np.median(memory[third : 2 * third]))
    places = SETTINGS.queue + cores()
    full_s = places * spent / len(seen.seconds)
    p50, p99 = (float(v) for v in np.percentile(seen.seconds, (50, 99)))
    report.figures["crowd"] = {
        "requests": requests,
        "answers_per_s": round(len(seen.seconds) / spent, 2),
        "told_to_wait": seen.waits,
        "hostile": dict(sorted(seen.hostile.items())),
        "p50_s": round(p50, 4),
        "p99_s": round(p99, 4),
        "a_full_queue_takes_s": round(full_s, 4),
        "peak_mib": round(peak, 1),
    }
    report.goals += [
        timing.Goal("service, peak memory, MiB", 600, round(peak, 1)),
        timing.Goal(
            "service, memory of the last third of a crowd / the middle", 1.1, round(growth, 3)
        ),
        timing.Goal("service, p99 of a crowd / what a full queue takes", 2, round(p99 / full_s, 3)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=2000, help="of the crowd, default 2000")
    chosen = timing.options(7, parser)
    settings = {"photos": PHOTOS, "clients": CLIENTS, "crowd": CROWD, "cores": cores()}
    settings |= {"repeats": chosen.repeats, "requests": chosen.requests}
    report = timing.Report("serve", __doc__.splitlines()[0], settings)
    cv2.setNumThreads(1)
    rates(report, chosen.repeats)
    crowd(report, chosen.requests)
    report.table([(name, str(value)) for name, value in report.figures.items()])
    report.write(chosen.out)


if __name__ == "__main__":
    main()
