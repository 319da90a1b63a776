"""A report that checks itself: analyses in, a typeset document out, every number bound to what computed it.

A project has one module per section (``runs`` and ``analyse``), a folder of LaTeX templates and a
``report.toml``; see :func:`main` for the command line and :func:`build` for a call from Python.
"""

from report.cli import main
from report.config import BuildConfig, ProjectChecks
from report.engine import Build, build
from report.errors import (
    ConfigError,
    DataError,
    LatexError,
    Location,
    MissingToolError,
    ReportError,
    RunError,
    StoreError,
    TableError,
    TemplateError,
)
from report.model import (
    Claim,
    DataInfo,
    DataSource,
    Figure,
    Outcome,
    Result,
    Run,
    RunContext,
    Section,
    Table,
    Value,
)

__all__ = [
    "Build",
    "BuildConfig",
    "Claim",
    "ConfigError",
    "DataError",
    "DataInfo",
    "DataSource",
    "Figure",
    "LatexError",
    "Location",
    "MissingToolError",
    "Outcome",
    "ProjectChecks",
    "ReportError",
    "Result",
    "Run",
    "RunContext",
    "RunError",
    "Section",
    "StoreError",
    "Table",
    "TableError",
    "TemplateError",
    "Value",
    "build",
    "main",
]
