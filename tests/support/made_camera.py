"""A camera that is none, for tests on machines without one."""

import cv2
import numpy as np


class Lens:
    """Stand-in for cv2.VideoCapture: sees so many frames, each bluer; BGR."""

    def __init__(self, frames):
        self.left = frames
        self.released = False

    def isOpened(self):  # noqa: N802  # OpenCV's name
        return self.left is not None

    def get(self, what):
        assert what == cv2.CAP_PROP_FPS
        return 30.0

    def read(self):
        if not self.left:
            return False, None
        self.left -= 1
        return True, np.full((4, 6, 3), (200 - self.left, 20, 10), dtype=np.uint8)

    def release(self):
        self.released = True
