"""What several sections measure on training curves: block means, trends, and when an accuracy is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NO_OVERFITTING_BELOW = 0.01
"""Training and test accuracy move together when they never differ by more than this."""


class Blocks(NamedTuple):
    """A curve averaged over blocks of steps: ``epochs`` (centres of the blocks) and ``means``, both (n_blocks,)."""

    epochs: Array
    means: Array


def block_means(losses: Array, block: int, steps_per_epoch: int) -> Blocks:
    """Average a curve of one number per step over blocks of steps; what does not fill a block is left out.

    A block that is longer than the curve is shortened to it.
    """
    block = max(min(block, len(losses)), 1)
    n_blocks = len(losses) // block
    means = np.asarray(losses, np.float64)[: n_blocks * block].reshape(n_blocks, block).mean(axis=1)
    return Blocks((np.arange(n_blocks) + 0.5) * block / steps_per_epoch, means)


def epoch_means(losses: Array, steps_per_epoch: int) -> Array:
    """Return the mean of each epoch, (epochs,)."""
    return block_means(losses, steps_per_epoch, steps_per_epoch).means


def late_rise(losses: Array, window: int) -> float:
    """Return by how much the mean of the last half of a window exceeds the mean of its first half.

    Parameters
    ----------
    losses : ndarray of shape (n_steps,)
    window : int
        Steps of the window, which ends with the curve.
    """
    half = max(min(window, len(losses)) // 2, 1)
    last, before = losses[-half:], losses[-2 * half : -half]
    return float(np.mean(last, dtype=np.float64) - np.mean(before, dtype=np.float64))


def late_rise_error(losses: Array, window: int) -> float:
    """Return the standard error of :func:`late_rise`, with the losses of different batches taken for independent.

    √(s₁²/n + s₂²/n), with n steps in each half of the window.
    """
    half = max(min(window, len(losses)) // 2, 1)
    parts = losses[-half:], losses[-2 * half : -half]
    return float(np.sqrt(sum(np.var(part, dtype=np.float64) / half for part in parts)))


def largest_gap(arrays: Mapping[str, Array]) -> float:
    """Return the largest difference, at the end of any epoch, between training and test accuracy."""
    return float(np.abs(arrays["train_accuracy"] - arrays["test_accuracy"]).max())


def first_reaching(steps: NDArray[np.integer], accuracies: Array, level: float) -> float | None:
    """Return the step at which a measured curve first reaches a level, or None.

    Between the measurement that reaches the level and the one before it, the curve is taken as straight.
    """
    reached = np.flatnonzero(accuracies >= level)
    if not len(reached):
        return None
    index = int(reached[0])
    if index == 0:
        return float(steps[0])
    low, high = float(accuracies[index - 1]), float(accuracies[index])
    share = (level - low) / (high - low)
    return float(steps[index - 1] + share * (steps[index] - steps[index - 1]))
