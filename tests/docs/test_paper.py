"""The table of a search has a column for all that varies, and rows of the longest runs alone."""

import json
import sys
from dataclasses import replace
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "docs"))

import paper

from mien.train import config, grid, paper_tables
from mien.train.recipes import configs

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


RECIPES = """model,variant,held_accuracy,best_epoch
a,slow,0.5,3
a,fast,0.8,4
b,slow,0.7,5
b,fast,0.6,6
"""


def test_the_recipe_with_the_best_mean_comes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(paper, "RESULTS", tmp_path)
    (tmp_path / "paper-recipe").mkdir()
    (tmp_path / "paper-recipe" / "search.csv").write_text(RECIPES)
    assert paper.recipes().splitlines() == [
        "| recipe | a (epoch) | b (epoch) | mean |",
        "| --- | --- | --- | --- |",
        "| fast | 80.0% (4) | 60.0% (6) | 70.0% |",
        "| slow | 50.0% (3) | 70.0% (5) | 60.0% |",
    ]


def test_a_row_that_was_not_run_has_the_hours_of_a_run(monkeypatch):
    rows = [paper_tables.PaperRow("five", model) for model in ("cnn13", "resnet18")]
    monkeypatch.setattr(paper_tables, "rows", lambda _: rows)
    speed = {"resnet18": {"bfloat16": {"crops_per_s": {"loop": 20.0}}}}
    monkeypatch.setattr(paper, "read", lambda _: {"figures": speed})
    measured = {"five-cnn13": {"runs": [{"pictures": {"train": 36_000}}]}}
    # ten epochs of 36,000 crops at 20 a second are 18,000 s
    assert paper_tables.settings(rows[1])["epochs"] == 10
    assert "json): five-resnet18 5.0.\n" in paper._not_run("later", measured)
    assert paper._not_run("later", measured | {"five-resnet18": measured["five-cnn13"]}) == ""


SCORES = """filepath,happiness,surprise
x/test/0_happiness/a.jpg,0.90,0.10
x/test/0_happiness/b.jpg,0.40,0.60
x/test/1_surprise/c.jpg,0.20,0.80
"""


def test_table_2_has_the_first_picture_of_each_class_and_counts_all(tmp_path, monkeypatch):
    monkeypatch.setattr(paper, "RESULTS", tmp_path)
    (tmp_path / "table-2.csv").write_text(SCORES)
    head, _, *rows, _, told = paper.scores().splitlines()
    assert head == "| filepath | happiness | surprise |"
    assert rows == ["| a.jpg | 0.90 | 0.10 |", "| c.jpg | 0.20 | 0.80 |"]
    assert told.endswith("Of all 3 the highest score is that of the label for 2.")


def test_the_rows_are_trained_by_the_recipe_that_was_best_held_out():
    best = paper.recipes().splitlines()[2].split(" | ")[0].strip("| ")
    points = grid.load(configs() / "paper-recipe.toml")
    [chosen] = [
        point
        for number, point in enumerate(points.points)
        if points.variant(number) == best and point.model == "cnn15"
    ]
    leak_free, paper_protocol = (
        config.load(configs() / f"paper-{name}.toml") for name in ("leak-free", "protocol")
    )
    assert leak_free == chosen
    assert replace(paper_protocol, data=chosen.data, hold_out=chosen.hold_out) == chosen


BEST = """batch,epochs,held_accuracy,best_epoch,state
64,20,0.8,12,done
64,40,,,to do
"""


def test_the_best_points_stand_beside_what_they_had_on_a_part(tmp_path, monkeypatch):
    monkeypatch.setattr(paper, "RESULTS", tmp_path)
    assert paper.best_points() == "Not measured yet: `mien search configs/paper-best.toml`.\n"
    for name, text in (("paper-search", GRID), ("paper-best", BEST)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "search.csv").write_text(text.replace("0.001,64,0.2", "0.0001,64,0.5"))
    (tmp_path / "paper-search" / "best.toml").write_text("limit = 1200\n")
    head, _, *rows = paper.best_points().splitlines()
    assert head == "| rate | batch | dropout | epochs | on 1,200 pictures | on all |"
    assert rows == [
        "| 0.0001 | 64 | 0.5 | 20 | 70.0% | 80.0% (epoch 12) |",
        "| 0.0001 | 64 | 0.5 | 40 | 71.0% | to do |",
    ]


def test_the_network_for_cam_stands_beside_the_one_it_was_made_of(tmp_path, monkeypatch):
    monkeypatch.setattr(paper, "RESULTS", tmp_path)
    assert paper.pooled().startswith("Not measured yet")
    (tmp_path / "cnn15-gap").mkdir()
    (tmp_path / "cnn15-gap" / "rafdb-test.json").write_text("{}")
    own = {"pictures": 2000, "accuracy": 0.8, "accuracy_95": [0.78, 0.82]}
    runs = [{"protocol": "leak-free", "accuracy": {"test": test}} for test in (0.83, 0.85)]
    runs.append({"protocol": "paper", "accuracy": {"test": 0.9}})
    records = {"cnn15-gap/rafdb-test": own, "paper-rafdb-cnn15": {"runs": runs}}
    monkeypatch.setattr(paper, "read", records.__getitem__)
    # 83 and 85: mean 84, and the root of 2 between them
    assert paper.pooled().endswith(
        "`cnn15-gap` names 80.0% (78.0% to 82.0%; one seed) and `cnn15` 84.0 ± 1.4% (2 seeds).\n"
    )


def test_copies_that_leak_free_runs_still_have_are_counted(tmp_path, monkeypatch):
    def run(protocol, seed, copies):
        accuracy = dict.fromkeys(("train", "test", "test_without_copies", "valid"), 0.5)
        return {
            "protocol": protocol, "seed": seed, "accuracy": accuracy,
            "pictures": {"test": 2400, "test_without_copies": 2400 - copies},
            "test_pictures_with_a_copy_in_train": copies,
        }  # fmt: skip

    for name, copies in (("rafdb-cnn13", (3, 5)), ("rafdb-cnn15", (3, 3))):
        runs = [run("paper", 0, 90), *(run("leak-free", *pair) for pair in enumerate(copies))]
        record = {"row": name, "parameters": 1, "runs": runs}
        (tmp_path / f"paper-{name}.json").write_text(json.dumps(record))
    monkeypatch.setattr(paper, "RESULTS", tmp_path)
    assert "some still have one in training: 3 or 5 of 2,400 (rafdb). " in paper.leaks()
