import numpy as np

from mien.data.prepare import crop_store, crops
from tests.support.prepared_folder import row_of


def test_what_is_put_in_comes_out_in_order_and_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(crop_store, "_BLOCK", 2)
    names = ['a,"b".png', "line\nbreak.png", "no\udcfetext.png"]
    rows = [
        row_of("fear", split, n) for split, n in zip(("test", "train", "valid"), names, strict=True)
    ]
    shown = np.random.default_rng(0).integers(0, 256, (3, 32, 32), dtype=np.uint8)
    with crop_store.store_in(tmp_path) as store:
        for row, thumbnail, soft in zip(rows, shown, (None, (0.25, 0.75), None), strict=True):
            crop = crops.Crop(b"", "", "as-is", thumbnail, bytes([len(store)]) * 32)
            store.add(row, crop, soft)
        assert list(store.rows()) == [(rows[0], []), (rows[1], ["0.25", "0.75"]), (rows[2], [])]
        blocks = list(store.thumbnails())
        assert store.splits().tolist() == ["test", "train", "valid"]
        assert (len(store), store.soft) == (3, True)
        assert [store.equal(number) for number in range(3)] == [bytes([n]) * 32 for n in range(3)]
    assert [start for start, _ in blocks] == [0, 2]
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), shown)
    assert not list(tmp_path.iterdir())
