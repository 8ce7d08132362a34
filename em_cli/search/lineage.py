"""Mixtures made of others: grown by splits, shrunk by merges, two of them crossed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.climb import Candidate, FitResult, Leg
from em_cli.engine.fit import Search
from em_cli.engine.stopping import Status, Stopping
from em_cli.search.moves import Merge, merges, splits
from em_cli.search.scout import REST, Scout

PARENTS = 3  # mixtures of the neighbouring number of components that are split or merged
DESCENDANTS = (4, 32)
SETTLING = 2  # passes between two rounds of merges
ROUNDED = 8  # of so many components one is merged in a round
BOUNCE = 5  # passes after components were split off


def of_one(scout: Scout) -> Search[list[FitResult]]:
    """The mixture of one component."""
    one, block = scout.with_components(1), scout.ground.block
    mass = np.ones(block.x.shape[1]) if block.weights is None else block.weights
    return (yield from one.to_rest([one.candidate(scout.ground.statistics(one.model, mass[None]))]))


def grown(scout: Scout, parents: Sequence[FitResult]) -> Search[list[FitResult]]:
    """From mixtures of one component less: the most gainful splits of each."""
    return (yield from scout.to_rest(parted(scout, parents, _affordable(scout))))


def parted(scout: Scout, parents: Sequence[FitResult], most: int | None = None) -> list[Candidate]:
    """Climbs from the splits of mixtures of one component less, the most gainful first, all unless told otherwise."""
    ways: list[list[Array]] = []
    for p, parent in enumerate(parents[:PARENTS]):
        view = scout.ground.view(parent)
        ways.append([])
        for split in splits(view, scout.ground, scout.rng(1, p), scout.effort.tries):
            kept = np.delete(view.statistics, split.component, axis=0)
            ways[-1].append(np.concatenate([kept, [split.part.first, split.part.second]]))
    return _in_turn(scout, ways, most)


def shrunk(scout: Scout, parents: Sequence[FitResult]) -> Search[list[FitResult]]:
    """From mixtures of one component more: the cheapest merges of each."""
    ways: list[list[Array]] = []
    for parent in parents[:PARENTS]:
        view = scout.ground.view(parent)
        ways.append([_after(view.statistics, [merge]) for merge in merges(view)])
    return (yield from scout.to_rest(_in_turn(scout, ways, _affordable(scout))))


def _in_turn(scout: Scout, ways: Sequence[Sequence[Array]], most: int | None) -> list[Candidate]:
    """The best way of each parent, then the second best …."""
    ordered = [way for rank in zip_longest(*ways) for way in rank if way is not None]
    return [scout.candidate(way) for way in ordered[:most]]


def _affordable(scout: Scout) -> int:
    return scout.affordable(REST, *DESCENDANTS)


def borrowed(scout: Scout, results: Sequence[FitResult]) -> Search[list[FitResult]]:
    """From the responsibilities of mixtures of other families."""
    starts = [scout.ground.statistics(scout.model, scout.ground.mass(result)) for result in results]
    return (yield from scout.to_rest([scout.candidate(start) for start in starts]))


def crossed(scout: Scout, pairs: Sequence[tuple[FitResult, FitResult]]) -> Search[list[FitResult]]:
    """Of each pair the components of both, merged down to as many as one of them has."""
    unions = [np.concatenate([scout.ground.view(r).statistics for r in pair]) / 2 for pair in pairs]
    return (yield from _merged_down(scout, unions))


def bounced(scout: Scout, result: FitResult, more: int) -> Search[list[FitResult]]:
    """So many components split off, then as many merged."""
    view = scout.ground.view(result)
    statistics, parted, halves = view.statistics.copy(), set[int](), list[Array]()
    for split in splits(view, scout.ground, scout.rng(2, more), scout.effort.tries):
        if len(parted) < more and split.component not in parted:
            parted.add(split.component)
            statistics[split.component] = split.part.first
            halves.append(split.part.second)
    if not halves:
        return []
    wider = scout.with_components(len(statistics) + len(halves))
    (after,) = yield Leg([wider.candidate(np.concatenate([statistics, halves]))], Stopping(0.0, BOUNCE))
    if after.status is Status.DEGENERATE:
        return []
    return (yield from _merged_down(scout, [scout.ground.view(after).statistics]))


def _after(statistics: Array, chosen: Sequence[Merge]) -> Array:
    """Statistics (K', S) after merges that have no component in common."""
    after = statistics.copy()
    for merge in chosen:
        after[merge.i] += after[merge.j]
    return np.delete(after, [merge.j for merge in chosen], axis=0)


def _merged_down(scout: Scout, unions: list[Array]) -> Search[list[FitResult]]:
    """Rounds of merges and a few passes, to the number of components of the scout's model; then to rest."""
    k = scout.model.n_components
    while unions and (n := len(unions[0])) > k:
        wider = scout.with_components(n)
        results = yield Leg([wider.candidate(union) for union in unions], Stopping(0.0, SETTLING))
        fewer = min(n - k, max(1, n // ROUNDED))
        alive = [scout.ground.view(r) for r in results if r.status is not Status.DEGENERATE]
        unions = []
        for view in alive:
            chosen, touched = list[Merge](), set[int]()
            for merge in merges(view):
                if len(chosen) < fewer and not touched & {merge.i, merge.j}:
                    chosen.append(merge)
                    touched |= {merge.i, merge.j}
            if len(chosen) == fewer:
                unions.append(_after(view.statistics, chosen))
    return (yield from scout.to_rest([scout.candidate(union) for union in unions]))
