"""What a result holds, without what differs from run to run: times and dates."""

import csv
import hashlib
import json
import sqlite3
import tomllib
from contextlib import closing

from PIL import Image, UnidentifiedImageError

_OF_THE_RUN = {"seconds", "date", "commit"}


def contents(path):
    """What a file holds, to be compared; None if it is no longer there or cut short."""
    try:
        return (_BY_NAME.get(path.name) or _READ.get(path.suffix, _plain))(path)
    except _DAMAGE:
        return None


def is_readable(path):
    """Whether a file is whole, as far as its format tells."""
    return contents(path) is not None


def _plain(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _table(path):
    data = path.read_text(encoding="utf-8", errors="surrogateescape")
    if not data.endswith("\n"):
        raise ValueError("the last line has no end")
    header, *rows = csv.reader(data.splitlines())
    if any(len(row) != len(header) for row in rows):
        raise ValueError("a row is cut short")
    kept = [number for number, name in enumerate(header) if name not in _OF_THE_RUN]
    return [[row[number] for number in kept] for row in (header, *rows)]


def _record(path):
    """One JSON document, or one a line."""
    text = path.read_text(encoding="utf-8")
    try:
        return _without_times(json.loads(text))
    except ValueError:
        return [_without_times(json.loads(line)) for line in text.splitlines()]


def _without_times(value):
    if isinstance(value, dict):
        return {k: _without_times(v) for k, v in value.items() if k not in _OF_THE_RUN}
    return [_without_times(v) for v in value] if isinstance(value, list) else value


def _picture(path):
    with Image.open(path) as image:
        image.load()
    return _plain(path)


def _page(path):
    if not path.read_text(encoding="utf-8").rstrip().endswith(("</html>", "</svg>")):
        raise ValueError("the page has no end")
    return _plain(path)


def _settings(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _checkpoint(path):
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            tensors = {k: _digest(file.get_tensor(k)) for k in file.keys()}  # noqa: SIM118
            return tensors, _without_times(json.loads(file.metadata()["progress"]))
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


def _video(path):
    import av

    try:
        with av.open(str(path)) as container:
            frames = sum(1 for _ in container.decode(video=0))
    except av.FFmpegError as error:
        raise ValueError(str(error)) from error
    return frames, _plain(path)


def _journal(path):
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            [(state,)] = database.execute("PRAGMA integrity_check")
            if state != "ok":
                raise ValueError(state)
            return database.execute("SELECT path, size, result FROM files ORDER BY path").fetchall()
    except sqlite3.OperationalError:  # opened, and killed before its tables were made
        return []
    except sqlite3.Error as error:
        raise ValueError(str(error)) from error


def _parquet(path):
    data = path.read_bytes()  # pyarrow would start a thread
    if not (data[:4] == data[-4:] == b"PAR1"):
        raise ValueError("its end is missing")
    return _plain(path)


def _model(path):
    import onnx

    model = onnx.load(str(path))
    onnx.checker.check_model(model)
    return _plain(path)


_READ = {
    ".csv": _table,
    ".json": _record,
    ".png": _picture,
    ".jpg": _picture,
    ".webp": _picture,
    ".html": _page,
    ".svg": _page,
    ".toml": _settings,
    ".safetensors": _checkpoint,
    ".mp4": _video,
    ".onnx": _model,
    ".journal": _journal,
    ".parquet": _parquet,
}
_BY_NAME = {"grid.toml": _plain}  # the settings of all points, one after another
_DAMAGE = (OSError, ValueError, KeyError, UnidentifiedImageError, SyntaxError)
