"""Missing cells where columns depend on each other: rows of one pattern have marginal parameters of their own.

The E-step of a pattern is the two products of complete data, with natural parameters that are zero
for what is missing. The expectation of the missing cells is linear in the observed ones: so the
expected statistics of complete data follow from sums over the observed cells, pattern by pattern
and not row by row (Little & Rubin 2019, §11.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from em_cli.engine import exponential
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.cache import Recent
from em_cli.engine.patterns import Groups, grouped, keys, n_codes, write_codes
from em_cli.engine.scoring import LANES
from em_cli.engine.sweep_operator import completed
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.marginals import Key, Marginals, marginals, matrix, packed
from em_cli.families.gaussian.parameters import LOG_2PI, GaussianParameters, pairs

NUGGET = 1e-6  # of a variance: a column is never predicted better than that by the data as a whole
AT_ONCE = 1 << 18  # floats of the marginals that are made together

_recent = Recent[Marginals]()


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
    _known: list[Key] = field(repr=False)  # the patterns of the data
    _places: dict[Key, int] = field(repr=False)  # of these

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
        for made, place, rows in self._walk(groups, parameters):
            if wide:
                product(features[:f, rows], made.theta[place], out[..., rows])
            if (some := made.given) is not None:
                y = some.whitened(place, padded(features[1 : 1 + d, rows]))
                quadratic = np.einsum("tdm,tdm->tm", y, y)[:, : rows.stop - rows.start]
                constant = some.log_determinant[place] - 0.5 * some.n_seen[place] * LOG_2PI
                out[r, k, rows] = constant[:, None] - 0.5 * quadratic
        out += offset[..., None]

    def statistics(
        self, features: Array, responsibilities: Array, parameters: GaussianParameters | Filling | None
    ) -> Array:
        if parameters is None or isinstance(parameters, Filling):
            return self.filled(features, responsibilities, parameters.by if parameters else self.overall)
        sums = self.filled(features, responsibilities, parameters)
        if parameters.concentrated.any():
            r, k = np.nonzero(parameters.concentrated)
            own = self._whitened_moments(features, responsibilities, parameters)
            sums[r, k, 1 : self.base.n_features()] = own
        return sums

    def filled(self, features: Array, responsibilities: Array, parameters: GaussianParameters) -> Array:
        """Statistics in the coordinates of the family, what is missing filled in by the parameters."""
        f, d = self.base.n_features(), self.base.n_columns
        groups, features, responsibilities = self.in_order(features, responsibilities)
        shape = responsibilities.shape[:2]
        total, entropy = np.zeros((*shape, 1 + d, 1 + d)), np.zeros(shape)
        for made, places, slices in self.marginals(groups, parameters):
            raw = np.empty((len(places), *shape, f))
            for sums, rows in zip(raw, slices, strict=True):
                sums[...] = exponential.statistics(features[:f, rows], responsibilities[..., rows])
            whole = completed(raw.take(matrix(d), axis=-1), made.fill[places], made.spread[places])
            total += np.add.reduce(whole, axis=0)
            entropy += np.add.reduce(raw[..., 0] * made.entropy[places], axis=0)
        statistics = np.zeros((*shape, self.n_features()))
        statistics[..., :f] = total.reshape(*shape, -1).take(packed(d), axis=-1)
        statistics[..., f] = entropy
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
        for made, places, slices in self.marginals(groups, parameters):
            assert made.given is not None, "there are concentrated components"
            some, sums = made.given, np.empty((len(places), len(r), d, 1 + d))
            mass = np.empty((len(places), len(r), 1, 1))
            for own, weight, place, rows in zip(sums, mass, places.tolist(), slices, strict=True):
                y, own_mass = some.whitened(place, features[1 : 1 + d, rows]), responsibilities[r, k, None, rows]
                weighted = y * own_mass
                np.add.reduce(weighted, axis=-1, out=own[..., 0])
                np.matmul(weighted, np.swapaxes(y, -1, -2), out=own[..., 1:])
                np.add.reduce(own_mass, axis=-1, keepdims=True, out=weight)
            axes = some.axes[places]
            first += np.add.reduce(axes @ sums[..., :1], axis=0)
            moments = axes @ sums[..., 1:] @ np.swapaxes(axes, -1, -2) + mass * some.unknown(places)
            second += np.add.reduce(moments, axis=0)
        return np.concatenate([first[..., 0], second[:, *pairs(d)]], axis=1)

    def in_order(self, features: Array, responsibilities: Array) -> tuple[Groups, Array, Array]:
        groups = grouped(features[self.base.n_features() :])
        if groups.order is None:
            return groups, features, responsibilities
        return groups, features.take(groups.order, axis=-1), responsibilities.take(groups.order, axis=-1)

    def _walk(self, groups: Groups, parameters: GaussianParameters) -> Iterator[tuple[Marginals, int, slice]]:
        for made, places, slices in self.marginals(groups, parameters):
            for place, rows in zip(places.tolist(), slices, strict=True):
                yield made, place, rows

    def marginals(
        self, groups: Groups, parameters: GaussianParameters
    ) -> Iterator[tuple[Marginals, Integers, list[slice]]]:
        """The marginals of the groups, as many at a time as is affordable: with their places, and their rows."""
        wanted, (r, k) = keys(groups.codes), parameters.means.shape[:2]
        at_once = max(1, AT_ONCE // (r * k * (self.base.n_features() + 2 * (1 + self.base.n_columns) ** 2)))
        for first in range(0, len(wanted), at_once):
            some = wanted[first : first + at_once]
            known = _recent.of(parameters)
            if known is None or not all(key in known.places for key in some):
                made = marginals(parameters, (*some, *self._next(some, at_once - len(some))))
                known = _recent.keep(parameters, made, made.size)
            yield known, np.array([known.places[key] for key in some]), groups.slices[first : first + at_once]

    def _next(self, wanted: list[Key], room: int) -> list[Key]:
        """The patterns that will be wanted after these."""
        last, p = self._places.get(wanted[-1]), len(self._known)
        if last is None:
            return []
        own = set(wanted)
        following = (self._known[(last + step) % p] for step in range(1, min(p, room + len(wanted))))
        return [key for key in following if key not in own][:room]


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


def product(features: Array, theta: Array, out: Array) -> None:
    """Θ Φ; rows that are left over when the others go through by LANES are among as many zeros."""
    n = features.shape[1]
    whole = n // LANES * LANES
    if whole:
        exponential.log_density(features[:, :whole], theta, None, out[..., :whole])
    if whole < n:
        out[..., whole:] = np.matmul(theta, padded(features[:, whole:]))[..., : n - whole]


def padded(rows: Array) -> Array:
    n = rows.shape[1]
    wide = np.zeros((len(rows), -(-n // LANES) * LANES))
    wide[:, :n] = rows
    return wide
