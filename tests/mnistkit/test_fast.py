"""The hand-written passes against autograd of the plain modules."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from mnistkit import fast, onednn
from mnistkit.networks import FILTERS, build
from mnistkit.passes import AutogradPasses, inference_logits, passes_of
from mnistkit.torch_setup import Compute

needs_onednn = pytest.mark.skipif(not onednn.AVAILABLE, reason="this PyTorch has no oneDNN")


def example(name, dtype=torch.float32):
    """Return a network, images with blank borders as in MNIST, and ∂L/∂logits."""
    network = build(name, np.random.default_rng(3))
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(12, 1, 28, 28, generator=generator)
    images[:, :, :6] = 0
    return network, images.to(dtype), torch.randn(12, 10, generator=generator, dtype=dtype)


def relative(actual, expected):
    """Return ‖actual - expected‖ / ‖expected‖."""
    return ((actual.double() - expected.double()).norm() / expected.double().norm()).item()


@needs_onednn
@pytest.mark.parametrize("name", FILTERS)
def test_the_passes_equal_autograd(name):
    """Logits and all gradients agree with autograd in float64 to the rounding of float32 sums."""
    network, images, grad = example(name)
    by_hand = fast.FastNetwork(network, Compute())
    logits = by_hand.forward(images)
    gradients = by_hand.backward(grad)
    network.double()
    expected_logits = network.logits(images.double())
    expected = torch.autograd.grad(expected_logits, tuple(network.parameters()), grad.double())
    assert relative(logits, expected_logits.detach()) < 2e-6
    for actual, wanted in zip(gradients, expected, strict=True):
        assert actual.shape == wanted.shape
        assert relative(actual, wanted) < 2e-5


@needs_onednn
@pytest.mark.parametrize("name", FILTERS)
def test_bfloat16_differs_by_its_rounding_only(name):
    """With 8 bits of mantissa, logits agree to about 1 % and gradients to about 10 %."""
    network, images, grad = example(name)
    by_hand = fast.FastNetwork(network, Compute(precision="bf16"))
    expected = AutogradPasses(network, Compute())
    logits, wanted = by_hand.forward(images), expected.forward(images)
    assert logits.dtype == torch.float32
    assert relative(logits, wanted) < 0.02
    for actual, correct in zip(by_hand.backward(grad), expected.backward(grad), strict=True):
        assert relative(actual, correct) < 0.15


@needs_onednn
def test_ties_in_the_pooling_send_the_gradient_to_one_place():
    """Blank regions give windows of equal values; like PyTorch, only the first of them gets the gradient."""
    maps = torch.ones(1, 2, 4, 4).contiguous(memory_format=torch.channels_last)
    pooling = fast.Pooling()
    pooling.forward(maps)
    grad = pooling.backward(torch.ones(1, 8))
    assert grad.sum() == 8
    assert (grad[:, :, ::2, ::2] == 1).all()


@pytest.mark.parametrize("name", FILTERS)
def test_inference_equals_the_plain_network(name):
    """Evaluation gives the logits of the modules."""
    network, images, _ = example(name)
    with torch.no_grad():
        expected = network.logits(images)
    torch.testing.assert_close(inference_logits(network, images, Compute()), expected)
    half = inference_logits(network, images, Compute(precision="bf16"))
    assert relative(half, expected) < 0.02


def test_autograd_passes_give_autograds_gradients():
    """The passes for GPUs are those of the plain network, here on the CPU."""
    network, images, grad = example("net1")
    passes = AutogradPasses(network, Compute())
    logits = passes.forward(images)
    expected_logits = network.logits(images)
    expected = torch.autograd.grad(expected_logits, tuple(network.parameters()), grad)
    assert torch.equal(logits, expected_logits)
    assert not logits.requires_grad
    for actual, wanted in zip(passes.backward(grad), expected, strict=True):
        assert torch.equal(actual, wanted)


def test_without_onednn_autograd_is_used(monkeypatch):
    """A PyTorch without the operator still trains and evaluates."""
    network, images, _ = example("net1")
    expected = network.logits(images)
    monkeypatch.setattr(onednn, "AVAILABLE", False)
    assert isinstance(passes_of(network, Compute()), AutogradPasses)
    torch.testing.assert_close(inference_logits(network, images, Compute()), expected.detach())
    layer = network.linears[0]
    X = torch.rand(3, layer.in_features)
    torch.testing.assert_close(onednn.linear(layer, X), layer(X))


def test_two_rows_at_once_equal_one_row_after_the_other():
    """row_pairs and unpair together are the plain convolution, and pair undoes unpair."""
    weight, images = torch.randn(4, 3, 5, 5), torch.randn(2, 3, 14, 11)
    rows = functional.conv2d(images, fast.row_pairs(weight), stride=(2, 1))
    torch.testing.assert_close(fast.unpair(rows), functional.conv2d(images, weight), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(fast.pair(fast.unpair(rows)), rows)


@needs_onednn
def test_a_linear_layer_with_gradients_equals_the_module():
    """onednn.linear is torch.nn.Linear, forwards and backwards."""
    layer = torch.nn.Linear(7, 5)
    X, grad = torch.randn(6, 7, requires_grad=True), torch.randn(6, 5)
    wanted = (X, layer.weight, layer.bias)
    actual, expected = onednn.linear(layer, X), layer(X)
    torch.testing.assert_close(actual, expected)
    for mine, theirs in zip(
        torch.autograd.grad(actual, wanted, grad), torch.autograd.grad(expected, wanted, grad), strict=True
    ):
        torch.testing.assert_close(mine, theirs)
