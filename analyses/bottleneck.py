"""Section 4.4: whether the convolution learns its features during the plateau.

Net1, whose plateau is the longest, is compared with itself at four moments: its initial weights, the start and the end
of the plateau, and the end of the training.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from analyses.feature_runs import INITIAL, CompareMoments
from analyses.network_runs import PLATEAU_END, PLATEAU_START, base_run, structure
from mnistkit import plots
from mnistkit.snapshots import FINAL, threshold_name
from report.model import Claim, Figure, Result, Run, Table, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from report.model import Outcome

START, END = threshold_name(PLATEAU_START), threshold_name(PLATEAU_END)
LABELS = {INITIAL: "训练之前", START: "平台期开始", END: "平台期结束", FINAL: "训练结束"}
PHASES = {START: "before", END: "plateau", FINAL: "after"}
"""The phase of the training that ends at a moment."""

PHASE_LABELS = {"before": "平台期之前", "plateau": "平台期", "after": "平台期之后"}
CLAIMS = (
    "features_change_in_plateau",
    "features_change_most_in_plateau",
    "filters_move_most_in_plateau",
    "plateau_misses_a_digit",
)
UNDECIDED = Claim(holds=False, evidence="训练没有走完平台期，无从比较", slack=0.0)


def runs(profile: str) -> dict[str, Run]:
    """Return the comparison; the training behind it is Net1's of section 4.3."""
    return {"comparison": CompareMoments(base_run(profile, "net1"))}


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:
    """Draw figure 10, measure how features and weights change in each phase, and judge the claims."""
    comparison, outcome = runs["comparison"], outcomes["comparison"]
    assert isinstance(comparison, CompareMoments)  # noqa: S101 - for the type checker
    moments: list[str] = outcome.numbers["moments"]
    similarities = {moment: outcome.arrays[f"similarity/{moment}"] for moment in moments}
    means = {moment: float(similarity.mean()) for moment, similarity in similarities.items()}
    complete = START in moments and END in moments
    phases = phase_table(outcome)
    return Result(
        values={
            "complete": Value(int(complete)),
            "image_number": Value(comparison.image + 1),
            "image_label": Value(outcome.numbers["label"]),
            "n_convolutions": Value(len(structure(comparison.training.network).filters)),
            "probe_every": Value(comparison.training.probe_every),
            "n_filters": Value(len(similarities[FINAL])),
            "map_side": Value(outcome.arrays[f"maps/{FINAL}"].shape[-1]),
            "plateau_start": Value(PLATEAU_START),
            "plateau_end": Value(PLATEAU_END),
            **{f"step_{name_of(moment)}": Value(outcome.numbers["steps"][moment]) for moment in moments},
            **{f"similarity_{name_of(moment)}": Value(mean, digits=3) for moment, mean in means.items()},
            **recall_values(outcome, moments),
            **(phase_values(phases) if complete else {}),
        },
        tables={"similarity": similarity_table(similarities), "phases": phases},
        figures={"feature_maps": maps_figure(outcome, [moment for moment in moments if moment != INITIAL])},
        claims={**judge(means, phases), **judge_recall(outcome)} if complete else dict.fromkeys(CLAIMS, UNDECIDED),
    )


def name_of(moment: str) -> str:
    """Name a moment within the report."""
    return {START: "start", END: "end"}.get(moment, moment)


def similarity_table(similarities: Mapping[str, np.ndarray]) -> Table:
    """Return the similarity of each channel's maps to the final ones, a row per channel."""
    columns = ("channel", *(name_of(moment) for moment in similarities))
    channels = range(len(similarities[FINAL]))
    return Table(columns, [(channel + 1, *(s[channel] for s in similarities.values())) for channel in channels])


def phase_table(outcome: Outcome) -> Table:
    """Return for each phase between two moments how far features and weights moved.

    ``similarity_gain`` is the rise of the mean similarity to the final maps; ``convolution`` and ``linear`` are
    ‖ΔW‖/‖W‖, the way that the weights went relative to their norm at the beginning of the phase; ``ratio`` is the
    first over the second, None where no linear weight moved.
    """
    rows = []
    for before, after in pairwise(outcome.numbers["moments"]):
        steps = outcome.numbers["steps"][after] - outcome.numbers["steps"][before]
        gain = outcome.arrays[f"similarity/{after}"].mean() - outcome.arrays[f"similarity/{before}"].mean()
        convolution, linear = (_moved(outcome, part, before, after) for part in ("convolution", "linear"))
        rows.append((PHASES[after], steps, gain, convolution, linear, convolution / linear if linear else None))
    return Table(("phase", "steps", "similarity_gain", "convolution", "linear", "ratio"), rows)


def phase_values(phases: Table) -> dict[str, Value]:
    """Return the table of the phases as values, e.g. ``ratio_plateau``; empty cells are left out."""
    return {
        f"{column}_{phase}": Value(float(cell), digits=3)
        for column in ("similarity_gain", "convolution", "linear", "ratio")
        for phase, cell in zip(phases.column("phase"), phases.column(column), strict=True)
        if cell is not None
    }


def recall_values(outcome: Outcome, moments: list[str]) -> dict[str, Value]:
    """Return for each moment the digit that is recognised worst, and the share of its images that are."""
    values = {}
    for moment in moments:
        recall = outcome.arrays[f"recall/{moment}"]
        values[f"worst_digit_{name_of(moment)}"] = Value(int(recall.argmin()))
        values[f"worst_recall_{name_of(moment)}"] = Value(recall.min(), digits=3)
    return values


def judge(means: Mapping[str, float], phases: Table) -> dict[str, Claim]:
    """Judge the hypothesis on a training that reached both ends of the plateau."""
    gains = dict(zip(phases.column("phase"), phases.column("similarity_gain"), strict=True))
    ratios = {
        str(phase): 0.0 if ratio is None else float(ratio)
        for phase, ratio in zip(phases.column("phase"), phases.column("ratio"), strict=True)
    }
    gain = {phase: float(gains[phase] or 0.0) for phase in PHASES.values()}
    return {
        "features_change_in_plateau": Claim.of_margins(
            [means[END] - means[START]],
            f"特征图与训练结束时的平均余弦相似度：平台期开始 {means[START]:.3f}，平台期结束 {means[END]:.3f}",
        ),
        "features_change_most_in_plateau": Claim.of_margins(
            [gain["plateau"] - gain["before"], gain["plateau"] - gain["after"]],
            "相似度的增量：" + "，".join(f"{PHASE_LABELS[phase]} {gain[phase]:+.3f}" for phase in gain),
        ),
        "filters_move_most_in_plateau": Claim.of_margins(
            [ratios["plateau"] - ratios["before"], ratios["plateau"] - ratios["after"]],
            "卷积层与线性层相对位移之比："
            + "，".join(f"{PHASE_LABELS[phase]} {ratios[phase]:.2f}" for phase in ratios),
        ),
    }


def judge_recall(outcome: Outcome) -> dict[str, Claim]:
    """Judge whether a whole digit is missing when the plateau begins: recognised more rarely than by guessing."""
    recall = outcome.arrays[f"recall/{START}"]
    return {
        "plateau_misses_a_digit": Claim.of_margins(
            [1 / len(recall) - recall.min()],
            f"平台期开始时数字 {recall.argmin()} 的召回率为 {recall.min():.1%}，随机猜测为 {1 / len(recall):.0%}",
        )
    }


def maps_figure(outcome: Outcome, moments: list[str]) -> Figure:
    """Draw the maps of the kept image, a row per moment and a column per channel, squashed to [0, 1] by a sigmoid."""
    maps = {moment: 1 / (1 + np.exp(-outcome.arrays[f"maps/{moment}"].astype(np.float64))) for moment in moments}
    n_channels = len(maps[FINAL])
    with plots.style():
        figure, axes = plots.panels(len(moments), n_channels, height=1.0 + 2.5 * len(moments))
        for row, (moment, drawn) in enumerate(maps.items()):
            for channel, pixels in enumerate(drawn):
                plots.image(axes[row, channel], pixels, inverted=False)
            axes[row, 0].set_ylabel(f"{LABELS[moment]}\n（第 {outcome.numbers['steps'][moment]} 步）")
        for channel, ax in enumerate(axes[0], 1):
            ax.set_title(f"通道 {channel}")
        return Figure.of(figure)


def _moved(outcome: Outcome, part: str, before: str, after: str) -> float:
    start = outcome.arrays[f"{part}/{before}"].astype(np.float64)
    return float(np.linalg.norm(outcome.arrays[f"{part}/{after}"] - start) / np.linalg.norm(start))
