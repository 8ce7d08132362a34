"""Mixtures made of others: `split_all` by splits, `merge_all` by merges, `crossover` of two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, take
from em_cli.engine.climb import Candidate, FitResult, Round
from em_cli.engine.fit import Search
from em_cli.engine.stopping import Status, Stopping
from em_cli.search.best_splits import KEPT
from em_cli.search.moves import Merge, Split, merges_of_each, nearby, splits, splits_of_each
from em_cli.search.search_data import MixtureView
from em_cli.search.short_runs import REST, ShortRuns

PARENTS = 3  # mixtures of the neighbouring number of components that are split or merged
DESCENDANTS = (4, 32)
SETTLING = 2  # passes between two rounds of merges
ROUNDED = 8  # of so many components one is merged in a round
BOUNCE = 5  # passes after components were split off

Way = tuple[Array, Any, Any]  # statistics (K, S) to start from, those of the latent structure, components nearby


def of_one(short_runs: ShortRuns) -> Search[list[FitResult]]:
    """The mixture of one component."""
    one, block = short_runs.with_components(1), short_runs.data.block
    mass = np.ones(block.x.shape[1]) if block.weights is None else block.weights
    return (yield from one.to_rest(one.candidates([short_runs.data.statistics(one.model, mass[None])])))


def split_all(short_runs: ShortRuns, parents: Sequence[FitResult]) -> Search[list[FitResult]]:
    """From mixtures of one component less: the most gainful splits of each."""
    return (yield from short_runs.to_rest(parted(short_runs, parents, _affordable(short_runs))))


def parted(
    short_runs: ShortRuns, parents: Sequence[FitResult], most: int | None = None, kept: int = KEPT
) -> list[Candidate]:
    """Climbs from the splits of mixtures of one component less, the most gainful first, all unless told otherwise.

    They may be told how many ways to part each component to keep.
    """
    return after_splits(short_runs, splits_of_parents([(short_runs, parents[:PARENTS])], kept)[0], most)


Splits = list[tuple[MixtureView, list[Split]]]  # of each parent


def splits_of_parents(wanted: Sequence[tuple[ShortRuns, Sequence[FitResult]]], kept: int = KEPT) -> list[Splits]:
    """The splits of mixtures of one family, for each of some models of one component more."""
    views = [[short_runs.data.view(parent) for parent in parents] for short_runs, parents in wanted]
    rngs = [short_runs.rng(1, p) for short_runs, parents in wanted for p in range(len(parents))]
    data = [short_runs.data for short_runs, parents in wanted for _ in parents]
    every = splits_of_each([v for own in views for v in own], data, rngs, wanted[0][0].effort.tries, kept)
    made = iter(every)
    return [[(view, next(made)) for view in own] for own in views]


def after_splits(short_runs: ShortRuns, parents: Splits, most: int | None) -> list[Candidate]:
    """Climbs from where the splits lead."""
    return _in_turn(short_runs, [[partial(_split, view, split) for split in made] for view, made in parents], most)


def merge_all(short_runs: ShortRuns, parents: Sequence[FitResult]) -> Search[list[FitResult]]:
    """From mixtures of one component more: the cheapest merges of each."""
    return (yield from short_runs.to_rest(merged(short_runs, parents, _affordable(short_runs))))


def merged(short_runs: ShortRuns, parents: Sequence[FitResult], most: int | None = None) -> list[Candidate]:
    """Climbs from the merges of mixtures of one component more, the cheapest first."""
    views = [short_runs.data.view(parent) for parent in parents[:PARENTS]]
    each = zip(views, merges_of_each(views), strict=True)
    return _in_turn(short_runs, [[partial(_after, view, [merge]) for merge in made] for view, made in each], most)


def _in_turn(short_runs: ShortRuns, ways: Sequence[Sequence[Callable[[], Way]]], most: int | None) -> list[Candidate]:
    """The best way of each parent, then the second best …; only those that are taken are made."""
    ordered = [way for rank in zip_longest(*ways) for way in rank if way is not None]
    return _candidates(short_runs, [way() for way in ordered[:most]])


def _candidates(short_runs: ShortRuns, ways: Sequence[Way]) -> list[Candidate]:
    if not ways:
        return []
    statistics, latent, begin = zip(*ways, strict=True)
    return short_runs.candidates(statistics, latent, begin)


def _affordable(short_runs: ShortRuns) -> int:
    return short_runs.affordable(REST, *DESCENDANTS)


def from_other_structures(short_runs: ShortRuns, results: Sequence[FitResult]) -> list[Candidate]:
    """Climbs from the responsibilities of mixtures of other families."""
    model, data = short_runs.model, short_runs.data
    ways: list[Way] = []
    for result in results:
        masses = data.weighted_responsibilities(result)
        latent = take(model.latent.seen(masses[None], data.block), 0)
        ways.append((data.statistics(model, masses), latent, None))
    return _candidates(short_runs, ways)


def crossover(short_runs: ShortRuns, pairs: Sequence[tuple[FitResult, FitResult]]) -> Search[list[FitResult]]:
    """Of each pair the components of both, merged down to as many as one of them has."""
    unions: list[Way] = [
        (np.concatenate([short_runs.data.view(r).statistics for r in pair]) / 2, None, None) for pair in pairs
    ]
    return (yield from _merged_down(short_runs, unions))


def over_split(short_runs: ShortRuns, result: FitResult, more: int) -> Search[list[FitResult]]:
    """So many components split off, then as many merged."""
    view = short_runs.data.view(result)
    statistics, parted, halves = view.statistics.copy(), set[int](), list[Array]()
    for split in splits(view, short_runs.data, short_runs.rng(2, more), short_runs.effort.tries):
        if len(parted) < more and split.component not in parted:
            parted.add(split.component)
            statistics[split.component] = split.part.first
            halves.append(split.part.second)
    if not halves:
        return []
    wider = short_runs.with_components(len(statistics) + len(halves))
    (after,) = yield Round(wider.candidates([np.concatenate([statistics, halves])]), Stopping(0.0, BOUNCE))
    if after.status is Status.DEGENERATE:
        return []
    return (yield from _merged_down(short_runs, [_after(short_runs.data.view(after), [])]))


def _split(view: MixtureView, split: Split) -> Way:
    """Statistics (K + 1, S) after a split, and those of the latent structure."""
    k, own = split.component, np.eye(len(view.statistics))
    origin = np.array([*(other for other in range(len(own)) if other != k), k, k])
    shares = own[origin]
    shares[-2:] *= np.array([[split.part.share], [1 - split.part.share]])
    parts = np.concatenate([view.statistics[origin[:-2]], [split.part.first, split.part.second]])
    return parts, view.carried(shares), nearby(view, origin)


def _after(view: MixtureView, chosen: Sequence[Merge]) -> Way:
    """Statistics (K', S) after merges that have no component in common, and those of the latent structure."""
    shares = np.eye(len(view.statistics))
    after = view.statistics.copy()
    for merge in chosen:
        after[merge.i] += after[merge.j]
        shares[merge.i] += shares[merge.j]
    gone = [merge.j for merge in chosen]
    left = np.delete(np.arange(len(after)), gone)
    return after[left], view.carried(shares[left]), nearby(view, left)


def _merged_down(short_runs: ShortRuns, unions: list[Way]) -> Search[list[FitResult]]:
    """Rounds of merges and a few passes, to the number of components of the short_runs's model; then to rest."""
    k = short_runs.model.n_components
    while unions and (n := len(unions[0][0])) > k:
        wider = short_runs.with_components(n)
        results = yield Round(_candidates(wider, unions), Stopping(0.0, SETTLING))
        fewer = min(n - k, max(1, n // ROUNDED))
        alive = [short_runs.data.view(r) for r in results if r.status is not Status.DEGENERATE]
        unions = []
        for view, made in zip(alive, merges_of_each(alive), strict=True):
            chosen, touched = list[Merge](), set[int]()
            for merge in made:
                if len(chosen) < fewer and not touched & {merge.i, merge.j}:
                    chosen.append(merge)
                    touched |= {merge.i, merge.j}
            if len(chosen) == fewer:
                unions.append(_after(view, chosen))
    return (yield from short_runs.to_rest(_candidates(short_runs, unions)))
