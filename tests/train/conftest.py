"""Every test here can name the tiny network in its settings."""

import pytest

pytest.importorskip("torch")

from tests.support.tiny_network import tiny_in_zoo


@pytest.fixture(scope="module", autouse=True)
def _with_tiny_network():
    with tiny_in_zoo():
        yield
