"""DISFA: 27 people filmed while they watched a film, every frame coded for 12 action units.

Obtained from: http://mohammadmahoor.com/databases/disfa/, on request. Licence: research only;
the pictures may not be passed on. Source: Mavadati et al. 2013, doi:10.1109/T-AFFC.2013.4.
Layout understood, at any depth: ``LeftVideoSN001_comp.avi`` with
``ActionUnit_Labels/SN001/SN001_au12.txt``, lines of ``frame,intensity``, frames counted from 1.
One frame in 20 (``--every``) is used, which is one a second. Its expression follows from the action
units of intensity 2 and more (``--intensity``) by `expression`; the rules and their sources are in
`mien.faces.regions`. DISFA codes the units 1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25 and 26, so 7, 16
and 23 are left out of the rules. That leaves 4+5 of anger, the weakest of the rules. The face is
found and cut out with room about it, so ``--frame`` works as for every dataset.
Counts expected: 27 videos of 4,845 frames; needs the ``video`` extra.
There is no test set: all for training, unless a split by subject is asked for (``--test``).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import PurePosixPath

from mien.data.datasets.archive import Archive
from mien.data.datasets.csv_tables import decoded
from mien.data.datasets.layouts import checked
from mien.data.datasets.listing import InOrder, Item, Listing, option
from mien.errors import BadDataError, BadImageError
from mien.faces.boxes import Box
from mien.faces.detect import Detector
from mien.faces.regions import PROTOTYPES
from mien.labels import NEUTRAL
from mien.media.frame import Frame
from mien.media.video_reader import VideoFile
from mien.pixels import U8

__all__ = ["RULES", "UNITS", "DisfaOptions", "disfa", "expression"]

UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)  # action units that DISFA codes
RULES: dict[str, tuple[frozenset[int], ...]] = {
    label: tuple(prototype & frozenset(UNITS) for prototype in prototypes)
    for label, prototypes in PROTOTYPES.items()
}
_VIDEO = re.compile(r"LeftVideo(SN\d+)_comp\.\w+$")
_UNIT = re.compile(r"(SN\d+)_au(\d+)\.txt$")
_MOST_FRAMES = 10_000_000  # four days
_ROOM = 1.3  # side of the square cut out, in longer sides of the face's box
_LAYOUTS = ["LeftVideoSN001_comp.avi with ActionUnit_Labels/SN001/SN001_au12.txt"]


@dataclass(frozen=True, slots=True)
class DisfaOptions:
    """Options of `mien prepare disfa`."""

    every: int = option(20, "disfa: look at one frame in so many.", least=1)
    intensity: int = option(2, "disfa: from which an action unit counts as seen.", least=1, most=5)


def disfa(archive: Archive, options: DisfaOptions) -> Listing:
    """List the frames of DISFA that show an expression, all of them for training.

    Args:
        archive: the dataset as downloaded; a folder is faster than a .zip.
        options: which frames to take, and from which intensity a unit counts.

    Returns:
        One item a frame, by video and time, with its subject.
    """
    listing = Listing()
    frames = InOrder(partial(_frames_of, archive))
    detector = cache(Detector)  # made when the first face is looked for
    labels = _label_files(archive)
    for video in archive.names:
        match = _VIDEO.search(PurePosixPath(video).name)
        if match is None:
            continue
        subject = match[1]
        missing = [unit for unit in UNITS if unit not in labels[subject]]
        if missing:
            listing.leave_out(video, "missing file", f"no labels of action units {missing}")
            continue
        try:
            units = {unit: _intensities(archive, name) for unit, name in labels[subject].items()}
        except BadImageError as error:
            listing.leave_out(video, "unreadable labels", error.message)
            continue
        numbers = range(1, max(map(max, units.values())) + 1, options.every)
        without_rule = 0
        for number in numbers:
            intensities = {unit: units[unit].get(number, 0) for unit in UNITS}
            label = expression(intensities, options.intensity)
            if label is None:
                without_rule += 1
                continue
            picture = partial(_face, frames, video, number, detector)
            name = f"{video}/{subject}-{number:05}"
            listing.items.append(Item(name, label, "train", subject, picture=picture))
        if without_rule:
            listing.leave_out(video, "no rule fits", f"{without_rule} of {len(numbers)} frames")
    return checked(listing, archive, "DISFA", _LAYOUTS)


def _label_files(archive: Archive) -> dict[str, dict[int, str]]:
    """The names of the label files, by subject and action unit."""
    files: dict[str, dict[int, str]] = defaultdict(dict)
    for name in archive.names:
        match = _UNIT.search(PurePosixPath(name).name)
        if match is not None and int(match[2]) in UNITS:
            files[match[1]][int(match[2])] = name
    return files


def _intensities(archive: Archive, name: str) -> dict[int, int]:
    """Read lines of ``frame,intensity``."""
    lines = decoded(archive.read(name)).split()
    try:
        pairs = (line.split(",") for line in lines)
        intensities = {int(frame): int(intensity) for frame, intensity in pairs}
    except ValueError:
        intensities = {}
    seen = intensities.values()
    if not intensities or not 0 < max(intensities) <= _MOST_FRAMES or not 0 <= min(seen) <= 5:
        raise BadDataError(f"{name} has not lines of frame,intensity", "download it again")
    return intensities


def _frames_of(archive: Archive, video: str) -> Iterator[tuple[int, Frame]]:
    """Stream the frames of a video, counted from 1 as the labels do.

    They are counted by their time, so that a damaged frame does not shift the labels.
    """
    with archive.open(video) as file, VideoFile(file, video) as frames:
        for frame in frames:
            yield 1 + (round(frame.time_s * frames.rate) if frames.rate else frame.number), frame


def _face(frames: InOrder[Frame], video: str, number: int, detector: Callable[[], Detector]) -> U8:
    """Cut out the largest face in a frame, with room about it; shape (H, W, 3)."""
    rgb = frames.at(video, number).rgb()
    boxes = detector().boxes(rgb)
    if not boxes:
        raise BadImageError(f"no face in frame {number} of {video}", fix="leave it out")
    return _with_room(rgb, boxes[0][0])


def _with_room(rgb: U8, box: Box) -> U8:
    half = _ROOM * max(box.width, box.height) / 2
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    left, top = max(round(x - half), 0), max(round(y - half), 0)
    return rgb[top : max(round(y + half), top + 1), left : max(round(x + half), left + 1)]


def expression(intensities: Mapping[int, int], least: int = 2) -> str | None:
    """Name the expression that action units make.

    Of the rules whose units are all present, the one with the most units wins, because the rules
    of surprise and of anger are part of fear's.

    Args:
        intensities: of each unit in `UNITS`, 0 (absent) to 5.
        least: the intensity from which a unit counts as present, 1 to 5.

    Returns:
        One of the six; ``neutral`` if no unit is present at all; None if no rule fits, or two fit
        equally well.

    Example:
        >>> still = dict.fromkeys(UNITS, 0)
        >>> expression(still | {6: 3, 12: 4}), expression(still), expression(still | {12: 4})
        ('happiness', 'neutral', None)
    """
    if not any(intensities.values()):
        return NEUTRAL
    present = {unit for unit, intensity in intensities.items() if intensity >= least}
    fits = {
        label: max(len(rule) for rule in rules if rule <= present)
        for label, rules in RULES.items()
        if any(rule <= present for rule in rules)
    }
    best = [label for label, size in fits.items() if size == max(fits.values())]
    return best[0] if len(best) == 1 else None
