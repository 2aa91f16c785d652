import tomllib
from pathlib import Path

import pytest

from mien.cli._shared import recipe_or_file
from mien.train.recipes import configs, find_recipe, recipes
from tests.support.commands import mien


def test_the_list_names_every_recipe_and_what_it_is_for():
    listed = mien("recipes").stdout
    for path in configs().glob("*.toml"):
        assert f"{path.stem} " in listed or f"{path.stem}\n" in listed
    assert recipes()["miennet-start"].startswith("The first stage of the shipped model: the net")
    assert all(purpose for purpose in recipes().values())


def test_a_recipe_is_printed_and_written_as_it_is(tmp_path):
    text = (configs() / "miennet.toml").read_text(encoding="utf-8")
    assert mien("recipes", "miennet").stdout == text
    assert mien("recipes", "miennet.toml", "--out", tmp_path / "my.toml").exit_code == 0
    assert (tmp_path / "my.toml").read_text(encoding="utf-8") == text
    assert "epochs" in tomllib.loads(text)


def test_a_misspelt_recipe_is_answered_with_the_one_that_was_meant():
    result = mien("recipes", "minet")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no recipe called 'minet'\n  try: use miennet" in result.stderr
    assert mien("recipes", "--out", "x.toml").exit_code == 2


@pytest.mark.torch
@pytest.mark.parametrize("name", ["miennet", "miennet.toml", "configs/miennet.toml"])
def test_a_command_takes_a_recipe_by_its_name_and_says_so(name, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    result = mien("show-augmentation", name, "--draws", 1, "--out", "sheet.png")
    assert result.exit_code == 0, result.stderr
    assert f"taking the recipe miennet, which comes with mien: {find_recipe(name)}" in result.stderr
    assert (tmp_path / "sheet.png").is_file()


@pytest.mark.torch
def test_a_file_that_is_there_goes_before_a_recipe_and_other_paths_are_none(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "miennet.toml").write_text("patiance = 3\n")
    assert "no setting called 'patiance'" in mien("train", "miennet.toml").stderr
    for words in ("mine/miennet.toml", "other.toml"):
        result = mien("train", words)
        assert result.exit_code == 1
        assert (
            f"cannot read {words}: no such file\n  try: check the path; mien recipes"
            in result.stderr
        )
    assert "no recipe called 'minet'" in mien("train", "minet").stderr


def test_a_run_of_a_recipes_name_does_not_hide_the_recipe(tmp_path, monkeypatch):
    """As after mien train miennet --out miennet, whose --resume is the same command."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "miennet").mkdir()
    assert recipe_or_file(Path("miennet")) == find_recipe("miennet")
    (tmp_path / "own").mkdir()
    assert recipe_or_file(Path("own")) == Path("own")
