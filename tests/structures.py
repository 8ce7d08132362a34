"""Latent structures that the tests bring along: what is to come must find its place in the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import digamma, gammaln

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.latent import Posterior
from em_cli.engine.rows import Block, checked_groups
from em_cli.errors import UsageError

STEPS = 100  # of the memberships of a document, after which they are at rest


class Grouped:
    """What the two have in common: groups of rows, no outcome beyond the components, no chart."""

    extra: tuple[str, ...] = ()
    needs_groups = True
    decoder = None
    kindred = None

    def bind(self, family: Any, columns: Any) -> Any:
        return self

    def seen(self, responsibilities: Array, block: Block) -> None:
        return None

    def mixed(self, statistics: Any, shares: Array) -> None:
        return None

    def arranged(self, partition: Integers, n_components: int, block: Block, seed: Any) -> Integers:
        return partition

    def settled(self, parameters: Any, weight: Array) -> Any:
        return parameters

    def chart(self, parameters: Any, weight: Array) -> None:
        return None


def refuse_all_but_soft(assignment: Assignment) -> None:
    if assignment != SOFT:
        raise UsageError("this latent structure knows no responsibilities but its own.")


@dataclass(frozen=True)
class ChainParameters:
    initial: Array  # (R, K)
    transitions: Array  # (R, K, K)


@dataclass(frozen=True)
class MarkovChain(Grouped):
    """Labels of the rows of a group follow a Markov chain (Baum et al. 1970); groups may have weights."""

    def divergence(self, parameters: Any) -> float:
        return 0.0

    def log_prior(self, parameters: ChainParameters) -> Array:
        return np.zeros_like(parameters.initial)

    def posterior(
        self,
        log_density: Array,
        parameters: ChainParameters,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        """Forward and backward, scaled, all groups side by side; the log-likelihood is that of each group."""
        refuse_all_but_soft(assignment)
        groups = checked_groups(block)
        active = _active(groups)
        largest = log_density.max(axis=1)
        density = np.exp(log_density - largest[:, None])
        scale = np.empty_like(largest)
        forward = log_density
        for t, rows in enumerate(active):
            before = parameters.initial[:, :, None] if t == 0 else _moved(parameters, forward[:, :, rows - 1])
            joint = before * density[:, :, rows]
            scale[:, rows] = joint.sum(axis=1)
            forward[:, :, rows] = joint / scale[:, None, rows]
        steps = np.zeros_like(parameters.transitions)
        backward = np.ones_like(density)
        for rows in active[:0:-1]:
            ahead = density[:, :, rows] * backward[:, :, rows] / scale[:, None, rows]
            known = forward[:, :, rows - 1] if weights is None else forward[:, :, rows - 1] * weights[..., None, rows]
            steps += known @ ahead.swapaxes(1, 2)
            backward[:, :, rows - 1] = parameters.transitions @ ahead
        forward *= backward
        if weights is not None:
            forward *= weights[..., None, :]
        log_likelihood = np.add.reduceat(largest + np.log(scale), groups[:-1], axis=1)
        return Posterior(log_likelihood, (forward[:, :, groups[:-1]].sum(axis=2), steps * parameters.transitions))

    def total(self, log_likelihood: Array, block: Block, weights: Array | None) -> Array:
        if weights is not None:
            log_likelihood = log_likelihood * weights[..., checked_groups(block)[:-1]]
        return log_likelihood.sum(axis=1)

    def maximize(self, weight: Array, statistics: Any, parameters: Any) -> ChainParameters:
        k = weight.shape[-1]
        if statistics is None:
            sticky = np.broadcast_to(0.8 * np.eye(k) + 0.2 / k, (*weight.shape, k))
            return ChainParameters(np.full(weight.shape, 1 / k), sticky.copy())
        first, steps = (np.maximum(array, 1e-300) for array in statistics)
        return ChainParameters(first / first.sum(-1, keepdims=True), steps / steps.sum(-1, keepdims=True))


def _active(groups: Integers) -> list[Integers]:
    """The t-th rows of all groups that have so many, for each t."""
    lengths = np.diff(groups)
    order = np.argsort(-lengths, kind="stable")
    first, many = groups[:-1][order], np.searchsorted(-lengths[order], -np.arange(lengths.max()), "left")
    return [first[:m] + t for t, m in enumerate(many.tolist())]


def _moved(parameters: ChainParameters, before: Array) -> Array:
    return parameters.transitions.swapaxes(1, 2) @ before


def plain_forward_backward(
    log_density: Array, initial: Array, transitions: Array, groups: Integers
) -> tuple[float, Array]:
    """Log-likelihood and responsibilities (K, n) of log-densities (K, n), one row after the other."""
    largest = log_density.max(axis=0)
    density = np.exp(log_density - largest).T
    log_scale, r = np.empty(len(density)), np.empty_like(density)
    for first, stop in zip(groups[:-1].tolist(), groups[1:].tolist(), strict=True):
        ahead = initial
        for t in range(first, stop):
            r[t] = ahead * density[t]
            scale = r[t].sum()
            r[t] /= scale
            log_scale[t], ahead = np.log(scale), r[t] @ transitions
        backward = np.ones(len(initial))
        for t in range(stop - 2, first - 1, -1):
            backward = transitions @ (density[t + 1] * backward)
            backward /= r[t] @ backward
            r[t] *= backward
    return float((largest + log_scale).sum()), r.T


@dataclass(frozen=True)
class Concentration:
    alpha: Array  # (R, K)


@dataclass(frozen=True)
class MixedMembership(Grouped):
    """Each group of rows has mixing weights of its own, from a Dirichlet prior (Blei, Ng & Jordan 2003).

    Case weights are counts: they are in the bound of a group, which is what it adds to the objective.
    """

    alpha: float = 0.5

    def divergence(self, parameters: Any) -> float:
        return 0.0

    def log_prior(self, parameters: Concentration) -> Array:
        return np.zeros_like(parameters.alpha)

    def posterior(
        self,
        log_density: Array,
        parameters: Concentration,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        refuse_all_but_soft(assignment)
        groups = checked_groups(block)
        counts = np.ones(block.n_rows) if block.weights is None else block.weights
        bounds = np.empty((len(log_density), len(groups) - 1))
        for r, alpha in enumerate(parameters.alpha):
            bounds[r] = memberships(log_density[r], alpha[:, None], counts, groups)
        if weights is not None:
            log_density *= weights[..., None, :]
        return Posterior(bounds, None)

    def total(self, log_likelihood: Array, block: Block, weights: Array | None) -> Array:
        """What a replicate weighs a document by stands over its counts."""
        if weights is not None and block.weights is not None:
            weights = weights / block.weights
        return (log_likelihood if weights is None else log_likelihood * weights[..., block.groups[:-1]]).sum(axis=1)

    def maximize(self, weight: Array, statistics: None, parameters: Any) -> Concentration:
        return Concentration(np.full(weight.shape, self.alpha))


def memberships(log_density: Array, alpha: Array, counts: Array, groups: Integers) -> Array:
    """The bound (G,) of each group, whose log-densities (K, n) the responsibilities overwrite."""
    lengths, first = np.diff(groups), groups[:-1]
    gamma = alpha + np.add.reduceat(counts, first) / len(alpha)
    for _ in range(STEPS):
        shares = digamma(gamma) - digamma(gamma.sum(axis=0))
        joint = log_density + np.repeat(shares, lengths, axis=1)
        largest = joint.max(axis=0)
        r = np.exp(joint - largest)
        total = r.sum(axis=0)
        r /= total
        before, gamma = gamma, alpha + np.add.reduceat(r * counts, first, axis=1)
    log_density[...] = r
    rows = np.add.reduceat(counts * (largest + np.log(total)), first)
    of_dirichlet = gammaln(before).sum(axis=0) - gammaln(before.sum(axis=0)) + ((alpha - before) * shares).sum(axis=0)
    bound: Array = rows + gammaln(alpha.sum()) - gammaln(alpha).sum() + of_dirichlet
    return bound
