"""Section 5: a variational autoencoder, how well it reconstructs digits and what its prior draws.

One training. The loss has two terms, and both are recorded: the binary cross-entropy of the reconstruction and the
divergence of the latent variables from their prior.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mnistkit import plots
from mnistkit.data import EPOCH_SAMPLES, Mnist
from report.model import Claim, Figure, Outcome, Result, Run, RunContext, Table, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

GREY = (0.1, 0.9)
"""A pixel between these values is neither paper nor ink: many of them make an image look blurred."""

SHOWN_EPOCHS = {"full": (1, 2, 5, 10, 20), "quick": (1, 2, 5)}
"""By profile; the training ends with the last of them."""


@dataclass(frozen=True)
class TrainVae(Run):
    """One training of the autoencoder with Adam.

    Parameters
    ----------
    epochs : int
        Rounds of 60 000 / B gradient steps.
    shown_epochs : tuple of int
        Test images are reconstructed after these epochs.
    learning_rate : float
        γ of Adam.
    batch_size : int
        B.
    hidden : tuple of int
        Units of the encoder's hidden layers; the decoder's in reverse.
    n_latent : int
        Latent variables.
    n_shown, n_samples : int
        Test images that are reconstructed, and images drawn from the prior at the end.
    """

    epochs: int
    shown_epochs: tuple[int, ...]
    learning_rate: float = 1e-3
    batch_size: int = 100
    hidden: tuple[int, ...] = (300, 100)
    n_latent: int = 10
    n_shown: int = 10
    n_samples: int = 30

    uses_device: ClassVar[bool] = True

    def compute(self, context: RunContext) -> Outcome:
        """Train; the arrays are the curves and images of :func:`mnistkit.vae.train_vae`."""
        from mnistkit.resident import resident  # noqa: PLC0415 - torch is slow to import, and analyses need none
        from mnistkit.torch_setup import Compute  # noqa: PLC0415 - likewise
        from mnistkit.vae import VaeSettings, train_vae  # noqa: PLC0415 - likewise

        data: Mnist = context.data
        history = train_vae(
            VaeSettings(
                steps_per_epoch=EPOCH_SAMPLES // self.batch_size,
                **{field.name: getattr(self, field.name) for field in fields(self)},
            ),
            resident(
                (data.train_images, data.train_labels), (data.test_images, data.test_labels), device=context.device
            ),
            weights=context.generator("vae", "weights"),
            order=context.generator("vae", "batches"),
            noise=context.generator("vae", "noise"),
            compute=Compute(context.device, context.precision),
            progress=context.progress,
        )
        return Outcome(arrays=history.curves, numbers={"n_test": len(data.test_labels)})

    def cost(self) -> float:
        """Count the epochs, of a few seconds each."""
        return 4.0 * self.epochs


def runs(profile: str) -> dict[str, Run]:
    """Return the one training."""
    shown = SHOWN_EPOCHS[profile]
    return {"train": TrainVae(epochs=shown[-1], shown_epochs=shown)}


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:  # noqa: ARG001 - the engine's interface
    """Turn the training into figure 14, the curves of both terms, samples of the prior, and claims about them."""
    arrays = outcomes["train"].arrays
    shown = _at_shown_epochs(arrays)
    return Result(
        values=_values(outcomes["train"], shown),
        tables={"shown_epochs": shown},
        figures={
            "reconstructions": _draw_reconstructions(arrays),
            "loss_curves": _draw_loss_curves(arrays),
            "prior_samples": _draw_samples(arrays),
        },
        claims={
            "reconstruction_improves": _reconstruction_improves(shown),
            "divergence_grows": _divergence_grows(arrays["kl_loss"]),
            "reconstructions_are_blurred": _reconstructions_are_blurred(arrays),
            "gains_come_early": _gains_come_early(arrays["test_reconstruction_loss"]),
        },
    )


def grey_share(images: NDArray[np.floating]) -> float:
    """Return the share of pixels, in [0, 1], that are neither paper nor ink."""
    low, high = GREY
    return float(np.mean((images > low) & (images < high)))


def _at_shown_epochs(arrays: Mapping[str, NDArray[np.floating]]) -> Table:
    """Return losses on the whole test set, and the error of the drawn reconstructions, after each shown epoch."""
    errors = np.abs(arrays["reconstructions"] - arrays["originals"]).mean(axis=(1, 2, 3))
    rows = [
        (int(epoch), arrays["test_reconstruction_loss"][epoch - 1], arrays["test_kl_loss"][epoch - 1], float(error))
        for epoch, error in zip(arrays["shown_epochs"], errors, strict=True)
    ]
    return Table(("epoch", "reconstruction", "kl", "pixel_error"), rows)


def _values(outcome: Outcome, shown: Table) -> dict[str, Value]:
    arrays = outcome.arrays
    ends = {
        f"{name}_{when}": Value(float(arrays[f"{name}_loss"][index]), digits=1)
        for name in ("reconstruction", "kl", "test_reconstruction", "test_kl")
        for when, index in (("first", 0), ("last", -1))
    }
    errors = [float(cell or 0) for cell in shown.column("pixel_error")]
    return {
        **ends,
        "loss_first": Value(float(arrays["reconstruction_loss"][0] + arrays["kl_loss"][0]), digits=1),
        "loss_last": Value(float(arrays["reconstruction_loss"][-1] + arrays["kl_loss"][-1]), digits=1),
        "pixel_error_first": Value(errors[0], digits=3),
        "pixel_error_last": Value(errors[-1], digits=3),
        "n_pixels": Value(int(arrays["originals"][0].size)),
        "n_test": Value(outcome.numbers["n_test"]),
        "grey_low": Value(GREY[0]),
        "grey_high": Value(GREY[1]),
        "grey_originals": Value(grey_share(arrays["originals"]), digits=3),
        "grey_reconstructions": Value(grey_share(arrays["reconstructions"][-1]), digits=3),
        "grey_samples": Value(grey_share(arrays["samples"]), digits=3),
        "early_epochs": Value(_early(len(arrays["kl_loss"]))),
        "early_gain": Value(_early_gain(arrays["test_reconstruction_loss"]), digits=3),
    }


def _reconstruction_improves(shown: Table) -> Claim:
    """State that the reconstruction loss on the test set falls from each shown epoch to the next."""
    losses = [float(cell or 0) for cell in shown.column("reconstruction")]
    listed = "、".join(f"第 {epoch} 轮 {loss:.1f}" for epoch, loss in zip(shown.column("epoch"), losses, strict=True))
    return Claim.of_margins(
        [before - after for before, after in pairwise(losses)], f"测试集每幅图像的重构损失：{listed}"
    )


def _divergence_grows(losses: NDArray[np.floating]) -> Claim:
    """State that the divergence from the prior is larger in the last epoch than in the first."""
    return Claim.of_margins([losses[-1] - losses[0]], f"KL 项由第 1 轮的 {losses[0]:.1f} 变为末轮的 {losses[-1]:.1f}")


def _reconstructions_are_blurred(arrays: Mapping[str, NDArray[np.floating]]) -> Claim:
    """State that the last reconstructions hold more intermediate grey than their originals."""
    original, last = grey_share(arrays["originals"]), grey_share(arrays["reconstructions"][-1])
    return Claim.of_margins([last - original], f"中间灰度像素所占比例：原图 {original:.1%}，末次重构 {last:.1%}")


def _gains_come_early(losses: NDArray[np.floating]) -> Claim:
    """State that more than half of the fall of the reconstruction loss comes in the first quarter of the epochs."""
    gain = _early_gain(losses)
    return Claim.of_margins([gain - 0.5], f"前 {_early(len(losses))} 轮完成了首末两轮之间降幅的 {gain:.1%}")


def _early(n_epochs: int) -> int:
    """Return the number of epochs in the first quarter, at least 2: a fall needs two."""
    return max(2, n_epochs // 4)


def _early_gain(losses: NDArray[np.floating]) -> float:
    """Return which share of the fall from the first to the last epoch the early ones brought; 0 if there was none."""
    fall = float(losses[0] - losses[-1])
    return float(losses[0] - losses[_early(len(losses)) - 1]) / fall if fall > 0 else 0.0


def _draw_reconstructions(arrays: Mapping[str, NDArray[np.floating]]) -> Figure:
    """Draw the originals, and below them their reconstructions, a row per shown epoch."""
    originals, reconstructions = arrays["originals"], arrays["reconstructions"]
    labels = ["原图", *(f"第 {epoch} 轮" for epoch in arrays["shown_epochs"])]
    with plots.style():
        stack = np.concatenate([originals, *reconstructions])
        return Figure.of(plots.image_grid(stack, columns=len(originals), row_labels=labels))


def _draw_samples(arrays: Mapping[str, NDArray[np.floating]]) -> Figure:
    """Draw what is decoded from latent variables drawn from the prior."""
    with plots.style():
        return Figure.of(plots.image_grid(arrays["samples"], columns=10))


def _draw_loss_curves(arrays: Mapping[str, NDArray[np.floating]]) -> Figure:
    """Draw both terms of the loss per epoch, in training and on the test set."""
    epochs = np.arange(1, len(arrays["kl_loss"]) + 1)
    panels = {"reconstruction_loss": "(a) 重构损失", "kl_loss": "(b) KL 散度"}
    with plots.style():
        figure, axes = plots.panels(1, 2, height=5.5)
        for ax, (name, title) in zip(axes.flat, panels.items(), strict=True):
            plots.curve(ax, epochs, arrays[name], label="训练集（采样隐变量）")
            plots.curve(ax, epochs, arrays[f"test_{name}"], label="测试集（取隐变量均值）", index=1)
            plots.describe(ax, title, "轮数", "每幅图像的损失（nat）")
        plots.legend_below(figure, axes[0, 0])
        return Figure.of(figure)
