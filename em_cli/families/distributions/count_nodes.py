"""Counts shared out among a few nodes, so that sums over counts are sums over nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, hypot, isfinite, log, pi

import numpy as np

from em_cli.engine.arrays import Array

SINGLE = 32  # counts below it are nodes themselves
UNKNOWN = 1e4  # the largest count, if nothing is known of it
DIGITS = 35.0  # nats to which interpolation is exact
TABLE = 4096  # counts whose shares are computed once


@dataclass(frozen=True, slots=True, eq=False)
class CountNodes:
    """Σ r g(x) over any rows is Σ v g(node), if v sums the shares of the rows in the nodes.

    Larger counts lie between Chebyshev points in log x, and their shares are Lagrange's: exact to
    rounding for any g that is analytic in log x where |Im log x| < π, as log Γ(x + s) is whatever
    s > 0, and x itself (Berrut & Trefethen 2004).
    """

    largest: float  # count; infinite, if it is not known

    nodes: Array = field(init=False, repr=False)  # (S,)
    table: Array = field(init=False, repr=False)  # (V, S) shares of the first counts

    def __post_init__(self) -> None:
        top = self.largest if isfinite(self.largest) else UNKNOWN
        if top < 2 * SINGLE:
            nodes = np.arange(ceil(top) + 1.0)
        else:
            angle = 2 * pi / log(top / SINGLE)  # π, where half the interval is one
            n = ceil(DIGITS / log(angle + hypot(angle, 1.0))) + 1
            logs = log(SINGLE) + log(top / SINGLE) * (0.5 - 0.5 * np.cos(pi * np.arange(n) / (n - 1)))
            nodes = np.concatenate([np.arange(float(SINGLE)), np.exp(logs)])
            nodes[[SINGLE, -1]] = SINGLE, top
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "table", self._shares(np.arange(min(ceil(top) + 1.0, TABLE))))

    def shares(self, counts: Array) -> Array:
        """(V, S) of each count; one above the largest is taken for it."""
        if counts.max(initial=0.0) < len(self.table):
            known: Array = self.table[counts.astype(np.intp)]
            return known
        return self._shares(counts)

    def _shares(self, counts: Array) -> Array:
        counts = np.minimum(counts, self.nodes[-1])[:, None]
        shares: Array = (counts == self.nodes).astype(np.float64)
        between = np.flatnonzero(~shares.any(axis=1))
        if len(between):
            with np.errstate(divide="ignore", invalid="ignore"):
                away = np.log(counts[between]) - np.log(self.nodes[SINGLE:])
                sign = np.where(np.arange(away.shape[1]) % 2, -1.0, 1.0)
                sign[[0, -1]] *= 0.5
                parts = sign / away
                parts /= parts.sum(axis=1, keepdims=True)
            shares[between, SINGLE:] = np.where((away == 0).any(axis=1, keepdims=True), away == 0, parts)
        return shares
