"""Columns that tell nothing new beside the others: copies, and linear functions of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from em_cli.engine.arrays import Integers
from em_cli.engine.collinearity import LinearFunction, Pieces, linear_functions, one_to_one, sampled
from em_cli.engine.columns import WIDE
from em_cli.engine.curves import Curve, curves
from em_cli.printable import safe
from em_cli.sources.column_facts import Parts
from em_cli.sources.column_types import Decided, recoded
from em_cli.sources.examined import Examined
from em_cli.sources.quoting import short
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.schema import Column
from em_cli.sources.table import Notice

SHOWN = 8
SOME = 1000  # rows, of which most columns that are no copies of each other show it
ENOUGH, ENOUGH_PER_LEVEL = 20, 5  # rows, for levels that always go together to mean something


def leave_out_redundant(decided: Decided, parts: Parts, options: ReadOptions) -> None:
    """Leave out what is told by other columns, unless the user named it; and say so.

    A regression sees to its own, and so does what tells the mixing weights.
    """
    if options.response is not None or options.alleles is not None:
        return
    described = [column for column in decided.columns if column.name not in options.regressors]
    numbers = [column for column in described if not column.levels]
    levelled = [column for column in described if column.levels]
    ordered = [column for column in levelled if all(part.texts is None for part in parts[column.name])]  # as years are
    found = _functions(numbers, ordered, parts, options) | _copies(levelled, parts, options)
    kept = {name: said for name, said in found.items() if name in options.named}
    left_out = {name: said for name, said in found.items() if name not in options.named}
    if left_out:
        decided.columns = [column for column in decided.columns if column.name not in left_out]
        message = (
            f"left out, as other columns determine them: {_joined(left_out)}; --columns names what is fitted anyway"
        )
        decided.notices.append(Notice("copied_columns", message))
        for name in left_out:
            decided.why.pop(name, None)
    if kept:
        message = f"fitted as asked for, though other columns tell it: {_joined(kept)}; they count twice, and only the"
        message += " resolution of the data gives a full covariance any width along them"
        decided.notices.append(Notice("copied_columns", message))


def _joined(found: dict[str, str]) -> str:
    shown = list(found.values())[:SHOWN]
    return "; ".join(shown) + f"; … {len(found):,} in all" * (len(found) > SHOWN)


def _functions(
    columns: Sequence[Column], levels: Sequence[Column], parts: Parts, options: ReadOptions
) -> dict[str, str]:
    """Which columns of numbers are linear functions of others, and of numbers that are levels; how that is written."""
    names, kept = [column.name for column in (*columns, *levels)], len(columns)
    if not 2 <= len(names) <= WIDE:
        return {}
    lacking, n = [sum(part.n_missing for part in parts[name]) for name in names], parts.n_rows
    quarters = [4 * missing // n for missing in lacking]
    rows = sampled(n)
    pieces = None if len(rows) == n else lambda places: parts.pieces([names[j] for j in places])
    order = sorted(range(len(names)), key=lambda j: (j < kept, names[j] not in options.named, quarters[j]))
    found = {
        j: function for j, function in linear_functions(parts.some(names, rows), order, pieces).items() if j < kept
    }
    said = {j: f"{_short(names[j])} {_written(function, names)}" for j, function in found.items()}
    left = [j for j in range(len(names)) if j not in found]
    some = [j for j in range(len(left)) if left[j] < kept and names[left[j]] not in options.named]
    curved = curves(parts.some([names[j] for j in left], rows), some, _of(pieces, left))
    said |= {left[i]: _as_curve(names[left[i]], names[left[curve.of]], curve) for i, curve in curved.items()}
    return {names[j]: said[j] for j in sorted(said)}


def _of(pieces: Pieces | None, left: Sequence[int]) -> Pieces | None:
    """The pieces by the places of columns among those that are left."""
    return None if pieces is None else lambda places: pieces([left[place] for place in places])


def _as_curve(name: str, other: str, curve: Curve) -> str:
    """The function as an equation."""
    slope = "" if abs(curve.b) == 1 else f"{abs(curve.b):.10g} "
    made = f"{slope}{curve.shape.text.format(_short(other))}".replace(" 1/", "/")
    text = f"{'−' if curve.b < 0 else ''}{made}"
    if curve.a:
        text += f" {'−' if curve.a < 0 else '+'} {abs(curve.a):.10g}"
    return f"{_short(name)} = {text}"


def _short(name: str) -> str:
    return safe(short(name))


def _written(function: LinearFunction, names: Sequence[str]) -> str:
    """The function as an equation without its left side: what is added stands before what is taken off."""
    terms = [
        (b < 0, (f"{abs(b):.10g} " if abs(b) != 1 else "") + _short(names[i]))
        for b, i in zip(function.coefficients, function.of, strict=True)
    ]
    if function.intercept:
        terms.append((function.intercept < 0, f"{abs(function.intercept):.10g}"))
    text = ""
    for negative, term in sorted(terms, key=lambda term: term[0]):
        sign = "−" if negative else "+" if text else ""
        text += f" {sign} {term}" if text else f"{sign}{term}"
    return f"{'=' if function.exact else '≈'} {text}"


def _copies(columns: Sequence[Column], parts: Parts, options: ReadOptions) -> dict[str, str]:
    """Which columns of levels have other names for the levels of another, and how that is written."""
    n_present = {one.name: sum(part.n_rows - part.n_missing for part in parts[one.name]) for one in columns}
    order = sorted(columns, key=lambda column: column.name not in options.named)
    found: dict[str, str] = {}
    parting = {one.name: _parting(_places(one, parts[one.name][0])[:SOME]) for one in columns}
    for place, column in enumerate(order):
        n_levels = len(column.levels)
        if n_present[column.name] < max(ENOUGH, ENOUGH_PER_LEVEL * n_levels):
            continue
        for other in order[:place]:
            alike = len(other.levels) == n_levels and other.name not in found
            if parting[column.name] and parting[other.name]:
                alike = alike and parting[column.name] == parting[other.name]
            if alike and one_to_one(_pairs(column, other, parts), n_levels):
                found[column.name] = f"{_short(column.name)} has a level for each of {_short(other.name)}"
                break
    return found


def _pairs(column: Column, other: Column, parts: Parts) -> Iterator[tuple[Integers, Integers]]:
    """The places (m,) of the levels of both, piece by piece; -1 for a missing cell."""
    for first, second in zip(parts[column.name], parts[other.name], strict=True):
        yield _places(column, first), _places(other, second)


def _places(column: Column, part: Examined) -> Integers:
    """The places (n,) of the levels of some rows; -1 for a missing cell."""
    own = {level: float(place) for place, level in enumerate(column.levels)}
    return np.nan_to_num(recoded(part, own), nan=-1.0).astype(np.intp)


def _parting(places: Integers) -> bytes:
    """What is the same for columns that part these rows (n,) alike; nothing where cells are missing."""
    if not len(places) or places.min() < 0:
        return b""
    _, first, own = np.unique(places, return_index=True, return_inverse=True)
    return first[own].tobytes()
