"""What LaTeX and BibTeX said, as diagnostics at the templates' lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from report.bibtexlog import BibError, bib_errors
from report.errors import Location, did_you_mean
from report.latexboxes import overfull_boxes
from report.latexhints import hint_for, lacks_its_end, similar_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from report.rendermap import Rendered

_PAGES = re.compile(r"^Output written on .*\((\d+) pages?", re.MULTILINE)
_ERROR = re.compile(r"(?:\./)?(?P<file>[^:]*?[^:\s]\.\w+):(?P<line>\d+): (?P<message>.*)")
_BARE_ERROR = re.compile(r"! (?P<message>(?!Emergency stop| ==> Fatal).*)")
_CONTEXT_END = re.compile(r"l\.(\d+) ?(.*)")
_CUT_OFF = "File ended while scanning use of"  # what TeX says behind the end of a file that is cut off
_CONTROL = re.compile(r"\\[A-Za-z@]+|\\.")
_FONT_NAME = re.compile(r'font "(.+?)" cannot be found')
_FILE_NAME = re.compile(r"File [`'](.+?)(?:\.\w+)?' not found")
_UNDEFINED = re.compile(r"Warning: (Reference|Citation) [`'](.+?)' .*undefined on input line (\d+)")
_MULTIPLE = re.compile(r"LaTeX Warning: Label [`'](.+?)' multiply defined")
_MISSING_CHARACTER = re.compile(r"Missing character: There is no (\S+) .*in font (.+?)[.!]?$")
_LINE_NUMBER = re.compile(r"\bon (?:input )?line (\d+)")
_NOT_CONVERGED = re.compile(r"Label\(s\) may have changed|Rerun to get cross-references right")
_BIB_WARNING = re.compile(r"^Warning--(.+)$", re.MULTILINE)
_BIB_KEY = re.compile(r"@\w+\s*\{\s*([^,\s]+)")
_BIBDATA = re.compile(r"\\bibdata\{([^{}]+)\}")
_LABELS = re.compile(r"\\newlabel\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message of LaTeX or BibTeX.

    Parameters
    ----------
    severity : str
        ``error`` or ``warning``.
    message : str
        What happened.
    location : Location or None
        The place in the templates that caused it.
    source : str
        The template's line.
    hint : str
        What to do.
    auxiliary : bool
        Whether it arose in a file that LaTeX wrote itself, which a clean start may heal.
    """

    severity: str
    message: str
    location: Location | None = None
    source: str = ""
    hint: str = ""
    auxiliary: bool = False

    def __str__(self) -> str:
        place = f"{self.location}: " if self.location else ""
        return f"{place}{self.message}" + (f"\n    → {self.hint}" if self.hint else "")


def pages_of(log: Path) -> int:
    """Return the number of pages that a log reports."""
    found = _PAGES.findall(read_log(log))
    return int(found[-1]) if found else 0


def diagnose(work: Path, name: str, rendered: Rendered, root: Path) -> list[Diagnostic]:
    """Return what the logs of the last run say: errors first, in the order of the document, each once.

    Parameters
    ----------
    work : Path
        The folder of the auxiliary files and logs, below the output folder.
    name : str
        Base name of the document.
    rendered : Rendered
        The document and where its lines come from.
    root : Path
        The project, to which paths are relative.
    """
    reader = _Reader(work, name, rendered, root)
    lines = read_log(work / f"{name}.log").split("\n")
    errors = [*reader.errors(lines), *reader.bibtex_errors()]
    if not errors:  # a run that stopped early leaves every reference undefined
        errors = [*reader.references(lines), *reader.missing_characters(lines)]
    return list(dict.fromkeys([*errors, *reader.warnings(lines)]))


def read_log(path: Path) -> str:
    """Return a file that LaTeX wrote, whatever bytes it holds; nothing if it is not there."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class _Context:
    """What TeX prints below an error: the line, what of it had been read, the command that was read last."""

    number: int = 0
    before: str = ""
    command: str = ""


def _context(following: Sequence[str]) -> _Context:
    command = ""
    for line in following:
        end = _CONTEXT_END.fullmatch(line)
        controls = _CONTROL.findall(end[2] if end else line)
        command = command or (controls[-1] if controls else "")
        if end:
            return _Context(int(end[1]), end[2], command)
        if _ERROR.fullmatch(line):
            break
    return _Context(0, "", command)


class _Reader:
    def __init__(self, work: Path, name: str, rendered: Rendered, root: Path) -> None:
        self.work, self.name, self.rendered, self.root = work, name, rendered, root.resolve()
        self.lines = rendered.text.split("\n")
        self.main = f"{name}.tex"

    def at(self, severity: str, message: str, location: Location | None, hint: str = "") -> Diagnostic:
        return Diagnostic(severity, message, location, self.source(location), hint)

    def errors(self, lines: Sequence[str]) -> Iterator[Diagnostic]:
        """Yield the errors of TeX, each with the place it stands for."""
        for index, line in enumerate(lines):
            match = _ERROR.fullmatch(line) or _BARE_ERROR.fullmatch(line)
            if match is None or "==> Fatal error" in line or match["message"].startswith("Emergency stop"):
                continue
            context = _context(lines[index + 1 : index + 30])
            known = match.groupdict()
            file = known.get("file") or self.main
            number = int(known.get("line") or context.number)
            message, hint, culprit = self.explain(match["message"], context)
            location = self.locate(file, number, context.before, culprit)
            if "Extra alignment tab" in message and file == self.main and lacks_its_end(self.lines[number - 2]):
                location, hint = self.rendered.line(number - 1), r"this row lacks its \\"
            if location is None and (name := _FILE_NAME.search(message)):
                location = self.find(rf"\{{[^{{}}]*\b{re.escape(name[1])}\b")
            if font := _FONT_NAME.search(message):  # noticed where it is first used
                location = self.find(rf"\{{\s*{re.escape(font[1])}\s*\}}") or location
            if location is None and number:
                message = f"{message} (in {Path(file).name}, line {number})"
            auxiliary = Path(file).parent.name == self.work.name and Path(file).stem == self.name
            auxiliary |= match["message"].startswith(_CUT_OFF)
            yield Diagnostic("error", message, location, self.source(location), hint, auxiliary)

    def explain(self, message: str, context: _Context) -> tuple[str, str, str]:
        """Return a message in terms of the templates, a hint, and the text that is at fault if it is known."""
        message = re.sub(r"^(?:Package \w+ Error|LaTeX Error|Critical Package \w+ Error): ", "", message)
        if message.startswith("Undefined control sequence") and context.command:
            hint = similar_command(context.command[1:], self.rendered)
            return f"the command {context.command} is not defined", hint, context.command
        hint = hint_for(message, self.rendered, self.work.parent)
        if match := _MISSING_CHARACTER.search(message):
            return f"Missing character: no {match[1]} in the font {match[2].split(':')[0]}", hint, match[1]
        return _LINE_NUMBER.sub(self.translated, message).strip(), hint, ""

    def translated(self, match: re.Match[str]) -> str:
        """Return the template's place for a line number that stands inside a message."""
        return f"at {self.rendered.line(int(match[1]))}"

    def locate(self, file: str, number: int, before: str = "", culprit: str = "") -> Location | None:
        """Return the template's place of a line of a file that TeX read; exact to the column if TeX says where."""
        if file == self.main:
            return self.pinpoint(number, before, culprit)
        folder = self.rendered.folder
        path = Path(file)
        if folder is not None and not path.is_absolute() and (folder / path.name).is_file():
            path = folder / path.name
        if path.is_absolute() and path.is_relative_to(self.root) and self.work not in path.parents:
            return Location(path.relative_to(self.root).as_posix(), number)
        return None

    def pinpoint(self, number: int, before: str, culprit: str) -> Location | None:
        """Return the place where TeX stopped reading a line of the document, or where the text at fault starts."""
        if not 0 < number <= len(self.lines):
            return None
        line = self.lines[number - 1]
        read = len(before) if before and line.startswith(before) else 0
        column = line.rfind(culprit, 0, read or len(line)) if culprit else read - 1
        if column < 0:
            return self.rendered.line(number)
        offset = sum(len(text) + 1 for text in self.lines[: number - 1]) + column
        return self.rendered.map.place(offset) or self.rendered.line(number)

    def find(self, pattern: str) -> Location | None:
        """Return the first place where the document matches a pattern."""
        found = re.search(pattern, self.rendered.text)
        return self.rendered.map.place(found.start()) if found else None

    def source(self, location: Location | None) -> str:
        """Return the line at a place, of a template or of another file beside it."""
        if location is None or location.file in self.rendered.sources:
            return self.rendered.source(location)
        lines = read_log(self.root / location.file).split("\n")
        return "".join(lines[(location.line or 0) - 1 : location.line])

    def references(self, lines: Iterable[str]) -> Iterator[Diagnostic]:
        """Yield undefined references and citations, and labels that are defined twice."""
        labels = _LABELS.findall(read_log(self.work / f"{self.name}.aux"))
        for line in lines:
            if match := _UNDEFINED.search(line):
                kind, key = match[1].lower(), match[2]
                known = [label for label in labels if "@" not in label] if kind == "reference" else self.bib_keys()
                location = self.pinpoint(int(match[3]), "", key)
                yield self.at("error", f"undefined {kind} '{key}'", location, did_you_mean(key, known))
            elif match := _MULTIPLE.search(line):
                places = [self.rendered.map.place(found.start()) for found in self.label_marks(match[1])]
                hint = f"first defined at {places[0]}" if places else ""
                yield self.at("error", f"label '{match[1]}' is defined twice", places[-1] if places else None, hint)

    def label_marks(self, label: str) -> list[re.Match[str]]:
        return list(re.finditer(rf"\\label\s*\{{{re.escape(label)}\}}", self.rendered.text))

    def bib_keys(self) -> list[str]:
        folder = self.rendered.folder
        return _BIB_KEY.findall("".join(read_log(path) for path in folder.rglob("*.bib"))) if folder else []

    def missing_characters(self, lines: Iterable[str]) -> Iterator[Diagnostic]:
        r"""Yield characters that no font has; without ``\tracinglostchars=3`` TeX does not say where they stand."""
        for line in lines:
            if line.startswith("Missing character") and (match := _MISSING_CHARACTER.search(line)):
                location = self.find(re.escape(match[1]))
                message, hint, _ = self.explain(line, _Context())
                yield self.at("error", message, location, hint)

    def warnings(self, lines: Sequence[str]) -> Iterator[Diagnostic]:
        """Yield overfull boxes, BibTeX's warnings and references that do not settle."""
        for box in overfull_boxes(lines, self.main):
            yield self.at("warning", box.message, self.rendered.line(box.within(self.lines)))
        for text in _BIB_WARNING.findall(read_log(self.work / f"{self.name}.blg")):
            if "didn't find a database entry" not in text:  # reported where it is cited
                yield self.at("warning", f"BibTeX: {text}", self.bib_place(text))
        if any(_NOT_CONVERGED.search(line) for line in lines):
            yield self.at("warning", "the cross-references did not settle", None, "compile once more")

    def bibtex_errors(self) -> Iterator[Diagnostic]:
        """Yield BibTeX's errors at the line of the bibliography or of the template."""
        log = read_log(self.work / f"{self.name}.blg")
        for error in [*self.missing_bibliographies(log), *bib_errors(log)]:
            if missing := error.not_opened(self.bibliographies()):
                location, hint = self.find(missing[0]), missing[1]
            elif location := self.locate(error.file, error.line):
                number, hint = error.at_fault(read_log(self.root / location.file).split("\n"))
                location = Location(location.file, number)
            else:
                hint = ""
            yield self.at("error", f"BibTeX: {error.message}", location, hint)

    def missing_bibliographies(self, log: str) -> Iterator[BibError]:
        """Yield an error for each .bib file that is not there: latexmk does not even start BibTeX then."""
        for names in _BIBDATA.findall(read_log(self.work / f"{self.name}.aux")):
            for name in {*names.split(",")} - {*self.bibliographies()}:
                if f": {name}.bib" not in log and not name.endswith("-blx"):
                    yield BibError(f"I couldn't open database file {name}.bib", "", 0)

    def bibliographies(self) -> list[str]:
        folder = self.rendered.folder
        return [path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.bib")] if folder else []

    def bib_place(self, text: str) -> Location | None:
        """Return the place of the entry that a warning of BibTeX names last."""
        folder = self.rendered.folder
        for path in sorted(folder.rglob("*.bib")) if folder else ():
            for match in _BIB_KEY.finditer(content := read_log(path)):
                if match[1] == text.rsplit(maxsplit=1)[-1] and path.is_relative_to(self.root):
                    number = content.count("\n", 0, match.start()) + 1
                    return Location(path.relative_to(self.root).as_posix(), number)
        return None
