"""A multilayer perceptron of NumPy layers and its training by plain gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mnistkit.batches import permuted_batches
from mnistkit.layers import Linear, MeanSquaredError, ReLU, Sigmoid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import DTypeLike, NDArray

    from mnistkit.layers import Array, Layer

N_CLASSES = 10


class MultilayerPerceptron:
    """Linear layers with ReLU between them and a sigmoid at the end.

    Parameters
    ----------
    sizes : sequence of int
        Units of the input, of each hidden layer and of the output, e.g. (784, 300, 100, 10).
    generator : numpy.random.Generator
        Draws the initial weights, layer by layer.
    dtype : dtype
        Of weights and results.
    """

    def __init__(self, sizes: Sequence[int], *, generator: np.random.Generator, dtype: DTypeLike = np.float32) -> None:
        self.linears = [Linear(n_in, n_out, generator=generator, dtype=dtype) for n_in, n_out in pairwise(sizes)]
        self.layers: list[Layer] = []
        for linear in self.linears:
            self.layers += [linear, ReLU()]
        self.layers[-1] = Sigmoid()

    def forward(self, X: Array) -> Array:
        """Return the outputs in (0, 1): (B, n_inputs) → (B, n_outputs)."""
        for layer in self.layers:
            X = layer.forward(X)
        return X

    def backward(self, grad: Array) -> Array:
        """Send ∂L/∂output back through all layers; each linear layer keeps its gradients."""
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad

    def step(self, learning_rate: float) -> None:
        """One step of gradient descent on every weight."""
        for linear in self.linears:
            linear.step(learning_rate)

    def accuracy(self, images: NDArray[np.uint8], labels: NDArray[np.integer], batch_size: int = 1000) -> float:
        """Return the share of images whose largest output is at the label; in [0, 1]."""
        correct = 0
        for start in range(0, len(images), batch_size):
            outputs = self.forward(pixels(images[start : start + batch_size]))
            correct += int((outputs.argmax(axis=1) == labels[start : start + batch_size]).sum())
        return correct / len(images)


@dataclass(frozen=True, slots=True)
class MlpSettings:
    """How a perceptron is trained.

    Parameters
    ----------
    learning_rate : float
        γ of the first epoch.
    decay : float
        γ is multiplied by this after each epoch; 1 keeps it constant.
    batch_size, epochs : int
        Images per step; rounds of ``steps_per_epoch`` steps.
    sizes : tuple of int
        See :class:`MultilayerPerceptron`.
    steps_per_epoch : int or None
        None for one pass over the data; see :func:`mnistkit.batches.permuted_batches`.
    """

    learning_rate: float = 0.3
    decay: float = 1.0
    batch_size: int = 100
    epochs: int = 5
    sizes: tuple[int, ...] = (784, 300, 100, N_CLASSES)
    steps_per_epoch: int | None = None


def pixels(images: NDArray[np.uint8], dtype: DTypeLike = np.float32) -> Array:
    """Flatten grey levels (n, 28, 28) in 0 … 255 to (n, 784) in [0, 1]."""
    grey: Array = images.reshape(len(images), -1).astype(dtype)
    grey /= 255
    return grey


def train_mlp(
    settings: MlpSettings,
    train: tuple[NDArray[np.uint8], NDArray[np.integer]],
    test: tuple[NDArray[np.uint8], NDArray[np.integer]],
    *,
    weights: np.random.Generator,
    order: np.random.Generator,
    progress: Callable[[int, int, str], None] = lambda _done, _total, _note: None,
) -> dict[str, NDArray[np.floating]]:
    """Train a perceptron with the mean-squared error against one-hot labels.

    Parameters
    ----------
    settings : MlpSettings
    train, test : (images, labels)
        uint8 arrays of shape (n, 28, 28) and (n,).
    weights, order : numpy.random.Generator
        Draw the initial weights, and the order of the images.
    progress : callable (done, total, note)
        Called after each epoch.

    Returns
    -------
    dict of ndarray
        ``loss`` of every step (n_steps,); ``train_accuracy``, ``test_accuracy`` and ``learning_rate`` (epochs,),
        the accuracies measured on all images at the end of each epoch, in [0, 1].
    """
    network = MultilayerPerceptron(settings.sizes, generator=weights)
    error = MeanSquaredError()
    one_hot = np.eye(N_CLASSES, dtype=np.float32)
    losses, train_accuracy, test_accuracy = [], [], []
    rates = settings.learning_rate * settings.decay ** np.arange(settings.epochs)
    for epoch, rate in enumerate(rates):
        for batch in permuted_batches(order, len(train[0]), settings.batch_size, settings.steps_per_epoch):
            outputs = network.forward(pixels(train[0][batch]))
            losses.append(error.forward(outputs, one_hot[train[1][batch]]))
            network.backward(error.backward())
            network.step(float(rate))
        train_accuracy.append(network.accuracy(*train))
        test_accuracy.append(network.accuracy(*test))
        progress(epoch + 1, settings.epochs, f"test accuracy {test_accuracy[-1]:.4f}")
    return {
        "loss": np.array(losses),
        "train_accuracy": np.array(train_accuracy),
        "test_accuracy": np.array(test_accuracy),
        "learning_rate": rates,
    }
