"""AffectNet pictures in class folders: faces from the web, loosely cropped, for training only.

Obtained from: http://mohammadmahoor.com/databases/affectnet/, on request. Licence: research only;
the pictures may not be passed on. Source: Mollahosseini et al. 2017,
doi:10.1109/TAFFC.2017.2740923.
Layout understood: ``{anger,disgust,fear,happy,sad,surprise[,neutral]}/*`` at any depth.
Mind: in common subsets the file's name tells the label (99 % of happiness is named ``ffhq_*``),
so a model that recognises the origin of a picture scores well here: there is no test split.
"""

from pathlib import PurePosixPath

from mien.data.sources.archive import Archive, Item, is_picture, nothing_found
from mien.errors import BadDataError
from mien.labels import parse

__all__ = ["affectnet"]


def affectnet(archive: Archive) -> list[Item]:
    """List the pictures of an AffectNet subset, all of them for training.

    Args:
        archive: the database as downloaded.

    Returns:
        One item a picture, in the order of their names.

    Raises:
        BadDataError: if the archive holds none of them.
    """
    items = []
    for name in filter(is_picture, archive.names):
        label = parse(PurePosixPath(name).parent.name)
        if label is not None:
            items.append(Item(name, label, "train"))
    if not items:
        raise BadDataError(
            *nothing_found(archive, "AffectNet", ["{anger,disgust,fear,happy,sad,surprise}/*"])
        )
    return items
