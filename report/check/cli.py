"""``python build.py check [DOCUMENT]`` and ``python build.py diff [RESULTS]``."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from report.check.items import OK, Check
from report.check.project import (
    CHECK_JSON,
    CHECK_PAGE,
    check_project,
    facts_of,
    read_project_ties,
    read_ties_file,
    write_check,
    write_page,
)
from report.check.terminal import change_lines, check_lines
from report.errors import ReportError

if TYPE_CHECKING:
    import argparse

    from report.check.facts import Facts
    from report.compute import Computed
    from report.config import BuildConfig
    from report.model import DataSource

CHECK_DESCRIPTION = """\
Hold prose against the results. Without DOCUMENT: the templates, with the stored results; nothing is computed.
With DOCUMENT (.tex, .md, .txt, .docx, .pdf): a report written elsewhere, with the results of the last build."""
DIFF_DESCRIPTION = """\
Say what changed since other results: a results file, a git revision that was built, or, by default, the results
before the present ones. Ends with the sentences that stand on what changed."""
EXIT_CODES = """\
exit codes:
  0  everything that is checked is supported
  3  something is contradicted; with --strict also: unchecked or fragile"""


def add_arguments(parser: argparse.ArgumentParser, command: str) -> None:
    """Add what ``check`` or ``diff`` takes beside the options of a build."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    if command == "diff":
        parser.description = DIFF_DESCRIPTION
        parser.add_argument("results", nargs="?", metavar="RESULTS", help="results file or git revision")
        return
    parser.description, parser.epilog = CHECK_DESCRIPTION, EXIT_CODES
    parser.add_argument("document", nargs="?", type=Path, metavar="DOCUMENT", help="a written report to check")
    parser.add_argument("--ties", type=Path, metavar="FILE", help="which number is which result (default: checks/)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="where the page goes (default: build/check.html)")
    parser.add_argument("--strict", action="store_true", help="mind unchecked numbers and fragile sentences too")
    parser.add_argument("--all", action="store_true", help="list also what is in order")


def run(
    command: str,
    options: argparse.Namespace,
    config: BuildConfig,
    data: DataSource | None,
) -> int:
    """Run ``check`` or ``diff`` and return the exit code.

    Raises
    ------
    ReportError
        When there are no results yet, or the document cannot be read.
    """
    if command == "diff":
        return _diff(options, config)
    if options.document is not None:
        check, facts = _check_document(options, config)
        page = options.html or config.out / f"check-{options.document.stem}.html"
        write_page(check, facts, config, page.absolute(), title=options.document.name)
    else:
        check, facts = _check_templates(config, data)
        write_check(check, facts, config)
        page = options.html or config.out / CHECK_PAGE
        if options.html:
            write_page(check, facts, config, page.absolute())
    if options.json:
        _say(json.dumps(check.to_json(), ensure_ascii=False, indent=1))
    else:
        for line in check_lines(check, everything=options.all, colour=sys.stdout.isatty()):
            _say(line)
        _say(f"details: {config.relative(page.absolute())}")
    return check.exit_code(strict=options.strict)


def stored_results(config: BuildConfig, data: DataSource | None) -> Computed:
    """Return what is stored for the present sources and settings; nothing is computed.

    Raises
    ------
    ReportError
        When nothing is stored.
    """
    from report.compute import Computation, Computed  # noqa: PLC0415 - `import report` stays light
    from report.progress import Plain  # noqa: PLC0415 - likewise

    computation = Computation(config, data, Plain())
    replicates = []
    for seed in computation.seeds:
        records = {section.name: computation.stored(section, seed) for section in config.sections}
        replicates.append({name: record for name, record in records.items() if record is not None})
    if not replicates[0]:
        raise ReportError("no results are stored for these sources and settings", hint="run 'python build.py' first")
    left_out = tuple(section.name for section in config.sections if section.name not in replicates[0])
    return Computed(
        info=computation.info,
        profile=computation.profile,
        seeds=computation.seeds,
        replicates=tuple(replicates),
        left_out=left_out,
    )


def _check_templates(config: BuildConfig, data: DataSource | None) -> tuple[Check, Facts]:
    from report.publish import render_report  # noqa: PLC0415 - only here

    computed = stored_results(config, data)
    if computed.left_out:
        names = ", ".join(computed.left_out)
        sys.stderr.write(f"not checked, no results are stored for the present sources: {names}\n")
    rendered = render_report(replace(config, draft=False), computed)
    facts = facts_of(computed.replicates, computed.info)
    with suppress(ReportError):
        facts = replace(facts, numbers=_last_results(config).numbers)
    return check_project(rendered, facts, config), facts


def _check_document(options: argparse.Namespace, config: BuildConfig) -> tuple[Check, Facts]:
    from report.check.document import check_document  # noqa: PLC0415 - only here
    from report.check.readers import read_document  # noqa: PLC0415 - likewise

    facts = _last_results(config)
    document = read_document(options.document, str(options.document))
    if options.ties:
        ties = read_ties_file(options.ties.absolute(), config)
    else:
        ties = read_project_ties(config, chinese=document.is_chinese())
    for line in ties.unknown(facts):
        sys.stderr.write(f"warning: {line}\n")
    return check_document(document, facts, ties), facts


def _diff(options: argparse.Namespace, config: BuildConfig) -> int:
    from dataclasses import asdict  # noqa: PLC0415 - only here

    from report.check.diff import compare_results, find_results, touched_items  # noqa: PLC0415 - only here

    other, old = find_results(options.results, config)
    changes = compare_results(old, _last_results(config))
    check = Check()
    with suppress(OSError, ValueError, KeyError):
        check = Check.from_json(json.loads((config.out / CHECK_JSON).read_bytes()))
    touched = touched_items(changes, check)
    if options.json:
        table = {"changes": [asdict(change) for change in changes], "touched": [item.to_json() for item in touched]}
        _say(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        for line in change_lines(changes, touched, other):
            _say(line)
    return OK


def _last_results(config: BuildConfig) -> Facts:
    from report.check.diff import read_results  # noqa: PLC0415 - only here

    return read_results(config.out / "results.json")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
