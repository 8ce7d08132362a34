"""Normal vectors some of whose elements are missing, by elimination (Little & Rubin 2019, §7.4).

The quadratic form of the elements that are left is a Schur complement, and what is subtracted holds the regression of
the missing one on them. On the way back sums are completed, the element that was eliminated last being expected from
those that were left. Patterns that begin alike share these steps, and all steps of as many elements are taken together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.cache import scratch

ITERATIONS = (5, 100)  # of EM for one normal distribution, at least and at most
WORK = 4e8  # numbers that it rewrites in all
SETTLED = 1e-7  # change of a moment, in standard deviations, at which it rests
EVEN_ODD = "even", "odd"  # levels, of which two that follow one another are looked at together
SMALL = 1 << 14  # numbers in an array that costs nothing to make
NUGGET = 1e-8  # of a variance: keeps what hardly varies invertible


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """To Q nodes with E elements left from Q' with E' = E + 1; what is where in flat arrays of the latter."""

    parent: Integers  # (Q,)
    pivot: Integers  # (Q,) of (Q', G'), the products of two elements once
    column: Integers  # (Q, E)
    kept: Integers  # (Q, G)
    pair: tuple[Integers, Integers]  # (Q, G) the elements of each product, of (Q, E)
    rows: Integers  # (Q, E, E) the element of each row, of (Q, E)
    order: Integers  # (Q,) in which the nodes are told to their parents: the first of each parent, the second of each …
    turns: list[int]  # how many parents have a first, a second …: as many of them as stand first
    back: (
        Integers  # (Q, E', E') of (Q, E', E') with the element that was eliminated last: in the parent's, in this order
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Ends:
    """A patterns that lack as many elements: what is where in flat arrays of nodes, and of numbers (P, H)."""

    patterns: Integers  # (A,)
    nodes: Integers  # (A,)
    products: Integers  # (A, G) of (Q, G)
    numbers: Integers  # (A, G) of (P, H)
    matrices: Integers  # (A, E, E) of (P, H)


@dataclass(frozen=True, slots=True, eq=False)
class Lacking:
    """P patterns of missing elements of z, whose products with (1, z) are H numbers."""

    missing: Flags  # (P, D)
    places: Integers  # (1 + D, 1 + D) of the products among the numbers
    steps: list[_Step]
    ends: list[_Ends]  # before the first step, and after each


@dataclass(frozen=True, slots=True, eq=False)
class Eliminated:
    """N forms without what each of P patterns lacks."""

    forms: Array  # (P, H, N), zero for products with what is missing
    log_determinant: Array  # (P, N) of the form of what is missing, given the others
    regressions: list[Array]  # (Q, E, N) for each step, minus the slopes of the element on those that are left
    variances: list[Array]  # (Q, N) about them

    @property
    def size(self) -> int:
        return self.forms.size + sum(slopes.size for slopes in self.regressions)


def quadratic(mean: Array, precision: Array) -> Array:
    """(1 + D, 1 + D) of the Mahalanobis distance."""
    linear = precision @ mean
    form = np.empty((len(mean) + 1, len(mean) + 1))
    form[1:, 1:] = precision
    form[0, 1:] = form[1:, 0] = -linear
    form[0, 0] = linear @ mean
    return form


Path = tuple[int, ...]  # elements that were eliminated one after the other


def lacking(missing: Flags, places: Integers) -> Lacking:
    """Those that lack much begin with what most of them lack."""
    order = np.argsort(-missing.sum(axis=0), kind="stable")
    wanted = [tuple(np.flatnonzero(own).tolist()) for own in missing[:, order]]
    depth = max(map(len, wanted))
    levels = [{own[:length] for own in wanted if len(own) >= length} for length in range(depth + 1)]
    followed = [Counter(own[:-1] for own in level) for level in [*levels[1:], set[Path]()]]
    left, nodes = np.arange(1 + missing.shape[1])[None], _numbered(levels[0], followed[0])
    steps, ends = list[_Step](), [_ended(wanted, nodes, left, places)]
    for level, following in zip(levels[1:], followed[1:], strict=True):
        before, nodes = nodes, _numbered(level, following)
        parent = np.array([before[own[:-1]] for own in nodes])
        gone = 1 + order[[own[-1] for own in nodes]]
        steps.append(_step(left, parent, gone))
        left = left[parent][left[parent] != gone[:, None]].reshape(len(nodes), -1)
        ends.append(_ended(wanted, nodes, left, places))
    return Lacking(missing, places, steps, ends)


def _numbered(level: set[Path], followed: Counter[Path]) -> dict[Path, int]:
    """Those that are followed by most come first."""
    return {own: q for q, own in enumerate(sorted(level, key=lambda own: (-followed[own], own)))}


def _step(left: Integers, parent: Integers, gone: Integers) -> _Step:
    """From nodes that have these elements (Q', E') left to those without one (Q,) more."""
    (q, e), is_gone = (len(parent), left.shape[1]), left[parent] == gone[:, None]
    pivot, kept = np.nonzero(is_gone)[1], np.nonzero(~is_gone)[1].reshape(q, e - 1)
    inverse = np.argsort(np.concatenate([kept, pivot[:, None]], axis=1), axis=1)
    turn = np.array([np.sum(parent[:node] == own) for node, own in enumerate(parent)])
    order, once, first = np.lexsort((parent, turn)), _once(e), parent * (e * (e + 1) // 2)
    inverse, own, (i, j) = inverse[order], np.arange(q)[:, None] * (e - 1), np.triu_indices(e - 1)
    return _Step(
        parent,
        first + once[pivot, pivot],
        first[:, None] + once[kept, pivot[:, None]],
        first[:, None] + once[kept[:, i], kept[:, j]],
        (own + i, own + j),
        np.repeat((own + np.arange(e - 1))[:, :, None], e - 1, axis=2),
        order,
        np.bincount(turn).tolist(),
        (order[:, None, None] * e + inverse[:, :, None]) * e + inverse[:, None],
    )


def _once(e: int) -> Integers:
    """(E, E) where the products of two elements are among those of each two once."""
    places, (i, j) = np.empty((e, e), np.intp), np.triu_indices(e)
    places[i, j] = places[j, i] = np.arange(len(i))
    return places


def _ended(wanted: Sequence[Path], nodes: dict[Path, int], left: Integers, places: Integers) -> _Ends:
    """The patterns that lack what one of the nodes does, and no more."""
    patterns = np.array([p for p, own in enumerate(wanted) if own in nodes], np.intp)
    at = np.array([nodes[wanted[p]] for p in patterns], np.intp)
    e, first = left.shape[1], patterns[:, None, None] * (1 + places.max())
    i, j = np.triu_indices(e)
    own = left[at]
    matrices = first + places[own[:, :, None], own[:, None]]
    return _Ends(patterns, at, at[:, None] * len(i) + np.arange(len(i)), matrices[:, i, j], matrices)


def eliminated(numbers: Array, without: Lacking) -> Eliminated:
    """From the products (H, N) of forms (1, z) Q (1, z)ᵀ."""
    n, p = numbers.shape[1], len(without.missing)
    forms, logs = numbers.take(without.places[np.triu_indices(len(without.places))], axis=0), np.zeros((1, n))
    left, log_determinant = np.zeros((p * len(numbers), n)), np.empty((p, n))
    regressions, variances = list[Array](), list[Array]()
    for t, (step, ends) in enumerate(zip([None, *without.steps], without.ends, strict=True)):
        if step is not None:
            column, pivot = forms.take(step.column, axis=0), forms.take(step.pivot, axis=0)
            slopes = column / pivot[:, None]
            kept, (one, other) = _taken(forms, step.kept, EVEN_ODD[t % 2]), step.pair
            product = _taken(slopes.reshape(-1, n), one, "spare")
            product *= _taken(column.reshape(-1, n), other, "whole")
            kept -= product
            forms, logs = kept.reshape(-1, n), logs.take(step.parent, axis=0) + np.log(pivot)
            regressions.append(slopes)
            variances.append(1 / pivot)
        if len(ends.patterns):
            left[ends.numbers] = forms.take(ends.products, axis=0)
            log_determinant[ends.patterns] = logs.take(ends.nodes, axis=0)
    return Eliminated(left.reshape(p, len(numbers), n), log_determinant, regressions, variances)


def completed(sums: Array, mass: Array, by: Eliminated, without: Lacking) -> Array:
    """Expected Σ (1, z)(1, z)ᵀ (1 + D, 1 + D, N) of all patterns, from what such sums are of the observed elements.

    They are products (P, H, N); what is missing varies about its regression with the mass (P, N).
    """
    total, own = _observed(sums, mass, without, len(without.steps))
    for t, step in reversed(list(enumerate(without.steps))):
        q, e, _, n = total.shape
        slopes, whole = by.regressions[t], scratch("whole", q, e + 1, e + 1, n)
        rows = _taken(slopes.reshape(-1, slopes.shape[2]), step.rows, "spare")  # broadcasting is slow with short ones
        parts = np.multiply(rows, total, out=scratch("parts", *total.shape))
        cross = np.negative(np.add.reduce(parts, axis=1))
        about = np.add.accumulate(slopes * cross, axis=1)[:, -1]  # never pairwise, whatever N
        whole[:, :e, :e] = total
        whole[:, e, :e] = whole[:, :e, e] = cross
        np.subtract(own * by.variances[t], about, out=whole[:, e, e])
        told, told_mass = _taken(whole.reshape(-1, n), step.back, "spare"), own.take(step.order, axis=0)
        total, own = _observed(sums, mass, without, t)
        first = 0
        for some in step.turns:
            total[:some] += told[first : first + some]
            own[:some] += told_mass[first : first + some]
            first += some
    whole_sum: Array = total[0].copy()
    return whole_sum


def _taken(rows: Array, places: Integers, name: str) -> Array:
    """(…, N) of the rows, in an array that the thread keeps if it is large: the system would zero it each time."""
    if places.size * rows.shape[1] <= SMALL:
        return rows.take(places, axis=0)
    return rows.take(places, axis=0, out=scratch(name, *places.shape, rows.shape[1]), mode="clip")


def _observed(sums: Array, mass: Array, without: Lacking, t: int) -> tuple[Array, Array]:
    """Sums (Q, E, E, N) and masses (Q, N) of the patterns that end at the nodes after so many steps."""
    ends, n = without.ends[t], sums.shape[2]
    q, e = len(without.steps[t - 1].parent) if t else 1, ends.matrices.shape[1]
    total, own = scratch(EVEN_ODD[t % 2], q, e, e, n), np.zeros((q, n))
    total.fill(0)
    if len(ends.patterns):
        total[ends.nodes] = sums.reshape(-1, n).take(ends.matrices, axis=0)
        own[ends.nodes] = mass[ends.patterns]
    return total, own


def likeliest_normal(sums: Array, missing: Flags) -> tuple[Array, Array]:
    """Mean (D,) and covariance (D, D) of greatest likelihood, given sums (P, 1 + D, 1 + D) of (1, z)(1, z)ᵀ by pattern.

    By EM; the elements of z are centred and scaled, and zero where they are missing.
    """
    p, d = missing.shape
    without = lacking(missing, np.arange((1 + d) ** 2).reshape(1 + d, 1 + d))
    products, mass = sums.reshape(p, -1, 1), sums[:, 0, :1]
    n, mean, covariance = sums[:, 0, 0].sum(), np.zeros(d), np.eye(d)
    affordable = WORK / (1 + missing.sum() * (1 + d) ** 2)
    for _ in range(int(np.clip(affordable, *ITERATIONS))):
        factor = np.linalg.inv(np.linalg.cholesky(covariance + NUGGET * np.eye(d))).astype(np.float64, copy=False)
        form = quadratic(mean, factor.T @ factor).reshape(-1, 1)
        total = completed(products, mass, eliminated(form, without), without)[..., 0] / n
        before, mean = (mean, covariance), total[0, 1:]
        covariance = total[1:, 1:] - np.outer(mean, mean)
        covariance = 0.5 * (covariance + covariance.T)
        if max(np.abs(mean - before[0]).max(), np.abs(covariance - before[1]).max()) < SETTLED:
            break
    return mean, covariance + NUGGET * np.eye(d)
