"""Students that learn from a teacher's outputs, from the labels, or from the mean of both.

All students of a repeat start from equal weights and see equal batches, so that nothing but the targets differs.
The idea of training on another network's outputs: G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a
neural network", 2015, section 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

from mnistkit.networks import N_CLASSES
from mnistkit.training import predict

if TYPE_CHECKING:
    from torch import Tensor

    from mnistkit.networks import ConvNet
    from mnistkit.resident import LabelledImages
    from mnistkit.torch_setup import Compute

TARGETS = ("labels", "teacher", "combined")


def student_targets(
    kind: str, data: LabelledImages, teacher: ConvNet | None, compute: Compute | None = None
) -> Tensor | None:
    """Return what a student is trained towards: the ``targets`` of :func:`mnistkit.training.train`.

    Parameters
    ----------
    kind : str
        ``labels`` (None is returned: the loop's own targets), ``teacher``: the teacher's outputs, or ``combined``:
        the mean of its outputs and the one-hot labels.
    data : LabelledImages
        The training set.
    teacher : ConvNet or None
        A trained network; not needed for ``labels``.

    Returns
    -------
    Tensor of shape (n_train, 10), each row summing to 1, or None

    Raises
    ------
    ValueError
        When the kind is unknown or its teacher is missing.
    """
    if kind not in TARGETS:
        raise ValueError(f"no targets '{kind}'; known: {', '.join(TARGETS)}")
    if kind == "labels":
        return None
    if teacher is None:
        raise ValueError(f"targets '{kind}' need a teacher")
    outputs = predict(teacher, data.images, compute)
    if kind == "teacher":
        return outputs
    return (outputs + functional.one_hot(data.labels, N_CLASSES)) / 2
