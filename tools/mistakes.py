"""Make every seeded mistake of tests/e2e/mistakes.py and write what was told into docs/mistakes.md."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the tests are no installed package

from tests.e2e.mistakes import MISTAKES, Mistake  # noqa: E402 - after the path
from tests.e2e.seeded import SmallReport, Told  # noqa: E402 - likewise

PAGE = ROOT / "docs" / "mistakes.md"
TABLE = re.compile(r"(?<=<!-- table: made by tools/mistakes.py -->\n).*?(?=<!-- end of the table -->)", re.DOTALL)
HEAD = "| mistake | told at | place | what is told |\n|---|---|---|---|\n"
_SPECIAL = re.compile(r"[\\`*_{}\[\]#]")


def plain(text: str) -> str:
    """Return a text so that Markdown shows it as it is, on one line."""
    text = _SPECIAL.sub(lambda match: f"\\{match[0]}", " ".join(text.split()))
    return text.replace("<", "&lt;").replace("|", "&#124;")


def row(mistake: Mistake, told: Told | None) -> str:
    """Return what was told as a row of the table."""
    right = told is not None and told.stands_at(mistake.place)
    place = f"`{told.location}`" if told is not None and told.location is not None else "`nowhere`"
    said = told.message.split("\n")[0] if told is not None else "nothing"
    hint = f" → {told.hint}" if told is not None and told.hint else ""
    return f"| {plain(mistake.name)} | {place} | {'right' if right else 'wrong'} | {plain(said + hint)} |\n"


def main() -> int:
    """Build the small report with each mistake and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        (base := Path(folder) / "report").mkdir()
        report = SmallReport(base)
        rows = [row(item, report.told(item, Path(folder) / str(index))) for index, item in enumerate(MISTAKES)]
    right = sum(" | right | " in line for line in rows)
    table = f"{HEAD}{''.join(rows)}\n{len(rows)} mistakes, {right} told at their place.\n"
    page, replaced = TABLE.subn(lambda _: table, PAGE.read_text(encoding="utf-8"))
    assert replaced == 1, PAGE  # noqa: S101 - the page has lost its marks
    PAGE.write_text(page, encoding="utf-8")
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
