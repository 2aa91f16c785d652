"""Tables that a command wrote, read back."""

import csv


def rows_of(path):
    """The rows of a CSV file, each a dict by the names of its columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
