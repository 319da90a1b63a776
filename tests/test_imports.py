"""The architecture, read from the source: who imports whom, and what an import may cost."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "mnistkit": {"mnistkit"},
    "report": {"report"},
    "analyses": {"analyses", "report", "mnistkit"},
    "build": {"analyses", "report", "mnistkit"},
}
HEAVY = {"torch", "torchvision", "numpy", "scipy", "matplotlib", "pandas", "statsmodels", "sklearn", "pylatex", "rich"}


def project_files():
    """Return every source file of the four parts."""
    folders = [path for name in MAY_IMPORT for path in sorted((ROOT / name).rglob("*.py"))]
    return [ROOT / "build.py", *folders]


def imports_of(tree, module):
    """Yield (line, dotted name) of what a module imports anywhere in it, in functions and by import_module too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # One dot is the module's own package, each further dot one package up.
            base = module.split(".")[: -node.level] if node.level else []
            yield node.lineno, ".".join([*base, *([node.module] if node.module else [])])
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if function in {"import_module", "__import__"}:
                yield node.lineno, str(node.args[0].value)


def wrong_imports(source, module):
    """Return ``line: name`` for each import that goes against the architecture."""
    part = module.split(".")[0]
    project = {*MAY_IMPORT, "tests", "benchmarks", "tools"}
    found = [(line, name) for line, name in imports_of(ast.parse(source), module)]
    return [f"{line}: {name}" for line, name in found if name.split(".")[0] in project - MAY_IMPORT[part]]


@pytest.mark.parametrize("path", project_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path):
    """build.py imports analyses, analyses import report and mnistkit, and these two know nothing of each other."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    assert wrong_imports(path.read_text(encoding="utf-8"), module) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("report.engine", "import mnistkit.data"),
        ("report.engine", "from analyses import lda"),
        ("report.engine", "def f():\n    from mnistkit.plots import colours"),
        ("report.engine", "import importlib\nimportlib.import_module('analyses.lda')"),
        ("report.engine", "from ..mnistkit import data"),
        ("mnistkit.data", "from report import Value"),
        ("mnistkit.data", "from __main__ import x\nimport build"),
        ("analyses.lda", "import build"),
        ("analyses.lda", "from tests.conftest import root"),
    ],
)
def test_a_wrong_import_is_found(module, source):
    """Each way of importing against the direction is seen, wherever in the module it stands."""
    assert len(wrong_imports(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("report.engine", "from report.model import Run\nfrom . import store"),
        ("analyses.lda", "import mnistkit.lda\nfrom report import Value"),
        ("build", "from analyses import SECTIONS\nimport report"),
        ("mnistkit.data", "import numpy\n'import report'"),
    ],
)
def test_a_right_import_is_let_through(module, source):
    """Imports along the direction, within a part and of libraries are no finding."""
    assert wrong_imports(source, module) == []


@pytest.mark.parametrize("module", ["report", "build"])
def test_import_is_light(module):
    """A prose edit pays for no numerics: importing the engine or the command line loads none of the heavy packages."""
    code = f"import {module}, sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert HEAVY & set(run.stdout.split()) == set()


def test_report_needs_no_package_to_be_imported():
    """In a bare Python `import report` works, so that the doctor can say what is missing."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import report, report.doctor"
    # -S: no site-packages; -I: nothing from the environment or the current folder.
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert run.stderr == ""
