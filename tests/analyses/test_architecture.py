"""Sections 4.3 and 4.4: the course of a training, and how features change."""

import numpy as np
import pytest
import torch

from analyses import architecture, bottleneck, feature_runs
from analyses.feature_runs import CompareMoments
from analyses.network_runs import TrainNetwork, initial_network
from mnistkit.snapshots import state_arrays
from report.model import Outcome, RunContext

FAST = architecture.Course(100, 300, 900, 3_000)
MIDDLE = architecture.Course(150, 350, 700, 3_000)
SLOW = architecture.Course(300, 500, 650, 3_000)


def test_the_original_order_supports_every_claim():
    """Fewer convolutions: a faster start, a longer plateau."""
    claims = architecture.judge({"net1": FAST, "net2": MIDDLE, "net3": SLOW})
    assert {name: claim.holds for name, claim in claims.items()} == dict.fromkeys(claims, True)
    assert claims["net1_fast_start"].slack == 50
    assert claims["net1_long_plateau"].slack == 250


def test_exchanged_networks_refute_the_claims():
    """With Net1 and Net3 exchanged, only Net2 keeps its place in neither order."""
    claims = architecture.judge({"net1": SLOW, "net2": MIDDLE, "net3": FAST})
    assert not any(claim.holds for claim in claims.values())


def test_an_unfinished_plateau_counts_as_long_as_it_was_seen():
    """Net1 that never left its plateau has the longest one; the evidence says that the number is a bound."""
    stuck = architecture.Course(100, 300, None, 3_000)
    claim = architecture.judge({"net1": stuck, "net2": MIDDLE, "net3": SLOW})["net1_long_plateau"]
    assert stuck.plateau is None
    assert claim.holds
    assert claim.slack == 2_700 - 350
    assert "Net1 ≥ 2700" in claim.evidence


def test_table_5_is_read_off_the_networks():
    """Filters, linear layers and parameters; a missing convolution is an empty cell."""
    table = architecture.networks_table(dict.fromkeys(("net1", "net2", "net3")))
    assert table.column("filters_2") == (None, 16, 16)
    assert table.column("n_linear") == (3, 3, 3)
    assert table.rows[1][-1] == 6 * 26 + 16 * (6 * 25 + 1) + 1601 * 120 + 121 * 84 + 85 * 10


def trained(context, moments):
    """Return a pretended training whose network never changed, with snapshots at the given moments."""
    network = initial_network("net1", context)
    arrays = {"loss": np.zeros(100)}
    for moment in moments:
        with torch.no_grad():
            network.convolutions[0].weight += 0.01
        arrays |= state_arrays(network, moment)
    crossings = {
        name: 50 * (index + 1) if name in moments else None for index, name in enumerate(("at_0.82", "at_0.95"))
    }
    return Outcome(arrays, {"crossings": crossings})


@pytest.fixture
def compared(tiny):
    """Return a function that compares and analyses a training with the given moments."""

    def compare(*moments):
        run = CompareMoments(TrainNetwork("net1"), n_images=20)
        context = RunContext(data=tiny, upstream={"training": trained(RunContext(), moments)})
        return bottleneck.analyse({"comparison": run}, {"comparison": run.compute(context)})

    return compare


def test_maps_come_nearer_to_the_final_ones(compared):
    """Weights that move straight to the end give a similarity that rises to 1, and no movement of the linear layers."""
    result = compared("at_0.82", "at_0.95", "final")
    assert result.claims["features_change_in_plateau"].holds
    assert result.values["similarity_final"].number == pytest.approx(1)
    assert result.tables["phases"].column("linear") == (0, 0, 0)
    assert result.tables["phases"].column("ratio") == (None, None, None)
    assert result.tables["phases"].column("steps") == (50, 50, 0)
    assert not result.claims["filters_move_most_in_plateau"].holds


@pytest.mark.parametrize("moments", [("final",), ("at_0.82", "final")])
def test_a_training_without_the_whole_plateau_decides_nothing(compared, moments):
    """The section is still drawn; its claims do not hold and say why."""
    result = compared(*moments)
    assert result.values["complete"].number == 0
    assert set(result.claims) == set(bottleneck.CLAIMS)
    assert all("无从比较" in claim.evidence and not claim.holds for claim in result.claims.values())
    assert "similarity_end" not in result.values
    assert result.figures["feature_maps"].pdf.startswith(b"%PDF")


def test_similarity_of_maps():
    """The cosine ignores the scale; an empty map is like nothing but another empty map."""
    maps = torch.tensor([[[[1.0, 2.0]], [[0.0, 0.0]], [[0.0, 0.0]], [[1.0, 0.0]]]])
    others = torch.tensor([[[[2.0, 4.0]], [[1.0, 0.0]], [[0.0, 0.0]], [[1.0, 1.0]]]])
    assert feature_runs.similarity(maps, others).tolist() == pytest.approx([1.0, 0.0, 1.0, 0.5**0.5])
