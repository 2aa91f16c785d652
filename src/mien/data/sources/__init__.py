"""One reader a database: it lists the pictures, their labels and splits, and decodes nothing.

A reader is a function from an `Archive` and `Options` to a `Listing`; `SOURCES` names them all.
"""

from collections.abc import Callable

from mien.data.sources.affectnet import affectnet
from mien.data.sources.archive import Archive
from mien.data.sources.ckplus import ckplus
from mien.data.sources.disfa import disfa
from mien.data.sources.fer2013 import fer2013
from mien.data.sources.ferplus import ferplus
from mien.data.sources.folder import folder
from mien.data.sources.gimefive import gimefive
from mien.data.sources.listing import Item, Listing, Options, Problem
from mien.data.sources.rafdb import rafdb
from mien.data.sources.tfeid import tfeid

__all__ = ["SOURCES", "Archive", "Item", "Listing", "Options", "Problem"]

SOURCES: dict[str, Callable[[Archive, Options], Listing]] = {
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
