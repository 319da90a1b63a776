"""What is measured on training curves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analyses import curves


def test_block_means_average_whole_blocks_and_place_them_in_the_middle():
    """Seven steps in blocks of two make three blocks; the seventh step is left out."""
    blocks = curves.block_means(np.array([1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 100.0]), block=2, steps_per_epoch=4)
    assert blocks.means.tolist() == [2.0, 6.0, 10.0]
    assert blocks.epochs.tolist() == [0.25, 0.75, 1.25]


def test_block_longer_than_the_curve_is_shortened():
    """A training shorter than a block still gives one point."""
    assert curves.block_means(np.array([1.0, 2.0]), block=50, steps_per_epoch=2).means.tolist() == [1.5]


@given(hnp.arrays(np.float32, st.integers(8, 60), elements=st.floats(-10, 10, width=32)), st.integers(2, 80))
def test_late_rise_changes_sign_with_the_curve(losses, window):
    """A curve turned upside down falls by as much as it rose."""
    assert curves.late_rise(-losses, window) == pytest.approx(-curves.late_rise(losses, window), abs=1e-6)


def test_late_rise_compares_the_halves_of_the_window_only():
    """What happened before the window does not matter."""
    assert curves.late_rise(np.array([9.0, 9.0, 1.0, 1.0, 2.0, 2.0]), window=4) == 1.0


def test_error_of_the_late_rise_is_that_of_a_difference_of_means():
    """Two halves of four steps with standard deviations 1 and 2 give √(1/4 + 4/4)."""
    losses = np.array([9.0, -2.0, 2.0, -2.0, 2.0, -1.0, 1.0, -1.0, 1.0])
    assert curves.late_rise_error(losses, window=8) == pytest.approx(np.sqrt(1.25))


def test_first_reaching_interpolates_between_measurements():
    """Half way between 0.4 and 0.6 lies 0.5; a later fall changes nothing."""
    steps, accuracies = np.array([50, 100, 150]), np.array([0.4, 0.6, 0.3])
    assert curves.first_reaching(steps, accuracies, 0.5) == pytest.approx(75.0)
    assert curves.first_reaching(steps, accuracies, 0.4) == 50.0
    assert curves.first_reaching(steps, accuracies, 0.7) is None


@given(hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1)), st.floats(0, 1))
def test_first_reaching_lies_within_the_measured_steps(accuracies, level):
    """The crossing lies between two measurements, and there is one exactly when some measurement reaches the level."""
    steps = 50 * np.arange(1, len(accuracies) + 1)
    reached = curves.first_reaching(steps, accuracies, level)
    assert (reached is None) == bool((accuracies < level).all())
    assert reached is None or steps[0] <= reached <= steps[-1]


def test_largest_gap_counts_either_sign():
    """A test accuracy above the training accuracy is a gap, too."""
    arrays = {"train_accuracy": np.array([0.90, 0.95]), "test_accuracy": np.array([0.93, 0.94])}
    assert curves.largest_gap(arrays) == pytest.approx(0.03)
