"""Rules of the source tree that no linter knows. Reads the code as text and imports none of it."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "mien"
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}

MOST_LINES = 350
ARRAY_TYPES = {"uint8", "float32", "float64", "int64", "bool_"}  # named in pixels.py
ALONE = {
    "matplotlib": {"show/plot_files.py", "show/timeline_plot.py"},
    "pandas": {"media/data_frames.py"},
    "polars": {"media/data_frames.py"},
    "ray": {"scale/cluster.py", "scale/distribute.py", "scale/tune.py"},
    "sqlite3": {"media/journal.py"},
    "tarfile": {"data/datasets/tarball.py", "models/npm_package.py"},
    "zipfile": {"data/datasets/archive.py", "data/datasets/zip_list.py"},
}
# What opens a picture file: one file has the list of formats and the caps.
OPENERS = {"Image.open", "PIL.Image.open", "cv2.imread", "cv2.imdecode", "cv2.imreadmulti"}
# Who may write files, and why; all others call `mien.media.writers`.
WRITERS = {
    "media/writers.py": "text, tables, pictures: the gate",
    "media/video_writer.py": "videos: PyAV writes them itself",
    "media/parts.py": "makes and locks the part that a writer fills",
    "cli/_process.py": "standard output that turns what is refused into our error",
    "data/prepare/crop_store.py": "a temporary file without a name, for thumbnails",
    "data/datasets/tarball.py": "a temporary file without a name, for a .tar that was packed",
    "media/pipe.py": "a temporary file without a name, for what comes through a pipe",
    "data/audit/clean.py": "copies a manifest into the folder of a fix that is under way",
    "scale/places.py": "objects of an object store: Apache Arrow writes them itself",
    "train/run.py": "checkpoints: safetensors writes them itself, into a part of the gate's",
}
# Calls that write a file, whatever they are called on; `.save` and the like may fill a buffer.
WRITING = {
    "write_text", "write_bytes", "touch", "TemporaryFile", "NamedTemporaryFile", "mkstemp",
    "SpooledTemporaryFile", "save_file", "tofile", "savez", "savetxt", "imwrite", "FileIO",
    "open_output_stream",
}  # fmt: skip
SAVING = {"save", "savefig", "dump"}
OURS = {"write_bytes", "write_text"}  # names of the gate's own functions, called without a dot


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


def test_no_file_beside_the_package_is_too_long_either():
    folders = ("benchmarks", "docs", "fuzz", "tests")
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    lines = {
        str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines()) for p in files
    }
    assert len(lines) > 300
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


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


def writes(call: ast.Call) -> bool:
    """Whether a call writes a file by itself."""
    plain = isinstance(call.func, ast.Name)
    name = call.func.id if plain else getattr(call.func, "attr", "")
    if name in WRITING:
        return not (plain and name in OURS)
    if ast.unparse(call.func).startswith(("shutil.copy", "shutil.move")):
        return True
    if name in SAVING:
        first = call.args[0] if call.args else None
        return not (isinstance(first, ast.Name) and first.id == "buffer")
    if name not in {"open", "fdopen"}:
        return False
    values = [*call.args, *(word.value for word in call.keywords if word.arg == "mode")]
    modes = [value.value for value in values if isinstance(value, ast.Constant)]
    flags = any(flag in ast.unparse(call) for flag in ("O_WRONLY", "O_RDWR", "O_CREAT"))
    return flags or any(set(mode) & set("wax+") for mode in modes if _is_mode(mode))


def _is_mode(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 4 and set(value) <= set("rwaxbt+")


def test_files_are_written_by_the_gate_alone():
    calls = {
        name: [node for node in ast.walk(tree) if isinstance(node, ast.Call) and writes(node)]
        for name, tree in TREES.items()
    }
    found = {name: [ast.unparse(call) for call in lines] for name, lines in calls.items() if lines}
    assert {name: lines for name, lines in found.items() if name not in WRITERS} == {}
    assert WRITERS.keys() - found.keys() == set()  # no exception that is not needed


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("open(p, 'w')", True),
        ("path.open('ab')", True),
        ("path.open(mode='x')", True),
        ("os.open(p, os.O_RDWR | os.O_CREAT)", True),
        ("path.write_text('x')", True),
        ("image.save(part, 'PDF')", True),
        ("figure.savefig(path)", True),
        ("json.dump(record, file)", True),
        ("path.open()", False),
        ("archive.open(name)", False),
        ("open(path, 'rb')", False),
        ("image.save(buffer, 'PNG')", False),
        ("write_text(text, path)", False),
        ("shutil.copyfile(a, b)", True),
        ("array.copy()", False),
    ],
)
def test_what_counts_as_writing(code, expected):
    assert writes(ast.parse(code, mode="eval").body) == expected


def test_commands_print_through_the_function_that_escapes_names():
    printing = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"click.echo", "click.secho", "sys.stdout.write", "print"}
    }
    assert printing == {"cli/_shared.py", "media/standard_output.py"}
