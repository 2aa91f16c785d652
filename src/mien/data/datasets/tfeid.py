"""TFEID: posed expressions of 40 Taiwanese models in the laboratory.

Obtained from: http://bml.ym.edu.tw/tfeid/, on request. Licence: research only. Source: Chen and
Yen 2007, "Taiwanese Facial Expression Image Database", National Yang-Ming University.
Layout understood, at any depth: ``f01_dfh_hx.jpg``: sex and person, gaze and intensity, and
a anger, d disgust, f fear, h happiness, n neutral, p surprise, s sadness; c contempt, which
``--classes`` may ask for.
Counts expected for the six, high intensity: 229.
There is no test set: all for training, unless a split by subject is asked for (``--test``) or
folders about the pictures are called ``valid`` or ``test``.
"""

import re
from pathlib import PurePosixPath

from mien.data.datasets.archive import Archive, is_picture
from mien.data.datasets.layouts import checked, split_by_folder
from mien.data.datasets.listing import Item, Listing

__all__ = ["tfeid"]

_NAME = re.compile(r"([fm]\d+)_[a-z]+_([a-z])[a-z]?$", re.IGNORECASE)
_EMOTIONS = {
    "a": "anger",
    "c": "contempt",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "p": "surprise",
    "s": "sadness",
}


def tfeid(archive: Archive) -> Listing:
    """List the pictures of TFEID.

    Args:
        archive: the dataset as downloaded.

    Returns:
        One item a picture, in the order of their names, with its subject.
    """
    listing = Listing()
    for name in filter(is_picture, archive.names):
        match = _NAME.match(PurePosixPath(name).stem)
        if match is None:
            listing.leave_out(name, "unknown name")
        elif (label := _EMOTIONS.get(match[2].lower())) is None:
            listing.leave_out(name, "unknown label", match[2])
        else:
            listing.items.append(Item(name, label, split_by_folder(name), match[1].lower()))
    return checked(listing, archive, "TFEID", ["{f,m}01_dfh_{a,c,d,f,h,n,p,s}x.jpg"])
