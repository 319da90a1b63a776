"""The types that travel through a build. A leaf: it imports nothing else of ``report`` but the errors.

A section declares :class:`Run` objects, the engine turns each into an :class:`Outcome`, and the section's
``analyse`` turns outcomes into a :class:`Result` of values, tables, figures and claims. Numbers stay raw
here; they are rounded only where they are printed.
"""

from __future__ import annotations

import io
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self
from zlib import crc32

from report.errors import RunError, TableError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import matplotlib.figure
    import numpy as np

SCHEMA = 1
"""Version of everything that is stored or written; part of every key."""

_CELL_TYPES = "bool, int, float, str or None"
Cell = bool | int | float | str | None
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Value:
    """One number of the report.

    Parameters
    ----------
    number : int or float
        The raw number. Ratios such as accuracies lie in [0, 1]; percent is a way of printing.
    unit : str
        The unit it is printed with, if any.
    digits : int, optional
        Decimals shown when the template names no format.
    """

    number: float
    unit: str = ""
    digits: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is not a plain finite number: it would print as ``nan`` in a finished report."""
        number = _plain(self.number)
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise RunError(
                f"a Value holds a number, not {type(self.number).__name__}: {self.number!r}",
                hint="convert it with float() or int(), or make it a Claim or a table cell",
            )
        if not math.isfinite(number):
            raise RunError(
                f"a Value must be finite, got {number!r}",
                hint="look at the run that produced it: it diverged or divided by zero",
            )
        object.__setattr__(self, "number", number)


@dataclass(frozen=True, slots=True)
class Table:
    """Raw cells under named columns; the template decides on headings and formats.

    Parameters
    ----------
    columns : sequence of str
        Identifiers of the columns.
    rows : sequence of rows
        One cell per column: bool, int, float, str, or None for "does not apply".
    emphasis : iterable of (int, str)
        Cells printed in bold, as (row index, column).
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    emphasis: frozenset[tuple[int, str]] = frozenset()

    def __init__(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]],
        emphasis: Iterable[tuple[int, str]] = (),
    ) -> None:
        """Take any sequences; check that every row fits the columns and every cell can be stored."""
        object.__setattr__(self, "columns", tuple(columns))
        object.__setattr__(self, "rows", tuple(tuple(_cell(cell) for cell in row) for row in rows))
        object.__setattr__(self, "emphasis", frozenset((int(row), column) for row, column in emphasis))
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise TableError(
                    f"row {index} has {len(row)} cells for {len(self.columns)} columns: {row!r}",
                    hint=f"the columns are {', '.join(self.columns)}",
                )
        for row_index, column in self.emphasis:
            self.column(column)
            if not 0 <= row_index < len(self.rows):
                raise TableError(f"emphasis names row {row_index} of a table with {len(self.rows)} rows")

    def column(self, name: str) -> tuple[Cell, ...]:
        """Return the cells of one column; a :class:`TableError` names the nearest column if there is none."""
        if name not in self.columns:
            raise TableError(f"the table has no column '{name}'", hint=did_you_mean(name, self.columns))
        index = self.columns.index(name)
        return tuple(row[index] for row in self.rows)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawn figure as the bytes of a one-page vector PDF."""

    pdf: bytes = field(repr=False)

    @classmethod
    def of(cls, figure: matplotlib.figure.Figure) -> Self:
        """Draw a matplotlib figure; the bytes hold no date, so that equal figures are equal files."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format="pdf", metadata={"CreationDate": None, "Producer": None, "Creator": None})
        figure.clear()
        return cls(buffer.getvalue())


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of the prose as a predicate over results.

    Parameters
    ----------
    holds : bool
        Whether the results support the statement.
    evidence : str
        The computed numbers it rests on, in the language of the report.
    slack : float
        Signed distance from flipping, in the unit of the compared quantity: at least 0 when it holds.
    """

    holds: bool
    evidence: str
    slack: float

    def __post_init__(self) -> None:
        """Store plain Python types, and refuse a slack whose sign contradicts the verdict."""
        object.__setattr__(self, "holds", bool(self.holds))
        object.__setattr__(self, "slack", float(self.slack))
        contradicts = self.slack < 0 if self.holds else self.slack > 0
        if contradicts or not math.isfinite(self.slack):
            raise RunError(
                f"slack {self.slack!r} does not go with holds={self.holds}: {self.evidence}",
                hint="slack is the distance from flipping: at least 0 if the claim holds, at most 0 if not",
            )

    @classmethod
    def of_margins(cls, margins: Iterable[float], evidence: str) -> Self:
        """Build a claim that holds when every margin is positive; its slack is the smallest margin."""
        smallest = min(float(margin) for margin in margins)
        return cls(smallest > 0, evidence, smallest)


@dataclass(frozen=True, slots=True)
class Result:
    """What one section contributes to the report, each part keyed by its name within the section."""

    values: Mapping[str, Value] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a name that is used twice: templates address every kind as ``section.name``."""
        seen: dict[str, str] = {}
        for kind in ("values", "tables", "figures", "claims"):
            for name in getattr(self, kind):
                if not name.isidentifier() or name == "settings":
                    raise RunError(f"'{name}' in {kind} must be an identifier other than 'settings'")
                if name in seen:
                    raise RunError(f"'{name}' is used in {seen[name]} and again in {kind}; choose another name")
                seen[name] = kind


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run computed: named arrays, and named numbers, strings or nested lists of them."""

    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)


def _no_progress(done: int, total: int, note: str) -> None:
    """Ignore progress: the default where nobody watches."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run may use besides its own settings.

    Parameters
    ----------
    data : object
        What the project's data source loaded; read-only, shared by all runs of a process.
    seed : int
        The seed of this build; use :meth:`generator`.
    upstream : mapping of str to Outcome
        The outcomes of those fields of the run that are runs themselves, by field name.
    device : str
        ``cpu``, or ``cuda`` for a run that sets ``uses_device``.
    precision : str
        ``fp32``, or ``bf16`` for a run that sets ``uses_device``.
    progress : callable (done, total, note)
        Call it about once per epoch; it is cheap.
    """

    data: Any = None
    seed: int = 0
    upstream: Mapping[str, Outcome] = field(default_factory=dict)
    device: str = "cpu"
    precision: str = "fp32"
    progress: Progress = _no_progress

    def generator(self, *stream: str | int) -> np.random.Generator:
        """Return the random generator of a named stream, e.g. ``generator("weights")``.

        The same name gives the same numbers in every run of a build, so runs that must start from equal
        weights and see equal batches do so without sharing state; a repeat adds its number to the name.
        """
        import numpy as np  # noqa: PLC0415 - kept out of the path that only renders prose

        name = "/".join(str(part) for part in stream)
        return np.random.default_rng(np.random.SeedSequence([self.seed, crc32(name.encode())]))


@dataclass(frozen=True)
class Run(ABC):
    """One unit of computation, and of caching: subclass it as a frozen dataclass of plain settings.

    Fields may be bool, int, float, str, None, tuples of those, or other runs. A field that is a run is
    computed first and handed over in ``context.upstream``. Equal runs are computed once, whichever
    sections ask for them.
    """

    uses_device: ClassVar[bool] = False
    """Set it where the result depends on ``context.device`` and ``context.precision``."""

    @abstractmethod
    def compute(self, context: RunContext) -> Outcome:
        """Do the work. Depends on nothing but the fields and the context."""

    def cost(self) -> float:
        """Estimate the seconds on one core: dearer runs start first. The time of the last run replaces it."""
        return 1.0


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the report: its name in templates and the module that computes it.

    The module offers ``runs(profile) -> dict[str, Run]`` and ``analyse(runs, outcomes) -> Result``,
    where ``outcomes`` has the same keys as ``runs``.
    """

    name: str
    module: str

    def __post_init__(self) -> None:
        """Refuse a name that could not be the first part of an id in the templates."""
        if not self.name.isidentifier():
            raise RunError(f"section name '{self.name}' is not an identifier")


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What is known of the data without loading them.

    Parameters
    ----------
    name : str
        Short name, e.g. ``mnist``.
    digest : str
        Digest of the contents; part of every key.
    facts : mapping of str to int or str
        What the report prints of the data, e.g. ``n_train``; an int is a count.
    notice : str
        Empty, or what every reader must be told of these data; printed loudly in the terminal and on
        the first page and in the footer of the PDF.
    default_profile : str
        The profile used when the command line names none.
    """

    name: str
    digest: str
    facts: Mapping[str, int | str] = field(default_factory=dict)
    notice: str = ""
    default_profile: str = "full"


class DataSource(Protocol):
    """Where a project's data come from. Instances travel to worker processes, so they hold only settings."""

    def identify(self) -> DataInfo:
        """Describe the data; fast from the second call on (nothing is loaded, no heavy import)."""
        ...

    def load(self) -> Any:  # noqa: ANN401 - the engine passes it on unseen
        """Read and verify the data; called once per process, the value goes to ``RunContext.data``."""
        ...


def _plain(cell: object) -> object:
    """Turn a NumPy scalar into the Python number it stands for."""
    item = getattr(cell, "item", None)
    return item() if callable(item) and getattr(cell, "shape", None) == () else cell


def _cell(cell: object) -> Cell:
    plain = _plain(cell)
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    raise TableError(f"a cell must be {_CELL_TYPES}, got {type(cell).__name__}: {cell!r}")
