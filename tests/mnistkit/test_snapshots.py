"""Stored weights and first crossings."""

import numpy as np
import pytest
import torch

from mnistkit.networks import build
from mnistkit.snapshots import FINAL, FirstCrossings, load_state, state_arrays, threshold_name


@pytest.fixture
def network():
    """Return a small network."""
    return build("net1", np.random.default_rng(0))


def test_weights_survive_the_round_trip(network):
    """A network filled from the arrays computes the same."""
    other = build("net1", np.random.default_rng(1))
    load_state(other, state_arrays(network))
    images = torch.rand(2, 1, 28, 28)
    assert torch.equal(other(images), network(images))


def test_stored_weights_are_copies(network):
    """Training on does not change what was stored."""
    arrays = state_arrays(network, "then")
    before = {name: array.copy() for name, array in arrays.items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    assert set(arrays) == {f"state/then/{name}" for name in network.state_dict()}
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[name])


def test_a_missing_snapshot_is_named(network):
    """The message lists what is there."""
    with pytest.raises(KeyError, match=r"no snapshot 'at_0.9' among the arrays; present: final"):
        load_state(network, state_arrays(network, FINAL), "at_0.9")
    with pytest.raises(KeyError, match="present: none"):
        load_state(network, {})


def test_each_threshold_fires_once_at_its_first_crossing(network):
    """Later falls and rises change nothing; a threshold that is met exactly counts; an unmet one stays None."""
    crossings = FirstCrossings((0.95, 0.82, 0.99))
    stored = {}
    for step, accuracy in ((50, 0.1), (100, 0.82), (150, 0.5), (200, 0.9), (250, 0.96), (300, 0.8), (350, 0.97)):
        with torch.no_grad():
            network.linears[-1].bias.fill_(step)
        crossings.observe(network, step, accuracy)
        stored = {name: array[0] for name, array in crossings.arrays.items() if name.endswith("linears.2.bias")}
    assert crossings.steps == {"at_0.82": 100, "at_0.95": 250, "at_0.99": None}
    assert stored == {"state/at_0.82/linears.2.bias": 100, "state/at_0.95/linears.2.bias": 250}


def test_one_measurement_can_cross_several_thresholds(network):
    """A leap stores the same weights under each name."""
    crossings = FirstCrossings((0.5, 0.6))
    crossings.observe(network, 50, 0.7)
    assert crossings.steps == {threshold_name(0.5): 50, threshold_name(0.6): 50}
