"""The seeded set: every mistake is caught at its line, and nothing that is correct is reported."""

import tomllib
from pathlib import Path

import pytest

from report.check.document import check_document
from report.check.readers import document_of_text
from report.check.templates import check_templates
from report.check.ties import read_ties

HERE = Path(__file__).parent
ABOVE = "\\section{标题}\n\n这里是正文的开头，下面另起一段。\n\n"
BELOW = "\n\n这里是正文的结尾。\n"
LINE = ABOVE.count("\n") + 1
REPORTED = {"contradicted", "unchecked", "fragile"}


def cases(kind):
    """Return the cases of the file, each with a readable id."""
    table = tomllib.loads((HERE / "mistakes.toml").read_text(encoding="utf-8"))
    return [
        pytest.param(case, id=f"{index}: {case.get('mutation', 'correct')}")
        for index, case in enumerate(table[kind], 1)
    ]


@pytest.fixture
def check(facts, render_text, root):
    """Return a function that checks a case and returns what it reports."""

    def check_case(case):
        if "template" in case:
            text = case["template"].replace(*case.get("replace", ("", "")))
            found = check_templates(render_text(f"{ABOVE}{text}{BELOW}"), facts)
        else:
            text = f"{ABOVE}{case['document']}{BELOW}".removeprefix("\\section{标题}")
            document = document_of_text(text, "report.md")
            language = "zh" if document_of_text(case["document"]).is_chinese() else "en"
            name = f"report-{language}.toml"
            found = check_document(
                document, facts, read_ties((root / "checks" / name).read_text(encoding="utf-8"), name)
            )
        return [item for item in found if item.verdict in REPORTED]

    return check_case


@pytest.mark.parametrize("case", cases("wrong"))
def test_a_mistake_is_caught_at_its_line(check, case):
    """Each seeded mistake is reported once or more, with its verdict and kind, at the line where it stands."""
    found = check(case)
    verdict, kind = case.get("verdict", "contradicted"), case.get("kind", "typed")
    lines = range(LINE, LINE + case.get("document", "").count("\n") + 1)
    caught = [item for item in found if item.verdict == verdict and item.kind == kind]
    assert caught, [item.to_json() for item in found]
    assert all(item.location.line in lines for item in caught)


@pytest.mark.parametrize("case", cases("correct"))
def test_nothing_correct_is_reported(check, case):
    """No correct statement is reported as contradicted, fragile or unchecked."""
    ignored = case.get("ignore", "\0")
    assert [item.to_json() for item in check(case) if item.text not in ignored] == []


def test_the_set_is_large_enough():
    """At least 40 mistakes and 60 correct statements."""
    assert len(cases("wrong")) >= 40
    assert len(cases("correct")) >= 60
