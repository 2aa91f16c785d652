"""Whatever holds a picture becomes RGB: a path, bytes, an open file, a Pillow image or an array.

What an array means must be clear from its shape, type and values; where it is not, the error says
how to convert it. Knows nothing of faces.
"""

import io
import os
from typing import BinaryIO, Protocol, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from mien.errors import BadImageError
from mien.media import images
from mien.media.files import read_errors
from mien.pixels import U8

__all__ = ["FetchedFile", "PictureLike", "array_to_rgb", "as_rgb", "is_one_picture", "path_of"]


class ArrayLike(Protocol):
    """What numpy reads without a copy of its own: its arrays, and tensors on the CPU."""

    def __array__(self) -> npt.NDArray[np.generic]:
        """Return it as a numpy array."""
        ...


class FetchedFile(io.BytesIO):
    """A file that was fetched from where paths do not lead, or why it could not be.

    Attributes:
        name: that it goes by in results and errors.
    """

    def __init__(self, name: str, content: bytes | OSError) -> None:
        """Keep the name and the content.

        Args:
            name: its address.
            content: all of it; or the error, which is raised when it is read.
        """
        super().__init__(b"" if isinstance(content, OSError) else content)
        self.name = name
        self._refused = content if isinstance(content, OSError) else None

    def read(self, size: int | None = -1, /) -> bytes:
        """Return what comes next.

        Args:
            size: at most so many bytes.

        Returns:
            The bytes; none at the end.

        Raises:
            OSError: if it could not be fetched.
        """
        if self._refused:
            raise self._refused
        return super().read(size)


PictureLike = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | ArrayLike
)
_ACCEPTED = "a path, bytes, an open binary file, a Pillow image or an array"
_CHANNELS = (1, 3, 4)
_SINGLE = (str, bytes, bytearray, memoryview, os.PathLike, io.IOBase, Image.Image)


def as_rgb(
    picture: PictureLike,
    max_pixels: int = images.MAX_PIXELS,
    max_memory: int = images.MAX_MEMORY,
    order: str = "rgb",
) -> U8:
    """Read whatever holds a picture.

    Args:
        picture: path; the bytes of a picture file; a binary file, read from its start; Pillow
            image; or array, see `array_to_rgb`.
        max_pixels: refuse larger pictures before decoding them.
        max_memory: MiB; refuse pictures whose decoding takes more.
        order: ``"bgr"`` if the colours of an array are blue, green, red, as OpenCV has them.

    Returns:
        shape (H, W, 3), uint8, RGB, contiguous.

    Raises:
        BadImageError: if it cannot be read, or is of another type.
        ValueError: if `order` is neither, or is given for what is no array.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (2, 1), "white").save(file, "PNG")
        >>> as_rgb(file).tolist()
        [[[255, 255, 255], [255, 255, 255]]]
    """
    _check_order(order, picture)
    if isinstance(picture, str | os.PathLike):
        return images.read_rgb(os.fsdecode(picture), max_pixels, max_memory)
    if isinstance(picture, Image.Image):
        return images.to_rgb(picture, max_pixels, max_memory)
    if isinstance(picture, bytes | bytearray | memoryview):
        return images.decode_rgb(_bytes(picture), "picture", max_pixels, max_memory)
    if hasattr(picture, "read"):
        name = getattr(picture, "name", "picture")
        data = _content(cast("BinaryIO", picture), str(name))
        return images.decode_rgb(data, str(name), max_pixels, max_memory)
    if not hasattr(picture, "__array__"):
        raise BadImageError(
            f"expected {_ACCEPTED}, got {type(picture).__name__}",
            fix="give mien.Recognizer().read a path, or numpy.asarray(...) of the pixels",
        )
    rgb = array_to_rgb(_array(picture))
    return np.ascontiguousarray(rgb[..., ::-1]) if order == "bgr" else rgb


def _check_order(order: str, picture: PictureLike) -> None:
    if order not in {"rgb", "bgr"}:
        raise ValueError(f'order is "rgb" or "bgr", got {order!r}')
    is_array = hasattr(picture, "__array__") and not isinstance(picture, Image.Image)
    if order == "bgr" and not is_array:
        raise ValueError(f'order="bgr" is for arrays; {type(picture).__name__} tells its own order')


def _bytes(data: bytes | bytearray | memoryview) -> bytes:
    try:
        return bytes(data)
    except ValueError as error:
        raise BadImageError(f"cannot read bytes: {error}", fix="release them later") from error


def _array(picture: ArrayLike) -> npt.NDArray[np.generic]:
    """Pixels in this machine's memory, of a type that numpy has."""
    try:
        return np.asarray(picture)
    except read_errors(TypeError) as error:  # torch raises both; an array on a disk OSError
        is_tensor = hasattr(picture, "detach")
        fix = "tensor.detach().float().cpu(), of a sparse one after to_dense()"
        reason = str(error).partition("\n")[0]
        raise BadImageError(
            f"numpy cannot read this {type(picture).__name__}: {reason}",
            fix=f"give {fix if is_tensor else 'numpy.asarray(...) of the pixels'}",
        ) from error


def path_of(picture: PictureLike) -> str:
    """Return the path that a picture was given by.

    Args:
        picture: as for `as_rgb`.

    Returns:
        The path, the name of a `FetchedFile`, or "" where the picture was given in another way.
    """
    if isinstance(picture, FetchedFile):
        return str(picture.name)
    return os.fsdecode(picture) if isinstance(picture, str | os.PathLike) else ""


def is_one_picture(pictures: object) -> bool:
    """Tell whether what should be many pictures is a single one, whose rows are no pictures.

    Args:
        pictures: whatever was given for many.

    Returns:
        True for a path, bytes, an open file, a Pillow image, and an array that `array_to_rgb` takes
        for a picture, such as (3, H, W): three grey ones are to be given as a list.

    Example:
        >>> is_one_picture("a.jpg"), is_one_picture(["a.jpg"]), is_one_picture(np.zeros((9, 9, 3)))
        (True, False, True)
    """
    if isinstance(pictures, _SINGLE):
        return True
    shape: tuple[int, ...] = getattr(pictures, "shape", ())  # of an array or a tensor
    return len(shape) == 2 or (len(shape) == 3 and not {*shape[::2]}.isdisjoint(_CHANNELS))


def _content(file: BinaryIO, name: str) -> bytes:
    """Read an open file from its start, if it has one that can be returned to."""
    try:
        if hasattr(file, "seekable") and file.seekable():
            file.seek(0)
        parts, room = [], images.MAX_BYTES + 1
        while room > 0 and (part := file.read(min(room, 2**20))):
            parts.append(part)
            room -= len(part)
        data = b"".join(parts)
    except (TypeError, UnicodeError) as error:
        raise BadImageError(
            f"cannot read {name}: it gives text", fix='open it with open(path, "rb")'
        ) from error
    except read_errors() as error:
        reason = str(error) or type(error).__name__
        fix = "open the file again, or leave it out"
        raise BadImageError(f"cannot read {name}: {reason}", fix) from error
    if room <= 0:
        raise BadImageError(
            f"file too large: {name} has more than {images.MAX_BYTES:,} bytes", fix="shrink it"
        )
    return data


def array_to_rgb(array: npt.NDArray[np.generic]) -> U8:
    """Convert an array of pixels whose meaning is clear.

    Args:
        array: shape (H, W, 3) RGB, (H, W, 4) RGBA laid over white, (H, W) or (H, W, 1) grey; or
            with the channels first, (3, H, W), (4, H, W), (1, H, W), where the last side is not 1,
            3 or 4. Values: uint8 or another integer in [0, 255]; uint16 up to 65535; bool; float in
            [0, 1], or in [0, 255] with a maximum of 8 or more.

    Returns:
        shape (H, W, 3), uint8, RGB, contiguous; an array that is this already as it is.

    Raises:
        BadImageError: if the shape or the values may mean different things.

    Example:
        >>> array_to_rgb(np.array([[0.0, 1.0]])).tolist()
        [[[0, 0, 0], [255, 255, 255]]]
    """
    pixels = _to_bytes(_channels_last(array))
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.shape[2] == 4:
        return images.to_rgb(Image.fromarray(np.ascontiguousarray(pixels)), pixels.size)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels)


def _channels_last(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    shape = array.shape
    if 0 in shape or array.ndim not in {2, 3}:
        raise _refused(array, "one picture without empty sides: of a batch give batch[0]")
    if array.ndim == 2 or shape[2] == 3:
        return array
    first, last = shape[0] in _CHANNELS, shape[2] in _CHANNELS
    if first and last:
        raise _refused(array, "array.transpose(1, 2, 0) if the channels come first, else a path")
    if last:
        return array
    if first:
        return array.transpose(1, 2, 0)
    fix = "array[..., 0] for the first of the channels, or array[..., :3] for three"
    raise _refused(array, fix)


def _to_bytes(array: npt.NDArray[np.generic]) -> U8:
    """Scale the values to [0, 255], where it is clear what they mean."""
    kind = array.dtype.kind
    if array.dtype == np.uint8:
        return array.astype(np.uint8, copy=False)
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind not in "iuf":
        raise _refused(array, "numpy.asarray(..., dtype=numpy.uint8) of the pixels")
    low, high = float(array.min()), float(array.max())
    said = f"values from {low:g} to {high:g}"
    if not (low >= 0 and np.isfinite(high)):
        raise _refused(array, "undo the normalisation: to [0, 1] or uint8", said)
    if kind == "f":
        if 1 < high < 8 or high > 255:
            raise _refused(array, "array.clip(0, 1) or (array * scale).astype(numpy.uint8)", said)
        scale = 255.0 if high <= 1 else 1.0
    elif array.dtype.itemsize == 2 and kind == "u":
        if high <= 255:
            raise _refused(array, "array.astype(numpy.uint8) if 255 is white", said)
        scale = 255.0 / 65535
    else:
        if high > 255:
            raise _refused(array, "array.astype(numpy.uint16) if 65535 is white", said)
        scale = 1.0
    return (array.astype(np.float32) * np.float32(scale)).round().astype(np.uint8)


def _refused(array: npt.NDArray[np.generic], fix: str, said: str = "") -> BadImageError:
    got = f"{array.shape} {array.dtype}" + (f" with {said}" if said else "")
    return BadImageError(
        f"expected an (H, W, 3) RGB array of uint8 in [0, 255] or float in [0, 1], got {got}",
        fix=fix,
    )
