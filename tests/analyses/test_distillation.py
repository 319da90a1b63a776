"""Section 4.6: what teacher and students share, and what is said of the repeats."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyses import distillation, distillation_results
from analyses.network_runs import base_run
from mnistkit.data import Mnist
from mnistkit.distillation import TARGETS
from mnistkit.networks import build
from mnistkit.snapshots import state_arrays
from report.model import Outcome, RunContext


@pytest.fixture
def data():
    """Return random images, enough for a few steps."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (60, 28, 28), dtype=np.uint8)
    labels = np.arange(60, dtype=np.uint8) % 10
    return Mnist(images[:40], labels[:40], images[40:], labels[40:])


def student(targets, repeat=0):
    """Return a student of two epochs of four steps."""
    run = distillation.runs("full")[distillation.student_name(targets, repeat)]
    return replace(run, epochs=2, batch_size=10)


def train(run, data):
    """Train a student under a teacher that has learned nothing."""
    teacher = Outcome(state_arrays(build("net2", np.random.default_rng(1))))
    return run.compute(RunContext(data=data, upstream={"teacher": teacher}))


def kind(loss, accuracy):
    """Return the curves of one kind of student, one step per epoch and one row per repeat."""
    return distillation_results.Curves(np.array(loss, float), np.array(accuracy, float), steps_per_epoch=1)


def test_all_students_of_a_repeat_start_equal_and_see_equal_batches(data, monkeypatch):
    """The first loss is recorded before the first update and against the labels, so it is equal; the last is not."""
    monkeypatch.setattr(distillation, "EPOCH_SAMPLES", 40)
    losses = [train(student(targets), data).arrays["loss"] for targets in TARGETS]
    assert losses[0].shape == (8,)
    assert losses[0][0] == losses[1][0] == losses[2][0]
    assert len({float(loss[-1]) for loss in losses}) == 3


def test_a_teacher_is_judged_by_the_loss_that_students_are_recorded_by(data, monkeypatch):
    """A student that copies it perfectly has its mean-squared error against the labels, at most 2."""
    monkeypatch.setattr(distillation, "EPOCH_SAMPLES", 40)
    numbers = train(student("teacher"), data).numbers
    assert 0 <= numbers["teacher_accuracy"] <= 1
    assert numbers["teacher_loss"] == pytest.approx(0.9, abs=0.1)


def test_repeats_share_neither_weights_nor_order(data, monkeypatch):
    """Independent repetitions begin with different losses."""
    monkeypatch.setattr(distillation, "EPOCH_SAMPLES", 40)
    first, second = (train(student("labels", repeat), data).arrays["loss"] for repeat in (0, 1))
    assert first[0] != second[0]


def test_one_more_repeat_trains_one_more_set_only(monkeypatch):
    """The runs of the repeats that were there stay the same runs."""
    before = distillation.runs("full")
    settings = {**distillation.SETTINGS["full"], "repeats": distillation.SETTINGS["full"]["repeats"] + 1}
    monkeypatch.setitem(distillation.SETTINGS, "full", settings)
    after = distillation.runs("full")
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1 + len(TARGETS)


@pytest.mark.parametrize("profile", ["full", "quick"])
def test_the_first_teacher_is_the_network_of_section_4_1(profile):
    """It is trained once for the whole report."""
    assert distillation.runs(profile)["teacher_0"] == base_run(profile)


def test_only_students_of_a_teacher_wait_for_one():
    """The label student can be trained at the same time as the teacher."""
    runs = distillation.runs("quick")
    assert runs["student_labels_1"].teacher is None
    assert runs["student_teacher_1"].teacher == runs["student_combined_1"].teacher == runs["teacher_1"]


def test_margins_compare_within_each_repeat():
    """Early is the mean of the first two epochs, final that of the last; combined needs both at once."""
    curves = {
        "labels": kind([[4, 2, 1], [4, 2, 1]], [[0.5, 0.9], [0.5, 0.8]]),
        "teacher": kind([[3, 1, 2], [4, 4, 2]], [[0.6, 0.8], [0.4, 0.9]]),
        "combined": kind([[3, 2, 1], [3, 2, 3]], [[0.5, 0.9], [0.5, 0.9]]),
    }
    found = distillation_results.margins(curves)
    assert found["teacher_faster_early"].tolist() == [1, -1]
    assert found["labels_better_finally"].tolist() == [1, 1]
    assert found["labels_more_accurate_finally"] == pytest.approx([0.1, -0.1])
    assert found["combined_keeps_both"].tolist() == [0.5, -1]


@given(st.lists(st.floats(-1, 1).filter(bool), min_size=1, max_size=9))
def test_a_majority_is_more_than_half(margins):
    """A claim holds exactly when more than half of the repeats support it; its slack is one of their margins."""
    claim = distillation_results.majority(np.array(margins), "…")
    assert claim.holds == (sum(margin > 0 for margin in margins) > len(margins) / 2)
    assert claim.slack in margins


def test_half_of_the_repeats_is_no_majority():
    """With four repeats three must agree; the slack is the margin of the third."""
    assert not distillation_results.majority(np.array([3.0, 2.0, -1.0, -2.0]), "…").holds
    assert distillation_results.majority(np.array([3.0, -5.0, 1.0, 2.0]), "…").slack == 1.0


def test_analysis_counts_the_repeats():
    """Counts, means, table and figure come from the outcomes of all repeats."""
    runs = distillation.runs("quick")
    generator = np.random.default_rng(0)
    outcomes = {}
    for name, run in runs.items():
        if name.startswith("teacher"):
            outcomes[name] = Outcome(numbers={"final_test_accuracy": 0.98})
            continue
        level = {"labels": 0.5, "teacher": 0.4, "combined": 0.3}[run.targets]
        arrays = {"loss": level + 0.01 * generator.random(30), "test_accuracy": np.array([0.5, 0.7, 1 - level])}
        outcomes[name] = Outcome(arrays, {"steps_per_epoch": 10, "teacher_accuracy": 0.99, "teacher_loss": 0.02})
    result = distillation.analyse(runs, outcomes)
    assert result.claims["teacher_faster_early"].holds
    assert not result.claims["labels_better_finally"].holds
    assert result.values["teacher_faster_early_count"].number == 2
    assert result.values["accuracy_combined"].number == pytest.approx(0.7)
    assert result.claims["teacher_is_not_reached"].holds
    assert result.values["teacher_loss"].number == pytest.approx(0.02)
    assert result.values["teacher_train_accuracy"].number == pytest.approx(0.99)
    assert len(result.tables["repeats"].rows) == 2
    assert result.figures["curves"].pdf.startswith(b"%PDF")
