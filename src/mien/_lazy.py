"""Public names that are imported on first use: importing a package does no work."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec

__all__ = ["on_first_use"]

_OF_TORCH = "mien.train."  # homes of names that need torch, which not every installation has


def on_first_use(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make a package's ``__getattr__`` and ``__dir__``, see PEP 562.

    Args:
        package: its name.
        homes: by public name, the module that defines it, or the module of that name itself.

    Returns:
        The two functions. The first raises AttributeError for a name that is not in `homes`, and
        MissingExtraError for one that needs torch where that is not installed; the second leaves
        such a name out, so that ``help`` of the package works.

    Example:
        >>> fetch, names = on_first_use("numbers", {"Fraction": "fractions"})
        >>> names(), fetch("Fraction")(1, 2) * 2
        (['Fraction'], Fraction(1, 1))
    """

    def fetch(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            module = import_module(homes[name])
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            from mien.errors import MissingExtraError

            raise MissingExtraError(f"{package}.{name}", "train") from error
        return module if homes[name] == f"{package}.{name}" else getattr(module, name)

    def names() -> list[str]:
        torch = find_spec("torch") is not None
        return sorted(n for n, home in homes.items() if torch or not home.startswith(_OF_TORCH))

    return fetch, names
