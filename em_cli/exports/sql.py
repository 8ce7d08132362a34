"""One SQL statement that scores the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from em_cli.exports.formula import Formula, choose, name, number
from em_cli.exports.language import BIGQUERY, DUCKDB, POSTGRES, SQLITE, Language
from em_cli.exports.spelled_levels import spellings, trimmed
from em_cli.exports.statement import Statement
from em_cli.printable import harmful
from em_cli.sources.number_formats import MISSING
from em_cli.sources.schema import Column


@dataclass(frozen=True, slots=True)
class Dialect:
    language: Language
    number: str  # the type of a number in double precision
    text: str
    quote: str  # around names
    character: str = "chr({0})"  # of this number
    fence: str = ""  # ends a step, which else is written out wherever the next names it, and so on: exponentially
    cell: str = "{0}"  # the number that a cell holds, or NULL where it is missing; {own} is as it stands


# SQLite has only text of an imported file, and casts what is no number to 0 without a word. Beside a number, text
# is compared as one where it is one, and else is beyond all numbers; what is wrong a path of JSON has to tell.
TEXT_IN_SQLITE = (
    f"CASE WHEN trim({{own}}) IN ({', '.join(map(repr, MISSING))}) THEN NULL "
    "WHEN {own} <= CAST(9e999 AS REAL) THEN {0} "
    "WHEN {own} IS NOT NULL THEN json_extract('{{}}', 'this is no number: ' || {own}) END"
)
DIALECTS: Mapping[str, Dialect] = {
    "duckdb": Dialect(DUCKDB, "DOUBLE", "VARCHAR", '"', cell="nullif({0}, CAST('NaN' AS DOUBLE))"),
    "postgres": Dialect(POSTGRES, "double precision", "text", '"', fence=" OFFSET 0", cell="nullif({0}, float8 'NaN')"),
    "sqlite": Dialect(SQLITE, "REAL", "TEXT", '"', "char({0})", " LIMIT -1 OFFSET 0", TEXT_IN_SQLITE),
    "bigquery": Dialect(BIGQUERY, "FLOAT64", "STRING", "`", cell="if(is_nan({0}), NULL, {0})"),
}


def sql_text(
    statement: Statement,
    dialect: Dialect,
    table: str,
    keep: Sequence[str],
    missing: Sequence[float],
    head: Sequence[str],
) -> Iterator[str]:
    """The statement, with the columns to keep before the scores; some numbers stand for missing cells."""
    yield "".join(f"-- {line}\n" for line in head)
    kept = {f"kept{place + 1}": column for place, column in enumerate(keep)}
    own = [f"{_name(column, dialect)} AS {alias}" for alias, column in kept.items()]
    own += [f"{_cell(column, dialect, missing)} AS x{j + 1}" for j, column in enumerate(statement.schema.columns)]
    yield f"WITH cells AS (\n  SELECT {_listed(own)}\n  FROM {_name(table, dialect)}{dialect.fence}\n)"
    last, steps = "cells", list(statement.steps)
    if statement.refused is not None:
        steps.insert(0, {"refused": choose(statement.refused, 1.0, 0.0)})
    for at, step in enumerate(steps):
        text = [f"{dialect.language.text(formula)} AS {own_name}" for own_name, formula in step.items()]
        yield f", step{at + 1} AS (\n  SELECT *, {_listed(text)}\n  FROM {last}{dialect.fence}\n)"
        last = f"step{at + 1}"
    outputs = [f"{alias} AS {_name(column, dialect)}" for alias, column in kept.items()]
    outputs += [
        f"{_output(formula, statement, dialect)} AS {_name(label, dialect)}" for label, formula in statement.outputs
    ]
    yield f"\nSELECT {_listed(outputs, 2)}\nFROM {last};\n"


def _listed(texts: Sequence[str], indent: int = 4) -> str:
    return (",\n" + " " * indent).join(texts)


def _output(formula: Formula, statement: Statement, dialect: Dialect) -> str:
    text = dialect.language.text(formula)
    if statement.refused is None:
        return text
    return f"CASE WHEN {dialect.language.text(name('refused'))} = {dialect.language.text(number(0.0))} THEN {text} END"


def _name(column: str, dialect: Dialect) -> str:
    if dialect.quote == "`":
        return "`" + column.replace("\\", "\\\\").replace("`", "\\`") + "`"
    return f"{dialect.quote}{column.replace(dialect.quote, dialect.quote * 2)}{dialect.quote}"


def _cell(column: Column, dialect: Dialect, missing: Sequence[float]) -> str:
    """The cell as a number, or the code of its level; NULL where it is missing, or a level that is not known."""
    own = _name(column.name, dialect)
    if column.levels:
        text = f"CAST({own} AS {dialect.text})"
        text = f"trim({text})" if trimmed(column.levels) else text
        ways: dict[int, list[str]] = {}
        for level, code in spellings(column.levels).items():
            ways.setdefault(code, []).append(_literal(level, dialect))
        codes = " ".join(f"WHEN {text} IN ({', '.join(own)}) THEN {code}" for code, own in ways.items())
        return f"CAST(CASE {codes} END AS {dialect.number})"
    cell = dialect.cell.format(f"CAST({own} AS {dialect.number})", own=own)
    if missing:
        codes = ", ".join(dialect.language.text(number(code)) for code in missing)
        return f"CASE WHEN {cell} NOT IN ({codes}) THEN {cell} END"
    return cell


def _literal(text: str, dialect: Dialect) -> str:
    """The text in quotes; characters that would act on a terminal stand as their numbers."""
    if not harmful(text):
        return _quoted(text, dialect)
    pieces = [(acts, "".join(run)) for acts, run in groupby(text, harmful)]
    return " || ".join(
        " || ".join(dialect.character.format(ord(one)) for one in run) if acts else _quoted(run, dialect)
        for acts, run in pieces
    )


def _quoted(text: str, dialect: Dialect) -> str:
    if dialect.quote == "`":
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return "'" + text.replace("'", "''") + "'"
