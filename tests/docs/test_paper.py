"""The table of a search has a column for all that varies, and rows of the longest runs alone."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "docs"))

import paper

SEARCH = """model,seed,rate,epochs,held_accuracy,held_loss,best_epoch,epochs_run,seconds,state,run
cnn13,0,0.1,5,0.5,1,5,5,9,done,a
cnn13,0,0.1,10,0.6,1,8,10,9,done,a
cnn13,1,0.1,10,0.7,1,9,10,9,done,b
cnn15,0,0.1,10,0.8,1,7,10,9,done,c
cnn15,1,0.1,10,,,,0,0,to do,d
"""


def test_no_row_stands_for_several_networks_or_seeds(tmp_path, monkeypatch):
    monkeypatch.setattr(paper, "RESULTS", tmp_path)
    (tmp_path / "cnn13-grid").mkdir()
    (tmp_path / "cnn13-grid" / "search.csv").write_text(SEARCH)
    head, _, *rows = paper.search().splitlines()
    assert head == "| model | seed | rate | held out | best epoch |"
    assert rows == [
        "| cnn15 | 0 | 0.1 | 80.0% | 7 |",
        "| cnn13 | 1 | 0.1 | 70.0% | 9 |",
        "| cnn13 | 0 | 0.1 | 60.0% | 8 |",
    ]
