"""Rows grouped by the pattern of their missing cells.

A pattern is coded by numbers whose binary digits say which cells are missing, so that the codes
can stand among the features of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers

DIGITS = 52  # of a code: what a double holds without loss
LANES = 8  # rows are scored in multiples of it, so that each goes through the same instructions
REMEMBERED = 1 << 13  # codes
FEW = 64  # rows of a pattern; where they are no more, those of several patterns are looked at together


def n_codes(n_columns: int) -> int:
    return -(-n_columns // DIGITS)


def write_codes(missing: Flags, out: Array) -> None:
    """Write the codes (C, n) of rows whose missing cells are flagged (D, n)."""
    for code, first in zip(out, range(0, len(missing), DIGITS), strict=True):
        some = missing[first : first + DIGITS]
        np.matmul(2.0 ** np.arange(len(some)), some, out=code)


def codes(x: Array) -> Array:
    """Of the rows x (D, n), (C, n)."""
    out = np.empty((n_codes(len(x)), x.shape[1]))
    write_codes(np.isnan(x), out)
    return out


def decoded(codes: Array, n_columns: int) -> Flags:
    """Which cells (P, D) are missing in patterns of these codes (C, P)."""
    digits = np.floor(codes[:, :, None] / 2.0 ** np.arange(DIGITS)) % 2 > 0
    flags: Flags = np.concatenate(list(digits), axis=1)[:, :n_columns]
    return flags


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Rows of one pattern stand together: between two bounds, after they are put in order."""

    order: Integers | None  # (n,) of the rows; None if they are in order
    bounds: list[int]  # (P + 1,)
    codes: Array  # (C, P), in order

    @property
    def slices(self) -> list[slice]:
        return [slice(a, b) for a, b in zip(self.bounds, self.bounds[1:], strict=False)]


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Q patterns with about as many rows, M lanes for each; or a single one with many rows."""

    patterns: Integers  # (Q,)
    rows: Integers | slice  # (Q, M); in a lane too many the last row of the pattern stands again
    borne: Flags | None  # (Q, M) the other lanes; None of a single pattern

    def of(self, array: Array) -> Array:
        """(Q, …, M) of its rows, from (…, n) of all."""
        if isinstance(self.rows, slice):
            return array[None, ..., self.rows]
        last = array.ndim
        return array.take(self.rows, axis=-1).transpose(last - 1, *range(last - 1), last)

    def once(self, array: Array) -> Array:
        """The same, with zeros in the lanes that are too many."""
        own = self.of(array)
        return own if self.borne is None else own * self.borne.reshape(-1, *[1] * (array.ndim - 1), own.shape[-1])

    def room(self, out: Array) -> Array:
        """What may be overwritten for its rows of `out`, to be put there."""
        if isinstance(self.rows, slice):
            return out[None, ..., self.rows]
        return np.empty((len(self.rows), *out.shape[:-1], self.rows.shape[1]))

    def put(self, room: Array, out: Array) -> None:
        if self.borne is not None and not isinstance(self.rows, slice):
            last = out.ndim
            out[..., self.rows[self.borne]] = room.transpose(*range(1, last), 0, last)[..., self.borne]


def bundles(bounds: Sequence[int], patterns: Sequence[int]) -> list[Bundle]:
    """Some of the patterns, whose rows stand between bounds; the bundles name them by their places among these."""
    return _bundles(tuple(bounds[p] for p in patterns), tuple(bounds[p + 1] for p in patterns))


@lru_cache(maxsize=32)
def _bundles(begins: tuple[int, ...], ends: tuple[int, ...]) -> list[Bundle]:
    begin = np.array(begins)
    n_rows = np.array(ends) - begin
    lanes = LANES * 2 ** np.ceil(np.log2(np.maximum(n_rows / LANES, 1))).astype(np.intp)
    alone = np.flatnonzero(n_rows > FEW)
    found = [Bundle(np.array([p]), slice(begins[p], ends[p]), None) for p in alone.tolist()]
    for m in np.unique(lanes[n_rows <= FEW]):
        some, lane = np.flatnonzero((lanes == m) & (n_rows <= FEW)), np.arange(m)
        rows = begin[some, None] + np.minimum(lane, n_rows[some, None] - 1)
        found.append(Bundle(some, rows, lane < n_rows[some, None]))
    return found


def grouped(codes: Array) -> Groups:
    """The groups of rows by their codes (C, n); of few rows, they are remembered."""
    return _grouped(codes) if codes.size > REMEMBERED else _remembered(codes.tobytes(), len(codes))


@lru_cache(maxsize=16)
def _remembered(codes: bytes, n_codes: int) -> Groups:
    return _grouped(np.frombuffer(codes).reshape(n_codes, -1))


def _grouped(codes: Array) -> Groups:
    order = _order(codes)
    if order is not None:
        codes = codes.take(order, axis=1)
    changes = np.logical_or.reduce(codes[:, 1:] != codes[:, :-1], axis=0)
    bounds = [0, *(np.flatnonzero(changes) + 1).tolist(), codes.shape[1]]
    return Groups(order, bounds, codes[:, bounds[:-1]])


def pattern_order(x: Array) -> Integers | None:
    """How to put the rows x (D, n) in the order of their patterns, complete ones first; None if they are in order."""
    return _order(codes(x))


def _order(codes: Array) -> Integers | None:
    if len(codes) == 1 and (codes[0, 1:] >= codes[0, :-1]).all():
        return None
    order: Integers = np.lexsort(codes[::-1])
    return None if (order[1:] > order[:-1]).all() else order


def keys(codes: Array) -> list[tuple[float, ...]]:
    """The patterns of these codes (C, P), one by one."""
    return [tuple(code) for code in codes.T.tolist()]
