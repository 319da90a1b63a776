"""A small machine-learning library for MNIST. It knows nothing of reports; importing it imports nothing else."""
