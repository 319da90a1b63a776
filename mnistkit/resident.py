"""The images as tensors that stay where the networks are computed: no loader, no work per image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """One set of images on a device.

    Parameters
    ----------
    images : Tensor of shape (n, 1, 28, 28), float32
        Pixels in [0, 1], exactly as torchvision's ``ToTensor`` makes them; made once, so that a batch is a mere copy.
    labels : Tensor of shape (n,), int64
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, n_images: int) -> LabelledImages:
        """Return the first ``n_images`` of the set, or all if there are fewer."""
        return LabelledImages(self.images[:n_images], self.labels[:n_images])


@dataclass(frozen=True, slots=True)
class ResidentData:
    """Training and test set on one device; make it with :func:`resident`."""

    train: LabelledImages
    test: LabelledImages


def resident(
    train: tuple[NDArray[np.uint8], NDArray[np.integer]],
    test: tuple[NDArray[np.uint8], NDArray[np.integer]],
    *,
    device: str = "cpu",
) -> ResidentData:
    """Copy two sets of images (n, 28, 28) with grey levels 0 … 255 and labels (n,) to a device.

    Raises
    ------
    ValueError
        When an array has another shape or type.
    """
    return ResidentData(labelled(*train, device=device), labelled(*test, device=device))


def labelled(images: NDArray[np.uint8], labels: NDArray[np.integer], *, device: str = "cpu") -> LabelledImages:
    """Copy one set to a device; arguments and errors as for :func:`resident`."""
    if images.ndim != 3 or images.dtype != "uint8" or len(images) != len(labels):  # noqa: PLR2004 - (n, height, width)
        raise ValueError(
            f"expected uint8 images of shape (n, 28, 28) and n labels, got {images.dtype} {images.shape} and "
            f"{len(labels)} labels"
        )
    return LabelledImages(
        torch.from_numpy(images.astype("float32")).unsqueeze(1).to(device).div_(255),
        torch.from_numpy(labels.astype("int64")).to(device),
    )
