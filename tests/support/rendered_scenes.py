"""Rendered scenes with known faces: people on paths, crossing, hidden, leaving, returning, cuts.

The way through: `people.person` -> `Actor`s on paths -> `Shot`s -> `frames` -> (picture, truths).
What is where is therefore known exactly, in every frame. Shared by tests and benchmarks.
Imports: numpy, cv2, people.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from tests.support.rendered_people import Person, person

__all__ = ["RATE", "SCENES", "Actor", "Shot", "Truth", "frames"]

RATE = 25  # frames a second
_SIZE = (640, 360)
_NOISE = 3.0  # gray levels

# Centre of the face in x and y, its width, all in pixels of 640x360, and its tilt in degrees, at a
# time in seconds; or None while the person is away.
Path = Callable[[float], tuple[float, float, float, float] | None]


@dataclass(frozen=True)
class Truth:
    """One face in one frame.

    Attributes:
        name: of the person in this shot; another shot has other names.
        box: left, top, right, bottom, in pixels.
        visible: the part of it that is to be seen, in [0, 1].
    """

    name: int
    box: tuple[float, float, float, float]
    visible: float


@dataclass(frozen=True)
class Actor:
    """Somebody on a path.

    Attributes:
        kind: which of the ten.
        path: where.
        astonished: how much, in [0, 1], at a time.
    """

    kind: int
    path: Path
    astonished: Callable[[float], float] = lambda _: 0.0


@dataclass(frozen=True)
class Shot:
    """A stretch without a cut.

    Attributes:
        actors: the further back, the earlier.
        length_s: seconds.
        place: number of the background.
        pillar: left and right of a thing in front of all, in pixels; or None.
    """

    actors: tuple[Actor, ...]
    length_s: float
    place: int = 0
    pillar: tuple[int, int] | None = None


def frames(
    shots: tuple[Shot, ...], zoom: float = 1.0, rate: int = RATE
) -> Iterator[tuple[np.ndarray, float, list[Truth]]]:
    """Render shots one after the other.

    Args:
        shots: to be shown.
        zoom: 1 for 640x360 pixels, 2 for 1280x720.
        rate: frames a second.

    Yields:
        shape (H, W, 3), uint8, RGB; its time in seconds; the faces in it.
    """
    number, first_name = 0, 0
    rng = np.random.default_rng(0)
    for shot in shots:
        for i in range(round(shot.length_s * rate)):
            picture, truths = _render(shot, i / rate, zoom, first_name)
            noise = cv2.randn(np.empty(picture.shape, dtype=np.int16), 0, _NOISE)
            cv2.setRNGSeed(int(rng.integers(2**31)))
            yield np.clip(picture + noise, 0, 255).astype(np.uint8), number / rate, truths
            number += 1
        first_name += len(shot.actors)


def _render(shot, time_s, zoom, first_name) -> tuple[np.ndarray, list[Truth]]:
    picture = background(shot.place, zoom).copy()
    owner = np.full(picture.shape[:2], -1)
    placed = []
    for i, actor in enumerate(shot.actors):
        where = actor.path(time_s)
        if where is not None:
            astonished = round(actor.astonished(time_s), 2)
            matrix = _put(picture, owner, i, person(actor.kind, astonished), where, zoom)
            placed.append((i, matrix, person(actor.kind).face))
    if shot.pillar:
        left, right = (round(x * zoom) for x in shot.pillar)
        picture[:, left:right] = (70, 84, 66)
        owner[:, left:right] = -1
    return picture, [_truth(first_name, owner, *one) for one in placed]


def _put(picture, owner, i, who: Person, where, zoom) -> np.ndarray:
    """Draw somebody; return the (2, 3) matrix from cut-out to picture."""
    x, y, width, tilt = where
    left, top, right, bottom = who.face
    scale = width * zoom / (right - left)
    centre = ((left + right) / 2, (top + bottom) / 2)
    matrix = cv2.getRotationMatrix2D(centre, tilt, scale)
    matrix[:, 2] += np.array([x, y]) * zoom - centre
    rgba = who.rgba
    if scale < 0.5:  # so that small people do not alias
        half = cv2.resize(rgba, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        rgba, matrix_used = half, matrix @ np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    else:
        matrix_used = matrix
    warped = cv2.warpAffine(rgba, matrix_used, picture.shape[1::-1], flags=cv2.INTER_LINEAR)
    alpha = warped[..., 3:].astype(np.float32) / 255
    picture[:] = (picture * (1 - alpha) + warped[..., :3] * alpha).astype(np.uint8)
    owner[alpha[..., 0] > 0.5] = i
    return matrix


def _truth(first_name, owner, i, matrix, face) -> Truth:
    left, top, right, bottom = face
    centre = matrix @ ((left + right) / 2, (top + bottom) / 2, 1)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    half = np.array([right - left, bottom - top]) * scale / 2
    angle = float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    mask = np.zeros(owner.shape, dtype=np.uint8)
    cv2.ellipse(mask, (tuple(centre), tuple(2 * half), angle), 1, -1)
    seen = float(((owner == i) & (mask > 0)).sum() / (np.pi * half[0] * half[1]))
    box = (*(centre - half), *(centre + half))
    return Truth(first_name + i, tuple(float(v) for v in box), min(1.0, seen))


@cache
def background(place: int, zoom: float = 1.0) -> np.ndarray:
    """Return blurred colours, other ones for every place: shape (H, W, 3), uint8."""
    rng = np.random.default_rng(100 + place)
    coarse = rng.integers(30, 190, (6, 9, 3)).astype(np.uint8)
    size = tuple(round(v * zoom) for v in _SIZE)
    blurred = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(rng.normal(0, 12, (90, 160, 1)), size, interpolation=cv2.INTER_LINEAR)
    return np.clip(blurred + fine[..., None], 0, 255).astype(np.uint8)


def walk(x0, y0, x1, y1, width=90.0, length_s=4.0) -> Path:
    """From one place to another at even speed, nodding a little."""

    def path(t):
        part = t / length_s
        sway = 4 * np.sin(2 * np.pi * t)
        return x0 + (x1 - x0) * part, y0 + (y1 - y0) * part + sway, width, sway

    return path


def back_and_forth(x0, x1, y, width=90.0, length_s=4.0) -> Path:
    """There and back, slowest at the turn."""

    def path(t):
        part = np.sin(np.pi * t / length_s)
        return x0 + (x1 - x0) * part, y, width, 3 * np.sin(5 * t)

    return path


def between(path: Path, from_s: float, to_s: float) -> Path:
    """The same, but only there for a while."""
    return lambda t: path(t) if from_s <= t < to_s else None


def out_and_in(x0, x1, y, width=90.0, length_s=4.0) -> Path:
    """From one place to another outside the picture, and back again."""

    def path(t):
        part = np.sin(np.pi * t / length_s)
        return x0 + (x1 - x0) * part, y + 4 * np.sin(2 * np.pi * t), width, 0.0

    return path


def nearer(x, y, from_width, to_width, length_s=4.0) -> Path:
    """Comes nearer to the camera."""

    def path(t):
        width = from_width * (to_width / from_width) ** (t / length_s)
        return x + 10 * np.sin(3 * t), y, width, 8 * np.sin(2 * t)

    return path


def shake(x, y, width=100.0, reach=60.0, period_s=0.8) -> Path:
    """To and fro, fast."""

    def path(t):
        angle = 2 * np.pi * t / period_s
        return x + reach * np.sin(angle), y + reach / 3 * np.cos(angle), width, 12 * np.sin(angle)

    return path


def _now_and_then(t: float) -> float:
    """Laughing for a second, astonished for a second, changing within a fifth."""
    return float(np.clip(0.5 + 5 * np.cos(np.pi * (t + 0.5)) * -1, 0, 1))


def _crowd() -> tuple[Actor, ...]:
    places = [(70 + 125 * (i % 5), 90 + 170 * (i // 5)) for i in range(10)]
    return tuple(
        Actor(i, walk(x - 15, y, x + 15, y + 8, width=52), _now_and_then)
        for i, (x, y) in enumerate(places)
    )


_CROSSING = (Actor(1, walk(560, 150, 80, 150)), Actor(0, walk(80, 165, 560, 165, width=100)))

SCENES: dict[str, tuple[Shot, ...]] = {
    "alone": (Shot((Actor(0, shake(320, 150, reach=20, period_s=2.5), _now_and_then),), 4.0),),
    "walks": (
        Shot(
            (
                Actor(2, walk(100, 120, 180, 200, width=60)),
                Actor(3, walk(320, 220, 330, 120)),
                Actor(4, walk(550, 130, 480, 180, width=110)),
            ),
            4.0,
            place=1,
        ),
    ),
    "crossing": (Shot(_CROSSING, 4.0, place=2),),
    "meeting": (  # they meet, one hides the other, and they part as they came
        Shot(
            (Actor(5, back_and_forth(80, 330, 150)), Actor(6, back_and_forth(560, 330, 160))),
            4.0,
            place=3,
        ),
    ),
    "pillar": (Shot((Actor(7, walk(80, 150, 580, 160)),), 4.0, place=4, pillar=(270, 390)),),
    "another": (  # one goes behind the pillar, somebody else comes out
        Shot(
            (
                Actor(7, between(walk(80, 150, 580, 160), 0, 2)),
                Actor(4, between(walk(80, 150, 580, 160), 2, 4)),
            ),
            4.0,
            place=4,
            pillar=(250, 410),
        ),
    ),
    "return": (
        Shot(
            (
                Actor(8, out_and_in(180, -120, 150)),
                Actor(9, walk(460, 180, 500, 180, width=70)),
            ),
            4.0,
            place=5,
        ),
    ),
    "replaced": (  # somebody else at the same place, before the same wall
        Shot((Actor(0, walk(300, 150, 310, 150)),), 2.0, 11),
        Shot((Actor(3, walk(310, 150, 320, 150)),), 2.0, 11),
    ),
    "cut": (
        Shot((Actor(0, walk(200, 150, 240, 160)), Actor(3, walk(450, 150, 430, 150))), 2.0, 6),
        Shot((Actor(4, walk(220, 155, 240, 160)),), 2.0, 7),
    ),
    "shaking": (Shot((Actor(1, shake(320, 160)),), 4.0, place=8),),
    "nearer": (Shot((Actor(2, nearer(300, 170, 28, 150)),), 4.0, place=9),),
    "crowd": (Shot(_crowd(), 4.0, place=10),),
}
