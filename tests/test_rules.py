"""Rules of the source tree that no linter knows. Reads the code as text and imports none of it."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "mien"
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}

MOST_LINES = 350
ARRAY_TYPES = {"uint8", "float32", "float64", "int64", "bool_"}  # named in pixels.py
ALONE = {
    "matplotlib": {"show/plots.py", "show/timeline_plot.py"},
    "ray": {"scale/tune.py"},
    "tarfile": set(),
    "zipfile": {"data/datasets/archive.py"},
}
# What opens a picture file: one file has the list of formats and the caps.
OPENERS = {"Image.open", "PIL.Image.open", "cv2.imread", "cv2.imdecode", "cv2.imreadmulti"}


def imports_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every imported module, and the name that is taken from it: (module, name or "")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("library", ALONE)
def test_a_library_is_imported_by_the_files_that_are_for_it_alone(library):
    users = {
        name
        for name, tree in TREES.items()
        if any(module.split(".")[0] == library for module, _ in imports_of(tree))
    }
    assert users == ALONE[library]


@pytest.mark.parametrize("name", FILES)
def test_no_file_is_too_long_to_hold_in_mind(name):
    assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_no_two_modules_outside_the_commands_share_a_name():
    names = Counter(path.stem for name, path in FILES.items() if not name.startswith("cli/"))
    names.pop("__init__")
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("name", FILES)
def test_no_module_takes_another_ones_private_names(name):
    private = [
        f"{module}.{taken}"
        for module, taken in imports_of(TREES[name])
        if module.startswith("mien.") and taken.startswith("_") and taken != "_shared"
    ]
    modules = {alias for module, alias in imports_of(TREES[name]) if module.startswith("mien")}
    private += [
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(TREES[name])
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
    ]
    assert private == []


def test_videos_are_opened_in_the_decoder_and_the_writer_alone():
    openers = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "open"
        and ast.unparse(node.value).split(".")[-1] in {"av", "_av"}
    }
    importers = {
        name
        for name, tree in TREES.items()
        if any(
            isinstance(node, ast.Import) and any(a.name.split(".")[0] == "av" for a in node.names)
            for node in ast.walk(tree)
        )
    }
    assert openers == {"media/decoder.py", "media/video_writer.py"}
    assert importers == {"media/decoder.py"}  # the others have it from decoder.pyav


def test_array_types_are_defined_in_pixels_alone():
    defined = [
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and ast.unparse(node.value) == "npt.NDArray"
        and ast.unparse(node.slice).removeprefix("np.") in ARRAY_TYPES
    ]
    assert set(defined) == {"pixels.py"}


def test_pictures_are_opened_in_one_file_alone():
    opened = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in OPENERS
    }
    opened |= {
        name for name, tree in TREES.items() if ("PIL.Image", "open") in set(imports_of(tree))
    }
    assert opened == {"media/images.py"}
