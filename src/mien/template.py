"""Where the five landmarks of a face lie in a crop, on average.

Framing carries every face to this template (`mien.faces.align`), so a place in the crop is a place
on the face (`mien.explain.regions`).
"""

import numpy as np
import numpy.typing as npt

__all__ = ["TEMPLATE"]

# Eye, eye, nose tip, mouth corner, mouth corner, x and y in pixels of a 64x64 crop: the mean of
# RAF-DB's own aligned training crops.
TEMPLATE: npt.NDArray[np.float32] = np.array(
    [[16.6, 21.5], [46.7, 21.5], [31.6, 35.7], [17.9, 48.7], [45.3, 48.7]], dtype=np.float32
)
