"""Published numbers get a verdict each, from one seed or from several, at the line of their entry."""

import pytest

from report.check.consistency import Stated, decision, possible_ratio, recomputed
from report.check.facts import Facts
from report.check.published import Published, check_published, published_table
from report.model import Claim, Result, Table, Value

TOML = """
[tables."lda.accuracy"]
where = "table 3"
key = ["digit"]
columns = ["digit", "accuracy", "note"]
rounding = { accuracy = 0.001 }
rows = [[0, 0.819, "a b"], [1, 0.885, "–"], [7, 0.5, "–"]]

[values."lda.p_value"]
where = "section 2.2"
number = 0.1061
rounding = 0.0001
text = "0.1061"

[values."lda.nothing"]
number = 1
rounding = 1

[claims."lda.not_rejected"]
holds = true

[sets."overlap.digits"]
members = [1, 3]
"""


def verdicts(facts):
    """Return id → verdict of the file above."""
    return {item.id: item.verdict for item in check_published(Published.read(TOML, "published.toml"), facts)}


def results(p_value=0.28, accuracy=0.8194, *, digits=(1, 3), holds=True):
    """Return the results of one seed."""
    return {
        "lda": Result(
            values={"p_value": Value(p_value)},
            tables={"accuracy": Table(("digit", "accuracy", "note"), [(0, accuracy, "a  b"), (1, 0.9, None)])},
            claims={"not_rejected": Claim(holds, "p", 0.1 if holds else -0.1)},
        ),
        "overlap": Result(tables={"digits": Table(("digit",), [(digit,) for digit in digits])}),
    }


def test_one_seed():
    """A number is equal when it rounds to the printed digits; what is not computed is unchecked."""
    assert verdicts(Facts.of_results(results())) == {
        "lda.accuracy[0].accuracy": "equal",
        "lda.accuracy[0].note": "equal",
        "lda.accuracy[1].accuracy": "differs",
        "lda.accuracy[7].accuracy": "unchecked",
        "lda.p_value": "differs",
        "lda.nothing": "unchecked",
        "lda.not_rejected": "equal",
        "overlap.digits": "equal",
    }


def test_items_say_where_and_by_how_much():
    """An item has the line of its entry, the place in the publication, and the difference."""
    (item,) = [
        item
        for item in check_published(Published.read(TOML, "p.toml"), Facts.of_results(results()))
        if item.id == "lda.p_value"
    ]
    assert (str(item.location), item.sentence, item.actual, item.expected) == (
        "p.toml:9",
        "section 2.2",
        "0.1061",
        "0.28",
    )
    assert item.evidence == "+0.1739 (+163.9%)"


@pytest.mark.parametrize(
    ("p_values", "verdict"),
    [((0.28, 0.05, 0.16), "within-spread"), ((0.28, 0.05), "differs"), ((0.28, 0.281, 0.279), "differs")],
)
def test_the_spread_of_several_seeds(p_values, verdict):
    """At least three seeds and two deviations excuse a difference."""
    seeds = [results(p_value) for p_value in p_values]
    assert verdicts(Facts.of_results(seeds[0], replicates=seeds))["lda.p_value"] == verdict


def test_cells_and_claims_over_seeds():
    """Cells have a spread too, and a decision that some seeds share lies within it."""
    seeds = [results(accuracy=number, holds=holds) for number, holds in ((0.80, False), (0.82, True), (0.84, True))]
    found = verdicts(Facts.of_results(seeds[0], replicates=seeds))
    assert found["lda.accuracy[0].accuracy"] == "within-spread"
    assert found["lda.not_rejected"] == "within-spread"


def test_sets():
    """A set that is another names what is missing and what is too many."""
    items = check_published(Published.read(TOML, "p.toml"), Facts.of_results(results(digits=(1, 4))))
    assert [(item.verdict, item.evidence) for item in items if item.id == "overlap.digits"] == [
        ("differs", "not found: 3; found too: 4")
    ]


def test_the_table_of_the_appendix():
    """All published numbers as a table of the report."""
    table = published_table(check_published(Published.read(TOML, "p.toml"), Facts.of_results(results())))
    assert table.columns == ("id", "where", "printed", "computed", "difference", "verdict")
    assert table.rows[0] == ("lda.accuracy[0].accuracy", "table 3", "0.819", "0.8194", "", "equal")


def test_the_file_of_this_project_can_be_checked(root, facts):
    """Every entry of analyses/published.toml gets a verdict."""
    text = (root / "analyses" / "published.toml").read_text(encoding="utf-8")
    published = Published.read(text, "analyses/published.toml")
    items = check_published(published, facts)
    names = {name for kind in published.entries.values() for name in kind}
    assert names <= {item.id.partition("[")[0] for item in items}
    assert all(item.location.line for item in items)


def test_a_number_that_cannot_be_recomputed():
    """The published p-value is not what the published tables give: the value that is stands beside it."""
    item = recomputed(Stated("lda.p_value", 0.1061, 0.0001, "2.2"), 0.63877, "OLS on tables 3 and 4")
    assert (item.verdict, item.text, item.expected) == ("contradicted", "0.1061", "0.6388")
    assert recomputed(Stated("lda.score_0", 2.8, 0.1), 17 / 6, "mean").verdict == "supported"


@pytest.mark.parametrize(
    ("ratio", "rounding", "n", "verdict"),
    [
        (0.52, 0.01, 25, "supported"),
        (0.53, 0.01, 25, "contradicted"),
        (0.819, 0.001, 1960, "supported"),
        (0.98, 0.01, 10000, "supported"),
        (0.001, 0.001, 10, "contradicted"),
    ],
)
def test_possible_ratios(ratio, rounding, n, verdict):
    """A ratio of n samples is possible when some whole count rounds to it."""
    assert possible_ratio(Stated("a.b", ratio, rounding), n).verdict == verdict


def test_a_decision_against_its_p():
    """Not rejecting at p = 0.1061 is consistent, rejecting is not."""
    p = Stated("lda.p_value", 0.1061, 0.0001)
    assert decision("lda.not_rejected", p=p, alpha=0.05, rejected=False).verdict == "supported"
    assert decision("lda.not_rejected", p=p, alpha=0.05, rejected=True).verdict == "contradicted"
