"""Numbers are recognised however they are written, and nothing else is."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.check.chinese import chinese_integer, english_integer
from report.check.numbers import find_numerals
from report.check.plain import of_latex, of_text

LATEX = [
    (r"98\%", "0.98", "0.01"),
    (r"$98\%$", "0.98", "0.01"),
    (r"98.50~\%", "0.985", "0.0001"),
    (r"\textbf{98}\%", "0.98", "0.01"),
    (r"60\,000", "60000", "1"),
    ("60{,}000", "60000", "1"),
    ("60,000", "60000", "1"),
    (r"$1\times10^{-4}$", "0.0001", "0.0001"),
    (r"$1.20\times 10^{-4}$", "0.00012", "0.000001"),
    ("$10^{-4}$", "0.0001", "0.0001"),
    (r"\ensuremath{-}0.5", "-0.5", "0.1"),
    ("$-0.5$", "-0.5", "0.1"),
    (r"$\frac{1}{2}$", "0.5", "0.05"),
    (r"\num{0.25}", "0.25", "0.01"),
]
PLAIN = [
    ("百分之九十一", "0.91", "0.01"),
    ("百分之91.5", "0.915", "0.001"),
    ("千分之三", "0.003", "0.001"),
    ("三分之一", "0.3333333333333333333333333333", None),
    ("九成", "0.9", "0.1"),
    ("九成五", "0.95", "0.01"),
    ("一半", "0.5", None),
    ("1.2 个百分点", "0.012", "0.001"),
    ("三个百分点", "0.03", "0.01"),
    ("1.5 percentage points", "0.015", "0.001"),
    ("3‰", "0.003", "0.001"),
    ("6 万", "60000", "10000"),
    ("1.5万", "15000", "1000"),
    ("2 亿", "200000000", "100000000"),
    ("六万", "60000", "1"),
    ("十", "10", "1"),
    ("两", "2", "1"),
    ("三百二十一", "321", "1"),
    ("一千零五", "1005", "1"),
    ("三点一四", "3.14", "0.01"),
    ("９８．５％", "0.985", "0.001"),
    ("12,345.6", "12345.6", "0.1"),
    ("60 000", "60000", "1"),
    ("1e-4", "0.0001", "0.0001"),
    ("10⁻⁴", "0.0001", "0.0001"),
    ("1×10−4", "0.0001", "0.0001"),
    ("-0.5", "-0.5", "0.1"),
    ("−0.5", "-0.5", "0.1"),
    ("负 0.5", "-0.5", "0.1"),
    ("1/4", "0.25", None),
    ("ten", "10", "1"),
    ("twenty-one", "21", "1"),
    ("two hundred", "200", "1"),
    ("98 per cent", "0.98", "0.01"),
    ("1.5 million", "1500000", "100000"),
]
NONE = [
    "Net1 与 Net3",
    "2.13.0",
    "(EU) 2016/679",
    "2018-05-25",
    "12:30",
    "https://example.org/1234",
    "ab12cd34ef56",
    "12pt",
    "3D",
    "$2\\gamma$",
    "$x_1$",
    "$x_{10}$",
    "$x^2$",
    "top-5",
    "ResNet-18",
    "几十个",
    "数百",
    "十几个",
    "两三个",
    "F1",
]


def only(text, *, latex=False):
    """Return the one numeral of a text."""
    (numeral,) = find_numerals((of_latex if latex else of_text)(text))
    return numeral


@pytest.mark.parametrize(("text", "value", "quantum"), LATEX)
def test_numbers_in_latex(text, value, quantum):
    """LaTeX forms have the value and the last digit that they show."""
    numeral = only(f"为 {text} 左", latex=True)
    assert (numeral.value, numeral.quantum) == (Decimal(value), Decimal(quantum))


@pytest.mark.parametrize(("text", "value", "quantum"), PLAIN)
def test_numbers_in_plain_text(text, value, quantum):
    """Chinese, English and typographic forms have the value and the last digit that they show."""
    numeral = only(f"为 {text} 。")
    assert numeral.value == Decimal(value)
    assert quantum is None or numeral.quantum == Decimal(quantum)


@pytest.mark.parametrize("text", NONE)
def test_what_only_looks_like_a_number(text):
    """Names, versions, dates, addresses, lengths, indices and vague words are no numbers."""
    assert find_numerals(of_latex(text)) == []


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("约 90%", "about"),
        ("大约为 90%", "about"),
        ("≈ 90%", "about"),
        ("90% 左右", "about"),
        ("接近 90%", "about"),
        ("超过 90%", "above"),
        ("高于90%", "above"),
        ("超过了 90%", "above"),
        ("不足 90%", "below"),
        ("低于 90%", "below"),
        ("不到九成", "below"),
        ("至少 90%", "at-least"),
        ("90% 以上", "at-least"),
        ("至多 90%", "at-most"),
        ("不超过 90%", "at-most"),
        ("不低于 90%", "at-least"),
        ("more than 90%", "above"),
        ("at least ten", "at-least"),
        ("about 90%", "about"),
        ("no more than 5", "at-most"),
        ("fewer than 5", "below"),
        ("p < 0.05", "below"),
        ("10 多个", "above"),
        ("精度 90%", "equal"),
        ("在附近 90%", "equal"),
        ("up to 5", "at-most"),
    ],
)
def test_qualifiers(text, relation):
    """The words beside a number say how it is meant."""
    assert only(text).relation == relation


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("3–5", "3", "5"),
        ("3--5", "3", "5"),
        ("3 至 5", "3", "5"),
        ("三到五", "3", "5"),
        ("3~5", "3", "5"),
        ("3 to 5", "3", "5"),
        ("3–5%", "0.03", "0.05"),
        ("3%–5%", "0.03", "0.05"),
        ("介于 3 与 5 之间", "3", "5"),
        ("between 3 and 5", "3", "5"),
        ("2–3 万", "20000", "30000"),
    ],
)
def test_ranges(text, low, high):
    """A range is one number with two ends, and a unit behind it counts for both."""
    numeral = only(text) if "--" not in text else only(text, latex=True)
    assert (numeral.value, numeral.upper) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize("text", ["从 0.3 到 0.03", "28×28", "784 → 300", "784-300", "91%、90%"])
def test_two_numbers_that_are_no_range(text):
    """What does not rise, multiplies, leads on or lists stays two numbers."""
    assert len(find_numerals(of_text(text))) == 2


@given(st.integers(0, 10**8 - 1))
def test_chinese_numerals_round_trip(number):
    """Every whole number below a hundred million is read from its Chinese numeral."""
    assert chinese_integer(in_chinese(number)) == number


@given(st.text("零〇一二两三四五六七八九十百千万亿", min_size=1, max_size=8))
def test_no_run_of_chinese_numerals_breaks_the_reader(text):
    """Whatever the order of the characters, the reader answers a number or nothing."""
    number = chinese_integer(text)
    assert number is None or number >= 0


@given(st.integers(0, 10**9), st.integers(0, 6), st.booleans())
def test_decimals_round_trip(digits, n_decimals, negative):
    """Any decimal number is read with its sign, its value and the place of its last digit."""
    number = Decimal(digits).scaleb(-n_decimals) * (-1 if negative and digits else 1)
    numeral = only(f"值 {number:f}")
    assert (numeral.value, numeral.quantum) == (number, Decimal(1).scaleb(-n_decimals))


@given(st.text(max_size=60))
def test_any_text_can_be_read(text):
    """No text, LaTeX or not, breaks the reader, and every place lies in the text."""
    for plain in (of_text(text), of_latex(text)):
        for numeral in find_numerals(plain):
            start, end = plain.span(numeral.start, numeral.end)
            assert 0 <= start < end <= len(text)


def test_places_lead_back_to_the_source():
    """A number's place in the bare text leads back to what the author wrote."""
    source = r"准确率为 \textbf{98.5}\%，损失 $1\times10^{-4}$"
    plain = of_latex(source)
    spans = [plain.span(numeral.start, numeral.end) for numeral in find_numerals(plain)]
    assert [source[start:end] for start, end in spans] == [r"98.5}\%", r"1\times10^{-4"]


@pytest.mark.parametrize(
    ("text", "number"), [("zero", 0), ("nineteen", 19), ("ninety-nine", 99), ("three thousand", 3000)]
)
def test_english_words(text, number):
    """Small English numbers are read from words."""
    assert english_integer(text) == number


def in_chinese(number):
    """Write a whole number below a hundred million in Chinese."""
    if number >= 10**4:
        head, rest = divmod(number, 10**4)
        return in_chinese(head) + "万" + (("零" if rest < 1000 else "") + in_chinese(rest) if rest else "")
    digits, out, gap = "零一二三四五六七八九", "", False
    for size, mark in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, size)
        if digit:
            out += ("零" if gap and out else "") + digits[digit] + mark
            gap = False
        else:
            gap = True
    return out or "零"
