"""A face and its maps as a figure, and the sentence that goes with it.

Pipeline: upright crops (face_crops.py) -> maps by one or more methods -> tiles with names -> a page
for `mien.show.picture_grid.write_figure`.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from mien.errors import BadImageError, UnknownNameError
from mien.explain.face_crops import cut_out
from mien.explain.methods import (
    REFUSALS,
    Source,
    class_names,
    default_method,
    explain_each,
    source_of,
)
from mien.faces.regions import named_shares, words
from mien.labels import LABELS
from mien.media.inputs import PictureLike, as_rgb, path_of
from mien.pixels import F32, SIDE, U8, enlarge, to_batch
from mien.recognize.model import softmax
from mien.recognize.recognizer import Recognizer
from mien.show import picture_grid
from mien.show.picture_grid import FigureRow, Page
from mien.show.writing import ENGLISH, Writing, as_writing

__all__ = [
    "activations_figure",
    "channel_captions",
    "explain_picture",
    "explanation_figure",
    "explanation_sentence",
]

_CHANNELS = 63  # drawn of a layer: with the face they fill eight rows
_COLUMNS = 8  # tiles side by side


def explain_picture(
    picture: PictureLike,
    method: str | None = None,
    label: str | None = None,
    layer: str | None = None,
    recognizer: Recognizer | None = None,
    lang: str | Writing = "en",
) -> Image.Image:
    """Draw where in each face of a picture the network saw its expression, as `mien explain` does.

    Args:
        picture: whatever `Recognizer.read` takes: a path, a Pillow image, an array, ...
        method: a key of `mien.explain.METHODS`; by default that of
            `mien.explain.methods.default_method`.
        label: one of the model's classes; by default the one predicted.
        layer: as for `mien.explain.explain`.
        recognizer: by default a new one with the shipped model.
        lang: of names and of all else that is written, as ``de``; or with a font of one's own,
            from `mien.show.writing.write_in`.

    Returns:
        The figure, RGB: face, map, and map over the face; of several faces one below the other, the
        largest first. A notebook shows it; ``.save("why.png")`` writes it.

    Raises:
        BadImageError: if the picture cannot be read or shows no face.
        UnknownNameError: if there is no such method, expression, layer or language.
        BadModelError: if the network does not offer what the method needs.
        BadSettingError: if no font of this system has the letters.

    Example:
        >>> import skimage.data
        >>> explain_picture(skimage.data.astronaut(), label="fear").mode
        'RGB'
    """
    recognizer = recognizer or Recognizer()
    writing = as_writing(lang, recognizer.labels)
    rgb = as_rgb(picture)
    crops = cut_out(rgb, recognizer.detector.find(rgb), recognizer.model.side)
    if not crops:
        where = path_of(picture) or "the picture"
        raise BadImageError(f"no face in {where}", fix="give a crop to mien.explain.explain")
    source = source_of(recognizer.model)
    asked = ([method or default_method(source, layer=layer)], [label], layer, writing)
    pages = [explanation_figure(source, crop, *asked)[0] for crop in crops]
    drawn = [picture_grid.figure_pixels(page) for page in pages]
    width = max(figure.shape[1] for figure in drawn)
    sheet = np.full((sum(figure.shape[0] for figure in drawn), width, 3), 255, dtype=np.uint8)
    top = 0
    for figure in drawn:
        sheet[top : top + figure.shape[0], : figure.shape[1]] = figure
        top += figure.shape[0]
    return Image.fromarray(sheet)


def explanation_figure(
    source: Source,
    crop: U8,
    methods: Sequence[str],
    labels: Sequence[str | None],
    layer: str | None = None,
    writing: Writing = ENGLISH,
) -> tuple[Page, dict[str, str]]:
    """Lay out a row for each method: face, map and overlay, or the overlays of all expressions.

    Args:
        source: the network.
        crop: shape (side, side, 3), RGB.
        methods: keys of `METHODS`. Among several, one that the network does not allow is left out.
        labels: names of classes; None for the one predicted.
        layer: as for `mien.explain.explain`.
        writing: the language and the font of all that is written.

    Returns:
        The figure, and the methods left out with the reason.

    Raises:
        BadModelError: if the network does not allow the only method.
        MissingExtraError: if the only method needs what is not installed.
    """
    scores, calm = _probabilities(source, crop)
    best = max(scores, key=lambda label: scores[label])
    named = [_known(label or best, scores) for label in labels]
    highest = max(scores[name] for name in named) or 1.0  # where each rounds to 0
    strengths = [scores[name] / highest for name in named]
    several = len(methods) > 1
    caught = REFUSALS if several else ()
    order = {name: number for number, name in enumerate(scores)}
    rows, left_out = [], {}
    for method in methods:
        try:
            maps = _maps(source, crop, method, [order[name] for name in named], layer)
        except caught as error:
            left_out[method] = error.message
        else:
            row = _method_row(crop, maps, strengths, writing)
            rows.append(FigureRow(method if several else "", *row))
    title = _title(scores, calm, best, writing) + ("" if several else f" · {methods[0]}")
    say, called = writing.say, writing.name
    if len(named) > 1:
        columns = [say("face"), *(f"{called(label)} {scores[label]:.0%}" for label in named)]
        legend = f"{say('column')}; {say('strength')}"
    else:
        columns = [say("face"), say("map"), say("over")]
        speaks = say("speaks", called(named[0]), f"{scores[named[0]]:.0%}")
        legend = f"{speaks}; {say('own_scale')}"
    note = _what_percentages_lack(source, writing)
    return picture_grid.figure(title, columns, rows, legend, note, writing), left_out


def _what_percentages_lack(source: Source, writing: Writing) -> str:
    """Say that those of a run are not those of its exported file, which is calibrated."""
    if hasattr(source, "temperature"):  # a model file has it
        return ""
    lacks = writing.say("uncalibrated")
    if source.labels is None or not source.labels.calm_beside:
        return lacks
    return f"{lacks}; {writing.say('without', writing.name(source.labels.calm))}"


def _batch(source: Source, crop: U8) -> F32:
    """The crop as the network takes it."""
    return to_batch([crop], source.side)


def _title(scores: dict[str, float], calm: dict[str, float], best: str, writing: Writing) -> str:
    """What the face shows: of all classes, or of those that the network has."""
    if not calm:
        share = (writing.name(best), f"{scores[best]:.0%}")
        if tuple(scores) == LABELS:
            return writing.say("of_six", *share)
        return writing.say("of_classes", *share, len(scores))
    shown = [(best, scores[best]), *calm.items()]
    if calm[next(iter(calm))] > scores[best]:
        shown.reverse()
    return ", ".join(f"{writing.name(name)} {value:.0%}" for name, value in shown)


def _probabilities(source: Source, crop: U8) -> tuple[dict[str, float], dict[str, float]]:
    """The probability of each class, by name or else by number, and of a calm one beside them."""
    batch = _batch(source, crop)
    [scores] = softmax(source.logits(batch), getattr(source, "temperature", 1.0))
    names = class_names(source, len(scores)) or tuple(map(str, range(len(scores))))
    neutral = getattr(source, "neutral", None)  # a model file has it
    calm = neutral(batch) if neutral else None
    if calm is None or source.labels is None:
        return dict(zip(names, map(float, scores), strict=True)), {}
    known = source.labels.probabilities(scores.tolist(), float(calm[0]))
    beside = {source.labels.calm: known.pop(source.labels.calm)}
    return known, beside


def _known(label: str, scores: dict[str, float]) -> str:
    if label not in scores:
        raise UnknownNameError("expression", label, scores)
    return label


def _maps(source: Source, crop: U8, method: str, classes: Sequence[int], layer: str | None) -> F32:
    """The map of each class, shape (T, h, w)."""
    return explain_each(source, _batch(source, crop), method, classes, layer)[:, 0]


def _method_row(
    crop: U8, maps: F32, strengths: Sequence[float], writing: Writing
) -> tuple[list[U8], list[str]]:
    """The tiles of a method, each map as strong as it shall be, and a caption under each."""
    captions = ["" if (own > 0).any() else writing.say("nothing") for own in maps]
    tiles = [
        picture_grid.outlined_map(crop, own, strength)
        for own, strength in zip(maps, strengths, strict=True)
    ]
    if len(maps) == 1:
        tiles.insert(0, picture_grid.colour_map(maps[0]))
    return [picture_grid.crop_tile(crop), *tiles], ["", *captions]


def explanation_sentence(
    source: Source,
    crop: U8,
    method: str,
    label: str | None = None,
    layer: str | None = None,
    landmarks: F32 | None = None,
) -> str:
    """Say how probable a class is, and where on the face the map has its evidence.

    Args:
        source: the network.
        crop: shape (side, side, 3), RGB.
        method: a key of `METHODS`.
        label: a class; None for the one predicted.
        layer: as for `mien.explain.explain`.
        landmarks: of the face, shape (5, 2), in pixels of a crop of 64, which its regions follow;
            by default where a crop has them on average.

    Returns:
        For instance ``happiness 0.98: 61 % of the evidence on the mouth, 22 % on the cheeks``.
    """
    scores, _ = _probabilities(source, crop)
    name = _known(label or max(scores, key=lambda label: scores[label]), scores)
    number = list(scores).index(name)
    [[coarse]] = explain_each(source, _batch(source, crop), method, [number], layer)
    shares = named_shares(enlarge(coarse, SIDE, SIDE), landmarks)
    return f"{name} {scores[name]:.2f}: {words(shares)}"


def activations_figure(
    source: Source, crop: U8, layer: str | None = None, writing: Writing = ENGLISH
) -> Page:
    """Lay out the channels of a layer in rows of eight, those that vary most first.

    Under each are its number and its scale: the value drawn black and the one drawn white.

    Args:
        source: the network.
        crop: shape (side, side, 3), RGB.
        layer: as for `mien.explain.explain`.
        writing: the language and the font of all that is written.

    Returns:
        The figure.
    """
    activations = source.activations(_batch(source, crop), layer)[0]
    tiles = [picture_grid.crop_tile(crop), *picture_grid.channels(activations, _CHANNELS)]
    captions = ["", *channel_captions(activations, _CHANNELS, writing)]
    parts = [slice(i, i + _COLUMNS) for i in range(0, len(tiles), _COLUMNS)]
    rows = [FigureRow("", tiles[part], captions[part]) for part in parts]
    count, height, width = activations.shape
    shape = f"{height}x{width}"
    title = writing.say("channels", layer or source.layer, min(_CHANNELS, count), count, shape)
    columns, note = [writing.say("face")], writing.say("shades")
    return picture_grid.figure(title, columns, rows, "", note, writing)


def channel_captions(activations: F32, most: int, writing: Writing = ENGLISH) -> list[str]:
    """Write the number and the scale of each channel that `picture_grid.channels` draws.

    Args:
        activations: shape (K, h, w).
        most: channels drawn.
        writing: the language.

    Returns:
        For instance ``channel 17: 0 to 3.2``, the liveliest channel first.
    """
    chosen = picture_grid.lively_channels(activations, most)
    ranges = [(activations[k].min(), activations[k].max()) for k in chosen]
    return [
        writing.say("channel", k, f"{low:.3g}", f"{high:.3g}")
        for k, (low, high) in zip(chosen, ranges, strict=True)
    ]
