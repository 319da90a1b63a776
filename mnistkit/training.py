"""One training loop for every convolutional network: plain gradient descent over images that stay resident."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from mnistkit.batches import permuted_batches
from mnistkit.networks import N_CLASSES
from mnistkit.passes import inference_logits, passes_of
from mnistkit.snapshots import FirstCrossings, state_arrays
from mnistkit.torch_setup import Compute

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from mnistkit.networks import ConvNet
    from mnistkit.resident import LabelledImages, ResidentData

    Progress = Callable[[int, int, str], None]

LOSSES = ("softmax_twice", "logits", "mse")


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a network is trained and what is recorded on the way.

    Parameters
    ----------
    learning_rate : float
        γ of plain gradient descent, constant.
    batch_size, epochs : int
        Images per step; rounds of ``steps_per_epoch`` steps.
    loss : str
        ``softmax_twice``: cross-entropy that takes the softmax outputs for logits; ``logits``: cross-entropy as
        meant; ``mse``: (1/B) Σ_b ‖o_b - t_b‖² of the softmax outputs.
    steps_per_epoch : int or None
        None for one pass over the data; see :func:`mnistkit.batches.permuted_batches`.
    train_evaluation : int
        After each epoch, training accuracy is measured on that many of the first training images: as many as there
        are test images give the two accuracies equal errors. The last one is measured on all, too.
    probe_every, probe_images, probe_epochs : int
        During the first ``probe_epochs`` epochs, every ``probe_every`` steps (0 for never), the accuracy on the first
        ``probe_images`` training images is measured.
    thresholds : tuple of float
        The weights are kept when the *probe* first reaches each of these accuracies.
    gradient_every : int
        Every so many steps (0 for never) the squared norm of the mini-batch gradient is recorded.

    Raises
    ------
    ValueError
        When the loss is unknown or thresholds are set without a probe.
    """

    learning_rate: float
    batch_size: int = 100
    epochs: int = 10
    loss: str = "softmax_twice"
    steps_per_epoch: int | None = None
    train_evaluation: int = 10_000
    probe_every: int = 0
    probe_images: int = 5_000
    probe_epochs: int = 1_000_000
    thresholds: tuple[float, ...] = ()
    gradient_every: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that could only fail, or silently record nothing, later."""
        if self.loss not in LOSSES:
            raise ValueError(f"no loss '{self.loss}'; known: {', '.join(LOSSES)}")
        if self.thresholds and not self.probe_every:
            raise ValueError("thresholds are measured by the probe: set probe_every, e.g. to 50 steps")


@dataclass(frozen=True, slots=True)
class History:
    """What a training leaves behind.

    Parameters
    ----------
    curves : dict of ndarray
        ``loss`` of every step (n_steps,), before that step's update and against the labels; ``train_accuracy`` and
        ``test_accuracy`` at the end of each epoch (epochs,); ``probe_step`` and ``probe_accuracy`` (n_probes,);
        ``gradient_step`` and ``gradient_norm_squared`` (n_records,). Steps count from 1.
    states : dict of ndarray
        The weights at the thresholds and at the end, see :mod:`mnistkit.snapshots`.
    numbers : dict
        ``final_train_accuracy`` on all training images, ``final_test_accuracy``, ``steps_per_epoch``, and
        ``crossings``: the step at which each threshold was first reached, or None.
    """

    curves: dict[str, np.ndarray] = field(default_factory=dict)
    states: dict[str, np.ndarray] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Curves and states in one mapping, as a run's outcome holds them."""
        return self.curves | self.states


@torch.no_grad()
def loss_and_gradient(kind: str, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean loss of a batch and its gradient ∂L/∂logits.

    Parameters
    ----------
    kind : str
        See :class:`TrainingSettings`.
    logits : Tensor of shape (B, 10)
    targets : Tensor of shape (B, 10)
        One-hot labels or other rows that sum to 1.

    Notes
    -----
    With p = softmax(z): the cross-entropy has ∂L/∂z = (p - t) / B, and whatever follows the softmax sends its gradient
    g = ∂L/∂p back as ∂L/∂z = p ∘ (g - Σ p ∘ g). I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, 2016,
    section 6.2.2.3.
    """
    if kind == "logits":
        return _cross_entropy(logits, targets)
    outputs = logits.softmax(1)
    if kind == "softmax_twice":
        loss, grad = _cross_entropy(outputs, targets)
    else:
        difference = outputs - targets
        loss, grad = difference.square().sum() / len(outputs), difference * (2 / len(outputs))
    return loss, outputs * (grad - (outputs * grad).sum(1, keepdim=True))


def _cross_entropy(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return -(1/B) Σ_b t_b · log softmax(s_b) and its gradient; the rows t_b sum to 1."""
    logarithms = scores.log_softmax(1)
    return (logarithms * targets).sum() / -len(scores), (logarithms.exp() - targets) / len(scores)


@torch.no_grad()
def predict(network: ConvNet, images: Tensor, compute: Compute | None = None, *, batch_size: int = 250) -> Tensor:
    """Return the class probabilities (n, 10), float32, of images (n, 1, 28, 28), pixels in [0, 1].

    Batches of a few hundred images are fastest on a CPU: their feature maps stay in its cache.
    """
    compute = compute or Compute(images.device.type)
    batch_size = batch_size if compute.device == "cpu" else 10_000
    logits = [inference_logits(network, batch, compute) for batch in torch.split(images, batch_size)]
    return torch.cat(logits).softmax(1)


def accuracy(network: ConvNet, data: LabelledImages, compute: Compute | None = None) -> float:
    """Return the share of images that the network classifies rightly, in [0, 1]."""
    return int((predict(network, data.images, compute).argmax(1) == data.labels).sum()) / len(data)


def train(
    network: ConvNet,
    data: ResidentData,
    settings: TrainingSettings,
    *,
    order: np.random.Generator,
    compute: Compute | None = None,
    targets: Tensor | None = None,
    progress: Progress = lambda _done, _total, _note: None,
) -> History:
    """Train a network in place.

    Parameters
    ----------
    network : ConvNet
        Its parameters and ``data`` lie on ``compute.device``.
    order : numpy.random.Generator
        Draws the order of the images: equal generators give equal batches, whatever the network.
    compute : Compute
        Default: the CPU in 32 bits.
    targets : Tensor of shape (n_train, 10), optional
        What the outputs are trained towards instead of the labels (``mse`` only). The recorded loss stays the one
        against the labels.
    progress : callable (done, total, note)
        Called after each epoch.
    """
    compute = compute or Compute()
    compute.configure()
    recorder = _Recorder(network, data, settings, compute)
    for epoch in range(settings.epochs):
        batches = permuted_batches(order, len(data.train), settings.batch_size, settings.steps_per_epoch)
        losses = train_steps(
            network,
            data.train,
            settings,
            torch.from_numpy(batches).to(data.train.images.device),
            compute=compute,
            targets=targets,
            after_step=recorder.end_step,
        )
        recorder.end_epoch(epoch, losses)
        progress(epoch + 1, settings.epochs, f"test accuracy {recorder.test_accuracy[-1]:.4f}")
    return recorder.history()


def train_steps(
    network: ConvNet,
    data: LabelledImages,
    settings: TrainingSettings,
    batches: Tensor,
    *,
    compute: Compute,
    targets: Tensor | None = None,
    after_step: Callable[[tuple[Tensor, ...]], None] = lambda _gradients: None,
) -> Tensor:
    """Take one step of gradient descent per row of ``batches`` (n_steps, B); arguments as for :func:`train`.

    ``after_step`` is called with the gradients of each step. Returns the losses (n_steps,) against the labels, on the
    device: nothing here waits for it.
    """
    parameters = tuple(network.parameters())
    losses = torch.empty(len(batches), device=batches.device)
    one_hot = functional.one_hot(data.labels, N_CLASSES).float()
    passes = passes_of(network, compute)
    for step, batch in enumerate(batches.unbind()):
        logits = passes.forward(data.images.index_select(0, batch))
        labels = one_hot.index_select(0, batch)
        wanted = labels if targets is None else targets.index_select(0, batch)
        loss, grad = loss_and_gradient(settings.loss, logits, wanted)
        losses[step] = loss if targets is None else loss_and_gradient(settings.loss, logits, labels)[0]
        gradients = passes.backward(grad)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(gradient, alpha=settings.learning_rate)
        after_step(gradients)
    return losses


class _Recorder:
    """Collects the curves and snapshots of one training."""

    def __init__(self, network: ConvNet, data: ResidentData, settings: TrainingSettings, compute: Compute) -> None:
        self._compute = compute
        self.test_accuracy: list[float] = []
        self._network, self._data, self._settings = network, data, settings
        self._train_accuracy: list[float] = []
        self._losses: list[Tensor] = []
        self._probe: list[tuple[int, float]] = []
        self._gradient: list[tuple[int, Tensor]] = []
        self._crossings = FirstCrossings(settings.thresholds)
        self._step = self._epoch = 0

    def end_step(self, gradients: tuple[Tensor, ...]) -> None:
        """Record what is due after a step."""
        self._step += 1
        settings = self._settings
        if settings.gradient_every and self._step % settings.gradient_every == 0:
            norm = torch.stack([gradient.square().sum() for gradient in gradients]).sum()
            self._gradient.append((self._step, norm))
        if settings.probe_every and self._step % settings.probe_every == 0 and self._epoch < settings.probe_epochs:
            probed = accuracy(self._network, self._data.train.first(settings.probe_images), self._compute)
            self._probe.append((self._step, probed))
            self._crossings.observe(self._network, self._step, probed)

    def end_epoch(self, epoch: int, losses: Tensor) -> None:
        """Measure both accuracies."""
        self._epoch = epoch + 1
        self._losses.append(losses)
        subset = self._data.train.first(self._settings.train_evaluation)
        self._train_accuracy.append(accuracy(self._network, subset, self._compute))
        self.test_accuracy.append(accuracy(self._network, self._data.test, self._compute))

    def history(self) -> History:
        """Gather everything in plain arrays."""
        losses = torch.cat(self._losses).cpu().numpy() if self._losses else np.empty(0, np.float32)
        curves = {
            "loss": losses,
            "train_accuracy": np.array(self._train_accuracy),
            "test_accuracy": np.array(self.test_accuracy),
            "probe_step": np.array([step for step, _ in self._probe], dtype=np.int64),
            "probe_accuracy": np.array([probed for _, probed in self._probe], dtype=np.float64),
            "gradient_step": np.array([step for step, _ in self._gradient], dtype=np.int64),
            "gradient_norm_squared": np.array([float(norm) for _, norm in self._gradient], dtype=np.float64),
        }
        numbers = {
            "final_train_accuracy": accuracy(self._network, self._data.train, self._compute),
            "final_test_accuracy": accuracy(self._network, self._data.test, self._compute),
            "steps_per_epoch": len(losses) // max(self._settings.epochs, 1),
            "crossings": self._crossings.steps,
        }
        return History(curves, self._crossings.arrays | state_arrays(self._network), numbers)
