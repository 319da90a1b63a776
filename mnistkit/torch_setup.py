"""Where and how the networks are computed: device, precision, one thread, the same bits every time."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass

import torch

DEVICES = ("cpu", "cuda")
PRECISIONS = ("fp32", "bf16")


class ComputeError(ValueError):
    """The device or the precision that was asked for does not exist here."""


@dataclass(frozen=True, slots=True)
class Compute:
    """Device and precision of a training; pass ``RunContext.device`` and ``RunContext.precision``.

    Parameters
    ----------
    device : str
        ``cpu`` or ``cuda``.
    precision : str
        ``fp32``, or ``bf16``: weights, updates, softmax and loss stay in 32 bits, convolutions and linear layers
        multiply numbers rounded to bfloat16 and add up in 32 bits.

    Raises
    ------
    ComputeError
        When a name is unknown or there is no GPU.
    """

    device: str = "cpu"
    precision: str = "fp32"

    def __post_init__(self) -> None:
        """Refuse what cannot be computed here, before anything is trained."""
        for option, value, known in (("device", self.device, DEVICES), ("precision", self.precision, PRECISIONS)):
            if value not in known:
                raise ComputeError(f"no {option} '{value}'; known: {', '.join(known)}")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise ComputeError("device 'cuda' was asked for, but PyTorch finds no GPU; use 'cpu'")

    @property
    def bf16(self) -> bool:
        """Whether products are computed from numbers rounded to bfloat16."""
        return self.precision == "bf16"

    @property
    def dtype(self) -> torch.dtype:
        """The type in which products are computed."""
        return torch.bfloat16 if self.bf16 else torch.float32

    def autocast(self) -> torch.autocast:
        """Return the context in which forward passes run: nothing for ``fp32``, autocast for ``bf16``."""
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.bf16)

    def configure(self) -> None:
        """Set PyTorch up for results that are equal bit by bit, from run to run and for any number of processes.

        One thread per process: sums are then always added in the same order, and two processes of one thread each
        do more work than one process of two threads.
        """
        torch.set_num_threads(1)
        _keep_freed_memory()
        # cuBLAS is deterministic only with a fixed workspace, and reads this before its first use.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(mode=True)
        # By default that mode also fills every new tensor with NaN, to show reads of uninitialised memory: costly.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark = False
        torch.set_float32_matmul_precision("highest")


def _keep_freed_memory() -> None:
    """Let the C library keep the memory of freed tensors for the next step.

    By default glibc hands every block of some megabytes back to the kernel at once, and the next step takes it again,
    page by page: 2 000 page faults, a third of the time of a training step. The numbers are those of ``mallopt(3)``.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3
    mallopt(mmap_threshold, 32 << 20)
    mallopt(trim_threshold, 1 << 30)
    mallopt(top_pad, 64 << 20)
