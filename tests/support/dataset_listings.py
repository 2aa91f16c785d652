"""What the tests of readers share: listings laid out, and FER2013's own table."""

from mien.data.datasets import Archive, read_listing


def listing_of(source, path, **options):
    with Archive(path) as archive:
        return read_listing(source, archive, options)


def items_in(listing):
    return [(item.original, item.label, item.split) for item in listing.items]


def problems_in(listing):
    return [(problem.original, problem.reason) for problem in listing.problems]


def pixels_text(picture):
    return " ".join(map(str, picture.ravel()))


def fer2013_csv(pictures, header="emotion,pixels,Usage"):
    """Row i has emotion i % 7; the splits take turns."""
    usages = ["Training", "PublicTest", "PrivateTest"]
    lines = [
        f"{i % 7},{pixels_text(picture)},{usages[i % 3]}" for i, picture in enumerate(pictures)
    ]
    return "\n".join([header, *lines]).encode()
