"""The sheet of several faces by several methods."""

import numpy as np

from mien.explain import explain
from mien.explain.methods import source_of
from mien.explain.onnx_source import cam_refusal
from mien.explain.sheet import methods_sheet
from mien.pixels import to_batch
from mien.show import picture_grid


def crops(count):
    return list(np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8))


def test_every_face_has_its_map_by_each_method_and_its_liveliest_channels(recognizer):
    source = source_of(recognizer.model)
    given, labels = crops(2), ["fear", "happiness"]
    page, left_out = methods_sheet(source, given, labels)
    assert left_out == {}
    tiles = [tile for _, _, tile in page.pictures[:-1]]  # the last is the ramp of colours
    assert len(tiles) == 2 * (1 + 3 + 3)
    for number, (crop, label) in enumerate(zip(given, labels, strict=True)):
        row = tiles[7 * number : 7 * number + 7]
        np.testing.assert_array_equal(row[0], picture_grid.crop_tile(crop))
        batch = to_batch([crop], source.side)
        for tile, method in zip(row[1:4], ("cam", "grad-cam", "grad-cam++"), strict=True):
            [own] = explain(source, batch, method, label)
            np.testing.assert_array_equal(tile, picture_grid.outlined_map(crop, own))
        expected = picture_grid.channels(source.activations(batch)[0], 3)
        for tile, channel in zip(row[4:], expected, strict=True):
            np.testing.assert_array_equal(tile, channel)
    words = [text for _, _, text, _, _ in page.words]
    assert {"fear", "happiness", "cam", "grad-cam++"} <= set(words)
    assert sum(word.startswith("channel ") for word in words) == 6


def test_what_a_network_does_not_allow_is_left_out_with_its_reason(recognizer):
    class WithoutCam:
        def __init__(self, source):
            self.source, self.layer, self.side = source, source.layer, source.side
            self.logits, self.activations = source.logits, source.activations
            self.activations_and_gradients = source.activations_and_gradients

        def class_maps(self, *_):
            raise cam_refusal(3)

    page, left_out = methods_sheet(WithoutCam(source_of(recognizer.model)), crops(1), ["fear"])
    assert list(left_out) == ["cam"]
    assert "this network has 3" in left_out["cam"]
    words = [text for _, _, text, _, _ in page.words]
    assert "grad-cam" in words
    assert "cam" not in words
