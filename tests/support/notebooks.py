"""The notebooks: executed from their .py files, and kept as .ipynb with their results.

Run: python -m tests.support.notebooks                 executes all, and writes the .ipynb files;
python -m tests.support.notebooks 1-photograph         does it with one.
"""

import base64
import io
import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image

__all__ = ["FOLDER", "SOURCES", "execute", "sources_of"]

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))
_WIDTH = 900  # pixels of a kept picture
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def execute(source):
    """Execute a notebook from its first cell to its last; raise CellExecutionError if one fails."""
    notebook = jupytext.read(source)
    notebook.metadata = nbformat.from_dict({
        "kernelspec": _KERNEL,
        "language_info": {"name": "python"},
    })
    own = Path(sys.executable).parent
    paths = {"PATH": f"{own}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", record_timing=False, coalesce_streams=True
    )
    client.execute(cwd=FOLDER, env=os.environ | paths)  # PATH: for the lines with !
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # the same in every run
        for output in cell.get("outputs", []):
            _make_small(output.get("data", {}))
    return notebook


def _make_small(data):
    """Keep a picture as JPEG, no wider than a page."""
    if "image/png" not in data:
        return
    with Image.open(io.BytesIO(base64.b64decode(data.pop("image/png")))) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((_WIDTH, 2 * _WIDTH))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85, optimize=True)
    data["image/jpeg"] = base64.b64encode(buffer.getvalue()).decode()


def sources_of(notebook):
    """Kind and text of each cell."""
    return [(cell.cell_type, cell.source.strip()) for cell in notebook.cells]


def main():
    for source in [FOLDER / f"{name}.py" for name in sys.argv[1:]] or SOURCES:
        target = source.with_suffix(".ipynb")
        nbformat.write(execute(source), target)
        sys.stdout.write(f"wrote {target}: {target.stat().st_size / 1e3:.0f} kB\n")


if __name__ == "__main__":
    main()
