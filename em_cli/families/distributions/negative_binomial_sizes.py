"""The size of a negative binomial law at the maximum of the likelihood, and the sums that it takes."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.distributions.count_nodes import SINGLE
from em_cli.families.distributions.gamma_function import log_minus_digamma, stirling_rest, trigamma_rest

POISSON = 1e10  # means; a law of this size is Poisson's
LARGEST = 1e6  # means; a larger size than that cannot be told from it
SMALLEST = 1e-10
CLOSE = 1e-8  # a step of Newton's method that is the last: its error is of the order of its square
TURNS = 100
SERIES = 0.02


def rising(counts: Array, sizes: Array) -> Array:
    """log Γ(x + s) - log Γ(s) - x log s, with all digits where s is large."""
    total = counts + sizes
    risen: Array = total * np.log1p(counts / sizes) - counts + (stirling_rest(sizes) - stirling_rest(total))
    return risen


def best_sizes(shares: Array, nodes: Array, weight: Array, mean: Array) -> Array:
    """Sizes (N,) at the maximum, of counts shared out (N, S) among the nodes; their means are at theirs.

    Where the variance exceeds the mean there is one maximum (Levin & Reeds 1977); else it is the Poisson law.
    """
    scale = np.maximum(mean, 1.0)
    sizes = POISSON * scale
    more = shares * (nodes - mean[:, None]) ** 2
    excess = np.maximum(np.add.reduce(more, axis=1) / weight - mean, 1e-3 * scale)
    at_end, _ = _slope(shares, nodes, weight, mean, LARGEST * scale)
    sought = np.flatnonzero((at_end < 0) & (mean > 0))
    if len(sought):
        found = (part[sought] for part in (shares, weight, mean, mean**2 / excess, LARGEST * scale))
        sizes[sought] = _root(nodes, *found)
    return sizes


def _root(nodes: Array, shares: Array, weight: Array, mean: Array, size: Array, largest: Array) -> Array:
    """Newton's method in log s between bounds; a size that is found does not move while others are sought."""
    low, high = np.full_like(size, np.log(SMALLEST)), np.log(largest)
    at = np.clip(np.log(np.maximum(size, SMALLEST)), low, high)
    left = np.arange(len(at))
    for _ in range(TURNS):
        slope, change = _slope(shares[left], nodes, weight[left], mean[left], np.exp(at[left]))
        rises = slope > 0
        low[left], high[left] = np.where(rises, at[left], low[left]), np.where(rises, high[left], at[left])
        step = -slope / np.where(change < 0, change, -1e-300)
        inside = (at[left] + step > low[left]) & (at[left] + step < high[left])
        after = np.where((change < 0) & (inside | (abs(step) < CLOSE)), at[left] + step, (low[left] + high[left]) / 2)
        moved = abs(after - at[left])
        at[left] = after
        left = left[moved > CLOSE]
        if not len(left):
            break
    sizes: Array = np.exp(at)
    return sizes


def _slope(shares: Array, nodes: Array, weight: Array, mean: Array, sizes: Array) -> tuple[Array, Array]:
    """Of the log-likelihood by log s, times 1 + s/μ, and its change by log s."""
    part, change = digamma_sums(shares, nodes, sizes)
    u = mean / sizes
    bent = log1p_beyond(u)
    part -= weight * sizes * bent
    change -= weight * sizes * (bent + u * u / (1 + u))
    factor = 1 + sizes / np.maximum(mean, 1e-300)
    return part * factor, change * factor + part * (factor - 1)


def digamma_sums(shares: Array, nodes: Array, sizes: Array) -> tuple[Array, Array]:
    """s Σ v [ψ(x + s) - ψ(s) - x/s] (N,), and its change by log s.

    Digits would be lost in differences where s is large: up to SINGLE they are sums of 1/(s + j) - 1/s, and
    beyond it of Stirling's series.
    """
    s = sizes[:, None]
    above = np.cumsum(shares[:, ::-1], axis=1)[:, ::-1]
    j = nodes[:-1] if _single(nodes) else nodes[:SINGLE]
    inverse = 1 / (s + j)
    parts = above[:, 1 : len(j) + 1] * j * inverse
    total = -np.add.reduce(parts, axis=1)
    change = np.add.reduce(parts * s * inverse, axis=1)
    if not _single(nodes):
        v, x, base = shares[:, SINGLE:], nodes[SINGLE:] - SINGLE, SINGLE + s
        w = x / base
        bent = log1p_beyond(w)
        rest = log_minus_digamma(base) - log_minus_digamma(base + x)
        total += np.add.reduce(v * s * (bent - x * SINGLE / (s * base) + rest), axis=1)
        by_rest = trigamma_rest(base + x) / (base + x) ** 2 - trigamma_rest(base) / base**2
        by_log = bent + s * w * w / ((1 + w) * base) + x * SINGLE / base**2 + rest + s * by_rest
        change += np.add.reduce(v * s * by_log, axis=1)
    return total, change


def _single(nodes: Array) -> bool:
    """Whether all counts are nodes."""
    return bool(nodes[-1] == len(nodes) - 1)


def log1p_beyond(u: Array) -> Array:
    """log(1 + u) - u, with all digits where u is small."""
    bent: Array = np.log1p(u) - u
    small = u < SERIES
    if small.any():
        few = np.minimum(u, SERIES)
        series = np.zeros_like(u)
        for power in range(10, 1, -1):
            series = series * few + (1 / power if power % 2 else -1 / power)
        bent = np.where(small, series * few * few, bent)
    return bent
