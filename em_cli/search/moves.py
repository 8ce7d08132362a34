"""What a split or a merge of components is worth, before any climb.

With the responsibilities given, the log-likelihood after the M-step is at least the expected
log-likelihood of rows and labels plus the entropy of the responsibilities (Neal & Hinton 1998).
The first needs nothing but sufficient statistics, which add where components are merged: so
the worth of a move is a bound and not a guess, for every family that can tell its expected
log-density from statistics. The moves are those of Ueda, Nakano, Ghahramani & Hinton (2000).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Integers, map_arrays, stack, take
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.model import Model
from em_cli.search.best_splits import (
    AT_ONCE,
    KEPT,
    Part,
    best_splits,
    best_splits_of_each,
    pair_entropies,
    together,
)
from em_cli.search.search_data import MixtureView, SearchData

MANY = 12  # components, beyond which only the pairs that overlap most are thought of as merged
ENTROPIES = 3  # pairs per component whose shared entropy is computed
RESPLIT = 4  # pairs that are parted anew
ANEW = 6  # ways for each: the first is often the pair itself


@dataclass(frozen=True, slots=True, eq=False)
class Merge:
    """Components i and j made one, and the most that it loses."""

    loss: float
    i: int
    j: int


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A component parted in two, and the least that it gains."""

    gain: float
    component: int
    part: Part


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """A merge and a split, which leave the number of components as it is."""

    worth: float  # nats, at least
    merge: Merge
    split: Split  # of the merged component itself, if it names component i

    @property
    def touched(self) -> set[int]:
        return {self.merge.i, self.merge.j, self.split.component}

    @property
    def parts_anew(self) -> bool:
        """Whether it is the merged component that is split."""
        return self.split.component == self.merge.i

    def apply(self, statistics: Array) -> None:
        """Rewrite the statistics (K, S)."""
        i, j, k = self.merge.i, self.merge.j, self.split.component
        statistics[i] = statistics[i] + statistics[j]
        statistics[k], statistics[j] = self.split.part.first, self.split.part.second

    def applied(self, view: MixtureView) -> tuple[Array, object]:
        """The statistics (K, S) after the move, and those of the latent structure."""
        after, shares = view.statistics.copy(), np.eye(len(view.statistics))
        self.apply(after)
        self.share(shares)
        return after, view.carried(shares)

    def share(self, shares: Array) -> None:
        """Rewrite the shares (K, …) that components have of those before."""
        i, j, k = self.merge.i, self.merge.j, self.split.component
        shares[i] += shares[j]
        first = self.split.part.share
        shares[k], shares[j] = first * shares[k], (1 - first) * shares[k]


def splits(view: MixtureView, data: SearchData, rng: np.random.Generator, tries: int) -> list[Split]:
    """The best way found to part each component, the most gainful first."""
    return splits_of_each([view], [data], [rng], tries)[0]


def splits_of_each(
    views: Sequence[MixtureView],
    data: Sequence[SearchData],
    rngs: Sequence[np.random.Generator],
    tries: int,
    kept: int = KEPT,
) -> list[list[Split]]:
    """The same of mixtures of one family, each on its data; their components are parted together."""
    found: list[list[Split]] = []
    for some in _in_bunches(views, tries):
        own = [rng for view, rng in zip(some, rngs[len(found) :], strict=False) for _ in view.statistics]
        borne = [*_on_same_rows(some, data[len(found) :])]
        parts = iter(best_splits_of_each(some[0].model, borne, own, tries, _begin(some), kept))
        found += _gainful(some, [[(k, p) for k in range(len(view.statistics)) for p in next(parts)] for view in some])
    return found


def _on_same_rows(views: Sequence[MixtureView], data: Sequence[SearchData]) -> Iterator[tuple[SearchData, Array]]:
    """Whose rows they are that components bear, and the masses (M, n) of all that are one behind the other."""
    pairs = zip(views, data, strict=False)
    for _, same in groupby(pairs, key=lambda pair: id(pair[1])):
        own = [*same]
        yield own[0][1], np.concatenate([view.weighted_responsibilities for view, _ in own])


def _in_bunches(views: Sequence[MixtureView], tries: int) -> Iterator[list[MixtureView]]:
    """As many one behind the other as are parted at once."""
    some: list[MixtureView] = []
    n_masses = 0
    for view in views:
        k, n = view.weighted_responsibilities.shape
        if some and not (n == some[0].weighted_responsibilities.shape[1] and together(n_masses + k, n, tries)):
            yield some
            some, n_masses = [], 0
        some.append(view)
        n_masses += k
    if some:
        yield some


def _gainful(views: Sequence[MixtureView], parts: Sequence[Sequence[tuple[int, Part]]]) -> list[list[Split]]:
    """Splits of the components of each, by what they gain."""
    removed = [np.array([k for k, _ in own], np.intp)[:, None] for own in parts]
    gains = _changes(views, removed, [_both([p for _, p in own]) for own in parts])
    made = [
        [Split(float(gain) + p.entropy, k, p) for gain, (k, p) in zip(each, own, strict=True)]
        for each, own in zip(gains, parts, strict=True)
    ]
    return [sorted(own, key=lambda split: -split.gain) for own in made]


def _begin(views: Sequence[MixtureView]) -> Any:
    """The components (M, 2, …) themselves, from which the M-steps of their parts begin."""
    own = [nearby(view, np.arange(len(view.statistics))[:, None].repeat(2, axis=1)) for view in views]
    if any(each is None for each in own):
        return None
    return _joined(own)


def _joined(components: Sequence[Any]) -> Any:
    return map_arrays(lambda *arrays: np.concatenate(arrays), components[0], *components[1:])


def merges(view: MixtureView) -> list[Merge]:
    """The pairs of components that lose least by being made one, the cheapest first."""
    return merges_of_each([view])[0]


def merges_of_each(views: Sequence[MixtureView], among: Sequence[Integers] | None = None) -> list[list[Merge]]:
    """The same of mixtures of one family; among some pairs of each, if told."""
    pairs = among or [_pairs(view.weighted_responsibilities) for view in views]
    made = [view.statistics[own].sum(axis=1, keepdims=True) for view, own in zip(views, pairs, strict=True)]
    changes = _changes(views, pairs, made)
    return [_cheapest(view, own, -change) for view, own, change in zip(views, pairs, changes, strict=True)]


def _pairs(masses: Array) -> Integers:
    """Those of components (P, 2), of masses (K, n), that may be made one."""
    k = len(masses)
    pairs = np.array(list(combinations(range(k), 2)), np.intp).reshape(-1, 2)
    if k <= MANY:
        return pairs
    size = np.sqrt(np.maximum((masses**2).sum(axis=1), 1e-300))
    overlap = masses @ masses.T / np.outer(size, size)
    return pairs[np.argsort(-overlap[pairs[:, 0], pairs[:, 1]], kind="stable")[: ENTROPIES * k]]


def _cheapest(view: MixtureView, pairs: Integers, losses: Array) -> list[Merge]:
    """The merges that lose least, their shared entropies included."""
    cheapest = np.argsort(losses, kind="stable")[: ENTROPIES * len(view.statistics)]
    least = losses[cheapest] + pair_entropies(view.weighted_responsibilities, pairs[cheapest])
    made = [Merge(loss, i, j) for loss, (i, j) in zip(least.tolist(), pairs[cheapest].tolist(), strict=True)]
    return sorted(made, key=lambda merge: merge.loss)


def moves(
    view: MixtureView, data: SearchData, rng: np.random.Generator, tries: int, lost: Set[int] = frozenset()
) -> list[Move]:
    """Splits with merges elsewhere, and pairs parted anew, the most gainful first; of lost components, if any."""
    pairs, parted, k = _merges(view, lost), splits(view, data, rng, tries), len(view.weighted_responsibilities)
    found = [
        Move(split.gain - merge.loss, merge, split)
        for merge in pairs[: max(6, k)]
        for split in parted[: max(6, k // 2)]
        if split.component not in {merge.i, merge.j} | lost
    ]
    again = pairs[:RESPLIT]
    masses = np.array([view.weighted_responsibilities[m.i] + view.weighted_responsibilities[m.j] for m in again])
    begin = nearby(view, np.array([(m.i, m.j) for m in again], np.intp).reshape(-1, 2))
    parts = best_splits(view.model, masses, data, [rng] * len(again), tries, begin, ANEW)
    known = [(merge, p) for merge, ps in zip(again, parts, strict=True) for p in ps]
    places = np.array([(m.i, m.j) for m, _ in known], np.intp).reshape(-1, 2)
    (gains,) = _changes([view], [places], [_both([p for _, p in known])])
    shared = pair_entropies(view.weighted_responsibilities, places)
    for gain, entropy, (merge, p) in zip(gains, shared, known, strict=True):
        worth = float(gain) + p.entropy - float(entropy)
        found.append(Move(worth, merge, Split(worth + merge.loss, merge.i, p)))
    if view.model.is_variational:
        found += [_emptied(view, merge) for merge in pairs[: max(6, k)]]
    return sorted(found, key=lambda move: -move.worth)


def _merges(view: MixtureView, lost: Set[int]) -> list[Merge]:
    """Those of components that are lost with any other, however much it costs, or the cheapest of all."""
    pairs = combinations(range(len(view.statistics)), 2)
    return merges_of_each([view], [np.array([p for p in pairs if lost & set(p)], np.intp)])[0] if lost else merges(view)


def _emptied(view: MixtureView, merge: Merge) -> Move:
    """The merge alone: one of the two is left without rows, as the prior has it."""
    both = view.statistics[merge.i] + view.statistics[merge.j]
    return Move(-merge.loss, merge, Split(0.0, merge.i, Part(both, np.zeros_like(both), 0.0)))


def bound(model: Model, statistics: Array, at: object = None) -> Array:
    """(M,) expected log-likelihood of rows and labels at M-steps of statistics (M, K, S), from components if given."""
    sums = ModelStatistics(statistics, None)
    parameters, _ = model.with_components(model.family.maximize(statistics, at), sums, None)
    return model.expected_log_likelihood(sums, parameters)


def _both(parts: Sequence[Part]) -> Array:
    """(P, 2, S)."""
    return np.array([[part.first, part.second] for part in parts])


def _changes(views: Sequence[MixtureView], removed: Sequence[Integers], added: Sequence[Array]) -> list[Array]:
    """By how much the expected log-likelihood of each changes (M,) where new components replace old ones.

    The mixtures are of one family. Of each move it is told which components (M, G) go, and the statistics (M, A, S) of
    those that come. Where components are coupled, all that stay are counted.
    """
    size = sum(len(gone) * view.statistics.size for view, gone in zip(views, removed, strict=True))
    if size > AT_ONCE and len(views) > 1:
        half = len(views) // 2
        parts = slice(half), slice(half, None)
        return [change for own in parts for change in _changes(views[own], removed[own], added[own])]
    changes, asked = [np.zeros(0) for _ in views], [place for place, gone in enumerate(removed) if len(gone)]
    of_each = _coupled if views and views[0].model.family.coupled else _uncoupled
    alike: dict[int, list[int]] = {}
    for place in asked:
        alike.setdefault(len(views[place].statistics) if of_each is _coupled else 0, []).append(place)
    for places in alike.values():
        gone, new = [removed[place] for place in places], [added[place] for place in places]
        for place, change in zip(places, of_each([views[place] for place in places], gone, new), strict=True):
            changes[place] = change
    return changes


def _uncoupled(views: Sequence[MixtureView], removed: Sequence[Integers], added: Sequence[Array]) -> list[Array]:
    model, new = views[0].model, np.concatenate(added)  # (M, A, S)
    before = _alone(model, np.concatenate([view.statistics for view in views]))
    after = _alone(model, new.reshape(-1, new.shape[2])).reshape(new.shape[:2]).sum(axis=1)
    own = np.split(before, np.cumsum([len(view.statistics) for view in views])[:-1])
    each = zip(np.split(after, np.cumsum([len(gone) for gone in removed])[:-1]), own, removed, strict=True)
    return [come - now[gone].sum(axis=1) for come, now, gone in each]


def _coupled(views: Sequence[MixtureView], removed: Sequence[Integers], added: Sequence[Array]) -> list[Array]:
    """Of mixtures of as many components each."""
    model, after, begin, k = views[0].model, list[Array](), list[Any](), len(views[0].statistics)
    for view, gone, new in zip(views, removed, added, strict=True):
        staying = np.ones((len(gone), k), np.bool_)
        np.put_along_axis(staying, gone, False, axis=1)
        stay = np.nonzero(staying)[1].reshape(len(gone), -1)
        after.append(np.concatenate([view.statistics[stay], new], axis=1))
        begin.append(nearby(view, np.concatenate([stay, np.repeat(gone[:, :1], new.shape[1], axis=1)], axis=1)))
    now = [view.statistics[None] for view in views]
    at = [nearby(view, np.arange(k)[None]) for view in views]
    return [come - own for come, own in zip(_bounds(model, after, begin), _bounds(model, now, at), strict=True)]


def _bounds(model: Model, statistics: Sequence[Array], at: Sequence[Any]) -> list[Array]:
    """`bound` of stacks, those that begin from components together, and the others."""
    found = [np.zeros(0) for _ in at]
    for begins in (True, False):
        places = [place for place, own in enumerate(at) if (own is not None) is begins]
        if places:
            begin = _joined([at[place] for place in places]) if begins else None
            made = bound(model, np.concatenate([statistics[place] for place in places]), begin)
            parts = np.split(made, np.cumsum([len(statistics[place]) for place in places])[:-1])
            for place, own in zip(places, parts, strict=True):
                found[place] = own
    return found


def nearby(view: MixtureView, origin: Integers) -> Any:
    """The view's components at these places, to begin an M-step from.

    None where that needs no beginning, or where plain sums are no statistics about them.
    """
    by_products, components = view.model.family.exponential, view.result.parameters.components
    if not view.model.family.coupled or by_products is None or by_products.natural(stack([components]))[1].any():
        return None
    return take(components, origin)


def _alone(model: Model, statistics: Array) -> Array:
    """(M,) what each of some components (M, S) adds to the expected log-likelihood, up to n log n."""
    one = statistics[:, None]
    weight = np.maximum(statistics[:, 0], np.finfo(float).tiny)
    expected = model.family.expected_log_density(one, model.family.maximize(one, None))[:, 0]
    added: Array = expected + weight * np.log(weight)
    return added
