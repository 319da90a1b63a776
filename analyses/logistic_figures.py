"""Figures 1 and 2, and the number behind figure 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mnistkit import plots
from report.model import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from report.model import Outcome

LABELS = {"none": "无正则化", "lasso": "Lasso", "ridge": "Ridge"}
_SIDE = 28


def training_curves(outcomes: Mapping[str, Outcome], steps_per_epoch: int) -> Figure:
    """Draw training loss, training accuracy and test accuracy of the variants against the epoch."""
    panels = {"train_loss": "(a) 训练损失", "train_accuracy": "(b) 训练准确率", "test_accuracy": "(c) 测试准确率"}
    with plots.style():
        figure, axes = plots.panels(1, len(panels), height=5.2)
        for ax, (curve, title) in zip(axes.flat, panels.items(), strict=True):
            for index, (variant, outcome) in enumerate(outcomes.items()):
                epochs = outcome.arrays["steps"] / steps_per_epoch
                plots.curve(ax, epochs, outcome.arrays[curve], label=LABELS[variant], index=index)
            plots.describe(ax, title, "轮数")
            ax.set_ylim(*_limits(outcomes, curve, steps_per_epoch))
        for ax in axes[0, 1:]:
            plots.percent_axis(ax, 0)
        plots.legend_below(figure, axes[0, 0])
        return Figure.of(figure)


def _limits(outcomes: Mapping[str, Outcome], curve: str, steps_per_epoch: int) -> tuple[float, float]:
    """Return limits that show the course after the first half epoch, whose steep start would flatten all the rest."""
    shown = [run.arrays[curve][run.arrays["steps"] >= steps_per_epoch / 2] for run in outcomes.values()]
    low, high = float(np.min(shown)), float(np.max(shown))
    margin = max(0.4 * (high - low), 0.01)
    return low - margin, high + margin


def classifiers(W: NDArray[np.floating]) -> Figure:
    """Draw the ten weight vectors of shape (784,) as images: warm = large = evidence for the digit."""
    with plots.style():
        figure, axes = plots.panels(2, 5, height=6.6)
        limit = float(np.abs(W[:, :-1]).max())
        for digit, ax in enumerate(axes.flat):
            drawn = plots.heat_map(ax, W[digit, :-1].reshape(_SIDE, _SIDE), limit=limit)
            plots.describe(ax, f"数字 {digit}")
        plots.colour_bar(figure, drawn, axes, "权重")
        return Figure.of(figure)


def class_correlations(W: NDArray[np.floating], means: NDArray[np.floating]) -> NDArray[np.float64]:
    """Correlate every weight image (rows of W without bias) with every class-mean image.

    Returns
    -------
    ndarray of shape (10, 10)
        Pearson's r over the 784 pixels; entry (i, j) pairs the weights of digit i with the mean image of digit j.
    """
    n_classes = len(W)
    together: NDArray[np.float64] = np.corrcoef(W[:, :-1].astype(np.float64), means.astype(np.float64))
    return together[:n_classes, n_classes:]
