"""Where networks are trained: on a GPU when there is one that PyTorch can use."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_DRIVER = Path("/proc/driver/nvidia/version")
_PROBE = "import torch; print(torch.cuda.is_available())"
_PROBE_SECONDS = 120.0


class DeviceError(RuntimeError):
    """The device that was asked for cannot be used."""


def choose_device(choice: str, cache: Path) -> str:
    """Return ``cpu`` or ``cuda``; ``auto`` takes a GPU when PyTorch can use one.

    Without an NVIDIA driver or with a CPU build of PyTorch the answer is known at once. Otherwise PyTorch is
    asked, in a process of its own, once per driver and version; the answer is remembered in ``cache``.

    Raises
    ------
    DeviceError
        When ``cuda`` is asked for and PyTorch cannot use a GPU.
    """
    usable = choice != "cpu" and _cuda_is_usable(cache)
    if choice == "cuda" and not usable:
        raise DeviceError(
            "--device cuda: PyTorch sees no usable GPU here. Use --device cpu, or install the NVIDIA driver and a"
            " CUDA build of torch (python build.py doctor shows which build is installed)."
        )
    return "cuda" if usable else "cpu"


def _cuda_is_usable(cache: Path) -> bool:
    try:
        torch_version = version("torch")
        driver = _DRIVER.read_text(encoding="utf-8").partition("\n")[0]
    except (PackageNotFoundError, OSError):
        return False
    if "+cpu" in torch_version:
        return False
    question = f"{torch_version} | {driver} | {os.environ.get('CUDA_VISIBLE_DEVICES', 'all')}"
    remembered = cache / "tools" / "cuda.txt"
    if remembered.exists():
        asked, _, answer = remembered.read_text(encoding="utf-8").partition("\n")
        if asked == question:
            return answer == "True"
    done = subprocess.run(
        [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
    )
    answer = done.stdout.strip()
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_text(f"{question}\n{answer}", encoding="utf-8")
    return answer == "True"
