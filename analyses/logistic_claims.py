"""What section 1 states, as predicates over its tables and curves."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

import numpy as np

from analyses import published
from report.model import Claim

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from report.model import Outcome, Table

CLOSE = 0.05
"""Curves count as close when they never differ by more than this share of their range: the range of an accuracy is 1,
that of the loss its initial value."""

FAR_FEWER = 0.5
"""The supplementary training has far fewer nonzero weights when it has less than this share of them."""

OVERFITTED = 0.02
"""A training accuracy that is so much above the test accuracy counts as overfitting."""

MOST = 0.5
"""Most weights: more than this share."""


def largest_gap(outcomes: Mapping[str, Outcome], variants: Iterable[str], curve: str) -> float:
    """Return the largest difference between any two variants at any recorded step."""
    curves = np.stack([outcomes[variant].arrays[curve] for variant in variants])
    return float(np.ptp(curves, axis=0).max())


def variants_are_close(outcomes: Mapping[str, Outcome]) -> Claim:
    """Loss and accuracy change in nearly the same way in the three variants."""
    loss = largest_gap(outcomes, outcomes, "train_loss") / float(outcomes["none"].arrays["train_loss"][0])
    train, test = (largest_gap(outcomes, outcomes, f"{part}_accuracy") for part in ("train", "test"))
    return Claim.of_margins(
        [CLOSE - gap for gap in (loss, train, test)],
        f"全程最大差距：训练损失为初始值的 {loss:.1%}，训练准确率 {100 * train:.1f} 个百分点，"
        f"测试准确率 {100 * test:.1f} 个百分点；界限为 {CLOSE:.0%}",
    )


def little_overfitting(outcome: Outcome) -> Claim:
    """Without a penalty the training accuracy is less than two percentage points above the test accuracy."""
    train, test = (float(outcome.arrays[f"{part}_accuracy"][-1]) for part in ("train", "test"))
    return Claim.of_margins(
        [OVERFITTED - (train - test)],
        f"无正则化时训练准确率 {train:.1%}，测试准确率 {test:.1%}；界限为高出 {OVERFITTED:.0%}",
    )


def weights_show_digits(correlations: NDArray[np.float64]) -> Claim:
    """Each weight image correlates more with the mean image of its own digit than with any other."""
    own = np.diag(correlations)
    others = np.where(np.eye(len(own), dtype=bool), -np.inf, correlations).max(axis=1)
    closest = int((own - others).argmin())
    return Claim.of_margins(
        own - others,
        f"与本类均值图像的相关系数为 {own.min():.2f} 至 {own.max():.2f}；领先最少的是数字 {closest}："
        f"本类 {own[closest]:.2f}，他类最高 {others[closest]:.2f}",
    )


def ridge_shrinks_norm(study: Table) -> Claim:
    """Ridge makes the norm fall with every larger λ, and below the norm without regularisation."""
    norms, none = numbers(study, "norm_ridge"), numbers(study, "norm_none")
    margins = [none[0] - norms[0], *(before - after for before, after in pairwise(norms))]
    return Claim.of_margins(margins, f"λ 由小到大，Ridge 的范数依次为 {_listed(norms, 2)}；无正则化为 {none[0]:.2f}")


def lasso_is_sparser(study: Table) -> Claim:
    """For all λ but the largest, Lasso leaves fewer nonzero weights than Ridge, and fewer with every larger λ."""
    lasso, ridge = (numbers(study, f"nonzero_{penalty}")[:-1] for penalty in ("lasso", "ridge"))
    margins = [many - few for few, many in zip(lasso, ridge, strict=True)]
    margins += [before - after for before, after in pairwise(lasso)]
    limit = numbers(study, "regularisation")[-2]
    return Claim.of_margins(margins, f"λ ≤ {limit:g} 时非零权重数：Lasso {_listed(lasso)}；Ridge {_listed(ridge)}")


def lasso_anomaly(study: Table) -> Claim:
    """At the largest λ Lasso leaves more nonzero weights than Ridge."""
    largest, lasso, ridge = (
        numbers(study, column)[-1] for column in ("regularisation", "nonzero_lasso", "nonzero_ridge")
    )
    return Claim.of_margins([lasso - ridge], f"λ = {largest:g} 时非零权重数：Lasso {lasso:.0f}，Ridge {ridge:.0f}")


def small_step_restores_sparsity(study: Table) -> Claim:
    """With the small learning rate, Lasso at the largest λ leaves less than half as many nonzero weights."""
    (lam, gamma, *_, large, _), (_, small_gamma, *_, small, _) = study.rows[-2:]
    margin = FAR_FEWER * cast("int", large) - cast("int", small)
    return Claim.of_margins(
        [margin], f"λ = {lam} 的 Lasso：γ = {gamma} 时 {large} 个非零权重，γ = {small_gamma} 时 {small} 个"
    )


def weights_swing_within_a_step(share: float) -> Claim:
    """Most weights of the anomalous training lie within one step γλ of zero: they swing across it."""
    return Claim.of_margins([share - MOST], f"{share:.1%} 的权重满足 |w| ≤ γλ，即在零点两侧一步之内")


def swinging_weights_are_uniform(nonzero_share: float, expected: float) -> Claim:
    """Count as many nonzero weights as when all of them swung across zero, spread evenly over one step."""
    return Claim.of_margins(
        [CLOSE - abs(nonzero_share - expected)],
        f"非零权重占 {nonzero_share:.1%}，均匀分布于一步之内时应占 {expected:.1%}；界限为 {CLOSE:.0%}",
    )


def strong_lasso_ruins_classifier(none: float, anomaly: float, small_step: float) -> Claim:
    """Both trainings with the largest λ lose at least half of the test accuracy of the unpenalised one."""
    return Claim.of_margins(
        [none / 2 - anomaly, none / 2 - small_step],
        f"测试准确率：无正则化 {none:.1%}，λ 最大时 {anomaly:.1%}，再减小 γ 后 {small_step:.1%}",
    )


def published_norms_need_five_epochs(last: float, first: float) -> Claim:
    """Our last epoch is nearer to the published Ridge norms than our first."""
    return Claim.of_margins(
        [first - last], f"与已发表 Ridge 范数的最大相对偏差：训练结束时 {last:.1%}，第 1 轮末 {first:.1%}"
    )


def norm_deviation_from_published(study: Table) -> float:
    """Return the largest relative deviation of the Ridge norms from the published ones: a check of the publication."""
    printed = numbers(published.table("logistic.regularisation"), "norm_ridge")
    return max(abs(ours / theirs - 1) for ours, theirs in zip(numbers(study, "norm_ridge"), printed, strict=True))


def accuracy_gap_to_published(accuracy: Table) -> float:
    """Return the largest difference between table 1 and the published one: a check of the publication."""
    printed = published.table("logistic.accuracy")
    ours, theirs = (
        np.array([table.column(part) for part in ("train", "test")], dtype=float) for table in (accuracy, printed)
    )
    return float(np.abs(ours - theirs).max())


def numbers(study: Table, column: str) -> list[float]:
    """Return a column of table 2 without the supplementary row, which has no norms."""
    rows = zip(study.column(column), study.column("norm_none"), strict=True)
    return [float(cell) for cell, norm in rows if norm is not None and cell is not None]


def _listed(counts: Iterable[float], digits: int = 0) -> str:
    return "、".join(f"{count:.{digits}f}" for count in counts)
