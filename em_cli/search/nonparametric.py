"""The likeliest mixture of a family with one parameter, whatever its number of components.

The log-likelihood is concave in the distribution of the parameter over components. Its derivative from a mixture g
towards a component at t is D(t) = Σ w f(x; t) / g(x) - Σ w, and no mixture is higher than g by more than the highest D
(Lindsay 1983, "The geometry of mixture likelihoods"). That is sought between the parameters that single rows have for
their own: their densities fall beyond these on either side. Components are added where D is highest, and all weights
found anew by constrained Newton steps (Wang 2007, "On fast computation of the non-parametric maximum likelihood
estimate of a mixing distribution").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from em_cli.engine.arrays import Array, Integers, take
from em_cli.engine.expectation import ModelStatistics, Parameters
from em_cli.engine.model import Model
from em_cli.engine.rows import Block, Source
from em_cli.engine.scoring import log_densities

ENOUGH = 1e-4  # nats that any mixture may be higher
NO_LOSS = 1e-5  # nats that two components may lose by being one
MOST_STEPS, MOST_COMPONENTS = 200, 40
MOST_ROWS, MOST_DISTINCT = 2_000_000, 10_000  # beyond, it is not sought
DENSITIES = 4_000_000  # of rows at points, at most
POINTS = (128, 1024)  # at least and at most
ROWS_OWN = 256  # parameters of single rows, between which the points lie
FINER, REFINED = 8, 2  # parts into which both sides of a high point are cut, and how often
UNKNOWN = 1e-60  # density of a row, relative to the highest that it can have
RIDGE = 1e-10  # of the largest: components may be all but equal
TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Likeliest:
    """A mixture than which none is likelier by more than a little, whatever the number of components."""

    statistics: Array  # (J, S) of the rows, shared out among its components
    at_most: float  # total log-likelihood that no mixture exceeds

    @property
    def n_components(self) -> int:
        return len(self.statistics)

    def as_start(self, model: Model) -> Parameters:
        """For a model of as many components, or more: some are halved then."""
        shares = list(self.statistics)
        while len(shares) < model.n_components:
            heaviest = max(range(len(shares)), key=lambda j: float(shares[j][0]))
            shares[heaviest] = shares[heaviest] / 2
            shares.append(shares[heaviest])
        own: Parameters = take(model.at_maximum(ModelStatistics(np.stack(shares)[None], None), None)[0], 0)
        return own


def likeliest(model: Model, source: Source) -> Likeliest | None:
    """None where it cannot be told: for other families, labelled rows, very many, or many components."""
    if not (_has_one_parameter(model) and source.n_rows <= MOST_ROWS):
        return None
    rows = _Rows.of(model, [source[index] for index in range(len(source))])
    return None if rows is None else rows.likeliest()


def _has_one_parameter(model: Model) -> bool:
    """Whether components have one each, with weights that are free, and no prior."""
    family, latent = model.family, model.latent
    one = family.exponential is not None and not family.exponential.needs_frame and not family.coupled
    free = not (latent.extra or latent.needs_groups) and latent.n_parameters(2) == 1
    plain = not (model.prior or model.has_conjugate_prior or model.is_variational)
    return one and free and plain and family.n_parameters(1) == 1


@dataclass(frozen=True, slots=True, eq=False)
class _Mixture:
    statistics: Array  # (J, S) whose maximum-likelihood parameters are those of the components, in their order
    weights: Array  # (J,)
    density: Array  # (J, n) of the components at the rows, in units of each row

    @property
    def total(self) -> Array:
        """(n,)"""
        return self.weights @ self.density


class _Rows:
    """Distinct complete rows, which weigh as much as all that are equal to them: others say nothing."""

    def __init__(self, model: Model, x: Array, weights: Array) -> None:
        self.model, self.x, self.weights = model, x, weights
        own = _own_statistics(model, x)
        wanted = max(int(np.clip(DENSITIES // len(weights), *POINTS)), len(own))
        self.points = _interpolated(own, np.linspace(0, len(own) - 1, wanted if len(own) > 1 else 1))
        self.features = _features(model, x)
        own_theta = _natural(model, self.features.T)
        self.unit = np.einsum("nf,fn->n", own_theta, self.features)  # logarithm of the highest density of each row
        self.density = np.exp(self._log_density(self.points) - self.unit)

    @classmethod
    def of(cls, model: Model, blocks: Sequence[Block]) -> _Rows | None:
        """None if there are no such rows, or too many, or some are labelled."""
        x = np.concatenate([block.x for block in blocks], axis=1)
        seen = ~np.isnan(x).any(axis=0)
        if not seen.any() or any(block.labels is not None for block in blocks):
            return None
        weights = np.concatenate([_weights(block) for block in blocks])
        distinct, place = np.unique(x[:, seen], axis=1, return_inverse=True)
        totals: Array = np.bincount(place.ravel(), weights[seen]).astype(np.float64)
        return cls(model, distinct, totals) if len(totals) <= MOST_DISTINCT else None

    def likeliest(self) -> Likeliest | None:
        mixture = self._begin()
        for _ in range(MOST_STEPS):
            if len(mixture.weights) > MOST_COMPONENTS:
                return None
            points, gains = self._tops(mixture)
            if gains.max() <= ENOUGH:
                log_likelihood = self.log_likelihood(mixture) + max(float(gains.max()), 0.0)
                simple = self._simplified(mixture)
                return Likeliest(self._shared_out(simple), log_likelihood) if self._is_sound(simple) else None
            mixture = self._climbed(mixture, points[_highest(gains)])
        return None

    def _begin(self) -> _Mixture:
        """One component for all rows; more for those of which it knows nothing, until they are too many."""
        statistics = self.weights @ self.features.T[None] / self.weights.sum()
        while True:
            mixture = self._mixture(statistics, np.full(len(statistics), 1 / len(statistics)))
            unknown = np.flatnonzero(mixture.total < UNKNOWN)
            if not len(unknown) or len(statistics) > MOST_COMPONENTS:
                return mixture
            statistics = np.concatenate([statistics, self.features[:, unknown[:1]].T])

    def log_likelihood(self, mixture: _Mixture) -> float:
        base = self.unit + self.model.family.base_measure(self.x)
        return float(self.weights @ (np.log(np.maximum(mixture.total, TINY)) + base))

    def _mixture(self, statistics: Array, weights: Array) -> _Mixture:
        return _Mixture(statistics, weights, np.exp(self._log_density(statistics) - self.unit))

    def _tops(self, mixture: _Mixture) -> tuple[Array, Array]:
        """The points (T, S) where D is higher than beside them, and D there (T,)."""
        slope = self.weights / mixture.total
        points, gains = self.points, self.density @ slope - self.weights.sum()
        for _ in range(REFINED):
            points = np.concatenate([_finer(points[max(top - 1, 0) : top + 2]) for top in _tops(gains)])
            gains = np.exp(self._log_density(points) - self.unit) @ slope - self.weights.sum()
        tops = _tops(gains)
        return points[tops], gains[tops]

    def _climbed(self, mixture: _Mixture, points: Array) -> _Mixture:
        """Components added at points, and all weights found anew."""
        more = self._mixture(np.concatenate([mixture.statistics, points]), np.zeros(0)).density
        before = np.concatenate([mixture.weights, np.zeros(len(points))])
        after, share, log_likelihood = self._newton(mixture, more, before), 1.0, np.log(mixture.total) @ self.weights
        weights = before
        while share > 1e-9:
            weights = before + share * (after - before)
            if np.log(np.maximum(weights @ more, TINY)) @ self.weights > log_likelihood:
                break
            share /= 2
        kept = weights > 0
        statistics = np.concatenate([mixture.statistics, points])[kept]
        return _Mixture(statistics, weights[kept] / weights[kept].sum(), more[kept])

    def _newton(self, mixture: _Mixture, density: Array, weights: Array) -> Array:
        """(J,) weights on the way to where the parabola that touches the log-likelihood at the mixture is highest.

        What would become negative on it is left out, and the highest sought among the others.
        """
        ratios = density / mixture.total * np.sqrt(self.weights)
        information, slope = ratios @ ratios.T, 2 * ratios @ np.sqrt(self.weights)
        information[np.diag_indices_from(information)] += RIDGE * information.max()
        left = np.arange(len(weights))
        while True:
            solved = np.linalg.solve(
                information[np.ix_(left, left)], np.stack([slope[left], np.ones(len(left))], axis=1)
            )
            top = solved[:, 0] + (1 - solved[:, 0].sum()) / solved[:, 1].sum() * solved[:, 1]
            if top.min() >= 0 or len(left) == 1:
                found: Array = np.zeros(len(weights))
                found[left] = np.maximum(top, 0.0)
                found /= found.sum()
                return found
            own = weights[left]
            shares = np.where(top < 0, own / np.maximum(own - top, TINY), np.inf)
            weights = weights.copy()
            weights[left] = own + shares.min() * (top - own)
            left = np.delete(left, shares.argmin())

    def _simplified(self, mixture: _Mixture) -> _Mixture:
        """With neighbours as one component where that loses nothing."""
        order = np.argsort(_places(self.model, mixture.statistics))
        statistics, weights = list(mixture.statistics[order]), list(mixture.weights[order])
        log_likelihood, place = self.log_likelihood(mixture), 0
        while place + 1 < len(weights):
            pair, own = np.stack(statistics[place : place + 2]), np.array(weights[place : place + 2])
            one = own @ pair / own.sum()
            joined = [*statistics[:place], one, *statistics[place + 2 :]]
            shares = [*weights[:place], own.sum(), *weights[place + 2 :]]
            if self.log_likelihood(self._mixture(np.stack(joined), np.array(shares))) > log_likelihood - NO_LOSS:
                statistics, weights = joined, shares
            else:
                place += 1
        return self._mixture(np.stack(statistics), np.array(weights))

    def _shared_out(self, mixture: _Mixture) -> Array:
        masses = mixture.weights * self.weights.sum()
        shared: Array = mixture.statistics / mixture.statistics[:, :1] * masses[:, None]
        return shared

    def _is_sound(self, mixture: _Mixture) -> bool:
        """Whether no component is degenerate by the distinct rows that it rests on."""
        support = (mixture.weights[:, None] * mixture.density / mixture.total).sum(axis=1)
        family = self.model.family
        return not any(family.degenerate(family.maximize(self._shared_out(mixture), None), support))

    def _log_density(self, statistics: Array) -> Array:
        """(P, n) of components at the parameters of statistics (P, S), less the base measure."""
        model = replace(self.model, n_components=len(statistics))
        stacked = Parameters(None, model.family.maximize(statistics[None], None))
        density: Array = log_densities(model, stacked, self.x, np.zeros((1, len(statistics))))[0]
        return density


def _own_statistics(model: Model, x: Array) -> Array:
    """(P, S) of single rows, in the order of their own parameters."""
    own: Array = _features(model, x).T
    _, first = np.unique(_places(model, own), return_index=True)
    few = np.unique(np.linspace(0, len(first) - 1, ROWS_OWN).round().astype(np.intp))
    return own[first[few]]


def _places(model: Model, statistics: Array) -> Array:
    """(P,) numbers that rise or fall with the parameters of statistics (P, S): the last natural ones."""
    last: Array = _natural(model, statistics)[:, -1]
    return last


def _natural(model: Model, statistics: Array) -> Array:
    """(P, F) natural parameters at the maximum likelihood of statistics (P, S)."""
    family = model.family
    assert family.exponential is not None, "it has one parameter"
    theta, _ = family.exponential.natural(family.maximize(statistics[None], None))
    own: Array = theta[0]
    return own


def _features(model: Model, x: Array) -> Array:
    features = np.empty((model.family.n_features(), x.shape[1]))
    model.family.features(x, features)
    return features


def _tops(gains: Array) -> Integers:
    """Where they are higher than beside; of equal ones the last."""
    beside = np.concatenate([[-np.inf], gains, [-np.inf]])
    return np.flatnonzero((gains >= beside[:-2]) & (gains > beside[2:]))


def _highest(gains: Array) -> Integers:
    """Those above zero, the highest where they are many: rounding makes tops of what is flat."""
    above = np.flatnonzero(gains > 0)
    highest = np.argsort(-gains[above], kind="stable")[:MOST_COMPONENTS]
    return above[np.sort(highest)]


def _finer(points: Array) -> Array:
    return _interpolated(points, np.linspace(0, len(points) - 1, (len(points) - 1) * FINER + 1))


def _interpolated(statistics: Array, places: Array) -> Array:
    """(P, S) between statistics that follow each other."""
    below = np.minimum(places.astype(np.intp), max(len(statistics) - 2, 0))
    above = np.minimum(below + 1, len(statistics) - 1)
    share = (places - below)[:, None]
    between: Array = statistics[below] * (1 - share) + statistics[above] * share
    return between


def _weights(block: Block) -> Array:
    return np.ones(block.n_rows) if block.weights is None else block.weights
