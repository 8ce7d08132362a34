"""Variances along the axes of components whose volume is common, and whose shapes are their own."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners

RESOLVED = 1e-14  # of the largest variance
TINY = 1e-200  # a variance below it is none
ROUNDS = 100  # of Newton's method; it takes about six


def common_volume(owners: Owners, weight: Array, variances: Array, bound: float) -> Array:
    """The likeliest variances (C, D) whose product is the same in all components, at least `bound`.

    A variance that cannot be told from none beside the component's largest is not let make up for the others.
    """
    largest = np.maximum.reduce(variances, axis=-1, keepdims=True)
    share, logs = owners.shares(weight), np.log(np.maximum(variances, np.maximum(RESOLVED * largest, TINY)))
    own = np.add.reduce(logs, axis=-1) / logs.shape[-1]
    volume = np.log(owners.total(share * np.exp(own)))
    free: Array = np.exp(logs + (volume[owners.of] - own)[:, None])
    low = np.logical_or.reduce(free < bound, axis=-1)
    if low.any():
        theirs, places = owners.some(np.unique(owners.of[low]))
        free[places] = theirs.by_size(_held, share[places], logs[places] - np.log(bound)) * bound
    return free


def _held(share: Array, logs: Array) -> Array:
    """Variances max(1, μ_k s_kj): Newton's method finds the total c of their logarithms at which Σ π_k/μ_k = 1.

    log Σ π_k/μ_k falls with c and is convex in it, so that the method comes from below.
    """
    count = np.arange(1, logs.shape[-1] + 1)
    sums = np.add.accumulate(-np.sort(-logs, axis=-1), axis=-1)  # of the j largest logarithms
    total, going = np.zeros((len(share), 1, 1)), np.ones(len(share), np.bool_)
    for _ in range(ROUNDS):
        if_above = (total - sums) / count  # log μ_k, if the j largest are above one
        above = count[np.argmin(if_above, axis=-1)]
        by = if_above.min(axis=-1)
        inverse = share * np.exp(-by)
        whole = np.add.reduce(inverse, axis=-1)
        step = np.log(whole) * whole / np.add.reduce(inverse / above, axis=-1)
        total += np.where(going, np.maximum(step, -total[:, 0, 0]), 0.0)[:, None, None]
        going &= step > 1e-14 * (1 + total[:, 0, 0])
        if not going.any():
            break
    ratio: Array = np.exp(np.maximum(logs + ((total - sums) / count).min(axis=-1)[..., None], 0.0))
    return ratio
