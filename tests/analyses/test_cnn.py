"""Sections 4.1 and 4.2: counting failures, comparing plateaus, and what the learning rate does."""

import math

import numpy as np
import pytest
import torch

from analyses import cnn, learning_rate
from mnistkit.training import loss_and_gradient
from report.model import Outcome

STEPS = 600


def training(test_accuracy=0.95, probes=((50, 0.5), (200, 0.9), (300, 0.96)), loss=None, gradient=1.0):
    """Return the outcome of a training with the given measurements."""
    losses = np.linspace(2.3, 1.5, STEPS) if loss is None else np.asarray(loss, np.float64)
    epochs = len(losses) // STEPS
    steps = np.arange(10, len(losses) + 1, 10)
    arrays = {
        "loss": losses,
        "train_accuracy": np.full(epochs, test_accuracy + 0.001),
        "test_accuracy": np.full(epochs, test_accuracy),
        "probe_step": np.array([step for step, _ in probes]),
        "probe_accuracy": np.array([accuracy for _, accuracy in probes]),
        "gradient_step": steps,
        "gradient_norm_squared": np.full(len(steps), gradient),
    }
    numbers = {"final_train_accuracy": test_accuracy, "final_test_accuracy": test_accuracy, "steps_per_epoch": STEPS}
    return Outcome(arrays, numbers)


def ablation(**changed):
    """Analyse section 4.1 with doubled softmax slower than logits, except where an outcome is given."""
    runs = cnn.runs("quick")
    slow = training(probes=((50, 0.1), (400, 0.85), (600, 0.9)))
    outcomes = {name: slow if "softmax_twice" in name else training() for name in runs}
    return cnn.analyse(runs, outcomes | changed)


def test_failures_are_counted_per_loss_and_rate():
    """A training below the stated accuracy failed; the others do not enter with its accuracy."""
    result = ablation(logits_50_1=training(test_accuracy=0.11))
    assert result.values["failures_logits_50"].number == 1
    assert result.values["failures_logits_30"].number == 0
    assert result.values["accuracy_logits_50"].number == 0.95
    assert result.claims["logits_sometimes_fail"].holds
    assert result.claims["doubled_softmax_trains"].holds


def test_an_unfinished_plateau_enters_with_its_least_length():
    """Doubled softmax that never reaches the end of its plateau counts with the steps that were measured."""
    result = ablation()
    assert not result.claims["logits_sometimes_fail"].holds
    claim = result.claims["logits_have_shorter_plateau"]
    start = 50 + 350 * (0.82 - 0.1) / 0.75
    shorter = 200 + 100 * (0.95 - 0.9) / 0.06 - (50 + 150 * (0.82 - 0.5) / 0.4)
    assert claim.holds
    assert claim.slack == pytest.approx(600 - start - shorter)


def test_no_trained_network_supports_no_comparison():
    """When every training on the logits failed, nothing is said of its plateau."""
    failed = training(test_accuracy=0.1)
    assert not ablation(logits_30_0=failed, logits_30_1=failed).claims["logits_have_shorter_plateau"].holds


def test_bounds_of_the_doubled_loss_are_those_of_the_training():
    """The floor that the text gives is the loss of a perfect output, the guess that of equal outputs."""
    values = ablation().values
    perfect, equal = torch.zeros(1, 10), torch.zeros(1, 10)
    perfect[0, 3] = 1_000.0
    label = torch.nn.functional.one_hot(torch.tensor([3]), 10)
    assert float(loss_and_gradient("softmax_twice", perfect, label)[0]) == pytest.approx(
        values["loss_floor"].number, rel=1e-6
    )
    assert float(loss_and_gradient("softmax_twice", equal, label)[0]) == pytest.approx(
        values["loss_guessing"].number, rel=1e-6
    )
    assert math.exp(-values["loss_floor"].number) == pytest.approx(values["largest_probability"].number)


def test_gradient_formula_of_the_text():
    """∂L/∂z_j = p_j (g_j - Σ p_k g_k) with g = q - e_y is what automatic differentiation and the training give."""
    logits = torch.randn(1, 10, generator=torch.Generator().manual_seed(0), requires_grad=True)
    label = torch.tensor([4])
    loss = torch.nn.functional.cross_entropy(logits.softmax(1), label)
    (automatic,) = torch.autograd.grad(loss, logits)
    p = logits.detach().softmax(1)[0]
    g = p.softmax(0)
    g[4] -= 1
    formula = p * (g - (p * g).sum())
    torch.testing.assert_close(formula, automatic[0])
    _, by_hand = loss_and_gradient("softmax_twice", logits.detach(), torch.eye(10)[label])
    torch.testing.assert_close(by_hand[0], automatic[0])


def rates(losses, gradients=(1.0, 0.5, 0.3, 0.1)):
    """Analyse section 4.2 with one loss curve per γ, from the smallest γ on."""
    runs = learning_rate.runs("full")
    outcomes = {
        name: training(loss=loss, gradient=gradient)
        for name, loss, gradient in zip(runs, losses, gradients, strict=True)
    }
    return learning_rate.analyse(runs, outcomes)


def test_larger_rates_are_faster_and_the_largest_turns_up():
    """Ordered early means support the first claim; a late rise of the largest γ alone supports the second."""
    falling = [np.linspace(2.3, 2.3 - 0.1 * speed, 30 * STEPS) for speed in (1, 2, 3)]
    turning = np.concatenate([np.linspace(2.0, 1.5, 25 * STEPS), np.linspace(1.5, 1.6, 5 * STEPS)])
    result = rates([*falling, turning])
    assert result.claims["larger_is_faster_early"].holds
    assert result.claims["largest_rises_late"].holds
    assert result.values["window"].number == 10
    assert result.values["window_last_start"].number == 21
    assert result.tables["gradients"].column("noise_term") == pytest.approx((0.01, 0.025, 0.03, 0.05))
    assert result.claims["noise_term_grows"].holds
    assert result.claims["noise_falls_with_rate"].slack == pytest.approx(50 - 5)


def test_a_rise_of_another_rate_refutes_the_claim():
    """The statement is about the largest γ alone."""
    rising, falling = np.linspace(1.5, 1.6, 30 * STEPS), np.linspace(2.0, 1.5, 30 * STEPS)
    assert not rates([falling, rising, falling, rising]).claims["largest_rises_late"].holds
    assert not rates([falling, falling, falling, falling]).claims["larger_is_faster_early"].holds


def test_adding_a_rate_adds_one_run(monkeypatch):
    """The other trainings stay equal, so their stored outcomes serve again."""
    before = learning_rate.runs("full")
    monkeypatch.setattr(learning_rate, "RATES", (*learning_rate.RATES, 1.0))
    after = learning_rate.runs("full")
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"gamma_1"}
