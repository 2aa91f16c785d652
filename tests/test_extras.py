"""A library of an extra that is there and cannot be loaded: its own words, not "install it"."""

import sys

import pytest

from mien.faces.association import Tracks
from mien.media.decoder import pyav
from mien.show.timeline import Timeline
from mien.show.timeline_plot import draw_timeline


def plot():
    draw_timeline(Timeline(), "never.png")


@pytest.mark.parametrize(("library", "use"), [("av", pyav), ("lap", Tracks), ("matplotlib", plot)])
def test_why_a_library_cannot_be_loaded_is_said(tmp_path, monkeypatch, library, use):
    (tmp_path / f"{library}.py").write_text('raise ImportError("libx.so.6: wrong version")')
    for name in list(sys.modules):
        if name.partition(".")[0] == library:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="libx"):
        use()
