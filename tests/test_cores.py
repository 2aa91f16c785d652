import warnings

import pytest

from mien import Recognizer, cores
from mien.cores import at_most_cores
from mien.faces.detect import Detector
from mien.recognize.model import Model


@pytest.fixture
def three_cores(monkeypatch):
    monkeypatch.setattr(cores, "cores", lambda: 3)


@pytest.mark.parametrize("wanted", [0, 1, 2, 3])
def test_what_the_cores_can_do_is_taken_as_it_is(three_cores, wanted):
    assert at_most_cores(wanted) == wanted


def test_more_than_the_cores_are_capped_and_the_caller_is_told(three_cores):
    with pytest.warns(UserWarning, match="^99999 threads: taking 3, one a core$"):
        assert at_most_cores(99_999) == 3


@pytest.mark.parametrize("load", [Recognizer, lambda threads: Model(threads=threads), Detector])
def test_whatever_loads_a_network_caps_its_threads_and_says_so_once(three_cores, load):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        made = load(threads=99_999)
        made = getattr(made, "detector", made)
    assert [str(one.message) for one in said] == ["99999 threads: taking 3, one a core"]
    session = getattr(made, "session", None) or made._onet
    assert session.get_session_options().intra_op_num_threads == 3
    assert said[0].filename == __file__


@pytest.mark.parametrize("load", [Recognizer, lambda threads: Model(threads=threads), Detector])
def test_a_number_below_zero_is_refused(load):
    with pytest.raises(ValueError, match="all cores"):
        load(threads=-1)
