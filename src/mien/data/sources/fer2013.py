"""FER2013: 35,887 grey faces of 48x48 pixels, found by a search engine, labels noisy.

Obtained from: the Kaggle contest "Challenges in Representation Learning" of 2013. Licence: open
for research; the pictures belong to their owners. Source: Goodfellow et al. 2013, arXiv:1307.0414.
Layout understood: ``{train,test}/{angry,disgust,fear,happy,neutral,sad,surprise}/*``.
Counts expected for the six: train 23,742, test (public and private) 5,945.
"""

from pathlib import PurePosixPath

from mien.data.sources.archive import Archive, Item, is_picture, nothing_found
from mien.errors import BadDataError
from mien.labels import parse

__all__ = ["fer2013"]


def fer2013(archive: Archive) -> list[Item]:
    """List the pictures of FER2013.

    Args:
        archive: the database as downloaded.

    Returns:
        One item a picture, in the order of their names.

    Raises:
        BadDataError: if the archive holds none of them.
    """
    items = []
    for name in filter(is_picture, archive.names):
        *_, split, word, _file = ("", "", *PurePosixPath(name).parts)
        label = parse(word)
        if split in {"train", "test"} and label is not None:
            items.append(Item(name, label, split))
    if not items:
        raise BadDataError(
            *nothing_found(archive, "FER2013", ["{train,test}/{angry,disgust,...}/*.jpg"])
        )
    return items
