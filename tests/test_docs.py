"""The pages for authors: whatever can be run on them is run, and both languages show the same code.

The pages' blocks that stand under a file's name make a small project, which is built. A block of LaTeX is rendered
with its results; followed by a block of text, it has to give exactly that: a message, or what it prints.
"""

import argparse
import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

import report
from report.check.cli import stored_results
from report.check.document import check_document
from report.check.plain import BARRIER, of_latex
from report.check.project import check_project, facts_of
from report.check.readers import read_document
from report.check.terminal import check_lines
from report.check.ties import read_ties
from report.compile import compile_pdf
from report.config import BuildConfig, read_toml
from report.publish import render_report

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {page.name: page for page in sorted((DOCS / "en").glob("*.md"))}
ADVANCED = {page.name: page for page in sorted(DOCS.glob("*.md")) if page.name not in {"index.md", *PAGES}}
_FENCE = re.compile(r"^(?:`([\w./-]+)`:\n\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ORDER = ("index.md", "prose.md", "section.md", "figures-tables.md", "check.md", "watch.md", "troubleshooting.md")
_ABRIDGED = {"decisions.md", "faults.md"}  # the Chinese page says the same in fewer words, or leaves the table out
_LATEX = r"""\documentclass[fontset=fandol]{ctexart}
\usepackage{booktabs,graphicx}
\newenvironment{extrafigure}[1][htbp]{\begin{figure}[#1]}{\end{figure}}
\begin{document}
"""
_PROGRAMS = {"make", "python", "ssh", "sh", ".venv/bin/dask", ".venv/bin/python"}


class Block(NamedTuple):
    """A block of code: where it stands, the file it is printed as, its language and its text."""

    page: str
    name: str
    language: str
    text: str


def blocks_of(path):
    """Return the blocks of code of a page."""
    return [Block(path.stem, *match) for match in _FENCE.findall(path.read_text(encoding="utf-8"))]


BLOCKS = [block for name in _ORDER for block in blocks_of(PAGES[name])]
PAIRS = [(one, two) for one, two in pairwise(BLOCKS) if one.page == two.page and two.language == "text"]


def of_language(language, *, paired=False):
    """Return the nameless blocks of a language, those that a block of text follows or the others."""
    followed = [one for one, _ in PAIRS]
    return [
        block for block in BLOCKS if block.language == language and not block.name and (block in followed) == paired
    ]


def label(block):
    """Return a test's name for a block, or for a block and what follows it."""
    block = block if isinstance(block, Block) else block[0]
    return f"{block.page}: {block.text.strip().splitlines()[0][:40]}"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Write the project that the pages print, build it as they say, and return its settings and stored results."""
    folder = tmp_path_factory.mktemp("walks").resolve()
    for block in BLOCKS:
        if block.name:
            (folder / block.name).parent.mkdir(exist_ok=True)
            (folder / block.name).write_text(block.text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "report"], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 of 2 claims hold" in done.stderr
    config = BuildConfig(root=folder, **read_toml(folder / "report.toml"))
    return config, stored_results(config, None)


def rendered(project, template, text):
    """Render a text in place of a template of the project, which is left as it was."""
    config, computed = project
    path = config.templates / template
    before = path.read_text(encoding="utf-8")
    try:
        path.write_text(text, encoding="utf-8")
        return render_report(config, computed)
    finally:
        path.write_text(before, encoding="utf-8")


def test_both_languages_show_the_same_code():
    """Every page has its counterpart, with equal blocks, and equal pictures."""
    chinese = {page.name: page for page in (DOCS / "zh").glob("*.md")}
    assert sorted(chinese) == sorted({**PAGES, **ADVANCED})
    for name, page in {**PAGES, **ADVANCED}.items():
        if name not in _ABRIDGED:
            assert [block[1:] for block in blocks_of(chinese[name])] == [block[1:] for block in blocks_of(page)], name


def test_pictures_that_pages_show_are_there_and_small():
    """Each picture exists, and none is heavier than 150 kB."""
    for page in [*DOCS.rglob("*.md"), *ROOT.glob("README*.md")]:
        for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).stat().st_size < 150_000, f"{page.name}: {target}"


@pytest.mark.parametrize("block", of_language("latex"), ids=label)
def test_latex_renders(project, block):
    """A block of LaTeX names what exists, and its claims and typed numbers are right."""
    text = rendered(project, "walk.tex", block.text)
    assert all(use.extra["holds"] != use.extra["negated"] for use in text.uses if use.kind == "claim")


def test_all_latex_compiles(project):
    """The blocks together make a document that XeLaTeX takes."""
    text = "\n\n".join(block.text for block in of_language("latex"))
    document = rendered(project, "report.tex", f"{_LATEX}{text}\n\\end{{document}}\n")
    config, _ = project
    out = config.root / "all"
    shutil.copytree(config.out / "figures", out / "figures")
    assert compile_pdf(out, "report", document, epoch=0, root=config.root).pages >= 1


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair[0].language == "latex"], ids=label)
def test_latex_gives_what_the_page_says(project, pair):
    """A mistake ends in the message below it; anything else prints the text below it."""
    block, expected = pair
    config, _ = project
    if expected.text.startswith("place"):
        facts = facts_of(project[1].replicates)
        lines = check_lines(check_project(rendered(project, "walk.tex", block.text), facts, config))
        assert list(lines) == expected.text.splitlines()
        return
    if not expected.text.startswith("templates/"):
        text = rendered(project, "report.tex", f"\\begin{{document}}{block.text}\\end{{document}}").text
        assert of_latex(text).text.replace(BARRIER, " ").split() == expected.text.split()
        return
    with pytest.raises(report.ReportError) as caught:
        compile_pdf(config.out, "report", rendered(project, "walk.tex", block.text), epoch=0, root=config.root)
    assert str(caught.value).splitlines() == expected.text.splitlines()


@pytest.mark.parametrize("block", of_language("python"), ids=label)
def test_python_runs(project, block, monkeypatch):
    """A block of Python runs in the project's folder, with its assertions."""
    config, _ = project
    monkeypatch.syspath_prepend(config.root)
    monkeypatch.chdir(config.root)
    (config.root / "readings.txt").write_text("1.5\n2.5\n")
    names = {"__name__": "block"}
    monkeypatch.setitem(sys.modules, "block", argparse.Namespace(__dict__=names))
    exec(compile(block.text, label(block), "exec"), names)  # noqa: S102 - the pages are ours
    if "Readings" in names:
        source = names["Readings"](Path("readings.txt"))
        assert source.identify().facts == {"n_readings": 2}
        assert source.load().tolist() == [1.5, 2.5]


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair[0].language == "python"], ids=label)
def test_python_gives_the_message_below_it(pair):
    """A mistake in a section ends in the message below it."""
    with pytest.raises(report.ReportError) as caught:
        exec(compile(pair[0].text, label(pair), "exec"), {})  # noqa: S102 - the pages are ours
    assert str(caught.value).splitlines() == pair[1].text.splitlines()


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair[0].language == "toml"], ids=label)
def test_settings_give_the_message_below_them(tmp_path, pair):
    """A mistake in report.toml ends in the message below it."""
    (tmp_path / "report.toml").write_text(pair[0].text)
    with pytest.raises(report.ConfigError) as caught:
        read_toml(tmp_path / "report.toml")
    assert str(caught.value).splitlines() == pair[1].text.splitlines()


def test_ties_find_what_the_page_says(project):
    """The two mistakes of the essay are found, and nothing else."""
    config, computed = project
    ties = read_ties((config.root / "checks/report-en.toml").read_text(encoding="utf-8"), "checks/report-en.toml")
    facts = facts_of(computed.replicates)
    assert ties.unknown(facts) == []
    check = check_document(read_document(config.root / "essay.md", "essay.md"), facts, ties)
    assert [item.id for item in check.of("contradicted")] == ["walk.ratio", "not walk.rarely_home"]
    assert "walk.home_long" in [item.id for item in check.of("supported")]


def commands():
    """Return every command of every page and README, with its page; blocks in ``sh`` hold nothing else."""
    pages = [*PAGES.values(), *ADVANCED.values(), *ROOT.glob("README*.md")]
    blocks = [block for page in pages for block in blocks_of(page) if block.language in {"", "sh"} and not block.name]
    lines = {(block, line) for block in blocks for line in block.text.splitlines()}
    known = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:{'|'.join(map(re.escape, _PROGRAMS))}) ")
    return sorted({(block.page, line) for block, line in lines if block.language or known.match(line)})


@pytest.mark.parametrize(("page", "line"), commands())
def test_commands_exist(capsys, page, line):
    """A command starts a known program; targets are in the Makefile, options in --help."""
    words = [word for word in shlex.split(line, comments=True) if not re.match(r"[A-Z_]+=path", word)]
    assert words[0] in _PROGRAMS, page
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert words[1] in targets
        words = ["python", "build.py", *shlex.split(" ".join(words[2:]).removeprefix("ARGS="))]
    if words[1:3] == ["-m", "report"] or words[1] == "build.py":
        arguments = words[3:] if words[1] == "-m" else words[2:]
        command = arguments[:1] if arguments and not arguments[0].startswith("-") else []
        with pytest.raises(SystemExit):
            report.main(argv=[*command, "--help"])
        options = re.findall(r"--[a-z]+(?:-[a-z]+)*", capsys.readouterr().out)
        assert {word.partition("=")[0] for word in arguments if word.startswith("--")} <= set(options)


@pytest.mark.parametrize(
    "pair", [pair for pair in PAIRS if pair[0].text.startswith("python build.py --only")], ids=label
)
def test_a_wrong_option_gives_the_message_below_it(project, capsys, pair):
    """A usage error on the command line ends in the message below it."""
    config, _ = project
    assert report.main(root=config.root, argv=shlex.split(pair[0].text)[2:]) == 2
    assert capsys.readouterr().err.strip().removeprefix("error: ").splitlines() == pair[1].text.splitlines()


def test_code_that_needs_a_cluster_is_valid():
    """Python and TOML of the pages on clusters and caches, which nothing here can run, are at least well formed."""
    for block in (block for page in ADVANCED.values() for block in blocks_of(page)):
        if block.language == "python":
            ast.parse(block.text)
        elif block.language == "toml":
            tomllib.loads(block.text)


def test_explain_says_what_the_page_shows(project, tmp_path):
    """After the edit that the page names, ``--explain`` prints what the page prints."""
    config, _ = project
    shutil.copytree(config.root, tmp_path / "walks")
    (tmp_path / "walks/report.toml").write_text('sections = ["walk"]')
    module = tmp_path / "walks/walk.py"
    module.write_text(module.read_text().replace("400", "401"))
    code = "import sys, report; sys.exit(report.main(argv=['--explain']))"
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=module.parent, env=environment, capture_output=True, text=True, check=True)
    assert next(two.text for one, two in PAIRS if "--explain" in one.text) == done.stdout


def test_both_readmes_show_the_same_commands():
    """The Chinese README has the blocks of the English one, save those of the iris report, and the same commands."""
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
    own = english.index("## Your own report"), english.index("## Where things are")
    without = english[: own[0]] + english[own[1] :]
    assert [match[1:] for match in _FENCE.findall(chinese)] == [match[1:] for match in _FENCE.findall(without)]
    tables = [re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE) for text in (english, chinese)]
    assert tables[0] == tables[1]


def test_links_lead_to_files():
    """Every link between the pages and READMEs names a file that exists; mkdocs sees to the headings."""
    for page in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
