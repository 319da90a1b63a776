"""Written reports are read, tied to results and judged, in whichever format they come."""

import shutil

import pytest

from report.check.document import check_document, proposals
from report.check.facts import Facts
from report.check.numbers import find_numerals
from report.check.passages import tag
from report.check.readers import document_of_text, read_document
from report.check.ties import Ties, read_ties
from report.errors import ConfigError, MissingToolError, ReportError
from report.model import Claim, Result

TIES = """
[[tie]]
id = "cnn.test_accuracy"
near = "Net2"
pattern = "测试准确率<~6><n>"

[[tie]]
ids = ["cnn.n_convolutions", "cnn.n_linear"]
quote = "共 <n> 个卷积层和 <n> 个线性层"

[[tie]]
each = ["0", "3"]
id = "lda.accuracy[@].accuracy"
pattern = "数字<@>的准确率为<n>"

[[tie]]
id = "cnn.settings.base.epochs"
pattern = "训练<n>轮"

[[statement]]
claim = "lda.not_rejected"
pattern = "拒绝.{0,3}假设"
negated = true
unless = "不能拒绝"
"""


def checked(text, facts, ties=TIES):
    """Return the items of a text as (kind, id, text, verdict)."""
    check = check_document(document_of_text(text), facts, read_ties(ties, "ties.toml"))
    return [(item.kind, item.id, item.text, item.verdict) for item in check]


def test_verdicts(facts):
    """Tied numbers are compared, settings are settings, claims are statements, the rest is exempt or unchecked."""
    text = (
        "Net2 的测试准确率为 98.7%，训练 12 轮，共两个卷积层和三个线性层。数字 3 的准确率为 95%。\n"
        "于是拒绝原假设，误差 77。"
    )
    assert checked(text, facts) == [
        ("typed", "cnn.test_accuracy", "98.7%", "supported"),
        ("setting", "cnn.settings.base.epochs", "12", "contradicted"),
        ("typed", "cnn.n_convolutions", "两", "supported"),
        ("typed", "cnn.n_linear", "三", "supported"),
        ("number", "", "3", "exempt"),
        ("typed", "lda.accuracy[3].accuracy", "95%", "contradicted"),
        ("number", "", "77", "unchecked"),
        ("claim", "not lda.not_rejected", "拒绝原假设", "contradicted"),
    ]


def test_near_looks_at_the_paragraph_and_its_heading(facts):
    """A tie counts in paragraphs that name its subject, or whose heading does."""
    text = "# 3 Net2\n\n测试准确率为 90%。\n\n## 3.1 Net9\n\n测试准确率为 90%。"
    verdicts = [verdict for *_, verdict in checked(text, facts) if verdict != "exempt"]
    assert verdicts == ["contradicted", "unchecked"]


def test_what_the_sentence_names_counts_before_what_the_paragraph_does(facts):
    """Two subjects in one paragraph: each number belongs to the subject of its own sentence."""
    ties = "".join(
        f'[[tie]]\nnear = "{near}"\nid = "{name}"\npattern = "为<n>"\n'
        for near, name in (("判别", "lda.accuracy[3].accuracy"), ("Net2", "cnn.test_accuracy"))
    )
    items = checked("判别的准确率为 94.4%。Net2 的准确率为 98.7%。其准确率为 98.7%。", facts, ties)
    assert [item[1] for item in items] == ["lda.accuracy[3].accuracy", "cnn.test_accuracy", "lda.accuracy[3].accuracy"]


def test_a_statement_is_not_made_where_its_opposite_is(facts):
    """``unless`` keeps a pattern from a sentence that says the reverse."""
    assert checked("因此不能拒绝原假设。", facts) == []


def test_a_document_over_seeds(world):
    """A sentence that is false for another seed is fragile."""
    other = {"lda": Result(claims={"not_rejected": Claim(holds=True, evidence="", slack=1)})}
    flipped = {"lda": Result(claims={"not_rejected": Claim(holds=False, evidence="", slack=-1)})}
    facts = Facts.of_results({**world, **flipped}, replicates=[flipped, other])
    assert checked("于是拒绝原假设。", facts)[0][-1] == "fragile"


def test_places(facts):
    """Line and column are those of the file."""
    check = check_document(document_of_text("首行\n第二行，训练 12 轮。", "a.txt"), facts, read_ties(TIES, "t"))
    assert [str(item.location) for item in check if item.verdict == "contradicted"] == ["a.txt:2:8"]


def test_proposals_name_right_values_first(facts):
    """For a number without a tie the ids that it could be are named, the right ones before the nearest."""
    (numeral,) = find_numerals("98.68%")
    assert proposals(numeral, facts)[0] == "cnn.test_accuracy (98.68%)"
    (numeral,) = find_numerals("98.5%")
    assert proposals(numeral, facts)[0].startswith("distillation.teacher_test_accuracy")
    (numeral,) = find_numerals("123456789")
    assert proposals(numeral, facts) == []


def test_an_id_that_is_no_result_is_unchecked(facts):
    """A tie to a result that does not exist says which exists."""
    ties = '[[tie]]\nid = "cnn.test_acuracy"\npattern = "准确率<n>"\n'
    assert checked("准确率 98%", facts, ties) == [("number", "cnn.test_acuracy", "98%", "unchecked")]
    assert read_ties(ties, "t.toml").unknown(facts) == ["t.toml:1: 'cnn.test_acuracy' is not a result"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[tie]", "not valid TOML"),
        ("[[knot]]\n", "unknown table 'knot'"),
        ('[[tie]]\nids = ["a.b"]\npattern = "<n><n>"\n', "1 ids for 2 <n>"),
        ('[[tie]]\nid = "a.b"\npatern = "<n>"\n', "unknown key 'patern'"),
        ('[[tie]]\nid = "a.b"\n', "either a quote or a pattern"),
        ('[[tie]]\nid = "a.b"\npattern = "(<n>"\n', "not a regular expression"),
        ('[[statement]]\npattern = "a"\n', "a statement needs a claim"),
    ],
)
def test_mistakes_in_ties_are_named(text, message):
    """A file of ties that cannot be used says why, and where."""
    with pytest.raises(ConfigError, match=message) as caught:
        read_ties(text, "ties.toml")
    assert str(caught.value).startswith("ties.toml")


def test_shipped_ties_can_be_read(root):
    """Both files that ship are valid, and no id stands twice with the same pattern."""
    for path in sorted((root / "checks").glob("*.toml")):
        ties = read_ties(path.read_text(encoding="utf-8"), path.name)
        keys = [(tie.ids, tie.pattern.regex.pattern, tie.pattern.near.pattern) for tie in ties.ties]
        assert len(keys) == len(set(keys)) > 20
        assert ties.statements


def test_blanks_count_between_latin_words_only():
    """Line ends within a Chinese sentence mean nothing; between English words they are a blank."""
    text = "准确\n率 为 98% of\nall  images"
    assert tag(text, find_numerals(text)).text == "准确率为\ue00098%\ue001of all images"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "训练 12 轮"),
        ("a.md", "# 标题\n\n训练 12 轮，`epochs = 13` 与 [训练](http://a.b/14)"),
        ("a.tex", "\\documentclass[11pt]{article}\\begin{document}\\label{a13}训练 12 轮 % 14\n\\end{document}"),
    ],
)
def test_formats(tmp_path, facts, name, text):
    """What is prose in a format is read, what is not is not."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found = check_document(read_document(path, name), facts, read_ties(TIES, "t"))
    assert [(item.text, item.verdict) for item in found] == [("12", "contradicted")]


def test_unreadable_documents(tmp_path):
    """An unknown kind, a missing file, and bytes that are no text each end in a message."""
    with pytest.raises(ConfigError, match="known kinds"):
        read_document(tmp_path / "a.odt", "a.odt")
    with pytest.raises(ReportError, match=r"cannot read 'a.txt'"):
        read_document(tmp_path / "a.txt", "a.txt")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ReportError, match="not UTF-8"):
        read_document(tmp_path / "b.txt", "b.txt")


def test_a_missing_program_is_named(tmp_path, monkeypatch):
    """Without pandoc a Word file asks for it."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingToolError, match="needs pandoc"):
        read_document(tmp_path / "a.docx", "a.docx")


def test_language():
    """The ties are chosen by the language of the document, whatever share of it is digits."""
    assert document_of_text("| λ | 范数 | 1 | 2 | 3 | 4 |").is_chinese()
    assert not document_of_text("The accuracy of 数 is 90%, as is known for long.").is_chinese()


def test_no_ties_at_all(facts):
    """A document can be checked without ties: every number is unchecked, with proposals."""
    check = check_document(document_of_text("准确率 98.68%"), facts, Ties())
    assert [(item.verdict, item.evidence[:29]) for item in check] == [("unchecked", "could be cnn.test_accuracy (9")]
