"""Do harm to builds, often, and write what came of it into docs/faults.md: ``python tools/faults.py``.

Runs tests/faults with ``FAULTS=long`` and replaces the table in docs/faults.md by the counts of this run. Takes about
an hour on two cores. Ends with 1, and leaves the table alone, if anything failed. Arguments go to pytest. Parts can be
run apart with ``FAULTS=long FAULTS_LEDGER=part.json pytest …``, and joined by ``tools/faults.py --from part.json …``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "faults.md"
TABLE = re.compile(r"(?<=<!-- table: made by tools/faults.py -->\n).*?(?=<!-- end of the table -->)", re.DOTALL)
COLUMNS = ("recovered", "message", "failed")
HEAD = "| what was done | tried | right by itself | one message, right after | failed |\n|---|--:|--:|--:|--:|\n"


def table_of(counts: dict[str, dict[str, int]]) -> str:
    """Return the counts as a Markdown table with a last row of sums."""
    rows = {name: [count.get(column, 0) for column in COLUMNS] for name, count in counts.items()}
    rows["**all**"] = [sum(row[index] for row in rows.values()) for index in range(len(COLUMNS))]
    return HEAD + "".join(f"| {name} | {' | '.join(map(str, [sum(row), *row]))} |\n" for name, row in rows.items())


def write(counts: dict[str, dict[str, int]], note: str) -> None:
    """Put the table into the page."""
    page, replaced = TABLE.subn(lambda _: table_of(counts) + note, PAGE.read_text(encoding="utf-8"))
    assert replaced == 1, PAGE  # noqa: S101 - the page has lost its marks
    PAGE.write_text(page, encoding="utf-8")
    print(table_of(counts))


def main() -> int:
    """Run the campaign and write the page."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--from"]:
        parts = [json.loads(Path(path).read_text(encoding="utf-8")) for path in arguments[1:]]
        counts = {name: count for part in parts for name, count in part.items()}
        write(counts, f"\nJoined from {len(parts)} runs, in which the engine may have differed; a later one counts.\n")
        return 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.json"
        command = [sys.executable, "-m", "pytest", "-q", "tests/faults", "-m", "faults", "--timeout=3600", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "FAULTS": "long", "FAULTS_LEDGER": str(ledger)}, check=False
        )
        counts = json.loads(ledger.read_text(encoding="utf-8"))
    if done.returncode:
        print("something failed; docs/faults.md is as it was", file=sys.stderr)
        return 1
    minutes = (time.monotonic() - started) / 60
    write(counts, f"\n{minutes:.0f} minutes on {len(os.sched_getaffinity(0))} cores.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
