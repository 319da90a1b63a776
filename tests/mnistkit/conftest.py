"""Small images that a network can learn in a few steps, and the CPU set up as trainings set it up."""

import numpy as np
import pytest

from mnistkit.resident import ResidentData, resident
from mnistkit.torch_setup import Compute


def draw_digits(n_images: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy images (n, 28, 28) with a bright block whose place tells the label, and the labels."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, n_images)
    images = generator.integers(0, 60, (n_images, 28, 28))
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 5)
        image[4 + 12 * row : 12 + 12 * row, 5 * column + 2 : 5 * column + 6] += 180
    return images.astype(np.uint8), labels.astype(np.uint8)


@pytest.fixture(scope="session")
def digits() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return a training set of 400 images and a test set of 100."""
    return draw_digits(400, seed=0), draw_digits(100, seed=1)


@pytest.fixture(scope="session")
def data(digits) -> ResidentData:
    """Return the same sets as tensors."""
    return resident(*digits)


@pytest.fixture(autouse=True)
def _configured() -> None:
    """Deterministic algorithms and one thread, in every test."""
    Compute().configure()
