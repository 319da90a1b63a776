"""Section 6: the classifiers on equal terms."""

import numpy as np
import pytest

from analyses import lda, logistic, neural_network, summary
from analyses.network_runs import base_run
from mnistkit.data import Mnist
from mnistkit.lda import balanced_test
from mnistkit.networks import build
from mnistkit.snapshots import state_arrays
from report.model import Outcome, RunContext

LABELS = np.repeat(np.arange(10, dtype=np.uint8), 5)


def outcomes(cnn=0.99, discriminant=0.9, logistic_accuracy=0.91):
    """Return outcomes in which every digit is recognised equally well."""
    return {
        "lda": Outcome({"accuracy": np.full(10, discriminant)}, {"n_features": 784}),
        "logistic": Outcome({"test_accuracy": np.array([0.1, logistic_accuracy]), "W": np.zeros((10, 785))}),
        "perceptron": Outcome({"test_accuracy": np.array([0.9, 0.97])}),
        "cnn": Outcome(numbers={"final_test_accuracy": cnn}),
        "balanced": Outcome({"logistic": np.full(10, 0.95), "cnn": np.full(10, cnn)}),
    }


@pytest.mark.parametrize("profile", ["full", "quick"])
def test_nothing_is_trained_twice(profile):
    """The trainings are those of the sections themselves."""
    runs = summary.runs(profile)
    assert runs["lda"] == lda.runs(profile)["discriminants"]
    assert runs["logistic"] == logistic.runs(profile)["none"]
    assert runs["perceptron"] == neural_network.runs(profile)["constant"]
    assert runs["cnn"] == base_run(profile)
    assert runs["balanced"] == summary.BalancedTasks(runs["logistic"], runs["cnn"])


def test_a_constant_answer_is_right_half_the_time_on_its_digit():
    """Balanced images: saying 0 to everything is right for the five zeros and wrong for the five others."""
    chosen = [balanced_test(LABELS, digit, np.random.default_rng(digit)) for digit in range(10)]
    found = summary.balanced_accuracies(np.zeros(50, int), LABELS, chosen)
    assert found[0] == 0.5
    assert summary.balanced_accuracies(LABELS, LABELS, chosen).tolist() == [1.0] * 10


def test_run_asks_about_the_images_of_section_2():
    """The share of right answers is counted on exactly the images that the discriminants were tested on."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (50, 28, 28), dtype=np.uint8)
    W = generator.normal(size=(10, 785))
    context = RunContext(
        data=Mnist(images, LABELS, images, LABELS),
        seed=3,
        upstream={
            "logistic": Outcome({"W": W}),
            "network": Outcome(state_arrays(build("net2", np.random.default_rng(1)))),
        },
    )
    found = summary.runs("quick")["balanced"].compute(context).arrays
    answers = (images.reshape(50, 784) / 255 @ W[:, :-1].T + W[:, -1]).argmax(axis=1)
    for digit in range(10):
        chosen = balanced_test(LABELS, digit, context.generator("balanced_test", digit))
        assert found["logistic"][digit] == np.mean((answers[chosen] == digit) == (LABELS[chosen] == digit))


def test_claims_hold_for_the_expected_order():
    """The slack is the smallest lead."""
    result = summary.analyse(summary.runs("quick"), outcomes())
    assert result.claims["cnn_beats_lda"].slack == pytest.approx(0.09)
    assert result.claims["accuracy_order"].slack == pytest.approx(0.02)
    assert result.values["error_ratio"].number == pytest.approx(9)


def test_claims_fail_for_another_order():
    """A discriminant that is right more often, and units that beat the perceptron."""
    result = summary.analyse(summary.runs("quick"), outcomes(discriminant=0.995, logistic_accuracy=0.98))
    assert not result.claims["cnn_beats_lda"].holds
    assert not result.claims["accuracy_order"].holds


def test_parameters_are_counted_not_typed():
    """784·300+300 + 300·100+100 + 100·10+10 for the perceptron; those of Net2 are read off its modules."""
    rows = {row[0]: row[1] for row in summary.analyse(summary.runs("quick"), outcomes()).tables["models"].rows}
    assert rows["全连接网络"] == 235_500 + 30_100 + 1_010
    assert rows["卷积网络 Net2"] == sum(
        tensor.numel() for tensor in build("net2", np.random.default_rng()).parameters()
    )
    assert rows["逻辑回归"] == 7850
