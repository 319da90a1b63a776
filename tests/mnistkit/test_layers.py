"""The hand-written gradients against autograd and against finite differences."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mnistkit.layers import Linear, MeanSquaredError, ReLU, Sigmoid, uniform_fan_in


def generator() -> np.random.Generator:
    """Return a fresh generator, the same every time."""
    return np.random.default_rng(7)


def loss_of(layer, X, seed):
    """Return a scalar that depends on every output of a layer."""
    return float((layer.forward(X) * seed).sum())


def finite_differences(function, array, step=1e-6):
    """Return the central differences of a scalar function that reads ``array``, by each of its elements."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = function()
        array[index] = kept - step
        gradient[index] = (above - function()) / (2 * step)
        array[index] = kept
    return gradient


LAYERS = {
    "linear": lambda: Linear(5, 3, generator=generator(), dtype=np.float64),
    "relu": ReLU,
    "sigmoid": Sigmoid,
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_input_gradient_equals_finite_differences(name):
    """∂L/∂x of every layer agrees with central differences in float64."""
    layer = LAYERS[name]()
    X = generator().normal(size=(4, 5))
    seed = generator().normal(size=layer.forward(X).shape)
    actual = layer.backward(seed)
    np.testing.assert_allclose(actual, finite_differences(lambda: loss_of(layer, X, seed), X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_the_weight_gradients_equal_finite_differences(name):
    """∂L/∂W and ∂L/∂b agree with central differences in float64."""
    layer = LAYERS["linear"]()
    X, seed = generator().normal(size=(4, 5)), generator().normal(size=(4, 3))
    layer.forward(X)
    layer.backward(seed)
    expected = finite_differences(lambda: loss_of(layer, X, seed), getattr(layer, name))
    np.testing.assert_allclose(getattr(layer, f"{name}_grad"), expected, rtol=1e-6, atol=1e-8)


def test_a_linear_layer_equals_pytorch():
    """Output and all three gradients are those of torch.nn.functional.linear."""
    layer = LAYERS["linear"]()
    X, seed = generator().normal(size=(4, 5)), generator().normal(size=(4, 3))
    tensors = [torch.from_numpy(array.copy()).requires_grad_() for array in (X, layer.weight, layer.bias)]
    output = torch.nn.functional.linear(*tensors)
    expected = torch.autograd.grad(output, tensors, torch.from_numpy(seed))
    np.testing.assert_allclose(layer.forward(X), output.detach().numpy())
    input_grad = layer.backward(seed)
    for actual, wanted in zip((input_grad, layer.weight_grad, layer.bias_grad), expected, strict=True):
        np.testing.assert_allclose(actual, wanted.numpy())


@pytest.mark.parametrize(("layer", "function"), [(ReLU(), torch.relu), (Sigmoid(), torch.sigmoid)])
def test_an_activation_equals_pytorch(layer, function):
    """Output and gradient are PyTorch's, also at 0 and far out."""
    X = np.array([[-800.0, -2.0, -1e-9, 0.0, 1e-9, 3.0, 800.0]])
    tensor = torch.from_numpy(X).requires_grad_()
    output = function(tensor)
    (expected,) = torch.autograd.grad(output.sum(), tensor)
    np.testing.assert_allclose(layer.forward(X), output.detach().numpy(), atol=1e-15)
    np.testing.assert_allclose(layer.backward(np.ones_like(X)), expected.numpy(), atol=1e-15)


def test_the_error_is_summed_over_outputs_and_averaged_over_the_batch():
    """L = (1/B) Σ ‖o - t‖², and its gradient is autograd's."""
    outputs, targets = generator().normal(size=(4, 3)), np.eye(3)[[0, 1, 2, 0]]
    tensor = torch.from_numpy(outputs).requires_grad_()
    loss = (tensor - torch.from_numpy(targets)).square().sum(1).mean()
    (expected,) = torch.autograd.grad(loss, tensor)
    error = MeanSquaredError()
    assert error.forward(outputs, targets) == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(error.backward(), expected.numpy())


def test_float32_stays_float32():
    """No layer widens the type of its input, forwards or backwards."""
    layers = [Linear(5, 5, generator=generator()), ReLU(), Sigmoid()]
    X = generator().normal(size=(4, 5)).astype(np.float32)
    error = MeanSquaredError()
    for layer in layers:
        X = layer.forward(X)
        assert X.dtype == np.float32
    error.forward(X, np.zeros_like(X))
    grad = error.backward()
    for layer in reversed(layers):
        assert grad.dtype == np.float32
        grad = layer.backward(grad)


def test_a_step_goes_down_the_gradient():
    """Weight and bias change by -γ times their gradients."""
    layer = LAYERS["linear"]()
    layer.forward(np.ones((2, 5)))
    layer.backward(np.ones((2, 3)))
    weight, bias = layer.weight.copy(), layer.bias.copy()
    layer.step(0.5)
    np.testing.assert_allclose(layer.weight, weight - 0.5 * layer.weight_grad)
    np.testing.assert_allclose(layer.bias, bias - 0.5 * layer.bias_grad)


@given(st.integers(1, 2000))
def test_initial_weights_fill_their_interval(fan_in):
    """Draws lie within ±1/√fan_in and reach well into both halves."""
    drawn = uniform_fan_in(generator(), (50, 20), fan_in)
    bound = fan_in**-0.5
    assert drawn.dtype == np.float32
    assert np.abs(drawn).max() <= bound * (1 + 1e-6)
    assert drawn.min() < -0.9 * bound < 0.9 * bound < drawn.max()
