"""Layers in plain NumPy: every backward pass stands under its forward pass.

For a loss L, ``backward(grad)`` takes ∂L/∂output and returns ∂L/∂input; a layer with weights keeps ∂L/∂weights.
Formulas: I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, 2016, section 6.5 (back-propagation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

    Array = NDArray[np.floating]


class Layer(Protocol):
    """A differentiable function of one batch."""

    def forward(self, X: Array) -> Array:
        """Return the layer's output for ``X`` of shape (B, in_features)."""
        ...

    def backward(self, grad: Array) -> Array:
        """Return ∂L/∂X from ∂L/∂output, for the batch of the last ``forward``."""
        ...


def uniform_fan_in(
    generator: np.random.Generator, shape: Sequence[int], fan_in: int, dtype: DTypeLike = np.float32
) -> Array:
    """Draw from U(-1/√fan_in, 1/√fan_in), PyTorch's default for linear and convolution layers.

    References
    ----------
    PyTorch, ``torch.nn.Linear`` and ``torch.nn.Conv2d``, section "Variables".
    """
    bound = 1 / np.sqrt(fan_in)
    return generator.uniform(-bound, bound, size=tuple(shape)).astype(dtype)


class Linear:
    """y = x Wᵀ + b.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of x and y.
    generator : numpy.random.Generator
        Draws the initial weight and bias, see :func:`uniform_fan_in`.
    dtype : dtype
        Of weights and results.

    Attributes
    ----------
    weight : ndarray of shape (out_features, in_features)
    bias : ndarray of shape (out_features,)
    weight_grad, bias_grad : ndarray
        ∂L/∂weight and ∂L/∂bias of the last :meth:`backward`.
    """

    def __init__(
        self, in_features: int, out_features: int, *, generator: np.random.Generator, dtype: DTypeLike = np.float32
    ) -> None:
        self.weight = uniform_fan_in(generator, (out_features, in_features), in_features, dtype)
        self.bias = uniform_fan_in(generator, (out_features,), in_features, dtype)
        self.weight_grad = np.zeros_like(self.weight)
        self.bias_grad = np.zeros_like(self.bias)
        self._input = np.empty((0, in_features), dtype)

    def forward(self, X: Array) -> Array:
        """Return x Wᵀ + b: (B, in_features) → (B, out_features)."""
        self._input = X
        return X @ self.weight.T + self.bias

    def backward(self, grad: Array) -> Array:
        """∂L/∂W = ∂L/∂yᵀ x, ∂L/∂b = Σ_b ∂L/∂y, ∂L/∂x = ∂L/∂y W."""
        self.weight_grad = grad.T @ self._input
        self.bias_grad = grad.sum(axis=0)
        return grad @ self.weight

    def step(self, learning_rate: float) -> None:
        """One step of gradient descent, in place."""
        self.weight -= learning_rate * self.weight_grad
        self.bias -= learning_rate * self.bias_grad


class ReLU:
    """y = max(x, 0), with the derivative 0 at 0."""

    def __init__(self) -> None:
        self._positive: NDArray[np.bool_] = np.empty((0, 0), bool)

    def forward(self, X: Array) -> Array:
        """Return max(x, 0), elementwise."""
        self._positive = X > 0
        return X * self._positive

    def backward(self, grad: Array) -> Array:
        """∂L/∂x = ∂L/∂y where x > 0, else 0."""
        return grad * self._positive


class Sigmoid:
    """y = 1 / (1 + e⁻ˣ)."""

    def __init__(self) -> None:
        self._output: Array = np.empty((0, 0))

    def forward(self, X: Array) -> Array:
        """Return ½ (1 + tanh(x/2)), which equals 1 / (1 + e⁻ˣ) and never overflows."""
        half = X.dtype.type(0.5)
        self._output = half * (1 + np.tanh(half * X))
        return self._output

    def backward(self, grad: Array) -> Array:
        """∂L/∂x = ∂L/∂y · y (1 - y)."""
        return grad * self._output * (1 - self._output)


class MeanSquaredError:
    """L = (1/B) Σ_b ‖o_b - t_b‖², summed over the outputs."""

    def __init__(self) -> None:
        self._difference: Array = np.empty((0, 0))

    def forward(self, outputs: Array, targets: Array) -> float:
        """Return the loss of ``outputs`` against ``targets``, both of shape (B, n_outputs)."""
        self._difference = outputs - targets
        return float(np.vdot(self._difference, self._difference)) / len(outputs)

    def backward(self) -> Array:
        """∂L/∂o = (2/B) (o - t)."""
        scale = self._difference.dtype.type(2 / len(self._difference))
        return scale * self._difference
