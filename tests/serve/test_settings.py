"""What an operator may choose."""

import pytest

from mien.errors import BadSettingError
from mien.serve.settings import Settings, is_loopback, refuse_open_door


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("", False),
        ("localhost.example.org", False),
        ("::ffff:8.8.8.8", False),
    ],
)
def test_what_is_this_machine_alone(host, expected):
    assert is_loopback(host) is expected
    if not expected:
        with pytest.raises(BadSettingError, match="MIEN_TOKEN"):
            refuse_open_door(host, None)
    refuse_open_door(host, "secret") if not expected else refuse_open_door(host, None)


@pytest.mark.parametrize("token", ["", "two words", "line\n", "tab\t"])
def test_tokens_that_no_header_can_bring_are_refused(token):
    with pytest.raises(BadSettingError, match="token"):
        Settings(token=token)


@pytest.mark.parametrize(
    "origin",
    ["example.org", "https://example.org/", "https://example.org/path", "", "https://[::1"],
)
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(BadSettingError, match="no origin"):
        Settings(origins=(origin,))


@pytest.mark.parametrize("origin", ["https://example.org", "http://127.0.0.1:8080", "null", "*"])
def test_what_is_one_is_not(origin):
    assert Settings(origins=(origin,)).origins == (origin,)


@pytest.mark.parametrize("name", ["threads", "max_bytes", "max_pictures", "max_video_s"])
def test_limits_below_one_are_refused_by_name(name):
    with pytest.raises(BadSettingError, match=name):
        Settings(**{name: 0})


@pytest.mark.parametrize("name", ["timeout_s", "max_video_s"])
@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 1e300])
def test_times_without_an_end_are_refused_by_name(name, seconds):
    with pytest.raises(BadSettingError, match=name) as refused:
        Settings(**{name: seconds})
    assert "seconds" in refused.value.fix


def test_the_token_is_not_shown():
    assert "secret" not in repr(Settings(token="secret"))
