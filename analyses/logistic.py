"""Section 1: how well ten sigmoid units classify, and what Lasso and Ridge do to their weights.

One training per penalty and λ, all from the same initial weights and with the same batches, so that the penalty is
the only difference. The numbers after the first epoch are snapshots of the same trainings.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analyses import logistic_claims as claims
from analyses import logistic_figures as figures
from analyses import published
from mnistkit import logistic
from mnistkit.batches import permuted_batches
from mnistkit.data import EPOCH_SAMPLES, N_CLASSES, Mnist
from report.model import Outcome, Result, Run, RunContext, Table, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

PENALTIES: tuple[logistic.Penalty, ...] = ("lasso", "ridge")
VARIANTS = ("none", *PENALTIES)
REGULARISATIONS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
BASE_REGULARISATION = 1e-3
SMALL_STEP = "lasso_small_step"
SMALL_LEARNING_RATE = 0.01


def run_name(penalty: str, regularisation: float) -> str:
    """Name a run: ``lasso`` for the λ of section 1.1, ``lasso_1e_5`` for another; ``none`` has only one."""
    if penalty == "none" or regularisation == BASE_REGULARISATION:
        return penalty
    return f"{penalty}_{regularisation:.0e}".replace("-0", "_")


ANOMALY = run_name("lasso", REGULARISATIONS[-1])


@dataclass(frozen=True)
class Training(Run):
    """One training of the ten units.

    Parameters
    ----------
    penalty : {"none", "lasso", "ridge"}
        What λ is the weight of.
    regularisation, learning_rate : float
        λ and γ.
    batch_size, epochs : int
        B, and rounds of 60 000 / B gradient steps.
    record_every : int
        Gradient steps between two points of the curves.
    """

    penalty: logistic.Penalty
    regularisation: float
    learning_rate: float
    batch_size: int
    epochs: int
    record_every: int

    def compute(self, context: RunContext) -> Outcome:
        """Train; the streams ``weights`` and ``batches`` are the same for every variant."""
        data = Mnist.of(context.data)
        fit = logistic.fit(
            data,
            logistic.initial_weights(context.generator("weights")),
            self._batches(context, len(data.train_labels)),
            logistic.Descent(self.learning_rate, self.penalty, self.regularisation, self.record_every),
            on_epoch=lambda epoch, loss: context.progress(epoch, self.epochs, f"loss {loss:.4f}"),
        )
        return Outcome(arrays=asdict(fit))

    def cost(self) -> float:
        """Count the epochs."""
        return float(self.epochs)

    def _batches(self, context: RunContext, n_samples: int) -> Iterator[NDArray[np.int64]]:
        for epoch in range(self.epochs):
            generator = context.generator("batches", epoch)
            yield permuted_batches(generator, n_samples, self.batch_size, EPOCH_SAMPLES // self.batch_size)


@dataclass(frozen=True)
class ClassMeans(Run):
    """The mean training image of each digit."""

    def compute(self, context: RunContext) -> Outcome:
        """Average the pixels of each class; ``means`` has shape (10, 784), in [0, 1]."""
        data = Mnist.of(context.data)
        members = [data.train_pixels[data.train_labels == digit] for digit in range(N_CLASSES)]
        return Outcome(arrays={"means": np.stack([rows.mean(axis=0, dtype=np.float64) for rows in members])})


_BASE = Training("none", 0.0, learning_rate=0.1, batch_size=100, epochs=5, record_every=100)
SETTINGS = {"full": _BASE, "quick": replace(_BASE, record_every=300)}
"""Per profile the training without a penalty; the others differ from it in what the study varies."""


def runs(profile: str) -> dict[str, Run]:
    """Return a training per variant, those of the study of λ, the supplementary one, and the class means."""
    base = SETTINGS[profile]
    trainings = {"none": base}
    for penalty in PENALTIES:
        for regularisation in REGULARISATIONS:
            drawn = (
                regularisation == BASE_REGULARISATION
            )  # the others need no curve: evaluating costs more than training
            every = base.record_every if drawn else EPOCH_SAMPLES // base.batch_size
            training = replace(base, penalty=penalty, regularisation=regularisation, record_every=every)
            trainings[run_name(penalty, regularisation)] = training
    anomaly = trainings[ANOMALY]
    trainings[SMALL_STEP] = replace(anomaly, learning_rate=SMALL_LEARNING_RATE)
    return {**trainings, "class_means": ClassMeans()}


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:
    """Turn the trainings into tables 1 and 2, figures 1 and 2, and the claims about them."""
    settings = {name: run for name, run in runs.items() if isinstance(run, Training)}
    base: dict[str, Outcome] = {variant: outcomes[variant] for variant in VARIANTS}
    study, first_epoch = (study_table(settings, outcomes, epoch) for epoch in (-1, 0))
    deviations = claims.norm_deviation_from_published(study), claims.norm_deviation_from_published(first_epoch)
    W = outcomes["none"].arrays["W"]
    correlations = figures.class_correlations(W, outcomes["class_means"].arrays["means"])
    accuracy = _accuracy_table(base)
    values = _values(settings, outcomes, correlations)
    return Result(
        values={**values, **_check_values(accuracy, deviations)},
        tables={
            "accuracy": accuracy,
            "regularisation": study,
            "regularisation_one_epoch": first_epoch,
            "class_correlation": _correlation_table(correlations),
        },
        figures={
            "training_curves": figures.training_curves(base, EPOCH_SAMPLES // settings["none"].batch_size),
            "classifiers": figures.classifiers(W),
        },
        claims={
            "variants_are_close": claims.variants_are_close(base),
            "little_overfitting": claims.little_overfitting(base["none"]),
            "weights_show_digits": claims.weights_show_digits(correlations),
            "ridge_shrinks_norm": claims.ridge_shrinks_norm(study),
            "lasso_is_sparser": claims.lasso_is_sparser(study),
            "lasso_anomaly": claims.lasso_anomaly(study),
            "small_step_restores_sparsity": claims.small_step_restores_sparsity(study),
            "weights_swing_within_a_step": claims.weights_swing_within_a_step(values["share_within_a_step"].number),
            "swinging_weights_are_uniform": claims.swinging_weights_are_uniform(
                values["nonzero_share_anomaly"].number, values["nonzero_share_expected"].number
            ),
            "strong_lasso_ruins_classifier": claims.strong_lasso_ruins_classifier(
                *(values[f"accuracy_test_{name}"].number for name in ("none", "anomaly", "small_step"))
            ),
            "published_norms_need_five_epochs": claims.published_norms_need_five_epochs(*deviations),
        },
    )


def study_table(settings: Mapping[str, Training], outcomes: Mapping[str, Outcome], epoch: int) -> Table:
    """Return table 2 as it stands at the end of an epoch (counted from 0; -1 for the last).

    One row per λ; the last row is the supplementary Lasso training with a smaller γ. An anomalous count, more
    nonzero weights under Lasso than under Ridge, is printed in bold.
    """
    columns = [f"{measure}_{variant}" for measure in ("norm", "nonzero") for variant in VARIANTS]
    rows: list[list[Any]] = []
    for regularisation in REGULARISATIONS:
        names = [run_name(variant, regularisation) for variant in VARIANTS]
        norms = [float(outcomes[name].arrays["norms"][epoch]) for name in names]
        nonzeros = [int(outcomes[name].arrays["nonzeros"][epoch]) for name in names]
        rows.append([regularisation, settings[names[0]].learning_rate, *norms, *nonzeros])
    small = settings[SMALL_STEP]
    nonzero = int(outcomes[SMALL_STEP].arrays["nonzeros"][epoch])
    anomalies = [index for index, (*_, lasso, ridge) in enumerate(rows) if lasso > ridge]
    rows.append([small.regularisation, small.learning_rate, None, None, None, None, nonzero, None])
    return Table(
        ("regularisation", "learning_rate", *columns), rows, emphasis=[(row, "nonzero_lasso") for row in anomalies]
    )


def _values(
    settings: Mapping[str, Training], outcomes: Mapping[str, Outcome], correlations: NDArray[np.float64]
) -> dict[str, Value]:
    none, anomaly, small = (outcomes[name].arrays for name in ("none", ANOMALY, SMALL_STEP))
    own, step = np.diag(correlations), _penalty_step(settings[ANOMALY])
    accuracies = {
        f"accuracy_{part}_{variant}": _last(outcomes[variant].arrays, f"{part}_accuracy")
        for part in ("train", "test")
        for variant in VARIANTS
    }
    return {
        **{name: Value(accuracy, digits=4) for name, accuracy in accuracies.items()},
        "accuracy_test_anomaly": Value(_last(anomaly, "test_accuracy"), digits=4),
        "accuracy_test_small_step": Value(_last(small, "test_accuracy"), digits=4),
        "loss_first": Value(float(none["train_loss"][0]), digits=3),
        "loss_last": Value(_last(none, "train_loss"), digits=3),
        "n_weights": Value(int(none["W"].size)),
        "nonzero_threshold": Value(logistic.NONZERO_ABOVE),
        "initial_sd": Value(logistic.INITIAL_SD),
        "norm_none": Value(_last(none, "norms"), digits=2),
        "norm_none_one_epoch": Value(float(none["norms"][0]), digits=2),
        "norm_none_without_bias": Value(float(np.linalg.norm(none["W"][:, :-1].astype(np.float64))), digits=2),
        "correlation_smallest": Value(float(own.min()), digits=2),
        "correlation_largest": Value(float(own.max()), digits=2),
        "correlation_mean": Value(float(own.mean()), digits=2),
        "anomaly_step": Value(step),
        "anomaly_step_over_threshold": Value(round(step / logistic.NONZERO_ABOVE, 9)),
        "small_step": Value(_penalty_step(settings[SMALL_STEP])),
        "share_within_a_step": Value(float(np.mean(np.abs(anomaly["W"]) <= step)), digits=3),
        "nonzero_anomaly": Value(int(anomaly["nonzeros"][-1])),
        "nonzero_share_anomaly": Value(int(anomaly["nonzeros"][-1]) / anomaly["W"].size, digits=3),
        "nonzero_share_expected": Value(1 - logistic.NONZERO_ABOVE / step, digits=3),
        "nonzero_small_step": Value(int(small["nonzeros"][-1])),
    }


def _last(arrays: Mapping[str, NDArray[Any]], curve: str) -> float:
    return float(arrays[curve][-1])


def _penalty_step(training: Training) -> float:
    """Return γλ, by which the Lasso penalty moves every weight in one step."""
    return round(training.learning_rate * training.regularisation, 12)


def _check_values(accuracy: Table, deviations: tuple[float, float]) -> dict[str, Value]:
    """Return how far the published numbers are from ours; nothing else of the section depends on it."""
    return {
        "published_epochs": Value(int(published.number("logistic.regularisation_epochs"))),
        "published_accuracy_gap": Value(claims.accuracy_gap_to_published(accuracy), digits=3),
        "published_deviation": Value(deviations[0], digits=3),
        "published_deviation_one_epoch": Value(deviations[1], digits=3),
    }


def _accuracy_table(outcomes: Mapping[str, Outcome]) -> Table:
    curves = ("train_accuracy", "test_accuracy")
    rows = [(variant, *(_last(outcome.arrays, curve) for curve in curves)) for variant, outcome in outcomes.items()]
    return Table(("variant", "train", "test"), rows)


def _correlation_table(correlations: NDArray[np.float64]) -> Table:
    rows = []
    for digit, row in enumerate(correlations):
        others = np.delete(row, digit)
        rows.append((digit, row[digit], others.max(), others.mean()))
    return Table(("digit", "own_class", "nearest_other", "mean_other"), rows)
