"""Grad-CAM against closed forms."""

import numpy as np
import pytest
import torch
from torch import nn

from mnistkit.gradcam import coarse_maps, gradcam, hot_ink_share, recorded_output
from mnistkit.networks import build


class LinearHead(nn.Module):
    """Maps, their means, and one linear layer: the network for which CAM is defined."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(1, 3, 1)
        self.head = nn.Linear(3, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores."""
        return self.head(self.maps(images).mean(dim=(2, 3)))


def test_a_linear_head_gives_cam():
    """On S^c = Σ w_k^c mean(A_k), α_k^c = w_k^c / Z, so the map is ReLU(Σ w_k^c A_k) / Z: that of CAM."""
    network, images = LinearHead(), torch.rand(5, 1, 28, 28)
    classes = torch.tensor([0, 3, 3, 9, 5])
    maps = gradcam(network, network.maps, images, classes)
    activations = network.maps(images).detach()
    weights = network.head.weight[classes]  # (B, 3)
    expected = torch.einsum("bkhw,bk->bhw", activations, weights).relu() / (28 * 28)
    torch.testing.assert_close(maps, expected.detach())


def test_one_class_for_all_images_may_be_a_number():
    """An int stands for the same class on every image."""
    network, images = LinearHead(), torch.rand(3, 1, 28, 28)
    expected = gradcam(network, network.maps, images, torch.tensor([5, 5, 5]))
    torch.testing.assert_close(gradcam(network, network.maps, images, 5), expected)


def test_batches_do_not_change_the_maps():
    """The maps of a real network do not depend on how the images are split, and are as large as the images."""
    network = build("net2", np.random.default_rng(0))
    images, classes = torch.rand(7, 1, 28, 28), torch.arange(7)
    whole = gradcam(network.logits, network.activations[-1], images, classes)
    parts = gradcam(network.logits, network.activations[-1], images, classes, batch_size=3)
    assert whole.shape == (7, 28, 28)
    assert (whole >= 0).all()
    torch.testing.assert_close(whole, parts)


def test_the_weights_are_the_mean_gradients_of_the_maps():
    """α and the map of Net2 agree with autograd through the whole network."""
    network = build("net2", np.random.default_rng(0))
    image = torch.rand(1, 1, 28, 28)
    activations = network.feature_maps(image)[-1]
    score = network.classify(nn.functional.max_pool2d(activations, 2))[0, 4]
    (gradients,) = torch.autograd.grad(score, activations)
    alpha = gradients.mean(dim=(2, 3))[0]
    expected = sum(weight * one for weight, one in zip(alpha, activations[0], strict=True)).relu()
    torch.testing.assert_close(coarse_maps(activations, gradients)[0], expected)
    fine = nn.functional.interpolate(expected[None, None], size=(28, 28), mode="bilinear")[0, 0]
    torch.testing.assert_close(gradcam(network.logits, network.activations[-1], image, 4)[0], fine.detach())


def test_no_images_give_no_maps():
    """An empty set is allowed."""
    network = LinearHead()
    assert gradcam(network, network.maps, torch.empty(0, 1, 28, 28), 5).shape == (0, 28, 28)


def test_the_hook_is_released():
    """Also when the passes fail; the network's parameters keep no gradient."""
    network = LinearHead()
    gradcam(network, network.maps, torch.rand(2, 1, 28, 28), 1)
    assert not network.maps._forward_hooks
    with pytest.raises(RuntimeError), recorded_output(network.maps):
        network(torch.rand(2, 3, 28, 28))
    assert not network.maps._forward_hooks
    assert all(parameter.grad is None for parameter in network.parameters())


def test_the_hot_share_counts_ink_above_half_of_the_maximum():
    """Of 4 inked pixels 1 lies where the map exceeds half of its maximum; a map of zeros has no hot area."""
    images, maps = torch.zeros(3, 1, 28, 28), torch.zeros(3, 28, 28)
    images[:2, 0, 0, :4] = 1.0
    images[:, 0, 5, 5] = 0.4  # not ink
    maps[0, 0, 0], maps[0, 0, 1], maps[0, 9, 9] = 3.0, 1.5, 2.0
    torch.testing.assert_close(hot_ink_share(maps, images), torch.tensor([0.25, 0.0, 0.0]))
