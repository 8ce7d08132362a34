"""The type of each column: as the user says, or as its cells suggest."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.events import EXAMINING, Advanced, PhaseStarted
from em_cli.errors import DataError
from em_cli.printable import safe
from em_cli.sources.column_facts import Facts, Parts
from em_cli.sources.examined import Examined
from em_cli.sources.number_formats import number, written
from em_cli.sources.quoting import argument, joined, listed, plural, quoted, short
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.refusals import (
    all_refused,
    empty_column,
    no_column,
    refuse_impossible,
    refuse_infinite,
    refuse_untransformed,
    too_many_levels,
    without,
)
from em_cli.sources.schema import LEVELLED, Column
from em_cli.sources.suspicions import (
    marks_among_levels,
    may_be_otherwise,
    spelled_alike,
    survey_weights,
    suspicions,
    table_of_counts,
    totals,
)
from em_cli.sources.table import Notice
from em_cli.sources.text_types import (
    FEW_PER_LEVEL,
    LEFT_OUT,
    MANY_LEVELS,
    kind_of_codes,
    kind_of_text,
    levels_of,
    mostly_numbers,
    present,
)

_CODE_NAME = re.compile(
    r"(zip|post(al)?)[ _.-]?(code)?s?|plz|fips|postleitzahl|(area|country|region)[ _.-]?code", re.IGNORECASE
)
ENOUGH = 20  # rows, for two whole numbers to be taken for two levels
SMALL_MEAN = 5.0  # of counts: a normal distribution would reach below zero
FEW_LEVELS, SEVERAL = 7, 2  # numbers that are taken for levels, and rows of each
MASS_ROWS, MASS_SHARE = 10, 0.1  # of a value that stands out beside continuous ones, at least;
MASS_RATIO = 3.0  # and how often it is borne beside the next, unless most rows bear it
FEW_CELLS, FEW_CELLS_SHARE = 10, 0.1  # of the rows: a column that has fewer is nearly empty
AT_THE_END = 0.05  # of the rows, at the highest of few counts
CODE_VALUES, ROWS_PER_CODE = 12, 10  # whole numbers that take few values, each many times, may be codes


@dataclass(slots=True)
class Decided:
    """The columns to fit, why each has its type where the cells decided, and what to say."""

    columns: list[Column] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)


def decide(
    parts: Parts,
    shown: str,
    options: ReadOptions,
    codes: Collection[str] = (),
    known: Mapping[str, tuple[str, str]] | None = None,
) -> Decided:
    """The type of every column; those that hold nothing, one value, or text that names rows, are left out.

    `codes` are those whose cells are numbers with leading zeros; of some columns the type, and why, is `known`.
    """
    found = Decided()
    left_out: dict[str, dict[str, str]] = {reason: {} for reason in LEFT_OUT}
    constant: list[Column] = []
    for name, (kind, why) in _kinds(parts, shown, options, codes, known or {}).items():
        column = parts[name]
        if kind in left_out:
            left_out[kind][name] = why
        elif (value := _only_value(name, parts, kind, options)) is not None:
            left_out["constant_column"][name] = value
            constant.append(_column(name, kind, column, shown, options))
        else:
            found.columns.append(_column(name, kind, column, shown, options))
            if why:
                found.why[name] = why
    few = _few_cells([column.name for column in found.columns], parts, options)
    if len(few) < len(found.columns):
        left_out["nearly_empty"] = few
        found.columns = [column for column in found.columns if column.name not in few]
        found.why = {name: why for name, why in found.why.items() if name not in few}
    if not found.columns:  # what is constant is refused where its rows are known
        found.columns, left_out["constant_column"] = constant, {}
    if not found.columns:
        raise no_column(
            shown,
            [name for names in left_out.values() for name in names],
            [*left_out["code_column"], *left_out["quoted_column"]],
        )
    for code, names in left_out.items():
        if names:
            listing = joined([safe(short(name)) + (f" ({value})" if value else "") for name, value in names.items()])
            found.notices.append(Notice(code, LEFT_OUT[code].format(listing)))
    return found


def _few_cells(names: Sequence[str], parts: Parts, options: ReadOptions) -> dict[str, str]:
    """Columns in which so few rows have a cell that no component can be told by them, and how many; not any named."""
    found = dict[str, str]()
    for name in names:
        seen, rows = present(parts[name]), sum(part.n_rows for part in parts[name])
        if seen < min(FEW_CELLS, FEW_CELLS_SHARE * rows) and name not in (*options.named, options.response):
            found[name] = f"{seen} of {plural(rows, 'row')}"
    return found


def _kinds(
    parts: Parts, shown: str, options: ReadOptions, codes: Collection[str], settled: Mapping[str, tuple[str, str]]
) -> dict[str, tuple[str, str]]:
    """The type of every column and what spoke for it, or the reason to leave it out; a refusal tells of all."""
    options.observe(PhaseStarted(EXAMINING, 0, len(parts)))
    kinds, refused = dict[str, tuple[str, str]](), dict[str, str]()
    for place, (name, column) in enumerate(parts.items()):
        known = present(column) or (options.blanks and name in options.named)
        if not known and name in options.named:
            raise empty_column(name, shown, options)
        try:
            found = _kind(name, parts, options, name in codes) if known else ("empty_column", "")
            kinds[name] = settled.get(name, found)
        except DataError as error:
            refused[name] = str(error)
        options.observe(Advanced(place, 1.0))
    if refused:
        raise DataError(all_refused(refused))
    return kinds


def remarks(
    columns: Sequence[Column],
    parts: Parts,
    options: ReadOptions,
    leading_zeros: Collection[str],
    place_of_last: Callable[[], str],
) -> list[Notice]:
    """What is to be said of columns that are fitted, some of which are written with leading zeros."""
    numeric = [column.name for column in columns if not column.levels]
    levels = [one.name for one in columns if one.levels and all(part.texts is None for part in parts[one.name])]
    found = suspicions({name: parts.facts(name) for name in numeric}, place_of_last)
    found += may_be_otherwise([name for name in numeric if name not in options.named], parts)
    if options.weights is None:
        found += table_of_counts(columns, parts)
        found += survey_weights({name: parts.facts(name) for name in numeric if name not in options.named})
    found += marks_among_levels({name: parts.facts(name) for name in levels})
    if not any(notice.code == "looks_like_total" for notice in found):
        found += [notice for name, column in parts.items() for notice in totals(name, column)]
    return found + _codes(columns, parts, options, leading_zeros) + _doubts(columns, parts, options)


def _codes(
    columns: Sequence[Column], parts: Parts, options: ReadOptions, leading_zeros: Collection[str]
) -> list[Notice]:
    """Numbers that may be codes, by how they are written or called; and counts that may be answers on a scale."""
    asked = [one for one in columns if options.type_of(one.name) == "auto"]
    numbers = [one.name for one in asked if one.type in ("numeric", "count")]
    written_so = [name for name in numbers if name in leading_zeros]
    levels_so = [one.name for one in asked if one.type == "categorical" and one.name in leading_zeros]
    called_so = [name for name in numbers if name not in leading_zeros and _CODE_NAME.fullmatch(name.strip())]
    bounded = [one.name for one in asked if one.type == "count" and _bounded(parts.facts(one.name))]
    said = {
        "written with leading zeros, as codes are, fitted as numbers": written_so,
        "named as codes are, fitted as numbers": called_so,
        "few whole numbers from 0 with many at the highest, as answers on a scale are, fitted as counts": bounded,
    }
    end = "--type NAME=categorical takes them as levels, --exclude leaves them out"
    found = [Notice("looks_like_code", f"{why}: {listed(names)}; {end}") for why, names in said.items() if names]
    if levels_so:
        why = "written with leading zeros, as codes are, taken as levels"
        as_number = f"--type {argument(f'{levels_so[0]}=numeric')} takes it as a number"
        found.append(Notice("looks_like_code", f"{why}: {listed(levels_so)}; {as_number}"))
    return found


def _bounded(column: Facts) -> bool:
    """Whether counts end at a number that many rows bear, which a Poisson distribution does not."""
    n, rows = column.n_finite, column.rows
    return 2 < column.n_distinct <= FEW_LEVELS and n >= ENOUGH and bool(rows[-1] >= AT_THE_END * n)


def _only_value(name: str, parts: Parts, kind: str, options: ReadOptions) -> str | None:
    """The one value of a column that has no other; not of counts, nor of columns that the user named."""
    if name in options.named or kind == "count":
        return None
    if kind in LEVELLED:
        levels = levels_of(parts[name])
        return quoted(levels[0]) if len(levels) == 1 else None
    column = parts.facts(name)
    return f"{column.values[0] + 0.0:.15g}" if column.n_distinct == 1 and not column.n_infinite else None


def _column(name: str, kind: str, column: Sequence[Examined], shown: str, options: ReadOptions) -> Column:
    """A column of this type; refused if its cells cannot be of it."""
    levels = levels_of(column) if kind in LEVELLED else ()
    refuse_infinite(name, column[-1].infinite)
    transform = options.transforms.get(name)
    if transform is None:
        refuse_impossible(name, kind, column[-1].impossible, without(name, options))
    else:
        refuse_untransformed(name, transform, column[-1].impossible, without(name, options))
    if kind == "binary" and len(levels) > 2:
        raise too_many_levels(name, levels, shown)
    return Column(name, kind, levels, transform)


def _doubts(columns: Sequence[Column], parts: Parts, options: ReadOptions) -> list[Notice]:
    """What may have been taken for something else than it is."""
    many, codes = list[str](), list[str]()
    for one in columns:
        n_levels, column = len(one.levels), parts[one.name]
        if n_levels > MANY_LEVELS or (n_levels > 2 and present(column) < FEW_PER_LEVEL * n_levels):
            many.append(f"{safe(one.name)} ({n_levels:,})")
        guessed = options.type_of(one.name) == "auto" and one.name not in (*options.regressors, options.response)
        if one.type == "numeric" and guessed and _is_code(parts.facts(one.name)):
            codes.append(one.name)
    found = [*_taken(columns, parts, options), *spelled_alike({one.name: one.levels for one in columns})]
    if many:
        found.append(Notice("many_levels", f"few rows for each level, fitted anyway: {listed(many)}"))
    if codes:
        message = f"few whole numbers, fitted as numeric: {listed(codes)}; codes need --type NAME=categorical"
        found.append(Notice("looks_like_code", message))
    return found


def _taken(columns: Sequence[Column], parts: Parts, options: ReadOptions) -> Iterator[Notice]:
    """Columns of numbers that are not taken for such."""

    def of(type: str) -> list[str]:
        alike = [one.name for one in columns if one.type == type and options.type_of(one.name) == "auto"]
        return [name for name in alike if not any(part.n_text for part in parts[name])]

    def overruled(names: Sequence[str]) -> str:
        return f"{listed(names)}; --type {argument(f'{names[0]}=numeric')} takes it as a number"

    several = {name: _are_levels(parts.facts(name).rows) for name in of("categorical")}
    if names := [name for name, each in several.items() if each]:
        yield Notice("few_levels", f"few numbers, each in several rows, taken as levels: {overruled(names)}")
    if names := [name for name, each in several.items() if not each]:
        yield Notice("few_levels", f"few numbers, one of them in many rows, taken as levels: {overruled(names)}")
    guessed = [one.name for one in columns if one.type == "categorical" and options.type_of(one.name) == "auto"]
    if names := [name for name in guessed if mostly_numbers(parts[name])]:
        word = next(word for part in parts[names[0]] for word in part.forms)
        end = f"{listed(names)}; --na {argument(word)} takes {quoted(word)} for missing"
        yield Notice("mixed_levels", f"words among numbers, both taken as levels: {end}")
    if names := of("semicontinuous"):
        message = f"one value in many rows, others beside it, taken as semicontinuous: {overruled(names)}"
        yield Notice("point_mass", message)


def values_of(part: Examined, levels: tuple[str, ...]) -> Array:
    """The cells (n,) as numbers; as places of their levels, if there are any."""
    return recoded(part, {level: float(place) for place, level in enumerate(levels)}) if levels else part.values


def recoded(part: Examined, places: dict[str, float]) -> Array:
    """The cells (n,) as places of their levels; NaN where that is none of them."""
    if part.texts is None:
        distinct, values = np.unique(part.values, return_inverse=True)
        codes = [places.get(written(value), np.nan) if value == value else np.nan for value in distinct]
        return np.array(codes)[values]
    codes = [_place(text, places) for text in part.texts]
    looked_up: Array = np.array([*codes, np.nan])[np.nan_to_num(part.values, nan=len(codes)).astype(np.intp)]
    return looked_up


def _place(text: str, places: dict[str, float]) -> float:
    """Of a cell among the levels, which may write the same number in another way."""
    value = None if text in places else number(text)
    return places.get(text if value is None else written(value), np.nan)


def _kind(name: str, parts: Parts, options: ReadOptions, code: bool) -> tuple[str, str]:
    """The type and what spoke for it; or the reason to leave the column out."""
    asked, column = options.type_of(name), parts[name]
    if asked in LEVELLED:
        return asked, ""
    if any(part.n_text for part in column):
        return kind_of_codes(name, column, options) if code else kind_of_text(name, column, asked, options)
    if asked != "auto" or name in options.regressors:
        return asked if asked != "auto" else "numeric", ""
    kind, why = kind_of_numbers(name, parts.facts(name), options)
    if name == options.response and kind not in ("binary", "count"):
        return "numeric", ""
    return kind, why


def kind_of_numbers(name: str, column: Facts, options: ReadOptions) -> tuple[str, str]:
    """The same where all cells are numbers."""
    whole, distinct, n, n_distinct = column.whole, column.values, column.n_finite, column.n_distinct
    if column.dates and name not in options.named:
        return "date_column", ""
    if n_distinct == 2 and (distinct.tolist() == [0, 1] or (n >= ENOUGH and (whole or column.rows.min() >= SEVERAL))):
        return "binary", f"{written(distinct[0])} or {written(distinct[1])}"
    if whole and n_distinct > 2 and distinct[0] == 0 and column.mean < SMALL_MEAN and not _has_gaps(column):
        return "count", f"whole numbers from 0 to {written(distinct[-1])}, mean {column.mean:.2g}"
    crowded = n_distinct > 2 and _has_mass(column.rows, n)
    if 2 < n_distinct <= FEW_LEVELS + crowded and (crowded or _are_levels(column.rows)):
        return "categorical", f"{n_distinct} numbers from {written(distinct[0])} to {written(distinct[-1])}"
    if crowded:
        top = int(column.rows.argmax())
        return "semicontinuous", f"{written(distinct[top])} in {column.rows[top]:,} of {n:,} rows"
    return "numeric", ""


def _are_levels(rows: Integers) -> bool:
    """Whether few distinct numbers are borne by several rows each, so many rows in all that they may be levels."""
    return bool(rows.min() >= SEVERAL and rows.sum() >= max(ENOUGH, FEW_PER_LEVEL * len(rows)))


def _has_gaps(column: Facts) -> bool:
    """Whether few whole numbers from 0 leave out most of those between them, as codes do and counts do not."""
    return column.n_distinct <= FEW_LEVELS and 2 * column.n_distinct <= column.values[-1] and _are_levels(column.rows)


def _has_mass(rows: Integers, n: int) -> bool:
    """Whether one of the values stands out by the rows, of so many, that bear it."""
    *_, second, top = np.sort(rows)
    return bool(top >= max(MASS_ROWS, MASS_SHARE * n) and (top >= MASS_RATIO * second or 2 * top > n))


def _is_code(column: Facts) -> bool:
    few = 2 < column.n_distinct <= CODE_VALUES
    return column.whole and few and column.n_finite >= ROWS_PER_CODE * column.n_distinct
