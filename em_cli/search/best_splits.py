"""Components parted in two: mixtures of two, fitted to the rows as far as they belong to the component."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers, flat, map_arrays, n_candidates, take
from em_cli.engine.expectation import ModelStatistics, Parameters
from em_cli.engine.model import Model
from em_cli.engine.plan import JOINT_FLOATS
from em_cli.engine.row_sums import OF_PART, parts_of_rows, sum_of
from em_cli.engine.rows import Block
from em_cli.latents.independent import Independent
from em_cli.search.search_data import SearchData, reference_of
from em_cli.starts.sphered import along_axes, axes_of_few

PASSES = 6
AT_ONCE = 1 << 18  # masses times tries that are parted together
NEGLIGIBLE = 0.02  # share of a row below which a component that is parted alone forgets it
KEPT = 3  # ways for each component
ROWS = 500  # of a component that is parted alone; the parts then take all its rows
FEW_OF = 0.1  # a share grows faster than it shrinks
FEW = 5  # ways to part a component alone
SMALLEST = 0.5  # rows of a part


Places = list[int]  # among the masses, of stacked mixtures of two


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One component become two."""

    first: Array  # (S,) statistics, which add to those of others
    second: Array
    entropy: float  # nats, of which of the two the rows belong to

    @property
    def share(self) -> float:
        """Of the first."""
        return float(self.first[0] / (self.first[0] + self.second[0]))


def best_splits(
    model: Model,
    masses: Array,
    data: SearchData,
    rngs: Sequence[np.random.Generator],
    tries: int,
    at: object = None,
    kept: int = KEPT,
) -> list[list[Part]]:
    """For each of the masses (M, n) the best of some ways to part it, if there are any that are not degenerate.

    There may be components (M, 2, …) to begin the M-steps of the parts from. Missing cells are filled in once while
    the parts are sought; their statistics are those of what is observed.
    """
    if not len(masses):
        return []
    filled = data.filled_in(model)
    if not together(masses, tries):
        return _alone(model, masses, data, filled, rngs, tries, at)
    embedding, n_columns = data.embedding(model), len(data.block.x)
    of_each = zip(masses, _responsibilities(data, masses), rngs, strict=True)
    halves = np.stack([_halves(embedding, n_columns, mass, own, rng, tries) for mass, own, rng in of_each])
    rows = _Rows(data, model, filled)
    parameters, places = _climbed(model, [_Tried(rows, masses, halves)], at, kept)
    return _taken(rows, masses, parameters, places)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Those that are parted: all of a search, or some (n,) of them."""

    data: SearchData
    model: Model
    filled: Array | None  # (F, n) of all rows, with missing cells filled in
    places: Integers | None = None
    known: tuple[Array, Array] | None = None  # of some that have been read

    def read(self) -> _Rows:
        """The same, if it is one part, with features that are made once."""
        (_, features, completed), *others = self.parts(0 if self.places is None else len(self.places))
        return self if others else replace(self, known=(features, completed))

    def parts(self, n: int) -> Iterator[tuple[slice, Array, Array]]:
        """Some of them at a time: their features (F, m), and the same with missing cells filled in."""
        if self.known is not None:
            yield slice(0, n), *self.known
            return
        for some in parts_of_rows(n, self.model.family.n_features()):
            own = some if self.places is None else self.places[some]
            features = self.data.features(self.model, own)
            yield some, features, features if self.filled is None else self.filled[:, own]


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """Masses (M, n) of the same rows, and ways (M, T, n) to part each."""

    rows: _Rows
    masses: Array
    halves: Array

    @property
    def n_candidates(self) -> int:
        return len(self.halves) * int(self.halves.shape[1])


def _alone(
    model: Model,
    masses: Array,
    data: SearchData,
    filled: Array | None,
    rngs: Sequence[np.random.Generator],
    tries: int,
    begin: object,
) -> list[list[Part]]:
    """Ways to part each mass (n,), sought on some of its rows; the parts then take all that it has of every row."""
    found, embedding, n_columns = [list[Part]() for _ in masses], data.embedding(model), len(data.block.x)
    at_once = max(1, OF_PART // (ROWS * model.family.n_features()))
    responsibilities = _responsibilities(data, masses)
    borne = responsibilities > NEGLIGIBLE
    for first in range(0, len(masses), at_once):
        some = [m for m in range(first, min(first + at_once, len(masses))) if borne[m].any()]
        tried: list[_Tried] = []
        for m in some:
            rows = np.flatnonzero(borne[m])
            rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), ROWS)).astype(np.intp)]
            own = masses[m, rows]
            shares = responsibilities[m, rows]
            halves = _halves(embedding[:, rows], n_columns, own, shares, rngs[m], min(tries, FEW))[None]
            tried.append(_Tried(_Rows(data, model, filled, rows).read(), own[None], halves))
        if tried:
            parameters, places = _climbed(model, tried, take(begin, np.array(some)))
            for place, m in enumerate(some):
                chosen = take(parameters, np.array([p for p, of in enumerate(places) if of == place], np.intp))
                found[m] = _taken_of_all(model, masses[m], borne[m], data, filled, chosen)
    return found


def _taken_of_all(
    model: Model, mass: Array, borne: Flags, data: SearchData, filled: Array | None, parameters: Parameters
) -> list[Part]:
    """The parts that stacked mixtures of two make of all that a mass (n,) has of every row, the most of it borne."""
    n_parts = n_candidates(parameters)
    if not n_parts:
        return []
    rows = np.flatnonzero(borne)
    (parts,) = _taken(_Rows(data, model, filled, rows), mass[rows][None], parameters, [0] * n_parts)
    rest = np.where(borne, 0.0, mass)
    frame = reference_of(model.family, map_arrays(lambda array: array[:, :1], parameters.components))
    more = data.sums(model, np.repeat(rest[None, None], 1 if frame is None else n_parts, axis=0), frame)[:, 0]
    more = np.broadcast_to(more, (n_parts, more.shape[1]))
    return [replace(part, first=part.first + m) for part, m in zip(parts, more, strict=True)]


def together(masses: Array, tries: int) -> bool:
    """Whether masses (M, n) are few enough to be parted at once, on all rows."""
    return masses.size * tries <= AT_ONCE


def _responsibilities(data: SearchData, masses: Array) -> Array:
    """(M, n) of which weights made the masses (M, n): how much of each row a component bears, whatever it weighs."""
    return masses if data.block.weights is None else masses / np.maximum(data.block.weights, 1e-300)


def _halves(
    embedding: Array, n_columns: int, mass: Array, share_of_row: Array, rng: np.random.Generator, tries: int
) -> Array:
    """Ways (T, n) to part the rows: along the longest axis, core and rim, outliers, about a row, between two.

    Rows are near each other in sphered coordinates; but where columns have several (a category one for each level)
    in those of the embedding, or many rare levels would outweigh all other columns.
    """
    share = mass / max(mass.sum(), 1e-300)
    centred = embedding - (embedding @ share)[:, None]
    if len(centred) <= len(share):
        values, vectors = np.linalg.eigh((centred * share) @ centred.T)
    else:
        values, vectors = axes_of_few(centred, share)
    sphered = along_axes(centred, values, vectors)
    radius = (sphered**2).sum(axis=0)
    own = radius * (share_of_row > 0.5 * share_of_row.max())
    far = sphered[:, own.argmax()]
    opposite = sphered[:, (own * (far @ sphered < 0)).argmax()]
    ways: list[Any] = [sphered[-1] > 0, radius > len(sphered)]
    ways += [far @ sphered > 0.5 * far @ far, FEW_OF * (opposite @ sphered > 0.5 * opposite @ opposite)]
    cumulative, near = np.cumsum(share), sphered if len(embedding) <= n_columns else centred
    about, widths, most = list[int](), list[float](), max(0.3 * mass.sum(), len(sphered) + 2)
    for number in range(len(ways), tries):
        a, b = np.minimum(np.searchsorted(cumulative, rng.random(2) * cumulative[-1]), len(share) - 1)
        if number % 3:
            about.append(a)
            widths.append(rng.uniform(len(sphered) + 1, most))
            ways.append(None)
        else:
            towards = near[:, a] - near[:, b]
            ways.append(towards @ near > towards @ (near[:, a] + near[:, b]) / 2)
    balls = iter(_balls(near, mass, about, widths)) if about else iter(())
    return np.array([next(balls) if way is None else way for way in ways[:tries]], np.float64)


def _balls(near: Array, mass: Array, about: Sequence[int], wanted: Sequence[float]) -> Flags:
    """(B, n) which rows are so near some of them that they have the mass wanted."""
    distance = ((near[:, None] - near[:, about, None]) ** 2).sum(axis=0)
    order = np.argsort(distance, axis=1, kind="stable")
    within, each = np.cumsum(mass[order], axis=1), np.arange(len(order))
    last = np.array([np.searchsorted(own, least) for own, least in zip(within, wanted, strict=True)])
    edges = order[each, np.minimum(last, distance.shape[1] - 1)]
    inside: Flags = distance <= distance[each, edges][:, None]
    return inside


def _climbed(model: Model, tried: Sequence[_Tried], at: object, kept: int = KEPT) -> tuple[Parameters, Places]:
    """EM of mixtures of two on each of all masses, from each of its ways; and which of them are worth it."""
    two, tries = Model(model.family, Independent(), 2), tried[0].halves.shape[1]
    joints = [_begun(own) for own in tried]
    ends = np.cumsum([0, *(own.n_candidates for own in tried)]).tolist()
    spans = [slice(first, stop) for first, stop in pairwise(ends)]
    statistics = np.concatenate([_counted(own.rows, joint) for own, joint in zip(tried, joints, strict=True)])
    begin = take(at, np.repeat(np.arange(ends[-1] // tries), tries))
    parameters, _ = two.with_components(
        model.family.maximize(statistics, begin), ModelStatistics(statistics, None), None
    )
    for place in range(PASSES):
        if place:
            parameters, _ = two.at_maximum(ModelStatistics(statistics, None), parameters)
        found = [_expected(own, take(parameters, s), joint) for own, joint, s in zip(tried, joints, spans, strict=True)]
        log_likelihood, statistics = (np.concatenate(each) for each in zip(*found, strict=True))
    support = np.concatenate([joint.sum(axis=2) for joint in joints])
    chosen = _distinct(log_likelihood.reshape(-1, tries), partial(_degenerate, model, parameters, support), kept)
    return take(parameters, np.array([c for c, _ in chosen], np.intp)), [place for _, place in chosen]


def _begun(tried: _Tried) -> Array:
    """(C, 2, n) what each way makes of its mass."""
    own = tried.halves.reshape(-1, tried.halves.shape[2])
    return np.stack([own, 1 - own], axis=1) * np.repeat(tried.masses, tried.halves.shape[1], axis=0)[:, None]


def _counted(rows: _Rows, joint: Array) -> Array:
    return sum_of(
        rows.model.family.statistics(full, joint[..., some], None) for some, _, full in rows.parts(joint.shape[2])
    )


def _expected(tried: _Tried, parameters: Parameters, joint: Array) -> tuple[Array, Array]:
    """Overwrite `joint` (C, 2, n) with weighted responsibilities; log-likelihoods (C,) of the mixtures, statistics.

    As many mixtures at a time as fit a core's own cache.
    """
    heights, sums, tries = list[Array](), list[Array](), tried.halves.shape[1]
    at_once = max(1, JOINT_FLOATS // (2 * joint.shape[2] * tries))  # masses
    for first in range(0, len(tried.masses), at_once):
        some = slice(first * tries, (first + at_once) * tries)
        weights = np.repeat(tried.masses[first : first + at_once], tries, axis=0)
        densities, own = _posteriors(tried.rows, take(parameters, some), weights, joint[some])
        heights.append(np.einsum("cn,cn->c", densities, weights))
        sums.append(own)
    return np.concatenate(heights), np.concatenate(sums)


def _posteriors(rows: _Rows, parameters: Parameters, weights: Array, joint: Array) -> tuple[Array, Array]:
    """Overwrite `joint` (C, 2, n) with responsibilities times weights (C, n); the log-densities (C, n), statistics."""
    densities, sums, whole = np.empty(weights.shape), list[Array](), joint.shape[2]
    for some, _, completed in rows.parts(whole):
        own = joint if completed.shape[1] == whole else np.empty((*joint.shape[:2], completed.shape[1]))
        densities[:, some] = _posterior(rows.model, completed, parameters, own)
        own *= weights[:, None, some]
        sums.append(rows.model.family.statistics(completed, own, parameters.components))
        if own is not joint:
            joint[..., some] = own
    return densities, sum_of(iter(sums))


def _taken(rows: _Rows, masses: Array, parameters: Parameters, places: Places) -> list[list[Part]]:
    """The parts that stacked mixtures of two make of the masses (M, n) at these places."""
    model, found = rows.model, [list[Part]() for _ in masses]
    if not places:
        return found
    joint, sums = np.empty((len(places), 2, masses.shape[1])), []
    frame = reference_of(model.family, parameters.components)
    for some, features, completed in rows.parts(masses.shape[1]):
        own = np.empty((len(places), 2, features.shape[1]))
        _posterior(model, completed, parameters, own)
        own *= masses[places, some][:, None]
        sums.append(model.family.statistics(features, own, frame))
        joint[..., some] = own
    entropies = shared_entropies(joint[:, 0], joint[:, 1])
    for place, pair, entropy in zip(places, sum_of(iter(sums)), entropies, strict=True):
        found[place].append(Part(pair[0], pair[1], float(entropy)))
    return found


def _posterior(model: Model, features: Array, parameters: Parameters, joint: Array) -> Array:
    """Overwrite `joint` (C, 2, n) with responsibilities; the log-densities (C, n) of the mixtures of two."""
    independent = Independent()
    model.family.log_density(features, parameters.components, independent.log_prior(parameters.latent), joint)
    log_likelihood: Array = independent.posterior(joint, parameters.latent, Block(0, features)).log_likelihood
    return log_likelihood


def _distinct(log_likelihood: Array, degenerate: Callable[[Integers], Flags], most: int) -> list[tuple[int, int]]:
    """The best tries (M, T) that differ and are not degenerate, by their places in the stack and in M."""
    tries = log_likelihood.shape[1]
    kept = [list[int]() for _ in log_likelihood]
    left = [[t for t in np.argsort(-own, kind="stable").tolist() if np.isfinite(own[t])] for own in log_likelihood]
    while asked := [
        place * tries + queue[0]
        for place, queue in enumerate(left)
        if len(kept[place]) < most and _skipped(queue, log_likelihood[place], kept[place])
    ]:
        for c, is_degenerate in zip(asked, degenerate(np.array(asked)), strict=True):
            place, t = c // tries, left[c // tries].pop(0)
            if not is_degenerate:
                kept[place].append(t)
    return [(place * tries + t, place) for place, own in enumerate(kept) for t in own]


def _skipped(queue: list[int], log_likelihood: Array, kept: Sequence[int]) -> bool:
    """Leave out those at its head that are like one that is kept; whether there are others."""
    while queue and any(abs(log_likelihood[queue[0]] - log_likelihood[other]) <= 1e-3 for other in kept):
        queue.pop(0)
    return bool(queue)


def _degenerate(model: Model, parameters: Parameters, support: Array, places: Integers) -> Flags:
    """(C,) whether one of the two components of each of some mixtures is; support (…, 2) in rows."""
    flags: Flags = support[places].min(axis=1) < SMALLEST
    unsure = places[~flags]
    of_each = flat(take(parameters.components, unsure))
    degeneracies = model.family.degenerate(of_each, support[unsure].ravel()) if len(unsure) else []
    flags[~flags] = np.array([collapse is not None for collapse in degeneracies], np.bool_).reshape(-1, 2).any(axis=1)
    return flags


def shared_entropies(first: Array, second: Array) -> Array:
    """(M,) nats of which of two components (M, n) the rows belong to, given that it is one of them."""
    return _negative_entropies(first + second) - _negative_entropies(first) - _negative_entropies(second)


def pair_entropies(masses: Array, pairs: Integers) -> Array:
    """The same of pairs (P, 2) of components, of masses (K, n)."""
    if not len(pairs):
        return np.zeros(0)
    own, at_once = _negative_entropies(masses), max(1, AT_ONCE // masses.shape[1])
    parts = [pairs[first : first + at_once] for first in range(0, len(pairs), at_once)]
    together = [_negative_entropies(masses[part[:, 0]] + masses[part[:, 1]]) for part in parts]
    entropies: Array = np.concatenate(together) - own[pairs].sum(axis=1)
    return entropies


def _negative_entropies(masses: Array) -> Array:
    logs = np.log(np.maximum(masses, np.finfo(float).tiny))
    sums: Array = np.einsum("mn,mn->m", masses, logs)
    return sums
