"""Both ends of the range of PyAV: what was taken out of it in 19 is not asked for there."""

import av
import pytest

from mien.media.decoder import open_container
from tests.support.video_files import film, shades


@pytest.mark.parametrize(("version", "asked"), [("18.1.0", True), ("19.0.2", False)])
def test_pyav_is_asked_to_take_any_title_where_it_does_not_by_itself(
    version, asked, tmp_path, monkeypatch
):
    path = film(tmp_path / "a.mov", shades(2))
    given = {}
    whole = av.open

    def spy(source, **options):
        given.update(options)
        options.pop("metadata_errors", None)
        return whole(source, **options)

    monkeypatch.setattr(av, "open", spy)
    monkeypatch.setattr(av, "__version__", version)
    open_container(path, "a.mov").close()
    assert (given.get("metadata_errors") == "replace") is asked
