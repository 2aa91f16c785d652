"""In every plot, of little and of much, no word is cut, covered by another, or too small."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from mien.labels import LABELS, NEUTRAL, PAPER, LabelSet
from mien.show import plots
from mien.show.timeline import Timeline
from mien.show.timeline_plot import draw_timeline
from tests.support.plot_words import assert_legible, drawn

COMPOUND = LabelSet((
    "happily surprised", "happily disgusted", "sadly fearful", "sadly angry", "sadly surprised",
    "sadly disgusted", "fearfully angry", "fearfully surprised", "angrily surprised",
    "angrily disgusted", "disgustedly surprised",
))  # fmt: skip
LONG = LabelSet(("w" * 60, *(f"a class with a long name, number {i}" for i in range(9))), "at rest")
OWN = LabelSet(tuple(f"posture {number}" for number in range(12)))


def history(epochs):
    return [
        {"epoch": i, "train_loss": 2 / i, "held_loss": 2.1 / i, "held_accuracy": 1 - 0.8 / i}
        for i in range(1, epochs + 1)
    ]


def counts(folders, splits, names):
    rng = np.random.default_rng(0)
    numbers = {name: int(rng.integers(1_000, 90_000)) for name in names}
    return [(f"folder {i}", split, numbers) for i in range(folders) for split in splits]


def points(**settings):
    rng = np.random.default_rng(0)
    chosen = ({name: rng.choice(of).item() for name, of in settings.items()} for _ in range(40))
    return [(point, float(rng.uniform(0.4, 0.8))) for point in chosen]


MANY = {
    "model": ["cnn15-dropout", "cnn16-se", "resnet34", "vgg16-bn"],
    "rate": [0.0001, 0.001, 0.01],
    "batch": [16, 32, 64, 128, 256],
    "optimiser": ["sgd", "adam"],
    "weight_decay": [0.0001, 0.00001, 0.000001],
    "flip": [False, True],
}


def faithful():
    names = ["cam", "grad-cam++", "integrated-gradients", "random", "blurred-random", "edges"]
    means = {name: dict.fromkeys(plots_of_faith(), 0.1 * i) for i, name in enumerate(names, 1)}
    return {
        "name": "cnn15-dropout", "pictures": 500, "source": "fer2013", "split": "test",
        "mean": means, "error": means, "against": names[:3],
    }  # fmt: skip


def plots_of_faith():
    return ("insertion", "deletion", "road", "drop", "increase")


def film(tracks, seconds=40):
    """Each track changes its expression every few seconds, and is away now and then."""
    made, rng = Timeline(), np.random.default_rng(0)
    states = rng.integers(0, 7, (seconds, tracks))
    for time_s in range(seconds):
        faces = [
            shown(track, int(state)) for track, state in enumerate(states[time_s // 3 * 3])
            if (time_s + track) % 17
        ]  # fmt: skip
        made.add(SimpleNamespace(time_s=time_s / 2, number=time_s, faces=faces))
    return made


def shown(track, state):
    values = np.full(6, 0.04, dtype=np.float32)
    values[state % 6] = 0.8
    neutral = 0.9 if state == 6 else 0.1
    label = NEUTRAL if state == 6 else LABELS[state]
    return SimpleNamespace(
        track=track, label=label, confidence=0.8, neutral=neutral, values=values, labels=PAPER,
        probability=neutral if state == 6 else 0.72, crop=np.zeros((64, 64, 3), dtype=np.uint8),
    )  # fmt: skip


def parade(labels, tracks):
    """Each track shows one class after the other, each more surely than the one before."""
    made, count = Timeline(), len(labels.names)
    crop = np.zeros((64, 64, 3), dtype=np.uint8)
    for number in range(2 * count):
        name, share = labels.names[number // 2], 0.5 + number // 2 / 40
        values = np.full(count, (1 - share) / (count - 1), dtype=np.float32)
        values[number // 2] = share
        faces = [
            SimpleNamespace(track=track, label=name, confidence=share, neutral=0.0, values=values,
                            labels=labels, probability=share, crop=crop)
            for track in range(tracks)
        ]  # fmt: skip
        made.add(SimpleNamespace(time_s=number, number=number, faces=faces))
    return made


SPLITS = ("train", "valid", "test")
PLOTS = {
    "history of one epoch": lambda path: plots.history_curves(history(1), path),
    "history of a hundred": lambda path: plots.history_curves(history(100), path),
    "one folder": lambda path: plots.class_bars(counts(1, SPLITS, PAPER.targets), path),
    "five folders": lambda path: plots.class_bars(counts(5, SPLITS, PAPER.targets), path),
    "twelve classes": lambda path: plots.class_bars(counts(1, SPLITS[:1], OWN.names), path, OWN),
    "six confused": lambda path: plots.confusion_matrix(np.full((6, 6), 12_345).tolist(), path),
    "twelve confused": lambda path: plots.confusion_matrix(np.eye(12).tolist(), path, OWN.names),
    "calibration": lambda path: plots.reliability_plot([(0.5, 0.9, 0.3), (0.9, 0.2, 0.7)], path),
    "one setting": lambda path: plots.effects(points(rate=[0.1, 0.2]), path),
    "six settings": lambda path: plots.effects(points(**MANY), path),
    "methods": lambda path: plots.faithfulness(
        faithful(), dict.fromkeys(plots_of_faith(), 1), path
    ),
    "a film of one": lambda path: draw_timeline(film(1), path),
    "a film of twelve": lambda path: draw_timeline(film(12), path),
    "a film of compound expressions": lambda path: draw_timeline(parade(COMPOUND, 1), path),
    "a film of long names": lambda path: draw_timeline(parade(LONG, 14), path),
    "a film of nobody": lambda path: draw_timeline(Timeline(), path),
}


@pytest.mark.parametrize("name", PLOTS)
def test_no_word_is_cut_or_covered_or_too_small(name, monkeypatch, tmp_path):
    assert_legible(drawn(monkeypatch, PLOTS[name], tmp_path / "a.png"), monkeypatch)


def test_of_more_peaks_than_have_room_the_most_probable_are_shown(monkeypatch, tmp_path):
    made = parade(COMPOUND, 1)
    figure = drawn(monkeypatch, lambda path: draw_timeline(made, path), tmp_path / "a.png")
    strip = figure.axes[0]
    said = [text.get_text() for text in strip.texts]
    assert len(strip.images) == len(said) == 9
    assert [words.rpartition(" %")[0][-2:] for words in said] == [
        f"{100 * peak.probability:.0f}" for peak in made.peaks(0)[2:]
    ]
    left, right = strip.get_xlim()
    assert all(left < edge < right for image in strip.images for edge in image.get_extent()[:2])
