import io
import threading

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from mien import Recognizer
from mien.errors import BadImageError, BadModelError
from mien.faces import boxes
from mien.labels import LABELS
from tests.support import recognition_oracle
from tests.support.onnx_files import channels_model
from tests.support.pictures import encode, texture


def values(picture):
    """What was read: a row of box, landmarks, scores and neutral for each face."""
    return np.array([
        [*face.box.as_list(), *face.landmarks.ravel(), *face.values, face.neutral]
        for face in picture.faces
    ])


@pytest.fixture(scope="module")
def smile(recognizer, portrait):
    """The portrait, read."""
    return recognizer.read(portrait)


def test_the_nasa_portrait_is_happy(smile):
    [face] = smile.faces
    assert face.label == "happiness"


def test_path_image_and_array_are_read_alike(recognizer, portrait, smile, tmp_path):
    path = tmp_path / "portrait.png"
    path.write_bytes(encode(portrait, "PNG"))
    for given, name in [(path, str(path)), (str(path), str(path)), (Image.fromarray(portrait), "")]:
        picture = recognizer.read(given)
        assert (picture.path, picture.width, picture.height) == (name, 512, 512)
        np.testing.assert_array_equal(values(picture), values(smile))
        np.testing.assert_array_equal(picture.faces[0].maps, smile.faces[0].maps)
    assert smile.path == ""


def test_scores_and_maps_are_those_of_the_network_on_the_grey_crop(smile):
    [face] = smile.faces
    found = recognition_oracle.network(recognition_oracle.network_input([face.crop]))
    temperature = Recognizer(threads=1).model.card["temperature"]
    [expected] = recognition_oracle.softmax(found["logits"], temperature)
    np.testing.assert_allclose([face.scores[label] for label in LABELS], expected, atol=1e-5)
    np.testing.assert_allclose(face.maps, found["maps"][0], atol=1e-4)
    assert face.neutral == pytest.approx(1 / (1 + np.exp(-found["neutral"][0, 0])), abs=1e-5)


def test_the_crop_is_upright_in_rgb_and_placed_by_its_transform(portrait, smile):
    [face] = smile.faces
    scale = face.crop.shape[0] / 64
    left, right, top, bottom = (round(scale * place) for place in (12, 52, 40, 44))
    skin = face.crop[top:bottom, left:right].reshape(-1, 3).mean(axis=0)
    assert skin[0] > skin[1] > skin[2]  # red, green, blue
    eye, other, *_ = np.c_[face.landmarks, np.ones(5)] @ face.to_crop.T
    np.testing.assert_allclose(eye / scale, [16.6, 21.5], atol=3)
    np.testing.assert_allclose(other / scale, [46.7, 21.5], atol=3)


def test_red_and_blue_are_not_exchanged_on_the_way(recognizer, portrait, smile):
    [face] = smile.faces
    blue = np.ascontiguousarray(portrait[..., ::-1])
    [swapped] = recognizer.read_faces(blue, [face.detection])
    np.testing.assert_array_equal(swapped.crop[..., ::-1], face.crop)
    assert np.abs(swapped.maps - face.maps).max() > 1e-3  # grey weighs red more than blue


def test_the_scores_of_a_face_are_those_of_its_crop(recognizer, smile):
    [face] = smile.faces
    np.testing.assert_allclose(recognizer.classify([face.crop]), [face.values], atol=1e-6)


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 1), (8, -1)])
def test_a_photograph_turned_by_the_camera_is_read_upright(
    recognizer, portrait, tmp_path, orientation, turns
):
    upright = np.ascontiguousarray(portrait[:300, 50:450])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / "turned.png"
    path.write_bytes(encode(np.rot90(upright, turns), "PNG", exif=exif))
    read, expected = recognizer.read(path), recognizer.read(upright)
    assert (read.width, read.height, len(read.faces)) == (400, 300, 1)
    np.testing.assert_allclose(values(read), values(expected), atol=1e-4)


def test_two_faces_are_read_larger_first(recognizer, portrait, smile):
    small = cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA)
    both = np.zeros((512, 768, 3), dtype=np.uint8)
    both[:256, :256], both[:, 256:] = small, portrait
    first, second = recognizer.read(both).faces
    assert first.box.left > 256 > second.box.right
    assert first.box.width > 1.5 * second.box.width
    np.testing.assert_allclose(first.values, smile.faces[0].values, atol=0.2)
    np.testing.assert_allclose(recognizer.classify([second.crop]), [second.values], atol=1e-6)


def test_faces_beyond_one_batch_keep_their_own_scores_and_maps(recognizer, portrait, smile):
    [face] = smile.faces
    found = [
        boxes.Detection(face.box, face.landmarks + np.float32(shift), face.detection.confidence)
        for shift in range(70)
    ]
    together = recognizer.read_faces(portrait, found)
    assert [read.detection for read in together] == found
    for number in (0, 1, 63, 64, 69):
        [alone] = recognizer.read_faces(portrait, [found[number]])
        np.testing.assert_array_equal(together[number].crop, alone.crop)
        np.testing.assert_allclose(together[number].values, alone.values, atol=1e-5)
        np.testing.assert_allclose(together[number].maps, alone.maps, atol=1e-3)
        assert together[number].neutral == pytest.approx(alone.neutral, abs=1e-5)


def test_a_picture_without_a_face_is_no_error(recognizer):
    picture = recognizer.read(np.full((90, 120, 3), 200, dtype=np.uint8))
    assert (picture.width, picture.height, picture.faces) == (120, 90, ())


def test_a_face_half_outside_the_picture_is_read(recognizer, portrait):
    [face] = recognizer.read(portrait[:, 210:]).faces
    assert face.box.left < 0 < face.box.right < 70
    steps = np.abs(np.diff(face.crop.astype(int), axis=1)).mean(axis=(0, 2))
    edge = round(float(face.to_crop[0, 2]))  # where x = 0 lies in the crop
    assert steps[: edge - 1].max() < 1 < steps[edge + 1 :].min()  # the last column is repeated
    assert sum(face.scores.values()) == pytest.approx(1, abs=1e-5)


def test_a_grey_picture_is_read_like_its_three_equal_channels(recognizer, portrait):
    gray = Image.fromarray(portrait).convert("L")
    three = np.repeat(np.asarray(gray)[..., None], 3, axis=2)
    picture = recognizer.read(gray)
    assert len(picture.faces) == 1
    np.testing.assert_array_equal(values(picture), values(recognizer.read(three)))


@pytest.mark.parametrize(
    "given",
    [
        lambda portrait: portrait / np.float32(255),
        lambda portrait: portrait.astype(np.float64),
        lambda portrait: portrait.transpose(2, 0, 1) / 255,
        lambda portrait: np.dstack([portrait, np.full((512, 512), 255, np.uint8)]),
        lambda portrait: encode(portrait, "PNG"),
        lambda portrait: io.BytesIO(encode(portrait, "PNG")),
    ],
    ids=["float", "float to 255", "channels first", "RGBA", "bytes", "open file"],
)
def test_whatever_holds_the_picture_gives_the_same_faces(recognizer, portrait, smile, given):
    picture = recognizer.read(given(portrait))
    assert (picture.path, picture.width, picture.height) == ("", 512, 512)
    np.testing.assert_array_equal(values(picture), values(smile))


def test_a_grey_array_is_read_like_the_grey_picture(recognizer, portrait):
    gray = np.asarray(Image.fromarray(portrait).convert("L"))
    expected = values(recognizer.read(Image.fromarray(gray)))
    for given in (gray, gray[..., None], gray[None], gray / 255):
        np.testing.assert_array_equal(values(recognizer.read(given)), expected)


@pytest.mark.parametrize("given", [None, 7, [[1, 2], [3, 4]], {"path": "a.png"}])
def test_what_holds_no_picture_is_refused_and_what_does_is_named(recognizer, given):
    accepted = "expected a path, bytes, an open binary file, a Pillow image or an array, got "
    with pytest.raises(BadImageError, match=accepted + type(given).__name__):
        recognizer.read(given)


def test_a_picture_above_the_cap_is_refused(recognizer, portrait, tmp_path):
    path = tmp_path / "portrait.png"
    path.write_bytes(encode(portrait, "PNG"))
    for given in (path, Image.fromarray(portrait)):
        with pytest.raises(BadImageError, match="512x512 pixels, the cap is 262,143"):
            recognizer.read(given, max_pixels=512 * 512 - 1)


def test_a_number_of_threads_below_zero_is_refused():
    with pytest.raises(ValueError, match="all cores"):
        Recognizer(threads=-1)


def test_the_number_of_threads_reaches_the_network_and_changes_no_score(smile, portrait):
    recognizer = Recognizer(threads=2)
    assert recognizer.model.session.get_session_options().intra_op_num_threads == 2
    np.testing.assert_allclose(values(recognizer.read(portrait)), values(smile), atol=1e-3)


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(BadModelError, match=r"cannot read .*gone\.onnx"):
        Recognizer(tmp_path / "gone.onnx")


def test_a_model_by_path_is_used(tmp_path):
    path = tmp_path / "channels.onnx"
    path.write_bytes(channels_model(temperature=1.0))
    # a white crop: the three channels are (1 - mean) / std, the logits of classes 0, 3 and 5
    logits = [[0.515 / 0.229, 0, 0, 0.544 / 0.224, 0, 0.594 / 0.225]]
    white = np.full((1, 64, 64, 3), 255, dtype=np.uint8)
    scores = Recognizer(str(path), threads=1).classify(white)
    np.testing.assert_allclose(scores, recognition_oracle.softmax(logits, 1.0), atol=1e-5)


def test_without_heat_maps_the_scores_are_the_same(recognizer, portrait, smile):
    [face] = recognizer.read(portrait, heatmap=False).faces
    np.testing.assert_allclose(face.values, smile.faces[0].values, atol=1e-6)
    assert face.maps is None
    assert face.regions == {}
    with pytest.raises(ValueError, match="heatmap=True"):
        face.heatmap()


def test_a_heat_map_has_the_size_of_the_crop_and_one_at_its_top(smile):
    [face] = smile.faces
    heatmap = face.heatmap()
    side = recognition_oracle.side()
    assert (heatmap.shape, heatmap.dtype) == ((side, side), np.float32)
    assert (heatmap.min() >= 0, heatmap.max()) == (True, 1)
    np.testing.assert_array_equal(heatmap, face.heatmap(face.expression))


@pytest.mark.parametrize(("number", "label"), list(enumerate(LABELS)))
def test_each_heat_map_is_its_classs_map_enlarged_as_opencv_does(smile, number, label):
    [face] = smile.faces
    coarse = recognition_oracle.network(recognition_oracle.network_input([face.crop]))["maps"][
        0, number
    ]
    size = face.crop.shape[1::-1]
    large = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR).clip(0)
    expected = large / large.max() if large.max() > 0 else large
    np.testing.assert_allclose(face.heatmap(label), expected, atol=1e-3)


def test_a_batch_of_crops_scores_like_each_alone(recognizer):
    crops = np.stack([texture(seed) for seed in range(130)])
    together = recognizer.classify(crops)
    assert (together.shape, together.dtype) == ((130, 6), np.float32)
    alone = np.concatenate([recognizer.classify(crop[None]) for crop in crops])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_crops_of_any_size_and_grey_ones_score_as_the_network_does(recognizer):
    crops = [texture(0, 100), texture(1, 48), texture(2, 64)[..., 0], texture(3, 64)[:50]]
    logits = recognition_oracle.network(recognition_oracle.network_input(crops))["logits"]
    expected = recognition_oracle.softmax(logits, recognizer.model.card["temperature"])
    np.testing.assert_allclose(recognizer.classify(crops), expected, atol=1e-5)


def test_no_crops_have_no_scores(recognizer):
    assert recognizer.classify([]).shape == (0, 6)
    assert recognizer.classify(np.empty((0, 64, 64, 3), dtype=np.uint8)).shape == (0, 6)


def test_the_network_is_given_few_crops_at_once_to_bound_memory(monkeypatch):
    recognizer, sizes = Recognizer(threads=1), []
    run = recognizer.model.run
    monkeypatch.setattr(
        recognizer.model, "run", lambda batch, maps: sizes.append(len(batch)) or run(batch, maps)
    )
    recognizer.classify([texture(0)] * 130)
    assert (max(sizes), sum(sizes)) == (64, 130)


@pytest.mark.parametrize(
    "crops",
    [
        texture(0),
        texture(0)[None].astype(np.float32),
        [texture(0), texture(0)[..., :2]],
        [Image.fromarray(texture(0))],
    ],
    ids=["one crop", "floats", "two channels", "images"],
)
def test_what_are_no_crops_is_refused(recognizer, crops):
    with pytest.raises(BadImageError, match=r"expected .*\n  try: "):
        recognizer.classify(crops)


def test_the_detector_is_loaded_when_first_needed(portrait):
    fresh = Recognizer(threads=1)
    fresh.classify([texture(0)])
    assert fresh._detector is None
    detector = fresh.detector
    assert fresh.detector is detector


def test_threads_may_classify_with_one_recognizer(recognizer):
    crops = [texture(seed) for seed in range(24)]
    expected, found = recognizer.classify(crops), {}

    def work(number):
        found[number] = recognizer.classify(crops[number * 6 : number * 6 + 6])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = np.concatenate([found[number] for number in range(4)])
    np.testing.assert_allclose(together, expected, atol=1e-5)
