"""When a similar pair is a copy: the one rule of prepare, audit and train.

A database that names its people was made in a studio, with the same light and poses for all, so
pictures of one person, and even of two, are similar by nature: there only nearly identical pictures
are copies. Knows nothing of files and labels.
"""

from typing import NamedTuple

from mien.data.dedup.duplicates import COPY

__all__ = ["IDENTICAL", "Person", "least_of_copies"]

IDENTICAL = 0.99  # similarity from which two pictures of one studio are one picture


class Person(NamedTuple):
    """Who is shown in a picture.

    Attributes:
        database: that names its people.
        name: in it; "" where it does not say.
    """

    database: str
    name: str


def least_of_copies(a: Person, b: Person) -> float:
    """Return the similarity from which two pictures are copies.

    Args:
        a: who is shown in the one.
        b: who is shown in the other.

    Returns:
        `IDENTICAL` where one database names both, be it one person or two, else `COPY`.

    Example:
        >>> least_of_copies(Person("ck", "S1"), Person("ck", "S2"))
        0.99
        >>> least_of_copies(Person("ck", "S1"), Person("tfeid", "S1"))
        0.85
    """
    in_studio = a.database == b.database and "" not in {a.name, b.name}
    return IDENTICAL if in_studio else COPY
