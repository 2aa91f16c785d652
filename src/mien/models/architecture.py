"""What a network is made of, as it is computed: its layers, with their sizes and costs.

Needs no torch: `trace` fills it in from a network, and `mien.show.architecture_plot` draws it.
"""

from dataclasses import dataclass

__all__ = ["KINDS", "Architecture", "Layer"]

KINDS = ("convolution", "residual", "attention", "pooling", "linear", "other")


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with what follows it at once, or a block of several layers.

    Attributes:
        name: of the first module, as in torch's ``named_modules``.
        kind: one of `KINDS`.
        words: what it does, step by step: ``3x3 conv``, ``batch norm``, ``ReLU``.
        shape: of its output for one crop: (channels, height, width), or (units,).
        parameters: of its own; those that two layers share count where they come first.
        multiply_adds: of its convolutions and linear layers, for one crop.
        depth: convolutions and linear layers on its main path: without shortcuts and gates.
    """

    name: str
    kind: str
    words: tuple[str, ...]
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    depth: int

    @property
    def size(self) -> str:
        """The shape in words.

        Example:
            >>> Layer("a", "pooling", ("2x2 max",), (64, 32, 32), 0, 0, 0).size
            '64 x 32x32'
        """
        channels, *places = self.shape
        return f"{channels:,}" + (f" x {places[0]}x{places[1]}" if places else "")


@dataclass(frozen=True, slots=True)
class Architecture:
    """The layers of a network in the order in which they are computed.

    Attributes:
        name: of the network.
        side: of the crops, in pixels.
        layers: from the input to the logits.
    """

    name: str
    side: int
    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """All parameters."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """All multiply-adds for one crop."""
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def depth(self) -> int:
        """Convolutions and linear layers from the input to the logits, as in "ResNet-18"."""
        return sum(layer.depth for layer in self.layers)
