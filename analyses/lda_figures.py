"""Figure 3, and the picture of the regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mnistkit import led, plots
from report.model import Figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyses.regression import Regression


def led_digits() -> Figure:
    """Draw the display with the names of its segments, and the ten digits, all from the table of lit segments."""
    with plots.style():
        figure, axes = plots.panels(2, 6, height=6.4, width_ratios=[1.6, 1, 1, 1, 1, 1])
        grid = axes[0, 0].get_gridspec()
        for ax in axes[:, 0]:
            ax.remove()
        named = figure.add_subplot(grid[:, 0])
        led.draw(named, tuple(led.SEGMENTS), names=True)
        plots.describe(named, "各段的名称")
        for digit, ax in zip(led.DIGITS, axes[:, 1:].flat, strict=True):
            led.draw(ax, led.lit_segments(digit))
            plots.describe(ax, f"数字 {digit}")
        return Figure.of(figure)


def regression(scores: NDArray[np.float64], accuracy: NDArray[np.float64], fitted: Regression) -> Figure:
    """Draw accuracy against score, a point per digit, with the fitted line."""
    with plots.style():
        figure, axes = plots.panels(1, 1, width=9.0, height=5.6)
        ax = axes[0, 0]
        plots.scatter(ax, scores, accuracy, names=[str(digit) for digit in led.DIGITS])
        ends = np.array([scores.min() - 0.1, scores.max() + 0.1])
        plots.curve(ax, ends, fitted.intercept + fitted.slope * ends, label="最小二乘直线", index=1)
        plots.describe(ax, "", "数字的特异性得分", "测试准确率")
        plots.percent_axis(ax, 0)
        ax.legend()
        return Figure.of(figure)
