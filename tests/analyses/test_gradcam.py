"""Section 4.5: maps over the test set, and how much of the ink they cover."""

import numpy as np
import pytest
import torch

from analyses import gradcam, overlap
from mnistkit.data import Mnist
from mnistkit.networks import build
from mnistkit.snapshots import state_arrays
from report.model import Outcome, RunContext


@pytest.fixture
def context():
    """Return random test images and an untrained network to explain."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (200, 28, 28), dtype=np.uint8)
    labels = np.arange(200, dtype=np.uint8) % 10
    network = Outcome(state_arrays(build("net2", np.random.default_rng(1))))
    return RunContext(data=Mnist(images, labels, images, labels), upstream={"network": network})


def arrays(share_of_one, share_of_others, hot_share=0.2):
    """Return the arrays of maps with the given mean shares, four test images per digit."""
    labels = np.repeat(np.arange(10), 4)
    spread = np.tile([-0.05, 0.05], 20)
    return {
        "labels": labels,
        "correct": np.ones(40, bool),
        "ink_share": np.where(labels == 1, share_of_one, share_of_others) + spread,
        "hot_share": np.full(40, hot_share),
        "centre_share": np.full(40, 0.5),
        "seen_share": np.where(labels == 1, 0.95, 0.8),
        "inked_share": np.full(40, 0.2),
        "examples": np.arange(0, 40, 4),
        "images": np.random.default_rng(0).random((10, 28, 28)),
        "maps": np.random.default_rng(1).random((10, 28, 28)),
    }


def analysed(**shares):
    """Analyse made-up maps."""
    return gradcam.analyse(gradcam.runs("quick"), {"maps": Outcome(arrays(**shares), {"receptive_field": 9})})


def test_maps_explain_the_network_of_section_4_1():
    """No training of its own: the run is the one of other sections, and the maps wait for it."""
    runs = gradcam.runs("full")
    assert runs["maps"].network == runs["network"] == overlap.runs("full")["network"]


def test_run_measures_every_test_image_and_keeps_one_right_one_per_digit(context):
    """The examples are correctly classified, and are the first of their digit."""
    found = gradcam.runs("quick")["maps"].compute(context).arrays
    assert found["ink_share"].shape == found["hot_share"].shape == (200,)
    assert ((found["ink_share"] >= 0) & (found["ink_share"] <= 1)).all()
    assert found["correct"][found["examples"]].all()
    assert (found["seen_share"] >= found["centre_share"]).all()
    assert found["images"].shape == found["maps"].shape == (len(found["examples"]), 28, 28)
    assert found["images"].max() <= 1
    assert (found["maps"] >= 0).all()


def test_first_correct_passes_over_errors_and_missing_digits():
    """A digit that is never recognised has no example."""
    labels, correct = np.array([3, 3, 0, 3]), np.array([False, True, True, True])
    assert gradcam.first_correct(labels, correct) == [2, None, None, 1, None, None, None, None, None, None]


def test_a_unit_sees_the_square_of_its_kernels():
    """Two kernels of 5 see 9 pixels; the only hot unit (2, 0) of a 20 by 20 map sees rows 2 to 10, columns 0 to 8."""
    field = gradcam.receptive_field((5, 5))
    coarse = torch.zeros(1, 20, 20)
    coarse[0, 2, 0], coarse[0, 9, 9] = 1.0, 0.4
    found = gradcam.seen(coarse, 0.5, field)[0]
    assert found.shape == (28, 28)
    assert found[2:11, 0:9].eq(1).all()
    assert found.sum() == field**2


def test_a_map_of_zeros_sees_nothing():
    """Nothing is hot where there is no maximum."""
    assert gradcam.seen(torch.zeros(1, 20, 20), 0.5, 9).sum() == 0


def test_claims_hold_when_only_one_is_covered():
    """Means over the test set decide; the slack is the distance from the stated limit."""
    claims = analysed(share_of_one=0.94, share_of_others=0.5).claims
    assert claims["partial_attention"].holds
    assert claims["one_is_covered"].slack == pytest.approx(0.04)
    assert claims["one_stands_out"].slack == pytest.approx(0.44)
    assert claims["ink_is_preferred"].holds
    assert claims["one_is_seen"].slack == pytest.approx(0.05)
    assert claims["heat_lies_beside_ink"].slack == pytest.approx(0.3)


def test_claims_fail_when_every_digit_is_covered_alike():
    """A map that is hot everywhere prefers no ink and covers all of it."""
    claims = analysed(share_of_one=0.9, share_of_others=0.91, hot_share=1.0).claims
    assert not claims["partial_attention"].holds
    assert not claims["one_stands_out"].holds
    assert not claims["ink_is_preferred"].holds


def test_table_averages_each_digit():
    """One row per digit, with the spread over its images."""
    table = gradcam.by_digit(arrays(share_of_one=0.8, share_of_others=0.4))
    assert table.column("digit") == tuple(range(10))
    assert table.column("ink_share")[1] == pytest.approx(0.8)
    assert table.column("spread") == pytest.approx([0.05] * 10)


def test_every_figure_is_drawn_even_if_a_digit_has_no_example():
    """Panels without an image stay empty."""
    found = arrays(share_of_one=0.8, share_of_others=0.4)
    fewer = {**found, **{name: found[name][:7] for name in ("examples", "images", "maps")}}
    assert gradcam.draw_overlays(fewer).pdf.startswith(b"%PDF")
