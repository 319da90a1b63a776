"""The report that ships: nobody has to vouch for a number of its prose from memory."""

from report.check.audit import audit

NO_PROSE = {"preamble.tex"}


def test_the_shipped_report_has_no_unchecked_number(root):
    """Every number of the templates, in every branch, is bound, typed or exempt with a reason."""
    folder = root / "templates"
    sources = {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.tex"))
        if path.name not in NO_PROSE
    }
    found = audit(sources)
    assert [f"{item.location}: {item.text} in: {item.sentence}" for item in found.unchecked] == []
    assert found.typed + len(found.exempt) > 100
