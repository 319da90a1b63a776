"""Section 6: the classifiers side by side, as the sections before have trained them.

Fisher's discriminant answers a question with two answers, the others one with ten. To compare them soundly, the other
classifiers are put to the very tasks of the discriminant: is it this digit, on the same balanced test images.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from analyses import lda, logistic, neural_network
from analyses.network_runs import TrainNetwork, base_run, resident_data, stored_network, structure
from mnistkit.data import N_CLASSES, Mnist
from mnistkit.lda import balanced_test
from mnistkit.logistic import outputs
from mnistkit.torch_setup import Compute
from mnistkit.training import predict
from report.model import Claim, Outcome, Result, Run, RunContext, Table, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

NAMES = {"lda": "线性判别分析", "logistic": "逻辑回归", "perceptron": "全连接网络", "cnn": "卷积网络 Net2"}


@dataclass(frozen=True)
class BalancedTasks(Run):
    """Classifiers of ten digits on the tasks of section 2.

    Parameters
    ----------
    logistic : Training
        The ten units without regularisation.
    network : TrainNetwork
        The base network.
    """

    logistic: logistic.Training
    network: TrainNetwork

    uses_device: ClassVar[bool] = True

    def compute(self, context: RunContext) -> Outcome:
        """Ask "is it this digit?", which a classifier affirms when the digit is its answer.

        Returns
        -------
        Outcome
            ``logistic`` and ``cnn``: the share of right answers per digit, (10,). The images are those of
            :class:`analyses.lda.OneAgainstRest`, since the stream ``balanced_test`` draws them here as there.
        """
        data: Mnist = context.data
        compute = Compute(context.device, context.precision)
        compute.configure()
        network = stored_network(self.network.network, context.upstream["network"].arrays).to(context.device)
        answers = {
            "logistic": outputs(context.upstream["logistic"].arrays["W"], data.test_pixels).argmax(axis=1),
            "cnn": predict(network, resident_data(context).test.images, compute).argmax(1).cpu().numpy(),
        }
        chosen = [
            balanced_test(data.test_labels, digit, context.generator("balanced_test", digit))
            for digit in range(N_CLASSES)
        ]
        return Outcome({name: balanced_accuracies(found, data.test_labels, chosen) for name, found in answers.items()})

    def cost(self) -> float:
        """Count one pass over the test set."""
        return 2.0


def balanced_accuracies(
    answers: NDArray[np.integer], labels: NDArray[np.integer], chosen: Sequence[NDArray[np.integer]]
) -> NDArray[np.float64]:
    """Return for each digit the share of its chosen images for which ``answer == digit`` is right, (10,)."""
    return np.array(
        [
            np.mean((answers[images] == digit) == (labels[images] == digit))
            for digit, images in enumerate(chosen)
        ]
    )  # fmt: skip


def runs(profile: str) -> dict[str, Run]:
    """Return the runs of other sections that are compared, and the tasks they are compared on."""
    units = logistic.runs(profile)["none"]
    assert isinstance(units, logistic.Training)  # noqa: S101 - for the type checker
    network = base_run(profile)
    return {
        "lda": lda.runs(profile)["discriminants"],
        "logistic": units,
        "perceptron": neural_network.runs(profile)["constant"],
        "cnn": network,
        "balanced": BalancedTasks(units, network),
    }


def analyse(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> Result:
    """Compare the classifiers: a table of models, one of digits, and the claims about their order."""
    digits = np.stack(
        [outcomes["lda"].arrays["accuracy"], *(outcomes["balanced"].arrays[n] for n in ("logistic", "cnn"))]
    )
    accuracy = {
        "logistic": float(outcomes["logistic"].arrays["test_accuracy"][-1]),
        "perceptron": float(outcomes["perceptron"].arrays["test_accuracy"][-1]),
        "cnn": float(outcomes["cnn"].numbers["final_test_accuracy"]),
    }
    tasks = dict(zip(("lda", "logistic", "cnn"), digits.mean(axis=1), strict=True))
    parameters = n_parameters(runs, outcomes)
    return Result(
        values={
            **{f"accuracy_{name}": Value(found, digits=4) for name, found in accuracy.items()},
            **{f"balanced_{name}": Value(float(found), digits=4) for name, found in tasks.items()},
            **{f"parameters_{name}": Value(found) for name, found in parameters.items()},
            "smallest_lead": Value(float((digits[2] - digits[0]).min()), digits=4),
            "digit_of_smallest_lead": Value(int((digits[2] - digits[0]).argmin())),
            "error_ratio": Value((1 - accuracy["logistic"]) / max(1 - accuracy["cnn"], 1e-9), digits=1),
        },
        tables={
            "models": Table(
                ("model", "parameters", "ten_class", "balanced"),
                [(label, parameters[name], accuracy.get(name), tasks.get(name)) for name, label in NAMES.items()],
            ),
            "balanced_accuracy": Table(
                ("digit", "lda", "logistic", "cnn"), [(digit, *row) for digit, row in enumerate(digits.T)]
            ),
        },
        claims={"cnn_beats_lda": cnn_beats_lda(digits[2], digits[0]), "accuracy_order": accuracy_order(accuracy)},
    )


def n_parameters(runs: Mapping[str, Run], outcomes: Mapping[str, Outcome]) -> dict[str, int]:
    """Count the trained numbers of each model; of Fisher's discriminant, those of all ten directions."""
    perceptron = runs["perceptron"]
    assert isinstance(perceptron, neural_network.TrainPerceptron)  # noqa: S101 - for the type checker
    return {
        "lda": N_CLASSES * int(outcomes["lda"].numbers["n_features"]),
        "logistic": int(outcomes["logistic"].arrays["W"].size),
        "perceptron": sum((n_in + 1) * n_out for n_in, n_out in pairwise(perceptron.sizes)),
        "cnn": structure("net2").n_parameters,
    }


def cnn_beats_lda(cnn: NDArray[np.float64], discriminant: NDArray[np.float64]) -> Claim:
    """State that on the same balanced images the network is right more often than the discriminant, for every digit."""
    leads = cnn - discriminant
    return Claim.of_margins(
        leads,
        f"平衡的一对其余任务：Net2 平均 {cnn.mean():.2%}，线性判别分析平均 {discriminant.mean():.2%}；"
        f"各数字上 Net2 领先 {100 * leads.min():.2f} 至 {100 * leads.max():.2f} 个百分点",
    )


def accuracy_order(accuracy: Mapping[str, float]) -> Claim:
    """State that the test accuracy rises from the units to the perceptron and from there to the network."""
    return Claim.of_margins(
        [after - before for before, after in pairwise(accuracy.values())],
        "十类测试准确率：" + "，".join(f"{NAMES[name]} {found:.2%}" for name, found in accuracy.items()),
    )
