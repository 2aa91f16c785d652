"""The notebooks: executed from their .py files, and kept as .ipynb with their results.

Run: python -m tests.support.notebooks             executes all and writes the .ipynb files.
"""

import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

__all__ = ["FOLDER", "SOURCES", "execute", "sources_of"]

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))
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
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", record_timing=False)
    client.execute(cwd=FOLDER, env=os.environ | paths)  # PATH: for the lines with !
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # the same in every run
    return notebook


def sources_of(notebook):
    """Kind and text of each cell."""
    return [(cell.cell_type, cell.source.strip()) for cell in notebook.cells]


def main():
    for source in SOURCES:
        target = source.with_suffix(".ipynb")
        nbformat.write(execute(source), target)
        print(f"wrote {target.relative_to(ROOT)}: {target.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
