"""The parameters of a Markov chain of labels: its laws, what is free in them, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers

TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, slots=True)
class ChainParameters:
    weights: Array  # (R, K) expected share of the rows; the likelihood does not depend on it
    initial: Array  # (R, K) law of the first state of a sequence
    transitions: Array  # (R, K, K) of the next state, given the one before


def renumbered(parameters: ChainParameters, order: Integers) -> ChainParameters:
    """Of parameters without a stack, the states in this order."""
    return ChainParameters(
        parameters.weights[order], parameters.initial[order], parameters.transitions[np.ix_(order, order)]
    )


def normalised(counts: Array) -> Array:
    """Laws (…, K) in proportion to counts."""
    counts = np.maximum(counts, TINY)
    return np.maximum(counts / np.add.reduce(counts, axis=-1, keepdims=True), TINY)


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What is free in a law of transitions (K, K): entries of a row share what the fixed ones leave."""

    fixed: Array  # (K, K), zero where free
    free: Flags  # (K, K)

    @property
    def left(self) -> Array:
        """(K, 1) probability that the free entries of a row share."""
        left: Array = 1 - self.fixed.sum(axis=1, keepdims=True)
        return left

    @property
    def n_free(self) -> int:
        return int(np.maximum(self.free.sum(axis=1) - 1, 0).sum())

    def log_prior(self, transitions: Array, alpha: Array) -> Array:
        """(…) log-density of the free shares of each row (…, K, K), which have Dirichlet laws with α (K, K)."""
        from scipy.special import gammaln

        several = self.free & (self.free.sum(axis=1, keepdims=True) > 1)
        own = np.where(several, alpha, 0.0)
        constant = gammaln(own.sum(axis=1)[several.any(axis=1)]).sum() - gammaln(alpha[several]).sum()
        shares = np.log(np.where(several, transitions / np.where(several, self.left, 1.0), 1.0))
        return np.asarray(np.add.reduce((own - several) * shares, axis=(-2, -1)) + constant)

    def law(self, counts: Array, otherwise: Array, least: float = TINY) -> Array:
        """The transitions (R, K, K) in proportion to counts; a row without any is as it was otherwise."""
        own = np.where(self.free, counts, 0.0)
        total = np.add.reduce(own, axis=-1, keepdims=True)
        shares = np.divide(own, total, out=np.zeros_like(own), where=total > 0)
        shares = np.maximum(shares, least)
        own = np.where(self.free, shares * self.left, self.fixed)
        return np.where((total > 0) | ~self.free.any(axis=1, keepdims=True), own, otherwise)


def unrestricted(k: int) -> Shape:
    return Shape(np.zeros((k, k)), np.ones((k, k), np.bool_))


def left_right(k: int) -> Shape:
    """From each state to itself or to the next; the last one is never left."""
    fixed = np.zeros((k, k))
    fixed[-1, -1] = 1.0
    free = np.eye(k, dtype=np.bool_) | np.eye(k, k=1, dtype=np.bool_)
    free[-1] = False
    return Shape(fixed, free)
