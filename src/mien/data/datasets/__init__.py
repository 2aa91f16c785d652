"""One reader for each database: pictures, labels, splits; it decodes nothing.

A reader is a function from an `Archive` and `Options` to a `Listing`; `DATASETS` names them all.

archive  a folder or an archive as downloaded, and the tables in it
listing  what a reader returns: the pictures, and what had to be left out

affectnet, ckplus, disfa, fer2013, ferplus, folder, gimefive, rafdb, tfeid  the readers
"""

from collections.abc import Callable

from mien.data.datasets.affectnet import affectnet
from mien.data.datasets.archive import Archive
from mien.data.datasets.ckplus import ckplus
from mien.data.datasets.disfa import disfa
from mien.data.datasets.fer2013 import fer2013
from mien.data.datasets.ferplus import ferplus
from mien.data.datasets.folder import folder
from mien.data.datasets.gimefive import gimefive
from mien.data.datasets.listing import Item, Listing, Options, Problem
from mien.data.datasets.rafdb import rafdb
from mien.data.datasets.tfeid import tfeid

__all__ = ["DATASETS", "Archive", "Item", "Listing", "Options", "Problem"]

DATASETS: dict[str, Callable[[Archive, Options], Listing]] = {
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
