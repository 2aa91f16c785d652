import tracemalloc

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD

from mien import pixels
from mien.explain import cam, explain
from mien.explain.onnx_source import unpool
from mien.explain.perturb import masks, occlusion
from mien.explain.targets import Objective

ACTIVATIONS = np.array([[[1, 2], [3, 4]], [[1, 1], [1, 1]]], dtype=np.float32)
GRADIENTS = np.array([[[4, 0], [0, 0]], [[-5, 1], [-3, -1]]], dtype=np.float32)


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_cam_equals_the_sum_worked_by_hand():
    # 2 * [[1, 2], [3, 4]] - 3 * ones: what is negative stays
    found = cam.cam(ACTIVATIONS, np.array([2, -3], dtype=np.float32))
    np.testing.assert_array_equal(found, [[-1, 1], [3, 5]])


def test_grad_cam_equals_the_sum_worked_by_hand():
    # mean gradients are 1 and -2: [[1-2, 2-2], [3-2, 4-2]], and the ReLU lifts -1 to 0
    np.testing.assert_array_equal(cam.grad_cam(ACTIVATIONS, GRADIENTS), [[0, 0], [1, 2]])


def test_grad_cam_plus_equals_the_sum_worked_by_hand():
    # channel 0: only 4 at the first place; below = 2 * 16 + 1 * 64 = 96, alpha = 1/6, weight 4/6.
    # channel 1: sum of a * g^3 = -125 + 1 - 27 - 1 = -152; only the gradient 1 is positive:
    # alpha = 1 / (2 - 152) = -1/150, weight -1/150.
    expected = np.array([[1, 2], [3, 4]]) * (4 / 6) - 1 / 150
    found = cam.grad_cam_plus(ACTIVATIONS, GRADIENTS)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_hires_and_layer_cam_equal_the_sums_worked_by_hand():
    # places: 1*4 - 5 = -1 -> 0, 0 + 1, 0 - 3 -> 0, 0 - 1 -> 0; without negative gradients 4 and 1
    np.testing.assert_array_equal(cam.hires_cam(ACTIVATIONS, GRADIENTS), [[0, 1], [0, 0]])
    np.testing.assert_array_equal(cam.layer_cam(ACTIVATIONS, GRADIENTS), [[4, 1], [0, 0]])


def test_score_cam_weighs_channels_by_the_softmax_of_their_scores():
    # exp(ln 3) : exp(0) = 3/4 : 1/4, whatever is added to both
    for shift in (0, 500):
        found = cam.score_cam(ACTIVATIONS, np.array([np.log(3) + shift, shift]))
        np.testing.assert_allclose(found, np.array([[4, 7], [10, 13]]) / 4, rtol=1e-6)


def test_eigen_cam_projects_on_the_first_component_as_scikit_learn_finds_it():
    activations = random(3, 9, 4, 5)
    for one, found in zip(activations, cam.eigen_cam(activations), strict=True):
        places = one.reshape(9, -1).T
        expected = TruncatedSVD(1, algorithm="arpack").fit_transform(places)[:, 0]
        expected *= np.sign(expected.sum())
        np.testing.assert_allclose(found.ravel(), expected, atol=1e-5)


@pytest.mark.parametrize("method", cam.GRADIENT_METHODS.values(), ids=cam.GRADIENT_METHODS)
def test_many_crops_and_targets_are_explained_as_each_alone(method):
    activations, gradients = random(3, 5, 4, 4), random(2, 3, 5, 4, 4, seed=1)
    found = method(activations, gradients)
    assert found.shape == (2, 3, 4, 4)
    for t in range(2):
        for n in range(3):
            np.testing.assert_allclose(
                found[t, n], method(activations[n], gradients[t, n]), rtol=1e-4, atol=1e-5
            )


def test_what_is_zero_stays_zero_and_is_a_number():
    nothing = np.zeros((4, 3, 3), dtype=np.float32)
    maps = [method(nothing, nothing) for method in cam.GRADIENT_METHODS.values()]
    maps += [cam.cam(nothing, nothing[:, 0, 0]), cam.eigen_cam(nothing)]
    maps += [cam.score_cam(nothing, nothing[:, 0, 0])]
    for found in maps:
        np.testing.assert_array_equal(found, np.zeros((3, 3)))


def test_gradients_too_small_for_a_cube_in_float32_still_weigh_in_grad_cam_plus():
    tiny = GRADIENTS * np.float32(1e-20)
    # so small, the sum of cubes is nothing beside 2 g^2: alpha is 1/2, the weights 2 and 1/2
    expected = (ACTIVATIONS * np.array([2, 0.5])[:, None, None]).sum(axis=0)
    found = cam.grad_cam_plus(ACTIVATIONS, tiny)
    np.testing.assert_allclose(found / np.float32(1e-20), expected, rtol=1e-5)


def test_a_gradient_goes_to_the_largest_place_of_its_window_and_of_equals_to_the_first():
    features = np.array([[[[1, 2, 0, 0], [5, 3, 0, 0]]]], dtype=np.float32)
    found = unpool(features, np.array([[[[7, 9]]]], dtype=np.float32))
    np.testing.assert_array_equal(found, [[[[0, 0, 9, 0], [7, 0, 0, 0]]]])


def test_a_channel_becomes_a_mask_from_zero_to_one_and_a_constant_one_hides_all():
    found = masks(np.array([[[1, 3], [2, 5]], [[4, 4], [4, 4]]], dtype=np.float32))
    np.testing.assert_array_equal(found, [[[0, 0.5], [0.25, 1]], [[0, 0], [0, 0]]])


def test_occlusion_finds_the_only_place_a_model_looks_at():
    def looks_at_one_place(batch):
        logits = np.zeros((len(batch), 6), dtype=np.float32)
        logits[:, 5] = 3 * batch[:, 0, 20, 44]
        return logits

    batch = np.full((1, 3, 64, 64), 2, dtype=np.float32)
    [[found]] = occlusion(looks_at_one_place, batch, [Objective(np.array([5]))])
    # patches of 16 every 8 pixels: those that hide (20, 44) start at rows 8, 16, columns 32, 40
    assert found[20, 44] == pytest.approx(6)  # all four patches over it take 3 * 2 away
    assert found[12, 34] == pytest.approx(6 / 4)  # one of the four over it does
    assert found[50, 5] == 0
    assert (found[:8] == 0).all()


def test_every_pixel_of_a_crop_that_patches_do_not_fill_is_explained():
    def darkness(batch):
        return -batch.sum(axis=(1, 2, 3))[:, None]

    # 19 is 16 and 3 more: patches begin at 0 and 3, and each hides as many ones, whose sum is lost
    batch = np.ones((1, 1, 19, 19), dtype=np.float32)
    [[found]] = occlusion(darkness, batch, [Objective(np.array([0]))])
    np.testing.assert_allclose(found, np.full((19, 19), -16 * 16))


@pytest.mark.parametrize("method", ["occlusion", "score-cam"])
def test_each_crop_is_asked_about_its_own_best_class(method):
    """Class 0 lives in the left half of channel 0, class 1 in the right half of channel 1."""

    class Halves:
        layer, side, labels = None, 32, None

        def logits(self, batch):
            left, right = batch[:, 0, :, :16].sum((1, 2)), batch[:, 1, :, 16:].sum((1, 2))
            return np.stack([left, right], axis=1) / 16

        def activations(self, batch, layer=None):
            return batch[:, :, 8::16, 8::16]

    batch = np.zeros((2, 3, 32, 32), dtype=np.float32)
    batch[0, 0, :, :16] = batch[1, 1, :, 16:] = 3
    batch[0, 1, :, 16:] = batch[1, 0, :, :16] = 1  # of the other class, and less of it
    first, second = explain(Halves(), batch, method)
    half = first.shape[1] // 2
    assert first[:, :half].mean() > 1.5 * first[:, half:].mean()
    assert second[:, half:].mean() > 1.5 * second[:, :half].mean()
    for number, own in enumerate((first, second)):
        [alone] = explain(Halves(), batch[number : number + 1], method)
        np.testing.assert_allclose(own, alone, atol=1e-5)


def test_occlusion_of_a_large_crop_holds_one_batch_of_copies():
    batch = np.ones((1, 3, 224, 224), dtype=np.float32)
    tracemalloc.start()
    try:
        occlusion(lambda crops: crops.mean(axis=(2, 3)), batch, [Objective(np.array([0]))])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # 64 of the 729 copies, and the maps
    assert peak < 1.2 * pixels.BATCH * batch.nbytes


def test_enlarging_is_opencv_s_bilinear():
    cv2 = pytest.importorskip("cv2")
    coarse = random(4, 5)
    expected = cv2.resize(coarse, (40, 36), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(pixels.enlarge(coarse, 36, 40), expected, atol=1e-5)
