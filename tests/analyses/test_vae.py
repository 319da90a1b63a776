"""Section 5: the training of the autoencoder as a run, and the claims about it."""

from dataclasses import replace

import numpy as np
import pytest

from analyses import vae
from mnistkit.data import Mnist
from report.model import Outcome, RunContext


@pytest.fixture
def data():
    """Return a few images of blocks, so that a step takes milliseconds."""
    generator = np.random.default_rng(0)
    images = np.kron(generator.integers(0, 2, (60, 7, 7)), np.ones((4, 4))).astype(np.uint8) * 255
    labels = np.arange(60, dtype=np.uint8) % 10
    return Mnist(images[:40], labels[:40], images[40:], labels[40:])


def outcome(losses):
    """Return the outcome of a training whose four curves are given, whose reconstructions come nearer each epoch."""
    epochs = len(losses["kl_loss"])
    generator = np.random.default_rng(0)
    originals = (generator.random((4, 28, 28)) > 0.5).astype(np.float32)
    nearer = [originals * (1 - 0.8**epoch) + 0.5 * 0.8**epoch for epoch in range(1, epochs + 1)]
    arrays = {
        **{name: np.array(curve, dtype=np.float64) for name, curve in losses.items()},
        "shown_epochs": np.arange(1, epochs + 1),
        "originals": originals,
        "reconstructions": np.array(nearer),
        "samples": generator.random((10, 28, 28)),
    }
    return Outcome(arrays, {"n_test": 20})


def curves(reconstruction, kl):
    """Return the same curve for training and test set."""
    return {
        "reconstruction_loss": reconstruction, "test_reconstruction_loss": reconstruction,
        "kl_loss": kl, "test_kl_loss": kl,
    }  # fmt: skip


def analysed(losses):
    """Analyse one made-up training."""
    return vae.analyse(vae.runs("quick"), {"train": outcome(losses)})


@pytest.mark.parametrize("profile", ["full", "quick"])
def test_the_training_ends_with_the_last_shown_epoch(profile):
    """Figure 14 shows the finished network, in every profile."""
    run = vae.runs(profile)["train"]
    assert run.shown_epochs[-1] == run.epochs


def test_a_training_is_a_function_of_its_settings_and_the_seed(data, monkeypatch):
    """Equal settings and seeds give equal bits; another seed gives other ones."""
    monkeypatch.setattr(vae, "EPOCH_SAMPLES", 40)
    run = replace(vae.runs("quick")["train"], epochs=2, shown_epochs=(1, 2), batch_size=10, n_shown=3, n_samples=5)
    first, again, other = (run.compute(RunContext(data=data, seed=seed)).arrays for seed in (1, 1, 2))
    assert first.keys() == again.keys()
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["reconstruction_loss"], other["reconstruction_loss"])
    assert first["reconstructions"].shape == (2, 3, 28, 28)
    assert first["samples"].shape == (5, 28, 28)


def test_claims_hold_for_a_training_that_improves_early():
    """A falling reconstruction loss and a growing divergence are what the text states."""
    result = analysed(curves([200, 120, 110, 100], [1, 5, 8, 9]))
    assert result.claims["reconstruction_improves"].holds
    assert result.claims["reconstruction_improves"].slack == 10
    assert result.claims["divergence_grows"].slack == 8
    assert result.claims["gains_come_early"].slack == pytest.approx(0.8 - 0.5)
    assert result.claims["reconstructions_are_blurred"].holds
    assert set(result.figures) == {"reconstructions", "loss_curves", "prior_samples"}


def test_one_epoch_that_gets_worse_contradicts_the_claim():
    """It is not enough that the last epoch is better than the first."""
    result = analysed(curves([200, 120, 130, 100], [9, 8, 7, 6]))
    assert not result.claims["reconstruction_improves"].holds
    assert result.claims["reconstruction_improves"].slack == -10
    assert not result.claims["divergence_grows"].holds


def test_a_training_that_gains_nothing_does_not_divide_by_zero():
    """A loss that stands still has no early gain."""
    assert not analysed(curves([100, 100, 100], [1, 1, 1])).claims["gains_come_early"].holds


def test_grey_share_counts_what_is_neither_paper_nor_ink():
    """Values at the limits are not grey."""
    assert vae.grey_share(np.array([0.0, 0.1, 0.5, 0.9, 1.0])) == pytest.approx(0.2)


def test_table_of_shown_epochs_belongs_to_the_figure():
    """Row k holds the losses after the k-th shown epoch, and the error of the reconstructions drawn then."""
    table = analysed(curves([200, 120, 110], [1, 5, 8])).tables["shown_epochs"]
    assert table.column("epoch") == (1, 2, 3)
    assert table.column("reconstruction") == (200, 120, 110)
    assert table.column("pixel_error") == pytest.approx((0.4, 0.32, 0.256))
