"""What is believed of the topics of documents, given the topics: the local step of variational Bayes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from em_cli.engine.arrays import Array, Integers

TILE_FLOATS = 1 << 16  # likelihoods of cells under topics that are looked at together, so that they stay in a cache


class Local(NamedTuple):
    """What a local step finds of G documents, for each of R candidates."""

    gamma: Array  # (R, K, G) Dirichlet posterior of the shares of their topics
    expected_log: Array  # (R, K, G) of these shares
    bound: Array  # (R, G) what each adds to the bound; that of the topics not counted


def local_steps(likelihood: Array, counts: Array, groups: Integers, alpha: Array, gamma: Array, steps: int) -> Local:
    """Coordinate ascent of γ (R, K, G) by so many steps, and the bound at its end.

    The expected likelihoods (R, K, n) of a token of each cell are overwritten by the expected tokens of its topics.
    """
    ascended, total = np.empty_like(gamma), np.empty((len(likelihood), likelihood.shape[2]))
    for documents, cells in _alike(groups, likelihood.shape[0] * likelihood.shape[1]):
        found = likelihood[:, :, cells] if isinstance(cells, slice) else np.take(likelihood, cells, axis=2)
        law = found.reshape(*gamma.shape[:2], len(documents), -1)  # (R, K, G, L)
        number = counts[cells].reshape(len(documents), -1)
        own, each = _ascended(law, number, alpha, gamma[:, :, documents], steps)
        ascended[:, :, documents], total[:, cells] = own, each.reshape(len(each), -1)
        law *= (number / each)[:, None]
        if not isinstance(cells, slice):
            likelihood[:, :, cells] = found
    expected = expected_log(ascended)
    bound = np.add.reduceat(counts * np.log(total), groups[:-1], axis=1) + _divergence(alpha, ascended, expected)
    return Local(ascended, expected, bound)


def _alike(groups: Integers, of_cell: int) -> Iterator[tuple[Integers, Integers | slice]]:
    """Documents of one length, and their cells: as many as have TILE_FLOATS numbers, of so many for each cell.

    Where they follow each other, as those of a corpus do, their cells are a slice.
    """
    lengths = np.diff(groups)
    order = np.argsort(lengths, kind="stable")
    for same in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        at_once = max(1, TILE_FLOATS // (of_cell * int(lengths[same[0]])))
        for first in range(0, len(same), at_once):
            some = same[first : first + at_once]
            if some[-1] - some[0] == len(some) - 1:
                yield some, slice(groups[some[0]], groups[some[-1] + 1])
            else:
                yield some, (groups[some, None] + np.arange(lengths[some[0]])).ravel()


def _ascended(law: Array, number: Array, alpha: Array, gamma: Array, steps: int) -> tuple[Array, Array]:
    """γ (R, K, G) and the likelihood (R, G, L) of a token of each cell, by products of K × L.

    The law (R, K, G, L) of the tokens is overwritten by the joint one of tokens and topics.
    """
    from scipy.special import digamma

    by_document, own = np.moveaxis(law, 1, 2), np.ascontiguousarray(np.moveaxis(gamma, 1, 2))
    if law.shape[3] == 1:  # how products of K × 1 are formed depends on strides, and with them their last bits
        by_document = np.ascontiguousarray(by_document)
    for step in range(steps + 1):
        share = digamma(own)
        share -= digamma(np.add.reduce(own, axis=2, keepdims=True))
        np.exp(share, out=share)
        each = np.matmul(share[:, :, None], by_document)[:, :, 0]
        if step < steps:
            own = alpha[:, None] + share * np.matmul(by_document, (number / each)[..., None])[..., 0]
    law *= np.moveaxis(share, 2, 1)[..., None]
    return np.moveaxis(own, 2, 1), each


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
