"""One reader a database: it lists the pictures, their labels and splits, and decodes nothing.

A reader is a function from an `Archive` to `Item`s; `SOURCES` names them all.
"""

from collections.abc import Callable

from mien.data.sources.affectnet import affectnet
from mien.data.sources.archive import Archive, Item
from mien.data.sources.fer2013 import fer2013
from mien.data.sources.rafdb import rafdb

__all__ = ["SOURCES", "Archive", "Item"]

SOURCES: dict[str, Callable[[Archive], list[Item]]] = {
    "affectnet": affectnet,
    "fer2013": fer2013,
    "rafdb": rafdb,
}
