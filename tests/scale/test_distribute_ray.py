"""On Ray: the rows of one machine, each once, whoever is killed."""

from contextlib import nullcontext
from functools import partial

import pytest

pytest.importorskip("ray")
parquet = pytest.importorskip("pyarrow.parquet")

from mien.errors import OutputError
from mien.scale import distribute
from mien.scale.cluster import connected
from mien.scale.distribute import read_parts
from tests.support.commands import mien
from tests.support.pictures import encode, folder_of
from tests.support.ray_jobs import check_rows, job_of, reader

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray's own warnings


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """One cluster on this machine for all tests of this file."""
    with connected("local"):
        yield


def test_predict_writes_the_table_of_one_machine(tmp_path, portrait, monkeypatch):
    face = encode(portrait[:256, 100:356], "PNG")
    folder_of(tmp_path, {f"in/{number}.png": face for number in range(5)} | {"in/2.png": b"text"})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mien.cli.predict._LEAST", 2)
    monkeypatch.setattr("mien.scale.cluster.connected", lambda _address: nullcontext())
    mien("predict", "in", "--parquet", "one.parquet")
    mien("predict", "in", "--ray", "local", "--out", "run")
    table, expected = parquet.read_table("run/faces.parquet"), parquet.read_table("one.parquet")
    assert table.filter(table["error"].is_null()).drop_columns("error") == expected
    assert (len(expected), table.num_rows) == (4, 5)


def test_what_a_killed_actor_was_reading_is_read_by_another_each_file_once(tmp_path):
    job = job_of(tmp_path, partial(reader, "10.txt", 1))
    done = sorted(read_parts(job, job.run.missing()))
    assert done == [(2, 0)] + [(3, 0)] * 6
    assert (tmp_path / "10.killed").read_text() == "1"
    check_rows(tmp_path, job)


@pytest.mark.long
def test_a_picture_that_kills_every_reader_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(distribute, "_TRIES", 1)
    job = job_of(tmp_path, partial(reader, "10.txt", 99))
    with pytest.raises(OutputError, match="the cluster could not go on"):
        list(read_parts(job, job.run.missing()))
    assert (tmp_path / "10.killed").read_text() == "2"
    assert 3 in job.run.missing()
