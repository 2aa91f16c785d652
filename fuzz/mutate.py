"""Changes of files, drawn at random and the same for the same number.

A change takes a file and a source of chance, and returns the file changed. `mutated` makes one to
a few of them; the `change_...` functions are the families. Knows nothing of mien.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from fuzz.layout import fields, mended

__all__ = ["Seed", "change_bytes", "change_members", "change_model", "change_text", "mutated"]

Change = Callable[[bytes, Random, Sequence[bytes]], bytes]
_LONGEST = 1 << 20  # bytes of a mutated file: larger ones are another question


@dataclass(frozen=True, slots=True)
class Seed:
    """A file to begin with.

    Attributes:
        name: of the file; its end tells the format.
        data: its bytes.
    """

    name: str
    data: bytes


def mutated(seeds: Sequence[Seed], kind: str, seed: int, number: int, change: Change) -> Seed:
    """Make input `number` of a kind.

    Args:
        seeds: files to begin with; number i begins with file i modulo their count.
        kind: name of the kind, so that kinds differ.
        seed: of the campaign.
        number: of the input.
        change: of a file; the other seeds are there to be spliced in.

    Returns:
        The file under the name of its seed, at most 1 MiB long. One in 64 is not changed.
    """
    rng = Random(f"{kind} {seed} {number}")
    begun = seeds[number % len(seeds)]
    others = [other.data for other in seeds]
    data = begun.data
    for _ in range(rng.choice((1, 1, 1, 2, 2, 4, 8)) if rng.random() > 1 / 64 else 0):
        data = change(data, rng, others)
    if rng.random() < 0.6:
        data = mended(data)
    return Seed(begun.name, data[:_LONGEST])


def change_bytes(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Make one change that knows of bytes and of the fields of headers.

    Args:
        data: a file.
        rng: what chance is drawn from.
        others: files to splice in.

    Returns:
        The file, changed.
    """
    return rng.choice(_BYTES)(data, rng, others) if data else bytes(rng.randbytes(64))


def _place(data: bytes, rng: Random) -> int:
    """Anywhere; half of the time in the first 512 bytes, where headers are."""
    return rng.randrange(min(len(data), 512) if rng.random() < 0.5 else len(data))


def _length(rng: Random) -> int:
    return rng.choice((1, 1, 2, 3, 4, 8, 16, 64, 256, 1024))


def _flip(data: bytes, rng: Random, _: Sequence[bytes]) -> bytes:
    out = bytearray(data)
    for _bit in range(rng.choice((1, 1, 2, 4, 16))):
        out[_place(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(out)


def _overwrite(data: bytes, rng: Random, _: Sequence[bytes]) -> bytes:
    start, length = _place(data, rng), _length(rng)
    same = rng.random() < 0.5
    new = bytes([rng.choice((0, 255, rng.randrange(256)))]) * length if same else None
    return data[:start] + (new or rng.randbytes(length)) + data[start + length :]


def _truncate(data: bytes, rng: Random, _: Sequence[bytes]) -> bytes:
    return data[: _place(data, rng)]


def _cut(data: bytes, rng: Random, _: Sequence[bytes]) -> bytes:
    start = _place(data, rng)
    return data[:start] + data[start + _length(rng) :]


def _repeat(data: bytes, rng: Random, _: Sequence[bytes]) -> bytes:
    start, length = _place(data, rng), _length(rng)
    part = data[start : start + length]
    return data[:start] + part * rng.choice((2, 2, 3, 50)) + data[start + length :]


def _insert(data: bytes, rng: Random, _: Sequence[bytes]) -> bytes:
    start = _place(data, rng)
    return data[:start] + rng.randbytes(_length(rng)) + data[start:]


def _splice(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others) or b"\0"
    start = _place(data, rng)
    if rng.random() < 0.5:
        return data[:start] + other[_place(other, rng) :]
    from_ = _place(other, rng)
    part = other[from_ : from_ + _length(rng) * 4]
    return data[:start] + part + data[start + len(part) :]


def _extreme(data: bytes, rng: Random, _: Sequence[bytes]) -> bytes:
    """Set a field of a header to a value at the edge of its range."""
    known = fields(data)
    size = rng.choice((1, 2, 4, 8))
    order = rng.choice(("big", "little"))
    place = _place(data, rng)
    if known:
        place, size, order = rng.choice(known)
    top = 1 << 8 * size
    old = int.from_bytes(data[place : place + size], order)
    near = (old + rng.choice((-1, 1, 2, 7))) % top
    values = (0, 1, 2, near, top - 1, top // 2, top // 2 - 1, 2 * old % top, 65_500 % top, 10_000)
    new = rng.choice(values) % top
    return data[:place] + new.to_bytes(size, order) + data[place + size :]


_BYTES: tuple[Change, ...] = (
    _flip, _flip, _overwrite, _overwrite, _truncate, _cut, _repeat, _insert, _splice,
    _extreme, _extreme, _extreme,
)  # fmt: skip

_CELLS = (
    b"", b"0", b"-1", b"7", b"1e300", b"nan", b"inf", b"NULL", b"None", b"null", b"true",
    b"9" * 30, b"-" * 3, b"../../etc/passwd", b"/dev/zero", b"happiness", b"HAPPY", b"train",
    b"a\0b", b"\xff\xfe", b"\xc3\xa9", b"\"", b"''", b"[", b"]", b"{", b"}", b"=1+1", b",", b";",
    b"[[[[[[[[[[", b"x" * 300, b"\r\n", b"\xef\xbb\xbf",
)  # fmt: skip


def change_text(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Make one change that knows of lines, cells and numbers; one in four knows of bytes only.

    Args:
        data: a file.
        rng: what chance is drawn from.
        others: files to splice in.

    Returns:
        The file, changed.
    """
    if rng.random() < 0.25 or not data:
        return change_bytes(data, rng, others)
    kind = rng.randrange(4)
    if kind == 0:
        return _line(data, rng)
    words = r"[0-9.eE+-]+" if kind == 1 else r'[^\s,;:="\[\]{}]+'
    found = list(re.finditer(words.encode(), data))
    if not found:
        return change_bytes(data, rng, others)
    word = rng.choice(found)
    new = rng.choice(_CELLS) if kind < 3 else rng.choice(found)[0]
    return data[: word.start()] + new + data[word.end() :]


def _line(data: bytes, rng: Random) -> bytes:
    """Drop, double, swap or cut a line."""
    lines = data.splitlines(keepends=True)
    place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    line = lines[place]
    lines[place : place + 1] = rng.choice((
        [],
        [line, line],
        [lines[other]],
        [line[: rng.randrange(len(line))]],
        [line * 40],
    ))
    return b"".join(lines)


_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_NAMES = (
    "", "/", "..", "../up.png", "/tmp/abs.png", "a\\b.png", "happiness/é.png", "con.png", ".png",
    "happiness/" + "n" * 300 + ".png", "happiness/\udcff.png", "C:/x.png", "labels.csv", "train/",
)  # fmt: skip


def change_members(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Make one change inside a .zip, which is packed anew; half of the time one of its bytes.

    Args:
        data: a .zip.
        rng: what chance is drawn from.
        others: files to splice in.

    Returns:
        The archive, changed.
    """
    if rng.random() < 0.5:
        return change_bytes(data, rng, others)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:  # noqa: BLE001 - changed before: no archive any more, whatever zipfile says
        return change_bytes(data, rng, others)
    if not members:
        return data
    place = rng.randrange(len(members))
    name, body = members[place]
    kind = rng.randrange(4)
    if kind == 0:
        name = rng.choice((*_NAMES, name.upper(), name[:-4], members[0][0]))
    elif kind == 1:
        del members[place]
    elif kind == 2:
        members.append((name, body))
    if kind != 1:
        change = change_text if name.endswith((".csv", ".txt", ".json")) else change_bytes
        members[place] = (name, change(body, rng, [b for _, b in members]) if kind > 1 else body)
    return _packed(members, rng)


def _packed(members: Sequence[tuple[str, bytes]], rng: Random) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", rng.choice(_METHODS)) as archive:
        warnings.simplefilter("ignore")  # a name twice is one of the changes
        for name, body in members:
            text = name.encode("utf-8", "replace").decode() or "empty"
            info = zipfile.ZipInfo(text, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = archive.compression
            archive.writestr(info, body)
    return buffer.getvalue()


def change_model(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Make one change of an .onnx file; half of the time in the text of its card alone.

    Args:
        data: an .onnx file with a card.
        rng: what chance is drawn from.
        others: files to splice in.

    Returns:
        The file, changed; its seal is as it was.
    """
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
        card = model.metadata_props[0].value
    except (DecodeError, IndexError):
        return change_bytes(data, rng, others)
    if rng.random() < 0.5 or not isinstance(card, str):  # bytes, where it is no UTF-8 any more
        return change_bytes(data, rng, others)
    text = change_text(card.encode(), rng, others)
    model.metadata_props[0].value = text.decode("utf-8", "replace")
    return model.SerializeToString()
