import pytest

from mien.data.datasets.disfa import RULES
from mien.faces.regions import PROTOTYPES, REGIONS, UNITS, expected, units_of
from mien.labels import LABELS


def test_every_expression_has_a_prototype_of_known_units_in_known_regions():
    assert tuple(PROTOTYPES) == LABELS
    for label in LABELS:
        assert set(units_of(label)) <= set(UNITS)
    assert {region for _, regions in UNITS.values() for region in regions} <= set(REGIONS)


def test_disfas_rules_are_the_prototypes_less_the_units_it_lacks():
    assert {
        "happiness": (frozenset({6, 12}),),
        "surprise": (frozenset({1, 2, 5, 26}),),
        "sadness": (frozenset({1, 4, 15}),),
        "anger": (frozenset({4, 5}),),
        "disgust": (frozenset({9, 15}), frozenset({9, 17})),
        "fear": (frozenset({1, 2, 4, 5, 20, 25}), frozenset({1, 2, 4, 5, 20, 26})),
    } == RULES


@pytest.mark.parametrize(
    ("label", "regions"),
    [
        ("happiness", {"cheeks", "eyes", "mouth"}),
        ("sadness", {"brows", "forehead", "mouth"}),
        ("anger", {"brows", "eyes", "mouth"}),
        ("disgust", {"nose", "mouth", "chin"}),
        ("fear", {"brows", "forehead", "eyes", "mouth", "chin"}),
    ],
)
def test_the_regions_of_an_expression_are_those_of_its_units(label, regions):
    assert set(expected(label)) == regions
