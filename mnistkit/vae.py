"""A variational autoencoder of linear layers with a normal prior on ten latent variables.

Loss per image = binary cross-entropy of the reconstruction + KL divergence from the prior.

References
----------
D. P. Kingma, M. Welling, "Auto-encoding variational Bayes", 2013, equations (3) and (10) and appendices B and C.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mnistkit.batches import permuted_batches
from mnistkit.networks import SIDE, initialise
from mnistkit.onednn import linear
from mnistkit.snapshots import state_arrays
from mnistkit.torch_setup import Compute
from mnistkit.training import History

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnistkit.resident import LabelledImages, ResidentData
    from mnistkit.training import Progress

_SMALLEST_VARIANCE = 1e-12


class Vae(nn.Module):
    """Encoder 784 → 300 → 100 → two heads, decoder mirrored, ReLU between.

    Parameters
    ----------
    sizes : sequence of int
        Units of the input and of the encoder's hidden layers.
    n_latent : int
        Latent variables.
    """

    def __init__(self, sizes: Sequence[int] = (SIDE * SIDE, 300, 100), n_latent: int = 10) -> None:
        super().__init__()
        self.encoder = _hidden_layers(sizes)
        self.mean = nn.Linear(sizes[-1], n_latent)
        self.root = nn.Linear(sizes[-1], n_latent)
        self.decoder = _hidden_layers((n_latent, *sizes[:0:-1]))
        self.output = nn.Linear(sizes[1], sizes[0])
        self.n_latent = n_latent

    def encode(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and root of the latent variables: (B, 784) → two tensors (B, n_latent).

        The variance is the square of the root, which keeps it positive without an exponential.
        """
        hidden = _through(self.encoder, X)
        return linear(self.mean, hidden), linear(self.root, hidden)

    def decode_logits(self, latent: Tensor) -> Tensor:
        """Return the pixels before the sigmoid: (B, n_latent) → (B, 784)."""
        return linear(self.output, _through(self.decoder, latent))

    def forward(self, X: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return reconstruction logits (B, 784), mean and root; the latent variable is mean + root · noise."""
        mean, root = self.encode(X)
        return self.decode_logits(mean + root * noise), mean, root

    @torch.no_grad()
    def reconstruct(self, X: Tensor) -> Tensor:
        """Return pixels in [0, 1] decoded from the mean, without noise: (B, 784) → (B, 784)."""
        return self.decode_logits(self.encode(X)[0]).sigmoid()

    @torch.no_grad()
    def sample(self, latent: Tensor) -> Tensor:
        """Return pixels in [0, 1] decoded from given latent variables: (B, n_latent) → (B, 784)."""
        return self.decode_logits(latent).sigmoid()


def _hidden_layers(sizes: Sequence[int]) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes))


def _through(layers: nn.ModuleList, X: Tensor) -> Tensor:
    for layer in layers:
        X = linear(layer, X).relu()
    return X


def build_vae(
    generator: np.random.Generator,
    *,
    sizes: Sequence[int] = (SIDE * SIDE, 300, 100),
    n_latent: int = 10,
    device: str = "cpu",
) -> Vae:
    """Build an autoencoder with PyTorch's default distribution of weights, drawn from ``generator``."""
    with torch.device("meta"):  # no memory, and no draws from the global generator
        network = Vae(sizes, n_latent)
    return initialise(network, generator, device)


def kl_divergence(mean: Tensor, root: Tensor) -> Tensor:
    """KL(N(μ, v) ‖ N(0, I)) = ½ Σ (μ² + v - ln v - 1) with v = root²: two tensors (B, n_latent) → (B,).

    The logarithm is guarded: a root of exactly 0 counts as a variance of 1e-12 there.
    """
    variance = root.square()
    terms: Tensor = mean.square() + variance - variance.clamp_min(_SMALLEST_VARIANCE).log() - 1
    return terms.sum(dim=1) / 2


def reconstruction_loss(logits: Tensor, X: Tensor) -> Tensor:
    """Binary cross-entropy of pixels in [0, 1], summed over each image: two tensors (B, 784) → (B,)."""
    return functional.binary_cross_entropy_with_logits(logits, X, reduction="none").sum(dim=1)


@dataclass(frozen=True, slots=True)
class VaeSettings:
    """How an autoencoder is trained.

    Parameters
    ----------
    learning_rate : float
        Of Adam, with PyTorch's defaults for its other constants.
    batch_size, epochs : int
        Images per step; rounds of ``steps_per_epoch`` steps.
    n_latent : int
        Latent variables.
    hidden : tuple of int
        Units of the encoder's hidden layers; the decoder's in reverse.
    shown_epochs : tuple of int
        Reconstructions are kept after these epochs; 0 is before the training.
    n_shown, n_samples : int
        That many of the first test images are reconstructed, and that many images drawn from the prior at the end.
    steps_per_epoch : int or None
        None for one pass over the data; see :func:`mnistkit.batches.permuted_batches`.
    """

    learning_rate: float = 1e-3
    batch_size: int = 100
    epochs: int = 20
    n_latent: int = 10
    hidden: tuple[int, ...] = (300, 100)
    shown_epochs: tuple[int, ...] = (1, 5, 10, 20)
    n_shown: int = 10
    n_samples: int = 30
    steps_per_epoch: int | None = None


def train_vae(
    settings: VaeSettings,
    data: ResidentData,
    *,
    weights: np.random.Generator,
    order: np.random.Generator,
    noise: np.random.Generator,
    compute: Compute | None = None,
    progress: Progress = lambda _done, _total, _note: None,
) -> History:
    """Train an autoencoder.

    Parameters
    ----------
    weights, order, noise : numpy.random.Generator
        Draw the initial weights, the order of the images, and the latent noise (at last the samples' too).

    Returns
    -------
    History
        Curves: ``reconstruction_loss`` and ``kl_loss``, means per image over each epoch's training steps, and
        ``test_reconstruction_loss`` and ``test_kl_loss``, without noise, at its end (epochs,);
        ``shown_epochs`` (k,), ``reconstructions`` (k, n_shown, 28, 28), ``originals`` (n_shown, 28, 28),
        ``samples`` (n_samples, 28, 28), pixels in [0, 1]. States: ``final``.
    """
    compute = compute or Compute()
    compute.configure()
    network = build_vae(
        weights, sizes=(SIDE * SIDE, *settings.hidden), n_latent=settings.n_latent, device=compute.device
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, fused=True)
    originals = data.test.images[: settings.n_shown].flatten(1)
    shown = {0: network.reconstruct(originals)} if 0 in settings.shown_epochs else {}
    losses = []
    for epoch in range(1, settings.epochs + 1):
        batches = permuted_batches(order, len(data.train), settings.batch_size, settings.steps_per_epoch)
        trained = _train_epoch(network, optimiser, data.train, batches, noise, compute)
        losses.append([*trained, *_test_losses(network, data.test)])
        if epoch in settings.shown_epochs:
            shown[epoch] = network.reconstruct(originals)
        progress(epoch, settings.epochs, f"loss {sum(losses[-1][:2]):.2f}")
    drawn = _normal(noise, (settings.n_samples, settings.n_latent), compute.device)
    names = ("reconstruction_loss", "kl_loss", "test_reconstruction_loss", "test_kl_loss")
    curves = dict(zip(names, np.array(losses, dtype=np.float64).reshape(-1, len(names)).T, strict=True))
    pictures = {
        "originals": _pictures(originals),
        "reconstructions": np.stack([_pictures(pixels) for pixels in shown.values()])
        if shown
        else np.empty((0, settings.n_shown, SIDE, SIDE), np.float32),
        "samples": _pictures(network.sample(drawn)),
    }
    return History(curves | pictures | {"shown_epochs": np.array(list(shown), np.int64)}, state_arrays(network))


def _train_epoch(
    network: Vae,
    optimiser: torch.optim.Optimizer,
    train_set: LabelledImages,
    batches: np.ndarray,
    noise: np.random.Generator,
    compute: Compute,
) -> list[float]:
    """Take one step per batch; return the means of both terms of the loss."""
    device = compute.device
    total = torch.zeros(2, device=device)
    draws = _normal(noise, (*batches.shape, network.n_latent), device)
    for batch, draw in zip(torch.from_numpy(batches).to(device), draws, strict=True):
        X = train_set.images.index_select(0, batch).flatten(1)
        logits, mean, root = network(X.to(compute.dtype), draw.to(compute.dtype))
        terms = torch.stack(
            [
                reconstruction_loss(logits.float(), X).mean(),
                kl_divergence(mean.float(), root.float()).mean(),
            ]
        )
        optimiser.zero_grad()
        torch.autograd.backward(terms.sum())
        optimiser.step()
        total += terms.detach()
    return (total / max(len(batches), 1)).tolist()


@torch.no_grad()
def _test_losses(network: Vae, test_set: LabelledImages, batch_size: int = 500) -> list[float]:
    """Return the means of both terms over the test set, reconstructing from the mean."""
    total = torch.zeros(2, dtype=torch.float64)
    for images in torch.split(test_set.images, batch_size):
        X = images.flatten(1)
        mean, root = network.encode(X)
        total[0] += float(reconstruction_loss(network.decode_logits(mean), X).sum())
        total[1] += float(kl_divergence(mean, root).sum())
    return (total / len(test_set)).tolist()


def _normal(generator: np.random.Generator, shape: tuple[int, ...], device: str) -> Tensor:
    """Draw standard normal numbers with NumPy, so that they are the same on every device."""
    return torch.from_numpy(generator.standard_normal(shape, dtype=np.float32)).to(device)


def _pictures(pixels: Tensor) -> np.ndarray:
    return pixels.reshape(-1, SIDE, SIDE).cpu().numpy()
