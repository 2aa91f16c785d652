"""Where the faces are, and which face is which. Knows nothing of expressions.

boxes        Box, Detection, and how far two boxes overlap
detect       the detector YuNet and the landmark network ONet, and where their files are
yunet        OpenCV's YuNet, shared by threads
second_look  turned copies and copies at full size, in which the detector finds more
align        landmarks -> upright crop; a dataset's crop framed in the same way
regions      where landmarks lie in a crop, its brows, eyes, nose, ..., and the action units there
tracker      the faces of a video: detected now and then, followed in between
association  which face is which: motion, size and appearance, in one assignment
"""

from typing import TYPE_CHECKING

from mien._lazy import on_first_use

if TYPE_CHECKING:
    from mien.faces.boxes import Box as Box
    from mien.faces.boxes import Detection as Detection
    from mien.faces.detect import Detector as Detector
    from mien.faces.tracker import Follower as Follower

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "Box": "mien.faces.boxes",
        "Detection": "mien.faces.boxes",
        "Detector": "mien.faces.detect",
        "Follower": "mien.faces.tracker",
    },
)
