"""Terms of a regression: `x`, `x^2`, `log(x)`, `x:z`, and categories as levels less the first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.errors import UsageError

HIGHEST = 9  # power
_LOG = re.compile(r"log\((.+)\)")
_POWER = re.compile(r"(.+)\^(\d+)")


@dataclass(frozen=True, slots=True)
class Factor:
    """A column, its logarithm, or a power of it."""

    column: str
    power: int = 1
    log: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """A product of factors, as it was written."""

    said: str = field(compare=False)  # with the option, for messages
    factors: tuple[Factor, ...]


def term_of(text: str, option: str = "--on") -> Term:
    """`UsageError` if it is none."""
    return Term(f"{option} {text}", tuple(_factor(part.strip(), f"{option} {text}") for part in text.split(":")))


def _factor(part: str, said: str) -> Factor:
    if found := _LOG.fullmatch(part):
        return Factor(found[1].strip(), log=True)
    if found := _POWER.fullmatch(part):
        if not 1 <= int(found[2]) <= HIGHEST:
            raise UsageError(f"{said}: a power is a whole number from 1 to {HIGHEST}.")
        return Factor(found[1].strip(), int(found[2]))
    if not part:
        raise UsageError(f"{said}: that is no term; there are x, x^2, log(x) and x:z.")
    return Factor(part)


def columns_in(on: Sequence[str], common: Sequence[str] = ()) -> list[str]:
    """The columns that terms speak of, each once."""
    terms = [*map(term_of, on), *(term_of(text, "--common") for text in common)]
    return list(dict.fromkeys(factor.column for term in terms for factor in term.factors))


@dataclass(frozen=True, slots=True)
class Piece:
    """A factor at work: numbers of a column, or one of its levels."""

    place: int
    factor: Factor
    level: int | None = None

    def values(self, x: Array) -> Array:
        cells = x[self.place]
        if self.level is not None:
            return np.where(np.isnan(cells), np.nan, cells == self.level)
        if self.factor.log:
            return np.log(np.where(cells > 0, cells, np.nan))
        return np.asarray(cells**self.factor.power)


@dataclass(frozen=True, slots=True)
class Design:
    """The regressors (p, n) of rows: ones, then what the terms make of the columns."""

    names: tuple[str, ...]  # (p,)
    products: tuple[tuple[Piece, ...], ...]  # of all but the ones
    n_common: int = 0  # the last ones, whose coefficients are the same in all components

    def of(self, x: Array) -> Array:
        """(p, n) from the cells (D, n); NaN where a cell is missing, or has no logarithm."""
        made = np.ones((len(self.names), x.shape[1]))
        for row, pieces in zip(made[1:], self.products, strict=True):
            for piece in pieces:
                row *= piece.values(x)
        return made

    def refused(self, x: Array) -> Flags:
        """Which cells (D, n) have no logarithm where one is wanted."""
        found = np.zeros(x.shape, np.bool_)
        for pieces in self.products:
            for piece in pieces:
                if piece.factor.log:
                    found[piece.place] |= x[piece.place] <= 0
        return found

    @property
    def places(self) -> tuple[int, ...]:
        """The columns that any term speaks of."""
        return tuple(dict.fromkeys(piece.place for pieces in self.products for piece in pieces))


Made = list[tuple[str, tuple[Piece, ...]]]  # regressors with their names


def design_of(
    terms: Sequence[str], common: Sequence[str], names: Sequence[str], levels: Sequence[Sequence[str]]
) -> Design:
    """The design of terms for columns of these names and levels, which are none where a column holds numbers.

    Terms whose coefficients are common to all components stand last, whether or not they are among the others.
    """
    shared = [term_of(text, "--common") for text in common]
    own = _made([term for term in map(term_of, terms) if term not in shared], names, levels)
    last = _made(shared, names, levels)
    for option, some in (("--on", own), ("--common", last)):
        repeated = [name for at, (name, _) in enumerate(some) if name in [earlier for earlier, _ in some[:at]]]
        if repeated:
            raise UsageError(f"{option} names {repeated[0]!r} twice.")
    made = [*own, *last]
    return Design(("intercept", *(name for name, _ in made)), tuple(pieces for _, pieces in made), len(last))


def _made(terms: Sequence[Term], names: Sequence[str], levels: Sequence[Sequence[str]]) -> Made:
    made: Made = []
    for term in terms:
        choices = [_pieces(factor, term, list(names), levels) for factor in term.factors]
        made += [(":".join(name for name, _ in one), tuple(piece for _, piece in one)) for one in product(*choices)]
    return made


def _pieces(factor: Factor, term: Term, names: list[str], levels: Sequence[Sequence[str]]) -> list[tuple[str, Piece]]:
    if factor.column not in names:
        raise UsageError(f"{term.said}: there is no column {factor.column!r} among those of the model.")
    place = names.index(factor.column)
    if not levels[place]:
        return [(_written(factor), Piece(place, factor))]
    if factor.log or factor.power > 1:
        raise UsageError(f"{term.said}: column {factor.column!r} holds levels, which have no powers or logarithm.")
    return [
        (f"{factor.column}={level}", Piece(place, factor, code)) for code, level in enumerate(levels[place]) if code
    ]


def _written(factor: Factor) -> str:
    if factor.log:
        return f"log({factor.column})"
    return factor.column if factor.power == 1 else f"{factor.column}^{factor.power}"
