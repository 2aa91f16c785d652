"""Does mien still do what it did? Every command's output and files, as digests to compare.

The way through: make free input -> run the commands, one process and one thread at a time -> take
out what differs from run to run (times, commit, places) -> a digest of every stream and file.
Run it before and after a change that should change nothing:

python -m benchmarks.digests --out before.json --keep before
PYTHONPATH=other/src python -m benchmarks.digests --out after.json --keep after
python -m benchmarks.digests --compare before.json after.json --folders before after

The second line measures another checkout. The last prints each difference, and exits with 1 if
there is one. `--only NAME` takes the runs whose names begin so, and what they need.
Pictures count by their pixels, films by their frames and packets of sound. Compare results of one
machine and the same packages only. Of mien it uses the command line alone.
"""

import argparse
import csv
import difflib
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from benchmarks.digest_inputs import make
from benchmarks.digest_runs import RUNS, needed

_MIEN = "import sys; sys.argv[0] = 'mien'; from mien.cli import main; main()"
_SETTINGS = {
    "COLUMNS": "80",
    "LC_ALL": "C.UTF-8",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TERM": "dumb",
}
_PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "pillow", "av", "torch", "click")
_TEXTS = {".csv", ".html", ".json", ".jsonl", ".md", ".svg", ".toml", ".txt"}
_PICTURES = {".jpeg", ".jpg", ".png", ".webp"}
_LARGEST = 20_000_000  # bytes of a file that is kept
_LINES = 40  # of a difference that are shown
# What differs from run to run, in text.
_VARYING = (
    (re.compile(r'(\\?"(?:seconds|commit|date)\\?": )(\\?"[^"]*"|[\d.e+-]+)'), r"\1-"),
    (re.compile(r"  \d+ s$", re.MULTILINE), "  - s"),  # an epoch's line
    (re.compile(r"\b\d+\.\d min\b"), "- min"),
    (re.compile(r"^.*building the font cache.*\n", re.MULTILINE), ""),
)
# In a PDF: dates, and the end of the title, which is the random one of the file in the making.
_PDF = re.compile(rb"D:\d{14}[Z+-]?|(?:\x00[0-9a-f]){8}(?=\))")


class Places:
    """Where the work is done and mien lies, to be taken out of texts."""

    def __init__(self, work: Path) -> None:
        """Look for mien as the commands will find it."""
        spec = find_spec("mien")
        if spec is None or spec.origin is None:
            sys.exit("mien is not installed")
        self.work, self.package = work.resolve(), Path(spec.origin).resolve().parent
        self._words = {
            str(self.work): "<work>",
            str(self.package): "<package>",
            str(self.package.parents[1]): "<checkout>",
            sys.prefix: "<python>",
        }

    def out_of(self, text: str) -> str:
        """Return a text without what differs from run to run."""
        for place in sorted(self._words, key=len, reverse=True):
            text = text.replace(place, self._words[place])
        for pattern, instead in _VARYING:
            text = pattern.sub(instead, text)
        return text


def measure(prefix: str, keep: Path | None) -> dict[str, Any]:
    """Run commands and digest what they print and write.

    Args:
        prefix: of the runs' names.
        keep: receives texts and files; None keeps none.

    Returns:
        What the versions are, the digest of the input, and a record a run.
    """
    with tempfile.TemporaryDirectory() as folder:
        places = Places(Path(folder))
        print(f"mien: {places.package}", file=sys.stderr)
        given = places.work / "given"
        make(given, next(places.package.rglob("eileen_collins.jpg")))
        before = _of_folder(given)
        runs = {}
        for name in needed(prefix):
            start = time.perf_counter()
            runs[name] = _run(name, places, keep / name if keep else None)
            took = f"{time.perf_counter() - start:5.1f} s"
            print(f"{took}  {name}  exit {runs[name]['exit']}", file=sys.stderr)
        if _of_folder(given) != before:
            sys.exit("a command changed its input")
        return {"versions": _versions(), "given": before, "runs": runs}


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def _of_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def _run(name: str, places: Places, keep: Path | None) -> dict[str, Any]:
    """Run the commands of one name in its folder."""
    folder = places.work / name
    folder.mkdir()
    record: dict[str, Any] = {"exit": [], "stdout": [], "stderr": [], "files": {}}
    for number, command in enumerate(RUNS[name]):
        asked, _, source = command.partition(" < ")
        words = shlex.split(asked)
        if words[0] == "replace":
            _replace(folder / words[1], words[2], words[3])
            continue
        done = _mien(words, folder, folder / source if source else None, places)
        record["exit"].append(done.returncode)
        for stream in ("stdout", "stderr"):
            text = places.out_of(getattr(done, stream).decode("utf-8", "backslashreplace")).encode()
            record[stream].append(_sha256(text))
            if keep:
                _write(keep / f"{number}.{stream}", text)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        inside = str(path.relative_to(folder))
        plain = _plain(path, places)
        record["files"][inside] = _sha256(plain)
        if keep and path.stat().st_size < _LARGEST:
            _write(keep / "files" / inside, plain if _is_text(path) else path.read_bytes())
    return record


def _replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def _mien(
    words: list[str], folder: Path, source: Path | None, places: Places
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **_SETTINGS, "PYTHONPATH": str(places.package.parent)}
    environment.pop("MIEN_DATA", None)
    data = source.read_bytes() if source else b""
    command = [sys.executable, "-P", "-c", _MIEN, *words]
    return subprocess.run(
        command, cwd=folder, env=environment, input=data, capture_output=True, timeout=600
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _is_text(path: Path) -> bool:
    return path.suffix in _TEXTS


def _plain(path: Path, places: Places) -> bytes:
    """Return what counts of a file."""
    if _is_text(path):
        text = path.read_bytes().decode()
        return places.out_of(_untimed(text) if path.suffix == ".csv" else text).encode()
    if path.suffix in _PICTURES:
        with Image.open(path) as image:
            return f"{image.format} {image.mode} {image.size} ".encode() + image.tobytes()
    data = path.read_bytes()
    if path.suffix == ".mp4":
        return "\n".join(_film(path)).encode()
    if path.suffix == ".pdf":
        return _PDF.sub(b"", data)
    if path.suffix == ".safetensors":
        end = 8 + int.from_bytes(data[:8], "little")
        return places.out_of(data[8:end].decode()).rstrip().encode() + data[end:]
    return data  # an .onnx is the same at every export


def _untimed(table: str) -> str:
    """Blank a column of seconds."""
    header = next(csv.reader([table.partition("\n")[0]]), [])
    if "seconds" not in header:
        return table
    rows = list(csv.reader(table.splitlines()[1:]))
    for row in rows:
        row[header.index("seconds")] = "-"
    return "\n".join(map(",".join, [header, *rows])) + "\n"


def _film(path: Path) -> Iterator[str]:
    """Describe a film's streams, frames and packets of sound, a line each."""
    with av.open(str(path)) as film:
        for stream in film.streams:
            yield f"{stream.type} {stream.codec_context.name} {stream.time_base}"
        for packet in film.demux():
            if packet.stream.type == "audio":
                yield f"sound {packet.pts} {packet.duration} {_sha256(bytes(packet))}"
                continue
            for frame in packet.decode():
                pixels = frame.to_ndarray(format="rgb24")
                yield f"frame {frame.pts} {pixels.shape} {_sha256(pixels.tobytes())}"


def compare(one: Path, two: Path, folders: list[Path] | None) -> int:
    """Print what differs between two results.

    Args:
        one: a result.
        two: another.
        folders: what was kept of both, to say how they differ; None where nothing was.

    Returns:
        How many differences there are.
    """
    a, b = (json.loads(path.read_text(encoding="utf-8")) for path in (one, two))
    count = 0
    for name in ("versions", "given"):
        if a[name] != b[name]:
            count += 1
            print(f"not comparable, other {name}: {a[name]}\n  {b[name]}")
    for name in dict.fromkeys([*a["runs"], *b["runs"]]):
        if name not in a["runs"] or name not in b["runs"]:
            count += 1
            print(f"{name}: only in {one if name in a['runs'] else two}")
            continue
        for part, first, second in _differing(a["runs"][name], b["runs"][name]):
            count += 1
            print(f"{name}: {part}: {_change(first, second)}")
            if folders and first and second and not part.startswith("exit"):
                _show(*(folder / name / part for folder in folders))
    print(f"{count} differences in {len(b['runs'])} runs")
    return count


def _differing(a: dict[str, Any], b: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the differing parts of a run, called as what is kept of them, and both values."""
    for part in ("exit", "stdout", "stderr"):
        for number, (one, two) in enumerate(zip_longest(a[part], b[part])):
            if one != two:
                yield f"{number}.{part}" if part != "exit" else f"exit of {number}", one, two
    for inside in dict.fromkeys([*a["files"], *b["files"]]):
        one, two = a["files"].get(inside), b["files"].get(inside)
        if one != two:
            yield f"files/{inside}", one, two


def _change(one: Any, two: Any) -> str:
    if one is None or two is None:
        return "only in the second" if one is None else "only in the first"
    return "differs" if isinstance(one, str) else f"{one}, then {two}"


def _show(one: Path, two: Path) -> None:
    """Say how two kept files differ."""
    if not (one.exists() and two.exists()):
        print("  not kept")
    elif one.suffix in {*_TEXTS, ".stdout", ".stderr"}:
        lines = (path.read_text(encoding="utf-8").splitlines() for path in (one, two))
        shown = list(difflib.unified_diff(*lines, "first", "second", lineterm="", n=1))
        for line in shown[:_LINES]:
            print(f"  {line[:200]}")
        if len(shown) > _LINES:
            print(f"  ... {len(shown) - _LINES} lines more")
    elif one.suffix in {*_PICTURES, ".mp4"}:
        _show_pixels(*(list(_pixels(path)) for path in (one, two)))
    else:
        print(f"  {one.stat().st_size} and {two.stat().st_size} bytes")


def _pixels(path: Path) -> Iterator[np.ndarray]:
    if path.suffix in _PICTURES:
        with Image.open(path) as image:
            yield np.asarray(image.convert("RGBA"), np.int16)
    else:
        with av.open(str(path)) as film:
            for frame in film.decode(video=0):
                yield frame.to_ndarray(format="rgb24").astype(np.int16)


def _show_pixels(one: list[np.ndarray], two: list[np.ndarray]) -> None:
    shapes = [[frame.shape for frame in frames] for frames in (one, two)]
    if shapes[0] != shapes[1]:
        sizes = " and ".join(f"{len(s)} of {sorted(set(s))}" for s in shapes)
        print(f"  sizes differ: {sizes}")
        return
    apart = [np.abs(a - b) for a, b in zip(one, two, strict=True)]
    means = [float(difference.mean()) for difference in apart]
    largest = max(int(difference.max()) for difference in apart)
    print(f"  pixels differ by at most {largest}, by {np.mean(means):.4f} in the mean")


def main() -> None:
    """Measure or compare, as asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("digests.json"))
    parser.add_argument("--keep", type=Path, help="folder for texts and files; is made anew")
    parser.add_argument("--only", default="", help="runs whose names begin so")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("A", "B"))
    parser.add_argument("--folders", type=Path, nargs=2, metavar=("KEPT_A", "KEPT_B"))
    asked = parser.parse_args()
    if asked.compare:
        sys.exit(bool(compare(*asked.compare, asked.folders)))
    if asked.keep and asked.keep.exists():
        shutil.rmtree(asked.keep)
    found = measure(asked.only, asked.keep)
    asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {asked.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
