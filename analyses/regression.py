"""Simple linear regression with its test of "no relation"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALPHA = 0.05
"""Level of significance; the confidence interval covers 1 - α."""


@dataclass(frozen=True, slots=True)
class Regression:
    """y = intercept + slope · x by ordinary least squares, and the two-sided t-test of slope = 0.

    Parameters
    ----------
    slope, intercept : float
        In units of y per unit of x, and of y.
    slope_low, slope_high : float
        Ends of the 95% confidence interval of the slope.
    r_squared, t_value, p_value : float
        Share of explained variance, and the test.
    n : int
        Number of points.
    """

    slope: float
    intercept: float
    slope_low: float
    slope_high: float
    r_squared: float
    t_value: float
    p_value: float
    n: int


def regress(x: NDArray[np.float64], y: NDArray[np.float64]) -> Regression:
    """Fit y on x with statsmodels.

    References
    ----------
    N. R. Draper, H. Smith, *Applied Regression Analysis*, 3rd ed., Wiley 1998, sections 1.2–1.4.
    """
    from statsmodels.regression.linear_model import OLS  # noqa: PLC0415 - imports pandas, which no training needs
    from statsmodels.tools import add_constant  # noqa: PLC0415 - likewise

    fitted = OLS(y, add_constant(x)).fit()
    low, high = fitted.conf_int(alpha=ALPHA)[1]
    return Regression(
        slope=float(fitted.params[1]),
        intercept=float(fitted.params[0]),
        slope_low=float(low),
        slope_high=float(high),
        r_squared=float(fitted.rsquared),
        t_value=float(fitted.tvalues[1]),
        p_value=float(fitted.pvalues[1]),
        n=len(x),
    )


def p_values(x: NDArray[np.float64], Y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the p-value of the slope for many responses at once.

    Parameters
    ----------
    x : ndarray of shape (n,)
    Y : ndarray of shape (n_responses, n)

    Notes
    -----
    With r the correlation of x and y, t = r √((n - 2)/(1 - r²)) has n - 2 degrees of freedom (Draper, Smith 1998,
    section 1.6), which is the t-value of the slope.
    """
    from scipy.stats import t as student  # noqa: PLC0415 - as above

    centred_x, centred_Y = x - x.mean(), Y - Y.mean(axis=1, keepdims=True)
    r = centred_Y @ centred_x / np.sqrt((centred_x @ centred_x) * np.square(centred_Y).sum(axis=1))
    freedom = len(x) - 2
    p: NDArray[np.float64] = 2 * student.sf(np.abs(r) * np.sqrt(freedom / (1 - r**2)), freedom)
    return p
