"""The 600 pictures on which the GiMeFive paper reports its column "Validation".

Obtained from: https://github.com/werywjw/SEP-CVDL. Licence: research only, as the datasets that
the pictures were taken from; they are not new pictures. Source: Wang and Kawka 2024,
arXiv:2402.15662.
Layout understood: ``valid/*.jpg`` with ``valid_labels.csv``, which has no header: ``name,label``
in our class order. Counts expected: 600, 100 of each of the six; their split is ``valid``.
"""

from pathlib import PurePosixPath

from mien.data.datasets.archive import Archive
from mien.data.datasets.csv_tables import rows_in
from mien.data.datasets.layouts import PictureIndex, checked, each_once, leave_unnamed
from mien.data.datasets.listing import Item, Listing
from mien.labels import LABELS

__all__ = ["gimefive"]

_TABLE = "valid_labels.csv"


def gimefive(archive: Archive) -> Listing:
    """List the 600 pictures.

    Args:
        archive: the pictures and their table.

    Returns:
        One item a picture, in the order of their names.
    """
    listing = Listing()
    pictures = PictureIndex(archive)
    named = set()
    for table in (name for name in archive.names if PurePosixPath(name).name == _TABLE):
        for row in rows_in(archive, table):
            written, number = (*row, "", "")[:2]
            names = pictures.find(written, str(PurePosixPath(table).parent / "valid"))
            named.update(names)
            if (written, number) in {("name", "label"), ("image", "label")}:
                continue
            if len(names) != 1:
                listing.leave_out(written, "missing file", f"named in {table}")
            elif number not in {str(i) for i in range(len(LABELS))}:
                listing.leave_out(written, "unknown label", number)
            else:
                listing.items.append(Item(names[0], LABELS[int(number)], "valid"))
    if named:
        leave_unnamed(listing, archive, named, _TABLE)
    return checked(
        each_once(listing), archive, "the 600 of GiMeFive", [f"valid/*.jpg with {_TABLE}"]
    )
