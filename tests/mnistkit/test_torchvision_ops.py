"""torchvision is importable whether or not its compiled operators fit the installed torch."""

from mnistkit.torchvision_ops import declare_missing_operators, import_datasets


def test_the_data_set_can_be_imported() -> None:
    """MNIST is there, and asking twice declares nothing twice."""
    assert import_datasets().MNIST.__name__ == "MNIST"
    assert declare_missing_operators() is declare_missing_operators()


def test_nothing_is_declared_where_the_operators_exist() -> None:
    """With the operators present (compiled, or declared before) nothing is declared."""
    declare_missing_operators()
    assert declare_missing_operators.__wrapped__() is None
