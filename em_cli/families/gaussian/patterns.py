"""Missing cells where columns depend on each other: rows of one pattern have marginal parameters of their own.

The E-step of a pattern is the two products of complete data, with natural parameters that are zero
for what is missing. The expectation of the missing cells is linear in the observed ones: so the
expected statistics of complete data follow from sums over the observed cells, pattern by pattern
and not row by row (Little & Rubin 2019, §11.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.cache import RECENT_FLOATS, Recent
from em_cli.engine.patterns import LANES, Bundle, Groups, bundles, grouped, keys, n_codes, write_codes
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.marginals import Key, Marginals, marginals
from em_cli.families.gaussian.parameters import LOG_2PI, GaussianParameters, pairs

NUGGET = 1e-6  # of a variance: a column is never predicted better than that by the data as a whole
AT_ONCE = 1 << 15  # numbers of the forms of one candidate that are looked at together

_recent = Recent[dict[tuple[Key, ...], Marginals]]()


@dataclass(frozen=True, slots=True)
class Filling:
    """Parameters that are no frame of reference, but by which what is missing is filled in."""

    by: GaussianParameters


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Behind the features of complete data stand the codes of the row's pattern.

    The statistics are expected ones of complete data, in the same place; then the sum of the
    entropies of what is missing, which makes their expected log-density that of the observed cells.
    """

    of_complete: ClassVar[float] = 0.0  # what a complete row adds to the statistics behind those of complete data

    base: BoundGaussian
    overall: GaussianParameters = field(repr=False)  # one component: the data as a whole
    known: list[Key] = field(repr=False)  # the patterns of the data
    places: dict[Key, int] = field(repr=False)  # of these

    @property
    def exponential(self) -> None:
        """Natural parameters are other ones for each pattern."""

    @property
    def reweighting(self) -> Patterns:
        return self

    def n_features(self) -> int:
        return self.base.n_features() + n_codes(self.base.n_columns)

    def write_missing(self, missing: Flags, out: Array) -> None:
        write_codes(missing, out)

    def parameters(self, of: GaussianParameters) -> GaussianParameters:
        return of

    def reference(self, parameters: GaussianParameters) -> Filling:
        """In which the statistics of different components add, expected ones as they are."""
        return Filling(parameters)

    def log_density(self, features: Array, parameters: GaussianParameters, offset: Array, out: Array) -> None:
        f, d = self.base.n_features(), self.base.n_columns
        groups = grouped(features[f:])
        if groups.order is not None:
            ordered = np.empty_like(out)
            self.log_density(features.take(groups.order, axis=-1), parameters, offset, ordered)
            out[..., groups.order] = ordered
            return
        (r, k), wide = np.nonzero(parameters.concentrated), not parameters.concentrated.all()
        for made, places, some in self._walk(groups, parameters):
            own, joint = some.of(features[:f]), some.room(out)
            if wide:
                product(own, made.theta[places], joint)
            if (exact := made.given) is not None:
                y = exact.whitened(places, padded(own[:, 1 : 1 + d]))
                quadratic = np.einsum("qtdm,qtdm->qtm", y, y)[..., : own.shape[-1]]
                constant = exact.log_determinant[places] - 0.5 * exact.n_seen[places, None] * LOG_2PI
                joint[:, r, k] = constant[..., None] - 0.5 * quadratic
            some.put(joint, out)
        out += offset[..., None]

    def statistics(
        self, features: Array, responsibilities: Array, parameters: GaussianParameters | Filling | None
    ) -> Array:
        if parameters is None or isinstance(parameters, Filling):
            return self.filled(features, responsibilities, parameters.by if parameters else self.overall)
        sums = self.filled(features, responsibilities, parameters, exactly=False)
        if parameters.concentrated.any():
            r, k = np.nonzero(parameters.concentrated)
            own = self._whitened_moments(features, responsibilities, parameters)
            sums[r, k, 1 : self.base.n_features()] = own
        return sums

    def filled(
        self, features: Array, responsibilities: Array, parameters: GaussianParameters, exactly: bool = True
    ) -> Array:
        """Statistics in the coordinates of the family, what is missing filled in by the parameters.

        Those of concentrated components are asked for exactly, or mean nothing.
        """
        f, shape = self.base.n_features(), responsibilities.shape[:2]
        groups, features, responsibilities = self.in_order(features, responsibilities)
        statistics = np.zeros((*shape, self.n_features()))
        for made, parts in self.marginals(groups, parameters):
            raw = np.zeros((len(made.theta), *shape, f))
            for places, some in parts:
                raw[places] = sums_of(some.of(features[:f]), some.once(responsibilities))
            statistics[..., :f] += made.completed(raw, raw[..., 0], exactly)
            statistics[..., f] += np.add.reduce(raw[..., 0] * made.entropy, axis=0)
        return statistics

    def maximize(self, statistics: Array, parameters: GaussianParameters | None) -> GaussianParameters:
        return self.base.maximize(statistics[..., : self.base.n_features()], parameters)

    def expected_log_density(self, statistics: Array, parameters: GaussianParameters) -> Array:
        f = self.base.n_features()
        return self.base.expected_log_density(statistics[..., :f], parameters) + statistics[..., f]

    def completed(self, statistics: Array, parameters: GaussianParameters) -> Array:
        """They are."""
        return statistics[..., : self.base.n_features()]

    def _whitened_moments(self, features: Array, responsibilities: Array, parameters: GaussianParameters) -> Array:
        """(T, F - 1) of the concentrated components, in coordinates where they are standard normal."""
        d, (r, k) = self.base.n_columns, np.nonzero(parameters.concentrated)
        groups, features, responsibilities = self.in_order(features, responsibilities)
        first, second = np.zeros((len(r), d, 1)), np.zeros((len(r), d, d))
        for made, places, some in self._walk(groups, parameters):
            assert made.given is not None, "there are concentrated components"
            y, mass = made.given.whitened(places, some.of(features[1 : 1 + d])), some.once(responsibilities[r, k])
            weighted, axes = y * mass[:, :, None], made.given.axes[places]
            first += np.add.reduce(axes @ np.add.reduce(weighted, axis=-1, keepdims=True), axis=0)
            moments = axes @ (weighted @ np.swapaxes(y, -1, -2)) @ np.swapaxes(axes, -1, -2)
            moments += np.add.reduce(mass, axis=-1)[..., None, None] * made.given.unknown(places)
            second += np.add.reduce(moments, axis=0)
        return np.concatenate([first[..., 0], second[:, *pairs(d)]], axis=1)

    def in_order(self, features: Array, responsibilities: Array) -> tuple[Groups, Array, Array]:
        groups = grouped(features[self.base.n_features() :])
        if groups.order is None:
            return groups, features, responsibilities
        return groups, features.take(groups.order, axis=-1), responsibilities.take(groups.order, axis=-1)

    def _walk(self, groups: Groups, parameters: GaussianParameters) -> Iterator[tuple[Marginals, Integers, Bundle]]:
        for made, parts in self.marginals(groups, parameters):
            for places, some in parts:
                yield made, places, some

    def marginals(
        self, groups: Groups, parameters: GaussianParameters
    ) -> Iterator[tuple[Marginals, list[tuple[Integers, Bundle]]]]:
        """The marginals of the groups, some at a time: with the places of patterns among them, and their rows.

        Which go together depends on no other candidates, and not on what rows there are beside these.
        """
        at_once = max(1, AT_ONCE // int(parameters.means.shape[1] * (1 + self.base.n_columns) ** 2))
        for wanted, parts in _parted(self, groups, at_once):
            yield _made(parameters, wanted), parts


@lru_cache(maxsize=16)
def _parted(of: Patterns, groups: Groups, at_once: int) -> list[tuple[tuple[Key, ...], list[tuple[Integers, Bundle]]]]:
    """So many patterns of the data at once; others beside each other likewise. Complete rows alone need none."""
    wanted, found = keys(groups.codes), []
    if len(wanted) == 1 and not any(wanted[0]):
        return [((wanted[0],), [(e.patterns, e) for e in bundles(groups.bounds, [0])])]
    places = [of.places.get(key) for key in wanted]
    together: dict[int, list[int]] = {}
    for p, place in enumerate(places):
        together.setdefault(-1 - p // at_once if place is None else place // at_once, []).append(p)
    for number, own in together.items():
        first = number * at_once
        some = tuple(wanted[p] for p in own) if number < 0 else tuple(of.known[first : first + at_once])
        among = np.array([a if number < 0 else (places[p] or 0) - first for a, p in enumerate(own)])
        found.append((some, [(among[e.patterns], e) for e in bundles(groups.bounds, own)]))
    return found


def _made(parameters: GaussianParameters, wanted: tuple[Key, ...]) -> Marginals:
    """Those of these patterns, remembered with others at the same parameters until all of them are too much."""
    known = _recent.of(parameters) or {}
    if (found := known.get(wanted)) is None:
        found = marginals(parameters, wanted)
        size = found.size + sum(each.size for each in known.values())
        if size > RECENT_FLOATS // 2:
            known, size = {}, found.size
        known[wanted] = found
        _recent.keep(parameters, known, size)
    return found


def patterns(base: BoundGaussian) -> Patterns:
    """Those of the data to which the family is bound."""
    columns, scale = base.columns, base.scale
    codes = np.empty((n_codes(len(scale)), len(columns.patterns)))
    write_codes(columns.patterns.T, codes)
    known = keys(codes)
    centre = ((columns.centre - columns.mean) / scale)[None, None]
    covariance = (columns.covariance / np.outer(scale, scale) + NUGGET * np.eye(len(scale)))[None, None]
    overall = base.completed(centre, covariance, floored=True)
    return Patterns(base, overall, known, {key: place for place, key in enumerate(known)})


def sums_of(features: Array, responsibilities: Array) -> Array:
    """Statistics (Q, R, K, F) of rows of several patterns (Q, F, m)."""
    if len(features) == 1:
        return exponential_family.statistics(features[0], responsibilities[0])[None]
    sums: Array = np.matmul(responsibilities, features.swapaxes(1, 2)[:, None])
    return sums


def product(features: Array, theta: Array, out: Array) -> None:
    """Θ Φ (Q, R, K, m) of rows (Q, F, m); those left over when the others go through by LANES are among zeros."""
    n = features.shape[-1]
    whole, features = n // LANES * LANES, features[:, None]
    if whole:
        exponential_family.log_density(features[..., :whole], theta, None, out[..., :whole])
    if whole < n:
        out[..., whole:] = np.matmul(theta, padded(features[..., whole:]))[..., : n - whole]


def padded(rows: Array) -> Array:
    """Rows (…, n) with zeros behind them, so that vectors of the processor are full."""
    n = rows.shape[-1]
    if n % LANES == 0:
        return rows
    wide = np.zeros((*rows.shape[:-1], -(-n // LANES) * LANES))
    wide[..., :n] = rows
    return wide
