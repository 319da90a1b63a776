"""Section 2: its run, tables, regression and the check of the publication."""

import numpy as np
import pytest

from analyses import lda, lda_claims, published
from analyses.lda import OneAgainstRest, analyse, runs
from analyses.regression import regress
from mnistkit import led
from mnistkit.data import Mnist
from report.model import Outcome, Result, RunContext


@pytest.fixture(scope="module")
def outcome(tiny: Mnist) -> Outcome:
    """Return the ten discriminants on the stand-in data."""
    return OneAgainstRest(500).compute(RunContext(data=tiny))


@pytest.fixture(scope="module")
def result(outcome: Outcome) -> Result:
    """Return the analysis of the stand-in data."""
    return analyse(runs("full"), {"discriminants": outcome})


def test_the_first_ten_thousand_images_are_used() -> None:
    """The setting of the report, in both profiles."""
    assert runs("full")["discriminants"].n_train == runs("quick")["discriminants"].n_train == 10_000


def test_separable_classes_are_separated_on_a_balanced_set(outcome: Outcome, result: Result) -> None:
    """The stand-in's classes are told apart; each test set has twice as many images as its digit."""
    assert outcome.arrays["accuracy"].min() > 0.9
    assert outcome.arrays["n_test"].tolist() == [40] * 10
    assert outcome.numbers["n_train"] == 500
    assert result.tables["accuracy"].column("digit") == tuple(range(10))
    assert result.claims["better_than_constant"].holds


def test_blank_pixels_make_the_scatter_singular(outcome: Outcome) -> None:
    """The border is never inked, so the rank stays below the number of pixels."""
    blank = outcome.numbers["n_blank_pixels"]
    assert blank >= 784 - 24 * 20
    assert outcome.arrays["rank"].max() <= 784 - blank


def test_fewer_images_than_asked_for_are_all_used(tiny: Mnist) -> None:
    """On the small subset the count that is reported is the count that was used."""
    assert OneAgainstRest(10_000).compute(RunContext(data=tiny)).numbers["n_train"] == 600


def test_equal_streams_draw_equal_test_images(tiny: Mnist, outcome: Outcome) -> None:
    """The run is repeatable; another seed draws other images."""
    again = OneAgainstRest(500).compute(RunContext(data=tiny))
    np.testing.assert_array_equal(again.arrays["accuracy"], outcome.arrays["accuracy"])


def test_the_regression_is_that_of_the_accuracies_on_the_scores(result: Result, outcome: Outcome) -> None:
    """p, slope, interval, R² and n in the report are those of one regression, and the claim follows p."""
    fitted = regress(np.array(led.digit_scores()), outcome.arrays["accuracy"])
    for name in ("p_value", "slope", "slope_low", "slope_high", "r_squared", "t_value"):
        assert result.values[name].number == getattr(fitted, name)
    assert result.values["n_points"].number == 10
    assert result.claims["not_rejected"].holds == (fitted.p_value > 0.05)
    assert result.claims["not_rejected"].slack == pytest.approx(fitted.p_value - 0.05)


def test_tables_and_figures_carry_the_ids_of_the_report(result: Result) -> None:
    """Tables 3 and 4 and figure 3 are there, table 4 as computed from the lit segments."""
    assert {"accuracy", "led_segments", "led_scores"} == set(result.tables)
    assert {"led_digits", "regression"} == set(result.figures)
    assert result.tables["led_segments"].rows[4] == ("E", "0 2 6 8", 4, 5)
    assert result.values["score_1"].number == 1.5


def test_the_published_p_value_cannot_be_recomputed() -> None:
    """The published tables give 0.639 with the printed scores and 0.595 with exact ones, not 0.1061."""
    check = lda_claims.check_publication()
    assert check.printed == 0.1061
    assert check.of_printed_scores == pytest.approx(0.639, abs=5e-4)
    assert check.of_exact_scores == pytest.approx(0.595, abs=5e-4)
    assert check.lowest < check.of_exact_scores < check.of_printed_scores < check.highest
    assert lda_claims.published_p_value(check).holds


def test_a_published_p_value_within_rounding_would_be_recomputable() -> None:
    """Had the publication printed a p inside the reachable interval, the claim would fail."""
    check = lda_claims.PublishedCheck(0.6, 0.639, 0.595, 0.58, 0.66)
    assert not lda_claims.published_p_value(check).holds


def test_the_check_of_the_publication_uses_no_result_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers change with the published tables and with nothing else."""
    before = lda_claims.check_publication()
    monkeypatch.setattr(lda, "regress", None)
    assert lda_claims.check_publication() == before


def test_the_difference_from_the_published_accuracies_is_measured() -> None:
    """Equal accuracies contradict the claim of a difference; one changed digit supports it."""
    printed = np.array(published.table("lda.accuracy").column("accuracy"), dtype=float)
    assert not lda_claims.differs_from_published(printed, printed).holds
    changed = printed.copy()
    changed[4] += 0.05
    claim = lda_claims.differs_from_published(changed, printed)
    assert claim.slack == pytest.approx(0.04)
    assert "数字 4" in claim.evidence
