"""Volumes of components whose shape and orientation are common.

Where Σ_k = λ_k C, what remains after the maximum over C is a convex function of the log λ_k: that
over C is closed under sums of exponentials (Wiesel 2012 on the geodesic convexity of log|Σ|). Newton's method
takes the K of them at once; Celeux & Govaert (1995) alternate between the λ_k and C.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import composed, shares

FEWEST = 1e-12  # of the rows, that a component bears in these functions
TINY = 1e-200  # a variance below it is none
LONGEST = 3.0  # change of the logarithm of a volume in a step
SLIGHT = 1e-12  # nats a row still to be gained, after which one step ends it
NOISE = 1e-13  # of the function's value, by which it may seem to rise
TURNS = 2  # of variances, which cost less than those of matrices
ROUNDING = 1e-15  # of a scatter, beside which smaller ones have fewer digits


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The function at log λ, in nats a row and doubled, the common C being the best for these."""

    value: Array  # (…)
    traces: Array  # (…, K) π_k tr(C⁻¹ S_k) / λ_k
    hessian: Array  # (…, K, K)
    free: Flags  # (…) whether C is nowhere at the bound
    noise: Array  # (…) nats, in which one value is as good as another


def alternated_shape(owners: Owners, weight: Array, variances: Array, sizes: Array, bound: float) -> Array:
    """Variances λ_k a_j (C, D), at least `bound`, no less likely than any in which the λ_k are as the sizes (C,).

    The maximum over the a_j for these λ_k, then that over the λ_k for these a_j, in turn. At the bound, which is one
    for products of both, turns may end short of the maximum.
    """
    share, variances, sizes = (
        np.maximum(owners.shares(weight), FEWEST),
        np.maximum(variances, TINY),
        np.maximum(sizes, TINY),
    )
    if variances.shape[-1] == 1:
        return np.maximum(variances, bound)

    def common(sizes: Array) -> Array:
        lowest = bound / np.minimum.reduceat(sizes, owners.first)
        return np.maximum(owners.total((share / sizes)[:, None] * variances), lowest[:, None])

    for _ in range(TURNS):
        shape = common(sizes)
        lowest = bound / np.minimum.reduce(shape, axis=-1)
        own = np.add.reduce(variances / shape[owners.of], axis=-1) / variances.shape[-1]
        sizes = np.maximum(own, lowest[owners.of])
    return sizes[:, None] * common(sizes)[owners.of]


def alternated_form(owners: Owners, weight: Array, scatter: Array, sizes: Array, bound: float) -> Array:
    """Covariances λ_k A (C, D, D), their eigenvalues at least `bound`; likewise."""
    share, d, sizes = np.maximum(owners.shares(weight), FEWEST), scatter.shape[-1], np.maximum(sizes, TINY)
    if d == 1:
        return np.maximum(scatter, max(bound, TINY))

    def common(sizes: Array) -> tuple[Array, Array]:
        values, vectors = np.linalg.eigh(owners.total((share / sizes)[:, None, None] * scatter))
        lowest = np.maximum(bound / np.minimum.reduceat(sizes, owners.first), TINY)
        return np.maximum(values, lowest[:, None]), vectors

    values, vectors = common(sizes)
    inverse = composed(vectors, 1 / values).reshape(-1, d * d)
    own = np.add.reduce(inverse[owners.of] * scatter.reshape(-1, d * d), axis=-1) / d
    sizes = np.maximum(own, np.maximum(bound / values[:, 0], TINY)[owners.of])
    values, vectors = common(sizes)
    return sizes[:, None, None] * composed(vectors, values)[owners.of]


def common_shape(bound: float, steps: int, weight: Array, variances: Array, sizes: Array | None) -> Array:
    """The likeliest variances λ_k a_j (…, K, D), at least `bound`; the sizes (…, K) are first guesses at the λ_k."""
    share, variances = np.maximum(shares(weight), FEWEST), np.maximum(variances, TINY)
    d = variances.shape[-1]
    if d == 1:
        return np.maximum(variances, bound)

    def parted(logs: Array) -> Array:
        parts: Array = (share * np.exp(-logs))[..., None] * variances
        return parts

    def evaluate(logs: Array) -> Evaluated:
        parts = parted(logs)
        total = np.add.reduce(parts, axis=-2)
        held, free = np.maximum(total, bound), total >= bound
        value = d * np.add.reduce(share * logs, axis=-1) + np.add.reduce(np.log(held) + total / held, axis=-1)
        parts /= held[..., None, :]
        hessian = -np.matmul(parts * free[..., None, :], parts.swapaxes(-1, -2))
        free_of_bound = np.logical_and.reduce(free, axis=-1)
        return Evaluated(value, np.add.reduce(parts, axis=-1), hessian, free_of_bound, 0.0 * value)

    if sizes is None:
        sizes = np.add.reduce(variances / np.add.reduce(parted(0.0 * share), axis=-2, keepdims=True), axis=-1)
    begin = np.log(sizes)
    smallest = np.minimum.reduce(np.add.reduce(parted(begin), axis=-2), axis=-1, keepdims=True)
    logs = _own_volumes(share, d, _raised(begin, smallest, bound), evaluate, bound, steps)
    common = np.maximum(np.add.reduce(parted(logs), axis=-2, keepdims=True), bound)
    return np.exp(logs)[..., None] * common


def common_form(bound: float, steps: int, weight: Array, scatter: Array, sizes: Array | None) -> Array:
    """The likeliest covariances λ_k C (…, K, D, D), their eigenvalues at least `bound`; likewise."""
    share = np.maximum(shares(weight), FEWEST)
    d = scatter.shape[-1]
    if d == 1:
        return np.maximum(scatter, max(bound, TINY))

    def parted(logs: Array) -> tuple[Array, Array, Array]:
        parts = (share * np.exp(-logs))[..., None, None] * scatter
        values, vectors = np.linalg.eigh(np.add.reduce(parts, axis=-3))
        return parts, np.maximum(values, TINY), vectors

    def evaluate(logs: Array) -> Evaluated:
        parts, values, vectors = parted(logs)
        held, free = np.maximum(values, bound), values >= bound
        value = d * np.add.reduce(share * logs, axis=-1) + np.add.reduce(np.log(held) + values / held, axis=-1)
        turned = vectors[..., None, :, :]
        flat = (turned.swapaxes(-1, -2) @ parts @ turned).reshape(*share.shape, d * d)
        traces = np.add.reduce(flat[..., :: d + 1] / held[..., None, :], axis=-1)
        hessian = -np.matmul(flat * _falls(values, held, free)[..., None, :], flat.swapaxes(-1, -2))
        noise = ROUNDING * d * values[..., -1] / held[..., 0]
        return Evaluated(value, traces, hessian, np.logical_and.reduce(free, axis=-1), noise)

    if sizes is None:
        _, values, vectors = parted(0.0 * share)
        along = np.add.reduce(vectors[..., None, :, :] * (scatter @ vectors[..., None, :, :]), axis=-2)
        sizes = np.maximum(np.add.reduce(along / values[..., None, :], axis=-1), TINY)
    begin = np.log(sizes)
    smallest = parted(begin)[1][..., :1]
    logs = _own_volumes(share, d, _raised(begin, smallest, bound), evaluate, bound, steps)
    _, values, vectors = parted(logs)
    return np.exp(logs)[..., None, None] * composed(vectors, np.maximum(values, bound))[..., None, :, :]


def _falls(values: Array, held: Array, free: Flags) -> Array:
    """By how much 1/max(b, e) falls from one eigenvalue to another, over their distance (…, D²)."""
    both = 1 / (held[..., :, None] * held[..., None, :])
    if not free.all():
        distance = values[..., :, None] - values[..., None, :]
        apart = (free[..., :, None] != free[..., None, :]) & (distance != 0)
        fall = 1 / held[..., None, :] - 1 / held[..., :, None]
        both = np.where(free[..., :, None] & free[..., None, :], both, 0.0)
        both = np.where(apart, fall / np.where(apart, distance, 1.0), both)
    return both.reshape(*values.shape[:-1], -1)


def _raised(logs: Array, smallest: Array, bound: float) -> Array:
    """A factor moved between C, whose smallest eigenvalue is known, and the volumes: both far above the bound."""
    if not bound:
        return logs
    slack = np.log(smallest)
    raised: Array = logs + np.minimum(0.5 * (slack - np.minimum.reduce(logs, axis=-1, keepdims=True)), slack)
    return raised


def _own_volumes(
    share: Array, d: int, logs: Array, evaluate: Callable[[Array], Evaluated], bound: float, steps: int
) -> Array:
    """log λ_k (…, K), at least 0 if there is a bound: projected Newton steps, taken back where they do not fall.

    A factor may be moved between the volumes and C. So C ⪰ 1 and λ_k ≥ 1 say no more than λ_k C ⪰ 1.
    """
    lowest = 0.0 if bound else -np.inf
    logs = np.maximum(logs, lowest)
    going = np.ones(logs.shape[:-1], np.bool_)
    reach = np.ones(going.shape)
    now = evaluate(logs)
    for _ in range(steps):
        step, gain = _newton_step(share, d, now, logs <= lowest)
        step *= reach[..., None]
        sure = gain < SLIGHT
        last = (gain < np.maximum(SLIGHT, now.noise)) | (reach < SLIGHT)
        tried = np.where(going[..., None], np.maximum(logs + step, lowest), logs)
        if (sure | ~going).all():
            return tried
        then = evaluate(tried)
        falls = then.value <= now.value + NOISE * (1 + np.abs(now.value))
        stays = going & ~(falls | sure)
        logs = np.where(stays[..., None], logs, tried)
        now = evaluate(logs) if stays.any() else then
        going &= ~last
        if not going.any():
            break
        reach = np.where(falls, np.minimum(1.0, 4 * reach), reach / 4)
    return logs


def _solved(matrix: Array, right: Array) -> Array:
    """The solution (…, K); where rounding has left a matrix (…, K, K) singular, of it and a little more of its trace.

    So of a component without weight, whose volume says nothing.
    """
    try:
        found = np.linalg.solve(matrix, right[..., None])
    except np.linalg.LinAlgError:
        singular = np.linalg.slogdet(matrix).sign == 0
        trace = np.maximum(np.trace(matrix, axis1=-2, axis2=-1), 1.0)
        more = np.where(singular, SLIGHT * trace, 0.0)[..., None, None] * np.eye(matrix.shape[-1])
        found = np.linalg.solve(matrix + more, right[..., None])
    return np.asarray(found[..., 0], np.float64)


def _newton_step(share: Array, d: int, at: Evaluated, lowest: Flags) -> tuple[Array, Array]:
    """The step and the gain it promises; volumes that are the lowest, and would be lower, stay."""
    root = np.sqrt(share)
    gradient = root * d - at.traces / root
    held = lowest & (gradient >= 0)
    scale = root[..., :, None] * root[..., None, :]
    matrix = at.hessian / scale
    places = np.arange(share.shape[-1])
    matrix[..., places, places] += np.maximum(at.traces / share, 0.01 * d) + 1e-10 * d
    loose = at.free & ~np.logical_or.reduce(held, axis=-1)  # then moving a factor into C changes nothing
    matrix += np.where(loose[..., None, None], d * scale, 0.0)
    if held.any():
        gradient = np.where(held, 0.0, gradient)
        matrix = np.where(held[..., :, None] | held[..., None, :], np.eye(len(places)), matrix)
    step = -_solved(matrix, gradient)
    gain = -np.add.reduce(step * gradient, axis=-1)
    return np.clip(step / root, -LONGEST, LONGEST), gain
