"""Drawing that several sections share: the loss of a training and its accuracies at the end of each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from analyses.curves import block_means
from mnistkit import plots
from report.model import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from analyses.curves import Array

PARTS = {"train_accuracy": "训练集", "test_accuracy": "测试集"}


def training_figure(
    arrays: Mapping[str, Array], block: int, steps_per_epoch: int, *, loss_scale: str = "linear"
) -> Figure:
    """Draw (a) the training loss, averaged over blocks of steps, and (b) both accuracies at the end of each epoch."""
    with plots.style():
        figure, axes = plots.panels(1, 2, height=5.6)
        loss, accuracy = axes.flat
        plots.curve(loss, *block_means(arrays["loss"], block, steps_per_epoch), label="", linewidth=0.9)
        loss.set_yscale(loss_scale)
        plots.describe(loss, "(a) 训练损失", "轮数", "损失")
        for index, (part, label) in enumerate(PARTS.items()):
            epoch_end_curve(accuracy, arrays[part], label=label, index=index)
        plots.describe(accuracy, "(b) 每轮末的准确率", "轮数", "准确率")
        accuracy.legend(loc="lower right", handlelength=3.0)
        return Figure.of(figure)


def epoch_end_curve(ax: Axes, values: Array, *, label: str, index: int) -> None:
    """Draw ratios in [0, 1] that were measured at the end of each epoch."""
    plots.curve(ax, np.arange(1, len(values) + 1), values, label=label, index=index, marker="o", markersize=2.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    plots.percent_axis(ax)
