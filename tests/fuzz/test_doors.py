"""Every undamaged file is taken by the door of its kind: else damage would test nothing."""

import sys

import pytest

from fuzz.campaign import Child, Limits
from fuzz.kinds import KINDS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
# Formats that mien does not open, and grids, which `mien train` does not take.
REFUSED = {
    "pictures": {"eps", "ico", "spi"},
    "settings": {
        "cnn13-grid.toml",
        "grid.toml",
        "paper-ablation.toml",
        "paper-best.toml",
        "paper-grid.toml",
        "paper-recipe.toml",
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_undamaged_files_are_taken(kind, tmp_path):
    if kind == "checkpoints":
        pytest.importorskip("torch")
    refused, taken = set(), 0
    with Child(kind, 0, tmp_path, Limits()) as child:
        for seed in KINDS[kind].seeds(tmp_path / "own"):
            (tmp_path / seed.name).write_bytes(seed.data)
            answer = child.file(tmp_path / seed.name)
            assert answer["outcome"] in {"clean", "refused"}, answer["trace"]
            taken += answer["outcome"] == "clean"
            if answer["outcome"] == "refused":
                refused.add(seed.name)
    assert taken >= 3
    expected = REFUSED.get(kind, set())
    assert {name.split(".")[-1] if kind == "pictures" else name for name in refused} == expected
