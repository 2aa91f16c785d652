"""How datasets are laid out: names of splits, folders that name one, pictures that tables name.

Nothing that looks like a split is left out without a word: `split_of` knows every usual name, and
a reader whose layout needs one names the pictures under any other.
"""

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import PurePosixPath

from mien.data.datasets.archive import Archive, is_picture
from mien.data.datasets.listing import Item, Listing
from mien.errors import BadDataError

__all__ = [
    "PictureIndex",
    "checked",
    "each_once",
    "leave_unnamed",
    "split_by_folder",
    "split_in_name",
    "split_of",
]

_SPLITS = {  # usual names of a split: ours
    "train": "train",
    "training": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "dev": "valid",
    "eval": "valid",
    "evaluation": "valid",
    "test": "test",
    "testing": "test",
    "privatetest": "test",
    "publictest": "test",
    "holdout": "test",
    "heldout": "test",
}
# What people add to such a name: train_set, TestData, "Test Images", images_test, test_48x48 (2).
_NOUNS = "set|data|split|part|folder|images?|imgs?|pictures?|photos?|faces?|crops?|cropped|aligned"
_NAMED = re.compile(f"(?:{_NOUNS})*?({'|'.join(_SPLITS)})(?:{_NOUNS})*")
_BETWEEN = re.compile(r"(?:^|[\W_]+)(?:\d+(?:x\d+)?(?![^\W_]))?")  # signs, numbers of their own


@lru_cache(maxsize=4096)  # a folder is asked for with each of its pictures
def split_of(word: str) -> str:
    """Return the split that a word means.

    Args:
        word: as it is written in a dataset, in any case; signs, numbers and words for pictures
            about it do not count.

    Returns:
        ``train``, ``valid`` or ``test``; "" if it means none.

    Example:
        >>> split_of("Validation"), split_of("Test Images (2)"), split_of("latest")
        ('valid', 'test', '')
    """
    match = _NAMED.fullmatch(_BETWEEN.sub("", word.lower()))
    return _SPLITS[match[1]] if match else ""


def split_in_name(table: str) -> str:
    """Return the split that the name of a table tells.

    Args:
        table: its file name, with or without suffix.

    Returns:
        ``train``, ``valid`` or ``test``; "" if its words name none, or several.

    Example:
        >>> split_in_name("labels_test.csv"), split_in_name("train_test_labels.csv")
        ('test', '')
    """
    named = {*filter(None, map(split_of, re.split(r"[^a-z]+", table.lower())))}
    return named.pop() if len(named) == 1 else ""


def split_by_folder(name: str) -> str:
    """Return the split that the nearest folder names.

    Args:
        name: path inside an archive.

    Returns:
        ``valid`` or ``test`` if a folder says so, else ``train``.
    """
    folders = reversed(PurePosixPath(name).parent.parts)
    return next(filter(None, map(split_of, folders)), "train")


def leave_unnamed(listing: Listing, archive: Archive, named: Collection[str], tables: str) -> None:
    """Leave out the pictures of an archive that no table names.

    Args:
        listing: takes them.
        archive: the dataset as downloaded.
        named: pictures that are named.
        tables: what to call the tables.
    """
    for name in filter(is_picture, archive.names):
        if name not in named:
            listing.leave_out(name, "no label", f"not named in {tables}")


def each_once(listing: Listing) -> Listing:
    """Keep the first of the items that name the same picture, and sort them by name.

    Args:
        listing: of a reader whose labels lie beside the pictures, so that two may be of one.

    Returns:
        The same listing; the other labels are among its problems.
    """
    seen: dict[str, Item] = {}
    for item in listing.items:
        if seen.setdefault(item.original, item) is not item:
            listing.leave_out(item.original, "repeated name", f"also labelled {item.label}")
    listing.items = [seen[name] for name in sorted(seen)]
    return listing


class PictureIndex:
    """Finds the pictures of an archive by the name that a table gives them.

    Where no picture has the name as it is written, case and the way that accents are stored do not
    count: a table of Windows has ``A.JPG`` for ``a.jpg``, a Mac's archive two characters for ``ü``.
    """

    def __init__(self, archive: Archive) -> None:
        """Keep the names of the archive's pictures; they are indexed as they are asked for.

        Args:
            archive: the dataset as downloaded.
        """
        self._names = list(filter(is_picture, archive.names))  # sorted, as those are
        self._by_end: dict[int, dict[str, list[str]]] = {}

    def find(self, written: str, beside: str = "") -> list[str]:
        """List the pictures that a name may mean.

        Args:
            written: a path as it is written in a table: from the archive's root, from any folder
                under it, or from the root of another computer.
            beside: the folder of the table inside the archive, which is searched first.

        Returns:
            No name, one, or several if the path is ambiguous.
        """
        path = PurePosixPath(written.replace("\\", "/"))
        for exact in (str(PurePosixPath(beside) / path), str(path)):
            if self._has(exact):
                return [exact]
        names = self._alike(path)
        for spelled in (str, _loose):
            tail = spelled(f"/{path}")
            longer = [name for name in names if spelled(f"/{name}").endswith(tail)]
            fits = longer or [name for name in names if tail.endswith(spelled(f"/{name}"))]
            if fits:
                return fits
        return []

    def _has(self, name: str) -> bool:
        place = bisect_left(self._names, name)
        return self._names[place : place + 1] == [name]

    def _alike(self, path: PurePosixPath) -> list[str]:
        """The pictures whose last two parts are a path's, as a thousand may share the last one."""
        ends = [part for part in path.parts if part != "/"][-2:]
        found = self._ending(len(ends)).get(_loose("/".join(ends)), []) if ends else []
        at_root = self._ending(2).get(_loose(path.name), []) if len(ends) == 2 else []
        return found + at_root

    def _ending(self, parts: int) -> dict[str, list[str]]:
        """The pictures by so many last parts of their names."""
        if parts not in self._by_end:
            index: dict[str, list[str]] = defaultdict(list)
            for name in self._names:
                index[_loose("/".join(name.rsplit("/", parts)[-parts:]))].append(name)
            self._by_end[parts] = index
        return self._by_end[parts]


def _loose(name: str) -> str:
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def checked(listing: Listing, archive: Archive, name: str, layouts: Iterable[str]) -> Listing:
    """Refuse a listing without pictures.

    Args:
        listing: of a reader.
        archive: which it read.
        name: of the dataset, for the message.
        layouts: a pattern for each layout the reader understands, for the message.

    Returns:
        The listing, if it has pictures.

    Raises:
        BadDataError: if it has none; the message says what was looked for and what is there.
    """
    if listing.items:
        return listing
    folders = sorted({str(PurePosixPath(file).parent) for file in archive.names})
    places = ", ".join(folders[:6]) + (" ..." if len(folders) > 6 else "") if folders else "nothing"
    problems = [*listing.problems, *archive.left_out]
    first = problems[0] if problems else None
    left_out = (
        f"; left out {len(problems)}, the first: {first.original}, {first.reason} "
        f"{first.detail}".rstrip()
        if first
        else ""
    ) + "".join(f"; not read: {table}" for table in listing.unused[:3])
    raise BadDataError(
        f"{archive.path} does not look like {name}: looked for {' or '.join(layouts)}; "
        f"found {len(archive.names)} files in {places}{left_out}",
        fix="give the archive as downloaded, or the folder it was unpacked to",
    )
