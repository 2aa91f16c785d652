"""Every refusal as application/problem+json: what was got, what was expected, what to do next.

Source: RFC 9457, with one member of our own: ``fix``, the next step, as the command line prints it.
"""

import json
import math
from http import HTTPStatus
from typing import Any

from mien.errors import MienError, MissingExtraError, OutputError

__all__ = ["RequestError", "busy", "problem"]

_MEDIA_TYPE = "application/problem+json"
_UNPROCESSABLE = 422  # its name in `http` depends on the version of Python
_KINDS: tuple[tuple[type[MienError], int], ...] = (
    (MissingExtraError, HTTPStatus.NOT_IMPLEMENTED),
    (OutputError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (MienError, _UNPROCESSABLE),  # a picture, a name or a setting that was sent
)


class RequestError(MienError):
    """A request that is refused before it reaches the library.

    Attributes:
        status: of the HTTP answer.
        retry_after_s: when to try again, in seconds; None if that is no use.
    """

    def __init__(
        self, status: int, message: str, fix: str, retry_after_s: float | None = None
    ) -> None:
        """Keep the status beside the message and its next step.

        Args:
            status: of the HTTP answer.
            message: what was got, and what was expected.
            fix: what to do next.
            retry_after_s: when to try again, in seconds.
        """
        super().__init__(message, fix)
        self.status = status
        self.retry_after_s = retry_after_s


def busy(what: str, retry_after_s: float) -> RequestError:
    """Make the answer to one request too many.

    Args:
        what: there is too much of.
        retry_after_s: when it is worth trying again, in seconds.

    Returns:
        The error, status 503.
    """
    return RequestError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"too busy: {what}",
        f"try again in {math.ceil(retry_after_s)} s",
        retry_after_s,
    )


def problem(error: MienError) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Turn an error into an answer.

    Args:
        error: what happened.

    Returns:
        Status, body and headers.

    Example:
        >>> problem(RequestError(408, "the body did not arrive", "send it faster"))[0]
        408
    """
    status = next(status for kind, status in _KINDS if isinstance(error, kind))
    headers = [("content-type", _MEDIA_TYPE)]
    if isinstance(error, RequestError):
        status = error.status
        if error.retry_after_s is not None:
            headers.append(("retry-after", str(math.ceil(error.retry_after_s))))
        if status == HTTPStatus.UNAUTHORIZED:
            headers.append(("www-authenticate", "Bearer"))
    body: dict[str, Any] = {
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": error.message,
        "fix": error.fix,
    }
    data = json.dumps(body).encode()
    return int(status), data, [*headers, ("content-length", str(len(data)))]
