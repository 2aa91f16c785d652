import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from mien.media import images
from mien.media.quiet import quiet
from tests.support.pictures import encode


def test_warnings_are_off_inside_and_as_before_outside():
    before = list(warnings.filters)
    with quiet(), quiet():
        warnings.warn("not to be seen", stacklevel=1)
    assert warnings.filters == before
    with pytest.raises(UserWarning, match="seen"):  # this suite turns warnings into errors
        warnings.warn("seen", stacklevel=1)


def test_they_are_as_before_after_an_error():
    before = list(warnings.filters)
    with pytest.raises(KeyError), quiet():
        raise KeyError
    assert warnings.filters == before


def test_pictures_read_in_overlapping_threads_leave_the_warnings_as_they_were(
    tmp_path, monkeypatch
):
    path = tmp_path / "a.png"
    path.write_bytes(encode(np.zeros((8, 8, 3), dtype=np.uint8), "PNG"))
    before, opened = list(warnings.filters), Image.open
    first_is_in, second_is_in, first_is_out = (threading.Event() for _ in range(3))

    def slow(*given, **options):
        if threading.current_thread().name.endswith("_0"):
            first_is_in.set()
            second_is_in.wait(5)
        else:
            second_is_in.set()
            first_is_out.wait(5)
            warnings.warn("of the picture, not to be seen", stacklevel=1)
        return opened(*given, **options)

    monkeypatch.setattr(Image, "open", slow)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(images.read_rgb, path)
        first_is_in.wait(5)
        two = pool.submit(images.read_rgb, path)
        one.result()
        first_is_out.set()
        two.result()
    assert warnings.filters == before
