"""Section 4.3: how the number of convolutions changes the course of a training.

Net1, Net2 and Net3 are trained alike; layers of equal place and shape start from equal weights. What the claims
compare are step counts, read off the training accuracy that is measured every few steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyses import curves
from analyses.network_runs import PLATEAU_END, PLATEAU_START, TrainNetwork, base_run, structure
from analyses.training_figures import epoch_end_curve
from mnistkit import plots
from report.model import Claim, Figure, Result, Run, Table, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from report.model import Outcome

NETWORKS = ("net1", "net2", "net3")
HALF = 0.5
"""The start of a training lasts until the probe accuracy first reaches this."""

BLOCK = 50
FIRST_EPOCHS = 3
"""Epochs that the lower panels of figure 9 resolve."""


@dataclass(frozen=True, slots=True)
class Course:
    """When a training reached the accuracies that divide it; None where it never did.

    Parameters
    ----------
    start, plateau_start, plateau_end : float or None
        Steps until 50 %, 82 % and 95 %.
    last : float
        The last measured step: a lower bound of what was not reached.
    """

    start: float | None
    plateau_start: float | None
    plateau_end: float | None
    last: float

    @property
    def start_bound(self) -> float:
        """Steps until the start is over, or the last measured step."""
        return self.last if self.start is None else self.start

    @property
    def plateau(self) -> float | None:
        """Steps from the start to the end of the plateau."""
        if self.plateau_start is None or self.plateau_end is None:
            return None
        return self.plateau_end - self.plateau_start

    @property
    def plateau_bound(self) -> float:
        """Steps that the plateau lasts, at least."""
        begin = self.last if self.plateau_start is None else self.plateau_start
        return (self.last if self.plateau_end is None else self.plateau_end) - begin


def runs(profile: str) -> dict[str, Run]:
    """Return a training per network; the one of Net2 is the base run of section 4.1."""
    return {network: base_run(profile, network) for network in NETWORKS}


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:
    """Draw figure 9, read table 5 off the networks, measure the plateaus and judge the claims."""
    courses = {network: course_of(outcomes[network]) for network in runs}
    net2 = runs["net2"]
    assert isinstance(net2, TrainNetwork)  # noqa: S101 - for the type checker
    steps = int(outcomes["net2"].numbers["steps_per_epoch"])
    return Result(
        values={
            "start_accuracy": Value(HALF),
            "plateau_start": Value(PLATEAU_START),
            "plateau_end": Value(PLATEAU_END),
            "loss_block": Value(min(BLOCK, steps)),
            "probed_epochs": Value(min(net2.probe_epochs, net2.epochs)),
            **{f"test_accuracy_{name}": Value(_accuracy(run), digits=4) for name, run in outcomes.items()},
            **{f"convolutions_{name}": Value(len(structure(name).filters)) for name in runs},
            **{f"start_{name}": Value(round(course.start_bound)) for name, course in courses.items()},
            **{f"plateau_{name}": Value(round(course.plateau_bound)) for name, course in courses.items()},
        },
        tables={"networks": networks_table(runs), "courses": courses_table(courses, outcomes)},
        figures={"curves": curves_figure(outcomes, steps)},
        claims=judge(courses),
    )


def course_of(outcome: Outcome) -> Course:
    """Read off a training when it reached the three accuracies."""
    steps, accuracies = outcome.arrays["probe_step"], outcome.arrays["probe_accuracy"]
    start, begin, end = (
        curves.first_reaching(steps, accuracies, level) for level in (HALF, PLATEAU_START, PLATEAU_END)
    )
    return Course(start, begin, end, last=float(steps[-1]))


def networks_table(networks: Mapping[str, object]) -> Table:
    """Return table 5: the filters of each convolution, the linear layers and the parameters, read off the modules."""
    described = {name: structure(name) for name in networks}
    depth = max(len(network.filters) for network in described.values())
    columns = ("network", *(f"filters_{index}" for index in range(1, depth + 1)), "n_linear", "n_parameters")
    rows = [
        (name, *network.filters, *[None] * (depth - len(network.filters)), network.n_linear, network.n_parameters)
        for name, network in described.items()
    ]
    return Table(columns, rows)


def courses_table(courses: Mapping[str, Course], outcomes: Mapping[str, Outcome]) -> Table:
    """Return the steps until each accuracy, the length of the plateau and the final test accuracy."""
    rows = []
    for name, course in courses.items():
        measured = (course.start, course.plateau_start, course.plateau_end, course.plateau)
        rows.append((name, *(None if steps is None else round(steps) for steps in measured), _accuracy(outcomes[name])))
    return Table(("network", "start", "plateau_start", "plateau_end", "plateau", "test_accuracy"), rows)


def judge(courses: Mapping[str, Course]) -> dict[str, Claim]:
    """Compare the step counts; a training that did not get there enters with the last step it was measured at."""
    start = {name: course.start_bound for name, course in courses.items()}
    plateau = {name: course.plateau_bound for name, course in courses.items()}
    starts = f"到 {HALF:.0%} 的步数：{_compared(start, {name: run.start for name, run in courses.items()})}"
    plateaus = (
        f"由 {PLATEAU_START:.0%} 到 {PLATEAU_END:.0%} 的步数："
        f"{_compared(plateau, {name: run.plateau for name, run in courses.items()})}"
    )
    long, short = plateau["net1"], plateau["net3"]
    return {
        "net1_fast_start": Claim.of_margins([start["net2"] - start["net1"], start["net3"] - start["net1"]], starts),
        "net1_long_plateau": Claim.of_margins([long - plateau["net2"], long - short], plateaus),
        "net3_slow_start_short_plateau": Claim.of_margins(
            [start["net3"] - start["net1"], start["net3"] - start["net2"], long - short, plateau["net2"] - short],
            f"{starts}；{plateaus}",
        ),
        "net2_between": Claim.of_margins(
            [
                start["net2"] - start["net1"],
                start["net3"] - start["net2"],
                long - plateau["net2"],
                plateau["net2"] - short,
            ],
            f"{starts}；{plateaus}",
        ),
    }


def curves_figure(outcomes: Mapping[str, Outcome], steps_per_epoch: int) -> Figure:
    """Draw loss and test accuracy over the whole training, and loss and probe accuracy over its first epochs."""
    with plots.style():
        figure, axes = plots.panels(2, 2, height=10.6)
        for index, (name, outcome) in enumerate(outcomes.items()):
            arrays, label = outcome.arrays, name.capitalize()
            blocks = curves.block_means(arrays["loss"], BLOCK, steps_per_epoch)
            early, probed = blocks.epochs < FIRST_EPOCHS, arrays["probe_step"] <= FIRST_EPOCHS * steps_per_epoch
            plots.curve(axes[0, 0], *blocks, label=label, index=index, linewidth=1.0)
            epoch_end_curve(axes[0, 1], arrays["test_accuracy"], label=label, index=index)
            plots.curve(
                axes[1, 0], blocks.epochs[early] * steps_per_epoch, blocks.means[early], label=label, index=index
            )
            steps, accuracies = arrays["probe_step"][probed], arrays["probe_accuracy"][probed]
            plots.curve(axes[1, 1], steps, accuracies, label=label, index=index)
        for level in (PLATEAU_START, PLATEAU_END):
            axes[1, 1].axhline(level, color="#777777", linewidth=0.7, linestyle=":")
        plots.describe(axes[0, 0], "(a) 训练损失", "轮数", "损失")
        plots.describe(axes[0, 1], "(b) 每轮末的测试准确率", "轮数", "准确率")
        plots.describe(axes[1, 0], "(c) 最初的训练损失", "梯度步数", "损失")
        plots.describe(axes[1, 1], "(d) 最初的训练准确率", "梯度步数", "准确率")
        plots.percent_axis(axes[1, 1])
        plots.legend_below(figure, axes[0, 0])
        return Figure.of(figure)


def _accuracy(outcome: Outcome) -> float:
    return float(outcome.numbers["final_test_accuracy"])


def _compared(bounds: Mapping[str, float], measured: Mapping[str, float | None]) -> str:
    parts = [f"{name.capitalize()} {'≥ ' if measured[name] is None else ''}{bounds[name]:.0f}" for name in bounds]
    return "，".join(parts)
