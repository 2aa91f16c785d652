"""A floor: logistic regression on histograms of oriented gradients, trained on our crops.

Dalal and Triggs 2005, doi:10.1109/CVPR.2005.177, by scikit-image; the classifier by scikit-learn.
Nothing is tuned. A floor is what anybody has in an hour, without a network.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from mien.pixels import F32, U8, to_gray, to_side

__all__ = ["features", "train"]


def features(crops: Sequence[U8] | U8) -> F32:
    """Describe crops.

    Args:
        crops: of any sizes, RGB or grey.

    Returns:
        shape (N, 1568): 8 directions in 8x8 cells of 8 pixels, normalised in blocks of 2x2.
    """
    rows = [
        hog(
            to_side(to_gray(crop)),
            orientations=8,
            pixels_per_cell=(8, 8),
            cells_per_block=(2, 2),
            block_norm="L2-Hys",
        )
        for crop in crops
    ]
    return np.asarray(rows, dtype=np.float32)


def train(crops: Sequence[U8] | U8, targets: npt.NDArray[np.int64]) -> Pipeline:
    """Fit the classifier.

    Args:
        crops: of the training split.
        targets: shape (N,), their classes, all six.

    Returns:
        What has `predict_proba`, in the order of the classes.
    """
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
    return model.fit(features(crops), targets)
