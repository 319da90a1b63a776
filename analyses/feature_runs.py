"""The run behind section 4.4: one network at several moments of its training, compared with itself.

Compared are the maps of the first convolution on test images, and the weights of the convolutions and of the linear
layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from analyses.network_runs import TrainNetwork, initial_network, stored_network
from mnistkit.resident import labelled
from mnistkit.snapshots import FINAL
from mnistkit.torch_setup import Compute
from mnistkit.training import predict
from report.model import Outcome, Run, RunContext

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mnistkit.data import Mnist
    from mnistkit.networks import ConvNet
    from mnistkit.resident import LabelledImages

INITIAL = "initial"
N_CLASSES = 10


@dataclass(frozen=True)
class CompareMoments(Run):
    """A network before its training, when it reached each threshold of the training, and at the end.

    Parameters
    ----------
    training : TrainNetwork
        The training.
    image : int
        The test image whose maps are kept.
    n_images : int
        Test images over which maps and decisions are compared, from the first on.
    """

    training: TrainNetwork
    image: int = 0
    n_images: int = 1_000

    def compute(self, context: RunContext) -> Outcome:
        """Compare.

        Returns
        -------
        Outcome
            Arrays, for each moment that the training reached: ``maps/<moment>`` (filters, H, W) of the kept image;
            ``similarity/<moment>`` (filters,), see :func:`similarity`, to the maps at the end; ``recall/<moment>``
            (10,), the share of each digit's images that are classified rightly; ``convolution/<moment>`` and
            ``linear/<moment>``, all weights of those layers. And ``pixels`` (28, 28) of the kept image. Numbers:
            ``moments``, the names in the order of the training; ``steps``, moment → step; ``label`` of the kept image.
        """
        Compute().configure()
        data: Mnist = context.data
        upstream = context.upstream["training"]
        steps = {INITIAL: 0, **upstream.numbers["crossings"], FINAL: len(upstream.arrays["loss"])}
        steps = {moment: step for moment, step in steps.items() if step is not None}
        networks = {
            moment: stored_network(self.training.network, upstream.arrays, moment) if moment != INITIAL
            else initial_network(self.training.network, context, self.training.repeat)
            for moment in steps
        }  # fmt: skip
        compared = labelled(data.test_images[: self.n_images], data.test_labels[: self.n_images])
        kept = labelled(data.test_images[[self.image]], data.test_labels[[self.image]])
        final_maps = first_maps(networks[FINAL], compared.images)
        arrays: dict[str, NDArray[np.generic]] = {"pixels": kept.images[0, 0].numpy()}
        for moment, network in networks.items():
            arrays[f"maps/{moment}"] = first_maps(network, kept.images)[0].numpy()
            arrays[f"similarity/{moment}"] = similarity(first_maps(network, compared.images), final_maps).numpy()
            arrays[f"recall/{moment}"] = recall(network, compared)
            arrays[f"convolution/{moment}"] = weights(network.convolutions)
            arrays[f"linear/{moment}"] = weights(network.linears)
        return Outcome(arrays, {"moments": list(steps), "steps": steps, "label": int(data.test_labels[self.image])})


@torch.no_grad()
def first_maps(network: ConvNet, images: Tensor) -> Tensor:
    """Return the output of the first convolution after its ReLU: (n, 1, 28, 28) → (n, filters, H, W)."""
    return network.feature_maps(images)[0].contiguous()


def similarity(maps: Tensor, others: Tensor) -> Tensor:
    """Return the cosine of the angle between two sets of maps (n, filters, H, W), per filter, mean over the images.

    A map without any activation has the similarity 0 to every other map, and 1 to another such map.
    """
    first, second = maps.flatten(2).double(), others.flatten(2).double()
    lengths = first.norm(dim=2) * second.norm(dim=2)
    products = (first * second).sum(2)
    both_empty = (first.norm(dim=2) == 0) & (second.norm(dim=2) == 0)
    cosines = torch.where(lengths > 0, products / lengths.clamp(min=torch.finfo(torch.float64).tiny), 0.0)
    return torch.where(both_empty, 1.0, cosines).mean(0)


def recall(network: ConvNet, data: LabelledImages) -> NDArray[np.float64]:
    """Return for each digit the share of its images that the network classifies rightly; 0 if there are none."""
    right = (predict(network, data.images).argmax(1) == data.labels).numpy()
    labels = data.labels.numpy()
    return np.array([right[labels == digit].mean() if (labels == digit).any() else 0.0 for digit in range(N_CLASSES)])


def weights(layers: torch.nn.Module) -> NDArray[np.float32]:
    """Return all weights and biases of some layers in one vector."""
    return np.concatenate([parameter.detach().numpy().ravel() for parameter in layers.parameters()])
