"""CK+ (extended Cohn-Kanade): posed expressions of 118 people in the laboratory.

Obtained from: http://www.jeffcohn.net/resources/, on request. Licence: research only; only some
subjects may be shown in print. Source: Lucey et al. 2010, doi:10.1109/CVPRW.2010.5543262.
Layouts understood:
- ``cohn-kanade-images/S005/001/*.png`` with ``Emotion/S005/001/*_emotion.txt``, the official one:
  the labelled frame of each sequence, its peak, by 1 anger, 2 contempt, 3 disgust, 4 fear,
  5 happiness, 6 sadness, 7 surprise (0 neutral);
- ``{anger,disgust,fear,happy,sadness,surprise}/S005_001_00000011.png``, the 48x48 variant with
  the last three frames of each sequence.
Contempt is none of the six: left out and counted, unless ``--classes`` asks for it.
Counts expected: 309 peaks; 927 in the 48x48 one.
There is no test set: all for training, unless a split by subject is asked for (``--test``) or
folders about the pictures are called ``valid`` or ``test``.
"""

import re
from pathlib import PurePosixPath

from mien.data.datasets.archive import Archive, is_hidden, is_picture
from mien.data.datasets.csv_tables import decoded
from mien.data.datasets.layouts import checked, each_once, split_by_folder
from mien.data.datasets.listing import Item, Listing
from mien.data.datasets.numbering import NUMBERINGS
from mien.errors import BadImageError
from mien.words import meaning

__all__ = ["ckplus"]

_EMOTIONS = NUMBERINGS["ckplus"]
_SUBJECT = re.compile(r"S\d+(?=_)")
_MARK = "_emotion.txt"
_LAYOUTS = [
    "cohn-kanade-images/S005/001/*.png with Emotion/S005/001/*_emotion.txt",
    "{anger,disgust,...}/S005_001_*.png",
]


def ckplus(archive: Archive) -> Listing:
    """List the labelled pictures of CK+.

    Args:
        archive: the dataset as downloaded.

    Returns:
        One item a picture, in the order of their names, with its subject.
    """
    official = any(name.endswith(_MARK) and not is_hidden(name) for name in archive.names)
    listing = _official(archive) if official else _class_folders(archive)
    return checked(listing, archive, "CK+", _LAYOUTS)


def _official(archive: Archive) -> Listing:
    listing = Listing()
    pictures = {PurePosixPath(name).stem: name for name in filter(is_picture, archive.names)}
    for name in archive.names:
        if not name.endswith(_MARK) or is_hidden(name):
            continue
        stem = PurePosixPath(name).name.removesuffix(_MARK)
        try:
            number = decoded(archive.read(name)).strip()
        except BadImageError as error:
            listing.leave_out(name, "unreadable label", error.message)
            continue
        label = _label(number)
        if label is None:
            listing.leave_out(name, "unknown label", number)
        elif stem not in pictures:
            listing.leave_out(f"{stem}.png", "missing file", f"labelled by {name}")
        else:
            _add(listing, pictures[stem], label)
    return each_once(listing)


def _class_folders(archive: Archive) -> Listing:
    listing = Listing()
    for name in filter(is_picture, archive.names):
        word = PurePosixPath(name).parent.name
        label = meaning(word)
        if not _SUBJECT.match(PurePosixPath(name).name):
            listing.leave_out(name, "unknown name", "starts with no subject such as S005_")
        elif label is None:
            listing.leave_out(name, "unknown label", word)
        else:
            _add(listing, name, label)
    return listing


def _add(listing: Listing, name: str, label: str) -> None:
    subject = _SUBJECT.match(PurePosixPath(name).name)
    person = subject[0] if subject else ""
    listing.items.append(Item(name, label, split_by_folder(name), person))


def _label(number: str) -> str | None:
    """Read ``3.0000000e+00``."""
    try:
        value = float(number)
    except ValueError:
        return None
    return _EMOTIONS[str(int(value))] if value in range(len(_EMOTIONS)) else None
