"""Grad-CAM: which places of a convolution's output speak for a class.

α_k^c = (1/Z) Σ_ij ∂S^c/∂A^k_ij,  map^c = ReLU(Σ_k α_k^c A^k).

References
----------
R. R. Selvaraju, A. Das, R. Vedantam, M. Cogswell, D. Parikh, D. Batra, "Grad-CAM: Why did you say that? Visual
explanations from deep networks via gradient-based localization", 2016, equations (1) and (2).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from mnistkit.networks import SIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn


@contextmanager
def recorded_output(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Record what ``layer`` returns, as leaves of the graph: gradients are taken with respect to them.

    Yields the list that grows by one tensor per forward pass. The hook is released on leaving, also by an exception.
    """
    outputs: list[Tensor] = []

    def record(_layer: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        # Cutting the graph here spares the backward pass through everything before the layer.
        outputs.append(output.detach().requires_grad_())
        return outputs[-1]

    handle = layer.register_forward_hook(record)
    try:
        yield outputs
    finally:
        handle.remove()


def class_weights(gradients: Tensor) -> Tensor:
    """α of shape (B, C): the mean over all places of ∂S/∂A, of shape (B, C, H, W)."""
    return gradients.mean(dim=(2, 3))


def coarse_maps(activations: Tensor, gradients: Tensor) -> Tensor:
    """ReLU(Σ_k α_k A^k) at the layer's own resolution: two tensors (B, C, H, W) → (B, H, W)."""
    return torch.einsum("bkhw,bk->bhw", activations, class_weights(gradients)).relu()


def gradcam(
    scores: Callable[[Tensor], Tensor],
    layer: nn.Module,
    images: Tensor,
    classes: Tensor | int,
    *,
    size: int = SIDE,
    batch_size: int = 250,
) -> Tensor:
    """Compute one map per image.

    Parameters
    ----------
    scores : callable
        Returns the class scores before the softmax, (B, …) → (B, n_classes), and runs ``layer`` on the way; for a
        :class:`~mnistkit.networks.ConvNet`, its ``logits``.
    layer : nn.Module
        Its output A is explained, of shape (B, C, H, W); for Net2's last convolution after ReLU, ``activations[-1]``.
    images : Tensor of shape (n, 1, 28, 28), pixels in [0, 1]
    classes : Tensor of shape (n,) or int
        The class c of each map.
    size : int
        Height and width to which the maps are enlarged, bilinearly.
    batch_size : int
        Images per pass: a matter of speed, not of results.

    Returns
    -------
    Tensor of shape (n, size, size), at least 0
    """
    targets = torch.as_tensor(classes, device=images.device).expand(len(images))
    maps = [images.new_empty((0, size, size))]
    for batch, wanted in zip(torch.split(images, batch_size), torch.split(targets, batch_size), strict=True):
        with torch.enable_grad(), recorded_output(layer) as outputs:
            score = scores(batch).gather(1, wanted[:, None]).sum()
            (gradients,) = torch.autograd.grad(score, outputs[-1])
        coarse = coarse_maps(outputs[-1].detach(), gradients)[:, None]
        fine = functional.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=False)
        maps.append(fine[:, 0])
    return torch.cat(maps)


def hot_ink_share(maps: Tensor, images: Tensor, *, ink: float = 0.5, level: float = 0.5) -> Tensor:
    """Return how much of each digit's ink lies in the hot area of its map.

    Parameters
    ----------
    maps : Tensor of shape (n, 28, 28)
    images : Tensor of shape (n, 1, 28, 28), pixels in [0, 1]
    ink : float
        A pixel above this value is inked.
    level : float
        The hot area is where the map exceeds this share of its own maximum. A map that is 0 everywhere has none.

    Returns
    -------
    Tensor of shape (n,), in [0, 1]
        Hot inked pixels by inked pixels; 0 for an image without ink.
    """
    inked = images[:, 0] > ink
    hot = maps > level * maps.amax(dim=(1, 2), keepdim=True)
    return (inked & hot).sum(dim=(1, 2)) / inked.sum(dim=(1, 2)).clamp_min(1)
