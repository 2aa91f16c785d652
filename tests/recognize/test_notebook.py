"""What a notebook shows: short texts, and tables that hold no mark-up of names."""

import io
import re
from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mien.recognize.results import Picture, VideoFrame


@pytest.fixture(scope="module")
def picture(recognizer, portrait):
    return replace(recognizer.read(portrait), path="<b>.png")


def test_reprs_are_one_short_line(picture, portrait):
    [face] = picture.faces
    label = f"happiness {face.probability:.2f}"
    left, top, right, bottom = (f"{edge:.0f}" for edge in face.box.as_list())
    assert repr(face) == f"<Face {label} at ({left}, {top}, {right}, {bottom})>"
    assert repr(replace(face, track=3)).endswith(", track 3>")
    assert repr(picture) == f"<Picture <b>.png 512x512: {label}>"
    assert repr(Picture("", 8, 6)) == "<Picture array 8x6: no faces>"
    five = Picture("x", 8, 6, (face,) * 5)
    assert repr(five) == f"<Picture x 8x6: {label}, {label}, {label} and 2 more>"
    frame = VideoFrame(7, 0.28, (face,), portrait)
    assert repr(frame) == f"<VideoFrame 7 at 0.280 s: {label}>"


def test_a_table_shows_each_face_with_its_crop_and_escapes_names(picture):
    html = picture._repr_html_()
    assert "<b>.png" not in html
    assert "&lt;b&gt;.png" in html
    [data] = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    with Image.open(io.BytesIO(b64decode(data))) as image:
        np.testing.assert_array_equal(np.asarray(image), picture.faces[0].crop)
    cells = re.findall(r"<td>([0-9.]+)</td>", html)
    [face] = picture.faces
    expected = [face.probability, *face.probabilities.values()]
    assert cells == [f"{value:.2f}" for value in expected]
    assert face._repr_html_().count("<tr>") == 2


def test_of_a_crowd_fifty_faces_are_shown_and_the_others_counted(picture):
    html = replace(picture, faces=picture.faces * 60)._repr_html_()
    assert (html.count("<img"), "and 10 more" in html) == (50, True)
