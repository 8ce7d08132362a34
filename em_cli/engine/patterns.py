"""Rows grouped by the pattern of their missing cells.

A pattern is coded by numbers whose binary digits say which cells are missing, so that the codes
can stand among the features of a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers

DIGITS = 52  # of a code: what a double holds without loss


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


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows of one pattern stand together: between two bounds, after they are put in order."""

    order: Integers | None  # (n,) of the rows; None if they are in order
    bounds: list[int]  # (P + 1,)
    codes: Array  # (C, P), in order

    @property
    def slices(self) -> list[slice]:
        return [slice(a, b) for a, b in zip(self.bounds, self.bounds[1:], strict=False)]


def grouped(codes: Array) -> Groups:
    """The groups of rows by their codes (C, n)."""
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
