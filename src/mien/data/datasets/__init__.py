"""One reader for each dataset: it lists pictures, labels and splits, and decodes nothing.

A reader is a function from an `Archive`, and its options if it has some, to a `Listing`. To add
one, write its file and name it in `DATASETS`, and its options in `OPTIONS`.

archive     a dataset as downloaded (a .zip, a .tar or a folder): the one gate to its files
walk        the files of a folder, and what is there and cannot be read
zip_list    the list of files in a .zip, however it was written
tarball     the files of a .tar, packed or not
members     a file of an archive as a stream, whose every error has the file's name
layouts     names of splits, pictures by the name that a table gives them
csv_tables  the tables of a dataset, row by row
numbering   whose numbers mean what
classes     the classes that are wanted, and the one that a word means
class_folders  the class of a picture from the folders about it and the code in its name
listing     what every reader shares: its result, the declaration of its options

affectnet, ckplus, disfa, fer2013, ferplus, folder, gimefive, rafdb, tfeid  the readers
"""

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Any

from mien.data.datasets.affectnet import affectnet
from mien.data.datasets.archive import Archive
from mien.data.datasets.ckplus import ckplus
from mien.data.datasets.classes import sort_into
from mien.data.datasets.disfa import DisfaOptions, disfa
from mien.data.datasets.fer2013 import fer2013
from mien.data.datasets.ferplus import FerPlusOptions, ferplus
from mien.data.datasets.folder import FolderOptions, folder
from mien.data.datasets.gimefive import gimefive
from mien.data.datasets.listing import Item, Listing, OptionValue, Problem
from mien.data.datasets.numbering import NUMBERINGS
from mien.data.datasets.rafdb import rafdb
from mien.data.datasets.tfeid import tfeid
from mien.errors import BadSettingError

__all__ = [
    "DATASETS",
    "OPTIONS",
    "Archive",
    "Item",
    "Listing",
    "OptionValue",
    "Problem",
    "options_of_all",
    "read_listing",
]

DATASETS: dict[str, Callable[..., Listing]] = {
    "affectnet": affectnet,
    "ckplus": ckplus,
    "disfa": disfa,
    "fer2013": fer2013,
    "ferplus": ferplus,
    "folder": folder,
    "gimefive": gimefive,
    "rafdb": rafdb,
    "tfeid": tfeid,
}
# In the order of the help of `mien prepare`.
OPTIONS: dict[str, type[Any]] = {
    "ferplus": FerPlusOptions,
    "folder": FolderOptions,
    "disfa": DisfaOptions,
}


def options_of_all() -> dict[str, Field[OptionValue]]:
    """Collect the options of all readers.

    Returns:
        The fields that `option` declared, by name, each once.
    """
    return {option.name: option for kind in OPTIONS.values() for option in fields(kind)}


def read_listing(name: str, archive: Archive, options: Mapping[str, OptionValue]) -> Listing:
    """List the pictures of a dataset.

    Args:
        name: a key of `DATASETS`.
        archive: the dataset as downloaded.
        options: by name; options of other readers are ignored. ``classes`` is every reader's.

    Returns:
        What the reader returns, sorted into the wanted classes.

    Raises:
        BadDataError: if the archive is not that dataset, or a wanted class has no picture.
        BadSettingError: if an option cannot be read, or asks for other classes of FER+, whose
            shares are of the six and neutral.
    """
    chosen = {}
    if name in OPTIONS:
        own = {option.name for option in fields(OPTIONS[name])}
        chosen = {option: value for option, value in options.items() if option in own}
    classes = str(options.get("classes", ""))
    if name == "ferplus" and classes not in {"", "mien"}:
        raise BadSettingError(
            f"--classes {classes}: the shares of FER+ are of the six and neutral",
            fix="leave --classes out",
        )
    reader = DATASETS[name]
    listing = reader(archive, OPTIONS[name](**chosen)) if name in OPTIONS else reader(archive)
    return sort_into(listing, classes, list(NUMBERINGS.get(name, {}).values()))
