"""The card inside a model file, and the gate that every model file passes.

The card (labels, temperature, data, metrics, licence, hash) travels in the file's metadata, so one
file is the whole model. A file without our card, changed since it was sealed, or with a card that
asks for what we do not do, is refused. Knows nothing of running the network.
"""

import hashlib
import re
import stat
from collections.abc import Callable, Mapping
from json import JSONDecoder
from pathlib import Path
from typing import Any

from mien.documents import is_number, parse_json
from mien.errors import BadModelError, BadSettingError
from mien.labels import LABELS, NEUTRAL, LabelSet
from mien.pixels import MEAN, STD

__all__ = ["CARD", "LEAST_SIDE", "MOST_SIDE", "labels_on", "read_card", "read_sealed", "seal"]

CARD = "mien_card"  # key of the file's metadata
LEAST_SIDE, MOST_SIDE = 16, 512  # pixels, of a network's input
_FORMAT = 1
_SEAL = re.compile(rb'"sha256": "([0-9a-f]{64})"')
_EMPTY = b"0" * 64
_MOST_BYTES = 2**29  # of a model file; the largest network here takes 60 MB
_MOST_OF_CARD = 2**20  # bytes; the shipped card has 2,061
_AGAIN = "reinstall mien, or make the file again with mien export"


def read_card(path: str | Path) -> dict[str, Any]:
    """Check a model file's seal and return its card.

    Args:
        path: made by ``mien export``.

    Returns:
        The card: name, labels, temperature, parameters, data, metrics, licence, sha256 and more.
        Only format, labels, temperature and sha256 are always there; what is there has its type
        and range.

    Raises:
        BadModelError: if the file is missing, not ours, damaged, or its card has a wrong value.
    """
    return read_sealed(path)[1]


def read_sealed(path: str | Path) -> tuple[bytes, dict[str, Any]]:
    """Read a model file and check its seal and its card.

    Args:
        path: made by ``mien export``.

    Returns:
        The whole file, and its card.

    Raises:
        BadModelError: as `read_card`.
    """
    data = _read(Path(path))
    seals = _SEAL.findall(data)
    if len(seals) != 1 or CARD.encode() not in data:
        raise BadModelError(f"{path} is not a model of mien: it has no card", fix=_AGAIN)
    if hashlib.sha256(data.replace(seals[0], _EMPTY)).hexdigest() != seals[0].decode():
        raise BadModelError(f"{path} is damaged: its hash is not the one on its card", fix=_AGAIN)
    try:
        card = parse_json(_text_around(data, data.index(seals[0])))
    except (ValueError, RecursionError) as error:
        raise BadModelError(f"{path} has a card that is no JSON: {error}", fix=_AGAIN) from error
    _check(card, path)
    return data, card


def _read(path: Path) -> bytes:
    """Read the file, unless it is no ordinary file or too large for a model."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            fix = "name an .onnx file; mien export makes one of a run"
            raise BadModelError(f"cannot read {path}: it is a folder", fix)
        if not stat.S_ISREG(status.st_mode):
            raise BadModelError(f"cannot read {path}: not an ordinary file", fix="check the path")
        if status.st_size > _MOST_BYTES:
            size = f"{status.st_size:,} bytes, a model has at most {_MOST_BYTES:,}"
            raise BadModelError(f"{path} is too large: {size}", fix="check the path")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        reason = getattr(error, "strerror", None) or error
        name = str(path).replace("\0", "\\0")
        raise BadModelError(f"cannot read {name}: {reason}", fix="check the path") from error


def _text_around(data: bytes, place: int) -> str:
    """Return the JSON object that the byte at `place` lies in; the card is one line of ASCII."""
    start = data.rindex(b'{"format"', 0, place)
    text = data[start : start + _MOST_OF_CARD].decode("ascii", errors="replace")
    try:
        _, end = JSONDecoder().raw_decode(text)
    except ValueError:
        if len(text) == _MOST_OF_CARD:
            raise ValueError(f"it does not end within {_MOST_OF_CARD:,} bytes") from None
        raise
    return text[:end]


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= 1000


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_share(value: object) -> bool:
    return is_number(value, 0, 1)


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _are_counts(value: object) -> bool:
    return isinstance(value, dict) and all(_is_word(k) and _is_count(n) for k, n in value.items())


def _is_licensed(value: object) -> bool:
    return isinstance(value, dict) and all(_is_word(value.get(k)) for k in ("name", "licence"))


def _are_runs(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(run, dict) and _are_counts(run.get("train_by_source", {})) for run in value
    )


def _is_start(value: object) -> bool:
    """What a network began with; that may have begun with another one."""
    while isinstance(value, dict) and _is_licensed(value):
        if not (_are_runs([value]) and _are_runs(value.get("earlier", []))):
            return False
        if "start" not in value:
            return True
        value = value["start"]
    return False


def _is_member(value: object) -> bool:
    """A network in an ensemble: its data say what it learned from, as a start itself does."""
    if not isinstance(value, dict):
        return False
    data = value.get("data", {})
    return isinstance(data, dict) and _is_start({**data, **value})


def _near(expected: list[float]) -> Callable[[object], bool]:
    """Make the check of a list of numbers that are ours, to a thousandth."""

    def fits(value: object) -> bool:
        return (
            isinstance(value, list)
            and len(value) == len(expected)
            and all(is_number(v, e - 1e-3, e + 1e-3) for v, e in zip(value, expected, strict=True))
        )

    return fits


# Place on the card: its check, and what is expected there. The first two must be there; what is
# inside an object comes after it.
_NEEDED = ("temperature", "sha256")
_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "temperature": (lambda v: is_number(v, 1e-3, 1e3), "a number from 0.001 to 1000"),
    "sha256": (_is_hash, "64 hexadecimal digits"),
    "weights_sha256": (_is_hash, "64 hexadecimal digits"),
    "name": (_is_word, "a name"),
    "licence": (_is_word, "a sentence"),
    "mien": (_is_word, "a version"),
    "parameters": (_is_count, "a whole number from 0"),
    "multiply_adds": (_is_count, "a whole number from 0"),
    "epoch": (_is_count, "a whole number from 0"),
    "parity": (lambda v: is_number(v, 0, 1), "a number from 0 to 1"),
    "input": (_is_object, "an object"),
    "input.side": (
        lambda v: type(v) is int and LEAST_SIDE <= v <= MOST_SIDE,
        f"a whole number of pixels from {LEAST_SIDE} to {MOST_SIDE}",
    ),
    "input.gray": (lambda v: v is True, "true: the crops are grey"),
    "input.mean": (_near(MEAN.tolist()), "the mean that mien takes off"),
    "input.std": (_near(STD.tolist()), "the deviation that mien divides by"),
    "uncertain": (_is_object, "an object"),
    "uncertain.below": (_is_share, "a number from 0 to 1"),
    "reject": (_is_object, "an object"),
    "reject.below": (lambda v: is_number(v, 0, 1e6), "a number from 0 to 1,000,000"),
    "neutral": (_is_object, "an object"),
    "explain": (_is_object, "an object"),
    "explain.layer": (_is_word, "the name of a layer"),
    "explain.linear_layers": (lambda v: type(v) is int and v >= 1, "a whole number from 1"),
    "data": (_is_object, "an object"),
    "data.seed": (_is_count, "a whole number from 0"),
    "data.train_by_source": (_are_counts, "counts by dataset"),
    "data.earlier": (_are_runs, "a list of counts by dataset"),
    "data.start": (_is_start, "a name, a licence and counts by dataset"),
    "members": (
        lambda v: isinstance(v, list) and all(map(_is_member, v)),
        "a list of names and licences, with counts by dataset",
    ),
    "metrics": (lambda v: _is_object(v) and all(map(_is_object, v.values())), "objects by name"),
}
_MISSING = object()


def _check(card: Any, path: str | Path) -> None:
    """Refuse a card of another format, without classes, or with a wrong value."""
    if not isinstance(card, dict):
        raise BadModelError(f"{path} has a card that is no object", fix=_AGAIN)
    try:
        if card.get("format") != _FORMAT:
            raise BadSettingError(f"a format other than {_FORMAT}", fix=_AGAIN)
        labels_on(card)
    except BadSettingError as error:
        raise BadModelError(
            f"{path} has a card of format {str(card.get('format'))[:80]} for "
            f"{str(card.get('labels'))[:80]} ({error.message})",
            fix="use the version of mien that made it",
        ) from error
    for place, (fits, expected) in _FIELDS.items():
        value = _at(card, place)
        if value is _MISSING and place in _NEEDED:
            raise BadModelError(f"{path} has a card without {place}", fix=_AGAIN)
        if value is not _MISSING and not fits(value):
            raise BadModelError(
                f"{path} has a card whose {place} is {str(value)[:80]!r}, expected {expected}",
                fix=_AGAIN,
            )


def labels_on(card: Mapping[str, Any]) -> LabelSet:
    """Return the classes of a model.

    Args:
        card: of the model. One that says nothing of a calm class has that of the paper where its
            names are the paper's, and else none: so older cards are read.

    Returns:
        The classes, in the order of the model's scores.

    Raises:
        BadSettingError: if there are none, or they cannot be told apart.

    Example:
        >>> labels_on({"labels": ["yes", "no"]}).names, labels_on({"labels": list(LABELS)}).calm
        (('yes', 'no'), 'neutral')
    """
    names = card.get("labels")
    usual = NEUTRAL if names == list(LABELS) else ""
    calm, colours = card.get("calm", usual), card.get("colours", [])
    return LabelSet.from_record({"names": names, "calm": calm, "colours": colours})


def _at(card: dict[str, Any], place: str) -> Any:
    """Return the value at a place; what it is inside of has been checked."""
    value: Any = card
    for key in place.split("."):
        value = value.get(key, _MISSING)
        if value is _MISSING:
            break
    return value


def seal(data: bytes) -> bytes:
    """Put the hash of a model file into its card, where 64 zeros stand.

    Args:
        data: an .onnx file whose card holds ``"sha256": "000..."``.

    Returns:
        The file with its hash.

    Raises:
        ValueError: if there is not exactly one place for it.
    """
    if [bytes(s) for s in _SEAL.findall(data)] != [_EMPTY]:
        raise ValueError('the card must hold "sha256": "000..." exactly once')
    digest = hashlib.sha256(data).hexdigest().encode()
    return data.replace(b'"sha256": "' + _EMPTY, b'"sha256": "' + digest)
