"""The live page in a real Chromium: a save is seen, errors point home, and a place leads to its line and back."""

import re
import time

import pytest

pytestmark = pytest.mark.browser
VIEW = "document.querySelector('#view')"
PAGE_1, PAGE_2 = (f"document.querySelector('.page[data-page=\"{number}\"]')" for number in (1, 2))


def test_the_page_shows_the_report_and_the_check(page):
    """Pages as pictures with their text over them, the title escaped, the verdicts beside them."""
    assert page.title() == "Coins & <dice>"
    assert page.locator(".page").count() == 3
    assert "First words of the report." in page.text(1)
    assert page.evaluate("document.querySelector('.page img').naturalWidth") > 500
    assert page.locator("#verdicts li").count() == 1
    assert "coins.heads" in page.inner_text("#verdicts li")
    assert page.inner_text("#badge") == "1"


def test_a_save_is_seen_without_a_reload_at_the_same_place(preview, page):
    """The new words appear; page, place and size are kept, and pages that look the same are not replaced."""
    page.evaluate("window.marker = 'same document'")
    page.click("#larger")
    page.wait_for_text(2, "tosses")
    page.evaluate(f"{VIEW}.scrollTop = {PAGE_2}.offsetTop + 40")
    page.until(f"{PAGE_1}.querySelector('img').src && document.querySelector('#page').value === '2'")
    time.sleep(0.5)
    before = page.evaluate(f"[{VIEW}.scrollTop, {PAGE_2}.clientWidth]")
    first = page.evaluate(f"{PAGE_1}.querySelector('img').src")
    preview.edit("templates/part.tex", "Heads came often.", "Heads came very often.")
    page.wait_for_text(2, "very often")
    page.settle()
    assert page.evaluate("window.marker") == "same document"
    assert page.evaluate(f"[{VIEW}.scrollTop, {PAGE_2}.clientWidth]") == before
    assert page.evaluate(f"{PAGE_1}.querySelector('img').src") == first


def test_an_error_lies_over_the_last_good_version_until_it_is_mended(preview, page):
    """A misspelt command: its template line, the line's text and a suggestion; the pages stay."""
    preview.edit("templates/part.tex", "somebody wrote", r"\texbf{somebody} wrote")
    page.wait_for_selector(".error")
    shown = page.inner_text(".error")
    assert "templates/part.tex:8" in shown
    assert r"\texbf{somebody} wrote" in page.inner_text(".error pre")
    assert r"\textbf" in page.inner_text(".error .hint")
    assert "First words of the report." in page.text(1)
    preview.edit("templates/part.tex", r"\texbf{somebody}", r"\textbf{nobody}")
    page.wait_for_selector(".error", state="detached")
    page.wait_for_text(2, "nobody")


def test_a_click_on_a_verdict_leads_to_its_number(preview, page):
    """The page scrolls to the number and marks it; its place opens the editor at the line."""
    page.click("#verdicts button.verdict")
    page.wait_for_selector(".page[data-page='2'] .mark")
    page.until("document.querySelector('#page').value === '2'")
    box = page.locator(".page[data-page='2'] .mark").first.bounding_box()
    area = page.locator(".page[data-page='2']").bounding_box()
    assert 0 < box["width"] < area["width"] / 8  # the number, not the line
    (preview.folder / "opened").unlink(missing_ok=True)
    page.click("#verdicts button.place")
    deadline = time.monotonic() + 10
    while not (preview.folder / "opened").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (preview.folder / "opened").read_text().split() == [str(preview.folder / "templates/part.tex"), "8"]


def test_a_place_on_the_page_leads_to_its_line_and_back(preview, page):
    """Ctrl-click names the template and its line; an address with a template's line scrolls to its place."""
    words = page.locator(".page[data-page='2'] .text span", has_text="somebody").first
    words.click(modifiers=["Control"])
    assert page.inner_text("#popup .place") == "templates/part.tex:8"
    assert "somebody wrote" in page.inner_text("#popup code")
    page.keyboard.press("Escape")
    page.goto(f"{preview.address}#templates/report.tex:10")
    page.wait_for_selector(".mark")
    assert page.locator(".page:has(.mark)").get_attribute("data-page") == "3"
    page.evaluate("location.hash = '#templates/part.tex:4'")
    page.wait_for_selector(".page[data-page='2'] .mark")


def test_saves_during_a_build_lead_to_one_more(preview, page):
    """Of a burst of saves the last one wins, and most of them cost nothing."""
    before = preview.builds()
    for number in range(25):
        preview.edit(
            "templates/report.tex", "Nothing more" if number == 0 else f"Save {number - 1}.", f"Save {number}."
        )
        time.sleep(0.02)
    page.wait_for_text(3, "Save 24.")
    page.settle()
    time.sleep(0.5)
    assert preview.builds() - before <= 6


def test_a_change_of_code_runs_what_depends_on_it(preview, page):
    """One section is computed anew in a process of its own; the other is not, and prose goes on meanwhile."""
    page.wait_for_text(2, "were heads")
    heads = re.search(r"(\d+) were heads", page.text(2))[0]
    seen = len(preview.lines)
    preview.edit("coins.py", "Toss(100)", "Toss(400)")
    preview.wait_for("computing coins$")
    preview.edit("templates/part.tex", "somebody wrote", "written meanwhile")
    page.wait_for_text(2, "written meanwhile")
    page.until(f"!{PAGE_2}.textContent.includes({heads!r})")
    assert not any("dice" in line for line in preview.lines[seen:])


def test_an_error_in_the_code_names_its_line(preview, page):
    """The page shows the module's line; a mended file is computed without a restart."""
    preview.edit("coins.py", "int(context", "1 / 0 + int(context")
    page.wait_for_selector(".error")
    assert "coins.py:12" in page.inner_text(".error")
    assert "ZeroDivisionError" in page.inner_text(".error")
    preview.edit("coins.py", "1 / 0 + int(context", "int(context")
    page.wait_for_selector(".error", state="detached")


def test_a_change_of_the_configuration_is_seen(preview, page):
    """report.toml is read anew; a mistake in it is shown, and the last good version stays."""
    preview.edit("report.toml", "Coins & <dice>", "Only coins")
    page.wait_for_text(1, "Only coins")
    preview.edit("report.toml", "[document]", "[document")
    page.wait_for_selector(".error")
    assert "report.toml" in page.inner_text(".error")
    preview.edit("report.toml", "[document", "[document]")
    page.wait_for_selector(".error", state="detached")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 480])
def test_nothing_sticks_out_of_the_window(preview, browser, scheme, width):
    """Wide and narrow, light and dark: no sideways scrolling, and the panel opens in a narrow window."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(preview.address)
    page.wait_for_selector(".page[data-version]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    light = page.evaluate("getComputedStyle(document.body).color").startswith("rgb(29")
    assert light == (scheme == "light")
    if width < 900:
        assert not page.is_visible("#panel")
        page.click("#panel-toggle")
    assert page.is_visible("#panel")
    page.close()


def test_two_pages_and_a_page_that_comes_back(preview, browser):
    """Every open page follows; closing one disturbs nobody."""
    pages = [browser.new_page() for _ in range(2)]
    for page in pages:
        page.goto(preview.address)
        page.wait_for_selector(".page[data-version]")
    pages.pop().close()
    pages[0].reload()
    pages[0].wait_for_selector(".page[data-version]")
    pages[0].close()


def test_ctrl_c_ends_a_running_computation_too(start, processes, tmp_path):
    """While runs are computed, Ctrl-C in the terminal leaves no process and keeps what had finished."""
    folder = tmp_path.resolve()
    preview = start(folder)
    preview.edit("coins.py", "return Outcome(", "import time; time.sleep(60)\n        return Outcome(")
    preview.wait_for("computing coins$")
    time.sleep(2)
    started = time.monotonic()
    assert preview.end() == 0
    assert time.monotonic() - started < 12
    assert not processes(folder)


def test_a_killed_preview_leaves_no_process(start, processes, tmp_path):
    """Even without a chance to tidy up: XeLaTeX that waits and runs that are computed end by themselves."""
    folder = tmp_path.resolve()
    preview = start(folder)
    preview.edit("coins.py", "return Outcome(", "import time; time.sleep(60)\n        return Outcome(")
    preview.wait_for("computing coins$")
    time.sleep(2)
    preview.process.kill()
    preview.end()
    deadline = time.monotonic() + 15
    while processes(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not processes(folder)
