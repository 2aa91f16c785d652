"""RAF-DB basic: 12,135 aligned faces of the six expressions (15,339 with neutral).

Obtained from: http://www.whdeng.cn/raf/model1.html, on request. Licence: non-commercial research;
the pictures may not be passed on. Source: Li, Deng and Du 2017, doi:10.1109/CVPR.2017.277.
Layout understood: ``[DATASET/]{train,test}/{1..7}/*.jpg``, the common download, with labels
1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral.
Counts expected for the six: train 9,747 (or 9,747 of 12,271 with neutral), test 2,388.
"""

from pathlib import PurePosixPath

from mien.data.sources.archive import Archive, Item, is_picture, nothing_found
from mien.errors import BadDataError

__all__ = ["rafdb"]

_LABELS = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happiness",
    "5": "sadness",
    "6": "anger",
    "7": "neutral",
}


def rafdb(archive: Archive) -> list[Item]:
    """List the pictures of RAF-DB.

    Args:
        archive: the database as downloaded.

    Returns:
        One item a picture, in the order of their names.

    Raises:
        BadDataError: if the archive holds none of them.
    """
    items = []
    for name in filter(is_picture, archive.names):
        *_, split, number, _file = ("", "", *PurePosixPath(name).parts)
        if split in {"train", "test"} and number in _LABELS:
            items.append(Item(name, _LABELS[number], split))
    if not items:
        raise BadDataError(*nothing_found(archive, "RAF-DB", ["DATASET/{train,test}/{1..7}/*.jpg"]))
    return items
