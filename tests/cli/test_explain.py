import re

import numpy as np
import pytest
from PIL import Image

from mien.explain import METHODS
from mien.explain.face_crops import find_faces
from mien.explain.onnx_source import GraphSource
from mien.faces import align
from mien.labels import LABELS
from mien.pixels import to_batch
from mien.recognize.model import SHIPPED
from mien.show import picture_grid
from tests.support.commands import mien
from tests.support.onnx_files import channels_model
from tests.support.pictures import encode

GRADUAL = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)


@pytest.fixture(scope="module")
def photo(portrait, tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    path.write_bytes(encode(portrait, "PNG"))
    return path


@pytest.fixture(scope="module")
def crop(photo, recognizer):
    path = photo.with_name("crop.png")
    path.write_bytes(encode(recognizer.read(photo).faces[0].crop, "PNG"))
    return path


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_a_photo_is_explained_by_face_map_and_overlay(photo, tmp_path):
    result = mien("explain", photo, "--out", tmp_path / "why.png")
    assert (result.exit_code, result.stderr) == (0, "")
    row, sentence = result.stdout.splitlines()
    assert row == f"{photo}  face 0  {tmp_path / 'why.png'}"
    assert re.fullmatch(
        r"     happiness 0\.9\d: \d\d % of the evidence on the [a-z]+, .*", sentence
    )
    with Image.open(tmp_path / "why.png") as image:
        assert image.width > 3 * 192
        assert np.asarray(image.convert("RGB")).std() > 40


def test_a_photo_and_its_crop_are_explained_alike(photo, crop, tmp_path):
    mien("explain", photo, "--out", tmp_path / "a.png")
    result = mien("explain", crop, "--crop", "--out", tmp_path / "b.png")
    assert result.exit_code == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_all_classes_have_a_column_and_words_that_can_be_searched(crop, tmp_path):
    result = mien("explain", crop, "--crop", "--class", "all", "--out", tmp_path / "six.svg")
    assert result.exit_code == 0
    text = (tmp_path / "six.svg").read_text()
    assert text.count("<image") == 1 + 6 + 1  # face, six maps, legend
    places = [text.index(f">{name} ") for name in ("surprise", "sadness", "anger", "fear")]
    assert places == sorted(places)
    assert "warm and bright = speaks for the expression above the column" in text
    assert "the line is drawn where the evidence is half of the strongest" in text


def test_a_folder_gets_a_figure_a_picture_and_a_bad_one_does_not_stop_it(photo, tmp_path):
    folder = tmp_path / "given"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.png").write_bytes(photo.read_bytes())
    (folder / "sub" / "a.png").write_bytes(photo.read_bytes())
    (folder / "blank.png").write_bytes(encode(np.full((60, 80, 3), 190, dtype=np.uint8), "PNG"))
    (folder / "bad.png").write_bytes(b"no picture")
    result = mien("explain", folder, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert (
        f"no face in {folder / 'blank.png'}\n  try: give a face crop with --crop" in result.stderr
    )
    assert "2 of 4 pictures gave no face" in result.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a-1.png", "a-2.png"]


@pytest.mark.parametrize("suffix", ["pdf", "webp"])
def test_the_suffix_chooses_the_format(crop, tmp_path, suffix):
    target = tmp_path / f"why.{suffix}"
    assert mien("explain", crop, "--crop", "--out", target).exit_code == 0
    start = {"pdf": b"%PDF", "webp": b"RIFF"}[suffix]
    assert target.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("options", "says", "code"),
    [
        (["--method", "gradcam"], "no method called 'gradcam'\n  try: use grad-cam", 2),
        (["--class", "joyful"], "no expression called 'joyful'", 2),
        (["--layer", "features.99"], "no layer in this file called 'features.99'", 2),
        (["--method", "integrated-gradients"], "integrated-gradients needs gradients by torch", 1),
    ],
)
def test_what_cannot_be_done_is_said_with_the_next_step(crop, tmp_path, options, says, code):
    result = mien("explain", crop, "--crop", "--out", tmp_path / "why.png", *options)
    assert result.exit_code == code
    assert says in result.stderr
    assert "\n  try: " in result.stderr
    assert not (tmp_path / "why.png").exists()


def test_a_model_without_maps_can_only_be_occluded(crop, tmp_path):
    model = tmp_path / "plain.onnx"
    model.write_bytes(channels_model())
    out = ["--model", model, "--out", tmp_path / "why.png"]
    result = mien("explain", crop, "--crop", *out)
    assert result.exit_code == 1
    assert "does not return its maps\n  try: write it again with mien export" in result.stderr
    assert mien("explain", crop, "--crop", "--method", "occlusion", *out).exit_code == 0
    assert size_of(tmp_path / "why.png")[0] > 0


def test_a_picture_is_not_written_over(crop, tmp_path):
    own = tmp_path / "own.png"
    own.write_bytes(crop.read_bytes())
    result = mien("explain", own, "--crop", "--out", own)
    assert result.exit_code == 2
    assert "is one of the pictures" in result.stderr
    assert own.read_bytes() == crop.read_bytes()


def test_one_file_for_many_pictures_is_wrong_usage(photo, crop, tmp_path):
    result = mien("explain", photo, crop, "--out", tmp_path / "why.png")
    assert result.exit_code == 2


def test_colours_rise_in_lightness_so_that_grey_prints_can_be_read():
    ramp = np.tile(np.linspace(0, 1, 192, dtype=np.float32), (192, 1))
    tile = Image.fromarray(np.rint(picture_grid._shade(ramp)).astype(np.uint8)).convert("L")
    lightness = np.asarray(tile)[0].astype(int)
    assert (np.diff(lightness) >= 0).all()
    assert lightness[-1] - lightness[0] > 200


def test_an_overlay_leaves_the_face_where_nothing_speaks():
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    nothing = picture_grid.outlined_map(crop, np.zeros((8, 8), dtype=np.float32))
    gray = np.asarray(Image.fromarray(crop).convert("L"))
    np.testing.assert_array_equal(nothing, picture_grid.crop_tile(gray))
    np.testing.assert_array_equal(picture_grid.outlined_map(crop, -GRADUAL), nothing)
    assert (picture_grid.outlined_map(crop, GRADUAL) != nothing).any()


def test_the_liveliest_channels_come_first():
    flat = np.full((2, 2), 3.0)
    calm = np.array([[0, 1], [1, 0]])
    found = picture_grid.channels(np.stack([flat, calm, 9 * calm]).astype(np.float32), most=2)
    assert len(found) == 2
    assert found[0][0, 0].tolist() == [0, 0, 0]
    assert found[0][0, -1].tolist() == [255, 255, 255]
    assert picture_grid.channels(flat[None].astype(np.float32))[0].max() == 0


def test_a_sentence_is_printed_for_one_method_and_one_class_only(crop, tmp_path):
    words = ["explain", crop, "--crop", "--method", "cam", "--out", tmp_path / "a.png"]
    assert mien(*words, "--class", "fear").stdout.splitlines()[1].startswith("     fear 0.")
    assert len(mien(*words, "--class", "all").stdout.splitlines()) == 1


def test_the_usual_method_is_the_learned_one_and_of_a_named_layer_grad_cam(crop, tmp_path):
    def drawn(*words):
        assert mien("explain", crop, "--crop", *words, "--out", tmp_path / "a.png").exit_code == 0
        return (tmp_path / "a.png").read_bytes()

    usual, of_layer = drawn(), drawn("--layer", "features")
    assert usual == drawn("--method", "fast-occlusion")
    assert of_layer == drawn("--method", "grad-cam")
    assert usual != of_layer


def test_the_help_names_every_method():
    text = " ".join(mien("explain", "--help").stdout.split()).replace("- ", "-")
    listed = text.partition("--method TEXT ")[2].partition("; or all")[0]
    assert listed.split(", ") == list(METHODS)


@pytest.fixture
def fewer_methods():
    """Three alone, in a tenth of the time; then all again, in their order."""
    whole = dict(METHODS)
    for name in whole.keys() - {"cam", "grad-cam", "integrated-gradients"}:
        del METHODS[name]
    yield
    METHODS.clear()
    METHODS.update(whole)


@pytest.mark.usefixtures("fewer_methods")
def test_another_network_is_drawn_below_by_the_same_methods(crop, tmp_path):
    words = ("explain", crop, "--crop", "--class", "fear")
    alone = mien(*words, "--method", "all", "--out", tmp_path / "alone.png")
    both = mien(*words, "--method", "all", "--beside", SHIPPED, "--out", tmp_path / "both.png")
    assert (alone.exit_code, both.exit_code) == (0, 0)
    with Image.open(tmp_path / "alone.png") as one, Image.open(tmp_path / "both.png") as two:
        single, double = np.asarray(one), np.asarray(two)
    assert double.shape[0] == 2 * (single.shape[0] + 44)
    for top in (44, 2 * 44 + single.shape[0]):  # each below its name; the same network twice
        own = double[top : top + single.shape[0], : single.shape[1]]
        np.testing.assert_array_equal(own, single)
    assert f"integrated-gradients of {SHIPPED} left out" in both.stderr
    assert "integrated-gradients of the shipped model left out" in both.stderr
    assert mien(*words, "--beside", SHIPPED, "--activations").exit_code == 2


@pytest.fixture
def run(tmp_path):
    """A run whose network has another side than the shipped one."""
    torch = pytest.importorskip("torch")
    from mien.models import zoo
    from tests.support.exported_runs import with_random_statistics, write_run
    from tests.support.tiny_network import settings_for

    torch.manual_seed(0)
    network = with_random_statistics(zoo.build("cnn13", len(LABELS), 0.5)).eval()
    settings = settings_for(tmp_path, model="cnn13", neutral=False)
    return write_run(tmp_path / "run", network, settings)


@pytest.mark.torch
@pytest.mark.parametrize("order", [("RUN",), ("RUN", "SHIPPED"), ("SHIPPED", "RUN")])
def test_each_network_is_asked_about_the_crop_that_it_is_given_when_it_recognizes(
    photo, run, monkeypatch, portrait, recognizer, order
):
    from mien.explain.torch_source import TorchSource

    seen = {}
    for kind in (TorchSource, GraphSource):
        logits = kind.logits

        def noting(self, batch, logits=logits):
            seen.setdefault(self.side, []).append(batch)
            return logits(self, batch)

        monkeypatch.setattr(kind, "logits", noting)
    first, *others = [run if name == "RUN" else SHIPPED for name in order]
    words = ["--model", first, *(word for other in others for word in ("--beside", other))]
    result = mien("explain", photo, *words, "--out", run / "why.png")
    assert result.exit_code == 0, result.stderr
    [face] = recognizer.detector.find(portrait)
    assert set(seen) == {64, recognizer.model.side} if others else {64}
    for side, batches in seen.items():
        own = align.crop(portrait, align.framing(face.landmarks, side), side)
        for batch in batches:
            np.testing.assert_array_equal(batch, to_batch([own], side))


def test_a_crop_as_large_as_the_network_takes_it_is_left_as_it_is(tmp_path, recognizer):
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    [face] = find_faces(recognizer, rgb, "a", [64, 88], crop=True)
    own, larger = face.by_side.values()
    assert face.landmarks is None
    np.testing.assert_array_equal(own, rgb)
    assert larger.shape == (88, 88, 3)


def test_figures_of_a_folder_have_names_of_their_own(portrait, crop, tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    two = np.hstack([portrait, portrait[:, ::-1]])
    (folder / "p.png").write_bytes(encode(two, "PNG"))
    for name in ("p-face0.png", "a.png", "a-1.png"):
        (folder / name).write_bytes(encode(portrait, "PNG"))
    (folder / "a.jpg").write_bytes(encode(portrait, "JPEG"))
    result = mien("explain", folder, "--method", "cam", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    rows = [line.split("  ") for line in result.stdout.splitlines() if not line.startswith(" ")]
    figures = sorted(figure for _, _, figure in rows)
    assert len(set(figures)) == len(figures) == 6
    assert figures == sorted(str(path) for path in (tmp_path / "out").iterdir())
