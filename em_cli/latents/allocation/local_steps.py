"""What is believed of the topics of documents, given the topics: the local step of variational Bayes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_cli.engine.arrays import Array, Integers


class Local(NamedTuple):
    """What a local step finds of G documents, for each of R candidates."""

    gamma: Array  # (R, K, G) Dirichlet posterior of the shares of their topics
    expected_log: Array  # (R, K, G) of these shares
    bound: Array  # (R, G) what each adds to the bound; that of the topics not counted


def local_steps(likelihood: Array, counts: Array, groups: Integers, alpha: Array, gamma: Array, steps: int) -> Local:
    """Coordinate ascent of γ (R, K, G) by so many steps, and the bound at its end.

    The expected likelihoods (R, K, n) of a token of each cell are overwritten by the expected tokens of its topics.
    """
    part = np.empty_like(likelihood)
    gamma = _ascended(likelihood, counts, groups, alpha, gamma, steps, part)
    return _at(likelihood, counts, groups, alpha, gamma, likelihood)


def better_steps(
    likelihood: Array, counts: Array, groups: Integers, alpha: Array, starts: tuple[Array, Array], steps: int
) -> Local:
    """The same from two places, of which each document keeps that with the higher bound."""
    part, own = np.empty_like(likelihood), np.empty_like(likelihood)
    first, second = (_ascended(likelihood, counts, groups, alpha, gamma, steps, part) for gamma in starts)
    one = _at(likelihood, counts, groups, alpha, first, own)
    two = _at(likelihood, counts, groups, alpha, second, part)
    higher = two.bound > one.bound
    of_cells = np.repeat(higher, np.diff(groups), axis=1)[:, None]
    np.copyto(likelihood, own)
    np.copyto(likelihood, part, where=of_cells)
    return Local(*(np.where(higher[:, None] if a.ndim == 3 else higher, b, a) for a, b in zip(one, two, strict=True)))


def _ascended(
    likelihood: Array, counts: Array, groups: Integers, alpha: Array, gamma: Array, steps: int, part: Array
) -> Array:
    lengths, first, prior = np.diff(groups), groups[:-1], alpha[..., None]
    for _ in range(steps):
        tokens(likelihood, counts, np.repeat(np.exp(expected_log(gamma)), lengths, axis=2), part)
        gamma = prior + np.add.reduceat(part, first, axis=2)
    return gamma


def _at(likelihood: Array, counts: Array, groups: Integers, alpha: Array, gamma: Array, out: Array) -> Local:
    """What is known there; the expected tokens of topics are written."""
    expected = expected_log(gamma)
    total = tokens(likelihood, counts, np.repeat(np.exp(expected), np.diff(groups), axis=2), out)
    bound = np.add.reduceat(counts * np.log(total), groups[:-1], axis=1) + _divergence(alpha, gamma, expected)
    return Local(gamma, expected, bound)


def tokens(likelihood: Array, counts: Array, shares: Array, out: Array) -> Array:
    """Write the expected tokens of topics (R, K, n); the likelihood (R, n) of each cell's tokens."""
    np.multiply(likelihood, shares, out=out)
    total: Array = np.add.reduce(out, axis=1)
    out *= (counts / total)[:, None]
    return total


def expected_log(gamma: Array) -> Array:
    """(R, K, G) of shares with these Dirichlet parameters."""
    from scipy.special import digamma

    total: Array = np.add.reduce(gamma, axis=1)
    expected: Array = digamma(gamma)
    expected -= np.asarray(digamma(total))[:, None]
    return expected


def _divergence(alpha: Array, gamma: Array, expected: Array) -> Array:
    """(R, G) of each document's shares from their prior, negated: E log p(θ | α) − E log q(θ | γ)."""
    from scipy.special import gammaln

    prior: Array = np.asarray(gammaln(np.add.reduce(alpha, axis=1)) - np.add.reduce(gammaln(alpha), axis=1))
    posterior = gammaln(np.add.reduce(gamma, axis=1)) - np.add.reduce(gammaln(gamma), axis=1)
    divergence: Array = prior[:, None] - posterior + np.add.reduce((alpha[..., None] - gamma) * expected, axis=1)
    return divergence


BETWEEN = 10  # steps, after which a document whose shares have moved by less than SETTLED tokens is left
SETTLED = 1e-6
MOST = 100  # times as many steps


def inferred(expected: Array, alpha: Array, codes: Integers, counts: Array, bounds: Integers) -> tuple[Array, Array]:
    """γ (K, G) of new documents and their bound (G,), from flat shares to the end: each as if it were alone.

    Of tokens the expected logarithms (K, V) are known; documents have cells of these terms and counts, in `bounds`.
    """
    lengths = np.add.reduceat(counts, bounds[:-1])
    gamma = alpha[:, None] + lengths / len(alpha)
    bound = np.empty(len(lengths))
    active = np.arange(len(lengths))
    for turn in range(MOST):
        sizes = np.diff(bounds)[active]
        first = np.concatenate([[0], np.cumsum(sizes)])
        cells = np.arange(first[-1]) + np.repeat(bounds[active] - first[:-1], sizes)
        likelihood = np.exp(expected[:, codes[cells]])[None]
        found = local_steps(likelihood, counts[cells], first, alpha[None], gamma[None, :, active], BETWEEN)
        moved = np.abs(found.gamma[0] - gamma[:, active]).max(axis=0) > SETTLED
        gamma[:, active], bound[active] = found.gamma[0], found.bound[0]
        active = active[moved]
        if not len(active) or turn == MOST - 1:
            break
    return gamma, bound
