"""Make a failing input smaller while it fails in the same way: cut off its end, then its parts."""

from collections.abc import Callable
from pathlib import Path

from fuzz.campaign import Child, signature_of

__all__ = ["minimised"]

_TRIES = 80
_FEW = 3  # where each try costs a process


def minimised(child: Child, path: Path, folder: Path, signature: str) -> bytes:
    """Shorten an input, and zero what does not matter.

    Args:
        child: tries each attempt.
        path: of the input; its name is kept, as it tells the format.
        folder: for the attempts.
        signature: of the failure to keep.

    Returns:
        The smallest input found that fails alike; the whole one if it does not fail alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    attempt = folder / path.name.split("-", 2)[-1]
    left = _TRIES if signature.startswith("failed") else _FEW

    def fails(data: bytes) -> bool:
        nonlocal left
        if left <= 0:
            return False
        left -= 1
        attempt.write_bytes(data)
        return signature_of(child.file(attempt)) == signature

    data = path.read_bytes()
    if not fails(data):
        return data
    data = _shortened(data, fails)
    size = len(data) // 2
    while size >= 8 and left > 0:
        for start in range(0, len(data) - size, size):
            without = data[:start] + data[start + size :]
            zeroed = data[:start] + bytes(size) + data[start + size :]
            if fails(without):
                data = without
            elif any(data[start : start + size]) and fails(zeroed):
                data = zeroed
        size //= 2
    return data


def _shortened(data: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """The shortest beginning that still fails, by halving."""
    good, bad = 0, len(data)
    while bad - good > max(8, bad // 50):
        middle = (good + bad) // 2
        if fails(data[:middle]):
            bad = middle
        else:
            good = middle
    return data[:bad]
