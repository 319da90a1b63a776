"""The source closure: what is reached counts, nothing else does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from report.closure import Project
from report.errors import RunError

FILES = {
    "kit/__init__.py": '"""Kit."""\n',
    "kit/maths.py": (
        "import numpy as np\nSCALE = 2\ndef used(x):\n    return np.sum(x) * SCALE\ndef unused(x):\n    return x\n"
    ),
    "kit/plots.py": "import matplotlib\ndef draw(x):\n    return matplotlib.figure.Figure(x)\n",
    "section.py": (
        "from kit import plots\nfrom kit.maths import used\n"
        "class Train:\n    def compute(self, context):\n        return used(context.data)\n"
        "def runs(profile):\n    return {'a': Train()}\n"
        "def analyse(runs, outcomes):\n    return plots.draw(1)\n"
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Write a small project with a section, a library and drawing code."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def edit(project: Path, name: str, old: str, new: str) -> None:
    """Replace text in a project file; the text must be there."""
    text = (project / name).read_text(encoding="utf-8")
    assert old in text
    (project / name).write_text(text.replace(old, new), encoding="utf-8")


def sources(project: Path, *starts: tuple[str, str]) -> dict[str, str]:
    """Return the reached definitions as a fresh reader sees them."""
    return Project(project, project / ".cache").reach(*starts).sources


def test_reaches_exactly_what_the_run_uses(project: Path) -> None:
    """A run reaches its class, the functions it calls and their constants; not its neighbours."""
    assert set(sources(project, ("section", "Train"))) == {
        "section.py:Train",
        "kit/maths.py:used",
        "kit/maths.py:SCALE",
        "kit/maths.py:np",
    }


def test_packages_are_those_of_the_reached_definitions(project: Path) -> None:
    """Training does not depend on the version of the drawing package; the analysis does."""
    reader = Project(project)
    assert reader.reach(("section", "Train")).packages == {"numpy"}
    assert reader.reach(("section", "analyse")).packages == {"matplotlib"}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("kit/maths.py", "SCALE = 2", "SCALE = 3"),
        ("kit/maths.py", "np.sum(x) * SCALE", "np.sum(x) + SCALE"),
        ("section.py", "return used(context.data)", "return used(context.data + 1)"),
        ("kit/__init__.py", '"""Kit."""\n', '"""Kit."""\nimport os\nos.environ["A"] = "b"\n'),
    ],
    ids=["constant", "helper", "run", "effect of a parent package"],
)
def test_an_edit_of_reached_code_changes_the_closure(project: Path, name: str, old: str, new: str) -> None:
    """Whatever a run can reach is part of its closure."""
    before = sources(project, ("section", "Train"))
    edit(project, name, old, new)
    assert sources(project, ("section", "Train")) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("kit/maths.py", "    return x\n", "    return -x\n"),
        ("kit/plots.py", "Figure(x)", "Figure(x, x)"),
        ("section.py", "plots.draw(1)", "plots.draw(2)"),
        ("kit/maths.py", "def used(x):\n", 'def used(x):  # a comment\n    """A docstring."""\n\n'),
        ("kit/maths.py", "SCALE = 2", "SCALE  =  ( 2 )"),
    ],
    ids=["unused function", "drawing", "analysis", "comment and docstring", "layout"],
)
def test_an_edit_of_anything_else_does_not(project: Path, name: str, old: str, new: str) -> None:
    """Neighbours in the same file, comments, docstrings and layout do not count."""
    before = sources(project, ("section", "Train"))
    edit(project, name, old, new)
    assert sources(project, ("section", "Train")) == before


@pytest.mark.parametrize(
    "body",
    [
        "import kit.maths\n    return kit.maths.used(1)",
        "import kit.maths as m\n    return m.used(1)",
        "from kit import maths\n    return maths.used(1)",
        "from kit.maths import used as u\n    return u(1)",
        "import kit.maths as m\n    return getattr(m, 'used')(1)",
        "from kit.maths import *\n    return used(1)",
        "import kit.maths\n    return eval('kit.maths.used')(1) if kit.maths else 0",
    ],
)
def test_every_way_to_import_reaches_the_helper(project: Path, body: str) -> None:
    """However a helper is named, the closure holds it; what cannot be followed takes the whole module."""
    (project / "other.py").write_text(f"def start():\n    {body}\n", encoding="utf-8")
    assert "kit/maths.py:used" in sources(project, ("other", "start"))


def test_another_foreign_function_under_the_same_name_counts(project: Path) -> None:
    """``from numpy import mean as f`` and ``median as f`` are two results, though no line of the project differs."""
    text = "from numpy import mean as f\ndef start(x):\n    return f(x)\n"
    (project / "other.py").write_text(text, encoding="utf-8")
    before = sources(project, ("other", "start"))
    edit(project, "other.py", "mean as f", "median as f")
    assert sources(project, ("other", "start")) != before


def test_parameters_and_local_variables_are_not_taken_for_definitions(project: Path) -> None:
    """A parameter or a local variable with the name of a definition does not reach it; a global one does."""
    text = "from kit.maths import used, unused\ndef start(used):\n    unused = 1\n    return used, unused\n"
    (project / "other.py").write_text(text, encoding="utf-8")
    assert set(sources(project, ("other", "start"))) == {"other.py:start"}
    (project / "other.py").write_text(text.replace("def start(used)", "def start(x=used)"), encoding="utf-8")
    assert "kit/maths.py:used" in sources(project, ("other", "start"))


def test_an_upstream_run_named_as_a_type_is_not_reached(project: Path) -> None:
    """The annotation of a field names the upstream run; its code counts through its outcome alone."""
    text = "from section import Train\nclass Use:\n    net: Train\n    def compute(self, context):\n        return 1\n"
    (project / "other.py").write_text(text, encoding="utf-8")
    assert set(sources(project, ("other", "Use"))) == {"other.py:Use"}


def test_relative_imports_and_reexports_are_followed(project: Path) -> None:
    """``from . import`` and names that a package re-exports lead to the definition."""
    (project / "kit/__init__.py").write_text("from .maths import used\n", encoding="utf-8")
    (project / "other.py").write_text("from kit import used\ndef start():\n    return used(1)\n", encoding="utf-8")
    assert "kit/maths.py:used" in sources(project, ("other", "start"))


def test_imports_for_type_checkers_do_not_count(project: Path) -> None:
    """A module imported for annotations only is not executed and not reached."""
    text = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from kit.maths import used\n"
        "def start(x: used):\n    return x\n"
    )
    (project / "other.py").write_text(text, encoding="utf-8")
    assert set(sources(project, ("other", "start"))) == {"other.py:start"}


def test_data_files_named_by_sources_count(project: Path) -> None:
    """A module-level ``SOURCES`` tuple makes the files it names part of the closure."""
    (project / "table.toml").write_text("a = 1\n", encoding="utf-8")
    (project / "other.py").write_text('SOURCES = ("table.toml",)\ndef start():\n    return 1\n', encoding="utf-8")
    before = sources(project, ("other", "start"))
    (project / "table.toml").write_text("a = 2\n", encoding="utf-8")
    assert sources(project, ("other", "start")) != before


def test_data_files_do_not_count_for_a_mere_import(project: Path) -> None:
    """A run whose module imports a reader of data files, but does not use it, does not depend on them."""
    (project / "table.toml").write_text("a = 1\n", encoding="utf-8")
    (project / "reader.py").write_text('SOURCES = ("table.toml",)\ndef read():\n    return 1\n', encoding="utf-8")
    text = "import reader\ndef train():\n    return 1\ndef analyse():\n    return reader.read()\n"
    (project / "other.py").write_text(text, encoding="utf-8")
    assert "table.toml" not in sources(project, ("other", "train"))
    assert "table.toml" in sources(project, ("other", "analyse"))


def test_a_missing_definition_is_named(project: Path) -> None:
    """Asking for what a module does not define is an error that names both."""
    with pytest.raises(RunError, match="module 'section' defines no 'nothing'"):
        Project(project).reach(("section", "nothing"))


def test_a_syntax_error_has_its_place(project: Path) -> None:
    """A file that is not Python is named with its line."""
    edit(project, "kit/maths.py", "def used(x):", "def used(x:")
    with pytest.raises(RunError, match=r"kit/maths\.py:3"):
        Project(project).reach(("section", "Train"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda paths: [path.write_text("{", encoding="utf-8") for path in paths],
        lambda paths: [path.write_bytes(path.read_bytes().replace(b"symbols", b"symbolz")) for path in paths],
        lambda paths: [path.write_bytes(path.read_bytes().replace(b"fit", b"fat")) for path in paths],
        lambda paths: [path.write_bytes(paths[0].read_bytes()) for path in paths],
    ],
    ids=["cut", "flipped", "renamed", "swapped"],
)
def test_a_damaged_index_is_made_anew(project: Path, damage: Callable[[list[Path]], object]) -> None:
    """The cache of indexes only saves time: damage to it changes nothing."""
    before = sources(project, ("section", "Train"))
    damage(sorted((project / ".cache/index").iterdir()))
    assert sources(project, ("section", "Train")) == before
