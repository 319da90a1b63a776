"""Section 4.6, first hypothesis: digits share what a network looks for in one class.

Grad-CAM maps of one target class for every test image. The evidence of an image is the mean of its map before it is
scaled for drawing. A digit excites the target class when most of its test images hold at least a given share of the
evidence that an average image of the target digit holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from analyses import published
from analyses.gradcam import draw_overlays, first_correct
from analyses.network_runs import TrainNetwork, base_run, resident_data, stored_network
from mnistkit.gradcam import gradcam
from mnistkit.networks import N_CLASSES
from mnistkit.torch_setup import Compute
from mnistkit.training import predict
from report.model import Claim, Outcome, Result, Run, RunContext, Table, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

LEVEL = 0.5
"""An image excites the target class from this share of the mean evidence of the target digit's images on."""

MOST = 0.5
"""A digit excites the target class when more than this share of its test images does."""

NEARLY_ALL = 0.9
"""Maps are rarely blank when at least this share of every digit's maps holds some evidence."""


@dataclass(frozen=True)
class TargetClassMaps(Run):
    """The maps of all test images for one class.

    Parameters
    ----------
    network : TrainNetwork
        The training whose final network is explained.
    target : int
        The class.
    """

    network: TrainNetwork
    target: int = 5

    uses_device: ClassVar[bool] = True

    def compute(self, context: RunContext) -> Outcome:
        """Explain the network.

        Returns
        -------
        Outcome
            ``labels`` and ``evidence`` (the mean of the map), each (n_test,); per digit its first correctly classified
            image: its index in ``examples``, ``images`` and ``maps`` (10, 28, 28).
        """
        Compute(context.device, context.precision).configure()
        test = resident_data(context).test
        network = stored_network(self.network.network, context.upstream["network"].arrays).to(context.device)
        images = test.images
        maps = gradcam(network.logits, network.activations[-1], images, self.target)
        labels = test.labels.cpu().numpy()
        correct = (predict(network, test.images).argmax(1) == test.labels).cpu().numpy()
        chosen = [index for index in first_correct(labels, correct) if index is not None]
        return Outcome(
            {
                "labels": labels,
                "evidence": maps.mean(dim=(1, 2)).cpu().numpy(),
                "examples": np.array(chosen, np.int64),
                "images": images[chosen, 0].cpu().numpy(),
                "maps": maps[chosen].cpu().numpy(),
            }
        )

    def cost(self) -> float:
        """Count one pass over the test set, forwards and half backwards."""
        return 5.0


def runs(profile: str) -> dict[str, Run]:
    """Return the training of section 4.1 and the maps of its network for class 5."""
    network = base_run(profile)
    return {"network": network, "maps": TargetClassMaps(network)}


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:
    """Turn the maps into figure 12, the shares of every digit, and the claims about who excites the class."""
    maps = runs["maps"]
    assert isinstance(maps, TargetClassMaps)  # noqa: S101 - for the type checker
    arrays = outcomes["maps"].arrays
    table = excitement(arrays["labels"], arrays["evidence"], maps.target)
    shares = np.array(table.column("share"), dtype=np.float64)
    nonzero = [float(cell or 0) for cell in table.column("nonzero")]
    others = {digit: float(share) for digit, share in enumerate(shares) if digit != maps.target}
    named = published.everything()["sets"]["overlap.exciting_digits"]["members"]
    exciting = [digit for digit, share in others.items() if share > MOST]
    strongest, weakest = max(others, key=others.__getitem__), min(others, key=others.__getitem__)
    return Result(
        values={
            "level": Value(LEVEL),
            "most": Value(MOST),
            "n_exciting": Value(len(exciting)),
            "n_named": Value(len(named)),
            "n_agreeing": Value(sum((digit in named) == (digit in exciting) for digit in others)),
            "n_others": Value(len(others)),
            "n_test": Value(len(arrays["labels"])),
            **_example_values(arrays, maps.target),
            "nonzero_smallest": Value(min(nonzero), digits=3),
            "nearly_all": Value(NEARLY_ALL),
            "own_share": Value(shares[maps.target], digits=3),
            "strongest": Value(strongest),
            "strongest_share": Value(others[strongest], digits=3),
            "weakest": Value(weakest),
            "weakest_share": Value(others[weakest], digits=3),
        },
        tables={
            "excitement": table,
            "exciting_digits": Table(("digit",), [(digit,) for digit in exciting]),
            "named_digits": Table(("digit",), [(digit,) for digit in named]),
        },
        figures={"heatmaps": draw_overlays(arrays)},
        claims={
            "maps_are_rarely_blank": Claim.of_margins(
                [min(nonzero) - NEARLY_ALL],
                f"各数字中热力图不全为零的图像至少占 {min(nonzero):.1%}，界限为 {NEARLY_ALL:.0%}",
            ),
            "other_digits_excite_five": _others_excite(others),
            "exciting_digits_are_the_named": _same_as_named(others, named),
        },
    )


def excitement(labels: NDArray[np.integer], evidence: NDArray[np.floating], target: int) -> Table:
    """Return a row per digit: its share of exciting images, its mean relative evidence, and whether it excites.

    Parameters
    ----------
    labels : ndarray of shape (n,)
    evidence : ndarray of shape (n,), at least 0
    target : int
        Its images set the scale: their mean evidence counts as 1.
    """
    relative = relative_evidence(labels, evidence, target)
    rows = []
    for digit in range(N_CLASSES):
        own = relative[labels == digit]
        share = float((own >= LEVEL).mean())
        rows.append((digit, share, float(own.mean()), float((own > 0).mean()), share > MOST))
    return Table(("digit", "share", "relative_evidence", "nonzero", "excites"), rows)


def relative_evidence(labels: NDArray[np.integer], evidence: NDArray[np.floating], target: int) -> NDArray[np.float64]:
    """Divide the evidence by its mean over the target's images; all 0 if that is 0."""
    scale = float(evidence[labels == target].mean(dtype=np.float64))
    return evidence.astype(np.float64) / scale if scale > 0 else np.zeros(len(evidence))


def _example_values(arrays: Mapping[str, NDArray[np.generic]], target: int) -> dict[str, Value]:
    """Return the evidence of two images of the figure: that of the target, and the largest of the others."""
    labels, examples = arrays["labels"].astype(np.int64), arrays["examples"].astype(np.int64)
    relative = relative_evidence(labels, arrays["evidence"].astype(np.float64), target)
    shown = dict(zip(labels[examples].tolist(), relative[examples].tolist(), strict=True))
    own = shown.pop(target, 0.0)
    shown = shown or {target: own}  # a network that knows one digit alone has no other example
    digit = max(shown, key=shown.__getitem__)
    return {
        "example_own_evidence": Value(own, digits=2),
        "example_strongest": Value(digit),
        "example_strongest_evidence": Value(shown[digit], digits=2),
    }


def _others_excite(others: Mapping[int, float]) -> Claim:
    """State that at least one other digit excites the target class."""
    listed = "、".join(f"{digit}：{share:.0%}" for digit, share in others.items())
    return Claim.of_margins([max(others.values()) - MOST], f"各数字中激发目标类别的测试图像所占比例 {listed}")


def _same_as_named(others: Mapping[int, float], named: Collection[int]) -> Claim:
    """State that the other digits that excite the target class are exactly those that the original names."""
    margins = {digit: (share - MOST) * (1 if digit in named else -1) for digit, share in others.items()}
    differing = "、".join(str(digit) for digit, margin in margins.items() if margin <= 0)
    listed = "、".join(str(digit) for digit in named)
    return Claim.of_margins(margins.values(), f"原报告列出 {listed}；判定不同的数字：{differing or '无'}")
