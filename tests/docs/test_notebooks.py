"""The notebooks run from start to end, and are kept with the cells they have and their results."""

import pytest

nbformat = pytest.importorskip("nbformat", reason="jupytext is not installed")
pytest.importorskip("nbclient")

import jupytext
from nbclient.exceptions import CellExecutionError

from tests.support.notebooks import FOLDER, SOURCES, execute, sources_of

NEEDS = {"2-film": "av", "3-network": "torch", "4-table": "pandas"}
MOST_BYTES = 300_000


def kept(source):
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def kinds(notebook):
    """Which cells show something, and of which kinds."""
    return [
        sorted({output.output_type for output in cell.get("outputs", [])})
        for cell in notebook.cells
    ]


def test_every_notebook_has_both_of_its_files():
    assert len(SOURCES) == 4
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {path.stem for path in SOURCES}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_the_cells_of_its_source_and_is_small(source):
    assert sources_of(kept(source)) == sources_of(jupytext.read(source))
    assert source.with_suffix(".ipynb").stat().st_size <= MOST_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_results_where_the_kept_one_does(source):
    pytest.importorskip(NEEDS.get(source.stem, "pandas"))
    assert kinds(execute(source)) == kinds(kept(source))


def test_what_the_photograph_s_notebook_hides_is_the_mouth_and_then_the_eyes():
    [source] = [path for path in SOURCES if path.stem == "1-photograph"]
    names = {}
    exec(compile(source.read_text(encoding="utf-8"), source.name, "exec"), names)
    face, [whole, no_mouth, no_eyes] = names["face"], names["crops"]
    points = face.landmarks @ face.to_crop[:, :2].T + face.to_crop[:, 2]
    eyes, mouth = points[:2, 1].round().astype(int), points[3:, 1].round().astype(int)
    for rows, gone, kept in ((mouth, no_mouth, no_eyes), (eyes, no_eyes, no_mouth)):
        for row in rows:
            assert (gone[row - 2 : row + 3] == 128).all()
            assert (kept[row] == whole[row]).all()


@pytest.mark.slow
def test_a_cell_that_fails_fails_the_notebook(tmp_path):
    source = tmp_path / "wrong.py"
    source.write_text("# %%\nprint(1)\n\n# %%\nraise RuntimeError('no')\n", encoding="utf-8")
    with pytest.raises(CellExecutionError, match="RuntimeError"):
        execute(source)
