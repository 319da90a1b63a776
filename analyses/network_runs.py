"""The run that trains one convolutional network; equal settings in several sections are one training.

All trainings of a build start from the same weights in every layer whose place and shape they share, and see the
images in the same order, so that what differs between them is what their settings say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from mnistkit.data import EPOCH_SAMPLES, Mnist
from mnistkit.networks import FILTERS, ConvNet, Description, describe, initialise
from mnistkit.resident import ResidentData, resident
from mnistkit.snapshots import FINAL, load_state
from mnistkit.torch_setup import Compute
from mnistkit.training import TrainingSettings, train
from report.model import Outcome, Run, RunContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

PLATEAU_START = 0.82
PLATEAU_END = 0.95
"""Probe accuracies between which a training crosses its plateau: definitions, given in sections 4.3 and 4.4."""

EPOCHS = {"full": 10, "quick": 3}
_SECONDS_PER_EPOCH = {"net1": 3.0, "net2": 7.0, "net3": 16.0}


@dataclass(frozen=True)
class TrainNetwork(Run):
    """One training of a network by plain gradient descent; the defaults are the base run of section 4.1.

    Parameters
    ----------
    network : {"net1", "net2", "net3"}
        See :data:`mnistkit.networks.FILTERS`.
    learning_rate : float
        γ.
    batch_size, epochs : int
        B, and rounds of 60 000 / B gradient steps, whatever the size of the training set.
    loss : {"softmax_twice", "logits", "mse"}
        See :class:`mnistkit.training.TrainingSettings`.
    repeat : int
        Number of an independent repetition: another one has other initial weights and another order of images.
    thresholds : tuple of float
        Probe accuracies at whose first crossing the weights are kept.
    probe_every, probe_images, probe_epochs : int
        Every so many steps of the first ``probe_epochs`` epochs, the accuracy on the first ``probe_images`` training
        images is measured.
    gradient_every : int
        Every so many steps the squared norm of the mini-batch gradient is recorded.
    """

    network: str = "net2"
    learning_rate: float = 0.3
    batch_size: int = 100
    epochs: int = 10
    loss: str = "softmax_twice"
    repeat: int = 0
    thresholds: tuple[float, ...] = (PLATEAU_START, PLATEAU_END)
    probe_every: int = 50
    probe_images: int = 2_000
    probe_epochs: int = 5
    gradient_every: int = 10

    uses_device: ClassVar[bool] = True

    def compute(self, context: RunContext) -> Outcome:
        """Train.

        Returns
        -------
        Outcome
            Arrays: the curves of :class:`mnistkit.training.History` under their own names (``loss``,
            ``train_accuracy``, ``test_accuracy``, ``probe_step``, ``probe_accuracy``, ``gradient_step``,
            ``gradient_norm_squared``), and the weights as ``state/<snapshot>/<parameter>``, where the snapshot is
            ``final``, or ``at_0.82`` for a threshold that was reached. Numbers: ``final_train_accuracy``,
            ``final_test_accuracy``, ``steps_per_epoch``, ``crossings`` (snapshot → step or None).
        """
        history = train(
            initial_network(self.network, context, self.repeat),
            resident_data(context),
            self.training_settings(),
            order=context.generator("batches", self.repeat),
            compute=Compute(context.device, context.precision),
            progress=context.progress,
        )
        return Outcome(history.arrays, history.numbers)

    def cost(self) -> float:
        """Estimate from the size of the network and the number of epochs."""
        return _SECONDS_PER_EPOCH[self.network] * self.epochs

    def training_settings(self) -> TrainingSettings:
        """Return what :func:`mnistkit.training.train` wants to know."""
        return TrainingSettings(
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            epochs=self.epochs,
            loss=self.loss,
            steps_per_epoch=EPOCH_SAMPLES // self.batch_size,
            probe_every=self.probe_every,
            probe_images=self.probe_images,
            probe_epochs=self.probe_epochs,
            thresholds=self.thresholds,
            gradient_every=self.gradient_every,
        )


def base_run(profile: str, network: str = "net2", learning_rate: float = 0.3) -> TrainNetwork:
    """Return the training that sections 4.1, 4.3, 4.5 and 4.6 share, or its like for another network or γ."""
    return TrainNetwork(network, learning_rate, epochs=EPOCHS[profile])


def resident_data(context: RunContext) -> ResidentData:
    """Put the images of this process on the device of the run."""
    data: Mnist = context.data
    return resident((data.train_images, data.train_labels), (data.test_images, data.test_labels), device=context.device)


def initial_network(name: str, context: RunContext, repeat: int = 0) -> ConvNet:
    """Build a network whose layers draw from one stream each: layers of equal place and shape start equal."""
    network = _without_memory(name)
    for kind, layers in (("convolution", network.convolutions), ("linear", network.linears)):
        for index, layer in enumerate(layers):
            initialise(layer, context.generator("weights", kind, index, repeat), context.device)
    return network


def stored_network(name: str, arrays: Mapping[str, np.ndarray], snapshot: str = FINAL) -> ConvNet:
    """Rebuild a trained network on the CPU from the arrays of an outcome.

    Raises
    ------
    KeyError
        When the training left no such snapshot.
    """
    network = _without_memory(name).to_empty(device="cpu")
    load_state(network, arrays, snapshot)
    return network


def structure(name: str) -> Description:
    """Read a network's structure off its modules."""
    return describe(_without_memory(name))


def _without_memory(name: str) -> ConvNet:
    with torch.device("meta"):
        return ConvNet(FILTERS[name])
