"""Do maps change when they should, and only then?

With noise that nobody sees they should stay; when the network forgets what it learned, or learned
wrong labels, they should change. Torch comes with the networks.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from mien.explain.controls import CONTROLS
from mien.explain.likeness import likeness, shaken
from mien.pixels import F32, I64, U8
from mien.trial import Subject

__all__ = ["doubts", "forgetting", "steadiness"]

_SEED = 0


def steadiness(subject: Subject, crops: U8, methods: Sequence[str]) -> dict[str, dict[str, float]]:
    """Compare the maps of pictures with those of the same pictures with a little noise.

    Pictures whose class changes with the noise are left out.

    Args:
        subject: the network.
        crops: shape (N, 64, 64), uint8, grey.
        methods: keys of `mien.explain.methods.METHODS`; the controls are added.

    Returns:
        Of each method and control the mean `likeness`, between noisy and plain, and of
        neighbouring pictures for comparison: a map that is the same for all is steady for nothing.
        Empty if no picture keeps its class.
    """
    noisy = shaken(crops, np.random.default_rng(_SEED))
    before, after = (subject.scores(c).argmax(axis=1) for c in (crops, noisy))
    crops, noisy, classes = (found[before == after] for found in (crops, noisy, before))
    if not len(crops):
        return {}
    result = {}
    for number, name in enumerate([*methods, *CONTROLS]):
        maps, others = (
            _maps(subject, name, c, classes, seed)
            for c, seed in ((crops, number), (noisy, ~number))
        )
        result[name] = {
            "noise": _mean(likeness(maps, others)),
            "other_picture": _mean(likeness(maps, np.roll(maps, 1, axis=0))),
        }
    return result


def forgetting(
    subject: Subject, stages: Iterable[tuple[str, Any]], crops: U8, methods: Sequence[str]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Compare a network's maps with those of networks that have forgotten more and more.

    Args:
        subject: the trained network.
        stages: from `mien.models.forget.forgetting`.
        crops: shape (N, 64, 64), uint8, grey.
        methods: keys of `mien.explain.methods.METHODS`.

    Yields:
        The name of each stage and of each method the mean `likeness` to the trained network.
    """
    classes = subject.scores(crops).argmax(axis=1)
    trained = {name: subject.maps(name, crops, classes) for name in methods}
    for stage, network in stages:
        other = Subject(network)
        yield (
            stage,
            {
                name: _mean(likeness(trained[name], other.maps(name, crops, classes)))
                for name in methods
            },
        )


def doubts(
    subject: Subject, crops: U8, methods: Sequence[str], network: Any = None, other: Any = None
) -> dict[str, Any]:
    """Put every question of sanity that can be put.

    Args:
        subject: the trained network.
        crops: shape (N, 64, 64), uint8, grey.
        methods: keys of `mien.explain.methods.METHODS`.
        network: the subject's own as a torch network, which can forget; or None.
        other: one of the same kind that learned shuffled labels (``shuffle_labels = true``);
            or None.

    Returns:
        JSON-ready: ``steadiness``, ``forgetting`` by stage, ``shuffled_labels`` by method.

    Source:
        Adebayo et al. 2018, arXiv:1810.03292, sections 3.1 and 3.3.
    """
    found: dict[str, Any] = {"steadiness": steadiness(subject, crops, methods)}
    if network is None:
        return found
    from mien.models import forget

    known = Subject(network)  # the methods are asked of torch on both sides
    stages = forget.forgetting(network)
    found["forgetting"] = dict(forgetting(known, stages, crops, methods))
    if other is not None:
        [(_, found["shuffled_labels"])] = forgetting(known, [("", other)], crops, methods)
    return found


def _maps(subject: Subject, name: str, crops: U8, classes: I64, seed: int) -> F32:
    if name in CONTROLS:
        return CONTROLS[name](crops, np.random.default_rng([_SEED, seed % 2**32]))
    return subject.maps(name, crops, classes)


def _mean(values: F32) -> float:
    return round(float(values.mean()), 4) if len(values) else 0.0
