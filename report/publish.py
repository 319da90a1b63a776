"""From results to files: figures, report.tex, report.pdf, results.json. Nothing is done when nothing changed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.closure import Project, module_of
from report.config import place_of_key
from report.errors import TemplateError, did_you_mean
from report.files import write_atomic, write_if_changed
from report.provenance import commit, describe_build, source_date_epoch
from report.results import results_table
from report.spread import claim_spreads, value_spreads
from report.views import Namespace, SectionResult, section_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from report.check.facts import Facts
    from report.check.items import Check
    from report.compile import Compiled
    from report.compute import Computed, SectionRecord
    from report.config import BuildConfig
    from report.passes import Typesetter
    from report.rendermap import Rendered
    from report.warmtex import WarmTex

NAME = "report"
_STAMP = ".stamp.json"
_TEMPLATES = ".templates"
_OUTPUTS = (f"{NAME}.pdf", f"{NAME}.tex", "results.json", "check.json", "check.html")


@dataclass(frozen=True, slots=True)
class Published:
    """The PDF, what compiling it said, the document, and its check; None for the rest when nothing had changed."""

    pdf: Path
    compiled: Compiled | None = None
    rendered: Rendered | None = None
    check: Check | None = None


def publish(config: BuildConfig, computed: Computed, typesetter: Typesetter | None = None) -> Published:
    """Write the report of these results.

    Parameters
    ----------
    config : BuildConfig
        What to build and where.
    computed : Computed
        The results.
    typesetter : Typesetter, optional
        How the first pass of XeLaTeX is run, and who sees its pages.

    Raises
    ------
    TemplateError, TableError, LatexError
        With the template's file and line. The last good PDF stays where it is, except when the new one lacks a
        number that the templates print.
    """
    provenance = describe_build(config, computed)
    epoch = source_date_epoch(config)
    pdf = config.out / f"{NAME}.pdf"
    inputs = _digest_of_inputs(config, computed, provenance, [epoch, config.draft])
    if _unchanged(config.out, inputs):
        return Published(pdf)
    # Not needed when nothing changed, which is to be found out fast.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - see above

    from report.check import read_back, refuse_losses, remember, write_check  # noqa: PLC0415 - see above
    from report.compile import compile_pdf, numbers_of  # noqa: PLC0415 - see above
    from report.passes import WORK  # noqa: PLC0415 - see above

    rendered = render_report(config, computed, provenance)
    _write_figures(config.out / "figures", computed.sections)
    with ThreadPoolExecutor(1) as pool:  # the prose is checked while XeLaTeX runs, unless somebody waits for a page
        before = numbers_of(config.out / WORK / f"{NAME}.aux")
        early = typesetter is None or not typesetter.watched
        checking = pool.submit(_check_prose, config, computed, rendered, before) if early else None
        compiled = compile_pdf(config.out, NAME, rendered, epoch=epoch, root=config.root, typesetter=typesetter)
        losses = read_back(rendered, compiled.pdf)
        if checking is not None and compiled.numbers == before:
            facts, check = checking.result()
        else:
            facts, check = _check_prose(config, computed, rendered, compiled.numbers)
    refuse_losses(losses)
    write_check(check, facts, config)
    text = json.dumps(results_table(computed, compiled.numbers), ensure_ascii=False, indent=1) + "\n"
    write_atomic(config.out / "results.json", text.encode())
    remember(config.cache, text, commit(config.root))
    outputs = {name: _digest_of_file(config.out / name) for name in (*_OUTPUTS, *_figure_names(computed.sections))}
    stamp = {"inputs": inputs, "epoch": epoch, "outputs": outputs}
    write_atomic(config.out / _STAMP, json.dumps(stamp).encode())
    return Published(pdf, compiled, rendered, check)


def render_report(config: BuildConfig, computed: Computed, provenance: Mapping[str, Any] | None = None) -> Rendered:
    """Fill the templates with these results; ``provenance`` is what :func:`describe_build` returns."""
    from report.check import judge  # noqa: PLC0415 - not needed when nothing changed
    from report.render import render  # noqa: PLC0415 - likewise

    if not (config.templates / config.template).is_file():
        hint = did_you_mean(config.template, [path.name for path in config.templates.glob("*.tex")])
        place = place_of_key(config.root / "report.toml", "template")
        raise TemplateError(f"there is no template '{config.template}'", **place, hint=hint)
    context = template_context(config, computed, provenance or describe_build(config, computed))
    return render(
        config.template,
        context,
        templates=config.templates,
        root=config.root,
        draft=config.draft,
        judge=judge if config.draft else None,
        cache=config.out / _TEMPLATES,
    )


def _check_prose(
    config: BuildConfig, computed: Computed, rendered: Rendered, numbers: Mapping[str, str]
) -> tuple[Facts, Check]:
    """Hold the prose against the results, and against the numbers that LaTeX gave to tables and figures."""
    from report.check import check_project, facts_of  # noqa: PLC0415 - not needed when nothing changed

    floats = {label.partition(":")[2]: number for label, number in numbers.items()}
    facts = replace(facts_of(computed.replicates, computed.info), numbers=floats)
    return facts, check_project(rendered, facts, config)


def anticipate(config: BuildConfig, warm: WarmTex) -> None:
    """Let XeLaTeX read the last preamble while the rest is found out, if some template was edited since."""
    from report.passes import environment_of  # noqa: PLC0415 - not needed where nothing is compiled

    try:
        built = (config.out / _STAMP).stat().st_mtime
        document = (config.out / f"{NAME}.tex").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    if any(path.stat().st_mtime > built for path in _template_files(config)):
        environment = environment_of(config.templates.resolve(), source_date_epoch(config))
        warm.prepare(config.out, NAME, document, environment)


def template_context(config: BuildConfig, computed: Computed, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names that templates can use: one per section, and what concerns the whole report."""
    from report.check import facts_of, find_origins, published_items, published_table  # noqa: PLC0415 - as in publish

    views = {
        name: section_view(name, SectionResult(record.result, record.settings))
        for name, record in computed.sections.items()
    }
    info = computed.info
    facts = facts_of(computed.replicates, info)
    published = published_items(facts, config)
    return {
        **views,
        "sections": tuple(views),
        "left_out": computed.left_out,
        "claims": list(claim_spreads(computed.replicates).values()),
        "values": list(value_spreads(computed.replicates).values()),
        "seeds": computed.seeds,
        "document": Namespace("document", config.document, "a key of [document] in report.toml"),
        "data": Namespace(
            "data", {"name": info.name, "digest": info.digest, "notice": info.notice, **info.facts}, "known of the data"
        ),
        "provenance": Namespace("provenance", provenance, "recorded"),
        "published": published_table(published),
        "consistency": published_table(published, "consistency"),
        "draft": config.draft,
        "origins": find_origins(facts, config.sections, config.root) if config.draft else {},
    }


def _figures(sections: Mapping[str, SectionRecord]) -> Iterator[tuple[str, bytes]]:
    for name, record in sections.items():
        for key, figure in record.result.figures.items():
            yield f"{name}.{key}.pdf", figure.pdf


def _figure_names(sections: Mapping[str, SectionRecord]) -> list[str]:
    return [f"figures/{name}" for name, _ in _figures(sections)]


def _write_figures(folder: Path, sections: Mapping[str, SectionRecord]) -> None:
    wanted = dict(_figures(sections))
    for name, content in wanted.items():
        write_if_changed(folder / name, content)
    for path in folder.glob("*.pdf"):
        if path.name not in wanted:
            path.unlink()


def _digest_of_inputs(config: BuildConfig, computed: Computed, provenance: Mapping[str, Any], rest: list[Any]) -> str:
    """Hash everything the files are made of: results, templates, configuration and the engine itself."""
    engine = Path(__file__).parent
    files = [
        *((path.relative_to(engine).as_posix(), path) for path in sorted(engine.rglob("*.py"))),
        *((path.relative_to(config.templates).as_posix(), path) for path in _template_files(config)),
    ]
    if config.checks.published is not None:
        files.append(("published", config.root / config.checks.published))
    parts = {
        "files": {name: _digest_of_file(path) for name, path in files},
        "sections": [{name: record.key for name, record in sections.items()} for sections in computed.replicates],
        "document": repr(sorted(config.document.items())),
        "template": config.template,
        "notice": computed.info.notice,
        "provenance": provenance,
        "checks": _checking_code(config),
        "rest": rest,
    }
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _checking_code(config: BuildConfig) -> Mapping[str, str]:
    """Return the digests of the project's own code that checks the published numbers among themselves."""
    function = config.checks.consistency
    if function is None:
        return {}
    return Project(config.root, config.cache).reach((module_of(function), function.__qualname__)).sources


def _template_files(config: BuildConfig) -> list[Path]:
    return sorted(path for path in config.templates.rglob("*") if path.is_file() and not path.name.startswith("."))


def _unchanged(out: Path, inputs: str) -> bool:
    stamp = read_stamp(out)
    return stamp is not None and stamp["inputs"] == inputs


def read_stamp(out: Path) -> dict[str, Any] | None:
    """Return what the last build in a folder was made of; None if it did not end or a product was changed since."""
    try:
        stamp = json.loads((out / _STAMP).read_bytes())
        outputs: dict[str, str] = dict(stamp["outputs"])
        intact = all(_digest_of_file(out / name) == digest for name, digest in outputs.items())
        stated = {"inputs": stamp["inputs"], "epoch": int(stamp["epoch"]), "outputs": outputs}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return stated if intact else None


def _digest_of_file(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
