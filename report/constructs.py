r"""``\claim``, ``\typed`` and ``\exempt`` as a Jinja extension, and the places of tags for error messages.

The scanner writes them as blocks ``__claim``, ``__typed`` and ``__exempt``; here they become calls that mark
the printed text (:mod:`report.rendermap`) and choose the variant of a sentence that the results support.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes
from jinja2.exceptions import TemplateAssertionError, TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.lexer import Token
from jinja2.runtime import Context, Undefined

from report.errors import TemplateError
from report.formats import Latex, escape
from report.model import Claim, Value
from report.rendermap import Recorder, without_marks
from report.views import Named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jinja2.lexer import TokenStream
    from jinja2.parser import Parser

RECORDER = "_recorder"
_PLACED = 1 << 40  # set in the line numbers that hold a column too
_AFTER = {"pipe": "filter", "is": "test", "isnot": "test"}  # what a name after these tokens must be
_ENDS = {"variable_end", "block_end"}


def encode_place(line: int, column: int) -> int:
    """Pack line and column into what Jinja takes for a line number and hands back in errors."""
    return _PLACED | line << 16 | min(column, 0xFFFF)


def decode_place(number: int) -> tuple[int, int | None]:
    """Unpack :func:`encode_place`; a plain line number has no column."""
    if not number & _PLACED:
        return number, None
    return (number ^ _PLACED) >> 16, number & 0xFFFF or None


class Constructs(Extension):
    """The constructs of the report, see the module."""

    tags = {"__claim", "__typed", "__exempt"}  # noqa: RUF012 - Jinja's interface

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Take the line and column out of every tag and put them where Jinja keeps line numbers."""
        self.file = stream.filename
        tokens = iter(stream)
        for token in tokens:
            if token.type in {"variable_begin", "block_begin"}:
                line, column = next(tokens).value, next(tokens).value
                yield from self._known(_placed(token, tokens, int(line), int(column)))
            else:
                yield token

    def _known(self, tokens: Iterator[Token]) -> Iterator[Token]:
        """Refuse filters and tests that do not exist at their tag; Jinja is late for those inside a condition."""
        before = ""
        for token in tokens:
            kind, known = _AFTER.get(before, ""), self.environment.filters
            if kind == "test":
                known = {**self.environment.tests, "not": None}
            if kind and token.type == "name" and token.value not in known:
                raise TemplateAssertionError(f"No {kind} named {token.value!r}.", token.lineno, filename=self.file)
            before = token.type if token.type == "pipe" else f"{before if before == 'is' else ''}{token.value}"
            yield token

    def parse(self, parser: Parser) -> nodes.Node:
        """Turn one construct into nodes."""
        token = next(parser.stream)
        number = token.lineno
        build: dict[str, Callable[[Parser, int], nodes.Node]] = {
            "__claim": self._parse_claim,
            "__typed": self._parse_typed,
            "__exempt": self._parse_exempt,
        }
        return build[token.value](parser, number)

    def _parse_claim(self, parser: Parser, number: int) -> nodes.Node:
        expression = parser.parse_expression()
        negated = isinstance(expression, nodes.Not)
        if isinstance(expression, nodes.Not):
            expression = expression.node
        body = parser.parse_statements(("name:__otherwise", "name:__endclaim"))
        if next(parser.stream).value == "__endclaim":
            return self._block("_claim", [expression, nodes.Const(negated), nodes.Const(1)], body, number)
        other = parser.parse_statements(("name:__endclaim",), drop_needle=True)
        holds = self.call_method("_holds", [expression, nodes.Const(negated)], lineno=number)
        first = self._block("_claim", [expression, nodes.Const(negated), nodes.Const(2)], body, number)
        second = self._block("_claim", [expression, nodes.Const(not negated), nodes.Const(2)], other, number)
        return nodes.If(holds, [*_look_ups(other), first], [], [*_look_ups(body), second], lineno=number)

    def _parse_typed(self, parser: Parser, number: int) -> nodes.Node:
        expression = value = parser.parse_expression()
        while isinstance(value, nodes.Filter) and value.node is not None:
            value = value.node
        expected = nodes.Const(None) if value is expression else expression
        body = parser.parse_statements(("name:__endtyped",), drop_needle=True)
        return self._block("_typed", [value, expected, nodes.Const(_path(value))], body, number)

    def _parse_exempt(self, parser: Parser, number: int) -> nodes.Node:
        reason = parser.parse_expression()
        body = parser.parse_statements(("name:__endexempt",), drop_needle=True)
        return self._block("_exempt", [reason], body, number)

    def _block(self, method: str, arguments: list[nodes.Expr], body: list[nodes.Node], number: int) -> nodes.Node:
        call = self.call_method(method, [nodes.ContextReference(), *arguments], lineno=number)
        return nodes.CallBlock(call, [], [], body, lineno=number)

    def _holds(self, item: object, negated: bool) -> bool:  # noqa: FBT001 - called from generated code
        _, claim = _claim_of(item)
        return claim.holds != negated

    def _claim(
        self,
        context: Context,
        item: object,
        negated: bool,  # noqa: FBT001 - called from generated code
        variants: int,
        caller: Callable[[], str],
    ) -> str:
        name, claim = _claim_of(item)
        text = caller()
        if claim.holds == negated and context.get("_draft"):
            text = _draft(text, name, claim.evidence)
        return recorder(context).mark("claim", name, text, holds=claim.holds, negated=negated, variants=variants)

    def _typed(self, context: Context, item: object, expected: object, path: str, caller: Callable[[], str]) -> str:
        setting = isinstance(item, int | float) and not isinstance(item, bool) and "." in path
        named = Named(path, Value(item)) if setting else _named(item, r"\typed")  # type: ignore[arg-type]
        if not isinstance(named.item, Value):
            raise TemplateError(f"'{named.id}' is a {_kind(named)}, not a number that could be typed")
        text = caller()
        expects = None if expected is None else without_marks(str(escape(expected)))
        judge = context.get("_judge")
        if context.get("_draft") and judge is not None and not judge(without_marks(text), named.item):
            text = _draft(text, named.id, expects or repr(named.item.number))
        number = named.item
        return recorder(context).mark("typed", named.id, text, expected=expects, number=number, setting=setting)

    def _exempt(self, context: Context, reason: str, caller: Callable[[], str]) -> str:
        return recorder(context).mark("exempt", reason, caller())


def recorder(context: Context) -> Recorder:
    """Return the recorder of the rendering that is under way."""
    found: Recorder = context[RECORDER]
    return found


def _placed(begin: Token, tokens: Iterator[Token], line: int, column: int) -> Iterator[Token]:
    """Yield the tokens of one tag with their places; only those on its first line share its column."""
    token = begin
    try:
        while True:
            below = token.lineno - begin.lineno
            yield Token(encode_place(line + below, 0 if below else column), token.type, token.value)
            if token.type in _ENDS:
                return
            token = next(tokens)
    except TemplateSyntaxError as error:
        error.lineno = encode_place(line + error.lineno - begin.lineno, 0 if error.lineno > begin.lineno else column)
        raise


def _look_ups(body: list[nodes.Node]) -> list[nodes.Node]:
    """Look up the results that a sentence names which is not printed: a slip is found now, not when results change."""
    whole = nodes.Scope(body)
    local = {"", "caller", "loop"} | {name.name for name in whole.find_all(nodes.Name) if name.ctx != "load"}
    guarded = {id(item) for node in whole.find_all((nodes.If, nodes.CondExpr)) for item in node.find_all(nodes.Getattr)}
    return [
        nodes.ExprStmt(item, lineno=item.lineno)
        for item in whole.find_all(nodes.Getattr)
        if id(item) not in guarded and _path(item).partition(".")[0] not in local
    ]


def _path(node: nodes.Node) -> str:
    """Return the dotted name that an expression is, such as ``cnn.settings.base.epochs``; nothing for another."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{_path(node.node)}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        index = node.arg.value
        return f"{_path(node.node)}[{index}]" if isinstance(index, int) else f"{_path(node.node)}.{index}"
    return ""


def _named(item: object, where: str) -> Named:
    if isinstance(item, Undefined):
        str(item)  # raises, with the name
    if not isinstance(item, Named):
        raise TemplateError(f"{where} needs the id of a result, such as section.key, not {item!r}")
    return item


def _claim_of(item: object) -> tuple[str, Claim]:
    named = _named(item, r"\claim")
    if not isinstance(named.item, Claim):
        raise TemplateError(
            f"'{named.id}' is a {_kind(named)}, not a claim",
            hint="add a Claim to the section's analyse(), or print a value with \\VAR{…}",
        )
    return named.id, named.item


def _kind(named: Named) -> str:
    return type(named.item).__name__.lower()


def _draft(text: str, name: str, note: str) -> str:
    return rf"\reportdraft{{{text}}}{{{escape(name)}: {escape(note)}}}"


__all__ = ["RECORDER", "Constructs", "Latex", "decode_place", "encode_place", "recorder"]
