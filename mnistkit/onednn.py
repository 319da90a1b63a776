"""Matrix products by oneDNN instead of MKL.

PyTorch's CPU build hands 32-bit products to MKL, which on AMD processors uses half the width of AVX-512. oneDNN, built
into PyTorch for convolutions, uses all of it: 240 against 110 GFLOP/s on one Zen 5 core. Its matrix product is reached
through the operator that PyTorch's own compiler emits for linear layers; where a build lacks it, MKL is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import Function
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor, nn

AVAILABLE: bool = torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_linear_pointwise")  # noqa: SLF001 - see above


def matmul(left: Tensor, right: Tensor, bias: Tensor | None = None, *, relu: bool = False) -> Tensor:
    """Return left · rightᵀ + bias, then its ReLU if wanted: (n, k), (m, k), (m,) → (n, m), all of one type.

    Call it on CPU tensors without gradients, and only if :data:`AVAILABLE`.
    """
    activation = "relu" if relu else "none"
    result: Tensor = torch.ops.mkldnn._linear_pointwise(left, right, bias, activation, [], "")  # noqa: SLF001
    return result


def linear(layer: nn.Module, X: Tensor) -> Tensor:
    """Return ``layer(X)`` with gradients, in the precision of ``X``: (B, in_features) → (B, out_features)."""
    weight, bias = (parameter.to(X.dtype) for parameter in layer.parameters())
    if X.device.type != "cpu" or not AVAILABLE:
        return functional.linear(X, weight, bias)
    result: Tensor = _Linear.apply(X, weight, bias)  # type: ignore[no-untyped-call]
    return result


class _Linear(Function):
    """y = x Wᵀ + b, see :class:`mnistkit.layers.Linear`."""

    @staticmethod
    def forward(ctx: Any, X: Tensor, weight: Tensor, bias: Tensor) -> Tensor:  # noqa: ANN401 - PyTorch's context
        ctx.save_for_backward(X, weight)
        return matmul(X, weight, bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:  # noqa: ANN401
        X, weight = ctx.saved_tensors
        (grad,) = grads
        input_grad = matmul(grad, weight.t()) if ctx.needs_input_grad[0] else None
        return input_grad, matmul(grad.t(), X.t()), grad.sum(0)
