"""A run on a cluster writes the rows of one machine, in their order; here without Ray.

Actors work in this process, and take the parts in another order. Ray: test_distribute_ray.py.
"""

import pickle
from contextlib import nullcontext

import numpy as np
import pytest

pytest.importorskip("ray")
parquet = pytest.importorskip("pyarrow.parquet")

from mien.errors import BadSettingError, OutputError
from mien.scale import distribute
from tests.support.commands import mien
from tests.support.pictures import encode, folder_of, texture
from tests.support.ray_jobs import job_of


def called(actor, part):
    """What an actor sends back: a row, of batches of one."""
    return {name: value for name, [value] in actor({"part": np.array([part])}).items()}


@pytest.fixture
def no_ray(monkeypatch):
    """Let one actor in this process read the parts, the last one first."""

    def read_parts(job, parts):
        actor = distribute._PartReader(pickle.dumps(job), distribute.__version__)
        for part in reversed(parts):
            row = called(actor, part)
            assert row["error"] is None
            yield row["pictures"], row["failures"]

    monkeypatch.setattr(distribute, "read_parts", read_parts)
    monkeypatch.setattr(distribute, "use_one_thread", lambda: None)
    monkeypatch.setattr("mien.scale.cluster.connected", lambda _address: nullcontext())


@pytest.fixture
def photos(tmp_path, portrait, monkeypatch):
    """Here: a folder of faces, blanks and a file that is no picture."""
    monkeypatch.chdir(tmp_path)
    face = encode(portrait[:256, 100:356], "PNG")
    blank = encode(np.full((60, 80, 3), 190, dtype=np.uint8), "PNG")
    pictures = {f"in/{n:02}.png": blank if n % 3 else face for n in range(9)}
    monkeypatch.setattr("mien.cli.predict._LEAST", 3)
    return folder_of(tmp_path, pictures | {"in/05.png": b"text", "in/a/b.png": face})


def test_the_table_is_that_of_one_machine_beside_what_could_not_be_read(photos, no_ray):
    words = ("predict", "in", "gone.png", "--regions")
    assert mien(*words, "--parquet", "one.parquet").exit_code == 1
    result = mien(*words, "--ray", "local", "--out", "run")
    assert result.exit_code == 1
    assert "2 of 11 pictures could not be read: the column error says why" in result.stderr
    expected, table = parquet.read_table("one.parquet"), parquet.read_table("run/faces.parquet")
    assert table.filter(table["error"].is_null()).drop_columns("error") == expected
    assert len(expected) == 4
    failed = table.filter(table["error"].is_valid()).select(["path", "face", "error"])
    assert failed.to_pylist() == [
        {"path": "in/05.png", "face": None, "error": "not a picture: in/05.png"},
        {"path": "gone.png", "face": None, "error": "no such file: gone.png"},
    ]


def test_a_run_goes_on_with_the_parts_that_are_missing(photos, no_ray):
    words = ("predict", "in", "--ray", "local", "--out", "run")
    mien(*words)
    whole = parquet.read_table("run/faces.parquet")
    (photos / "run" / "parts" / "000001.parquet").unlink()  # as if the head had died
    (photos / "run" / "faces.parquet").unlink()
    kept = photos / "run" / "parts" / "000000.parquet"
    before = kept.stat()
    result = mien(*words, "--resume")
    assert "3 of 4 parts had been read before" in result.stderr
    assert kept.stat() == before
    assert parquet.read_table("run/faces.parquet") == whole
    refused = mien(*words, "--resume", "--six")
    assert refused.exit_code == 1
    assert "run with other settings: six false, now true" in refused.stderr


def test_crops_of_an_object_store_have_the_scores_of_those_on_a_disk(tmp_path, monkeypatch, no_ray):
    names = {f"in/{n}.png": encode(texture(n), "PNG") for n in range(5)} | {"in/2.png": b"text"}
    folder_of(tmp_path, names)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mien.cli.scores._LEAST", 2)
    mien("scores", "in", "--out", "s.csv", "--parquet", "one.parquet")
    address = f"file://{tmp_path}/in"
    mien("scores", address, "--ray", "local", "--out", "run")
    expected = parquet.read_table("one.parquet").to_pylist()
    rows = parquet.read_table("run/scores.parquet").to_pylist()
    for row in expected:
        row |= {"filepath": f"file://{tmp_path}/{row['filepath']}", "error": None}
    assert [row for row in rows if not row["error"]] == expected
    [failed] = [row for row in rows if row["error"]]
    assert failed["filepath"] == f"{address}/2.png"
    assert failed["error"] == f"not a picture: {address}/2.png"
    assert len(rows) == 5


def test_an_error_of_ours_travels_as_it_is(tmp_path):
    job = job_of(tmp_path)
    (tmp_path / "run" / "parts").write_bytes(b"")  # a file, where a folder is needed
    row = called(distribute._PartReader(pickle.dumps(job), distribute.__version__), 0)
    error = pickle.loads(row["error"])
    assert isinstance(error, OutputError)
    assert "parts" in error.message
    row = called(distribute._PartReader(pickle.dumps(job), "0.0.1"), 0)
    error = pickle.loads(row["error"])
    assert isinstance(error, BadSettingError)
    assert error.message.endswith(f"has mien {distribute.__version__}, this machine 0.0.1")
