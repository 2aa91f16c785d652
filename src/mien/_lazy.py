"""Public names that are imported on first use: importing a package does no work."""

from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["on_first_use"]


def on_first_use(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make a package's ``__getattr__`` and ``__dir__``, see PEP 562.

    Args:
        package: its name.
        homes: by public name, the module that defines it, or the module of that name itself.

    Returns:
        The two functions. The first raises AttributeError for a name that is not in `homes`.

    Example:
        >>> fetch, names = on_first_use("numbers", {"Fraction": "fractions"})
        >>> names(), fetch("Fraction")(1, 2) * 2
        (['Fraction'], Fraction(1, 1))
    """

    def fetch(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(homes[name])
        return module if homes[name] == f"{package}.{name}" else getattr(module, name)

    return fetch, lambda: sorted(homes)
