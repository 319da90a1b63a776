"""The three networks: structure, initial weights, outputs."""

import numpy as np
import pytest
import torch

from mnistkit.networks import FILTERS, build, describe


def make(name, seed=0):
    """Build a network from a fresh generator."""
    return build(name, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("name", "filters", "pooled"), [("net1", (6,), 864), ("net2", (6, 16), 1600), ("net3", (6, 16, 32), 2048)]
)
def test_the_description_is_read_off_the_modules(name, filters, pooled):
    """Filters, kernels, linear layers and parameters are those of the report's table."""
    network = make(name)
    found = describe(network)
    assert found.filters == filters
    assert found.kernels == (5,) * len(filters)
    assert found.linear_sizes == (pooled, 120, 84, 10)
    assert found.n_linear == 3
    assert found.n_parameters == sum(parameter.numel() for parameter in network.parameters())


def test_a_network_without_linear_layers_has_none():
    """A description can be made of any module."""
    assert describe(torch.nn.Conv2d(1, 2, 3)).n_linear == 0


@pytest.mark.parametrize("name", FILTERS)
def test_outputs_are_probabilities(name):
    """The last layer is a softmax; the logits are its input."""
    network, images = make(name), torch.rand(4, 1, 28, 28)
    outputs = network(images)
    assert outputs.shape == (4, 10)
    torch.testing.assert_close(outputs.sum(1), torch.ones(4))
    torch.testing.assert_close(outputs, network.logits(images).softmax(1))


def test_feature_maps_are_not_negative_and_shrink_by_four():
    """One map per filter of each convolution, after its ReLU."""
    maps = make("net3").feature_maps(torch.rand(2, 1, 28, 28))
    assert [tuple(one.shape) for one in maps] == [(2, 6, 24, 24), (2, 16, 20, 20), (2, 32, 16, 16)]
    assert all((one >= 0).all() for one in maps)


def test_a_seed_settles_every_weight():
    """Equal generators give equal weights, others others, and PyTorch's global generator is not touched."""
    state = torch.random.get_rng_state()
    first, second, other = (make("net2", seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_weights_follow_pytorchs_default_distribution():
    """Every layer is uniform in ±1/√fan_in, as the same layer made by PyTorch."""
    network = make("net2")
    for layer in (*network.convolutions, *network.linears):
        bound = layer.weight[0].numel() ** -0.5
        assert layer.weight.abs().max() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.15)
        assert layer.bias.abs().max() <= bound


def test_an_unknown_name_is_refused():
    """The message lists the networks."""
    with pytest.raises(ValueError, match="no network 'net4'; known: net1, net2, net3"):
        make("net4")
