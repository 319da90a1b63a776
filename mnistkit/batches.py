"""The order in which a training sees the images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def permuted_batches(
    generator: np.random.Generator, n_samples: int, batch_size: int, n_steps: int | None = None
) -> NDArray[np.int64]:
    """Draw the batches of one epoch.

    Parameters
    ----------
    generator : numpy.random.Generator
        Draws one permutation of the samples, and a fresh one whenever all have been used.
    n_samples, batch_size : int
        Samples in all and in one batch; what does not fill a batch at the end of a permutation is left out of it.
    n_steps : int or None
        Batches in the epoch; None for as many as one permutation fills. A small data set keeps the number of gradient
        steps of a large one by cycling through several permutations.

    Returns
    -------
    ndarray of shape (n_steps, batch_size)
        Indices of the samples.

    Raises
    ------
    ValueError
        When the samples do not fill one batch.
    """
    if not 1 <= batch_size <= n_samples:
        raise ValueError(
            f"{n_samples} samples do not fill one batch of {batch_size}; choose a batch size from 1 to that"
        )
    per_permutation = n_samples // batch_size
    n_steps = per_permutation if n_steps is None else n_steps
    rounds = [
        generator.permutation(n_samples)[: per_permutation * batch_size].reshape(per_permutation, batch_size)
        for _ in range(-(-n_steps // per_permutation))
    ]
    return np.concatenate(rounds)[:n_steps] if rounds else np.empty((0, batch_size), np.int64)
