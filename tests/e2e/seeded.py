r"""Mistakes that authors make, seeded one at a time into a small report, and where the report says that they are.

The report has what a real one has: templates that include each other, one of them in a loop, a macro, Chinese text,
``\claim`` with one and with two sentences, ``\typed``, ``\exempt``, a table of the results and one written by hand, a
figure, formulas, references, and a bibliography by BibTeX. Its analysis is that of the documentation's first page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from report.check.cli import stored_results
from report.config import BuildConfig, read_toml
from report.errors import Location, ReportError
from report.publish import publish
from tests.e2e.mistakes import FILES

if TYPE_CHECKING:
    from report.compute import Computed
    from tests.e2e.mistakes import Mistake

ROOT = Path(__file__).parents[2]
_MODULE = re.compile(r"^`walk\.py`:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Told:
    """What an author is told first: the place, the message and the suggestion below it."""

    location: Location | None
    message: str
    hint: str = ""

    def stands_at(self, place: str) -> bool:
        """Tell whether it is at a place; one without a column leaves the column open."""
        if self.location is None:
            return False
        whole, line = str(self.location), str(replace(self.location, column=None))
        return place in {whole, line}


class SmallReport:
    """The report, built once; :meth:`told` breaks a copy of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        page = (ROOT / "docs/en/index.md").read_text(encoding="utf-8")
        for name, text in {"walk.py": _MODULE.findall(page)[0], **FILES}.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "report"], cwd=self.folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.said = done.stderr
        self.computed: Computed = stored_results(config_of(self.folder), None)

    def told(self, mistake: Mistake, folder: Path) -> Told | None:
        """Make the mistake in a copy of the report and build that; None if nothing is said."""
        shutil.copytree(self.folder, folder)
        path = folder / mistake.file
        text = path.read_text(encoding="utf-8")
        assert text.count(mistake.old) == 1, f"{mistake.old!r} is not there once"
        path.write_text(text.replace(mistake.old, mistake.new), encoding="utf-8")
        try:
            done = publish(config_of(folder), self.computed)
        except ReportError as error:
            return Told(error.location, error.message, error.hint)
        if done.compiled is not None and done.compiled.warnings:
            warning = done.compiled.warnings[0]
            return Told(warning.location, warning.message, warning.hint)
        for item in done.check.of("contradicted") if done.check else ():
            return Told(item.location, f"{item.verdict}: {item.text}", f"the results give {item.expected}")
        return None


def config_of(folder: Path) -> BuildConfig:
    """Return the settings of the report in a folder."""
    return BuildConfig(root=folder.resolve(), **read_toml(folder / "report.toml"))
