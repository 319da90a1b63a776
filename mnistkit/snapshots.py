"""Weights as named arrays, and the states in which a training passed given accuracies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from torch import nn

FINAL = "final"


def key_of(snapshot: str, parameter: str) -> str:
    """Return the name under which a parameter of a snapshot is stored among a run's arrays."""
    return f"state/{snapshot}/{parameter}"


def state_arrays(network: nn.Module, snapshot: str = FINAL) -> dict[str, np.ndarray]:
    """Copy a network's weights into arrays named ``state/<snapshot>/<parameter>``."""
    return {
        key_of(snapshot, name): tensor.detach().cpu().numpy().copy() for name, tensor in network.state_dict().items()
    }


def load_state(network: nn.Module, arrays: Mapping[str, np.ndarray], snapshot: str = FINAL) -> None:
    """Fill a network with the weights that :func:`state_arrays` stored, in place.

    Raises
    ------
    KeyError
        When the arrays hold no such snapshot (an accuracy that was never reached leaves none).
    """
    present = sorted({key.split("/")[1] for key in arrays if key.startswith("state/")})
    if snapshot not in present:
        raise KeyError(f"no snapshot '{snapshot}' among the arrays; present: {', '.join(present) or 'none'}")
    network.load_state_dict(
        {name: torch.from_numpy(arrays[key_of(snapshot, name)].copy()) for name in network.state_dict()}
    )


def threshold_name(threshold: float) -> str:
    """Return a threshold's snapshot name, e.g. ``at_0.82``."""
    return f"at_{threshold:g}"


class FirstCrossings:
    """Keeps a network's weights at the first measurement at or above each threshold.

    Parameters
    ----------
    thresholds : sequence of float
        Accuracies in [0, 1], in any order.

    Attributes
    ----------
    steps : dict of str to int or None
        The step of each crossing by :func:`threshold_name`; None while it has not happened.
    arrays : dict of str to ndarray
        The weights at the crossings, named as by :func:`state_arrays`.
    """

    def __init__(self, thresholds: Sequence[float]) -> None:
        self._open = sorted(thresholds)
        self.steps: dict[str, int | None] = {threshold_name(threshold): None for threshold in self._open}
        self.arrays: dict[str, np.ndarray] = {}

    def observe(self, network: nn.Module, step: int, accuracy: float) -> None:
        """Take the measurement after ``step`` steps; a threshold fires once, later falls and rises change nothing."""
        while self._open and accuracy >= self._open[0]:
            name = threshold_name(self._open.pop(0))
            self.steps[name] = step
            self.arrays |= state_arrays(network, name)
