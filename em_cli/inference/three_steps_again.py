"""Standard errors of what is related to components, by doing all three steps again (the bootstrap: Efron 1979).

Units are drawn anew with replacement, the model is fitted to them, they are assigned, and the relation is estimated: so
all that the first step leaves open is in these errors, and not as far only as it is linear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source, checked_groups
from em_cli.inference.claimed_errors import Claims, beliefs, unit_weights
from em_cli.inference.replicates import Verdict, weighted_replicates
from em_cli.inference.three_step import Classification, Method, Relation, assigned_to, solved, undone

FEWEST = 10  # resamples that tell anything
FAR = 8.0  # robust standard deviations from the median, beyond which an estimate has run away
NORMAL_QUARTILES = 1.349  # standard deviations between those of a normal law


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """Where the model ends on resamples of the units, by their numbers; and the weights (n,) that units have there."""

    model: Model
    blocks: Sequence[Block]
    assignment: str
    claims: Claims | None
    ends: Sequence[tuple[Parameters, int]]
    weights: Callable[[int], Array]
    drawn: int  # how many there were, of which the others lost a component

    def __iter__(self) -> Iterator[Classification]:
        """Of all units, with errors that are corrected as those of the fit are."""
        for parameters, number in self.ends:
            believed = np.concatenate([beliefs(self.model, parameters, block) for block in self.blocks], axis=1)
            found = Classification(believed, assigned_to(believed, self.assignment), self.weights(number))
            yield found if self.claims is None else replace(found, corrected=self.claims.corrected(found.errors))


def resamples(
    model: Model,
    start: Parameters,
    source: Source,
    runner: Runner,
    assignment: str,
    claims: Claims | None,
    frequencies: bool,
    many: int,
    seed: int,
) -> Resamples:
    """Of rows, or of groups of them; weights are frequencies, or else those of a sample."""
    blocks = [source[index] for index in range(len(source))]
    weights = np.concatenate([unit_weights(model, block) for block in blocks])
    lengths = (
        np.concatenate([np.diff(checked_groups(block)) for block in blocks])
        if model.latent.needs_groups
        else np.ones(len(weights), np.intp)
    )

    def of_units(number: int) -> Array:
        return weights * often(weights, frequencies, seed, number)

    def of_rows(number: int) -> Array:
        return np.repeat(often(weights, frequencies, seed, number), lengths)

    ends = [
        (replicate.parameters, replicate.number)
        for some in weighted_replicates(model, start, source, runner, of_rows, range(many))
        for replicate in some
        if replicate.verdict is not Verdict.LOST
    ]
    return Resamples(model, blocks, assignment, claims, ends, of_units, many)


def often(weights: Array, frequencies: bool, seed: int, number: int) -> Array:
    """(n,) by how much the weights of units are multiplied in a resample."""
    rng, n = np.random.default_rng((seed, number)), len(weights)
    if frequencies:
        total = weights.sum()
        return np.asarray(rng.multinomial(round(total), weights / total) / np.maximum(weights, 1e-300))
    return np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class ResampledEstimates:
    """Estimates, and the same (B, P) of resamples."""

    theta: Array  # (P,)
    again: Array

    @property
    def covariance(self) -> Array:
        """(P, P) over the resamples, of which those that have run away stand where they leave."""
        low, middle, high = np.quantile(self.again, [0.25, 0.5, 0.75], axis=0)
        reach = FAR / NORMAL_QUARTILES * (high - low)
        reach[reach == 0] = np.inf
        return np.atleast_2d(np.cov(np.clip(self.again, middle - reach, middle + reach).T))

    @property
    def interval(self) -> Array:
        """(2, P) of 95 %, by percentiles of the resamples."""
        return np.quantile(self.again, [0.025, 0.975], axis=0)

    def of(self, combined: Array) -> ResampledEstimates:
        """Of these linear combinations (Q, P)."""
        return ResampledEstimates(combined @ self.theta, self.again @ combined.T)


def resampled(
    relation: Relation, theta: Array, again: Resamples, method: Method, seen: Integers
) -> ResampledEstimates | None:
    """What resamples come to, near the estimates of all units; None where too few come to anything."""
    found = list[Array]()
    for one in again:
        if undone(one.errors) is not None and (one.posterior[:, seen] @ one.weights[seen] > 0).all():
            own = solved(relation, one.assigned[:, seen], one.errors, method, one.weights[seen], theta)
            if np.isfinite(own).all():
                found.append(own)
    return ResampledEstimates(theta, np.array(found)) if len(found) >= FEWEST else None
