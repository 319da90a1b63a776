"""The order of the images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnistkit.batches import permuted_batches


@given(st.integers(1, 40), st.integers(1, 10), st.integers(0, 30))
def test_every_permutation_is_used_up_before_the_next(n_batches, batch_size, n_steps):
    """Whatever the number of steps, no sample is seen twice within one pass over the data."""
    n_samples = n_batches * batch_size
    batches = permuted_batches(np.random.default_rng(0), n_samples, batch_size, n_steps)
    assert batches.shape == (n_steps, batch_size)
    for start in range(0, n_steps, n_batches):
        seen = batches[start : start + n_batches].ravel()
        assert len(np.unique(seen)) == len(seen)


def test_one_epoch_of_the_full_data_is_one_permutation():
    """Without a number of steps each sample comes exactly once."""
    batches = permuted_batches(np.random.default_rng(0), 600, 100)
    np.testing.assert_array_equal(np.sort(batches.ravel()), np.arange(600))


def test_a_remainder_is_left_out():
    """Samples that do not fill a batch are left out of their permutation, others of the next."""
    assert permuted_batches(np.random.default_rng(0), 25, 10).shape == (2, 10)
    assert permuted_batches(np.random.default_rng(0), 25, 10, 5).shape == (5, 10)


@pytest.mark.parametrize("batch_size", [0, 11])
def test_a_batch_that_cannot_be_filled_is_refused(batch_size):
    """The message names both sizes."""
    with pytest.raises(ValueError, match=r"10 samples do not fill one batch of"):
        permuted_batches(np.random.default_rng(0), 10, batch_size)
