"""Give an exported model file the output of fast occlusion; its weights and answers stay.

Run: python lab/add_fast_occlusion.py OLD.onnx NEW.onnx data/rafdb-framed
Proves that the older outputs stay bit-equal. Takes about five minutes for 6,000 crops on one core.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime

from mien.evaluate.explanations import choose_pictures
from mien.pixels import to_batch
from mien.recognize.model import read_card
from mien.train.export import with_card
from mien.train.fast_occlusion import CROPS, add_fast_occlusion


def main(old: Path, new: Path, folder: Path) -> None:
    """Learn from the training split of a prepared folder; write once it is proven."""
    card = read_card(old)
    side = card["input"]["side"]
    rows, crops = choose_pictures(folder, "train", CROPS, seed=0, side=side)
    graph, record = add_fast_occlusion(old.read_bytes(), crops, side)
    card["explain"]["occlusion"] = {"source": rows[0].source, "split": "train", **record}
    card["sha256"] = "0" * 64
    data = with_card(graph, card)
    before, after = (onnxruntime.InferenceSession(d) for d in (old.read_bytes(), data))
    batch = to_batch(crops[:9], side)
    for name in [output.name for output in before.get_outputs()]:
        [a], [b] = (session.run([name], {"crops": batch}) for session in (before, after))
        np.testing.assert_array_equal(a, b, err_msg=name)
    new.write_bytes(data)
    sys.stdout.write(f"{record}\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
