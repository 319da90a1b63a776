"""From results to files: figures, report.tex, report.pdf, results.json. Nothing is done when nothing changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.files import write_atomic, write_if_changed
from report.model import SCHEMA
from report.provenance import describe_build, source_date_epoch
from report.spread import claim_spreads, value_spreads
from report.views import Namespace, SectionResult, section_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from report.compile import Compiled
    from report.compute import Computed, SectionRecord
    from report.config import BuildConfig
    from report.model import Result
    from report.passes import Typesetter
    from report.rendermap import Rendered
    from report.spread import ClaimSpread, ValueSpread
    from report.warmtex import WarmTex

NAME = "report"
_STAMP = ".stamp.json"
_TEMPLATES = ".templates"
_OUTPUTS = (f"{NAME}.pdf", f"{NAME}.tex", "results.json")


@dataclass(frozen=True, slots=True)
class Published:
    """The PDF, what compiling it said, and the document; the last two are None when nothing had changed."""

    pdf: Path
    compiled: Compiled | None = None
    rendered: Rendered | None = None


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
        With the template's file and line. The last good PDF stays where it is.
    """
    provenance = describe_build(config, computed)
    epoch = source_date_epoch(config)
    pdf = config.out / f"{NAME}.pdf"
    inputs = _digest_of_inputs(config, computed, provenance, [epoch, config.draft])
    if _unchanged(config.out, inputs):
        return Published(pdf)
    from report.compile import compile_pdf  # noqa: PLC0415 - not needed when nothing changed

    rendered = render_report(config, computed, provenance)
    _write_figures(config.out / "figures", computed.sections)
    compiled = compile_pdf(config.out, NAME, rendered, epoch=epoch, root=config.root, typesetter=typesetter)
    results = results_table(computed, compiled.numbers)
    text = json.dumps(results, ensure_ascii=False, indent=1) + "\n"
    write_atomic(config.out / "results.json", text.encode())
    outputs = {name: _digest_of_file(config.out / name) for name in (*_OUTPUTS, *_figure_names(computed.sections))}
    stamp = {"inputs": inputs, "epoch": epoch, "outputs": outputs}
    write_atomic(config.out / _STAMP, json.dumps(stamp).encode())
    return Published(pdf, compiled, rendered)


def render_report(config: BuildConfig, computed: Computed, provenance: Mapping[str, Any] | None = None) -> Rendered:
    """Fill the templates with these results; ``provenance`` is what :func:`describe_build` returns."""
    from report.render import render  # noqa: PLC0415 - not needed when nothing changed

    context = template_context(config, computed, provenance or describe_build(config, computed))
    return render(
        config.template,
        context,
        templates=config.templates,
        root=config.root,
        draft=config.draft,
        cache=config.out / _TEMPLATES,
    )


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
    views = {
        name: section_view(name, SectionResult(record.result, record.settings))
        for name, record in computed.sections.items()
    }
    info = computed.info
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
    }


def results_table(computed: Computed, numbers: Mapping[str, str]) -> dict[str, Any]:
    """Return results.json as data; ``numbers`` maps LaTeX labels to the printed numbers of floats."""
    info = computed.info
    values, claims = value_spreads(computed.replicates), claim_spreads(computed.replicates)
    return {
        "schema": SCHEMA,
        "profile": computed.profile,
        "seeds": list(computed.seeds),
        "data": {"name": info.name, **info.facts, "digest": info.digest},
        "sections": {
            name: {
                "values": {key: _value_row(values[f"{name}.{key}"]) for key in record.result.values},
                **_floats(name, record.result, numbers),
                "claims": {key: _claim_row(claims[f"{name}.{key}"]) for key in record.result.claims},
                "settings": record.settings,
            }
            for name, record in computed.sections.items()
        },
    }


def _value_row(spread: ValueSpread) -> dict[str, Any]:
    row = {"number": spread.item.number, "unit": spread.item.unit, "digits": spread.item.digits}
    return row if spread.n_seeds == 1 else {**row, "mean": spread.mean, "sd": spread.sd, "n_seeds": spread.n_seeds}


def _claim_row(spread: ClaimSpread) -> dict[str, Any]:
    row = {"holds": spread.item.holds, "evidence": spread.item.evidence, "slack": spread.item.slack}
    return row if spread.n_seeds == 1 else {**row, "holds_in": spread.holds_in, "n_seeds": spread.n_seeds}


def _floats(name: str, result: Result, numbers: Mapping[str, str]) -> dict[str, Any]:
    def number(kind: str, key: str) -> int | str | None:
        text = numbers.get(f"{kind}:{name}.{key}")
        return int(text) if text is not None and text.isdigit() else text

    return {
        "tables": {
            key: {
                "number": number("tab", key),
                "columns": item.columns,
                "rows": item.rows,
                "emphasis": sorted(item.emphasis),
            }
            for key, item in result.tables.items()
        },
        "figures": {
            key: {"number": number("fig", key), "files": [f"figures/{name}.{key}.pdf"]} for key in result.figures
        },
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
    parts = {
        "files": {name: _digest_of_file(path) for name, path in files},
        "sections": [{name: record.key for name, record in sections.items()} for sections in computed.replicates],
        "document": repr(sorted(config.document.items())),
        "template": config.template,
        "notice": computed.info.notice,
        "provenance": provenance,
        "rest": rest,
    }
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


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
