"""Import torchvision also where its compiled operators do not fit the installed torch.

A torchvision built for another torch (for instance the CUDA wheel beside a CPU-only torch) cannot load its C++
library. Its Python code then fails at import, because it registers shape functions for the operators ``nms`` and
``qnms`` that nobody declared. Only the data set is wanted here, and it needs no operator; so the two are declared,
without an implementation. Where the library loads, nothing is done.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def import_datasets() -> ModuleType:
    """Return ``torchvision.datasets``, with the operators declared first if that is needed."""
    declare_missing_operators()
    return importlib.import_module("torchvision.datasets")


@functools.cache  # a torch.library.Library withdraws its declarations when it is collected: the cache keeps it
def declare_missing_operators() -> torch.library.Library | None:
    """Declare torchvision's operators if its compiled library does not load; return what keeps them alive."""
    import torch  # noqa: PLC0415 - importing this module must not import torch

    for library in _compiled_libraries():
        try:
            torch.ops.load_library(library)  # type: ignore[no-untyped-call]
        except (OSError, RuntimeError):
            continue
    missing = [name for name in _SCHEMAS if not hasattr(torch.ops.torchvision, name)]
    if not missing:
        return None
    declared = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in missing:
        declared.define(_SCHEMAS[name])  # type: ignore[no-untyped-call]
    return declared


def _compiled_libraries() -> list[Path]:
    """Return torchvision's compiled operators, without importing torchvision."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return []
    return [path for place in spec.submodule_search_locations for path in sorted(Path(place).glob("_C.*"))]
