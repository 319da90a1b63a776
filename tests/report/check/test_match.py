"""A written number is right when it is a correct rounding, and its qualifiers mean what they say."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from report.check.match import exact, judge, matches, rounds_to
from report.check.numbers import find_numerals
from report.check.plain import of_text
from report.model import Value


def right(text, number, unit=""):
    """Tell whether the one number of a text is right."""
    (numeral,) = find_numerals(of_text(text))
    return matches(numeral, number, unit)


decimals = st.decimals(min_value=Decimal(-(10**6)), max_value=Decimal(10**6), places=9, allow_nan=False)


@given(decimals, st.integers(0, 6))
def test_a_number_matches_its_own_rounding_and_no_neighbour(number, n_digits):
    """Rounded to any number of digits a number is right; one unit of the last digit further it is wrong."""
    quantum = Decimal(1).scaleb(-n_digits)
    written = number.quantize(quantum, ROUND_HALF_UP)
    assert rounds_to(number, written, quantum)
    assert not rounds_to(number, written + quantum, quantum)
    assert not rounds_to(number, written - quantum, quantum)


@given(st.floats(0, 1), st.integers(0, 4))
def test_percentages_match_as_they_are_printed(ratio, n_digits):
    """A ratio printed as a percentage is right, and the percentages beside it are wrong."""
    percentage = (exact(ratio) * 100).quantize(Decimal(1).scaleb(-n_digits), ROUND_HALF_UP)
    step = Decimal(1).scaleb(-n_digits)
    assert right(f"{percentage:f}%", ratio)
    assert not right(f"{percentage + step:f}%", ratio)
    assume(percentage - step > 0)
    assert not right(f"{percentage - step:f}%", ratio)


@given(st.floats(1e-12, 1e12), st.integers(0, 5))
def test_scientific_forms_match(number, n_digits):
    """A number printed with a power of ten is right, and wrong in its last digit."""
    text = f"{exact(number):.{n_digits}e}"
    mantissa, _, power = text.partition("e")
    rounded = Decimal(text)
    assume(abs(abs(exact(number) - rounded) - Decimal(1).scaleb(int(power) - n_digits) / 2) > Decimal("1e-9") * rounded)
    assert right(f"{mantissa}×10^{int(power)}", number)
    wrong = Decimal(mantissa) + Decimal(1).scaleb(-n_digits)
    assert not right(f"{wrong:f}×10^{int(power)}", number)


@pytest.mark.parametrize(
    ("number", "is_right"), [(0.975, True), (0.98, True), (0.98499, True), (0.985, False), (0.97499, False)]
)
def test_half_open_interval(number, is_right):
    """98% stands for [97.5 %, 98.5 %): halves round away from zero."""
    assert right("98%", number) is is_right


@pytest.mark.parametrize(("number", "is_right"), [(-0.45, True), (-0.5499, True), (-0.55, False), (0.5, False)])
def test_negative_numbers_mirror(number, is_right):
    """-0.5 stands for (-0.55, -0.45], and its sign counts."""
    assert right("-0.5", number) is is_right


def test_the_noise_of_floats_does_not_count():
    """A tie that a float misses by its last bit is a tie."""
    assert right("98%", 0.97499999999999998)
    assert right("9.0%", 1 - 0.91)


@pytest.mark.parametrize(
    ("text", "number", "is_right"),
    [
        ("超过 97%", 0.9701, True),
        ("超过 97%", 0.97, False),
        ("不足 3%", 0.0299, True),
        ("不足 3%", 0.03, False),
        ("至少 10", 10, True),
        ("至少 10", 9, False),
        ("至多 10", 10, True),
        ("不超过 10", 11, False),
        ("约 300", 305, True),
        ("约 300", 307, False),
        ("约 6 万", 58213, True),
        ("约 5 万", 58213, False),
        ("3–5%", 0.04, True),
        ("3–5%", 0.052, True),
        ("3–5%", 0.056, False),
        ("三到五", 6, False),
        ("三分之一", 0.34, True),
        ("三分之一", 0.36, False),
        ("一半", 0.51, True),
        ("一半", 0.54, False),
        ("十", 10, True),
        ("十", 11, False),
        ("十", 9, False),
        ("九成", 0.93, True),
        ("九成", 0.96, False),
        ("0", 0.4, True),
        ("0", 0.6, False),
        ("1.2 个百分点", 0.0123, True),
        ("12 个百分点", 0.0123, False),
    ],
)
def test_what_is_written_and_what_was_computed(text, number, is_right):
    """Inequalities hold or do not, approximations have a declared slack, ranges contain, fractions are near."""
    assert right(text, number) is is_right


def test_a_value_in_percent_is_compared_as_the_ratio():
    """A value whose unit is % matches a percentage, and a bare number in the same unit."""
    assert right("98%", 98.2, "%")
    assert right("98", 98.2, "%")
    assert not right("98%", 0.982, "%")


@pytest.mark.parametrize(
    ("text", "is_right"), [(r"98\%", True), (r"97\%", False), ("很高", False), ("百分之九十八", True)]
)
def test_judge(text, is_right):
    """The draft's judge takes LaTeX and wants every number in it to be right, and at least one."""
    assert judge(text, Value(0.9812)) is is_right
