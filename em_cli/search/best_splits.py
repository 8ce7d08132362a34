"""Components parted in two: mixtures of two, fitted to the rows as far as they belong to the component."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers, flat, map_arrays, n_candidates, take
from em_cli.engine.cache import scratch
from em_cli.engine.expectation import ModelStatistics, Parameters
from em_cli.engine.model import Model
from em_cli.engine.row_sums import sum_of
from em_cli.engine.rows import Block
from em_cli.latents.bayes import NEGLIGIBLE as NO_MORE
from em_cli.latents.independent import Independent
from em_cli.search.search_data import SearchData, reference_of
from em_cli.search.tried_ways import Borne, Tried, side_by_side
from em_cli.search.ways_to_part import drawn_ways

PASSES = 6
AT_ONCE = 1 << 18  # masses that are looked at together
WAYS_AT_ONCE = 1 << 21  # rows times ways
FEW_ROWS = 1 << 16  # rows times tries: where they are more, components are parted in fewer ways
KEPT = 3  # ways for each component
ROWS = 500  # of a component, where they are many; the parts then take all its rows
FEW = 5  # ways to part a component of many rows
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

    There may be components (M, 2, …) to begin the M-steps of the parts from. Ways are sought on the rows that a mass
    has a share of, or some of them; the parts then take all that it has of every row. Missing cells are filled in once
    while the parts are sought; their statistics are those of what is observed.
    """
    return best_splits_of_each(model, [(data, masses)], rngs, tries, at, kept)


def best_splits_of_each(
    model: Model,
    borne: Sequence[tuple[SearchData, Array]],
    rngs: Sequence[np.random.Generator],
    tries: int,
    at: object = None,
    kept: int = KEPT,
) -> list[list[Part]]:
    """The same of masses (M, n) on the rows of several searches, as many in each; one behind the other.

    What is found of a mass does not depend on its company.
    """
    few_rows = borne[0][1].shape[1] * tries <= FEW_ROWS
    tries = tries if few_rows else min(tries, FEW)
    sets, first = list[Borne](), 0
    for data, masses in borne:
        sets.append(Borne.of(model, data, masses, first, few_rows))
        first += len(masses)
    tried = [*side_by_side(sets, drawn_ways(rngs, tries), tries, None if few_rows else ROWS)]
    found = [list[Part]() for _ in rngs]
    if not tried:
        return found
    order = [m for own in tried for m in own.members]
    parameters, places = _climbed(model, tried, take(at, np.array(order)), kept)
    places = [order[place] for place in places]
    for own in sets:
        taken = _taken_of_few(own, parameters, places) if few_rows else _taken_of_all(own, parameters, places)
        found[own.first : own.first + len(own.masses)] = taken
    return found


def _taken_of_few(borne: Borne, parameters: Parameters, places: Places) -> list[list[Part]]:
    """The parts that those of the stacked mixtures of two make which are of these masses."""
    chosen = [c for c, place in enumerate(places) if borne.first <= place < borne.first + len(borne.masses)]
    own = parameters if len(chosen) == len(places) else take(parameters, np.array(chosen, np.intp))
    return _taken(borne, slice(None), borne.masses, own, [places[c] - borne.first for c in chosen])


def _taken_of_all(borne: Borne, parameters: Parameters, places: Places) -> list[list[Part]]:
    """The same where the parts are made of the rows that a mass bears, and of all that it has of others."""
    found: list[list[Part]] = []
    for m, mass in enumerate(borne.masses):
        chosen = take(parameters, np.array([c for c, place in enumerate(places) if place == borne.first + m], np.intp))
        found.append(_taken_of_one(borne, mass, np.flatnonzero(borne.flags[m]), chosen))
    return found


def _taken_of_one(borne: Borne, mass: Array, rows: Integers, parameters: Parameters) -> list[Part]:
    n_parts, model = n_candidates(parameters), borne.model
    if not n_parts:
        return []
    (parts,) = _taken(borne, rows, mass[rows][None], parameters, [0] * n_parts)
    rest = mass.copy()
    rest[rows] = 0.0
    frame = reference_of(model.family, map_arrays(lambda array: array[:, :1], parameters.components))
    more = borne.data.sums(model, np.repeat(rest[None, None], 1 if frame is None else n_parts, axis=0), frame)[:, 0]
    more = np.broadcast_to(more, (n_parts, more.shape[1]))
    return [replace(part, first=part.first + m) for part, m in zip(parts, more, strict=True)]


def together(n_masses: int, n_rows: int, tries: int) -> bool:
    """Whether so many masses of so many rows are few enough to be parted at once."""
    return n_masses * max(tries * min(n_rows, ROWS), n_rows) <= WAYS_AT_ONCE


def _climbed(model: Model, tried: Sequence[Tried], at: object, kept: int) -> tuple[Parameters, Places]:
    """EM of mixtures of two on each component, from each of its ways; and which of them are worth it."""
    two, tries = Model(model.family, Independent(), 2), tried[0].ways.shape[1]
    statistics = np.concatenate([_counted(model, own) for own in tried])
    begin = take(at, np.repeat(np.arange(len(statistics) // tries), tries))
    components = model.family.maximize(statistics, begin)
    parameters, _ = two.with_components(components, ModelStatistics(statistics, None), None)
    log_likelihood = np.zeros(len(statistics))
    for place in range(PASSES):
        if place:
            parameters, _ = two.at_maximum(ModelStatistics(statistics, None), parameters)
        log_likelihood, statistics = _expected(model, tried, parameters)
    support = statistics[..., 0]
    chosen = _distinct(log_likelihood.reshape(-1, tries), partial(_degenerate, model, parameters, support), kept)
    return take(parameters, np.array([c for c, _ in chosen], np.intp)), [place for _, place in chosen]


def _counted(model: Model, tried: Tried) -> Array:
    """(M T, 2, S) of what each way makes of its component."""
    found = list[Array]()
    for piece in tried.pieces():
        (m, tries, w), masses = piece.ways.shape, piece.masses[:, None]
        joint = np.empty((m, tries, 2, w))
        np.multiply(piece.ways, masses, out=joint[:, :, 0])
        np.subtract(masses, joint[:, :, 0], out=joint[:, :, 1])
        if model.family.exponential is None:
            alike = piece.alike()
            found += [model.family.statistics(rows, joint[own].reshape(-1, 2, w), None) for rows, own in alike]
        else:
            found.append(_summed(piece.features, joint).reshape(m * tries, 2, -1))
    return np.concatenate(found)


def _summed(features: Array, joint: Array) -> Array:
    """(M, T, 2, F) of features (M, F, w), with joint masses (M, T, 2, w): sums of each row of products by itself."""
    m, tries, _, w = joint.shape
    sums: Array = np.matmul(joint.reshape(m, 2 * tries, w), features.swapaxes(1, 2))
    return sums.reshape(m, tries, 2, -1)


def _expected(model: Model, tried: Sequence[Tried], parameters: Parameters) -> tuple[Array, Array]:
    """The log-likelihoods (C,) of mixtures of two on the rows of their components, and their statistics (C, 2, S)."""
    by_products, theta, apart = model.family.exponential, None, None
    if by_products is not None:
        theta, apart = by_products.natural(parameters.components)
        theta = theta.copy()
        theta[..., 0] += Independent().log_prior(parameters.latent)
    found, first = list[tuple[Array, Array]](), 0
    for piece in (piece for own in tried for piece in own.pieces()):
        some = slice(first, first + piece.n_candidates)
        if theta is None or apart is None:
            found.append(_one_by_one(model, piece, take(parameters, some)))
        elif apart[some].any():
            found.append(_some_apart(model, piece, take(parameters, some), theta[some], apart[some]))
        else:
            found.append(_at_once(piece, theta[some]))
        first = some.stop
    log_likelihoods, sums = zip(*found, strict=True)
    return np.concatenate(log_likelihoods), np.concatenate(sums)


def _at_once(piece: Tried, theta: Array) -> tuple[Array, Array]:
    """At natural parameters (C, 2, F); of two, one exponential tells both responsibilities."""
    (m, tries, w), masses, f = piece.ways.shape, piece.masses[:, None], theta.shape[2]
    joint = scratch("joint", m, tries, 2, w)
    np.matmul(theta.reshape(m, 2 * tries, f), piece.features, out=joint.reshape(m, 2 * tries, w))
    one, other = joint[:, :, 0], joint[:, :, 1]
    odds, density = scratch("spare", m, tries, w), scratch("total", m, tries, w)
    np.subtract(other, one, out=odds)
    np.clip(odds, NO_MORE, -NO_MORE, out=odds)
    np.exp(odds, out=odds)
    np.log(np.add(odds, 1.0, out=density), out=density)
    density += one
    np.maximum(density, other, out=density)  # where the odds are cut off
    whole = np.add(odds, 1.0, out=other)
    log_likelihoods = np.einsum("mtn,mn->mt", density, piece.masses)
    np.divide(masses, whole, out=one)
    np.multiply(one, odds, out=other)
    return log_likelihoods.ravel(), _summed(piece.features, joint).reshape(m * tries, 2, f)


def _one_by_one(model: Model, piece: Tried, parameters: Parameters) -> tuple[Array, Array]:
    """The same of a family that evaluates mixtures itself."""
    tries, log_likelihoods, sums = piece.ways.shape[1], list[Array](), list[Array]()
    for rows, own in piece.alike():
        some = take(parameters, slice(own.start * tries, own.stop * tries))
        log_likelihood, statistics = _evaluated(model, rows, np.repeat(piece.masses[own], tries, axis=0), some)
        log_likelihoods.append(log_likelihood)
        sums.append(statistics)
    return np.concatenate(log_likelihoods), np.concatenate(sums)


def _evaluated(model: Model, features: Array, masses: Array, parameters: Parameters) -> tuple[Array, Array]:
    """Of candidates on rows that bear the masses (C, w)."""
    joint = np.empty((n_candidates(parameters), 2, features.shape[1]))
    log_likelihood = np.add.reduce(_posterior(model, features, parameters, joint) * masses, axis=1)
    joint *= masses[:, None]
    return log_likelihood, model.family.statistics(features, joint, parameters.components)


def _some_apart(model: Model, piece: Tried, parameters: Parameters, theta: Array, apart: Flags) -> tuple[Array, Array]:
    """The same where products would evaluate some mixtures with loss: these are evaluated by the family."""
    log_likelihoods, sums = _at_once(piece, theta)
    tries = piece.ways.shape[1]
    for rows, alike in piece.alike():
        own = alike.start * tries + np.flatnonzero(apart[alike.start * tries : alike.stop * tries])
        if len(own):
            log_likelihoods[own], sums[own] = _evaluated(model, rows, piece.masses[own // tries], take(parameters, own))
    return log_likelihoods, sums


def _taken(
    borne: Borne, rows: Integers | slice, masses: Array, parameters: Parameters, places: Places
) -> list[list[Part]]:
    """The parts that stacked mixtures of two make of the masses (M, n) of these rows at these places."""
    model, found = borne.model, [list[Part]() for _ in masses]
    if not places:
        return found
    joint, sums = np.empty((len(places), 2, masses.shape[1])), []
    frame = reference_of(model.family, parameters.components)
    for some, features, completed in borne.parts(rows, masses.shape[1]):
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
