"""Do maps change when they should, and only then?

With noise that nobody sees they should stay; when the network forgets what it learned, or learned
wrong labels, they should change. Torch comes with the networks.

MERGED How alike two maps are: the measure of sanity and stability.

A map that stays the same when the network has forgotten what it learned explains the picture and
not the network; one that changes with a little noise cannot be trusted for one picture. Knows
nothing of networks.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from mien.evaluate.explanations import CONTROLS, Subject
from mien.pixels import F32, I64, U8

__all__ = ["NOISE", "findings", "noise_stability", "randomization", "shaken", "similarity"]


_SEED = 0

NOISE = 4.0  # grey levels, standard deviation: hardly seen


def noise_stability(
    subject: Subject, crops: U8, methods: Sequence[str]
) -> dict[str, dict[str, float]]:
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
            "noise": _mean(similarity(maps, others)),
            "other_picture": _mean(similarity(maps, np.roll(maps, 1, axis=0))),
        }
    return result


def randomization(
    subject: Subject, stages: Iterable[tuple[str, Any]], crops: U8, methods: Sequence[str]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Compare a network's maps with those of networks that have forgotten more and more.

    Args:
        subject: the trained network.
        stages: from `mien.models.randomize.randomized_stages`.
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
                name: _mean(similarity(trained[name], other.maps(name, crops, classes)))
                for name in methods
            },
        )


def findings(
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
    found: dict[str, Any] = {"steadiness": noise_stability(subject, crops, methods)}
    if network is None:
        return found
    from mien.models import randomize

    known = Subject(network)  # the methods are asked of torch on both sides
    stages = randomize.randomized_stages(network)
    found["forgetting"] = dict(randomization(known, stages, crops, methods))
    if other is not None:
        [(_, found["shuffled_labels"])] = randomization(known, [("", other)], crops, methods)
    return found


def _maps(subject: Subject, name: str, crops: U8, classes: I64, seed: int) -> F32:
    if name in CONTROLS:
        return CONTROLS[name](crops, np.random.default_rng([_SEED, seed % 2**32]))
    return subject.maps(name, crops, classes)


def _mean(values: F32) -> float:
    return round(float(values.mean()), 4) if len(values) else 0.0


def similarity(maps: F32, others: F32) -> F32:
    """Correlate the order of places in pairs of maps.

    Args:
        maps: shape (N, h, w).
        others: shape (N, h, w).

    Returns:
        shape (N,), Spearman's rank correlation in [-1, 1]; 0 where a map is constant, for such a
        map says nothing.

    Source:
        Adebayo et al. 2018, arXiv:1810.03292, section 3, without taking absolute values: the sign
        of these maps has a meaning.
    """
    from scipy.stats import rankdata

    one, other = (rankdata(m.reshape(len(m), -1), axis=1) for m in (maps, others))
    one -= one.mean(axis=1, keepdims=True)
    other -= other.mean(axis=1, keepdims=True)
    size = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    product = (one * other).sum(axis=1)
    found: F32 = np.divide(product, size, out=np.zeros_like(size), where=size > 0).astype(
        np.float32
    )
    return found


def shaken(crops: U8, random: np.random.Generator) -> U8:
    """Add a little noise to crops.

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: draws.

    Returns:
        shape (N, H, W), uint8.
    """
    noisy = crops + random.normal(0, NOISE, crops.shape)
    return np.rint(noisy).clip(0, 255).astype(np.uint8)
