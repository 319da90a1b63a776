"""Section 4.6: which digits excite class 5."""

import numpy as np
import pytest

from analyses import overlap
from mnistkit.data import Mnist
from mnistkit.networks import build
from mnistkit.snapshots import state_arrays
from report.model import Outcome, RunContext

LABELS = np.repeat(np.arange(10), 4)


def analysed(exciting):
    """Analyse made-up maps in which the given digits hold as much evidence as 5, and the others a tenth of it."""
    evidence = np.where(np.isin(LABELS, [*exciting, 5]), 2.0, 0.2)
    pictures = np.random.default_rng(0).random((10, 28, 28))
    arrays = {
        "labels": LABELS, "evidence": evidence, "examples": np.arange(0, 40, 4), "images": pictures, "maps": pictures,
    }  # fmt: skip
    return overlap.analyse(overlap.runs("quick"), {"maps": Outcome(arrays)})


def test_evidence_is_measured_in_images_of_the_target():
    """The target's mean is 1; half of it excites, less does not, and most images must."""
    evidence = np.zeros(40)
    evidence[LABELS == 5] = [1, 2, 3, 2]
    evidence[LABELS == 3] = [1.0, 1.0, 1.0, 0.99]
    evidence[LABELS == 8] = [4.0, 4.0, 0.0, 0.0]
    table = overlap.excitement(LABELS, evidence, target=5)
    assert table.column("relative_evidence")[5] == pytest.approx(1)
    assert table.column("share")[3] == pytest.approx(0.75)
    assert table.column("share")[8] == pytest.approx(0.5)
    assert table.column("nonzero")[8] == pytest.approx(0.5)
    assert [digit for digit, excites in zip(range(10), table.column("excites"), strict=True) if excites] == [3, 5]


def test_a_network_without_evidence_excites_nothing():
    """Maps that are zero everywhere divide by nothing."""
    table = overlap.excitement(LABELS, np.zeros(40), target=5)
    assert not any(table.column("excites"))


def test_the_named_digits_are_recognised_as_such():
    """Exactly the digits that the original names: both claims hold."""
    result = analysed([1, 3, 4, 8, 9])
    assert result.claims["other_digits_excite_five"].holds
    assert result.claims["exciting_digits_are_the_named"].holds
    assert result.tables["exciting_digits"].column("digit") == (1, 3, 4, 8, 9)
    assert result.values["n_agreeing"].number == 9
    assert result.claims["maps_are_rarely_blank"].slack == pytest.approx(0.1)


@pytest.mark.parametrize("exciting", [[1, 3, 4, 8], [1, 3, 4, 6, 8, 9]])
def test_one_digit_more_or_less_is_another_set(exciting):
    """Digits excite 5, but not the ones that were named."""
    result = analysed(exciting)
    assert result.claims["other_digits_excite_five"].holds
    assert not result.claims["exciting_digits_are_the_named"].holds
    assert result.values["n_agreeing"].number == 8


def test_without_any_exciting_digit_the_hypothesis_fails():
    """The first claim is about digits other than the target."""
    result = analysed([])
    assert not result.claims["other_digits_excite_five"].holds
    assert result.tables["exciting_digits"].rows == ()


def test_run_maps_every_test_image_for_the_target_class():
    """Evidence is a mean over the enlarged map, so it is at least 0."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (50, 28, 28), dtype=np.uint8)
    labels = (np.arange(50) % 10).astype(np.uint8)
    context = RunContext(
        data=Mnist(images, labels, images, labels),
        upstream={"network": Outcome(state_arrays(build("net2", np.random.default_rng(1))))},
    )
    found = overlap.runs("quick")["maps"].compute(context).arrays
    assert found["evidence"].shape == (50,)
    assert (found["evidence"] >= 0).all()
    assert found["evidence"].max() > 0
