"""Ten sigmoid units on the pixels, trained by mini-batch gradient descent with gradients written by hand.

Model: o = sigmoid(W x), x = 784 pixels and a constant 1 for the bias, W of shape (10, 785).
Loss: L = (1/B) Σ_b ‖o_b − t_b‖², t_b one-hot, plus λ‖W‖₁ (Lasso) or λ‖W‖₂² (Ridge) over all entries of W.

References
----------
C. M. Bishop, *Pattern Recognition and Machine Learning*, Springer 2006: sigmoid and its derivative (4.59, 4.88), the
squared error and its gradient (5.14), weight penalties (3.29); A. Krizhevsky et al. call the same update weight decay.
R. Tibshirani, *Regression shrinkage and selection via the lasso*, J. R. Stat. Soc. B 58 (1996) 267–288: the Lasso.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mnistkit.data import Mnist

Array = NDArray[np.floating]
Penalty = Literal["none", "lasso", "ridge"]

INITIAL_SD = 0.01
"""Standard deviation of the initial weights: N(0, 1e-4) names the variance."""

NONZERO_ABOVE = 0.001
"""A weight counts as nonzero when its absolute value exceeds this."""


@dataclass(frozen=True, slots=True)
class Descent:
    """How to train.

    Parameters
    ----------
    learning_rate, regularisation : float
        γ and λ.
    penalty : {"none", "lasso", "ridge"}
        What λ is the weight of.
    record_every : int
        Gradient steps between two records of loss and accuracies.
    """

    learning_rate: float
    penalty: Penalty
    regularisation: float
    record_every: int


@dataclass(frozen=True, slots=True)
class Fit:
    """The course of one training.

    Parameters
    ----------
    W : ndarray of shape (10, 785), float32
        Weights after the last step; the last column is the bias.
    steps : ndarray of shape (n_records,)
        Gradient steps done at each record; the first is 0.
    train_loss, train_accuracy, test_accuracy : ndarray of shape (n_records,)
        Loss without penalty and accuracies in [0, 1], each over the whole set.
    norms, nonzeros : ndarray of shape (n_epochs,)
        ‖W‖₂ and the number of entries with |w| > 0.001 at the end of each epoch, bias included.
    """

    W: Array
    steps: NDArray[np.int64]
    train_loss: NDArray[np.float64]
    train_accuracy: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    norms: NDArray[np.float64]
    nonzeros: NDArray[np.int64]


def initial_weights(generator: np.random.Generator, n_classes: int = 10, n_pixels: int = 784) -> Array:
    """Draw W of shape (n_classes, n_pixels + 1) from N(0, 1e-4)."""
    return (INITIAL_SD * generator.standard_normal((n_classes, n_pixels + 1))).astype(np.float32)


def sigmoid(Z: Array) -> Array:
    """Return 1 / (1 + e⁻ᶻ) elementwise, as ½ (1 + tanh(z/2)), which overflows nowhere."""
    squashed: Array = 0.5 * (1 + np.tanh(0.5 * Z))
    return squashed


def outputs(W: Array, pixels: Array) -> Array:
    """Return sigmoid(W x) for images of shape (n, 784), in [0, 1], as an array of shape (n, 10)."""
    return sigmoid(pixels @ W[:, :-1].T + W[:, -1])


def squared_error(predicted: Array, targets: Array) -> float:
    """Return (1/n) Σ ‖o − t‖² for arrays of shape (n, 10): summed over the outputs, mean over the images."""
    return float(np.square(predicted - targets).sum(axis=1, dtype=np.float64).mean())


def loss_gradient(W: Array, X: Array, targets: Array) -> Array:
    """Return ∂L/∂W of shape (10, 785) for X of shape (B, 785), whose last column is 1, and targets (B, 10).

    With δ_b = (2/B) (o_b − t_b) ⊙ o_b ⊙ (1 − o_b), the gradient is Σ_b δ_b x_bᵀ (chain rule; Bishop (5.54) with the
    derivative of the sigmoid (4.88)).
    """
    predicted = sigmoid(X @ W.T)
    delta = (predicted - targets) * predicted * (1 - predicted)
    gradient: Array = (2 / len(X)) * delta.T @ X
    return gradient


def penalty_gradient(W: Array, penalty: Penalty, regularisation: float) -> Array:
    """Return λ sign(w) for Lasso (a subgradient: 0 at 0), 2λw for Ridge, 0 for none, of the shape of W."""
    if penalty == "lasso":
        return regularisation * np.sign(W)
    if penalty == "ridge":
        return 2 * regularisation * W
    return np.zeros_like(W)


def count_nonzero(W: Array) -> int:
    """Return how many weights exceed 0.001 in absolute value."""
    return int(np.count_nonzero(np.abs(W) > NONZERO_ABOVE))


def fit(
    data: Mnist,
    W: Array,
    epochs: Iterable[NDArray[np.int64]],
    descent: Descent,
    on_epoch: Callable[[int, float], None] = lambda _epoch, _loss: None,
) -> Fit:
    """Train by gradient descent on mini-batches.

    Parameters
    ----------
    data : Mnist
        Images and labels.
    W : ndarray of shape (10, 785)
        Initial weights; left as they are.
    epochs : iterable of ndarray of shape (n_steps, B)
        For each epoch the images of each of its mini-batches.
    descent : Descent
        How to train.
    on_epoch : callable (epoch, training loss)
        Told at the end of each epoch, counted from 1.
    """
    W = W.copy()
    records = [_record(data, W, 0)]
    norms, nonzeros = [], []
    step = 0
    for epoch, batches in enumerate(epochs, start=1):
        X = np.ones((batches.shape[1], W.shape[1]), dtype=np.float32)  # the last column stays 1: it carries the bias
        for batch in batches:
            X[:, :-1] = data.train_pixels[batch]
            gradient = loss_gradient(W, X, data.train_targets[batch])
            if descent.penalty != "none":
                gradient += penalty_gradient(W, descent.penalty, descent.regularisation)
            gradient *= descent.learning_rate
            W -= gradient
            step += 1
            if step % descent.record_every == 0:
                records.append(_record(data, W, step))
        norms.append(float(np.linalg.norm(W.astype(np.float64))))
        nonzeros.append(count_nonzero(W))
        on_epoch(epoch, records[-1][1])
    if records[-1][0] != step:
        records.append(_record(data, W, step))
    steps, loss, train, test = zip(*records, strict=True)
    return Fit(W, *map(np.asarray, (steps, loss, train, test, norms, nonzeros)))


def accuracy(predicted: Array, labels: NDArray[np.uint8]) -> float:
    """Return the share of rows whose largest output is the label's."""
    return float(np.mean(predicted.argmax(axis=1) == labels))


def _record(data: Mnist, W: Array, step: int) -> tuple[int, float, float, float]:
    train = outputs(W, data.train_pixels)
    test = outputs(W, data.test_pixels)
    loss = squared_error(train, data.train_targets)
    return step, loss, accuracy(train, data.train_labels), accuracy(test, data.test_labels)
