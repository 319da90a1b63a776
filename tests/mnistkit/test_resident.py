"""Images as resident tensors."""

import numpy as np
import pytest
import torch

from mnistkit.resident import labelled, resident


def test_pixels_are_those_of_totensor(digits):
    """float32 in [0, 1], grey level / 255, one channel."""
    images, labels = digits[0]
    found = labelled(images, labels)
    assert found.images.shape == (400, 1, 28, 28)
    assert torch.equal(found.images[:, 0], torch.from_numpy(images).float().div(255))
    assert found.labels.dtype == torch.int64
    assert len(found) == 400


def test_the_arrays_may_be_read_only(digits):
    """The loaded data are; the tensors are copies."""
    images, labels = digits[0][0].copy(), digits[0][1]
    images.flags.writeable = False
    assert labelled(images, labels).images.max() <= 1


def test_first_takes_what_there_is(data):
    """A subset from the front, or all."""
    assert len(data.train.first(30)) == 30
    assert len(data.train.first(30_000)) == 400
    assert torch.equal(data.train.first(30).images, data.train.images[:30])


@pytest.mark.parametrize(
    ("images", "labels"),
    [(np.zeros((3, 784), np.uint8), np.zeros(3)), (np.zeros((3, 28, 28)), np.zeros(3)),
     (np.zeros((3, 28, 28), np.uint8), np.zeros(4))],
)  # fmt: skip
def test_other_arrays_are_refused(images, labels):
    """Rows, floats, or another number of labels: the message says what was found."""
    with pytest.raises(ValueError, match="expected uint8 images of shape"):
        resident((images, labels), (images, labels))
