"""The body of a request becomes pictures or a video, in memory alone.

Three ways to send pictures: multipart with parts called ``files``; a JSON object with data URLs;
or the bytes of one picture file. What is no picture fails by name later, with the others read.
Addresses and paths are refused without a look at what they name. Nothing is decoded here.
"""

import base64
import binascii
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from http import HTTPStatus

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from mien.documents import parse_json
from mien.errors import BadImageError
from mien.serve.problems import RequestError

__all__ = ["Given", "read_pictures", "read_video"]

_FIX = 'send a picture file as the body, multipart parts called files, or {"pictures": [data URLs]}'
_FIX_VIDEO = "send the video file as the body, or as one multipart part called files"
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w.+-]+=[\w.+-]+)*;base64,", re.ASCII)
_LONGEST_HEAD = 200  # characters of a data URL before its data


@dataclass(frozen=True, slots=True)
class Given:
    """A picture as it was sent.

    Attributes:
        name: of the file, if the client named it; else its number in the request, from 0.
        data: the bytes of a picture file; or why there are none.
    """

    name: str
    data: bytes | BadImageError


async def read_pictures(request: Request, most: int) -> list[Given]:
    """Read the pictures of a request.

    Args:
        request: in one of the three ways; with any other type of content, the body is a picture.
        most: pictures; more are refused.

    Returns:
        One or more.

    Raises:
        RequestError: if there is none, there are too many, or the body cannot be understood.
    """
    kind = _media_type(request)
    if kind == "multipart/form-data":
        found = await _parts(request, most, _FIX)
    elif kind == "application/json":
        found = _data_urls(await _whole(request), most)
    else:
        data = await _whole(request)
        found = [Given("0", data)] if data else []
    if not found:
        raise RequestError(422, "no picture was sent", _FIX)
    return found


async def read_video(request: Request) -> Given:
    """Read the video of a request.

    Args:
        request: with the file as its body, or as one multipart part called ``files``.

    Returns:
        The video.

    Raises:
        RequestError: if there is none or more than one.
    """
    if _media_type(request) != "multipart/form-data":
        data = await _whole(request)
        found = [Given("video", data)] if data else []
    else:
        found = await _parts(request, 1, _FIX_VIDEO)
    if not found:
        raise RequestError(422, "no video was sent", _FIX_VIDEO)
    return found[0]


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _whole(request: Request) -> bytes:
    return b"".join([chunk async for chunk in request.stream()])


class _Parser(MultiPartParser):
    """Starlette's parser, which takes files alone, and tells a form that was cut off."""

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], most: int) -> None:
        super().__init__(headers, stream, max_files=most + 1, max_fields=1)
        self.most, self.ended = most, False

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        name, is_file = self._current_part.field_name, self._current_part.file is not None
        if name != "files" or not is_file:
            got = f"a part called {name!r}" + ("" if is_file else " without a filename")
            raise MultiPartException(f"{got}, expected files alone, called files")
        if self._current_files > self.most:
            raise _too_many(self.most)

    def on_end(self) -> None:
        self.ended = True

    def close(self) -> None:
        """Let go of all files, of parts that were cut off too."""
        for file in self._files_to_close_on_error:
            file.close()


async def _parts(request: Request, most: int, fix: str) -> list[Given]:
    parser = _Parser(_form_type(request), request.stream(), most)
    parser.spool_max_size = 0  # never into a file: the bytes are counted at the gate
    try:
        form = await parser.parse()
        if not parser.ended:
            raise RequestError(422, "the multipart form is cut off before its end", fix)
        return [await _file(number, part) for number, part in enumerate(form.getlist("files"))]
    except (MultiPartException, FormParserError, UnicodeError, LookupError) as error:
        raise RequestError(422, f"no valid multipart form: {error}", fix) from error
    finally:
        parser.close()


def _form_type(request: Request) -> Headers:
    """The type of a form without the encoding that it claims: names are in UTF-8 (RFC 7578)."""
    # Some encodings make half characters, which no answer can hold; and Python remembers each name
    # of one that it looks for.
    _, options = parse_options_header(request.headers["content-type"])
    kind = "multipart/form-data"
    if b"boundary" in options:
        boundary = options[b"boundary"].decode("latin-1")
        quoted = boundary.replace("\\", r"\\").replace('"', r"\"")
        kind += f'; boundary="{quoted}"'
    return Headers({"content-type": kind})


async def _file(number: int, part: UploadFile | str) -> Given:
    assert not isinstance(part, str)  # the parser takes files alone
    return Given(part.filename or str(number), await part.read())


def _data_urls(body: bytes, most: int) -> list[Given]:
    """The pictures of a JSON body."""
    # Small values take far more memory than their text: {"pictures": [data URLs]} has few.
    if sum(map(body.count, (b"[", b"{", b","))) > 4 * most + 16:
        raise _too_many(most)
    try:
        document = parse_json(body.decode())
    except ValueError as error:  # UnicodeDecodeError is one
        raise RequestError(HTTPStatus.BAD_REQUEST, f"no valid JSON: {error}", _FIX) from error
    pictures = document.get("pictures") if isinstance(document, dict) else None
    if not isinstance(pictures, list):
        raise RequestError(422, "the JSON has no list called pictures", _FIX)
    if len(pictures) > most:
        raise _too_many(most)
    return [Given(str(i), _decoded(i, picture)) for i, picture in enumerate(pictures)]


def _too_many(most: int) -> RequestError:
    if most == 1:
        return RequestError(422, "more than one file was sent", "send one alone")
    return RequestError(
        422,
        f"more than {most} pictures in one request",
        "send fewer, or start mien serve with a higher --max-pictures",
    )


def _decoded(number: int, picture: object) -> bytes | BadImageError:
    """The bytes in a data URL."""
    head = _DATA_URL.match(picture, 0, _LONGEST_HEAD) if isinstance(picture, str) else None
    if head is None or not isinstance(picture, str):
        return BadImageError(
            f"picture {number} is no data URL; paths and addresses are never opened",
            fix="send data:image/jpeg;base64, and the file in base64",
        )
    try:
        return base64.b64decode(picture[head.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        return BadImageError(
            f"picture {number} is no valid base64 ({error})", fix="encode the whole file"
        )
