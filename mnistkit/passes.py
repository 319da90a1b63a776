"""Forward and backward passes of a network, by whichever way is fastest on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from mnistkit import onednn
from mnistkit.fast import FastNetwork
from mnistkit.networks import POOL

if TYPE_CHECKING:
    from mnistkit.networks import ConvNet
    from mnistkit.torch_setup import Compute


class Passes(Protocol):
    """A network's two passes over one batch."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits in float32: (B, 1, 28, 28), pixels in [0, 1] → (B, 10)."""
        ...

    def backward(self, grad: Tensor) -> tuple[Tensor, ...]:
        """Return the gradients in the order of ``network.parameters()`` from ∂L/∂logits (B, 10)."""
        ...


def passes_of(network: ConvNet, compute: Compute) -> Passes:
    """Return the hand-written passes on a CPU with oneDNN, else autograd's."""
    by_hand = compute.device == "cpu" and onednn.AVAILABLE
    return FastNetwork(network, compute) if by_hand else AutogradPasses(network, compute)


class AutogradPasses:
    """The passes as PyTorch derives them from the network's modules."""

    def __init__(self, network: ConvNet, compute: Compute) -> None:
        self._network, self._compute = network, compute
        self._parameters = tuple(network.parameters())

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, and keep the graph that leads to them."""
        with torch.enable_grad(), self._compute.autocast():
            self._logits = self._network.logits(images).float()
        return self._logits.detach()

    def backward(self, grad: Tensor) -> tuple[Tensor, ...]:
        """Return the gradients along the graph of the last :meth:`forward`."""
        return torch.autograd.grad(self._logits, self._parameters, grad)


@torch.no_grad()
def inference_logits(network: ConvNet, images: Tensor, compute: Compute) -> Tensor:
    """Return ``network.logits(images)`` in float32, where no backward pass follows."""
    if compute.device != "cpu" or not onednn.AVAILABLE:
        with compute.autocast():
            return network.logits(images).float()
    if compute.bf16:
        return FastNetwork(network, compute).forward(images)
    # Nothing must be kept for a backward pass: the maps stay in oneDNN's own layout up to the pooling.
    maps = network.feature_maps(images.to_mkldnn())[-1]
    hidden = functional.max_pool2d(maps, POOL, POOL).to_dense().flatten(1)
    for layer in network.linears[:-1]:
        hidden = onednn.linear(layer, hidden).relu_()
    return onednn.linear(network.linears[-1], hidden)
