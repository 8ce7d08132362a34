"""Components and other variables, once components are known up to errors of classification.

Rows are assigned to components, and what is wrong with that is corrected for: by weights that undo the expected
errors (BCH: Bolck, Croon & Hagenaars 2004), or by the likelihood of the assignments with these errors known (ML:
Vermunt 2010).
Standard errors are robust (sandwich), and have in them that the errors of classification are known from estimates
(Bakk, Oberski & Vermunt 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from em_cli.engine.arrays import Array, Integers

Method = Literal["bch", "ml"]
ErrorTables = tuple[Sequence[Array], Array, float]  # errors (L, L) at steps up along each of Q coordinates, then at
# steps down; the covariance (Q, Q) of the coordinates, and the length of a step

TINY = 1e-300
PASSES = 20_000  # of EM
AT_REST = 1e-10  # change of the parameters, relative to their size, at which EM ends
POLISHES = 20  # Newton steps after that
NORMAL_95 = 1.959964  # standard errors
FLAT = 1e-8  # scores, by unit, that are as good as zero
STEP = 1e-5  # of differences, relative to the size of a parameter
LEAST_SHARE = 1e-9  # of a component among those assigned, below which errors cannot be undone


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """What is believed of the components (L, n) of units, and to which these were assigned (L, n)."""

    posterior: Array
    assigned: Array  # shares; ones and zeros, if each is assigned to its likeliest component
    weights: Array  # (n,) case weights
    corrected: Array | None = None  # (L, L) errors that are known better than by what is believed

    @property
    def errors(self) -> Array:
        """(L, L) probabilities to be assigned to t, of a unit that belongs to s: s by row, t by column."""
        return self.claimed(self.posterior) if self.corrected is None else self.corrected

    def claimed(self, posterior: Array) -> Array:
        """(L, L) the errors of the same assignments, where this is believed."""
        return errors_among(posterior, self.assigned, self.weights)


def errors_among(posterior: Array, assigned: Array, weights: Array) -> Array:
    """(L, L) of assignments (L, n), if that (L, n) is the law of the components."""
    mass = posterior * weights
    together: Array = (mass @ assigned.T) / np.maximum(mass.sum(axis=1), TINY)[:, None]
    return together


def assigned_to(posterior: Array, assignment: str) -> Array:
    """(L, n) shares of each unit that components get: all to the likeliest (modal), or by their probabilities."""
    return np.eye(len(posterior))[posterior.argmax(axis=0)].T if assignment == "modal" else posterior


class Relation(Protocol):
    """What is related to the components; its parameters are estimated as if components were known, by these shares."""

    @property
    def n_components(self) -> int: ...
    def fitted(self, shares: Array, weights: Array, start: Array | None) -> Array:
        """Parameters (P,) at which the weighted sums of the scores are zero, given shares (L, n) of components."""

    def scores(self, shares: Array, theta: Array) -> Array:
        """(P, n) of the units, given shares (L, n) of components."""

    def log_density(self, theta: Array) -> Array:
        """(L, n) of component and unit together."""


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """Means and variances of a number y (n,) in each component, and the sizes of these: (means, variances, sizes)."""

    y: Array
    n_components: int

    def fitted(self, shares: Array, weights: Array, start: Array | None) -> Array:
        mass = shares * weights
        total = mass.sum(axis=1)
        mean = mass @ self.y / total
        variance = (mass * (self.y - mean[:, None]) ** 2).sum(axis=1) / total
        return np.concatenate([mean, variance, total / total.sum()])

    def scores(self, shares: Array, theta: Array) -> Array:
        mean, variance, size = np.split(theta[:, None], 3)
        away = self.y - mean
        return np.concatenate([shares * away, shares * (away**2 - variance), shares - size])

    def log_density(self, theta: Array) -> Array:
        mean, variance, size = np.split(theta[:, None], 3)
        variance = np.maximum(variance, TINY)
        away = -0.5 * ((self.y - mean) ** 2 / variance + np.log(2 * np.pi * variance))
        return np.asarray(away + np.log(np.maximum(size, TINY)))


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Shares of the levels (n,) in each component, and the sizes of these: (shares by component, sizes)."""

    levels: Integers
    n_levels: int
    n_components: int

    @property
    def _ones(self) -> Array:
        """(C, n)."""
        return np.asarray(self.levels == np.arange(self.n_levels)[:, None], np.float64)

    def fitted(self, shares: Array, weights: Array, start: Array | None) -> Array:
        mass = shares * weights
        total = mass.sum(axis=1)
        return np.concatenate([(mass @ self._ones.T / total[:, None]).ravel(), total / total.sum()])

    def _parts(self, theta: Array) -> tuple[Array, Array]:
        own = self.n_components * self.n_levels
        return theta[:own].reshape(self.n_components, self.n_levels), theta[own:]

    def scores(self, shares: Array, theta: Array) -> Array:
        p, size = self._parts(theta)
        away = shares[:, None] * (self._ones[None] - p[:, :, None])
        return np.concatenate([away.reshape(-1, len(self.levels)), shares - size[:, None]])

    def log_density(self, theta: Array) -> Array:
        p, size = self._parts(theta)
        return np.asarray(np.log(np.maximum(p[:, self.levels], TINY)) + np.log(np.maximum(size, TINY))[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class Logit:
    """Log-odds of each component against the first, linear in z (q, n), the first of which are ones."""

    z: Array
    n_components: int

    def _log_shares(self, theta: Array) -> Array:
        logits = np.concatenate([np.zeros((1, self.z.shape[1])), theta.reshape(-1, len(self.z)) @ self.z])
        logits -= logits.max(axis=0)
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=0)))

    def fitted(self, shares: Array, weights: Array, start: Array | None) -> Array:
        """By Newton's method, a step being halved until the likelihood rises: it is concave, whatever the shares."""
        theta = np.zeros((self.n_components - 1) * len(self.z)) if start is None else start
        log_likelihood = float((shares * weights * self._log_shares(theta)).sum())
        for _ in range(100 if start is None else 1):
            gradient = self.scores(shares, theta) @ weights
            step = np.linalg.lstsq(self._information(theta, weights), gradient, rcond=None)[0]
            for _ in range(40):
                higher = float((shares * weights * self._log_shares(theta + step)).sum())
                if higher >= log_likelihood:
                    break
                step = step / 2
            theta, log_likelihood = theta + step, max(log_likelihood, higher)
            if float(np.abs(gradient @ step)) < 1e-14 * max(1.0, abs(log_likelihood)):
                break
        return theta

    def _information(self, theta: Array, weights: Array) -> Array:
        p = np.exp(self._log_shares(theta))[1:]
        k, q = self.n_components - 1, len(self.z)
        blocks = [[(self.z * (weights * p[a] * ((a == b) - p[b]))) @ self.z.T for b in range(k)] for a in range(k)]
        return np.block(blocks).reshape(k * q, k * q)

    def scores(self, shares: Array, theta: Array) -> Array:
        away = (shares - np.exp(self._log_shares(theta)))[1:]
        return np.asarray((away[:, None] * self.z[None]).reshape(-1, self.z.shape[1]))

    def log_density(self, theta: Array) -> Array:
        return self._log_shares(theta)


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Those of the units, and how sure they are."""

    theta: Array  # (P,)
    covariance: Array  # (P, P)

    @property
    def interval(self) -> Array:
        """(2, P) of 95 %, by the normal law."""
        reach = NORMAL_95 * np.sqrt(np.maximum(np.diagonal(self.covariance), 0.0))
        return np.stack([self.theta - reach, self.theta + reach])

    def of(self, combined: Array) -> Estimates:
        """Of these linear combinations (Q, P)."""
        return Estimates(combined @ self.theta, combined @ self.covariance @ combined.T)


def related(
    relation: Relation,
    found: Classification,
    method: Method,
    seen: Integers,
    frequencies: bool,
    open_errors: ErrorTables | None,
) -> Estimates:
    """The relation among the units that are `seen` (m,), with its robust covariance.

    Weights are frequencies, or else those of a sample. `open_errors` is how errors of classification vary, if known.
    """
    assigned, weights, errors = found.assigned[:, seen], found.weights[seen], found.errors
    theta = solved(relation, assigned, errors, method, weights)
    bread = -_jacobian(relation, assigned, errors, method, weights, theta)
    scores = relation.scores(_shares(relation, assigned, errors, method, theta), theta)
    meat = scores * (weights if frequencies else weights**2) @ scores.T
    if open_errors is not None:
        tables, covariance, length = open_errors
        sums = np.array(
            [relation.scores(_shares(relation, assigned, one, method, theta), theta) @ weights for one in tables]
        )
        up, down = np.split(sums, 2)
        slope = (up - down).T / (2 * length)
        meat = meat + slope @ covariance @ slope.T
    half = np.linalg.lstsq(bread, meat, rcond=None)[0]
    whole = np.linalg.lstsq(bread, half.T, rcond=None)[0]
    return Estimates(theta, (whole + whole.T) / 2)


def undone(errors: Array) -> Array | None:
    """(L, L) the inverse of errors of classification; None if nobody was assigned to a component."""
    if (np.linalg.svd(errors, compute_uv=False)[-1] < LEAST_SHARE) or not np.isfinite(errors).all():
        return None
    return np.asarray(np.linalg.inv(errors))


def _shares(relation: Relation, assigned: Array, errors: Array, method: Method, theta: Array | None) -> Array:
    """(L, n) of components: by the errors undone, or as they are to be expected given unit and assignment."""
    if method == "bch" or theta is None:
        inverse = undone(errors)
        assert inverse is not None, "errors were looked at"
        return np.asarray(inverse.T @ assigned)
    density = relation.log_density(theta)
    density = np.exp(density - density.max(axis=0))
    total: Array = np.zeros_like(density)
    for t in range(len(errors)):
        joint = density * errors[:, t, None]
        total += assigned[t] * joint / np.maximum(joint.sum(axis=0), TINY)
    return total


def solved(
    relation: Relation, assigned: Array, errors: Array, method: Method, weights: Array, near: Array | None = None
) -> Array:
    """The parameters (P,), which may be known to be near some."""
    if method == "bch":
        return relation.fitted(_shares(relation, assigned, errors, method, None), weights, None)
    if near is not None:
        theta, slope = _polished(relation, assigned, errors, weights, near)
        if np.abs(slope).max() <= FLAT * weights.sum():
            return theta
    theta = relation.fitted(assigned, weights, None)
    for _ in range(PASSES):
        before = theta
        theta = relation.fitted(_shares(relation, assigned, errors, method, theta), weights, theta)
        if np.abs(theta - before).max() <= AT_REST * max(1.0, float(np.abs(theta).max())):
            break
    return _polished(relation, assigned, errors, weights, theta)[0]


def _polished(relation: Relation, assigned: Array, errors: Array, weights: Array, theta: Array) -> tuple[Array, Array]:
    """Where EM ends, by Newton's method, and the scores there, which each step has to bring nearer to zero."""
    slope = relation.scores(_shares(relation, assigned, errors, "ml", theta), theta) @ weights
    for _ in range(POLISHES):
        step = np.linalg.lstsq(-_jacobian(relation, assigned, errors, "ml", weights, theta), slope, rcond=None)[0]
        there = theta + step
        new = relation.scores(_shares(relation, assigned, errors, "ml", there), there) @ weights
        if not np.isfinite(new).all() or np.abs(new).max() >= np.abs(slope).max():
            break
        theta, slope = there, new
    return theta, slope


def _jacobian(
    relation: Relation, assigned: Array, errors: Array, method: Method, weights: Array, theta: Array
) -> Array:
    """(P, P) of the weighted sums of the scores, by central differences."""
    columns = []
    for place, size in enumerate(STEP * np.maximum(1e-3, np.abs(theta))):
        ends = []
        for sign in (1.0, -1.0):
            moved = theta.copy()
            moved[place] += sign * size
            ends.append(relation.scores(_shares(relation, assigned, errors, method, moved), moved) @ weights)
        columns.append((ends[0] - ends[1]) / (2 * size))
    return np.array(columns).T
