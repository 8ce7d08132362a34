"""Components parted in two: mixtures of two, fitted to the rows as far as they belong to the component."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers, flat, map_arrays, take
from em_cli.engine.expectation import ModelStatistics, Parameters
from em_cli.engine.model import Model
from em_cli.engine.row_sums import parts_of_rows, sum_of
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
) -> list[list[Part]]:
    """For each of the masses (M, n) the best of some ways to part it, if there are any that are not degenerate.

    There may be components (M, 2, …) to begin the M-steps of the parts from. Missing cells are filled in once while
    the parts are sought; their statistics are those of what is observed.
    """
    if not len(masses):
        return []
    filled = data.filled_in(model)
    if together(masses, tries):
        embedding, n_columns = data.embedding(model), len(data.block.x)
        halves = np.stack(
            [_halves(embedding, n_columns, mass, rng, tries) for mass, rng in zip(masses, rngs, strict=True)]
        )
        rows = _Rows(data, model, filled)
        return _taken(rows, masses, *_climbed(rows, masses, halves, at))
    return [
        _alone(model, mass, data, filled, rng, tries, take(at, slice(m, m + 1)))
        for m, (mass, rng) in enumerate(zip(masses, rngs, strict=True))
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Those that are parted: all of a search, or some (n,) of them."""

    data: SearchData
    model: Model
    filled: Array | None  # (F, n) of all rows, with missing cells filled in
    places: Integers | None = None

    def parts(self, n: int) -> Iterator[tuple[slice, Array, Array]]:
        """Some of them at a time: their features (F, m), and the same with missing cells filled in."""
        for some in parts_of_rows(n, self.model.family.n_features()):
            own = some if self.places is None else self.places[some]
            features = self.data.features(self.model, own)
            yield some, features, features if self.filled is None else self.filled[:, own]


def _alone(
    model: Model,
    mass: Array,
    data: SearchData,
    filled: Array | None,
    rng: np.random.Generator,
    tries: int,
    begin: object,
) -> list[Part]:
    """Ways to part one mass (n,), sought on some of its rows; the parts then take all that it has of every row."""
    rows = np.flatnonzero(mass > NEGLIGIBLE)
    if not len(rows):
        return []
    own = mass[rows]
    some = np.linspace(0, len(rows) - 1, min(len(rows), ROWS)).astype(np.intp)
    halves = _halves(data.embedding(model)[:, rows[some]], len(data.block.x), own[some], rng, min(tries, FEW))[None]
    chosen = _climbed(_Rows(data, model, filled, rows[some]), own[some][None], halves, begin)
    (parts,) = _taken(_Rows(data, model, filled, rows), own[None], *chosen)
    if not parts:
        return []
    rest = np.where(mass > NEGLIGIBLE, 0.0, mass)
    frame = reference_of(model.family, map_arrays(lambda array: array[:, :1], chosen[0].components))
    more = data.sums(model, np.repeat(rest[None, None], 1 if frame is None else len(parts), axis=0), frame)[:, 0]
    more = np.broadcast_to(more, (len(parts), more.shape[1]))
    return [replace(part, first=part.first + m) for part, m in zip(parts, more, strict=True)]


def together(masses: Array, tries: int) -> bool:
    """Whether masses (M, n) are few enough to be parted at once, on all rows."""
    return masses.size * tries <= AT_ONCE


def _halves(embedding: Array, n_columns: int, mass: Array, rng: np.random.Generator, tries: int) -> Array:
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
    own = radius * (mass > 0.5 * mass.max())
    far = sphered[:, own.argmax()]
    opposite = sphered[:, (own * (far @ sphered < 0)).argmax()]
    ways: list[Any] = [sphered[-1] > 0, radius > len(sphered)]
    ways += [far @ sphered > 0.5 * far @ far, FEW_OF * (opposite @ sphered > 0.5 * opposite @ opposite)]
    cumulative, near = np.cumsum(share), sphered if len(embedding) <= n_columns else centred
    while len(ways) < tries:
        a, b = np.minimum(np.searchsorted(cumulative, rng.random(2) * cumulative[-1]), len(share) - 1)
        if len(ways) % 3:
            distance = ((near - near[:, [a]]) ** 2).sum(axis=0)
            order = np.argsort(distance, kind="stable")
            wanted = rng.uniform(len(sphered) + 1, max(0.3 * mass.sum(), len(sphered) + 2))
            within = distance[order[min(np.searchsorted(np.cumsum(mass[order]), wanted), len(order) - 1)]]
            ways.append(distance <= within)
        else:
            towards = near[:, a] - near[:, b]
            ways.append(towards @ near > towards @ (near[:, a] + near[:, b]) / 2)
    return np.array(ways[:tries], np.float64)


def _climbed(rows: _Rows, masses: Array, halves: Array, at: object) -> tuple[Parameters, Places]:
    """EM of mixtures of two on each mass (M, n), from each of its halves (M, T, n); and which of them are worth it."""
    model, (m, tries, n) = rows.model, halves.shape
    two = Model(model.family, Independent(), 2)
    weights = np.repeat(masses, tries, axis=0)  # (C, n)
    joint = np.stack([halves.reshape(-1, n), 1 - halves.reshape(-1, n)], axis=1) * weights[:, None]
    statistics = sum_of(
        model.family.statistics(completed, joint[..., some], None) for some, _, completed in rows.parts(n)
    )
    begin = take(at, np.repeat(np.arange(m), tries))
    parameters, _ = two.with_components(
        model.family.maximize(statistics, begin), ModelStatistics(statistics, None), None
    )
    log_likelihood = np.zeros(m * tries)
    for place in range(PASSES):
        if place:
            parameters, _ = two.at_maximum(ModelStatistics(statistics, None), parameters)
        densities, statistics = _expected(rows, parameters, weights, joint)
        log_likelihood = np.einsum("cn,cn->c", densities, weights)
    log_likelihood[_degenerate(model, parameters, joint.sum(axis=2))] = -np.inf
    chosen = _distinct(log_likelihood.reshape(m, tries))
    return take(parameters, np.array([c for c, _ in chosen], np.intp)), [place for _, place in chosen]


def _expected(rows: _Rows, parameters: Parameters, weights: Array, joint: Array) -> tuple[Array, Array]:
    """Overwrite `joint` (C, 2, n) with weighted responsibilities; log-densities (C, n) of the mixtures, statistics."""
    densities, sums = np.empty(weights.shape), []
    for some, _, completed in rows.parts(weights.shape[1]):
        own = np.empty((*joint.shape[:2], completed.shape[1]))
        densities[:, some] = _posterior(rows.model, completed, parameters, own)
        own *= weights[:, None, some]
        sums.append(rows.model.family.statistics(completed, own, parameters.components))
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


def _distinct(log_likelihood: Array) -> list[tuple[int, int]]:
    """The best tries (M, T) that differ, by their places in the stack and in M."""
    chosen = []
    for place, row in enumerate(log_likelihood):
        kept: list[int] = []
        for t in np.argsort(-row, kind="stable"):
            if len(kept) < KEPT and np.isfinite(row[t]) and all(abs(row[t] - row[other]) > 1e-3 for other in kept):
                kept.append(int(t))
        chosen += [(place * log_likelihood.shape[1] + t, place) for t in kept]
    return chosen


def _degenerate(model: Model, parameters: Parameters, support: Array) -> Flags:
    """(C,) whether one of the two components of each mixture is; support (C, 2) in rows."""
    degeneracies = model.family.degenerate(flat(parameters.components), support.ravel())
    flags = np.array([collapse is not None for collapse in degeneracies]).reshape(-1, 2).any(axis=1)
    either: Flags = np.logical_or(flags, support.min(axis=1) < SMALLEST)
    return either


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
