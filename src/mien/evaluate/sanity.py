"""Do maps change when they should, and only then?

With noise that nobody sees they should stay as they are: a map that changes cannot be trusted for
one picture. When the weights of the network are random, or were learned from shuffled labels, they
should change: a map that stays explains the picture and not the network. Torch comes with the
networks.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from mien.errors import BadSettingError
from mien.evaluate.maps import CONTROLS, ExplainedModel, applicable_methods
from mien.pixels import F32, I64, U8

__all__ = [
    "NOISE",
    "add_noise",
    "noise_stability",
    "randomization_test",
    "refuse_other_network",
    "sanity_checks",
    "similarity",
]

NOISE = 4.0  # grey levels, standard deviation: hardly seen
_SEED = 0
_ALIKE = 1e-3  # of the largest logit: `mien.train.export.PARITY` is a tenth of it


def refuse_other_network(model: ExplainedModel, network: Any, crops: U8) -> None:
    """Check that a run's network is the one in a model file.

    The maps of another one, made random, would be compared with its own, and the figures would
    stand beside those of the file.

    Args:
        model: the file.
        network: of the run, as a torch network.
        crops: shape (N, side, side), uint8, grey.

    Raises:
        BadSettingError: if they answer otherwise.
    """
    other = ExplainedModel(network)
    own, theirs = (explained.logits(crops) for explained in (model, other))
    if own.shape != theirs.shape or np.abs(own - theirs).max() > _ALIKE * np.abs(own).max():
        raise BadSettingError(
            "the run is not that of the model: its network gives other answers to the same crops",
            fix="name the run that the model was exported from, or export the run",
        )


def sanity_checks(
    model: ExplainedModel,
    crops: U8,
    methods: Sequence[str],
    network: Any = None,
    shuffled: Any = None,
) -> dict[str, Any]:
    """Make every sanity check that the given networks allow.

    Args:
        model: the trained network.
        crops: shape (N, side, side), uint8, grey.
        methods: keys of `mien.explain.methods.METHODS`.
        network: the model's own as a torch network, whose weights can be randomized; or None.
        shuffled: a torch network of the same kind that learned shuffled labels
            (``shuffle_labels = true``); or None.

    Returns:
        JSON-ready: ``steadiness``, ``forgetting`` by stage, ``shuffled_labels`` by method.

    Source:
        Adebayo et al. 2018, arXiv:1810.03292, sections 3.1 and 3.3.
    """
    checks: dict[str, Any] = {"steadiness": noise_stability(model, crops, methods)}
    if network is None:
        return checks
    from mien.models import randomize

    trained = ExplainedModel(network)  # as torch, so that both sides allow the same methods
    methods, _ = applicable_methods(trained, methods)  # what was learned belongs to the file
    stages = randomize.randomized_stages(network)
    checks["forgetting"] = dict(randomization_test(trained, stages, crops, methods))
    if shuffled is not None:
        [(_, alike)] = randomization_test(trained, [("", shuffled)], crops, methods)
        checks["shuffled_labels"] = alike
    return checks


def noise_stability(
    model: ExplainedModel, crops: U8, methods: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Compare the maps of pictures with those of the same pictures with a little noise.

    Pictures whose class changes with the noise are left out.

    Args:
        model: the network.
        crops: shape (N, side, side), uint8, grey.
        methods: keys of `mien.explain.methods.METHODS`; the controls are added.

    Returns:
        Of each method and control the mean `similarity`: between noisy and plain pictures, and for
        comparison between neighbouring pictures, as a map that is the same for all is stable too.
        Empty if fewer than two pictures keep their class: one has no other beside it.
    """
    noisy = add_noise(crops, np.random.default_rng(_SEED))
    before, after = (model.scores(pictures).argmax(axis=1) for pictures in (crops, noisy))
    kept = before == after
    crops, noisy, classes = crops[kept], noisy[kept], before[kept]
    if len(crops) < 2:
        return {}
    stability = {}
    for number, name in enumerate([*methods, *CONTROLS]):
        maps = _maps(model, name, crops, classes, number)
        others = _maps(model, name, noisy, classes, ~number)
        stability[name] = {
            "noise": _mean(similarity(maps, others)),
            "other_picture": _mean(similarity(maps, np.roll(maps, 1, axis=0))),
        }
    return stability


def add_noise(crops: U8, random: np.random.Generator) -> U8:
    """Add a little noise to crops.

    Args:
        crops: shape (N, H, W), uint8, grey.
        random: draws.

    Returns:
        shape (N, H, W), uint8.
    """
    noisy = crops + random.normal(0, NOISE, crops.shape)
    return np.rint(noisy).clip(0, 255).astype(np.uint8)


def _maps(model: ExplainedModel, name: str, crops: U8, classes: I64, seed: int) -> F32:
    """The maps of a method or a control."""
    if name in CONTROLS:
        return CONTROLS[name](crops, np.random.default_rng([_SEED, seed % 2**32]))
    return model.maps(name, crops, classes)


def _mean(values: F32) -> float:
    return round(float(values.mean()), 4) if len(values) else 0.0


def randomization_test(
    model: ExplainedModel, stages: Iterable[tuple[str, Any]], crops: U8, methods: Sequence[str]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Compare a network's maps with those of networks whose weights are more and more random.

    Args:
        model: the trained network.
        stages: from `mien.models.randomize.randomized_stages`.
        crops: shape (N, side, side), uint8, grey.
        methods: keys of `mien.explain.methods.METHODS`.

    Yields:
        The name of each stage, and of each method the mean `similarity` to the trained network.
    """
    classes = model.scores(crops).argmax(axis=1)
    trained = {method: model.maps(method, crops, classes) for method in methods}
    for stage, network in stages:
        other = ExplainedModel(network)
        yield (
            stage,
            {
                method: _mean(similarity(trained[method], other.maps(method, crops, classes)))
                for method in methods
            },
        )


def similarity(maps: F32, others: F32) -> F32:
    """Correlate the order of pixels in pairs of maps.

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

    a, b = (rankdata(m.reshape(len(m), -1), axis=1) for m in (maps, others))
    a -= a.mean(axis=1, keepdims=True)
    b -= b.mean(axis=1, keepdims=True)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    product = (a * b).sum(axis=1)
    correlation = np.divide(product, size, out=np.zeros_like(size), where=size > 0)
    return np.asarray(correlation, dtype=np.float32)
