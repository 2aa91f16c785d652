"""A machine that is lost in the middle of a part costs nothing: two nodes of Ray on one machine."""

import pytest

pytest.importorskip("ray")
pytest.importorskip("pyarrow")

from ray.cluster_utils import Cluster

from mien.scale.cluster import connected
from mien.scale.distribute import read_parts
from tests.support.ray_jobs import check_rows, job_of, slow_reader

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]  # Ray's own warnings


def began(folder, node):
    """The files that a node has begun to read."""
    return {p.stem for p in folder.glob("*.nodes") if node.node_id in p.read_text().split()}


def test_what_a_lost_machine_was_reading_is_read_by_another_each_file_once(tmp_path):
    small = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args=small)
    lost = nodes.add_node(num_cpus=1, object_store_memory=100_000_000)
    job = job_of(tmp_path, slow_reader)
    try:
        with connected(nodes.address):
            results = read_parts(job, job.run.missing())
            done = [next(results)]
            while not began(tmp_path, lost):
                done.append(next(results))
            # it reads on meanwhile: a part takes it a second
            nodes.remove_node(lost, allow_graceful=False)
            done += results
    finally:
        nodes.shutdown()
    assert sorted(done) == [(2, 0)] + [(3, 0)] * 6
    again = {name for name in began(tmp_path, lost) if len(notes(tmp_path, name)) > 1}
    assert again  # it was lost while it read
    check_rows(tmp_path, job)


def notes(folder, name):
    return (folder / f"{name}.nodes").read_text().split()
