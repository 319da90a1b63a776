"""The run that trains a network, on a handful of random images."""

from itertools import combinations

import numpy as np
import pytest
import torch

from analyses import architecture, cnn, learning_rate, network_runs
from analyses.network_runs import TrainNetwork, base_run, initial_network, resident_data, stored_network, structure
from mnistkit.training import predict
from report.model import RunContext


def test_layers_of_equal_place_and_shape_start_equal():
    """Whatever the network, the first convolution and the last linear layers have the same initial weights."""
    networks = [initial_network(name, RunContext(seed=3)) for name in ("net1", "net2", "net3")]
    shared = 0
    for first, second in combinations(networks, 2):
        for kind in ("convolutions", "linears"):
            for one, other in zip(getattr(first, kind), getattr(second, kind), strict=False):
                if one.weight.shape == other.weight.shape:
                    assert torch.equal(one.weight, other.weight)
                    assert torch.equal(one.bias, other.bias)
                    shared += 1
    assert shared == 1 + 1 + 2 + 3 * 2


def test_a_repeat_and_a_seed_change_the_initial_weights():
    """Another repetition or seed starts elsewhere; the same one starts at the same place."""
    start = initial_network("net1", RunContext(seed=0)).linears[0].weight
    assert torch.equal(start, initial_network("net1", RunContext(seed=0)).linears[0].weight)
    assert not torch.equal(start, initial_network("net1", RunContext(seed=0), repeat=1).linears[0].weight)
    assert not torch.equal(start, initial_network("net1", RunContext(seed=1)).linears[0].weight)


@pytest.mark.parametrize("profile", ["full", "quick"])
def test_sections_share_the_base_run(profile):
    """Net2 at the base γ is one run, equal in sections 4.1 and 4.3."""
    assert cnn.runs(profile)["base"] == architecture.runs(profile)["net2"] == base_run(profile)
    every = {*cnn.runs(profile).values(), *architecture.runs(profile).values(), *learning_rate.runs(profile).values()}
    assert len(every) == 1 + 2 + len(learning_rate.RATES) + 2 * len(cnn.RATES) * cnn.REPEATS[profile]


def test_an_epoch_has_as_many_steps_on_any_data():
    """60 000 / B steps, so that the small subset is trained as long as the full data."""
    assert TrainNetwork(batch_size=500).training_settings().steps_per_epoch == 120


def test_outcome_rebuilds_the_network(tiny):
    """The stored weights give back a network that decides as the trained one did; what was not reached is refused."""
    context = RunContext(data=tiny, seed=1)
    outcome = TrainNetwork("net1", epochs=0, thresholds=(0.5,)).compute(context)
    rebuilt = stored_network("net1", outcome.arrays)
    expected = predict(initial_network("net1", context), resident_data(context).test.images)
    assert torch.equal(predict(rebuilt, resident_data(context).test.images), expected)
    assert outcome.numbers["crossings"] == {"at_0.5": None}
    with pytest.raises(KeyError, match="no snapshot"):
        stored_network("net1", outcome.arrays, "at_0.5")


def test_training_is_the_same_twice(tiny, monkeypatch):
    """Bitwise equal losses and weights, and all documented curves."""
    monkeypatch.setattr(network_runs, "EPOCH_SAMPLES", 3_000)
    run = TrainNetwork("net1", batch_size=50, epochs=1, probe_every=20, probe_images=50, gradient_every=10)
    first, second = (run.compute(RunContext(data=tiny, seed=2)) for _ in range(2))
    assert set(first.arrays) == set(second.arrays)
    assert all(np.array_equal(first.arrays[name], second.arrays[name]) for name in first.arrays)
    assert len(first.arrays["loss"]) == 60
    assert first.arrays["probe_step"].tolist() == [20, 40, 60]
    assert len(first.arrays["gradient_norm_squared"]) == 6
    assert first.numbers == second.numbers


def test_structure_is_read_off_the_modules():
    """Table 5's facts: filters, kernels and sizes of Net3."""
    net3 = structure("net3")
    assert (net3.filters, net3.kernels, net3.n_linear) == ((6, 16, 32), (5, 5, 5), 3)
    assert net3.linear_sizes == (2048, 120, 84, 10)
