"""Section 4.1: the base network, and what becomes of it when the loss takes the logits instead of the softmax.

The ablation trains for one epoch from several initial weights with either loss; the same repetition starts from the
same weights and sees the same batches with both.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from analyses import curves
from analyses.network_runs import PLATEAU_END, PLATEAU_START, TrainNetwork, base_run, structure
from analyses.training_figures import training_figure
from mnistkit import plots
from mnistkit.networks import N_CLASSES, POOL
from report.model import Claim, Figure, Result, Run, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mnistkit.networks import Description
    from report.model import Outcome

BLOCK = 50
LOSSES = {"softmax_twice": "softmax 输出", "logits": "logits "}
RATES = (0.3, 0.5)
REPEATS = {"full": 4, "quick": 2}
FAILED_BELOW = 0.2
"""A training of the ablation failed when its test accuracy is lower: twice what guessing gives."""


def ablation_name(loss: str, learning_rate: float, repeat: int) -> str:
    """Name a run of the ablation, e.g. ``logits_30_0`` for γ = 0.3."""
    return f"{loss}_{100 * learning_rate:.0f}_{repeat}"


def runs(profile: str) -> dict[str, Run]:
    """Return the base training and those of the ablation."""
    ablation = {
        ablation_name(loss, rate, repeat): TrainNetwork(
            learning_rate=rate, epochs=1, loss=loss, repeat=repeat, thresholds=()
        )
        for loss in LOSSES
        for rate in RATES
        for repeat in range(REPEATS[profile])
    }
    return {"base": base_run(profile), **ablation}


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:
    """Draw figure 6 and the ablation, count the failures and judge the claims."""
    base = outcomes["base"]
    steps = int(base.numbers["steps_per_epoch"])
    gap = curves.largest_gap(base.arrays)
    groups = ablation_groups(runs, outcomes)
    return Result(
        values={
            **structure_values(structure("net2")),
            **loss_values(base, steps),
            **ablation_values(groups),
            "test_accuracy": Value(base.numbers["final_test_accuracy"], digits=4),
            "train_accuracy": Value(base.numbers["final_train_accuracy"], digits=4),
            "first_test_accuracy": Value(base.arrays["test_accuracy"][0], digits=4),
            "largest_gap": Value(gap, digits=4),
            "gap_limit": Value(curves.NO_OVERFITTING_BELOW),
            "n_train_evaluated": Value(runs["base"].training_settings().train_evaluation),  # type: ignore[attr-defined]
        },
        figures={
            "training_curves": training_figure(base.arrays, BLOCK, steps),
            "softmax_ablation": ablation_figure(groups),
        },
        claims={
            "little_overfitting": Claim.of_margins(
                [curves.NO_OVERFITTING_BELOW - gap],
                f"各轮末训练与测试准确率之差最大为 {100 * gap:.2f} 个百分点，"
                f"界限为 {100 * curves.NO_OVERFITTING_BELOW:.0f} 个百分点",
            ),
            **ablation_claims(groups),
        },
    )


def structure_values(network: Description) -> dict[str, Value]:
    """Return the sizes of the base network that the text names."""
    convolutions = {f"filters_{index}": Value(n) for index, n in enumerate(network.filters, 1)}
    linears = {f"units_{index}": Value(n) for index, n in enumerate(network.linear_sizes)}
    return {
        **convolutions,
        **linears,
        "n_convolutions": Value(len(network.filters)),
        "n_linear": Value(network.n_linear),
        "kernel": Value(network.kernels[0]),
        "pool": Value(POOL),
        "n_parameters": Value(network.n_parameters),
    }


def loss_values(base: Outcome, steps_per_epoch: int) -> dict[str, Value]:
    """Return the loss at the start and the end, and what softmax applied twice allows at best and by guessing."""
    means = curves.epoch_means(base.arrays["loss"], steps_per_epoch)
    return {
        "steps_per_epoch": Value(steps_per_epoch),
        "loss_block": Value(min(BLOCK, steps_per_epoch)),
        "loss_guessing": Value(math.log(N_CLASSES), digits=3),
        "loss_floor": Value(math.log1p((N_CLASSES - 1) / math.e), digits=3),
        "largest_probability": Value(math.e / (math.e + N_CLASSES - 1), digits=3),
        "first_loss": Value(means[0], digits=3),
        "final_loss": Value(means[-1], digits=4),
    }


def ablation_groups(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> dict[tuple[str, float], list[Outcome]]:
    """Gather the outcomes of the ablation by loss and γ."""
    groups: dict[tuple[str, float], list[Outcome]] = {(loss, rate): [] for loss in LOSSES for rate in RATES}
    for name, run in runs.items():
        if name != "base" and isinstance(run, TrainNetwork):
            groups[run.loss, run.learning_rate].append(outcomes[name])
    return groups


def failed(outcome: Outcome) -> bool:
    """Tell whether a training of the ablation failed."""
    return float(outcome.numbers["final_test_accuracy"]) < FAILED_BELOW


def plateau_bound(outcome: Outcome) -> float:
    """Return the steps between both accuracies of the plateau, or how many there were at least when it did not end."""
    steps, accuracies = outcome.arrays["probe_step"], outcome.arrays["probe_accuracy"]
    start = curves.first_reaching(steps, accuracies, PLATEAU_START)
    end = curves.first_reaching(steps, accuracies, PLATEAU_END)
    last = float(steps[-1])
    return (last if end is None else end) - (last if start is None else start)


def ablation_values(groups: Mapping[tuple[str, float], list[Outcome]]) -> dict[str, Value]:
    """Return the failures of each loss and γ, and the median test accuracy of the trainings that did not fail."""
    values = {
        "failed_below": Value(FAILED_BELOW),
        "guessing": Value(1 / N_CLASSES),
        "n_repeats": Value(len(groups["logits", RATES[0]])),
    }
    for (loss, rate), group in groups.items():
        name = ablation_name(loss, rate, 0).removesuffix("_0")
        values[f"failures_{name}"] = Value(sum(map(failed, group)))
        trained = [float(outcome.numbers["final_test_accuracy"]) for outcome in group if not failed(outcome)]
        values[f"accuracy_{name}"] = Value(float(np.median(trained)) if trained else 0.0, digits=3)
    return values


def ablation_claims(groups: Mapping[tuple[str, float], list[Outcome]]) -> dict[str, Claim]:
    """Judge which loss fails to train, and which one has a plateau, at the γ of the base run."""
    failures = {loss: sum(failed(run) for rate in RATES for run in groups[loss, rate]) for loss in LOSSES}
    n_runs = sum(len(groups["logits", rate]) for rate in RATES)
    counted = "；".join(f"损失作用于 {label}时 {n_runs} 次中失败 {failures[loss]} 次" for loss, label in LOSSES.items())
    direct, doubled = (
        [plateau_bound(run) for run in groups[loss, RATES[0]] if not failed(run)]
        for loss in ("logits", "softmax_twice")
    )
    # Without a training to compare, nothing speaks for the statement: the whole epoch counts against it.
    margin = float(np.median(doubled) - np.median(direct)) if direct and doubled else -1.0
    compared = "、".join(f"{steps:.0f}" for steps in direct), "、".join(f"{steps:.0f}" for steps in doubled)
    return {
        "logits_sometimes_fail": Claim.of_margins([failures["logits"] - 0.5], counted),
        "doubled_softmax_trains": Claim.of_margins([0.5 - failures["softmax_twice"]], counted),
        "logits_have_shorter_plateau": Claim.of_margins(
            [margin],
            f"γ = {RATES[0]:g} 时训练成功者由 {PLATEAU_START:.0%} 到 {PLATEAU_END:.0%} 的步数（以一轮为限）："
            f"logits {compared[0] or '无'}；双重 softmax {compared[1] or '无'}",
        ),
    }


def ablation_figure(groups: Mapping[tuple[str, float], list[Outcome]]) -> Figure:
    """Draw the accuracy of every training of the ablation during its epoch, a panel per γ."""
    with plots.style():
        figure, axes = plots.panels(1, len(RATES), height=6.0, sharey=True)
        for ax, rate, letter in zip(axes.flat, RATES, "ab", strict=True):
            for index, (loss, label) in enumerate(LOSSES.items()):
                for repeat, outcome in enumerate(groups[loss, rate]):
                    name = f"交叉熵作用于 {label.strip()}" if repeat == 0 else ""
                    steps, accuracies = outcome.arrays["probe_step"], outcome.arrays["probe_accuracy"]
                    plots.curve(ax, steps, accuracies, label=name, index=index, linewidth=1.0)
            plots.describe(ax, f"({letter}) γ = {rate:g}", "梯度步数", "训练准确率" if letter == "a" else "")
            plots.percent_axis(ax)
        plots.legend_below(figure, axes[0, 0])
        return Figure.of(figure)
