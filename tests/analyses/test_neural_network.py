"""Section 3: the perceptron's run, and what is said of the end of its training."""

import numpy as np
import pytest

from analyses import neural_network
from report.model import Outcome, RunContext

STEPS = 600


def outcome(losses, gap=0.002):
    """Return the outcome of a training of five epochs with the given losses and a constant gap of the accuracies."""
    epochs = len(losses) // STEPS
    test = np.linspace(0.9, 0.97, epochs)
    return Outcome(
        {
            "loss": np.asarray(losses, np.float64),
            "train_accuracy": test + gap,
            "test_accuracy": test,
            "learning_rate": 0.3 * 0.9 ** np.arange(epochs),
        }
    )


def judged(constant, decayed):
    """Analyse two trainings."""
    return neural_network.analyse(neural_network.runs("full"), {"constant": constant, "decayed": decayed})


def test_falling_losses_refute_the_rise():
    """Steadily falling losses do not rise late, and their slack is the fall."""
    falling = np.linspace(1.0, 0.1, 5 * STEPS)
    result = judged(outcome(falling), outcome(falling))
    assert not result.claims["loss_rises_late"].holds
    assert result.claims["loss_rises_late"].slack == pytest.approx(-0.9 * 300 / (5 * STEPS - 1))
    assert not result.claims["decay_steadies_the_end"].holds
    assert result.claims["no_overfitting"].holds


def test_a_rise_and_a_steadier_decay_are_seen():
    """Losses that turn up in the last half epoch rise late; smaller swings in the last epoch count as steadier."""
    rising = np.concatenate([np.linspace(1.0, 0.1, 5 * STEPS - 300), np.full(300, 0.2)])
    steady = np.concatenate([np.linspace(1.0, 0.1, 4 * STEPS), np.full(STEPS, 0.1)])
    result = judged(outcome(rising, gap=0.03), outcome(steady))
    assert result.claims["loss_rises_late"].holds
    assert result.claims["decay_steadies_the_end"].holds
    assert not result.claims["no_overfitting"].holds
    assert result.values["largest_gap"].number == pytest.approx(0.03)
    assert result.values["last_learning_rate"].number == pytest.approx(0.3 * 0.9**4)


def test_trainings_differ_in_the_decay_only(tiny, monkeypatch):
    """Both start equal and see the same batches: the first epoch is the same, the second is not."""
    monkeypatch.setattr(neural_network, "EPOCH_SAMPLES", 2_000)
    first, second = (
        neural_network.TrainPerceptron(decay=decay, epochs=2).compute(RunContext(data=tiny, seed=1)).arrays["loss"]
        for decay in (1.0, 0.9)
    )
    assert len(first) == 40
    assert np.array_equal(first[:20], second[:20])
    assert not np.array_equal(first[21:], second[21:])
