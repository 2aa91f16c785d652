"""Every test here can name the tiny network in its settings; few crops prove an exported file."""

from importlib.util import find_spec

import pytest

pytest.importorskip("torch")

from tests.support.tiny_network import tiny_in_zoo


@pytest.fixture(scope="module", autouse=True)
def _with_tiny_network():
    with tiny_in_zoo():
        yield


@pytest.fixture(scope="module")
def data_read_once():
    """`mien export` reads unchanged folders once, as `load_data_once` does for the tests."""
    from tests.support.exported_runs import load_data_once

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mien.train.export.load_data", load_data_once)
        yield


@pytest.fixture(scope="module", autouse=True)
def _proof_of_few_crops():
    with pytest.MonkeyPatch.context() as patch:
        if find_spec("onnx"):
            patch.setattr("mien.train.export._PROOF", 32)  # in a tenth of the time
        yield
