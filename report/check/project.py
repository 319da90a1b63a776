"""The whole check of a project: templates, published numbers, consistency, and the files that say what was found."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from report.check.facts import Facts
from report.check.origins import find_origins
from report.check.page import check_page
from report.check.published import Published, check_published
from report.check.templates import check_templates
from report.check.ties import Ties, read_ties
from report.errors import ConfigError
from report.files import write_if_changed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from report.check.items import Check, Item
    from report.compute import SectionRecord
    from report.config import BuildConfig
    from report.model import DataInfo
    from report.rendermap import Rendered

CHECK_JSON, CHECK_PAGE = "check.json", "check.html"


def facts_of(replicates: Sequence[Mapping[str, SectionRecord]], data: DataInfo | None = None) -> Facts:
    """Collect the results of a build, with the spread over its seeds."""
    results = [{name: record.result for name, record in sections.items()} for sections in replicates]
    settings = {name: record.settings for name, record in replicates[0].items()}
    return Facts.of_results(results[0], settings, results, data.facts if data else None)


def published_items(facts: Facts, config: BuildConfig) -> list[Item]:
    """Return the verdicts on published numbers, and on their consistency."""
    items: list[Item] = []
    project = config.checks
    if project.published is not None:
        path = config.root / project.published
        published = Published.read(path.read_text(encoding="utf-8"), str(project.published))
        items += check_published(published, facts)
    if project.consistency is not None:
        items += project.consistency(facts)
    return items


def check_project(rendered: Rendered, facts: Facts, config: BuildConfig) -> Check:
    """Check a rendered report, the published numbers beside it, and their consistency."""
    check = check_templates(rendered, facts, cache=config.cache / "prose")
    return check.with_items(published_items(facts, config))


def write_check(check: Check, facts: Facts, config: BuildConfig, *, title: str = "") -> None:
    """Write ``check.json`` and ``check.html`` into the build folder."""
    text = json.dumps(check.to_json(), ensure_ascii=False, indent=1) + "\n"
    write_if_changed(config.out / CHECK_JSON, text.encode())
    write_page(check, facts, config, config.out / CHECK_PAGE, title=title)


def write_page(check: Check, facts: Facts, config: BuildConfig, path: Path, *, title: str = "") -> None:
    """Write the page of a check."""
    page = check_page(
        check,
        title=title or str(config.document.get("title", "report")),
        facts=facts,
        origins=find_origins(facts, config.sections, config.root),
        root=Path(os.path.relpath(config.root, path.parent)).as_posix(),
    )
    write_if_changed(path, page.encode())


def read_project_ties(config: BuildConfig, *, chinese: bool) -> Ties:
    """Read the ties for a document's language; without such a file nothing is tied."""
    language = "zh" if chinese else "en"
    paths = sorted((config.root / config.checks.ties).glob(f"*-{language}.toml"))
    found = [read_ties_file(path, config) for path in paths]
    return Ties(
        tuple(tie for ties in found for tie in ties.ties),
        tuple(statement for ties in found for statement in ties.statements),
        ", ".join(ties.file for ties in found),
    )


def read_ties_file(path: Path, config: BuildConfig) -> Ties:
    """Read one file of ties.

    Raises
    ------
    ConfigError
        When it cannot be read, or is not what :mod:`report.check.ties` describes.
    """
    try:
        return read_ties(path.read_text(encoding="utf-8"), config.relative(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {config.relative(path)}: {error}") from error
