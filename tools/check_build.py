"""Look at a finished build from outside: ``python tools/check_build.py build``.

Checks that the PDF opens, that every font in it is embedded, and that its text has every section, table and
figure that results.json lists and no leftover of a template or of an unresolved reference.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

TITLES = {
    "logistic": "逻辑回归",
    "lda": "线性判别分析",
    "neural_network": "神经网络",
    "cnn": "卷积神经网络",
    "learning_rate": "学习率的影响",
    "architecture": "网络结构的影响",
    "bottleneck": "平台期中的特征",
    "gradcam": "网络在看哪里",
    "overlap": "两个假设",
    "vae": "变分自编码器",
    "summary": "总结",
}
LEFTOVERS = ("??", "\\VAR", "\\BLOCK", "\\typed", "\\claim", "\\exempt")
FONT_COLUMNS = 5  # pdffonts ends each row with: embedded, subset, unicode, object number and generation


def missing_from_text(text: str, sections: dict[str, Any]) -> list[str]:
    """Return what results.json lists and the PDF's text does not show."""
    missing = [TITLES[name] for name in sections if name in TITLES and TITLES[name] not in text]
    for section in sections.values():
        for kind, label in (("tables", "表"), ("figures", "图")):
            # What is computed but has no float of its own, such as a table that only appendix A lists, has no number.
            numbers = [item["number"] for item in section[kind].values() if item["number"] is not None]
            missing += [f"{label} {number}" for number in numbers if not re.search(rf"{label}\s*{number}\b", text)]
    return missing


def fonts_not_embedded(table: str) -> list[str]:
    """Return the names of fonts that the output of pdffonts shows as not embedded."""
    rows = [line.split() for line in table.splitlines()[2:]]
    return [row[0] for row in rows if row[-FONT_COLUMNS] != "yes"]


def problems(folder: Path) -> list[str]:
    """Return everything that is wrong with the build in a folder."""
    pdf = folder / "report.pdf"
    text = _output("pdftotext", "-layout", str(pdf), "-")
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return [
        *(f"not in the text of the PDF: {what}" for what in missing_from_text(text, results["sections"])),
        *(f"left over in the text of the PDF: {what}" for what in LEFTOVERS if what in text),
        *(f"font not embedded: {name}" for name in fonts_not_embedded(_output("pdffonts", str(pdf)))),
    ]


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main() -> int:
    """Print what is wrong; the exit status says whether anything is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder of the build")
    found = problems(parser.parse_args().folder)
    print("\n".join(found) or "the PDF has all sections, tables and figures, and all its fonts are embedded")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
