import io
import time
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from mien.errors import BadImageError
from mien.media import images
from tests.support.pictures import encode, png, texture

BLUE, WHITE = [0, 0, 255], [255, 255, 255]


def exif_of(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_cameras_rotation_is_undone_as_pillow_does(orientation, kind):
    data = encode(texture(1, 40)[:30], kind, exif=exif_of(orientation))
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert expected.shape == ((30, 40, 3) if orientation < 5 else (40, 30, 3))
    np.testing.assert_array_equal(images.decode_rgb(data), expected)


def test_a_phone_held_upright_gives_an_upright_picture():
    stored = np.zeros((2, 3, 3), dtype=np.uint8)
    stored[0, 0] = BLUE  # orientation 6: what is stored has to be turned clockwise
    upright = images.decode_rgb(encode(stored, "PNG", exif=exif_of(6)))
    assert upright.shape == (3, 2, 3)
    assert upright[0, 1].tolist() == BLUE
    assert upright.sum() == 255


def test_an_odd_exif_block_costs_no_good_picture():
    exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
    exif += b"\x69\x87\x02\0\x04\0\0\0oddA" + b"\0\0\0\0"  # a sub-folder that is a text
    assert images.decode_rgb(encode(texture(1, 40)[:30], exif=exif)).shape == (40, 30, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("block", [b"garbage!", bytes(8)])
def test_an_exif_block_that_is_none_costs_no_good_picture(kind, block):
    options = {"dpi": (72, 72)} if kind == "JPEG" else {}  # else Pillow reads the block itself
    data = encode(texture(1, 40)[:30], kind, exif=b"Exif\0\0" + block, **options)
    assert images.decode_rgb(data).shape == (30, 40, 3)


def test_grey_becomes_three_equal_channels():
    gray = np.array([[0, 7, 255]], dtype=np.uint8)
    assert images.decode_rgb(encode(gray, "PNG")).tolist() == [[[0] * 3, [7] * 3, [255] * 3]]


def test_black_and_white_becomes_0_and_255():
    image = Image.fromarray(np.array([[False, True]]))
    assert images.decode_rgb(encode(image, "PNG")).tolist() == [[[0, 0, 0], WHITE]]


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_the_transparent_colour_of_a_palette_becomes_white(kind):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, *BLUE])
    image.putpixel((1, 0), 1)
    data = encode(image, kind, transparency=0)
    assert images.decode_rgb(data).tolist() == [[WHITE, BLUE]]


def test_alpha_is_laid_over_white():
    rgba = np.array([[[255, 0, 0, 51], [0, 0, 0, 0], [0, 0, 255, 255]]], dtype=np.uint8)
    # a fifth of red and four fifths of white: 0 * 0.2 + 255 * 0.8 = 204
    assert images.decode_rgb(encode(rgba, "PNG")).tolist() == [[[255, 204, 204], WHITE, BLUE]]


def test_grey_with_alpha_is_laid_over_white():
    image = Image.new("LA", (1, 1), (0, 51))
    assert images.decode_rgb(encode(image, "PNG")).tolist() == [[[204, 204, 204]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_to_eight(kind):
    deep = np.array([[0, 257 * 100, 32768, 65535]], dtype=np.uint16)  # 32768 / 257 = 127.502
    assert images.decode_rgb(encode(deep, kind))[0, :, 1].tolist() == [0, 100, 128, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 40, 200]], dtype=np.int32), [0, 40, 200]),  # eight bits in a wide type
        (np.array([[0, 40, 255]], dtype=np.int32), [0, 40, 255]),
        (np.array([[0, 25700, 65535]], dtype=np.int32), [0, 100, 255]),
        (np.array([[0, 0.2, 1]], dtype=np.float32), [0, 51, 255]),
        (np.array([[np.nan, 0.2, 1]], dtype=np.float32), [0, 51, 255]),
        (np.array([[-3, np.inf, 0]], dtype=np.float32), [0, 0, 0]),
    ],
)
def test_32_bit_values_are_scaled_by_their_range(values, expected):
    assert images.decode_rgb(encode(values, "TIFF"))[0, :, 2].tolist() == expected


def test_cmyk_is_printed_ink_and_not_its_negative():
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # magenta and yellow make red
    rgb = images.decode_rgb(encode(image, quality=95))
    np.testing.assert_allclose(rgb.reshape(-1, 3).mean(axis=0), [255, 0, 0], atol=3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    first, second = Image.new("RGB", (4, 4), "blue"), Image.new("RGB", (4, 4), "red")
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(first, kind, save_all=True, append_images=[second], **options)
    assert (images.decode_rgb(data) == BLUE).all()


def test_of_a_camera_pair_in_one_mpo_file_the_first_is_taken():
    first, second = texture(1, 900), texture(2, 900)
    data = encode(first, "MPO", quality=100, save_all=True, append_images=[Image.fromarray(second)])
    np.testing.assert_array_equal(
        images.decode_rgb(data), images.decode_rgb(encode(first, quality=100))
    )


def test_a_picture_of_one_pixel_is_a_picture():
    assert images.decode_rgb(encode(np.full((1, 1, 3), 9, dtype=np.uint8), "PNG")).tolist() == [
        [[9, 9, 9]]
    ]


def bmp(width, height):
    """A 24-bit BMP of any size, its pixels missing."""
    size = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    return b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0" + size + b"\1\0\x18\0" + bytes(28)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a picture: x.jpg"),
        (b"Dear diary, today I was happy.", "not a picture: x.jpg"),
        (encode(texture(1))[:900], "damaged picture: x.jpg"),
        (encode(texture(1), "PNG")[:900], "damaged picture: x.jpg"),
        (png(0, 5), "picture: x.jpg"),
        (bmp(0, 5), "picture: x.jpg"),
    ],
    ids=["empty", "text", "half a jpeg", "half a png", "no width", "no width, bmp"],
)
def test_what_is_no_whole_picture_is_refused_by_name(data, message):
    with pytest.raises(BadImageError, match=message) as caught:
        images.decode_rgb(data, "x.jpg")
    assert caught.value.fix


def test_a_bomb_is_refused_before_it_is_decoded():
    rows = zlib.compress(bytes(30_000 * 3_751), 9)  # 900 million pixels in 110 KB
    data = png(30_000, 30_000, rows)
    assert len(data) < 120_000
    start = time.process_time()
    with pytest.raises(BadImageError, match="too large"):
        images.decode_rgb(data)
    assert time.process_time() - start < 0.2  # decoding takes seconds


def test_more_pixels_than_the_cap_are_refused_from_the_header_alone():
    with pytest.raises(BadImageError, match=r"too large: x\.png has 10001x10000 pixels"):
        images.decode_rgb(png(10_001, 10_000), "x.png")


def test_the_cap_is_the_largest_picture_allowed():
    data = encode(np.zeros((3, 4, 3), dtype=np.uint8), "PNG")
    assert images.decode_rgb(data, max_pixels=12).shape == (3, 4, 3)
    with pytest.raises(BadImageError, match="--max-pixels"):
        images.decode_rgb(data, max_pixels=11)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "DDS", "AVIF"])
def test_whatever_is_broken_in_a_file_ends_in_a_picture_or_our_error(kind):
    whole, random = encode(texture(1, 20), kind), np.random.default_rng(0)
    refused = 0
    for _ in range(80):
        data = np.frombuffer(whole, dtype=np.uint8).copy()
        data[random.integers(0, min(200, data.size), 5)] = random.integers(0, 256, 5)
        try:
            assert images.decode_rgb(data.tobytes(), max_pixels=100_000).dtype == np.uint8
        except BadImageError:
            refused += 1
    assert refused > 0


def test_a_file_is_read_like_its_bytes(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(encode(texture(2), "PNG"))
    np.testing.assert_array_equal(images.read_rgb(path), texture(2))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadImageError, match=r"no such file: .*gone\.jpg"):
        images.read_rgb(tmp_path / "gone.jpg")


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(BadImageError, match=r"cannot read .*directory"):
        images.read_rgb(tmp_path)


def test_a_file_that_may_not_be_read_says_why(tmp_path, monkeypatch):
    def refuse(path, flags):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "secret.jpg").touch()
    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(BadImageError, match=r"cannot read .*: Permission denied"):
        images.read_rgb(tmp_path / "secret.jpg")


def test_an_opened_image_is_converted_and_left_as_it_was():
    image = Image.new("LA", (3, 2), (0, 51))
    image.getexif()[ExifTags.Base.Orientation] = 6
    assert images.to_rgb(image).shape == (3, 2, 3)
    assert (image.mode, image.size, image.getpixel((0, 0))) == ("LA", (3, 2), (0, 51))


def test_an_image_without_pixels_is_refused():
    with pytest.raises(BadImageError, match="0x5"):
        images.to_rgb(Image.new("RGB", (0, 5)))


def test_an_opened_image_that_is_cut_short_is_refused():
    with (
        Image.open(io.BytesIO(encode(texture(1))[:900])) as image,
        pytest.raises(BadImageError, match="damaged"),
    ):
        images.to_rgb(image)


def test_a_stored_picture_keeps_its_channels_and_tells_whether_it_is_the_file(portrait):
    gray, turned = np.ascontiguousarray(portrait[..., 0]), Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    files = [
        (encode(portrait, quality=90), (512, 512, 3), "JPEG"),
        (encode(gray), (512, 512), "JPEG"),
        (encode(gray, "PNG"), (512, 512), "PNG"),
        (encode(portrait[:100], exif=turned), (512, 100, 3), ""),
        (encode(Image.fromarray(gray).convert("P"), "PNG"), (512, 512, 3), ""),
    ]
    for data, shape, kind in files:
        image, found = images.load_stored(data)
        pixels = np.asarray(image)
        assert (pixels.shape, found) == (shape, kind)
        expected = images.decode_rgb(data)
        assert np.array_equal(pixels, expected if pixels.ndim == 3 else expected[..., 0])


@pytest.mark.parametrize(
    ("name", "step"),
    [("talk.MP4", "try: mien video "), ("talk.webm", "try: mien video "), ("a.txt", "give a JPEG")],
)
def test_a_video_in_place_of_a_picture_is_sent_to_the_command_for_videos(name, step, tmp_path):
    (tmp_path / name).write_bytes(b"no picture at all")
    with pytest.raises(BadImageError, match=f"not a picture: .*{name}") as raised:
        images.read_rgb(tmp_path / name)
    assert step in str(raised.value)


def test_an_address_is_not_opened_and_said_to_be_none():
    with pytest.raises(BadImageError, match=r"no such file: https://.*\n  try: download it first"):
        images.read_rgb("https://example.org/a.jpg")
