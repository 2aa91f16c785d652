"""The public names of the package: a table for docs/api.md, and the reference on the site.

A name is public if a package exports it (``dir(mien.faces)``), or a module of `MODULES` lists it in
``__all__``. Only classes and functions are listed; each stands once, under its shortest path.
"""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from mien.show.tables import as_markdown

__all__ = ["MODULES", "MORE", "PARTS", "public_names", "with_reference"]

MODULES = {
    "mien": "Pictures and films",
    "mien.recognize": "Models, many pictures, videos",
    "mien.faces": "Faces: boxes, detection, tracking",
    "mien.media": "Picture files",
    "mien.show.annotate": "Annotated pictures",
    "mien.show.writing": "Languages of what is drawn",
    "mien.show.timeline": "A film's faces over time",
    "mien.show.timeline_plot": "Its plot",
    "mien.explain": "Explanations",
    "mien.labels": "Labels",
    "mien.pixels": "A crop becomes network input",
    "mien.evaluate.metrics": "Metrics",
    "mien.evaluate.calibration": "Calibration",
    "mien.models.zoo": "Networks (torch)",
    "mien.train": "Training data (torch)",
    "mien.errors": "Errors",
}
MORE = {  # what the above take and return, from modules that are not public as a whole
    "mien.faces.tracker": ("Tracked",),
    "mien.models.network": ("Network",),
    "mien.recognize.model": ("Outputs",),
    "mien.show.fonts": ("Font",),
    "mien.train.augment": ("Strength",),
}
_MORE = "What these take and return"
_PART = re.compile(r"<!-- names -->\n.*?<!-- /names -->\n", re.DOTALL)


def public_names() -> Iterator[tuple[str, str, Any]]:
    """List the public classes and functions.

    Yields:
        The module of `MODULES`, the name in it, the class or function.
    """
    seen: set[int] = set()
    for path in (*MODULES, *MORE):
        module = import_module(path)
        exported = dir(module) if hasattr(module, "__path__") else module.__all__
        for name in MORE.get(path) or exported:
            value = getattr(module, name)
            documented = inspect.isclass(value) or inspect.isfunction(value)
            if documented and id(value) not in seen and not name.startswith("_"):
                seen.add(id(value))
                yield path, name, value


def table() -> str:
    """Every public name with the first sentence of its docstring, by module."""
    rows: dict[str, list[list[str]]] = {}
    for path, name, value in public_names():
        sentence = (inspect.getdoc(value) or "").split("\n\n")[0].replace("\n", " ")
        row = [f"`{path}.{name}`", sentence.replace("``", "`")]
        rows.setdefault(MODULES.get(path, _MORE), []).append(row)
    return "\n".join(
        f"### {heading}\n\n{as_markdown(['name', ''], listed)}" for heading, listed in rows.items()
    )


def with_reference(text: str) -> str:
    """Put the reference in place of the table, for the site.

    Args:
        text: of api.md.

    Returns:
        The text with a directive for each name.
    """
    parts: list[str] = []
    heading = ""
    for path, name, value in public_names():
        if heading != MODULES.get(path, _MORE):
            heading = MODULES.get(path, _MORE)
            parts.append(f"## {heading}\n\n")
        kind = "autoclass" if inspect.isclass(value) else "autofunction"
        parts.append(f"```{{eval-rst}}\n.. {kind}:: {path}.{name}\n```\n\n")
    return _PART.sub(lambda _: "".join(parts), text)


PARTS = {"names": table}
