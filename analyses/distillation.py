"""Section 4.6, second hypothesis: a teacher's knowledge of what digits share speeds training up.

In every repeat a teacher is trained, and three students that start from equal weights and see equal batches learn
from the labels, from the teacher's outputs, or from the mean of both. Whatever a student learns from, the recorded loss
is the one against the labels. Nothing is shared between repeats, so a further one costs its own trainings alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from torch.nn import functional

from analyses import distillation_results as results
from analyses.network_runs import TrainNetwork, base_run, resident_data, stored_network
from mnistkit.data import EPOCH_SAMPLES
from mnistkit.distillation import TARGETS, student_targets
from mnistkit.networks import N_CLASSES, build
from mnistkit.torch_setup import Compute
from mnistkit.training import TrainingSettings, predict, train
from report.model import Outcome, Result, Run, RunContext, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mnistkit.networks import ConvNet
    from mnistkit.resident import LabelledImages

SETTINGS = {
    "full": {"repeats": 4, "epochs": 8},
    "quick": {"repeats": 2, "epochs": 3},
}
EVALUATED = 1_000
"""Training images on which accuracy is measured: no figure shows it."""


@dataclass(frozen=True)
class TrainStudent(Run):
    """One student.

    Parameters
    ----------
    targets : {"labels", "teacher", "combined"}
        What it learns from; ``combined`` is the mean of the other two.
    teacher : TrainNetwork or None
        The teacher; None for ``labels``, which need none.
    repeat : int
        Number of the repetition: it settles the initial weights and the order of the images.
    epochs : int
        Rounds of 60 000 / B gradient steps.
    network : str
        The student's structure.
    learning_rate : float
        γ.
    batch_size : int
        B.
    """

    targets: str
    teacher: TrainNetwork | None
    repeat: int
    epochs: int
    network: str = "net2"
    learning_rate: float = 0.3
    batch_size: int = 500

    uses_device: ClassVar[bool] = True

    def compute(self, context: RunContext) -> Outcome:
        """Train; ``loss`` of every step (against the labels) and ``test_accuracy`` of every epoch are kept."""
        compute = Compute(context.device, context.precision)
        compute.configure()
        data = resident_data(context)
        teacher = None
        if self.teacher is not None:
            arrays = context.upstream["teacher"].arrays
            teacher = stored_network(self.teacher.network, arrays).to(context.device)
        history = train(
            build(self.network, context.generator("distillation", "weights", self.repeat), device=context.device),
            data,
            self._training_settings(),
            order=context.generator("distillation", "batches", self.repeat),
            compute=compute,
            targets=student_targets(self.targets, data.train, teacher, compute),
            progress=context.progress,
        )
        curves = {name: history.curves[name] for name in ("loss", "test_accuracy")}
        numbers = {} if teacher is None else _judge(teacher, data.train, compute)
        return Outcome(curves, {**numbers, "steps_per_epoch": history.numbers["steps_per_epoch"]})

    def cost(self) -> float:
        """Count the epochs, and the teacher's answers."""
        return 10.0 * self.epochs + (5.0 if self.teacher else 0.0)

    def _training_settings(self) -> TrainingSettings:
        return TrainingSettings(
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            epochs=self.epochs,
            loss="mse",
            steps_per_epoch=EPOCH_SAMPLES // self.batch_size,
            train_evaluation=EVALUATED,
        )


def _judge(teacher: ConvNet, train_set: LabelledImages, compute: Compute) -> dict[str, float]:
    """Return what a student that copies the teacher perfectly would reach on the training images."""
    found = predict(teacher, train_set.images, compute)
    wanted = functional.one_hot(train_set.labels, N_CLASSES)
    return {
        "teacher_accuracy": float((found.argmax(1) == train_set.labels).float().mean()),
        "teacher_loss": float((found - wanted).square().sum(1).mean()),
    }


def runs(profile: str) -> dict[str, Run]:
    """Return per repeat a teacher (the first is the net of section 4.1) and three students."""
    settings = SETTINGS[profile]
    found: dict[str, Run] = {}
    for repeat in range(settings["repeats"]):
        teacher = replace(base_run(profile), repeat=repeat)
        found[f"teacher_{repeat}"] = teacher
        for targets in TARGETS:
            needed = None if targets == "labels" else teacher
            found[student_name(targets, repeat)] = TrainStudent(targets, needed, repeat, settings["epochs"])
    return found


def student_name(targets: str, repeat: int) -> str:
    """Name the run of a student."""
    return f"student_{targets}_{repeat}"


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:
    """Turn the students into figure 13, a table of the repeats, and the claims with their counts."""
    n_repeats = sum(isinstance(run, TrainNetwork) for run in runs.values())
    students = {
        targets: [outcomes[student_name(targets, repeat)] for repeat in range(n_repeats)] for targets in TARGETS
    }
    curves = {
        targets: results.Curves(
            loss=np.stack([student.arrays["loss"] for student in found]).astype(np.float64),
            test_accuracy=np.stack([student.arrays["test_accuracy"] for student in found]),
            steps_per_epoch=found[0].numbers["steps_per_epoch"],
        )
        for targets, found in students.items()
    }
    margins = results.margins(curves)
    teacher = _teacher_values(students["teacher"], outcomes, n_repeats)
    return Result(
        values={**results.values(curves, margins), **teacher},
        tables={"repeats": results.table(curves)},
        figures={"curves": results.draw(curves)},
        claims={
            **{name: results.majority(found, results.STATEMENTS[name]) for name, found in margins.items()},
            "teacher_is_not_reached": results.teacher_is_not_reached(curves["teacher"], teacher["teacher_loss"].number),
        },
    )


def _teacher_values(students: list[Outcome], outcomes: Mapping[str, Outcome], n_repeats: int) -> dict[str, Value]:
    on_train, losses = (
        float(np.mean([student.numbers[name] for student in students])) for name in ("teacher_accuracy", "teacher_loss")
    )
    on_test = [outcomes[f"teacher_{repeat}"].numbers["final_test_accuracy"] for repeat in range(n_repeats)]
    return {
        "teacher_train_accuracy": Value(on_train, digits=4),
        "teacher_loss": Value(losses, digits=4),
        "teacher_test_accuracy": Value(float(np.mean(on_test)), digits=4),
    }
