"""What lies in a folder and under it, file by file; nothing is left out without a word."""

import os
from pathlib import Path

from mien.data.datasets.listing import Problem

__all__ = ["list_folder"]


def list_folder(root: Path) -> tuple[list[str], list[Problem]]:
    """List the files under a folder, and what is there and cannot be read.

    Links to files are followed, links to folders are named: what they lead to may be listed twice,
    or lie anywhere.

    Args:
        root: the folder.

    Returns:
        The names of the files, from `root`, with forward slashes, in no order; and a problem for
        each folder that may not be read, each link to a folder, and what is no file.

    Raises:
        OSError: if `root` itself may not be read.
    """
    names: list[str] = []
    problems: list[Problem] = []
    waiting = [""]
    while waiting:
        above = waiting.pop()
        try:
            with os.scandir(root / above) as entries:
                for entry in entries:
                    name = f"{above}{entry.name}"
                    kind = _kind_of(entry)
                    if kind == "file":
                        names.append(name)
                    elif kind == "folder":
                        waiting.append(f"{name}/")
                    else:
                        problems.append(Problem(name, kind))
        except OSError as error:
            if not above:
                raise
            problems.append(Problem(above.rstrip("/"), "cannot be opened", error.strerror or ""))
    return names, problems


def _kind_of(entry: "os.DirEntry[str]") -> str:
    try:
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        if entry.is_file():
            return "file"
        if entry.is_dir():
            return "linked folder"
    except OSError:  # a link in a circle
        return "link that leads nowhere"
    return "link that leads nowhere" if entry.is_symlink() else "no ordinary file"
