"""What section 2 states, as predicates over its numbers, and the check of the published p-value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyses import published
from analyses.regression import ALPHA, p_values, regress
from mnistkit import led
from report.model import Claim

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyses.regression import Regression

CHANCE = 0.5
"""Accuracy of a constant answer on a balanced test set."""

NOTABLE = 0.01
"""A difference of accuracies that is worth a sentence: one percentage point."""


@dataclass(frozen=True, slots=True)
class PublishedCheck:
    """The published p-value and what the published tables give: a check of that publication, no result of ours.

    Parameters
    ----------
    printed : float
        The p-value as printed.
    of_printed_scores, of_exact_scores : float
        Recomputed from the published accuracies and the scores as printed, or the scores before their rounding.
    lowest, highest : float
        The extremes when each published accuracy lies at either end of what its rounding leaves open.
    """

    printed: float
    of_printed_scores: float
    of_exact_scores: float
    lowest: float
    highest: float


def check_publication() -> PublishedCheck:
    """Regress the published accuracies (table 3) on the published scores; no number of this report is used."""
    accuracy = np.array(published.table("lda.accuracy").column("accuracy"), dtype=float)
    printed_scores = np.array(published.table("lda.led_scores").column("score"), dtype=float)
    exact_scores = np.array(led.digit_scores())
    half_unit = published.table_rounding("lda.accuracy")["accuracy"] / 2
    ends = 2 * np.indices((2,) * len(accuracy)).reshape(len(accuracy), -1).T - 1  # (2^10, 10), entries ±1
    within_rounding = accuracy + half_unit * ends
    reachable = np.concatenate([p_values(scores, within_rounding) for scores in (printed_scores, exact_scores)])
    return PublishedCheck(
        printed=published.number("lda.p_value"),
        of_printed_scores=regress(printed_scores, accuracy).p_value,
        of_exact_scores=regress(exact_scores, accuracy).p_value,
        lowest=float(reachable.min()),
        highest=float(reachable.max()),
    )


def not_rejected(regression: Regression) -> Claim:
    """Keep the null hypothesis: accuracy does not depend on the score."""
    return Claim.of_margins(
        [regression.p_value - ALPHA],
        f"p = {regression.p_value:.4f}，α = {ALPHA}；斜率 {100 * regression.slope:.2f}，95% 置信区间 "
        f"[{100 * regression.slope_low:.2f}, {100 * regression.slope_high:.2f}]（百分点每分），"
        f"R² = {regression.r_squared:.3f}，n = {regression.n}",
    )


def published_p_value(check: PublishedCheck) -> Claim:
    """Find the published p-value out of reach of the published tables, whatever their rounding hides."""
    half_unit = published.rounding("lda.p_value") / 2
    outside = max(check.lowest - check.printed, check.printed - check.highest)
    return Claim.of_margins(
        [outside - half_unit],
        f"已发表 p = {check.printed}；由已发表的表 3 与得分重算：印出的得分 {check.of_printed_scores:.3f}，"
        f"未舍入的得分 {check.of_exact_scores:.3f}；计入准确率的舍入后为 {check.lowest:.3f} 至 {check.highest:.3f}",
    )


def published_decision(check: PublishedCheck, regression: Regression) -> Claim:
    """Reach the published decision with the published p-value, with the recomputed ones, and with ours."""
    smallest = [check.printed, check.of_printed_scores, check.of_exact_scores, regression.p_value]
    return Claim.of_margins(
        [p - ALPHA for p in smallest],
        f"已发表 {check.printed}、重算 {check.of_printed_scores:.3f} 与 {check.of_exact_scores:.3f}、"
        f"本文 {regression.p_value:.4f}，与 α = {ALPHA} 比较",
    )


def differs_from_published(accuracy: NDArray[np.float64], printed: NDArray[np.float64]) -> Claim:
    """Find at least one digit whose accuracy is more than a percentage point from the published one."""
    difference = accuracy - printed
    farthest = int(np.abs(difference).argmax())
    n_notable = int(np.count_nonzero(np.abs(difference) > NOTABLE))
    return Claim.of_margins(
        [float(np.abs(difference[farthest])) - NOTABLE],
        f"{n_notable} 个数字相差超过 1 个百分点；最大的是数字 {farthest}：本文 {accuracy[farthest]:.1%}，"
        f"已发表 {printed[farthest]:.1%}",
    )


def better_than_constant(accuracy: NDArray[np.float64]) -> Claim:
    """Every discriminant beats a constant answer on its balanced test set."""
    lowest = int(accuracy.argmin())
    return Claim.of_margins(
        accuracy - CHANCE, f"最低的是数字 {lowest}，准确率 {accuracy[lowest]:.1%}；恒定回答为 {CHANCE:.0%}"
    )
