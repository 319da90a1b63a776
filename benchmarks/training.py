"""Compare mnistkit's training with the usual PyTorch loop: Net2, B = 100, one core.

Each loop runs in a process of its own (what one sets must not help the other), all pinned to the same core. They take
turns, a block of steps each, so that whatever else the machine does disturbs all alike; ratios are medians over the
rounds. Times are the processes' CPU time: on a shared machine the wall clock also counts the others' work.

    python benchmarks/training.py --data DIR             # about a minute
    python benchmarks/training.py --steps 20 --rounds 2  # a look
    python benchmarks/training.py --epochs 2 --seeds 3   # and the accuracy in bfloat16
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mnistkit import onednn  # noqa: E402 - found through the line above
from mnistkit.batches import permuted_batches  # noqa: E402
from mnistkit.data import Mnist, MnistSource  # noqa: E402
from mnistkit.networks import build, describe  # noqa: E402
from mnistkit.resident import labelled, resident  # noqa: E402
from mnistkit.torch_setup import Compute  # noqa: E402
from mnistkit.torchvision_ops import declare_missing_operators  # noqa: E402
from mnistkit.training import TrainingSettings, train, train_steps  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    Block = tuple[float, float, list[float]]  # CPU seconds, seconds, losses

SETTINGS = TrainingSettings(learning_rate=0.3, batch_size=100)
USUAL, FP32, BF16 = LOOPS = ("usual", "mnistkit fp32", "mnistkit bf16")


def generator(stream: str, seed: int = 0) -> np.random.Generator:
    """Return a generator for the weights or for the order of the images, equal in every process."""
    return np.random.default_rng([seed, len(stream)])


class UsualDataset(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """What ``torchvision.datasets.MNIST`` with ``ToTensor`` does per image, on arrays that are already here."""

    def __init__(self, mnist: Mnist) -> None:
        declare_missing_operators()
        self.transform = importlib.import_module("torchvision.transforms").ToTensor()
        self.images, self.labels = mnist.train_images, mnist.train_labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), int(self.labels[index])


def usual_steps(mnist: Mnist) -> Iterator[float]:
    """Train as most tutorials do; yield the loss of every step."""
    torch.set_num_threads(1)
    built = build("net2", generator("weights"))
    network = nn.Sequential(
        built.convolutions[0], nn.ReLU(), built.convolutions[1], nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        built.linears[0], nn.ReLU(), built.linears[1], nn.ReLU(), built.linears[2], nn.Softmax(dim=1),
    )  # fmt: skip
    optimiser = torch.optim.SGD(network.parameters(), lr=SETTINGS.learning_rate)
    criterion = nn.CrossEntropyLoss()
    dataset, order = UsualDataset(mnist), generator("order")
    while True:
        sampler = permuted_batches(order, len(dataset), SETTINGS.batch_size).ravel().tolist()
        for X, y in torch.utils.data.DataLoader(dataset, batch_size=SETTINGS.batch_size, sampler=sampler):
            optimiser.zero_grad()
            loss = criterion(network(X), y)
            loss.backward()
            optimiser.step()
            yield loss.item()


def usual_loop(mnist: Mnist) -> Callable[[int], list[float]]:
    """Return a function that trains for so many steps and returns their losses."""
    steps = usual_steps(mnist)
    return lambda n_steps: [next(steps) for _ in range(n_steps)]


def mnistkit_loop(mnist: Mnist, precision: str) -> Callable[[int], list[float]]:
    """Return the same for mnistkit."""
    compute = Compute(precision=precision)
    compute.configure()
    data = labelled(mnist.train_images, mnist.train_labels)
    network, order = build("net2", generator("weights")), generator("order")
    pending = torch.empty((0, SETTINGS.batch_size), dtype=torch.int64)

    def loop(n_steps: int) -> list[float]:
        nonlocal pending
        while len(pending) < n_steps:
            pending = torch.cat([pending, torch.from_numpy(permuted_batches(order, len(data), SETTINGS.batch_size))])
        batches, pending = pending[:n_steps], pending[n_steps:]
        return train_steps(network, data, SETTINGS, batches, compute=compute).tolist()

    return loop


def work(name: str, core: int, folder: Path | None, connection: Connection) -> None:
    """Run the loop of that name in blocks of so many steps, until told 0: what each process does."""
    os.sched_setaffinity(0, {core})
    mnist = load(folder)
    loop = usual_loop(mnist) if name == USUAL else mnistkit_loop(mnist, name.split()[1])
    while n_steps := connection.recv():
        cpu, wall = time.process_time(), time.perf_counter()
        losses = loop(n_steps)
        connection.send((time.process_time() - cpu, time.perf_counter() - wall, losses))


def load(folder: Path | None) -> Mnist:
    """Return the data that the report would use."""
    return MnistSource(folder, ROOT / ".cache").load()


def measure(options: argparse.Namespace) -> dict[str, list[Block]]:
    """Let the loops take turns; the first block of each warms it up."""
    context = multiprocessing.get_context("spawn")
    ends, processes = {}, []
    for name in LOOPS:
        ends[name], child = context.Pipe()
        processes.append(context.Process(target=work, args=(name, options.core, options.data, child), daemon=True))
        processes[-1].start()
    blocks: dict[str, list[Block]] = {name: [] for name in LOOPS}
    for _ in range(options.rounds + 1):
        for name, end in ends.items():
            end.send(options.steps)
            blocks[name].append(end.recv())
    for end, process in zip(ends.values(), processes, strict=True):
        end.send(0)
        process.join()
    return blocks


def gemm_peaks(core: int, size: int = 1024) -> dict[str, float]:
    """Return the FP32 rates of a large matrix product on one core, by library, in GFLOP/s: the best of ten."""
    os.sched_setaffinity(0, {core})
    torch.set_num_threads(1)
    left, right = torch.rand(size, size), torch.rand(size, size)
    products: dict[str, Callable[[], object]] = {"torch.mm": lambda: left @ right}
    if onednn.AVAILABLE:
        products["oneDNN"] = lambda: onednn.matmul(left, right)
    peaks = {}
    for name, product in products.items():
        seconds = []
        for _ in range(10):
            start = time.process_time()
            product()
            seconds.append(time.process_time() - start)
        peaks[name] = 2 * size**3 / min(seconds) / 1e9
    return peaks


def gflop_per_step() -> float:
    """Return the multiplications and additions of one step, forwards and backwards, in 10⁹.

    The first convolution has no data gradient: two products instead of three.
    """
    structure = describe(build("net2", generator("weights")))
    side, channels, total = 28, 1, 0
    for index, (filters, kernel) in enumerate(zip(structure.filters, structure.kernels, strict=True)):
        side -= kernel - 1
        total += (3 if index else 2) * side**2 * filters * channels * kernel**2
        channels = filters
    sizes = structure.linear_sizes
    total += 3 * sum(n_in * n_out for n_in, n_out in pairwise(sizes))
    return 2 * SETTINGS.batch_size * total / 1e9


def print_speeds(blocks: dict[str, list[Block]], n_steps: int, core: int) -> None:
    """Print one row per loop."""
    peaks = gemm_peaks(core)
    print("FP32 GEMM peak of the core: " + ", ".join(f"{peak:.0f} GFLOP/s by {name}" for name, peak in peaks.items()))
    print(f"{'loop':15s}  ms/step  times the usual (range)  GFLOP/s  share of the peak by {', '.join(peaks)}")
    for name in LOOPS:
        pairs = list(zip(blocks[USUAL][1:], blocks[name][1:], strict=True))
        ratios = [usual[0] / own[0] for usual, own in pairs]
        seconds = statistics.median(own[0] for _, own in pairs) / n_steps
        rate = gflop_per_step() / seconds
        print(
            f"{name:15s}  {1e3 * seconds:7.2f}  {statistics.median(ratios):9.2f}  ({min(ratios):.2f}–{max(ratios):.2f})"
            f"     {rate:7.0f}  " + ", ".join(f"{rate / peak:.0%}" for peak in peaks.values())
        )


def print_curves(blocks: dict[str, list[Block]]) -> None:
    """Print how far the loss curves lie apart: rounding at first, then what rounding grows into."""
    curves = {name: np.array([loss for block in blocks[name] for loss in block[2]]) for name in LOOPS}
    head = min(50, len(curves[USUAL]))
    print(f"\n{'loss curve':15s}  first {head} steps: largest difference from the usual; last {head}: mean")
    for name, curve in curves.items():
        difference = np.abs(curve - curves[USUAL])[:head].max()
        print(f"{name:15s}  {difference:.1e}; {curve[-head:].mean():.4f}")


def print_accuracies(options: argparse.Namespace) -> None:
    """Train in both precisions with several seeds and print the test accuracies."""
    mnist = load(options.data)
    data = resident((mnist.train_images, mnist.train_labels), (mnist.test_images, mnist.test_labels))
    print(f"\ntest accuracy after {options.epochs} epochs, by seed")
    settings = TrainingSettings(learning_rate=0.3, epochs=options.epochs)
    for precision in ("fp32", "bf16"):
        found = []
        for seed in range(options.seeds):
            network = build("net2", generator("weights", seed))
            history = train(
                network, data, settings, order=generator("order", seed), compute=Compute(precision=precision)
            )
            found.append(history.numbers["final_test_accuracy"])
        print(f"mnistkit {precision}   " + "  ".join(f"{accuracy:.4f}" for accuracy in found))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the MNIST files; default: as for build.py")
    parser.add_argument("--steps", type=int, default=50, help="steps in a block (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=10, help="blocks of each loop (default: %(default)s)")
    parser.add_argument("--core", type=int, default=0, help="the core everything is pinned to (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=0, help="epochs of the accuracy's comparison (default: none)")
    parser.add_argument("--seeds", type=int, default=2, help="seeds of that comparison (default: %(default)s)")
    options = parser.parse_args()
    blocks = measure(options)
    print_speeds(blocks, options.steps, options.core)
    print_curves(blocks)
    if options.epochs:
        print_accuracies(options)


if __name__ == "__main__":
    main()
