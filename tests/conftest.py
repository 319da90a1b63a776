"""What every test shares: one thread per process, and property tests that repeat themselves exactly."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Before NumPy or torch is imported: the trainings use one thread, and several test processes may run side by side.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ["MPLBACKEND"] = "agg"

# No deadline: the first example of a test pays for its imports. Derandomised: a failure on one machine is one on all.
settings.register_profile("default", deadline=None, derandomize=True)
settings.load_profile("default")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the project folder."""
    return Path(__file__).resolve().parent.parent
