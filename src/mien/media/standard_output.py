"""Standard output as a file of text; ``-`` is its name wherever a table can be written."""

import sys
from pathlib import Path

from mien.errors import OutputError
from mien.media.escapes import escaped

__all__ = ["STANDARD_OUTPUT", "StandardOutput"]

STANDARD_OUTPUT = Path("-")


class StandardOutput:
    """Standard output as a file of text: the same bytes that a file would get."""

    def __init__(self) -> None:
        """Check that it is open.

        Raises:
            OutputError: if it is closed.
        """
        if sys.stdout is None:  # as after `>&-`
            raise OutputError(
                "standard output is closed", fix="name a file, or leave standard output open"
            )

    def write(self, text: str) -> None:
        """Write text; on a terminal its control characters are shown escaped.

        Args:
            text: with its newline.

        Raises:
            BrokenPipeError: if its reader is gone.
            OutputError: if it is refused otherwise.
        """
        try:
            if sys.stdout.isatty():
                sys.stdout.write(escaped(text, but="\n"))
            elif hasattr(sys.stdout, "buffer"):
                sys.stdout.flush()
                sys.stdout.buffer.write(text.encode("utf-8", errors="surrogateescape"))
            else:  # a notebook's
                sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                f"cannot write standard output: {error.strerror or error}",
                fix="send it to a file on a disk with free space",
            ) from error
