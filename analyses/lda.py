"""Section 2: Fisher's discriminant of each digit against the rest, and whether LED segments explain its accuracy.

The discriminant is fitted on the first 10 000 training images and tested on as many images of the digit as of others.
Its accuracy is then regressed on how characteristic the segments are that the digit lights on an LED display.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyses import lda_claims as claims
from analyses import lda_figures as figures
from analyses import published
from analyses.regression import ALPHA, regress
from mnistkit import lda, led
from mnistkit.data import N_CLASSES, Mnist
from report.model import Outcome, Result, Run, RunContext, Table, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analyses.regression import Regression


@dataclass(frozen=True)
class OneAgainstRest(Run):
    """The ten discriminants.

    Parameters
    ----------
    n_train : int
        How many of the first training images are used, if there are that many.
    """

    n_train: int

    def compute(self, context: RunContext) -> Outcome:
        """Fit and test one discriminant per digit; the stream ``balanced_test`` draws the other images."""
        data = Mnist.of(context.data)
        X, labels = data.train_pixels[: self.n_train], data.train_labels[: self.n_train]
        accuracies, ranks, n_test = [], [], []
        for digit in range(N_CLASSES):
            discriminant = lda.fit(X, labels == digit)
            chosen = lda.balanced_test(data.test_labels, digit, context.generator("balanced_test", digit))
            predicted = discriminant.predict(data.test_pixels[chosen])
            accuracies.append(float(np.mean(predicted == (data.test_labels[chosen] == digit))))
            ranks.append(discriminant.rank_)
            n_test.append(len(chosen))
            context.progress(digit + 1, N_CLASSES, f"digit {digit}")
        arrays = {"accuracy": np.array(accuracies), "rank": np.array(ranks), "n_test": np.array(n_test)}
        blank = int(np.count_nonzero(X.max(axis=0) == 0))
        counts = {
            "n_train": len(X),
            "n_features": X.shape[1],
            "n_blank_pixels": blank,
            "n_test_images": len(data.test_labels),
        }
        return Outcome(arrays=arrays, numbers=counts)

    def cost(self) -> float:
        """Compare with an epoch of the logistic units."""
        return 4.0


SETTINGS = {"full": OneAgainstRest(10_000), "quick": OneAgainstRest(10_000)}


def runs(profile: str) -> dict[str, Run]:
    """Return the one run: ten fits on the same images."""
    return {"discriminants": SETTINGS[profile]}


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:  # noqa: ARG001 - the engine's contract
    """Turn the accuracies into tables 3 and 4, figure 3, the regression and the claims."""
    outcome = outcomes["discriminants"]
    accuracy, n_test = outcome.arrays["accuracy"], outcome.arrays["n_test"]
    scores = np.array(led.digit_scores())
    regression = regress(scores, accuracy)
    check = claims.check_publication()
    printed = np.array(published.table("lda.accuracy").column("accuracy"), dtype=float)
    return Result(
        values={
            **_accuracy_values(outcome),
            **_regression_values(regression),
            **_check_values(check, accuracy, printed),
            **{f"score_{digit}": Value(float(score), digits=2) for digit, score in enumerate(scores)},
        },
        tables={
            "accuracy": Table(("digit", "accuracy", "n_test"), zip(led.DIGITS, accuracy, n_test, strict=True)),
            "led_segments": _segment_table(),
            "led_scores": _score_table(scores),
        },
        figures={
            "led_digits": figures.led_digits(),
            "regression": figures.regression(scores, accuracy, regression),
        },
        claims={
            "better_than_constant": claims.better_than_constant(accuracy),
            "not_rejected": claims.not_rejected(regression),
            "differs_from_published": claims.differs_from_published(accuracy, printed),
            "published_p_value": claims.published_p_value(check),
            "published_decision": claims.published_decision(check, regression),
        },
    )


def _accuracy_values(outcome: Outcome) -> dict[str, Value]:
    accuracy, n_test = outcome.arrays["accuracy"], outcome.arrays["n_test"]
    n_images = int(outcome.numbers["n_test_images"])
    always_no = 1 - n_test / 2 / n_images
    return {
        "n_train": Value(int(outcome.numbers["n_train"])),
        "rank": Value(int(outcome.arrays["rank"].max())),
        "n_features": Value(int(outcome.numbers["n_features"])),
        "n_blank_pixels": Value(int(outcome.numbers["n_blank_pixels"])),
        "accuracy_mean": Value(float(accuracy.mean()), digits=3),
        "accuracy_best": Value(float(accuracy.max()), digits=3),
        "accuracy_worst": Value(float(accuracy.min()), digits=3),
        "best_digit": Value(int(accuracy.argmax())),
        "worst_digit": Value(int(accuracy.argmin())),
        "always_no_lowest": Value(float(always_no.min()), digits=3),
        "always_no_highest": Value(float(always_no.max()), digits=3),
        "always_no_mean": Value(float(always_no.mean()), digits=3),
    }


def _regression_values(regression: Regression) -> dict[str, Value]:
    return {
        "slope": Value(regression.slope, digits=4),
        "slope_low": Value(regression.slope_low, digits=4),
        "slope_high": Value(regression.slope_high, digits=4),
        "intercept": Value(regression.intercept, digits=3),
        "r_squared": Value(regression.r_squared, digits=3),
        "t_value": Value(regression.t_value, digits=2),
        "p_value": Value(regression.p_value, digits=4),
        "n_points": Value(regression.n),
        "alpha": Value(ALPHA),
    }


def _check_values(
    check: claims.PublishedCheck, accuracy: NDArray[np.float64], printed: NDArray[np.float64]
) -> dict[str, Value]:
    """Return what the check of the publication found; nothing else of the section depends on it."""
    difference = np.abs(accuracy - printed)
    return {
        "published_p_printed": Value(check.printed, digits=4),
        "published_p_of_printed_scores": Value(check.of_printed_scores, digits=3),
        "published_p_of_exact_scores": Value(check.of_exact_scores, digits=3),
        "published_p_lowest": Value(check.lowest, digits=3),
        "published_p_highest": Value(check.highest, digits=3),
        "published_largest_difference": Value(float(difference.max()), digits=3),
        "published_mean_difference": Value(float(difference.mean()), digits=3),
        "published_farthest_digit": Value(int(difference.argmax())),
    }


def _segment_table() -> Table:
    scores = led.specificity_scores()
    rows = [
        (segment, " ".join(str(digit) for digit in digits), len(digits), scores[segment])
        for segment, digits in led.SEGMENTS.items()
    ]
    return Table(("segment", "digits", "count", "specificity"), rows)


def _score_table(scores: NDArray[np.float64]) -> Table:
    lit = [led.lit_segments(digit) for digit in led.DIGITS]
    rows = [(digit, "".join(lit[digit]), len(lit[digit]), scores[digit]) for digit in led.DIGITS]
    return Table(("digit", "segments", "n_segments", "score"), rows)
