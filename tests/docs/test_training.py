"""What docs/training.md promises holds: its Python runs, its table is that of the settings."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from mien.models import zoo
from mien.models.starts import STARTS, read_layers
from mien.train.augment import Strength
from mien.train.export import multiply_adds
from tests.support.made_starts import make_start

pytestmark = pytest.mark.torch

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_three_lines_make_a_loader():
    assert len([line for line in BLOCKS[0].splitlines() if line]) == 3


def test_a_start_is_loaded_from_the_package_that_the_page_names(tmp_path, monkeypatch):
    made = make_start(monkeypatch, "dlib-face", tmp_path / "made")
    (tmp_path / STARTS["dlib-face"].tarball).symlink_to(made, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    names = {"crops": torch.randn(2, 1, 88, 88).expand(-1, 3, -1, -1)}
    exec(compile(BLOCKS[2], "training.md", "exec"), names)
    stem = next(iter(read_layers("dlib-face", made).values()))
    assert torch.equal(names["network"].features[1][0].weight, torch.from_numpy(stem.weight))


def test_the_table_of_starts_has_the_networks_as_they_are_built():
    row = re.compile(
        r"^\| `(\w+)` \| .+ \| (\d+)x\d+ \| .+ \| ([\d.]+) million \| (\d+) million \|$",
        re.MULTILINE,
    )
    found = {name: (int(side), *counts) for name, side, *counts in row.findall(PAGE)}
    built = {name: zoo.build(name, 7, 0) for start in STARTS.values() for name in start.networks}
    assert found == {
        name: (n.side, f"{parameters(n) / 1e6:.1f}", f"{multiply_adds(n.eval()) / 1e6:.0f}")
        for name, n in built.items()
    }


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_table_has_every_setting_with_its_default_in_the_order_they_are_applied():
    table = {}
    for names, defaults in re.findall(r"^\| (`.+?`) \| ([\d., ]+) \|", PAGE, flags=re.MULTILINE):
        keys = re.findall(r"`(\w+)`", names)
        table |= dict(zip(keys, map(float, defaults.split(", ")), strict=True))
    assert list(table.items()) == [(f.name, f.default) for f in fields(Strength)]


def test_the_two_sides_of_the_ablation_differ_in_one_setting():
    on, off = (
        tomllib.loads((ROOT / f"configs/ablation-augment-{side}.toml").read_text(encoding="utf-8"))
        for side in ("on", "off")
    )
    assert (on.pop("augment"), off.pop("augment")) == (True, False)
    assert on == off


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda p: p.stem)
def test_every_configuration_can_be_read(path):
    from mien.train import config, grid

    if path.stem.endswith(("-grid", "paper-ablation", "paper-best", "paper-recipe")):
        assert all(point.data for point in grid.load(path).points)
    else:
        assert config.load(path).data
