"""The hand-written gradients, and the course of a training."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mnistkit import logistic
from mnistkit.data import Mnist
from mnistkit.logistic import Descent, fit


@pytest.fixture
def problem() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return W, X (the last column 1) and one-hot targets, in float64."""
    rng = np.random.default_rng(1)
    X = np.hstack([rng.random((6, 8)), np.ones((6, 1))])
    return rng.normal(size=(10, 9)), X, np.eye(10)[rng.integers(10, size=6)]


def small_mnist(n: int = 60) -> Mnist:
    """Return images whose digit is told by which rows are inked."""
    rng = np.random.default_rng(2)
    labels = np.arange(n, dtype=np.uint8) % 10
    images = rng.integers(0, 40, size=(n, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 2] = 255
    return Mnist(images, labels, images.copy(), labels.copy())


def orders(epochs: int, n: int = 60, batch: int = 10) -> Iterator[np.ndarray]:
    """Return the batches of each epoch."""
    rng = np.random.default_rng(3)
    for _ in range(epochs):
        yield rng.permutation(n).reshape(-1, batch)


def test_the_gradient_equals_autograd(problem) -> None:
    """∂L/∂W by hand is what PyTorch derives from the loss."""
    W, X, targets = problem
    weights = torch.tensor(W, requires_grad=True)
    outputs = torch.sigmoid(torch.tensor(X) @ weights.T)
    ((outputs - torch.tensor(targets)) ** 2).sum(dim=1).mean().backward()
    np.testing.assert_allclose(logistic.loss_gradient(W, X, targets), weights.grad.numpy(), rtol=1e-12)


def test_the_gradient_equals_finite_differences(problem) -> None:
    """∂L/∂W by hand is what central differences of the loss give."""
    W, X, targets = problem
    step = 1e-6

    def loss(weights: np.ndarray) -> float:
        return logistic.squared_error(logistic.outputs(weights, X[:, :-1]), targets)

    numeric = np.zeros_like(W)
    for index in np.ndindex(*W.shape):
        shifted = W.copy()
        shifted[index] += step
        upper = loss(shifted)
        shifted[index] -= 2 * step
        numeric[index] = (upper - loss(shifted)) / (2 * step)
    np.testing.assert_allclose(logistic.loss_gradient(W, X, targets), numeric, atol=1e-9)


@pytest.mark.parametrize("penalty", ["lasso", "ridge"])
def test_the_penalty_gradient_equals_autograd(penalty: logistic.Penalty) -> None:
    """λ sign(w) and 2λw are the gradients of λ‖W‖₁ and λ‖W‖₂²."""
    W = np.random.default_rng(0).normal(size=(3, 4))
    weights = torch.tensor(W, requires_grad=True)
    (0.3 * (weights.abs() if penalty == "lasso" else weights**2).sum()).backward()
    np.testing.assert_allclose(logistic.penalty_gradient(W, penalty, 0.3), weights.grad.numpy(), rtol=1e-12)


def test_without_a_penalty_its_gradient_is_zero() -> None:
    """The variant without regularisation ignores λ."""
    assert not logistic.penalty_gradient(np.ones((2, 2)), "none", 5.0).any()


@given(st.floats(-1e4, 1e4))
def test_the_sigmoid_never_overflows(z: float) -> None:
    """It stays in [0, 1] and is symmetric for any argument; warnings are errors here."""
    value, mirrored = logistic.sigmoid(np.array([z, -z], dtype=np.float32))
    assert 0 <= value <= 1
    assert value + mirrored == pytest.approx(1, abs=1e-6)


def test_initial_weights_have_the_stated_spread() -> None:
    """W has shape (10, 785) and standard deviation 0.01, and the generator decides on its entries."""
    W = logistic.initial_weights(np.random.default_rng(0))
    assert W.shape == (10, 785)
    assert W.std() == pytest.approx(0.01, rel=0.03)
    np.testing.assert_array_equal(W, logistic.initial_weights(np.random.default_rng(0)))


def test_nonzero_counts_what_exceeds_the_threshold() -> None:
    """A weight of exactly 0.001 is zero; signs do not matter."""
    assert logistic.count_nonzero(np.array([[0.001, -0.0011, 0.5, 0.0]])) == 2


def test_training_learns_and_records_its_course() -> None:
    """Accuracy rises on separable images; records stand at 0, every so many steps, and at the end."""
    told = []
    W = logistic.initial_weights(np.random.default_rng(0))
    before = W.copy()
    result = fit(
        small_mnist(), W, orders(20), Descent(0.2, "none", 0.0, record_every=50), lambda *what: told.append(what)
    )
    np.testing.assert_array_equal(W, before)
    assert result.steps.tolist() == [0, 50, 100, 120]
    assert result.train_accuracy[-1] > 0.95
    assert result.train_accuracy[0] < 0.5
    assert result.train_loss[-1] < 0.5 * result.train_loss[0]
    assert len(result.norms) == len(result.nonzeros) == len(told) == 20
    assert result.norms[-1] == pytest.approx(np.linalg.norm(result.W), rel=1e-5)
    assert told[-1][0] == 20


def test_a_shorter_training_is_the_beginning_of_a_longer_one() -> None:
    """The numbers after one epoch are a snapshot of the same training, not of another."""
    W, descent = logistic.initial_weights(np.random.default_rng(0)), Descent(0.1, "ridge", 0.01, 10)
    one, five = (fit(small_mnist(), W, orders(epochs), descent) for epochs in (1, 5))
    assert one.norms[0] == five.norms[0]
    assert one.nonzeros[0] == five.nonzeros[0]


def test_lasso_moves_an_idle_weight_by_gamma_lambda() -> None:
    """A pixel that is never inked has no gradient: Lasso alone moves its weight, by γλ per step, across zero."""
    data = small_mnist()
    blank = data.train_images.copy()
    blank[:, 27, 27] = 0
    data = Mnist(blank, data.train_labels.copy(), blank.copy(), data.test_labels.copy())
    W = logistic.initial_weights(np.random.default_rng(0))
    W[:, 783] = 0.004
    result = fit(data, W, (order[:1] for order in orders(1)), Descent(0.1, "lasso", 0.1, 10))
    np.testing.assert_allclose(result.W[:, 783], -0.006, atol=1e-7)
    result = fit(data, W, (order[:2] for order in orders(1)), Descent(0.1, "lasso", 0.1, 10))
    np.testing.assert_allclose(result.W[:, 783], 0.004, atol=1e-7)
