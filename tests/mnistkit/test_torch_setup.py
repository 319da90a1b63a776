"""Device and precision."""

import pytest
import torch

from mnistkit.torch_setup import Compute, ComputeError


@pytest.mark.parametrize(("option", "value"), [("device", "tpu"), ("precision", "fp8")])
def test_unknown_names_are_refused(option, value):
    """The message lists what is known."""
    with pytest.raises(ComputeError, match=f"no {option} '{value}'; known: "):
        Compute(**{option: value})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_named():
    """The message says what to do instead."""
    with pytest.raises(ComputeError, match="use 'cpu'"):
        Compute("cuda")


def test_configure_makes_results_repeatable():
    """One thread, deterministic algorithms, and new tensors are not filled."""
    Compute().configure()
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.utils.deterministic.fill_uninitialized_memory


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_precision_names_the_type_of_products(precision, dtype):
    """Autocast follows it."""
    compute = Compute(precision=precision)
    left, right = torch.rand(3, 3), torch.rand(3, 3)
    with compute.autocast():
        assert (left @ right).dtype == compute.dtype == dtype
