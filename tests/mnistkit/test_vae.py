"""The autoencoder: both terms of its loss, its passes, its training."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as reference_kl

from mnistkit.torch_setup import Compute
from mnistkit.vae import VaeSettings, build_vae, kl_divergence, reconstruction_loss, train_vae

SETTINGS = VaeSettings(batch_size=50, epochs=3, hidden=(30, 20), n_latent=4, shown_epochs=(0, 1, 3), n_shown=3)


def run(data, settings=SETTINGS, precision="fp32"):
    """Train from fresh generators."""
    weights, order, noise = (np.random.default_rng(seed) for seed in (0, 1, 2))
    return train_vae(settings, data, weights=weights, order=order, noise=noise, compute=Compute(precision=precision))


def test_the_kl_divergence_equals_torch_distributions():
    """Against the normal prior, for roots of both signs."""
    generator = torch.Generator().manual_seed(0)
    mean, root = (torch.randn(6, 10, generator=generator, dtype=torch.float64) for _ in range(2))
    expected = reference_kl(Normal(mean, root.abs()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(kl_divergence(mean, root), expected)
    assert kl_divergence(torch.zeros(1, 10), torch.ones(1, 10)).item() == pytest.approx(0, abs=1e-6)


def test_a_root_of_zero_is_guarded():
    """Loss and gradient stay finite where the variance is 0."""
    root = torch.zeros(1, 10, requires_grad=True)
    loss = kl_divergence(torch.zeros(1, 10), root).sum()
    (grad,) = torch.autograd.grad(loss, root)
    assert torch.isfinite(loss)
    assert torch.isfinite(grad).all()


def test_the_reconstruction_loss_is_the_cross_entropy_of_each_image():
    """-Σ (x ln p + (1 - x) ln(1 - p)) over the pixels, p = sigmoid(logits)."""
    logits, X = torch.randn(3, 784, dtype=torch.float64), torch.rand(3, 784, dtype=torch.float64)
    p = logits.sigmoid()
    expected = -(X * p.log() + (1 - X) * (1 - p).log()).sum(1)
    torch.testing.assert_close(reconstruction_loss(logits, X), expected)


def test_sizes_follow_the_report():
    """784 → 300 → 100 → two heads of 10, and back."""
    network = build_vae(np.random.default_rng(0))
    X = torch.rand(2, 784)
    mean, root = network.encode(X)
    assert mean.shape == root.shape == (2, 10)
    sizes = [(layer.in_features, layer.out_features) for layer in (*network.encoder, *network.decoder, network.output)]
    assert sizes == [(784, 300), (300, 100), (10, 100), (100, 300), (300, 784)]
    pixels = network.reconstruct(X)
    assert pixels.shape == (2, 784)
    assert ((pixels > 0) & (pixels < 1)).all()


def test_noise_enters_with_the_root():
    """Without noise the latent variable is the mean; with noise it is mean + root · noise."""
    network = build_vae(np.random.default_rng(0))
    X, noise = torch.rand(2, 784), torch.randn(2, 10)
    mean, root = network.encode(X)
    torch.testing.assert_close(network(X, noise)[0].sigmoid(), network.sample(mean + root * noise))
    torch.testing.assert_close(network(X, torch.zeros(2, 10))[0].sigmoid(), network.reconstruct(X))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_improves_and_repeats_itself(data, precision):
    """The loss falls; equal generators give equal bits."""
    first, second = run(data, precision=precision), run(data, precision=precision)
    total = first.curves["reconstruction_loss"] + first.curves["kl_loss"]
    assert total.shape == (3,)
    assert total[-1] < total[0]
    assert first.curves["test_reconstruction_loss"].shape == first.curves["test_kl_loss"].shape == (3,)
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[name])


def test_pictures_are_kept_at_the_wanted_epochs(data, digits):
    """Originals, reconstructions and samples have the shapes of images, with pixels in [0, 1]."""
    curves = run(data).curves
    np.testing.assert_array_equal(curves["shown_epochs"], [0, 1, 3])
    assert curves["reconstructions"].shape == (3, 3, 28, 28)
    assert curves["samples"].shape == (30, 28, 28)
    np.testing.assert_allclose(curves["originals"], digits[1][0][:3] / 255, atol=1e-7)
    assert 0 <= curves["reconstructions"].min() <= curves["reconstructions"].max() <= 1


def test_no_picture_need_be_kept(data):
    """Without wanted epochs the array is empty but keeps its shape."""
    settings = VaeSettings(batch_size=100, epochs=1, hidden=(8,), n_latent=2, shown_epochs=())
    assert run(data, settings).curves["reconstructions"].shape == (0, 10, 28, 28)
