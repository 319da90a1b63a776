"""The three convolutional networks, built from NumPy generators so that a seed fixes every weight."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from mnistkit.layers import uniform_fan_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

FILTERS = {"net1": (6,), "net2": (6, 16), "net3": (6, 16, 32)}
"""Filters of each convolution, by the network's name."""

SIDE = 28
KERNEL = 5
POOL = 2
HIDDEN = (120, 84)
N_CLASSES = 10


NetworkT = TypeVar("NetworkT", bound=nn.Module)


class ConvNet(nn.Module):
    """5×5 convolutions with ReLU, one 2×2 max-pooling, three linear layers, softmax.

    Parameters
    ----------
    filters : sequence of int
        Filters of each convolution.

    Notes
    -----
    :func:`build` makes one whose weights do not depend on PyTorch's global generator.
    """

    def __init__(self, filters: Sequence[int]) -> None:
        super().__init__()
        channels = (1, *filters)
        side = (SIDE - len(filters) * (KERNEL - 1)) // POOL
        sizes = (filters[-1] * side * side, *HIDDEN, N_CLASSES)
        self.convolutions = nn.ModuleList(nn.Conv2d(n_in, n_out, KERNEL) for n_in, n_out in pairwise(channels))
        self.activations = nn.ModuleList(nn.ReLU() for _ in filters)
        self.linears = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes))

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """Return each convolution's output after its ReLU: (B, 1, 28, 28) → [(B, filters, H, W), …]."""
        maps = []
        for convolution, activation in zip(self.convolutions, self.activations, strict=True):
            images = activation(convolution(images))
            maps.append(images)
        return maps

    def classify(self, pooled: Tensor) -> Tensor:
        """Return the logits from the pooled maps of the last convolution: (B, C, H, W) → (B, 10)."""
        hidden = pooled.flatten(1)
        for linear in self.linears[:-1]:
            hidden = functional.relu(linear(hidden))
        logits: Tensor = self.linears[-1](hidden)
        return logits

    def logits(self, images: Tensor) -> Tensor:
        """Return the input of the softmax: (B, 1, 28, 28), pixels in [0, 1] → (B, 10)."""
        return self.classify(functional.max_pool2d(self.feature_maps(images)[-1], POOL))

    def forward(self, images: Tensor) -> Tensor:
        """Return the class probabilities: (B, 1, 28, 28), pixels in [0, 1] → (B, 10)."""
        return self.logits(images).softmax(1)


def build(name: str, generator: np.random.Generator, *, device: str = "cpu") -> ConvNet:
    """Build a network with PyTorch's default distribution of weights, drawn from ``generator``.

    Equal generators give equal weights on every device. The draws follow the layers from the input to the output,
    the weight before the bias.

    Raises
    ------
    ValueError
        When there is no network of that name.
    """
    if name not in FILTERS:
        raise ValueError(f"no network '{name}'; known: {', '.join(FILTERS)}")
    with torch.device("meta"):  # no memory, and no draws from the global generator
        network = ConvNet(FILTERS[name])
    return initialise(network, generator, device)


@torch.no_grad()
def initialise(network: NetworkT, generator: np.random.Generator, device: str = "cpu") -> NetworkT:
    """Give a network memory on ``device`` and fill its linear and convolution layers, see :func:`uniform_fan_in`."""
    network.to_empty(device=device)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            for parameter in (layer.weight, layer.bias):
                if parameter is not None:
                    parameter.copy_(torch.from_numpy(uniform_fan_in(generator, parameter.shape, fan_in)))
    return network


@dataclass(frozen=True, slots=True)
class Description:
    """A network's structure, read off its modules.

    Parameters
    ----------
    filters : tuple of int
        Filters of each convolution, from the input on.
    kernels : tuple of int
        Side of each convolution's kernel, in pixels.
    linear_sizes : tuple of int
        Units before the first, between, and after the last of the linear layers.
    n_parameters : int
        Trainable numbers.
    """

    filters: tuple[int, ...]
    kernels: tuple[int, ...]
    linear_sizes: tuple[int, ...]
    n_parameters: int

    @property
    def n_linear(self) -> int:
        """The number of linear layers."""
        return max(len(self.linear_sizes) - 1, 0)


def describe(network: nn.Module) -> Description:
    """Read the structure of any network of convolutions and linear layers."""
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    linears = [module for module in network.modules() if isinstance(module, nn.Linear)]
    return Description(
        filters=tuple(layer.out_channels for layer in convolutions),
        kernels=tuple(layer.kernel_size[0] for layer in convolutions),
        linear_sizes=(*(layer.in_features for layer in linears[:1]), *(layer.out_features for layer in linears)),
        n_parameters=sum(parameter.numel() for parameter in network.parameters()),
    )
