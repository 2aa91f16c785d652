"""The public names are there after `import mien` alone, and without torch."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mien
from mien._lazy import on_first_use

API = Path(__file__).parents[1] / "docs" / "api.md"
NO_TORCH = "import sys; sys.modules['torch'] = None; "


def run(code):
    """What a fresh Python prints that has nothing imported; warnings are errors."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_every_name_of_the_api_is_found_as_the_page_writes_it():
    pytest.importorskip("torch")
    for path, name in re.findall(r"^\| `(mien[\w.]*)\.(\w+)` \|", API.read_text("utf-8"), re.M):
        assert hasattr(import_module(path), name), path


def test_modules_are_there_without_an_import_of_their_own():
    code = "import mien; print(mien.errors.BadImageError.__name__, mien.labels.PAPER.calm, "
    assert run(code + "mien.show.writing.ENGLISH.language)") == "BadImageError neutral en\n"
    for module in ("media", "recognize", "faces", "pixels", "explain", "train"):
        assert run(f"import mien; print(mien.{module}.__name__)") == f"mien.{module}\n"


def test_without_torch_help_and_star_work_and_the_name_that_needs_it_says_so():
    assert "Recognizer" in run(NO_TORCH + "import mien; help(mien)")
    assert run(NO_TORCH + "from mien import *; print(Recognizer.__name__)") == "Recognizer\n"
    assert "ExpressionDataset" not in run(NO_TORCH + "import mien; print(dir(mien))")
    caught = "\ntry: mien.ExpressionDataset\nexcept mien.MienError as error: print(error)"
    said = run(NO_TORCH + "import mien" + caught)
    assert said == (
        'mien.ExpressionDataset needs the train extra\n  try: pip install "mien[train]"\n'
    )


def test_with_torch_completion_offers_what_needs_it():
    pytest.importorskip("torch")
    assert {"ExpressionDataset", "Recognizer", "errors", "media"} <= set(dir(mien))


def test_another_module_that_is_missing_is_not_taken_for_torch():
    fetch, _ = on_first_use("mien.train", {"Gone": "mien.train.gone"})
    with pytest.raises(ModuleNotFoundError, match="gone"):
        fetch("Gone")


def test_what_trains_nothing_does_not_load_torch_s_compiler():
    pytest.importorskip("torch")
    code = "import sys; import mien.train.distill; print('torch._dynamo' in sys.modules)"
    assert run(code) == "False\n"
