"""The perceptron of NumPy layers."""

import numpy as np
import pytest
import torch

from mnistkit.layers import MeanSquaredError
from mnistkit.mlp import MlpSettings, MultilayerPerceptron, pixels, train_mlp


def train(digits, **changes):
    """Train a small perceptron."""
    settings = MlpSettings(batch_size=20, epochs=3, sizes=(784, 16, 12, 10), **changes)
    return train_mlp(settings, *digits, weights=np.random.default_rng(1), order=np.random.default_rng(2))


def test_all_gradients_equal_autograd():
    """The chain of layers sends the same gradients back as PyTorch, in float64."""
    network = MultilayerPerceptron((6, 5, 4, 3), generator=np.random.default_rng(0), dtype=np.float64)
    X, targets = np.random.default_rng(1).normal(size=(7, 6)), np.eye(3)[[0, 1, 2, 0, 1, 2, 0]]
    parameters = [array for linear in network.linears for array in (linear.weight, linear.bias)]
    tensors = [torch.from_numpy(array.copy()).requires_grad_() for array in parameters]
    hidden = torch.from_numpy(X)
    for index in range(3):
        hidden = torch.nn.functional.linear(hidden, *tensors[2 * index : 2 * index + 2])
        hidden = torch.sigmoid(hidden) if index == 2 else torch.relu(hidden)
    expected = torch.autograd.grad((hidden - torch.from_numpy(targets)).square().sum(1).mean(), tensors)
    error = MeanSquaredError()
    error.forward(network.forward(X), targets)
    network.backward(error.backward())
    actual = [grad for linear in network.linears for grad in (linear.weight_grad, linear.bias_grad)]
    for mine, theirs in zip(actual, expected, strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-10, atol=1e-14)


def test_training_learns_and_repeats_itself(digits):
    """The loss falls, accuracies are ratios, and equal generators give equal numbers."""
    first, second = train(digits), train(digits)
    assert first["loss"].shape == (60,)
    assert first["test_accuracy"].shape == first["train_accuracy"].shape == (3,)
    assert first["loss"][-10:].mean() < 0.8 * first["loss"][:10].mean()
    for name, curve in first.items():
        np.testing.assert_array_equal(curve, second[name])


def test_the_rate_decays_after_each_epoch(digits):
    """γ is 0.3 in the first epoch, then 0.9 times the one before; with decay 1 it stays."""
    np.testing.assert_allclose(train(digits, decay=0.9)["learning_rate"], [0.3, 0.27, 0.243])
    np.testing.assert_allclose(train(digits)["learning_rate"], [0.3, 0.3, 0.3])


def test_the_schedule_changes_only_what_follows_the_first_epoch(digits):
    """Both schedules share weights, order and the first epoch."""
    constant, decayed = train(digits), train(digits, decay=0.5)
    np.testing.assert_array_equal(constant["loss"][:21], decayed["loss"][:21])
    assert not np.array_equal(constant["loss"][21:], decayed["loss"][21:])


def test_progress_is_told_after_each_epoch(digits):
    """Epochs done count up to the total."""
    told = []
    train_mlp(
        MlpSettings(epochs=2, batch_size=100, sizes=(784, 10)),
        *digits,
        weights=np.random.default_rng(0),
        order=np.random.default_rng(0),
        progress=lambda done, total, _note: told.append((done, total)),
    )
    assert told == [(1, 2), (2, 2)]


def test_pixels_lie_in_the_unit_interval():
    """Black is 0, white is 1, rows are images."""
    images = np.array([[[0, 255], [51, 102]]], np.uint8)
    np.testing.assert_allclose(pixels(images), [[0, 1, 0.2, 0.4]])
    assert pixels(images).dtype == np.float32


def test_accuracy_counts_the_largest_output(digits):
    """It does not depend on how the images are split into batches."""
    network = MultilayerPerceptron((784, 10), generator=np.random.default_rng(0))
    images, labels = digits[1]
    expected = (network.forward(pixels(images)).argmax(1) == labels).mean()
    assert network.accuracy(images, labels, batch_size=7) == pytest.approx(expected)
