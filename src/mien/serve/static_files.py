"""Files held in memory, sent with media type, ETag and, where it is asked for, gzip.

No path is ever joined: a name is in the table or there is no such file. Knows nothing of pictures.
"""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["StaticFiles"]

_PLAIN = "application/octet-stream"
# Not from the system's table, which differs; a module of another type is not run by a browser.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": _PLAIN,
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_PACKED = frozenset({".gz", ".jpg", ".png", ".webp", ".woff2"})  # gzip gains nothing
_SMALL = 1000  # bytes; below, gzip gains nothing either


class StaticFiles:
    """A set of files."""

    def __init__(self, files: Mapping[str, bytes], policy: str) -> None:
        """Keep the files.

        Args:
            files: bytes by name.
            policy: Content-Security-Policy of the HTML among them.
        """
        self._files = files
        self._policy = policy
        self._tags = {name: hashlib.sha256(data).hexdigest()[:32] for name, data in files.items()}
        self._zipped: dict[str, bytes] = {}

    def response(self, name: str, request: Request) -> Response | None:
        """Answer a request for a file.

        Args:
            name: of the file.
            request: whose headers say what the client has, and whether it takes gzip.

        Returns:
            The file; 304 if the client has it; None if there is no such file.
        """
        data = self._files.get(name)
        if data is None:
            return None
        suffix = PurePosixPath(name).suffix
        zips = suffix not in _PACKED and len(data) >= _SMALL
        zipped = zips and _takes_gzip(request.headers.get("accept-encoding", ""))
        tag = f'"{self._tags[name]}{"-gz" if zipped else ""}"'
        headers = {"etag": tag, "cache-control": "no-cache"}  # no-cache: ask whether it changed
        if zips:
            headers["vary"] = "accept-encoding"
        if suffix == ".html":
            headers["content-security-policy"] = self._policy
        asked = request.headers.get("if-none-match", "")
        if tag in [word.strip().removeprefix("W/") for word in asked.split(",")]:
            return Response(status_code=304, headers=headers)
        if zipped:
            headers["content-encoding"] = "gzip"
            data = self._zip(name, data)
        headers["content-type"] = _TYPES.get(suffix, _PLAIN)
        return Response(data, headers=headers)

    def _zip(self, name: str, data: bytes) -> bytes:
        if name not in self._zipped:
            self._zipped[name] = gzip.compress(data, 6, mtime=0)
        return self._zipped[name]


def _takes_gzip(accepted: str) -> bool:
    """Whether gzip is among the encodings, and not with a weight of 0."""
    for word in accepted.lower().split(","):
        name, _, weight = word.replace(" ", "").partition(";q=")
        if name in {"gzip", "*"}:
            return weight.rstrip("0") not in {"", "0", "0."} or weight == ""
    return False
