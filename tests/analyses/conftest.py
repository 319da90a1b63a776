"""A small stand-in for MNIST: ten classes that differ in which rows are inked."""

import numpy as np
import pytest

from mnistkit.data import Mnist


def images_of(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return noisy images with two rows of ink whose place tells the digit; the border is never inked."""
    images = np.zeros((len(labels), 28, 28), dtype=np.uint8)
    images[:, 2:26, 4:24] = rng.integers(0, 120, size=(len(labels), 24, 20), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label, 6 : 22 - rng.integers(8)] = 255
    return images


@pytest.fixture(scope="session")
def tiny() -> Mnist:
    """Return 600 training and 200 test images."""
    rng = np.random.default_rng(0)
    train, test = (rng.permutation(np.arange(n, dtype=np.uint8) % 10) for n in (600, 200))
    return Mnist(images_of(train, rng), train, images_of(test, rng), test)
