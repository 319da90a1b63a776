"""What comes out of the students of section 4.6: measures, table, figure 13, and the claims about all repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from mnistkit import plots
from report.model import Claim, Figure, Table, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

LABELS = {"labels": "学标签", "teacher": "学教师输出", "combined": "学二者平均"}
EARLY_EPOCHS = 2
"""The beginning of a training; its end is the last epoch."""

STATEMENTS = {
    "teacher_faster_early": "学教师输出的学生初期平均损失低于学标签的学生",
    "labels_better_finally": "学标签的学生末轮平均损失低于学教师输出的学生",
    "labels_more_accurate_finally": "学标签的学生最后的测试准确率高于学教师输出的学生",
    "combined_keeps_both": "学二者平均的学生初期平均损失低于学标签的学生，且末轮平均损失低于学教师输出的学生",
}
_POINTS_PER_EPOCH = 12


@dataclass(frozen=True, slots=True)
class Curves:
    """All repeats of one kind of student.

    Parameters
    ----------
    loss : ndarray of shape (n_repeats, n_steps)
        Against the labels.
    test_accuracy : ndarray of shape (n_repeats, n_epochs), in [0, 1]
    steps_per_epoch : int
    """

    loss: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    steps_per_epoch: int

    @property
    def early(self) -> NDArray[np.float64]:
        """Mean loss over the first epochs, (n_repeats,): the area under the beginning of the curve."""
        found: NDArray[np.float64] = self.loss[:, : EARLY_EPOCHS * self.steps_per_epoch].mean(axis=1)
        return found

    @property
    def final(self) -> NDArray[np.float64]:
        """Mean loss over the last epoch, (n_repeats,)."""
        found: NDArray[np.float64] = self.loss[:, -self.steps_per_epoch :].mean(axis=1)
        return found


def margins(curves: Mapping[str, Curves]) -> dict[str, NDArray[np.float64]]:
    """Return per claim and repeat by how much it holds: positive where it does, shape (n_repeats,)."""
    labels, teacher, combined = (curves[targets] for targets in ("labels", "teacher", "combined"))
    return {
        "teacher_faster_early": labels.early - teacher.early,
        "labels_better_finally": teacher.final - labels.final,
        "labels_more_accurate_finally": labels.test_accuracy[:, -1] - teacher.test_accuracy[:, -1],
        "combined_keeps_both": np.minimum(labels.early - combined.early, teacher.final - combined.final),
    }


def majority(margins: NDArray[np.float64], statement: str) -> Claim:
    """State what holds in more than half of the repeats.

    The slack is the margin that decides: with 4 repeats 3 must agree, so it is the third largest.
    """
    needed = len(margins) // 2 + 1
    deciding = float(np.sort(margins)[::-1][needed - 1])
    count = f"{len(margins)} 次重复中有 {int((margins > 0).sum())} 次成立（判定需要 {needed} 次）"
    listed = "、".join(f"{margin:+.4f}" for margin in margins)
    return Claim(deciding > 0, f"{statement}：{count}，各次之差 {listed}", deciding)


def teacher_is_not_reached(students: Curves, teacher_loss: float) -> Claim:
    """State that the students of a teacher end with a larger loss than a perfect copy of it would have."""
    final = float(students.final.mean())
    return Claim.of_margins(
        [final - teacher_loss], f"学教师输出的学生末轮平均损失 {final:.4f}，教师自身的损失 {teacher_loss:.4f}"
    )


def table(curves: Mapping[str, Curves]) -> Table:
    """Return one row per repeat: early and final loss and final test accuracy of the three students."""
    columns: dict[str, NDArray[np.float64]] = {}
    columns |= {f"early_{targets}": found.early for targets, found in curves.items()}
    columns |= {f"final_{targets}": found.final for targets, found in curves.items()}
    columns |= {f"accuracy_{targets}": found.test_accuracy[:, -1] for targets, found in curves.items()}
    rows = [(index + 1, *cells) for index, cells in enumerate(zip(*columns.values(), strict=True))]
    return Table(("repeat", *columns), rows)


def values(curves: Mapping[str, Curves], margins: Mapping[str, NDArray[np.float64]]) -> dict[str, Value]:
    """Return the means over the repeats, and in how many of them each claim holds."""
    n_repeats = len(curves["labels"].loss)
    found = {
        "n_repeats": Value(n_repeats),
        "n_needed": Value(n_repeats // 2 + 1),
        "early_epochs": Value(EARLY_EPOCHS),
        "n_steps": Value(curves["labels"].loss.shape[1]),
    }
    for targets, kind in curves.items():
        found[f"early_loss_{targets}"] = Value(float(kind.early.mean()), digits=3)
        found[f"final_loss_{targets}"] = Value(float(kind.final.mean()), digits=4)
        found[f"accuracy_{targets}"] = Value(float(kind.test_accuracy[:, -1].mean()), digits=4)
        found[f"accuracy_spread_{targets}"] = Value(float(np.ptp(kind.test_accuracy[:, -1])), digits=4)
    for name, by_repeat in margins.items():
        found[f"{name}_count"] = Value(int((by_repeat > 0).sum()))
    return found


def draw(curves: Mapping[str, Curves]) -> Figure:
    """Draw the means of the repeats, and their spread from smallest to largest as a band."""
    with plots.style():
        figure, axes = plots.panels(1, 3, height=5.6)
        for index, (targets, found) in enumerate(curves.items()):
            epochs, loss = _smoothed(found)
            early = epochs <= EARLY_EPOCHS
            _band(axes[0, 0], epochs[early], loss[:, early], LABELS[targets], index)
            _band(axes[0, 1], epochs, loss, LABELS[targets], index)
            ends = np.arange(1, found.test_accuracy.shape[1] + 1)
            _band(axes[0, 2], ends, found.test_accuracy, LABELS[targets], index)
        plots.describe(axes[0, 0], f"(a) 前 {EARLY_EPOCHS} 轮的损失", "轮数", "对标签的损失")
        plots.describe(axes[0, 1], "(b) 全程的损失（对数坐标）", "轮数")
        plots.describe(axes[0, 2], "(c) 测试准确率", "轮数")
        axes[0, 1].set_yscale("log")
        axes[0, 2].xaxis.set_major_locator(MaxNLocator(integer=True))
        plots.percent_axis(axes[0, 2], 0)
        plots.legend_below(figure, axes[0, 0])
        return Figure.of(figure)


def _smoothed(found: Curves) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average the loss over neighbouring steps; return the epochs of the points and the loss (n_repeats, n_points)."""
    width = max(1, found.steps_per_epoch // _POINTS_PER_EPOCH)
    n_points = found.loss.shape[1] // width
    loss = found.loss[:, : n_points * width].reshape(len(found.loss), n_points, width).mean(axis=2)
    return (np.arange(n_points) + 0.5) * width / found.steps_per_epoch, loss


def _band(ax: Axes, x: NDArray[np.floating], y: NDArray[np.float64], label: str, index: int) -> None:
    """Draw the mean of the rows of y, and their range as a band."""
    plots.curve(ax, x, y.mean(axis=0), label=label, index=index, spread=(y.min(axis=0), y.max(axis=0)))
