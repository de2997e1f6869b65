"""The part of Resource Graph's query language (KQL) that an inventory needs, over rows held in memory.

A query is a table and a chain of `where`, `project`, `order by`, `take`, `count` and `summarize count()`. Anything else
is refused with the piece that was not understood, so that a client never takes an approximate answer for a true one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

Row = Mapping[str, Any]
Value = Callable[[Row], Any]

_MOST_CHARACTERS: Final = 200_000
_DEEPEST: Final = 40


class QueryError(Exception):
    """A query that is not understood: `piece` is the offending part."""

    def __init__(self, piece: str, why: str = "not understood") -> None:
        super().__init__(f"{why}: {piece}")
        self.piece = piece


class Table(msgspec.Struct, kw_only=True):
    """Rows on their way through a query: the columns in order, and whether paging is still possible."""

    columns: list[str]
    rows: Sequence[Row]
    taken: bool = False  # `take` was used: Resource Graph gives no page token then


_TOKEN = re.compile(
    r"""\s+ | //[^\n]*
      | (?P<text>'(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*" | @'[^'\n]*')
      | (?P<number>-?\d+(?:\.\d+)?\b)
      | (?P<word>!?[A-Za-z_][\w-]*~?)
      | (?P<sign>=~|!~|==|!=|[|(),.=\[\]])""",
    re.VERBOSE,
)
_WORD = re.compile(r"[A-Za-z_$][\w$]*")


def _tokens(query: str) -> list[tuple[str, str]]:
    if len(query) > _MOST_CHARACTERS:
        raise QueryError(f"{len(query)} characters", "the query is too long")
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        if match is None:
            raise QueryError(query[at : at + 40])
        at = match.end()
        if match.lastgroup == "word":
            found.extend(_split_word(match.group()))
        elif match.lastgroup:
            found.append((match.lastgroup, match.group()))
    return found


def _split_word(word: str) -> list[tuple[str, str]]:
    """`in~` and `!has` are one operator each; elsewhere a `!`, `~` or `-` does not belong to a name."""
    if word.lower() in _OPERATORS or _WORD.fullmatch(word) or word.lower() == "project-away":
        return [("word", word)]
    raise QueryError(word)


def text_of(value: Any) -> str:
    """A value as KQL's `tostring` writes it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return msgspec.json.encode(value).decode()


def _same(a: Any, b: Any) -> bool:
    if isinstance(b, str):
        return a is not None and text_of(a) == b
    return isinstance(a, bool) is isinstance(b, bool) and bool(a == b)


def _folded(a: Any, b: Any) -> bool:
    return text_of(a).lower() == text_of(b).lower()


def _has(a: Any, b: Any) -> bool:
    return re.search(rf"(?<![a-z0-9]){re.escape(text_of(b).lower())}(?![a-z0-9])", text_of(a).lower()) is not None


_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": _same,
    "=~": _folded,
    "contains": lambda a, b: text_of(b).lower() in text_of(a).lower(),
    "has": _has,
    "startswith": lambda a, b: text_of(a).lower().startswith(text_of(b).lower()),
    "endswith": lambda a, b: text_of(a).lower().endswith(text_of(b).lower()),
}
_NEGATED: Final = {"!=": "==", "!~": "=~", **{f"!{name}": name for name in _COMPARE if name.isalpha()}}
_SETS: Final = {"in": "==", "in~": "=~", "!in": "==", "!in~": "=~"}
_OPERATORS: Final = frozenset({*_COMPARE, *_NEGATED, *_SETS})

_FUNCTIONS: Final[dict[str, Callable[[Any], Any]]] = {
    "tolower": lambda value: text_of(value).lower(),
    "tostring": text_of,
}
_TESTS: Final[dict[str, Callable[[Any], bool]]] = {
    "isempty": lambda value: text_of(value) == "",
    "isnotempty": lambda value: text_of(value) != "",
    "isnull": lambda value: value is None,
    "isnotnull": lambda value: value is not None,
}


class _Reader:
    """A recursive-descent reader over the tokens of one query."""

    def __init__(self, query: str) -> None:
        self.tokens = _tokens(query)
        self.at = 0
        self.depth = 0
        self.columns: set[str] = set()

    def peek(self, ahead: int = 0) -> str:
        """The next token without taking it; empty at the end."""
        at = self.at + ahead
        return self.tokens[at][1] if at < len(self.tokens) else ""

    def kind(self) -> str:
        """What sort of token is next."""
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def take(self, *wanted: str) -> str:
        """The next token, which has to be one of these words or signs (any, if none is named)."""
        token = self.peek()
        if not token or (wanted and token.lower() not in wanted):
            raise QueryError(token or "end of query", f"expected {' or '.join(wanted)}" if wanted else "incomplete")
        self.at += 1
        return token

    def try_take(self, *wanted: str) -> bool:
        """Take the next token if it is one of these."""
        if self.peek().lower() in wanted:
            self.at += 1
            return True
        return False

    def name(self) -> str:
        """A bare name."""
        if self.kind() != "word" or not _WORD.fullmatch(self.peek()):
            raise QueryError(self.peek() or "end of query", "expected a name")
        return self.take()

    def literal(self) -> Any:
        """A text, number, `true`, `false` or `null` written in the query."""
        kind, token = self.kind(), self.peek()
        if kind == "text":
            self.at += 1
            return token[2:-1] if token.startswith("@") else re.sub(r"\\(.)", r"\1", token[1:-1])
        if kind == "number":
            self.at += 1
            return float(token) if "." in token else int(token)
        if token.lower() in ("true", "false"):
            self.at += 1
            return token.lower() == "true"
        raise QueryError(token or "end of query", "expected a value")

    def path(self) -> tuple[str, Value]:
        """A column, or a path into one: `properties.a['b']`; with the name it would have when projected."""
        start = self.at
        column = self.name()
        if column not in self.columns:
            raise QueryError(column, "no such column")
        steps: list[str | int] = []
        while self.peek() in (".", "["):
            if self.take() == ".":
                steps.append(self.name())
            else:
                step = self.literal()
                if not isinstance(step, str | int) or isinstance(step, bool):
                    raise QueryError(self.peek(), "expected a name or position")
                steps.append(step)
                self.take("]")
        if self.at - start > 4 * _DEEPEST:
            raise QueryError(column, "the path is too long")

        def read(row: Row) -> Any:
            value = row.get(column)
            for step in steps:
                if isinstance(step, int):
                    value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
                else:
                    value = value.get(step) if isinstance(value, Mapping) else None
            return value

        return "_".join([column, *map(str, steps)]), read

    def value(self) -> tuple[str, Value]:
        """A path, or `tolower(…)`, `tostring(…)` of one."""
        if self.peek().lower() in _FUNCTIONS and self.peek(1) == "(":
            function = _FUNCTIONS[self.take().lower()]
            self.take("(")
            self.enter()
            name, inner = self.value()
            self.depth -= 1
            self.take(")")
            return name, lambda row: function(inner(row))
        return self.path()

    def enter(self) -> None:
        """One level deeper; the depth is bounded."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise QueryError(self.peek(), "nested too deeply")

    def any_of(self) -> Value:
        """`a or b or …`."""
        self.enter()
        parts = [self.all_of()]
        while self.try_take("or"):
            parts.append(self.all_of())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def all_of(self) -> Value:
        """`a and b and …`."""
        parts = [self.one()]
        while self.try_take("and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def one(self) -> Value:
        """A comparison, a test such as `isnotempty(x)`, `not(…)`, or something in brackets."""
        if self.try_take("("):
            inner = self.any_of()
            self.take(")")
            return inner
        word = self.peek().lower()
        if word == "not" and self.peek(1) == "(":
            self.at += 2
            inner = self.any_of()
            self.take(")")
            return lambda row: not inner(row)
        if word in _TESTS and self.peek(1) == "(":
            self.at += 2
            _, inner = self.value()
            self.take(")")
            test = _TESTS[word]
            return lambda row: test(inner(row))
        _, left = self.value()
        return self.comparison(left)

    def comparison(self, left: Value) -> Value:
        """What follows the left side of a comparison."""
        operator = self.peek().lower()
        if operator not in _OPERATORS:
            raise QueryError(self.peek() or "end of query", "expected an operator")
        self.at += 1
        if operator in _SETS:
            self.take("(")
            values = [self.literal()]
            while self.try_take(","):
                values.append(self.literal())
            self.take(")")
            same, negated = _COMPARE[_SETS[operator]], operator.startswith("!")
            return lambda row: any(same(left(row), value) for value in values) is not negated
        right = self.literal()
        test = _COMPARE[_NEGATED.get(operator, operator)]
        if operator in _NEGATED:
            return lambda row: not test(left(row), right)
        return lambda row: test(left(row), right)


def run_query(query: str, tables: Mapping[str, Table]) -> Table:
    """Answer a query over tables named in lower case."""
    reader = _Reader(query)
    name = reader.name()
    if name.lower() not in tables:
        raise QueryError(name, "no such table")
    source = tables[name.lower()]
    table = Table(columns=list(source.columns), rows=source.rows, taken=source.taken)
    while reader.peek():
        reader.take("|")
        reader.columns = set(table.columns)
        word = reader.take()
        step = _STEPS.get(word.lower())
        if step is None:
            raise QueryError(word, "no such operator")
        table = step(reader, table)
        if reader.peek() not in ("", "|"):
            raise QueryError(reader.peek())
    return table


def _where(reader: _Reader, table: Table) -> Table:
    keep = reader.any_of()
    return Table(columns=table.columns, rows=[row for row in table.rows if keep(row)], taken=table.taken)


def _project(reader: _Reader, table: Table) -> Table:
    chosen: dict[str, Value] = {}
    while True:
        named = reader.name() if reader.peek(1) == "=" else None
        if named:
            reader.take("=")
        name, read = reader.value()
        if (named or name) in chosen:
            raise QueryError(named or name, "the column is there twice")
        chosen[named or name] = read
        if not reader.try_take(","):
            break
    rows = [{name: read(row) for name, read in chosen.items()} for row in table.rows]
    return Table(columns=list(chosen), rows=rows, taken=table.taken)


def _order(reader: _Reader, table: Table) -> Table:
    reader.take("by")
    keys: list[tuple[Value, bool]] = []
    while True:
        _, read = reader.value()
        ascending = reader.try_take("asc")  # descending unless told: KQL is the other way round than SQL
        if not ascending:
            reader.try_take("desc")
        keys.append((read, ascending))
        if not reader.try_take(","):
            break
    rows = list(table.rows)
    for read, ascending in reversed(keys):
        rows.sort(key=lambda row, read=read: _rank(read(row)), reverse=not ascending)  # type: ignore[misc]
    return Table(columns=table.columns, rows=rows, taken=table.taken)


def _rank(value: Any) -> tuple[int, float, str]:
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, bool | int | float):
        return (1, float(value), "")
    return (2, 0.0, text_of(value))


def _take(reader: _Reader, table: Table) -> Table:
    number = reader.literal()
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise QueryError(str(number), "expected a number")
    return Table(columns=table.columns, rows=table.rows[:number], taken=True)


def _count(reader: _Reader, table: Table) -> Table:
    return Table(columns=["Count"], rows=[{"Count": len(table.rows)}])


def _summarize(reader: _Reader, table: Table) -> Table:
    total = reader.name() if reader.peek(1) == "=" else "count_"
    reader.try_take("=")
    reader.take("count")
    reader.take("(")
    reader.take(")")
    by: dict[str, Value] = {}
    if reader.try_take("by"):
        while True:
            named = reader.name() if reader.peek(1) == "=" else None
            reader.try_take("=")
            name, read = reader.value()
            by[named or name] = read
            if not reader.try_take(","):
                break
    groups: dict[str, dict[str, Any]] = {}
    for row in table.rows:
        key = {name: read(row) for name, read in by.items()}
        group = groups.setdefault(msgspec.json.encode(list(key.values())).decode(), {**key, total: 0})
        group[total] += 1
    rows = [groups[key] for key in sorted(groups)] if by else [{total: len(table.rows)}]
    return Table(columns=[*by, total], rows=rows)


_STEPS: Final[dict[str, Callable[[_Reader, Table], Table]]] = {
    "where": _where,
    "project": _project,
    "order": _order,
    "sort": _order,
    "take": _take,
    "limit": _take,
    "count": _count,
    "summarize": _summarize,
}
