"""Where the evidence for a prediction lies.

cam           the formulas on arrays: CAM, Grad-CAM, Grad-CAM++ and kin
perturb       what changes when a part is hidden: the masks of Score-CAM, and occlusion
targets       what is explained: a class by name or number, or any function of the logits
methods       METHODS, every method by name, and the one call
onnx_source   activations and gradients of a model file
torch_source  the same of any layer of a torch network; the one file here that needs torch
function_source  a function from a batch to logits: enough for occlusion
sheet         several faces by several methods, beside channels: one figure
face_crops    the upright crops of a picture's faces, for networks of several sides
figure        a face and its maps as a figure, and the sentence that goes with it

A new formula on activations and gradients goes into `cam`: a function, and its line in the table
there. A method that runs the network again goes into `perturb`, and into METHODS in `methods`.
"""

from typing import TYPE_CHECKING

from mien._lazy import on_first_use

if TYPE_CHECKING:
    from mien.explain.figure import explain_picture as explain_picture
    from mien.explain.methods import METHODS as METHODS
    from mien.explain.methods import explain as explain
    from mien.explain.methods import explain_each as explain_each
    from mien.explain.methods import source_of as source_of
    from mien.explain.targets import versus as versus

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "METHODS": "mien.explain.methods",
        "explain": "mien.explain.methods",
        "explain_picture": "mien.explain.figure",
        "explain_each": "mien.explain.methods",
        "source_of": "mien.explain.methods",
        "versus": "mien.explain.targets",
    },
)
