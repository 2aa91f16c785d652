"""The free files that the pages' examples read, and the service that some of them call.

All faces are the public-domain portrait in the package, or made from it (`rendered_people`).
"""

import shutil
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mien.faces import align
from mien.faces.detect import Detector
from mien.media.images import PORTRAIT, read_rgb
from tests.support.prepared_folder import write_crops
from tests.support.rendered_scenes import Actor, Shot, between, frames, shake, walk
from tests.support.video_files import clip

__all__ = ["serving", "write_page_files"]

_CONFIGS = Path(__file__).parents[2] / "configs"
_SERVED = {"serve.md", "for-engineers.md"}
_ZOOM, _RATE = 0.75, 10  # of the film


def write_page_files(folder):
    """Write photographs, a film, crops and a prepared folder, named as the pages name them."""
    for name in ("photo.jpg", "frame.jpg", "a.jpg"):
        (folder / name).write_bytes(PORTRAIT.read_bytes())
    portrait = read_rgb(PORTRAIT)
    Image.fromarray(portrait).save(folder / "b.png", compress_level=1)
    Image.fromarray(_crop_of(portrait)).save(folder / "crop.jpg", quality=95)
    _write_photos(folder / "photos")
    talk = _rendered(_talk(), _ZOOM, _RATE)
    exact = {"codec": "libx264rgb", "pix_fmt": "rgb24", "qp": 0}  # a loss differs by processor
    clip(folder / "talk.mp4", talk, rate=_RATE, **exact)
    write_crops(folder / "data" / "rafdb", train=2)
    shutil.copytree(_CONFIGS, folder / "configs")


def _crop_of(portrait):
    [face] = Detector().find(portrait)
    return align.crop(portrait, align.framing(face.landmarks))


def _write_photos(folder):
    """Ten people in two moods, each before a place of its own; sorted into folders by mood."""
    for mood, astonished in (("happy", 0.0), ("surprised", 1.0)):
        (folder / mood).mkdir(parents=True)
        for number in range(10):
            path = walk(150 + 30 * number, 150 + 4 * number, 0, 0, width=100 + 3 * number)
            actor = Actor(number, path, lambda _, a=astonished: a)
            shot = Shot((actor,), 1.0, place=number + 10 * round(astonished))
            [picture] = _rendered((shot,), 1.0, 1)
            Image.fromarray(picture).save(folder / mood / f"{number}.jpg", quality=90)


def _rendered(shots, zoom, rate):
    """The pictures of a scene, with the same grain in every run."""
    cv2.setRNGSeed(0)
    return [rgb for rgb, _, _ in frames(shots, zoom, rate)]


def _talk():
    """Somebody laughs, is astonished from 1.6 to 3.9 s, laughs again; somebody else comes in.

    Labels are smoothed, and so come late: each whole second has one that no processor doubts.
    """
    one = Actor(0, shake(200, 165, width=110, reach=12, period_s=3), _astonished)
    other = Actor(3, between(walk(470, 150, 440, 170, width=95, length_s=6), 1, 6))
    return (Shot((one, other), 6.0, place=1),)


def _astonished(time_s):
    return float(np.clip(5 * min(time_s - 1.6, 3.9 - time_s), 0, 1))


@contextmanager
def serving(page):
    """Serve while a page runs whose examples call a service; yield its address, or None."""
    if page not in _SERVED:
        yield None
        return
    from tests.support.web_server import process

    with process("--threads", "1") as (_, service):
        yield f"{service.host}:{service.port}"
