"""What students learn from, and that they start equal."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from mnistkit.distillation import TARGETS, student_targets
from mnistkit.networks import build
from mnistkit.training import TrainingSettings, predict, train


@pytest.fixture(scope="module")
def teacher():
    """Return an untrained teacher: its outputs are soft."""
    return build("net1", np.random.default_rng(9))


def test_labels_need_no_targets(data):
    """The loop's own targets are the labels."""
    assert student_targets("labels", data.train, None) is None


def test_the_teachers_outputs_are_its_probabilities(data, teacher):
    """Row by row, in the order of the images."""
    torch.testing.assert_close(student_targets("teacher", data.train, teacher), predict(teacher, data.train.images))


def test_combined_targets_are_the_mean_of_both(data, teacher):
    """Half the teacher's outputs and half the one-hot labels; rows sum to 1."""
    combined = student_targets("combined", data.train, teacher)
    one_hot = functional.one_hot(data.train.labels, 10).float()
    torch.testing.assert_close(combined, (predict(teacher, data.train.images) + one_hot) / 2)
    torch.testing.assert_close(combined.sum(1), torch.ones(len(combined)))


def test_students_start_equal(data, teacher):
    """Before the first update all three have the same loss against the labels: equal weights, equal images."""
    settings = TrainingSettings(0.3, batch_size=50, epochs=1, loss="mse")
    curves = [
        train(
            build("net1", np.random.default_rng(0)),
            data,
            settings,
            order=np.random.default_rng(1),
            targets=student_targets(kind, data.train, teacher),
        ).curves["loss"]
        for kind in TARGETS
    ]
    assert curves[0][0] == curves[1][0] == curves[2][0]
    assert not np.array_equal(curves[0][1:], curves[1][1:])
    assert not np.array_equal(curves[1][1:], curves[2][1:])


def test_targets_that_cannot_be_made_are_refused(data):
    """An unknown kind, or a missing teacher."""
    with pytest.raises(ValueError, match="no targets 'peers'; known: labels, teacher, combined"):
        student_targets("peers", data.train, None)
    with pytest.raises(ValueError, match="targets 'combined' need a teacher"):
        student_targets("combined", data.train, None)
