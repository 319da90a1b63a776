"""Section 1: its runs, tables and claims."""

from dataclasses import replace

import numpy as np
import pytest

from analyses import logistic, logistic_claims
from analyses.logistic import Training, analyse, run_name, runs
from mnistkit.data import Mnist
from report.model import Outcome, Result, Run, RunContext, Table

NORMS = [8.0, 7.0, 5.0, 3.0, 1.0]
COLUMNS = ("regularisation", "learning_rate", "norm_none", "norm_lasso", "norm_ridge")
COLUMNS += ("nonzero_none", "nonzero_lasso", "nonzero_ridge")


def study(
    ridge_norms: list[float] = NORMS,
    lasso: tuple[int, ...] = (7000, 5000, 3000, 2000, 7100),
    small: int = 800,
) -> Table:
    """Return a table 2 with some columns as given."""
    rows = [
        (10.0 ** (index - 5), 0.1, 8.5, 1.0, norm, 7600, count, 7500 - 500 * index)
        for index, (norm, count) in enumerate(zip(ridge_norms, lasso, strict=True))
    ]
    return Table(COLUMNS, [*rows, (0.1, 0.01, None, None, None, None, small, None)])


@pytest.fixture(scope="module")
def short() -> dict[str, Run]:
    """Return the section's runs with two epochs of large batches."""
    return {
        name: replace(run, epochs=2, batch_size=500, record_every=20) if isinstance(run, Training) else run
        for name, run in runs("quick").items()
    }


@pytest.fixture(scope="module")
def outcomes(short: dict[str, Run], tiny: Mnist) -> dict[str, Outcome]:
    """Return the outcomes of the short runs on the stand-in data."""
    return {name: run.compute(RunContext(data=tiny)) for name, run in short.items()}


@pytest.fixture(scope="module")
def result(short: dict[str, Run], outcomes: dict[str, Outcome]) -> Result:
    """Return the analysis of the short runs."""
    return analyse(short, outcomes)


def test_the_study_shares_one_training_without_a_penalty() -> None:
    """Twelve trainings: one without, five λ for each penalty, and the supplementary one."""
    trainings = [run for run in runs("full").values() if isinstance(run, Training)]
    assert len(trainings) == len(set(trainings)) == 12
    assert [run.regularisation for run in trainings if run.penalty == "none"] == [0.0]
    supplementary = runs("full")["lasso_small_step"]
    assert (supplementary.regularisation, supplementary.learning_rate) == (0.1, 0.01)


def test_settings_are_those_of_the_report() -> None:
    """B = 100, γ = 0.1, λ = 0.001 and five epochs in the full profile."""
    lasso = runs("full")["lasso"]
    assert (lasso.batch_size, lasso.learning_rate, lasso.regularisation, lasso.epochs) == (100, 0.1, 0.001, 5)
    assert runs("full").keys() == runs("quick").keys()


def test_run_names_are_identifiers() -> None:
    """Templates reach settings by name."""
    assert run_name("lasso", 1e-5) == "lasso_1e_5"
    assert run_name("ridge", 1e-3) == "ridge"
    assert all(name.isidentifier() for name in runs("full"))


def test_variants_start_from_equal_weights_and_see_equal_batches(outcomes: dict[str, Outcome]) -> None:
    """The first record of all trainings is the same, and without a penalty λ has no say."""
    first = {float(run.arrays["train_loss"][0]) for name, run in outcomes.items() if name != "class_means"}
    assert len(first) == 1


def test_an_epoch_takes_as_many_steps_on_little_data(outcomes: dict[str, Outcome]) -> None:
    """On 600 images an epoch still has 60 000 / B steps, through fresh permutations."""
    assert outcomes["none"].arrays["steps"][-1] == 2 * 60_000 // 500


def test_class_means_are_means(outcomes: dict[str, Outcome], tiny: Mnist) -> None:
    """Row 3 is the mean image of the threes."""
    expected = tiny.train_images[tiny.train_labels == 3].reshape(-1, 784).mean(axis=0) / 255
    np.testing.assert_allclose(outcomes["class_means"].arrays["means"][3], expected, atol=1e-6)


def test_tables_hold_what_the_trainings_ended_with(result: Result, outcomes: dict[str, Outcome]) -> None:
    """Table 1 has ratios; table 2 and its one-epoch twin are the last and the first snapshot."""
    accuracy = result.tables["accuracy"]
    assert accuracy.column("variant") == ("none", "lasso", "ridge")
    assert all(0 <= cell <= 1 for part in ("train", "test") for cell in accuracy.column(part))
    for name, epoch in (("regularisation", -1), ("regularisation_one_epoch", 0)):
        table = result.tables[name]
        assert table.columns == COLUMNS
        assert len(table.rows) == 6
        assert table.column("norm_ridge")[0] == outcomes["ridge_1e_5"].arrays["norms"][epoch]
        assert table.column("nonzero_lasso")[5] == outcomes["lasso_small_step"].arrays["nonzeros"][epoch]
        assert table.column("norm_none")[5] is None


def test_figures_are_pdf(result: Result) -> None:
    """Figures 1 and 2 are drawn."""
    assert set(result.figures) == {"training_curves", "classifiers"}
    assert all(figure.pdf.startswith(b"%PDF") for figure in result.figures.values())


def test_the_weights_find_their_digit(result: Result) -> None:
    """On classes that differ in their ink, each weight image resembles its own class most."""
    assert result.claims["weights_show_digits"].holds
    assert len(result.tables["class_correlation"].rows) == 10


def test_every_claim_has_evidence(result: Result) -> None:
    """Nothing is stated without computed numbers."""
    assert all(any(sign.isdigit() for sign in claim.evidence) for claim in result.claims.values())


@pytest.mark.parametrize(
    ("predicate", "supporting", "contradicting", "slack"),
    [
        (logistic_claims.ridge_shrinks_norm, study(), study([8.0, 7.0, 7.5, 3.0, 1.0]), 0.5),
        (logistic_claims.ridge_shrinks_norm, study(), study([8.6, 7.0, 5.0, 3.0, 1.0]), 0.5),
        (logistic_claims.lasso_is_sparser, study(), study(lasso=(7600, 5000, 3000, 2000, 7100)), 500),
        (logistic_claims.lasso_is_sparser, study(), study(lasso=(7000, 5000, 5100, 2000, 7100)), 500),
        (logistic_claims.lasso_anomaly, study(), study(lasso=(7000, 5000, 3000, 2000, 1000)), 1600),
        (logistic_claims.small_step_restores_sparsity, study(), study(small=3600), 2750),
    ],
)
def test_claims_about_table_2(predicate, supporting: Table, contradicting: Table, slack: float) -> None:
    """Each claim holds on a table that supports it, with the slack that can be read off, and fails on another."""
    assert predicate(supporting).holds
    assert predicate(supporting).slack == pytest.approx(slack)
    assert not predicate(contradicting).holds


def test_closeness_fails_where_one_curve_leaves_the_others() -> None:
    """A gap of six points of accuracy at any time is too much."""

    def outcome(test_accuracy: list[float]) -> Outcome:
        loss = np.array([2.0, 1.0])
        curves = {"train_loss": loss, "train_accuracy": loss / 4, "test_accuracy": np.array(test_accuracy)}
        return Outcome(arrays=curves)

    near = {"none": outcome([0.5, 0.9]), "lasso": outcome([0.5, 0.88])}
    far = {"none": outcome([0.5, 0.9]), "lasso": outcome([0.44, 0.9])}
    assert logistic_claims.variants_are_close(near).slack == pytest.approx(0.03)
    assert logistic_claims.variants_are_close(far).slack == pytest.approx(-0.01)


def test_the_anomaly_is_printed_in_bold_only_where_it_occurs(short, outcomes: dict[str, Outcome]) -> None:
    """Emphasis is computed: Lasso's count in a row where it exceeds Ridge's."""
    few, many = (Outcome(arrays={"norms": np.ones(1), "nonzeros": np.array([count])}) for count in (1, 2))
    made_up = dict.fromkeys(outcomes, few) | {"lasso_1e_2": many}
    settings = {name: run for name, run in short.items() if isinstance(run, Training)}
    assert logistic.study_table(settings, made_up, -1).emphasis == {(3, "nonzero_lasso")}
