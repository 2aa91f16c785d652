"""Kinds of input whose door fails on purpose, for the tests of the fuzzer itself."""

import os
import signal
import time
from pathlib import Path

from fuzz.kinds import Kind
from fuzz.mutate import Seed
from mien.errors import BadDataError


def seeds(_: Path) -> list[Seed]:
    words = (b"clean", b"refuse", b"fail 1", b"die 22", b"sleep3", b"large4", b"work 5")
    return [Seed(f"{word.decode().split()[0]}.txt", word * 40) for word in words]


def door(_: Path):
    def use(file: Path) -> None:
        data = file.read_bytes()
        if b"refuse" in data:
            raise BadDataError("refused", fix="give another")
        if b"fail" in data:
            raise KeyError("planted")
        if b"die" in data:
            os.kill(os.getpid(), signal.SIGSEGV)
        if b"sleep" in data:
            time.sleep(20)
        if b"work" in data:
            end = time.process_time() + 0.7
            while time.process_time() < end:
                pass
        if b"large" in data:
            os.environ["KEPT"] = str(len(bytearray(300 << 20)))

    return use


def unchanged(data, _rng, _others):
    return data


EVERY_FAULT = Kind(seeds, door, unchanged, goal=7, share=1)
