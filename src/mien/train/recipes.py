"""The recipes that come with mien: settings of runs and searches, by name. Needs no torch.

In an installed package they lie beside its code, in a clone in ``configs/``.
"""

from pathlib import Path

from mien.errors import UnknownNameError

__all__ = ["configs", "find_recipe", "recipes"]


def configs() -> Path:
    """Return the folder of the recipes: in the package, or beside ``src`` in a clone."""
    package = Path(__file__).parents[1]
    installed = package / "configs"
    return installed if installed.is_dir() else package.parents[1] / "configs"


def recipes() -> dict[str, str]:
    """List every recipe.

    Returns:
        By name, in order, what its first line says it is for.
    """
    return {path.stem: _purpose(path) for path in sorted(configs().glob("*.toml"))}


def _purpose(path: Path) -> str:
    """The first sentence of the comment at the head of a recipe."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = []
    for line in lines:
        if not line.startswith("#"):
            break
        head.append(line.lstrip("# "))
    return " ".join(head).partition(". ")[0].rstrip(".:")


def find_recipe(name: str) -> Path:
    """Return the file of a recipe.

    Args:
        name: of the recipe, with or without ``.toml``, or its path as the documentation names it.

    Returns:
        Its path.

    Raises:
        UnknownNameError: if there is no such recipe.
    """
    stem = Path(name).name.removesuffix(".toml")
    if stem not in recipes():
        raise UnknownNameError("recipe", name, recipes())
    return configs() / f"{stem}.toml"
