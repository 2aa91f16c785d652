import numpy as np
import pytest
from PIL import Image

from mien.errors import BadImageError, BadModelError, MissingExtraError, UnknownNameError
from mien.explain.face_crops import crops_of, find_faces
from mien.explain.figure import (
    activations_figure,
    explain_picture,
    explanation_figure,
    explanation_sentence,
)
from mien.explain.methods import METHODS, source_of
from mien.explain.sheet import methods_sheet
from mien.faces import regions
from mien.labels import LABELS, PAPER, LabelSet
from mien.media.writers import write_picture
from mien.pixels import to_heat
from mien.show import picture_grid
from mien.show.picture_grid import figure_pixels
from mien.show.style import text_width
from mien.show.writing import Writing
from mien.words import LANGUAGES
from tests.support import rendered_people
from tests.support.commands import mien
from tests.support.pictures import encode


@pytest.fixture(scope="module")
def photo(portrait, tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    path.write_bytes(encode(portrait, "PNG"))
    return path


@pytest.fixture(scope="module")
def face(photo, recognizer):
    [face] = recognizer.read(photo).faces
    return face


@pytest.fixture(scope="module")
def source(recognizer):
    return source_of(recognizer.model)


def words_of(page):
    return [text for _, _, text, _, _ in page.words]


def test_the_crops_are_those_that_the_recognizer_reads(portrait, face, recognizer):
    [crop] = crops_of(recognizer, portrait, "portrait")
    np.testing.assert_array_equal(crop, face.crop)


def test_a_picture_that_is_a_crop_is_only_resized(recognizer):
    rgb = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    [crop] = crops_of(recognizer, rgb, "a.png", crop=True)
    side = recognizer.model.side
    expected = Image.fromarray(rgb).resize((side, side), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(crop, np.asarray(expected))


def test_a_picture_without_a_face_is_refused(recognizer):
    blank = np.full((60, 80, 3), 190, dtype=np.uint8)
    with pytest.raises(BadImageError, match=r"no face in .*a\.png\n  try: give a face crop"):
        crops_of(recognizer, blank, "of/a.png")


def test_the_title_the_columns_and_the_legend_name_the_predicted_class(source, face):
    page, left_out = explanation_figure(source, face.crop, ["cam"], [None])
    words = words_of(page)
    share = f"{face.probabilities['happiness']:.0%}"
    assert words[0] == f"happiness {share}, neutral {face.neutral:.0%} · cam"
    assert words[1:4] == ["face", "map", "map over the face"]
    legend = f"warm and bright = speaks for happiness ({share})"
    assert f"{legend}; each map is scaled by its strongest place" in words
    assert left_out == {}


def test_maps_of_several_classes_are_as_strong_as_these_are_probable(source, face):
    named = ["happiness", "fear", "disgust"]
    page, _ = explanation_figure(source, face.crop, ["cam"], named)
    plain = picture_grid.crop_tile(np.asarray(Image.fromarray(face.crop).convert("L")))
    tiles = [tile.astype(int) for _, _, tile in page.pictures[1:4]]
    happy, fear, _ = (np.abs(tile - plain).max() for tile in tiles)
    assert face.probabilities["fear"] < 0.01  # and what is of 0 % looks like it
    assert happy > 100
    assert fear <= 3
    words = words_of(page)
    assert words[0] == f"{words[2]}, neutral {face.neutral:.0%} · cam"
    assert words[2] == f"happiness {face.probabilities['happiness']:.0%}"
    assert any(text.endswith("a map is as strong as its class is probable") for text in words)


def test_among_several_a_method_that_the_network_does_not_allow_is_left_out(source, face):
    methods = ["cam", "integrated-gradients"]
    page, left_out = explanation_figure(source, face.crop, methods, [None])
    assert left_out == {"integrated-gradients": "integrated-gradients needs gradients by torch"}
    assert "cam" in words_of(page)
    assert "integrated-gradients" not in words_of(page)
    with pytest.raises(BadModelError, match="integrated-gradients needs"):
        explanation_figure(source, face.crop, methods[1:], [None])


def test_a_method_whose_library_is_missing_is_left_out_like_one_that_is_not_allowed(
    source, face, monkeypatch
):
    def missing(request):
        raise MissingExtraError("integrated gradients", "explain")

    monkeypatch.setitem(METHODS, "integrated-gradients", missing)
    methods = ["cam", "integrated-gradients"]
    page, left_out = explanation_figure(source, face.crop, methods, [None])
    said = {"integrated-gradients": "integrated gradients needs the explain extra"}
    assert left_out == said
    assert "cam" in words_of(page)
    with pytest.raises(MissingExtraError, match="needs the explain extra"):
        explanation_figure(source, face.crop, methods[1:], [None])
    _, left_out = methods_sheet(source, [face.crop], ["happiness"], methods)
    assert left_out == said


def test_a_class_whose_probability_rounds_to_nothing_is_drawn_faintly():
    class Sure:
        labels, side, layer = None, 64, None

        def logits(self, batch):
            return np.tile(np.float32([150, 0, 0, 0, 0, 0]), (len(batch), 1))

    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for labels in (["fear"], ["fear", "anger"]):
        page, _ = explanation_figure(Sure(), crop, ["occlusion"], labels)
        assert any("fear" in word and "0%" in word for word in words_of(page))


def test_a_calm_face_is_called_so_first_and_the_likeliest_class_asked_for_is_drawn_in_full():
    maps = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)

    class Calm:
        labels, side, layer, temperature = PAPER, 64, None, 1.0
        logits = staticmethod(lambda batch: np.float32([[np.log(5), 0, 0, 0, 0, 0]]))
        neutral = staticmethod(lambda batch: np.float32([0.75]))
        class_maps = staticmethod(lambda batch, asked, layer: np.repeat(maps, len(asked), axis=0))

    crop = np.zeros((64, 64, 3), dtype=np.uint8)
    page, _ = explanation_figure(Calm(), crop, ["cam"], ["surprise", "fear"])
    # happiness is 5 of 10 of the quarter that is not calm, surprise and fear 1 of 10 each
    assert words_of(page)[0] == "neutral 75%, happiness 12% · cam"
    full = picture_grid.outlined_map(crop, maps[0, 0], 1.0)
    for _, _, tile in page.pictures[1:3]:
        np.testing.assert_array_equal(tile, full)


def test_the_sentence_speaks_of_the_class_that_was_asked_for(source, face):
    for label in ("happiness", "fear"):
        sentence = explanation_sentence(source, face.crop, "cam", label)
        assert sentence.startswith(f"{label} {face.probabilities[label]:.2f}: ")
        heat = to_heat(face.maps[LABELS.index(label)], 64)
        assert sentence.endswith(regions.words(regions.named_shares(heat)))
    predicted = explanation_sentence(source, face.crop, "cam")
    assert predicted == explanation_sentence(source, face.crop, "cam", "happiness")


def test_regions_follow_the_face_as_in_what_the_recognizer_says(source, recognizer):
    rgba = rendered_people.person(4, 1).rgba
    rgb = np.where(rgba[..., 3:] > 0, rgba[..., :3], np.uint8(190))
    [face] = recognizer.read(rgb).faces
    [found] = find_faces(recognizer, rgb, "drawn", [source.side])
    sentences = [
        explanation_sentence(source, found.by_side[source.side], "cam", landmarks=landmarks)
        for landmarks in (found.landmarks, None)
    ]
    assert sentences[0].endswith(regions.words(face.regions))
    assert sentences[1] != sentences[0]  # where a crop has its landmarks on average is not there


def test_the_channels_of_a_layer_fill_eight_rows_behind_the_face(source, face):
    page = activations_figure(source, face.crop)
    batch = np.zeros((1, 3, source.side, source.side), dtype=np.float32)
    _, count, height, width = source.activations(batch).shape
    assert words_of(page)[0] == (
        f"{source.layer}: 63 of {count} channels of {height}x{width}, the liveliest first"
    )
    assert len(page.pictures) == 64


def test_a_channel_has_its_number_and_its_scale_below_it():
    class Given:
        layer, side = "given", 64

        def logits(self, batch):
            return np.zeros((len(batch), 6), dtype=np.float32)

        def activations(self, batch, layer=None):
            calm = np.array([[1.0, 1.25], [1.0, 1.0]])
            return np.array([[calm, [[0, -2.5], [7, 0]], [[3, 3], [3, 3]]]], dtype=np.float32)

    page = activations_figure(Given(), np.zeros((64, 64, 3), dtype=np.uint8))
    captions = [word for word in words_of(page) if word.startswith("channel ")]
    assert captions == ["channel 1: -2.5 to 7", "channel 0: 1 to 1.25", "channel 2: 3 to 3"]
    lefts = [left for left, _, text, _, _ in page.words if text.startswith("channel ")]
    assert lefts == [left for left, _, _ in page.pictures[1:]]  # each below its own tile
    assert any(word.startswith("under each channel") for word in words_of(page))
    assert page.height > max(top + tile.shape[0] for _, top, tile in page.pictures) + 14


def test_explain_picture_draws_what_the_command_writes(portrait, recognizer, tmp_path):
    write_picture(portrait, tmp_path / "photo.png")
    drawn = explain_picture(tmp_path / "photo.png", "occlusion", "fear", recognizer=recognizer)
    words = ["--method", "occlusion", "--class", "fear", "--out", tmp_path / "why.png"]
    assert mien("explain", tmp_path / "photo.png", *words).exit_code == 0
    with Image.open(tmp_path / "why.png") as written:
        np.testing.assert_array_equal(np.asarray(drawn), np.asarray(written.convert("RGB")))


def test_explain_picture_puts_the_faces_one_below_the_other(portrait, recognizer, source):
    both = np.full((512, 768, 3), 127, dtype=np.uint8)
    both[:256, :256] = np.asarray(Image.fromarray(portrait).resize((256, 256)))
    both[:, 256:] = portrait
    drawn = np.asarray(explain_picture(both, label="anger", recognizer=recognizer))
    halves = np.split(drawn, 2)
    for half, face in zip(halves, recognizer.read(both).faces, strict=True):
        page, _ = explanation_figure(source, face.crop, ["fast-occlusion"], ["anger"])
        own = figure_pixels(page)
        np.testing.assert_array_equal(half[:, : own.shape[1]], own)
        assert (half[:, own.shape[1] :] == 255).all()
    assert not np.array_equal(*halves)


def test_explain_picture_says_what_is_wrong(recognizer, tmp_path, portrait):
    write_picture(np.full((64, 64, 3), 90, dtype=np.uint8), tmp_path / "wall.png")
    with pytest.raises(BadImageError, match=r"no face in .*wall\.png"):
        explain_picture(tmp_path / "wall.png", recognizer=recognizer)
    with pytest.raises(UnknownNameError, match="use happiness"):
        explain_picture(portrait, label="hapiness", recognizer=recognizer)
    with pytest.raises(UnknownNameError, match="use grad-cam"):
        explain_picture(portrait, "gradcam", recognizer=recognizer)


class Run:
    """A network as the folder of a run has it: no temperature, and no neutral beside the six."""

    side, layer = 64, None

    def __init__(self, labels):
        self.labels = labels

    def logits(self, batch):
        return np.tile(np.arange(len(self.labels.names), dtype=np.float32), (len(batch), 1))


def test_below_the_figure_of_a_run_is_what_its_percentages_lack(source, face):
    crop = np.zeros((64, 64, 3), dtype=np.uint8)
    for labels, note in (
        (PAPER, "percentages are not calibrated; without neutral"),
        (
            LabelSet(("left", "right"), "straight"),
            "percentages are not calibrated; without straight",
        ),
        (LabelSet(("asleep", "awake")), "percentages are not calibrated"),
    ):
        for named in ([None], list(labels.names)):
            page, _ = explanation_figure(Run(labels), crop, ["occlusion"], named)
            assert words_of(page)[-1] == note
    page, _ = explanation_figure(source, face.crop, ["cam"], [None])  # of a file they lack nothing
    assert not any("calibrated" in word for word in words_of(page))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_percentages_lack_is_said_in_every_language_within_the_figure(language):
    writing = Writing(language)
    crop = np.zeros((64, 64, 3), dtype=np.uint8)
    page, _ = explanation_figure(Run(PAPER), crop, ["occlusion"], [None], None, writing)
    left, top, note, size, _ = page.words[-1]
    without = writing.say("without", writing.name("neutral"))
    assert note == f"{writing.say('uncalibrated')}; {without}"
    assert writing.name("neutral") in without
    assert left + text_width(note, size, writing.font) < page.width
    assert top < page.height


@pytest.mark.torch
def test_the_network_of_a_run_is_one_whose_percentages_lack_something():
    pytest.importorskip("torch")
    from tests.support.tiny_network import tiny

    network = tiny(7, 0.0)
    network.labels = PAPER
    crop = np.zeros((64, 64, 3), dtype=np.uint8)
    page, _ = explanation_figure(source_of(network), crop, ["occlusion"], [None])
    assert words_of(page)[-1] == "percentages are not calibrated; without neutral"


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_no_english_is_left_in_a_figure_of_another_language(source, face, language):
    """Beside names of methods, numbers, and words that are the same in both, as neutral."""
    writing = Writing(language)  # its words alone are looked at
    asked = {"en": Writing(), language: writing}
    for labels in ([None], ["happiness", "fear"]):
        pages = [explanation_figure(source, face.crop, ["cam", "layercam"], labels, None, how)[0]
                 for how in asked.values()]  # fmt: skip
        pages += [activations_figure(source, face.crop, None, how) for how in asked.values()]
        for english, other in (pages[:2], pages[2:]):
            same = {*words_of(english)} & {*words_of(other)} - {"", "cam", "layercam"}
            assert same == set()
            assert len(words_of(english)) == len(words_of(other))


def test_a_figure_says_in_its_language_what_it_shows(source, face):
    page, _ = explanation_figure(source, face.crop, ["cam"], [None], None, Writing("fr"))
    share = f"{face.probabilities['happiness']:.0%}"
    said = words_of(page)
    assert said[1:4] == ["visage", "carte", "carte sur le visage"]
    assert f"chaud et clair = en faveur de : joie ({share}); " in said[-3]
    assert said[0].startswith(f"joie {share}, neutre ")
    empty = np.zeros((64, 64, 3), dtype=np.uint8)

    class Blind:
        labels, side, layer, model = None, 64, "", None
        logits = staticmethod(lambda batch: np.zeros((len(batch), 6), dtype=np.float32))
        class_maps = staticmethod(lambda *_: np.zeros((1, 1, 8, 8), dtype=np.float32))

    page, _ = explanation_figure(Blind(), empty, ["cam"], [None], None, Writing("de"))
    assert words_of(page)[0] == "Freude 17% von den sechs · cam"
    assert "nichts spricht dafür" in words_of(page)
