"""The README's part "Your own report": exactly what it prints is built, changed and broken."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def build(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the README's command in a folder."""
    assert "PYTHONPATH=path/to/this/checkout python -m report" in README
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "report", *options]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the files that the README prints, and build them once."""
    folder = tmp_path_factory.mktemp("own")
    files = dict(BLOCK.findall(README))
    assert set(files) == {"iris.py", "templates/report.tex", "report.toml"}
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replace text in a file; the text must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def text_of(folder: Path) -> str:
    """Return the text of the built PDF."""
    command = ["pdftotext", "-layout", str(folder / "build/report.pdf"), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_pdf_shows_the_numbers_of_the_results(folder: Path) -> None:
    """Prose and table print what results.json holds, rounded as the template says."""
    iris = json.loads((folder / "build/results.json").read_text(encoding="utf-8"))["sections"]["iris"]
    text = text_of(folder)
    assert f"{iris['values']['weak']['number']:.1%} of the flowers" in text
    for name, accuracy in iris["tables"]["accuracy"]["rows"]:
        assert re.search(rf"{name}\s+{accuracy:.1%}", text)
    assert iris["tables"]["accuracy"]["number"] == 1
    assert iris["claims"]["weak_wins"]["holds"] is True
    assert iris["settings"]["weak"] == {"penalty": 0.1, "folds": 5}


def test_a_second_build_does_nothing(folder: Path) -> None:
    """Nothing changed: no run, no XeLaTeX."""
    done = build(folder)
    assert "no run executed" in done.stderr
    assert "unchanged" in done.stdout


def test_a_prose_edit_imports_no_numerics(folder: Path) -> None:
    """After a change of the text only the templates are rendered and compiled."""
    edit(folder / "templates/report.tex", "are recognised", "are told apart")
    watch = (
        "import sys, report; code = report.main(argv=[])\n"
        "print([m for m in ('numpy', 'torch', 'pandas', 'matplotlib', 'sklearn') if m in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", watch], cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no run executed" in done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    assert "are told apart" in " ".join(text_of(folder).split())


def test_a_changed_setting_executes_one_run(folder: Path) -> None:
    """As the README says: 0.1 to 0.2 executes one run."""
    edit(folder / "iris.py", "CrossValidate(0.1)", "CrossValidate(0.2)")
    assert "1 runs executed" in build(folder).stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "templates/report.tex",
            "iris.weak |",
            "iris.week |",
            "templates/report.tex:5:{c}'iris.week' is not a result.\n.*\n    → Did you mean 'iris.weak'?",
        ),
        (
            "templates/report.tex",
            '"accuracy": "Accuracy"',
            '"acuracy": "Accuracy"',
            "templates/report.tex:13:{c}.*no column 'acuracy'(.|\n)*Did you mean 'accuracy'",
        ),
        (
            "templates/report.tex",
            "\\VAR{iris.folds}",
            "figures/missing.pdf",
            "templates/report.tex:18:{c}.*(.|\n)*missing.pdf",
        ),
        ("templates/report.tex", "\\centering", "\\centring", "templates/report.tex:12:{c}.*\\\\centring"),
        ("iris.py", "1 / self.penalty", "1 / self.penality", "iris.py:19:{c}.*penality"),
    ],
    ids=["name", "column", "figure", "LaTeX", "run"],
)
def test_every_mistake_ends_in_one_message(folder: Path, file: str, old: str, new: str, message: str) -> None:
    """Template or module, line and suggestion; the last good PDF stays; mended, the build works again."""
    before = (folder / "build/report.pdf").read_bytes()
    edit(folder / file, old, new)
    try:
        done = build(folder)
        assert done.returncode == 1
        assert re.search(message.replace("{c}", r"(\d+:)? "), done.stderr), done.stderr
        assert "Traceback" not in done.stderr
        assert (folder / "build/report.pdf").read_bytes() == before
    finally:
        edit(folder / file, new, old)
    assert build(folder).returncode == 0


def test_usage_errors_exit_with_2(folder: Path) -> None:
    """A section that does not exist is a usage error with a suggestion."""
    done = build(folder, "--only", "irsi")
    assert done.returncode == 2
    assert "Did you mean 'iris'?" in done.stderr


def test_clean_removes_what_a_build_made_and_nothing_else(folder: Path) -> None:
    """``clean`` removes the build folder; a folder that no build made is refused."""
    assert build(folder, "clean").returncode == 0
    assert not (folder / "build").exists()
    (folder / "mine").mkdir()
    (folder / "mine/thesis.txt").touch()
    done = build(folder, "clean", "--out", "mine")
    assert done.returncode == 2
    assert "not made by a build" in done.stderr
