"""For the tests of dataset readers: read a listing, list its content, write FER2013's own CSV."""

from mien.data.datasets import Archive, read_listing


def listing_of(source, path, **options):
    """What a reader lists of an archive or folder."""
    with Archive(path) as archive:
        return read_listing(source, archive, options)


def items_in(listing):
    """Name, label and split of each item."""
    return [(item.original, item.label, item.split) for item in listing.items]


def problems_in(listing):
    """Name and reason of each problem."""
    return [(problem.original, problem.reason) for problem in listing.problems]


def pixels_text(picture):
    """Pixels as FER2013 writes them: numbers separated by spaces."""
    return " ".join(map(str, picture.ravel()))


def fer2013_csv(pictures, header="emotion,pixels,Usage"):
    """Row i has emotion i % 7; the splits take turns."""
    usages = ["Training", "PublicTest", "PrivateTest"]
    lines = [
        f"{i % 7},{pixels_text(picture)},{usages[i % 3]}" for i, picture in enumerate(pictures)
    ]
    return "\n".join([header, *lines]).encode()


def saved(text, encoding):
    """The bytes of a text as an editor saves it; in UTF-16 there is one mark at the beginning."""
    return text.removeprefix("\ufeff" if encoding == "utf-16" else "").encode(encoding)
