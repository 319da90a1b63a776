"""The training loop: losses, records, and the same bits every time."""

import multiprocessing

import numpy as np
import pytest
import torch
from torch.nn import functional

from mnistkit.networks import build
from mnistkit.torch_setup import Compute
from mnistkit.training import LOSSES, TrainingSettings, accuracy, loss_and_gradient, predict, train

ONE_HOT = functional.one_hot(torch.tensor([1, 0, 9, 3, 3]), 10).float()


def run(data, name="net1", seed=0, **changes):
    """Train a fresh network for a few steps and return its history."""
    settings = TrainingSettings(**{"learning_rate": 0.3, "batch_size": 20, "epochs": 2, "loss": "logits", **changes})
    return train(build(name, np.random.default_rng(seed)), data, settings, order=np.random.default_rng(5))


def reference_loss(kind, logits, targets):
    """Return the loss as PyTorch's own functions compute it."""
    if kind == "logits":
        return functional.cross_entropy(logits, targets)
    outputs = logits.softmax(1)
    if kind == "softmax_twice":
        return functional.cross_entropy(outputs, targets)
    return (outputs - targets).square().sum(1).mean()


@pytest.mark.parametrize("targets", [ONE_HOT, ONE_HOT.roll(1, 0) / 2 + 0.05], ids=["labels", "soft"])
@pytest.mark.parametrize("kind", LOSSES)
def test_losses_and_their_gradients_equal_autograd(kind, targets):
    """Each loss agrees with PyTorch's functions and autograd in float64, for labels and for soft targets."""
    logits = torch.randn(5, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    expected = reference_loss(kind, logits, targets.double())
    (expected_grad,) = torch.autograd.grad(expected, logits)
    loss, grad = loss_and_gradient(kind, logits.detach(), targets.double())
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(grad, expected_grad)


def test_the_loop_equals_autograd_and_sgd_step_by_step(data):
    """Ten steps give the loss curve of the textbook loop, up to the rounding of float32 sums."""
    network = build("net2", np.random.default_rng(0))
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    order = np.random.default_rng(5).permutation(400).reshape(20, 20)
    expected = []
    for batch in order[:10]:
        optimiser.zero_grad()
        loss = functional.cross_entropy(network(data.train.images[batch]), data.train.labels[batch])
        loss.backward()
        optimiser.step()
        expected.append(loss.item())
    history = run(data, "net2", loss="softmax_twice", learning_rate=0.1, epochs=1)
    np.testing.assert_allclose(history.curves["loss"][:10], expected, rtol=1e-5)


def test_training_learns(data):
    """A few epochs on easy images end far above chance."""
    history = run(data, epochs=4)
    assert history.curves["loss"].shape == (80,)
    assert history.curves["train_accuracy"].shape == history.curves["test_accuracy"].shape == (4,)
    assert history.numbers["final_test_accuracy"] == history.curves["test_accuracy"][-1] > 0.9
    assert history.numbers["steps_per_epoch"] == 20


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_run_gives_the_same_bits(data, precision):
    """Two trainings from equal generators end in identical weights and curves."""
    settings = TrainingSettings(0.3, batch_size=20, epochs=1, probe_every=5, gradient_every=3)
    histories = [
        train(
            build("net2", np.random.default_rng(0)),
            data,
            settings,
            order=np.random.default_rng(5),
            compute=Compute(precision=precision),
        )
        for _ in range(2)
    ]
    assert histories[0].numbers == histories[1].numbers
    for name, array in histories[0].arrays.items():
        np.testing.assert_array_equal(array, histories[1].arrays[name])


def in_another_process(digits, connection):
    """Train where nothing else has run before."""
    from mnistkit.resident import resident

    connection.send(run(resident(*digits), "net2", epochs=1).arrays)


def test_another_process_gives_the_same_bits(data, digits):
    """A training does not depend on the process that it runs in: results are equal for any number of jobs."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=in_another_process, args=(digits, theirs))
    process.start()
    arrays = ours.recv()
    process.join()
    for name, array in run(data, "net2", epochs=1).arrays.items():
        np.testing.assert_array_equal(array, arrays[name])


def test_the_probe_and_the_gradient_are_recorded_when_due(data):
    """Every 5 steps of the first epoch a probe, every 8 steps a squared norm."""
    history = run(data, probe_every=5, probe_epochs=1, probe_images=100, gradient_every=8)
    np.testing.assert_array_equal(history.curves["probe_step"], [5, 10, 15, 20])
    np.testing.assert_array_equal(history.curves["gradient_step"], [8, 16, 24, 32, 40])
    assert (history.curves["gradient_norm_squared"] > 0).all()
    assert history.curves["probe_accuracy"].shape == (4,)


def test_the_gradient_norm_is_that_of_the_step(data):
    """The squared norm of the first step's gradient equals autograd's."""
    network = build("net1", np.random.default_rng(0))
    batch = np.random.default_rng(5).permutation(400)[:20]
    loss = functional.cross_entropy(network.logits(data.train.images[batch]), data.train.labels[batch])
    gradients = torch.autograd.grad(loss, tuple(network.parameters()))
    expected = sum(gradient.square().sum().item() for gradient in gradients)
    history = run(data, gradient_every=1, epochs=1, steps_per_epoch=1)
    assert history.curves["gradient_norm_squared"][0] == pytest.approx(expected, rel=1e-4)


def test_snapshots_are_taken_where_the_probe_first_crosses(data):
    """The stored step is the first probe at or above the threshold, and the weights are of that moment."""
    history = run(data, probe_every=4, probe_images=400, thresholds=(0.3, 0.6, 1.1))
    steps, probed = history.curves["probe_step"], history.curves["probe_accuracy"]
    assert history.numbers["crossings"] == {
        "at_0.3": steps[np.argmax(probed >= 0.3)],
        "at_0.6": steps[np.argmax(probed >= 0.6)],
        "at_1.1": None,
    }
    assert {name.split("/")[1] for name in history.states} == {"at_0.3", "at_0.6", "final"}


def test_a_probe_does_not_disturb_the_training(data):
    """Recording more changes no weight."""
    plain, probed = run(data), run(data, probe_every=3, gradient_every=2, thresholds=(0.2,))
    for name in (name for name in plain.states if "/final/" in name):
        np.testing.assert_array_equal(plain.states[name], probed.states[name])


def test_a_small_set_keeps_the_number_of_steps(data):
    """steps_per_epoch cycles through fresh permutations."""
    history = run(data, steps_per_epoch=33)
    assert history.curves["loss"].shape == (66,)
    assert history.numbers["steps_per_epoch"] == 33


def test_targets_change_the_training_but_not_the_recorded_loss(data):
    """With the one-hot labels as targets nothing changes; with others the first recorded loss is still the labels'."""
    labels = functional.one_hot(data.train.labels, 10).float()
    settings = TrainingSettings(0.3, batch_size=20, epochs=1, loss="mse")
    curves = [
        train(
            build("net1", np.random.default_rng(0)), data, settings, order=np.random.default_rng(5), targets=targets
        ).curves["loss"]
        for targets in (None, labels, labels.roll(1, 1))
    ]
    np.testing.assert_array_equal(curves[0], curves[1])
    assert curves[2][0] == curves[0][0]
    assert not np.array_equal(curves[2], curves[0])


def test_predictions_do_not_depend_on_the_batches(data):
    """Probabilities in float32, whatever the batch size; accuracy counts the largest."""
    network = build("net2", np.random.default_rng(0))
    outputs = predict(network, data.test.images)
    torch.testing.assert_close(outputs, predict(network, data.test.images, batch_size=7))
    torch.testing.assert_close(outputs.sum(1), torch.ones(100))
    assert accuracy(network, data.test) == (outputs.argmax(1) == data.test.labels).sum().item() / 100


def test_progress_counts_epochs(data):
    """It is told once per epoch."""
    told = []
    train(
        build("net1", np.random.default_rng(0)),
        data,
        TrainingSettings(0.1, batch_size=100, epochs=2),
        order=np.random.default_rng(0),
        progress=lambda done, total, note: told.append((done, total, note.split()[0])),
    )
    assert told == [(1, 2, "test"), (2, 2, "test")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"loss": "hinge"}, "no loss 'hinge'; known:"), ({"thresholds": (0.5,)}, "set probe_every")],
)
def test_settings_that_cannot_work_are_refused(changes, message):
    """Before anything is trained."""
    with pytest.raises(ValueError, match=message):
        TrainingSettings(0.1, **changes)
