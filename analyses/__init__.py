"""One module per section of the MNIST report; each joins ``mnistkit`` to the engine in ``report``."""
