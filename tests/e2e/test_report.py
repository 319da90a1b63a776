"""The report of this project, from the command line, with real data, real training and real XeLaTeX.

A copy of the project is built, so that its sources can be edited.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

SECTIONS = ("logistic", "lda", "neural_network")


class Copy:
    """A copy of the project with its own cache and build folder."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        for name in ("analyses", "mnistkit", "report", "templates"):
            shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("build.py", "report.toml"):
            shutil.copy(root / name, folder / name)

    def run(self, *options: str, watch: str = "") -> subprocess.CompletedProcess[str]:
        """Run build.py for these sections; ``watch`` prints which of these modules were imported."""
        arguments = ["--profile", "quick", "--jobs", "2", "--only", *SECTIONS, *options]
        code = (
            f"import sys; sys.argv = ['build.py', *{arguments!r}]; import build; status = build.main()\n"
            f"print([name for name in {watch.split()!r} if name in sys.modules]); sys.exit(status)"
        )
        environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
        environment.setdefault("MNIST_DOWNLOAD", "0")  # the full MNIST where MNIST_DIR has it, else the subset
        return subprocess.run(
            [sys.executable, "-c", code], cwd=self.folder, env=environment, capture_output=True, text=True,
            timeout=280, check=False,
        )  # fmt: skip

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in a file; the text must be there."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    @property
    def results(self) -> dict[str, Any]:
        """The content of results.json."""
        content: dict[str, Any] = json.loads((self.folder / "build/results.json").read_text(encoding="utf-8"))
        return content


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Build these sections once."""
    copy = Copy(tmp_path_factory.mktemp("project"), Path(__file__).parents[2])
    done = copy.run()
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return copy


@pytest.fixture(scope="module")
def text(copy: Copy) -> str:
    """Return the text of the PDF, with the layout of its tables."""
    command = ["pdftotext", "-layout", str(copy.folder / "build/report.pdf"), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def percent(ratio: float) -> str:
    """Round as readers do: a half goes up, decided on the decimal that the number is written as."""
    return f"{(Decimal(repr(ratio)) * 100).quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


def cells(*parts: str) -> str:
    """Return a pattern for the cells of one printed row."""
    return r"\s+".join(re.escape(part) for part in parts)


def test_tables_1_and_2_are_printed_as_computed(copy: Copy, text: str) -> None:
    """Every accuracy, norm and count of results.json stands in its row of the PDF."""
    tables = copy.results["sections"]["logistic"]["tables"]
    assert (tables["accuracy"]["number"], tables["regularisation"]["number"]) == (1, 2)
    names = {"none": "无正则化", "lasso": "Lasso", "ridge": "Ridge"}
    for variant, train, test in tables["accuracy"]["rows"]:
        assert re.search(cells(names[variant], percent(train), percent(test)), text)
    columns = tables["regularisation"]["columns"]
    for row in tables["regularisation"]["rows"]:
        cell = dict(zip(columns, row, strict=True))
        norms = [f"{cell[f'norm_{name}']:.2f}" for name in names if cell[f"norm_{name}"] is not None]
        counts = [str(cell[f"nonzero_{name}"]) for name in names if cell[f"nonzero_{name}"] is not None]
        assert re.search(r"\D".join([cells(*norms) or r"\s", ".*", cells(*counts)]), text), row


def test_tables_3_and_4_are_printed_as_computed(copy: Copy, text: str) -> None:
    """The ten accuracies and the seven segments stand in the PDF."""
    tables = copy.results["sections"]["lda"]["tables"]
    assert (tables["accuracy"]["number"], tables["led_segments"]["number"]) == (3, 4)
    column = tables["accuracy"]["columns"].index("accuracy")
    assert re.search(cells(*(percent(row[column]) for row in tables["accuracy"]["rows"])), text)
    for segment, digits, count, score in tables["led_segments"]["rows"]:
        lit = r"\s*".join(digits.split())
        row = rf"{segment}\s+{lit}\s+{count}\s+{score}\b"
        assert re.search(row, text), row


def test_references_to_sections_that_were_left_out_are_printed_as_such(text: str) -> None:
    """``--only`` makes a report of its own: what it refers to and does not hold is named, not an error."""
    assert "未计算的章节：" in text
    assert re.search(r"第\s*（未计算）\s*节", text)


def test_a_second_build_does_nothing(copy: Copy) -> None:
    """Nothing is executed, nothing typeset, nothing heavy imported."""
    done = copy.run(watch="torch numpy matplotlib jinja2 pylatex rich")
    assert "no run executed" in done.stderr
    assert "unchanged" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_prose_edit_only_renders_and_typesets(copy: Copy) -> None:
    """No run, and no import of torch, pandas or matplotlib."""
    copy.edit("templates/sections/lda.tex", "\\section{线性判别分析}", "\\section{线性判别分析法}")
    done = copy.run(watch="torch pandas matplotlib numpy statsmodels")
    assert done.returncode == 0, done.stderr
    assert "no run executed" in done.stderr
    assert "unchanged" not in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_helper_of_lda_executes_lda_again_and_nothing_else(copy: Copy) -> None:
    """--explain names the edited definition; the build executes what reaches it."""
    copy.edit(
        "mnistkit/lda.py", "direction /= np.linalg.norm(direction)", "direction = direction / np.linalg.norm(direction)"
    )
    explained = copy.run("--explain").stdout
    assert "logistic: stored, nothing it depends on has changed" in explained
    assert "lda: source mnistkit/lda.py:fit changed" in explained
    done = copy.run()
    assert [line.split()[1] for line in done.stderr.splitlines() if line.startswith("  start")] == ["lda.discriminants"]
    assert "1 runs executed" in done.stderr


def test_a_comment_executes_nothing(copy: Copy) -> None:
    """Comments, docstrings and layout are not part of a key."""
    copy.edit("mnistkit/lda.py", "def fit(X", "# A remark.\n\n\ndef fit(X")
    assert copy.run("--explain").stdout.count("stored, nothing it depends on has changed") == len(SECTIONS)
    assert "no run executed" in copy.run().stderr
