"""An animated WebP as a video, read with Pillow: FFmpeg knows none but still ones.

Knows nothing of faces.
"""

from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from PIL import Image

from mien.errors import BadImageError
from mien.media import images
from mien.media.decoder import FIX, too_large
from mien.media.frame import Frame
from mien.media.video_source import USUAL_RATE, VideoSource
from mien.pixels import U8

__all__ = ["HEAD", "Animation", "is_webp"]

HEAD = 12  # bytes that tell a WebP from other files
# What Pillow raises.
_DAMAGES = (EOFError, LookupError, OSError, SyntaxError, ValueError)


def is_webp(head: bytes) -> bool:
    """Tell a WebP by its beginning.

    Args:
        head: its first `HEAD` bytes.

    Returns:
        Whether it begins as one does.
    """
    return head[:4] == b"RIFF" and head[8:HEAD] == b"WEBP"


class Animation(VideoSource):
    """An animated WebP; the last frames are lost where one is damaged."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        """Read its head.

        Args:
            file: open for reading, and not needed any longer after this.
            name: what to call it in an error.

        Raises:
            BadImageError: if it is damaged, too large or does not move.
        """
        super().__init__(name)
        image: Any = images.open_frames(file, name)
        problem = too_large(*image.size)
        if getattr(image, "n_frames", 1) < 2:
            problem = "is a picture, or a file of pictures"
        if problem:
            raise BadImageError(f"not a video: {name} {problem}", FIX)
        self._image = image
        self.length = int(image.n_frames)

    def __iter__(self) -> Iterator[Frame]:
        """Yield every frame, over white where it is clear.

        Raises:
            BadImageError: if not one can be read.
        """
        time_s = 0.0
        for number in range(self.length):
            if self._stopped:
                return
            try:
                self._image.seek(number)
                rgb = _over_white(self._image)
            except _DAMAGES as error:
                self.damaged += self.length - number  # each is drawn on the one before
                if number == 0:
                    raise BadImageError(f"damaged video: {self.name} ({error})", FIX) from error
                return
            yield Frame(number, time_s, rgb)
            lasts_ms = self._image.info.get("duration", 0)
            self.mended += lasts_ms <= 0
            time_s += lasts_ms / 1000 if lasts_ms > 0 else 1 / USUAL_RATE


def _over_white(image: Image.Image) -> U8:
    layers = image.convert("RGBA")
    ground = Image.new("RGBA", layers.size, "white")
    return np.array(Image.alpha_composite(ground, layers).convert("RGB"))
