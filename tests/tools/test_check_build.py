"""The look at a finished build from outside."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "check_build.py"
FONTS = """\
name                                 type              encoding         emb sub uni object ID
------------------------------------ ----------------- ---------------- --- --- --- ---------
ITQVGG+LMRoman10-Regular-Identity-H  CID Type 0C       Identity-H       yes yes yes      5  0
Helvetica                            Type 1            Custom           no  no  no       7  0
"""


@pytest.fixture(scope="module")
def script():
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("check_build", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_font_that_is_not_embedded_is_named(script):
    """The column is counted from the end, since types of fonts have blanks in them."""
    assert script.fonts_not_embedded(FONTS) == ["Helvetica"]


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("线性判别分析 表 3: 图 12: 表 4", []),
        ("线性判别分析 表3 图12 表4", []),
        ("线性判别分析 表 30 图 1 表 4", ["表 3", "图 12"]),
        ("表 3 图 12 表 4", ["线性判别分析"]),
    ],
)
def test_missing_titles_tables_and_figures_are_named(script, text, missing):
    """Each must be in the text under its own number, not only as the start of another."""
    tables = {"accuracy": {"number": 3}, "led": {"number": 4}}
    section = {"tables": tables, "figures": {"digits": {"number": 12}}}
    assert script.missing_from_text(text, {"lda": section}) == missing
