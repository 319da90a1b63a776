"""Section 4.5: the part of an image that Net2 looks at when it recognises a digit.

Grad-CAM on the last convolution, for every test image and its own class. How much of the ink lies in the hot area is
measured over the whole test set; the figure shows one image per digit.

The convolutions use no padding: a unit of the last one sees a square of the image, and enlarging its map to the size of
the image, as is usual, moves it outwards. So the ink is also counted under the centres of the hot units, and under all
that they see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from torch.nn import functional

from analyses.network_runs import TrainNetwork, base_run, resident_data, stored_network
from mnistkit import plots
from mnistkit.gradcam import gradcam, hot_ink_share
from mnistkit.networks import N_CLASSES, SIDE, describe
from mnistkit.torch_setup import Compute
from mnistkit.training import predict
from report.model import Claim, Figure, Outcome, Result, Run, RunContext, Table, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

PARTIAL = 0.75
"""The hot area covers only part of the ink when it holds less than this share of it, on average."""

NEARLY_ALL = 0.9
"""… and nearly all of it from this share on."""

BESIDE = 0.5
"""Heat lies beside the strokes when less than this share of the hot area is inked, on average."""

ONE = 1

MEASURES = ("ink_share", "centre_share", "seen_share", "hot_share", "inked_share")


@dataclass(frozen=True)
class OwnClassMaps(Run):
    """The maps of all test images, each for its own class.

    Parameters
    ----------
    network : TrainNetwork
        The training whose final network is explained.
    ink : float
        A pixel above this value is inked.
    level : float
        The hot area is where a map exceeds this share of its own maximum.
    """

    network: TrainNetwork
    ink: float = 0.5
    level: float = 0.5

    uses_device: ClassVar[bool] = True

    def compute(self, context: RunContext) -> Outcome:
        """Explain the network.

        Returns
        -------
        Outcome
            Per test image, each (n_test,): ``labels``, ``correct``; ``hot_share`` (of the image, hot), ``inked_share``
            (of the hot area, inked); of the ink ``ink_share`` (in the hot area), ``centre_share`` (under the centres of
            the hot units), ``seen_share`` (seen by them). Per digit its first correctly classified image: its index in
            ``examples``, ``images`` and ``maps`` (10, 28, 28).
        """
        Compute(context.device, context.precision).configure()
        test = resident_data(context).test
        network = stored_network(self.network.network, context.upstream["network"].arrays).to(context.device)
        images = test.images
        maps = gradcam(network.logits, network.activations[-1], images, test.labels)
        field = receptive_field(describe(network).kernels)
        coarse = gradcam(network.logits, network.activations[-1], images, test.labels, size=SIDE - field + 1)
        centred = functional.pad(coarse, [field // 2] * 4)
        correct = predict(network, test.images).argmax(1) == test.labels
        hot = maps > self.level * maps.amax(dim=(1, 2), keepdim=True)
        arrays = {
            "labels": test.labels,
            "correct": correct,
            "ink_share": hot_ink_share(maps, images, ink=self.ink, level=self.level),
            "centre_share": hot_ink_share(centred, images, ink=self.ink, level=self.level),
            "seen_share": hot_ink_share(seen(coarse, self.level, field), images, ink=self.ink),
            "hot_share": hot.float().mean(dim=(1, 2)),
            "inked_share": (hot & (images[:, 0] > self.ink)).sum(dim=(1, 2)) / hot.sum(dim=(1, 2)).clamp_min(1),
        }
        found = {name: tensor.cpu().numpy() for name, tensor in arrays.items()}
        examples = first_correct(found["labels"], found["correct"])
        chosen = [index for index in examples if index is not None]
        return Outcome(
            {
                **found,
                "examples": np.array(chosen, np.int64),
                "images": images[chosen, 0].cpu().numpy(),
                "maps": maps[chosen].cpu().numpy(),
            },
            {"receptive_field": field},
        )

    def cost(self) -> float:
        """Count two passes over the test set, forwards and half backwards."""
        return 8.0


def receptive_field(kernels: Sequence[int]) -> int:
    """Return the side of the square that a unit sees through convolutions of stride 1 without padding, in pixels."""
    return 1 + sum(kernel - 1 for kernel in kernels)


def seen(coarse: Tensor, level: float, field: int) -> Tensor:
    """Return 1 where a hot unit sees the pixel, else 0: maps (n, h, w) → (n, h + field - 1, w + field - 1).

    Unit i sees the pixels i … i + field - 1; so pixel p is seen by the units p - field + 1 … p.
    """
    hot = (coarse > level * coarse.amax(dim=(1, 2), keepdim=True)).float()
    return functional.max_pool2d(functional.pad(hot, [field - 1] * 4), field, stride=1)


def first_correct(labels: NDArray[np.integer], correct: NDArray[np.bool_]) -> list[int | None]:
    """Return for each digit the index of its first correctly classified image, or None if there is none."""
    candidates = [np.flatnonzero((labels == digit) & correct) for digit in range(N_CLASSES)]
    return [int(found[0]) if len(found) else None for found in candidates]


def runs(profile: str) -> dict[str, Run]:
    """Return the training of section 4.1 and the maps of its network."""
    network = base_run(profile)
    return {"network": network, "maps": OwnClassMaps(network)}


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:  # noqa: ARG001 - the engine's interface
    """Turn the maps into figure 11, a table per digit, and the claims about the ink in the hot area."""
    arrays = outcomes["maps"].arrays
    table = by_digit(arrays)
    shares, seen_shares, hot_shares = (
        np.array(table.column(name), dtype=np.float64) for name in ("ink_share", "seen_share", "hot_share")
    )
    others = np.delete(shares, ONE)
    mean = float(arrays["ink_share"].mean())
    return Result(
        values={
            "ink_share": Value(mean, digits=3),
            "hot_share": Value(float(arrays["hot_share"].mean()), digits=3),
            "ink_share_of_examples": Value(float(arrays["ink_share"][arrays["examples"]].mean()), digits=3),
            "ink_share_of_one": Value(shares[ONE], digits=3),
            "centre_share": Value(float(arrays["centre_share"].mean()), digits=3),
            "seen_share": Value(float(arrays["seen_share"].mean()), digits=3),
            "seen_share_of_one": Value(seen_shares[ONE], digits=3),
            "inked_share": Value(float(arrays["inked_share"].mean()), digits=3),
            "seen_share_largest_other": Value(np.delete(seen_shares, ONE).max(), digits=3),
            "digit_least_hot": Value(int(hot_shares.argmin())),
            "hot_share_smallest": Value(hot_shares.min(), digits=3),
            "receptive_field": Value(outcomes["maps"].numbers["receptive_field"]),
            "ink_share_smallest": Value(shares.min(), digits=3),
            "digit_smallest": Value(int(shares.argmin())),
            "ink_share_largest": Value(shares.max(), digits=3),
            "digit_largest": Value(int(shares.argmax())),
            "ink_share_largest_other": Value(others.max(), digits=3),
            "partial": Value(PARTIAL),
            "nearly_all": Value(NEARLY_ALL),
            "accuracy": Value(float(arrays["correct"].mean()), digits=4),
            "n_test": Value(len(arrays["labels"])),
        },
        tables={"ink_shares": table},
        figures={"heatmaps": draw_overlays(arrays)},
        claims=_claims(arrays, shares, seen_shares),
    )


def _claims(
    arrays: Mapping[str, NDArray[np.generic]], shares: NDArray[np.float64], seen_shares: NDArray[np.float64]
) -> dict[str, Claim]:
    """State what part of the ink is hot, on the average of the test set and for the digit 1."""
    ink, hot, inked = (
        float(arrays[name].astype(np.float64).mean()) for name in ("ink_share", "hot_share", "inked_share")
    )
    other, other_seen = (float(np.delete(found, ONE).max()) for found in (shares, seen_shares))
    one, one_seen = float(shares[ONE]), float(seen_shares[ONE])
    return {
        "partial_attention": Claim.of_margins(
            [PARTIAL - ink], f"测试集上热区平均包含 {ink:.1%} 的墨迹，界限为 {PARTIAL:.0%}"
        ),
        "ink_is_preferred": Claim.of_margins([ink - hot], f"热区平均占图像的 {hot:.1%}，包含墨迹的 {ink:.1%}"),
        "heat_lies_beside_ink": Claim.of_margins(
            [BESIDE - inked], f"热区中平均 {inked:.1%} 是墨迹，界限为 {BESIDE:.0%}"
        ),
        "one_is_covered": Claim.of_margins(
            [one - NEARLY_ALL], f"数字 1 的热区平均包含 {one:.1%} 的墨迹，界限为 {NEARLY_ALL:.0%}"
        ),
        "one_stands_out": Claim.of_margins(
            [one - other], f"热区所含墨迹：数字 1 平均 {one:.1%}，其他数字最多 {other:.1%}"
        ),
        "one_is_seen": Claim.of_margins(
            [one_seen - NEARLY_ALL],
            f"数字 1 的热区单元的感受野平均包含 {one_seen:.1%} 的墨迹，界限为 {NEARLY_ALL:.0%}",
        ),
        "one_is_seen_most": Claim.of_margins(
            [one_seen - other_seen],
            f"热区单元的感受野所含墨迹：数字 1 平均 {one_seen:.1%}，其他数字最多 {other_seen:.1%}",
        ),
    }


def by_digit(arrays: Mapping[str, NDArray[np.generic]]) -> Table:
    """Average the shares over the test images of each digit; ``spread`` is the standard deviation of the first."""
    rows = []
    for digit in range(N_CLASSES):
        own = arrays["labels"] == digit
        means = [arrays[name][own].astype(np.float64).mean() for name in MEASURES]
        rows.append((digit, *means, arrays["ink_share"][own].astype(np.float64).std()))
    return Table(("digit", *MEASURES, "spread"), rows)


def draw_overlays(arrays: Mapping[str, NDArray[np.generic]]) -> Figure:
    """Draw one image per digit, each under its map."""
    with plots.style():
        figure, axes = plots.panels(2, N_CLASSES // 2, height=6.4)
        for ax in axes.flat:
            plots.bare(ax)
        digits = arrays["labels"][arrays["examples"]]
        for ax, digit, image, heat in zip(axes.flat, digits, arrays["images"], arrays["maps"], strict=False):
            drawn = plots.overlay(ax, image, heat)
            plots.describe(ax, f"数字 {digit}")
        plots.colour_bar(figure, drawn, axes, "热力图的值（占各图最大值）")
        return Figure.of(figure)
