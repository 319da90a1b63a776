"""The regression against scipy."""

import numpy as np
import pytest
from scipy import stats

from analyses.regression import p_values, regress


@pytest.fixture
def points() -> tuple[np.ndarray, np.ndarray]:
    """Return ten points with some relation."""
    rng = np.random.default_rng(0)
    x = rng.random(10)
    return x, 0.5 * x + rng.normal(size=10)


def test_every_number_equals_scipy(points) -> None:
    """Slope, intercept, R², p and the confidence interval are those of scipy."""
    x, y = points
    ours, theirs = regress(x, y), stats.linregress(x, y)
    assert ours.slope == pytest.approx(theirs.slope)
    assert ours.intercept == pytest.approx(theirs.intercept)
    assert ours.r_squared == pytest.approx(theirs.rvalue**2)
    assert ours.p_value == pytest.approx(theirs.pvalue)
    assert ours.t_value == pytest.approx(theirs.slope / theirs.stderr)
    half_width = stats.t.ppf(0.975, 8) * theirs.stderr
    assert (ours.slope_low, ours.slope_high) == pytest.approx((ours.slope - half_width, ours.slope + half_width))
    assert ours.n == 10


def test_many_p_values_at_once_equal_single_ones(points) -> None:
    """The vectorised p-values are those of one regression after the other."""
    x, y = points
    Y = np.stack([y, y**2, -y])
    assert p_values(x, Y) == pytest.approx([regress(x, row).p_value for row in Y])
