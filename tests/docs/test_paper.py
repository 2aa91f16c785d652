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


GRID = """rate,batch,dropout,epochs,patience,held_accuracy,best_epoch,epochs_run,state
0.01,64,0.2,20,0,0.47,1,20,done
0.01,64,0.2,20,5,0.46,1,6,done
0.01,64,0.2,40,0,0.48,33,40,done
0.01,64,0.2,40,5,0.46,1,6,done
0.001,64,0.2,20,0,0.7,7,20,done
0.001,64,0.2,20,5,0.68,4,9,done
0.001,64,0.2,40,0,0.71,25,40,done
0.001,64,0.2,40,5,0.68,4,9,done
0.1,64,0.2,20,0,,,2,diverged
0.1,64,0.2,20,5,,,2,diverged
0.1,64,0.2,40,0,,,2,diverged
0.1,64,0.2,40,5,,,2,diverged
"""


def test_a_row_of_table_4_has_all_the_points_of_its_run(tmp_path, monkeypatch):
    monkeypatch.setattr(paper, "RESULTS", tmp_path)
    assert paper.whole_search().startswith("Not measured yet")
    (tmp_path / "paper-search").mkdir()
    (tmp_path / "paper-search" / "search.csv").write_text(GRID)
    head, _, *rows, _, told = paper.whole_search().splitlines()
    assert head == "| rate | batch | dropout | 20 epochs | 40 epochs | stopped early (epochs) |"
    assert rows == [
        "| 0.001 | 64 | 0.2 | 70.0% | 71.0% | 68.0% (9) |",
        "| 0.01 | 64 | 0.2 | 47.0% | 48.0% | 46.0% (6) |",
        "| 0.1 | 64 | 0.2 | diverged | diverged | diverged |",
    ]
    assert told == "8 of 12 points are done."
