"""Section 4.2: the base network with several γ, and the bound that explains what is seen.

Every training starts from the same weights and sees the same batches. The squared norm of the mini-batch gradient,
‖g_t‖², ties the curves to the bound: its mean is E‖∇f(x_t)‖² plus the variance of the gradient.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from analyses import curves
from analyses.network_runs import TrainNetwork
from analyses.training_figures import epoch_end_curve
from mnistkit import plots
from mnistkit.networks import N_CLASSES
from report.model import Claim, Figure, Result, Run, Table, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from report.model import Outcome

RATES = (0.01, 0.05, 0.1, 0.5)
EPOCHS = {"full": 30, "quick": 3}
BLOCK = 100
WINDOW = 10
"""Epochs at the start and at the end that figure 8 enlarges; a third of a shorter training."""

GUESSING = math.log(N_CLASSES)
"""Loss of the same output for each of the ten classes, with softmax once or twice."""

LINGERING = 0.05
"""A first epoch whose mean loss is within this of guessing has learnt hardly anything."""

FINISHED_ABOVE = 0.9
"""Test accuracy from which on a training counts as past its descent, so that its gradient is mostly noise."""


def runs(profile: str) -> dict[str, Run]:
    """Return one training per γ."""
    return {run_name(rate): TrainNetwork(learning_rate=rate, epochs=EPOCHS[profile]) for rate in RATES}


def run_name(learning_rate: float) -> str:
    """Name a run by its γ: 0.05 → ``gamma_0_05``."""
    return f"gamma_{learning_rate:g}".replace(".", "_")


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:
    """Draw figures 7 and 8, measure the gradients early and late, and judge the claims."""
    trainings = {run.learning_rate: outcomes[name] for name, run in runs.items() if isinstance(run, TrainNetwork)}
    trainings = dict(sorted(trainings.items()))
    losses = {rate: outcome.arrays["loss"] for rate, outcome in trainings.items()}
    steps = int(next(iter(trainings.values())).numbers["steps_per_epoch"])
    epochs = len(next(iter(losses.values()))) // steps
    window = min(WINDOW, max(epochs // 3, 1))
    study = gradient_table(trainings, steps)
    early = {rate: float(np.mean(loss[: window * steps], dtype=np.float64)) for rate, loss in losses.items()}
    rises = {rate: curves.late_rise(loss, window * steps) for rate, loss in losses.items()}
    smallest, largest = min(losses), max(losses)
    lingering = float(curves.epoch_means(losses[smallest], steps)[0])
    return Result(
        values={
            "n_rates": Value(len(losses)),
            "smallest_rate": Value(smallest),
            "largest_rate": Value(largest),
            "first_epoch_loss_smallest": Value(lingering, digits=3),
            "loss_guessing": Value(GUESSING, digits=3),
            "window": Value(window),
            "window_last_start": Value(epochs - window + 1),
            "loss_block": Value(min(BLOCK, steps)),
            "early_loss_smallest": Value(early[smallest], digits=3),
            "early_loss_largest": Value(early[largest], digits=3),
            "late_rise_largest": Value(rises[largest], digits=5),
            "late_rise_error": Value(curves.late_rise_error(losses[largest], window * steps), digits=5),
            "late_rise_others": Value(max(rise for rate, rise in rises.items() if rate < largest), digits=5),
            **noise_values(finished(study)),
            "best_rate": Value(best_rate(study)),
            "best_test_accuracy": Value(max(numbers(study, "test_accuracy")), digits=4),
        },
        tables={"gradients": study},
        figures={
            "full": full_figure(trainings, steps),
            "first_and_last": window_figure(losses, steps, window),
            "gradient_norms": gradient_figure(trainings, steps),
        },
        claims={
            "larger_is_faster_early": Claim.of_margins(
                [slow - fast for slow, fast in pairwise(early.values())],
                f"前 {window} 轮的平均损失，γ 由小到大：{_listed(early.values(), 4)}",
            ),
            "largest_rises_late": Claim.of_margins(
                [rises[largest], *(-rise for rate, rise in rises.items() if rate < largest)],
                f"末 {window} 轮中后半的平均损失减前半，γ 由小到大：{_listed(rises.values(), 5, sign='+')}",
            ),
            "smallest_lingers": Claim.of_margins(
                [LINGERING - (GUESSING - lingering)],
                f"γ = {smallest:g} 时首轮平均损失 {lingering:.4f}，随机猜测 {GUESSING:.4f}，界限为相差 {LINGERING:g}",
            ),
            **noise_claims(finished(study)),
        },
    )


def gradient_table(trainings: Mapping[float, Outcome], steps_per_epoch: int) -> Table:
    """Return per γ the mean of ‖g‖² in the first and the last epoch, γ times the latter, and where the training ends.

    γ‖g‖² of the last epoch stands for the second term of the bound, γσ²L, up to the constant L: late in a training
    the full gradient is small and ‖g‖² mostly variance.
    """
    rows = []
    for rate, outcome in trainings.items():
        steps, norms = outcome.arrays["gradient_step"], outcome.arrays["gradient_norm_squared"]
        early = float(norms[steps <= steps_per_epoch].mean())
        late = float(norms[steps > len(outcome.arrays["loss"]) - steps_per_epoch].mean())
        final = float(curves.epoch_means(outcome.arrays["loss"], steps_per_epoch)[-1])
        rows.append((rate, early, late, rate * late, final, outcome.arrays["test_accuracy"][-1]))
    columns = ("learning_rate", "gradient_early", "gradient_late", "noise_term", "final_loss", "test_accuracy")
    return Table(columns, rows)


def numbers(table: Table, column: str) -> list[float]:
    """Return a column without empty cells."""
    return [float(cell) for cell in table.column(column) if cell is not None]


def finished(study: Table) -> dict[float, float]:
    """Return the noise term by γ, for the trainings that came far enough for their gradient to be mostly noise."""
    columns = (numbers(study, column) for column in ("learning_rate", "noise_term", "test_accuracy"))
    return {rate: term for rate, term, accuracy in zip(*columns, strict=True) if accuracy >= FINISHED_ABOVE}


def noise_values(terms: Mapping[float, float]) -> dict[str, Value]:
    """Return the span of the finished γ, and the ratios of γ and of the noise term over it; 1 if there are not two."""
    low, high = (min(terms), max(terms)) if len(terms) > 1 else (1.0, 1.0)
    ratio = terms[high] / terms[low] if len(terms) > 1 else 1.0
    return {
        "n_finished": Value(len(terms)),
        "finished_above": Value(FINISHED_ABOVE),
        "noise_smallest_rate": Value(min(terms, default=0.0)),
        "noise_largest_rate": Value(max(terms, default=0.0)),
        "noise_ratio": Value(ratio, digits=1),
        "rate_ratio": Value(high / low, digits=0),
    }


def noise_claims(terms: Mapping[float, float]) -> dict[str, Claim]:
    """Judge how the noise term depends on γ; fewer than two finished trainings decide nothing."""
    if len(terms) < 2:  # noqa: PLR2004 - a comparison needs two
        undecided = Claim(holds=False, evidence="末轮测试准确率足够高的训练不足两次，无从比较", slack=0.0)
        return {"noise_term_grows": undecided, "noise_falls_with_rate": undecided}
    values = noise_values(terms)
    rates, noise = values["rate_ratio"].number, values["noise_ratio"].number
    listed = "、".join(f"{rate:g}：{term:.5f}" for rate, term in terms.items())
    return {
        "noise_term_grows": Claim.of_margins(
            [after - before for before, after in pairwise(terms.values())], f"末轮的 γ·‖g‖² 均值，按 γ：{listed}"
        ),
        "noise_falls_with_rate": Claim.of_margins(
            [rates - noise], f"γ 相差 {rates:.0f} 倍，末轮的 γ·‖g‖² 相差 {noise:.1f} 倍"
        ),
    }


def best_rate(study: Table) -> float:
    """Return the γ with the lowest loss in the last epoch."""
    losses = numbers(study, "final_loss")
    return numbers(study, "learning_rate")[losses.index(min(losses))]


def full_figure(trainings: Mapping[float, Outcome], steps_per_epoch: int) -> Figure:
    """Draw training loss and test accuracy of every γ over the whole training."""
    with plots.style():
        figure, axes = plots.panels(1, 2, height=6.2)
        loss, accuracy = axes.flat
        for index, (rate, outcome) in enumerate(trainings.items()):
            blocks = curves.block_means(outcome.arrays["loss"], BLOCK, steps_per_epoch)
            plots.curve(loss, *blocks, label=f"γ = {rate:g}", index=index, linewidth=1.0)
            epoch_end_curve(accuracy, outcome.arrays["test_accuracy"], label=f"γ = {rate:g}", index=index)
        plots.describe(loss, "(a) 训练损失", "轮数", "损失")
        plots.describe(accuracy, "(b) 每轮末的测试准确率", "轮数", "准确率")
        plots.legend_below(figure, loss)
        return Figure.of(figure)


def window_figure(losses: Mapping[float, curves.Array], steps_per_epoch: int, window: int) -> Figure:
    """Draw the training loss of every γ (a) in the first and (b) in the last epochs, each on its own scale."""
    with plots.style():
        figure, axes = plots.panels(1, 2, height=6.2)
        for ax, last in zip(axes.flat, (False, True), strict=True):
            for index, (rate, loss) in enumerate(losses.items()):
                blocks = curves.block_means(loss, BLOCK, steps_per_epoch)
                shown = blocks.epochs > blocks.epochs[-1] - window if last else blocks.epochs < window
                label = f"γ = {rate:g}"
                plots.curve(ax, blocks.epochs[shown], blocks.means[shown], label=label, index=index, linewidth=1.0)
        plots.describe(axes[0, 0], f"(a) 前 {window} 轮", "轮数", "训练损失")
        plots.describe(axes[0, 1], f"(b) 末 {window} 轮", "轮数")
        plots.legend_below(figure, axes[0, 0])
        return Figure.of(figure)


def gradient_figure(trainings: Mapping[float, Outcome], steps_per_epoch: int) -> Figure:
    """Draw (a) the mean ‖g‖² of every epoch and (b) γ times it, logarithmically."""
    with plots.style():
        figure, axes = plots.panels(1, 2, height=6.2)
        for index, (rate, outcome) in enumerate(trainings.items()):
            steps, norms = outcome.arrays["gradient_step"], outcome.arrays["gradient_norm_squared"]
            means = curves.epoch_means(norms, max(int(np.sum(steps <= steps_per_epoch)), 1))
            for ax, scale in zip(axes.flat, (1.0, rate), strict=True):
                epochs = np.arange(1, len(means) + 1)
                plots.curve(ax, epochs, scale * means, label=f"γ = {rate:g}", index=index, marker="o", markersize=2)
        for ax, title in zip(axes.flat, ("(a) 小批量梯度范数的平方", "(b) 前者与 γ 之积"), strict=True):
            ax.set_yscale("log")
            plots.describe(ax, title, "轮数")
        plots.legend_below(figure, axes[0, 0])
        return Figure.of(figure)


def _listed(values: Iterable[float], digits: int, *, sign: str = "") -> str:
    return "、".join(f"{value:{sign}.{digits}f}" for value in values)
