"""Typed numbers, settings and claims of rendered templates get their verdicts, over one seed or several."""

from report.check.facts import Facts
from report.check.items import Check, Item
from report.check.templates import check_templates
from report.errors import Location
from report.model import Claim, Result, Value


def only(check, kind):
    """Return the one item of a kind."""
    (item,) = [item for item in check if item.kind == kind]
    return item


def test_a_typed_number(render_text, facts):
    """The item says what is written, what the results give with one digit more, and where."""
    check = check_templates(render_text("甲乙\n准确率为 \\typed{cnn.test_accuracy}{98\\%}。\n"), facts)
    item = only(check, "typed")
    assert (item.verdict, item.actual, item.expected) == ("contradicted", "98%", "98.7%")
    assert item.location == Location("section.tex", 2, 6)
    assert item.sentence[slice(*item.mark)] == "98%"
    assert item.sentence == "甲乙 准确率为 98%。"


def test_unit_and_qualifier_outside_the_construct(render_text, facts):
    """What stands around the typed number is read as a reader reads it."""
    text = (
        "超过 \\typed{cnn.test_accuracy}{98}\\%，不到 \\typed{cnn.test_accuracy}{98}\\%，"
        "从 \\typed{lda.score_1}{1.5} 到 \\typed{lda.score_0}{2.8}。"
    )
    found = [item.verdict for item in check_templates(render_text(text), facts) if item.kind == "typed"]
    assert found == ["supported", "contradicted", "supported", "supported"]


def test_a_sign_in_front_of_the_construct(render_text, facts):
    """A sign outside compares something else with the number; p is compared itself, and so is a sign inside."""
    text = (
        r"$|w|>\typed{logistic.nonzero_threshold}{0.001}$，$|w|>\typed{logistic.nonzero_threshold}{0.0005}$，"
        r"$p<\typed{lda.p_value}{0.5}$，$p<\typed{lda.p_value}{0.05}$，$\typed{lda.p_value}{<0.5}$"
    )
    found = [item.verdict for item in check_templates(render_text(text), facts) if item.kind == "typed"]
    assert found == ["supported", "contradicted", "supported", "contradicted", "supported"]


def test_a_setting(render_text, facts):
    """A number typed for a setting, an entry of a tuple, or a fact of the data is a stated setting."""
    text = r"\typed{cnn.settings.base.epochs}{十}轮，\typed{neural_network.settings.constant.sizes[1]}{200}。"
    items = [item for item in check_templates(render_text(text), facts) if item.kind == "setting"]
    assert [(item.id, item.verdict) for item in items] == [
        ("cnn.settings.base.epochs", "supported"),
        ("neural_network.settings.constant.sizes[1]", "contradicted"),
    ]


def test_a_filter_gives_the_scale(render_text, facts):
    """With a filter beside the id the number may be what the filter prints, or a rounding in its scale."""
    text = "、".join(rf"\typed{{cnn.largest_gap | points(2)}}{{{number}}}" for number in ("0.73", "0.7", "0.8"))
    found = [item.verdict for item in check_templates(render_text(text), facts) if item.kind == "typed"]
    assert found == ["supported", "supported", "contradicted"]


def test_claims(render_text, facts):
    """A sentence is contradicted when its claim does not hold; of two variants the printed one is right."""
    text = (
        "\\claim{cnn.little_overfitting}{没有过拟合。}\\claim{not cnn.little_overfitting}{有过拟合。}"
        "\\claim{neural_network.loss_rises_late}{回升。}{不回升。}"
    )
    items = [item for item in check_templates(render_text(text), facts) if item.kind == "claim"]
    assert [(item.id, item.verdict) for item in items] == [
        ("cnn.little_overfitting", "supported"),
        ("not cnn.little_overfitting", "contradicted"),
        ("not neural_network.loss_rises_late", "supported"),
    ]
    assert (items[0].evidence, items[0].slack) == ("the numbers say so", 0.1)


def test_a_sentence_that_holds_in_some_seeds_is_fragile(render_text, world):
    """A true sentence is fragile when it is false for another seed; a false one stays contradicted."""
    claim_that_fails = Claim(holds=False, evidence="no", slack=-1)
    other = {**world, "cnn": Result(claims={"little_overfitting": claim_that_fails})}
    facts = Facts.of_results(world, replicates=[world, other, world])
    text = (
        "\\claim{cnn.little_overfitting}{没有。}\\claim{not cnn.little_overfitting}{有。}"
        "\\claim{lda.not_rejected}{不拒绝。}"
    )
    items = [item for item in check_templates(render_text(text), facts) if item.kind == "claim"]
    assert [item.verdict for item in items] == ["fragile", "contradicted", "supported"]
    assert items[0].evidence == "the numbers say so; holds in 2 of 3 seeds"
    assert items[1].evidence.endswith("holds in 1 of 3 seeds")


def test_a_typed_number_shows_its_spread(render_text, world):
    """With several seeds the evidence of a typed number has their mean and deviation."""
    others = [{"cnn": Result(values={"test_accuracy": Value(number)})} for number in (0.9868, 0.9870, 0.9872)]
    facts = Facts.of_results(world, replicates=others)
    item = only(check_templates(render_text(r"\typed{cnn.test_accuracy}{98.7\%}"), facts), "typed")
    assert item.evidence == "cnn.test_accuracy = 0.9868; 3 seeds: 0.987 ± 0.0002"


def test_coverage(render_text, facts):
    """Bound numbers, cells of tables among them, are counted beside typed, exempt and unchecked ones."""
    text = (
        r"\VAR{cnn.test_accuracy | percent}、\typed{cnn.kernel}{5}、\exempt{6}{侧}、"
        r"第 7 节、8 张、\VAR{lda.accuracy | tabular}"
    )
    check = check_templates(render_text(text), facts)
    assert check.coverage.to_json() == {"bound": 21, "typed": 1, "exempt": 2, "unchecked": 1}
    assert check.coverage.share == 24 / 25


def test_exit_codes():
    """What is contradicted fails a check, a strict one minds fragile and unchecked too; a publication's do not."""
    for verdict, codes in {"contradicted": (3, 3), "fragile": (0, 3), "unchecked": (0, 3), "differs": (0, 0)}.items():
        check = Check((Item("typed", verdict),))
        assert (check.exit_code(), check.exit_code(strict=True)) == codes
        assert Check((Item("published", verdict), Item("consistency", verdict))).exit_code(strict=True) == 0


def test_json_round_trip(render_text, facts):
    """check.json has the agreed keys and is read back to the same check."""
    check = check_templates(render_text(r"\typed{cnn.kernel}{5}\claim{lda.not_rejected}{好}\VAR{cnn.kernel}"), facts)
    table = check.to_json()
    assert table["schema"] == 1
    agreed = {"kind", "id", "text", "file", "line", "column", "expected", "actual", "verdict"}
    assert all(agreed <= item.keys() for item in table["items"])
    assert Check.from_json(table) == check
