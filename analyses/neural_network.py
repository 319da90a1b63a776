"""Section 3: a perceptron of hand-written NumPy layers, with a constant and with a decaying γ.

Both trainings start from the same weights and see the same batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyses import curves
from analyses.training_figures import training_figure
from mnistkit.data import EPOCH_SAMPLES, Mnist
from mnistkit.mlp import MlpSettings, train_mlp
from report.model import Claim, Outcome, Result, Run, RunContext, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCHS = {"full": 5, "quick": 3}
DECAY = 0.9
BLOCK = 20
"""Steps over which figures average the loss, and whose means the fluctuation is measured on."""

_SECONDS_PER_EPOCH = 6.0


@dataclass(frozen=True)
class TrainPerceptron(Run):
    """One training with the mean-squared error.

    Parameters
    ----------
    learning_rate, decay : float
        γ of the first epoch, and what it is multiplied by after each epoch.
    batch_size, epochs : int
        B, and rounds of 60 000 / B gradient steps.
    sizes : tuple of int
        Units of the input, the hidden layers and the output.
    """

    learning_rate: float = 0.3
    decay: float = 1.0
    batch_size: int = 100
    epochs: int = 5
    sizes: tuple[int, ...] = (784, 300, 100, 10)

    def compute(self, context: RunContext) -> Outcome:
        """Train; the arrays are the curves of :func:`mnistkit.mlp.train_mlp`."""
        data: Mnist = context.data
        settings = MlpSettings(
            learning_rate=self.learning_rate, decay=self.decay, batch_size=self.batch_size, epochs=self.epochs,
            sizes=self.sizes, steps_per_epoch=EPOCH_SAMPLES // self.batch_size,
        )  # fmt: skip
        histories = train_mlp(
            settings, (data.train_images, data.train_labels), (data.test_images, data.test_labels),
            weights=context.generator("perceptron"), order=context.generator("batches", 0),
            progress=context.progress,
        )  # fmt: skip
        return Outcome(histories)

    def cost(self) -> float:
        """Count the epochs."""
        return _SECONDS_PER_EPOCH * self.epochs


def runs(profile: str) -> dict[str, Run]:
    """Return the training with a constant γ and the one with a decaying γ."""
    epochs = EPOCHS[profile]
    return {"constant": TrainPerceptron(epochs=epochs), "decayed": TrainPerceptron(epochs=epochs, decay=DECAY)}


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:
    """Draw figures 4 and 5 and judge what is said of the end of both trainings."""
    settings = runs["constant"]
    assert isinstance(settings, TrainPerceptron)  # noqa: S101 - for the type checker
    steps = EPOCH_SAMPLES // settings.batch_size
    constant, decayed = outcomes["constant"].arrays, outcomes["decayed"].arrays
    rise, decayed_rise = (curves.late_rise(arrays["loss"], steps) for arrays in (constant, decayed))
    swing, decayed_swing = (fluctuation(arrays["loss"], steps) for arrays in (constant, decayed))
    gap = curves.largest_gap(constant)
    return Result(
        values={
            "steps_per_epoch": Value(steps),
            "block": Value(min(BLOCK, steps)),
            "gap_limit": Value(curves.NO_OVERFITTING_BELOW),
            "largest_gap": Value(gap, digits=4),
            "late_rise": Value(rise, digits=5),
            "late_rise_decayed": Value(decayed_rise, digits=5),
            "late_rise_error": Value(curves.late_rise_error(constant["loss"], steps), digits=5),
            "fluctuation": Value(swing, digits=5),
            "fluctuation_decayed": Value(decayed_swing, digits=5),
            "first_loss": Value(curves.epoch_means(constant["loss"], steps)[0], digits=4),
            "final_loss": Value(curves.epoch_means(constant["loss"], steps)[-1], digits=4),
            "final_loss_decayed": Value(curves.epoch_means(decayed["loss"], steps)[-1], digits=4),
            "train_accuracy": Value(constant["train_accuracy"][-1], digits=4),
            "test_accuracy": Value(constant["test_accuracy"][-1], digits=4),
            "train_accuracy_decayed": Value(decayed["train_accuracy"][-1], digits=4),
            "test_accuracy_decayed": Value(decayed["test_accuracy"][-1], digits=4),
            "last_learning_rate": Value(decayed["learning_rate"][-1], digits=3),
        },
        figures={
            "constant_rate": training_figure(constant, BLOCK, steps, loss_scale="log"),
            "decayed_rate": training_figure(decayed, BLOCK, steps, loss_scale="log"),
        },
        claims={
            "loss_rises_late": Claim.of_margins([rise], f"末轮后半的平均损失减前半：{rise:+.5f}"),
            "no_overfitting": Claim.of_margins(
                [curves.NO_OVERFITTING_BELOW - gap],
                f"各轮末训练与测试准确率之差最大为 {100 * gap:.2f} 个百分点，"
                f"界限为 {100 * curves.NO_OVERFITTING_BELOW:.0f} 个百分点",
            ),
            "decay_steadies_the_end": Claim.of_margins(
                [swing - decayed_swing],
                f"末轮中每 {BLOCK} 步平均损失的标准差：学习率不变 {swing:.5f}，逐轮递减 {decayed_swing:.5f}",
            ),
        },
    )


def fluctuation(losses: curves.Array, steps_per_epoch: int) -> float:
    """Return the standard deviation of the block means of the loss within the last epoch."""
    return float(curves.block_means(losses[-steps_per_epoch:], BLOCK, steps_per_epoch).means.std())
