"""Make the pictures of the documentation: pages of the built report, and the live page in Chromium.

``python tools/pictures.py --pages 6 14`` writes docs/pictures/page-1.png and page-2.png from build/report.pdf.
``python tools/pictures.py --live`` starts ``build.py watch`` besides and writes live.png, at the place of a
template's line if ``--at`` names one; what comes behind ``--`` are its options, such as ``--profile quick``. Nothing is
computed where the results are stored.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures"
HEAVIEST = 150_000  # bytes
RESOLUTIONS = (100, 90, 80, 70, 60, 50)  # dots per inch, until the picture is light enough
COLOURS = 128
WINDOW = {"width": 1280, "height": 800}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 120.0


def light(image: Image.Image) -> bytes:
    """Return a picture as a PNG with few colours."""
    buffer = io.BytesIO()
    image.convert("RGB").quantize(COLOURS).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def page_picture(pdf: Path, page: int) -> bytes:
    """Return one page of a PDF, as large as it can be without being too heavy."""
    with tempfile.TemporaryDirectory() as folder:
        for resolution in RESOLUTIONS:
            stem = Path(folder) / "page"
            options = ["-png", "-singlefile", "-r", str(resolution), "-f", str(page), "-l", str(page)]
            subprocess.run(["pdftoppm", *options, str(pdf), str(stem)], check=True)
            with Image.open(stem.with_suffix(".png")) as image:
                content = light(image)
            if len(content) < HEAVIEST:
                return content
    raise SystemExit(f"page {page} of {pdf} stays above {HEAVIEST} bytes")


def live_picture(project: Path, place: str, options: list[str]) -> bytes:
    """Return the live page of a project as a browser shows it."""
    entry = ["build.py"] if (project / "build.py").exists() else ["-m", "report"]
    watch = subprocess.Popen(
        [sys.executable, *entry, "watch", "--no-browser", "--port", "0", *options],
        cwd=project, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert watch.stderr is not None  # noqa: S101 - for the type checker
        address = next(found[0] for line in watch.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+/", line)))
        next(line for line in watch.stderr if re.search(r"report\.pdf, \d+ pages", line))
        return screenshot(address, place)
    finally:
        watch.send_signal(signal.SIGINT)
        watch.wait(SECONDS)


def screenshot(address: str, place: str) -> bytes:
    """Return what Chromium shows at an address, once the page says that it is up to date."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only for the live page

    browser = next(found for name in BROWSERS if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport=WINDOW)
        page.goto(address)
        page.wait_for_selector(".page[data-version] .text span", timeout=SECONDS * 1000)
        page.wait_for_selector("#status.good", timeout=SECONDS * 1000)
        if place:
            page.evaluate("place => { location.hash = place }", place)
        page.wait_for_timeout(6000)  # it scrolls, pictures come in, and the mark of the place goes
        content = page.screenshot()
        chromium.close()
    with Image.open(io.BytesIO(content)) as image:
        return light(image)


def main() -> None:
    """Write the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pdf", type=Path, default=ROOT / "build" / "report.pdf", help="default: build/report.pdf")
    parser.add_argument(
        "--pages", type=int, nargs="*", default=[], metavar="N", help="page-1.png, page-2.png … in order"
    )
    parser.add_argument("--live", action="store_true", help="the live page too; needs Chromium")
    parser.add_argument("--at", default="", metavar="TEMPLATE:LINE", help="where the live page stands")
    parser.add_argument("--project", type=Path, default=ROOT, help="the project that the live page shows")
    parser.add_argument("options", nargs="*", metavar="-- OPTION", help="options of 'watch'")
    arguments = parser.parse_args()
    pictures = {f"page-{i}.png": page_picture(arguments.pdf, page) for i, page in enumerate(arguments.pages, start=1)}
    if arguments.live:
        pictures["live.png"] = live_picture(arguments.project.resolve(), arguments.at, arguments.options)
    FOLDER.mkdir(exist_ok=True)
    for name, content in pictures.items():
        (FOLDER / name).write_bytes(content)
        print(f"{name}  {len(content)} bytes")


if __name__ == "__main__":
    main()
