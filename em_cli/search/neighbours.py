"""What models of other numbers of components, and other covariances, can tell a model.

A mixture of one component less, one of them split, is a start; so is one of more, two of them merged, and the
responsibilities of another covariance structure. The models of a sweep tell each other in rounds, all at once; a model
alone is led up from one component by splits, and down again by merges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from em_cli.engine.climb import FitResult
from em_cli.engine.events import REFINING, SPLIT_AND_MERGE, STARTS
from em_cli.engine.fit import Search
from em_cli.search.effort import EFFORTS, NORMAL
from em_cli.search.model_search import ModelSearch
from em_cli.search.operators import (
    DESCENDANTS,
    Splits,
    after_splits,
    from_other_structures,
    merge_all,
    merged,
    of_one,
    parted,
    split_all,
    splits_of_parents,
)
from em_cli.search.short_runs import REST, ShortRuns, Solution
from em_cli.search.stages import WORK

ABOVE = 1  # numbers of components beyond the one wanted, from which a single model is merge_all
CHAINED = 12  # components up to which a single model is grow_and_shrink up to, however many the rows
FEWER = 3  # numbers of components below the one wanted, at most, where most starts collapse
AT_ONCE = 4  # splits that climb to the end together
EVERY = 100  # ways to part a component, where any may help
NOTICEABLE = 0.01  # nats by which more components may not be worse


@dataclass(frozen=True, slots=True)
class Listening:
    """To whom a model of a sweep listens."""

    parents: int  # mixtures of either neighbouring number of components
    lenders: int  # covariance structures, the highest ones
    share: float  # of the offspring that are affordable, by splits and by merges
    rounds: int
    patient: bool  # whether slow climbs are waited for


NEAR, FAR = Listening(3, 3, 1.0, 4, True), Listening(2, 2, 0.5, 3, False)  # models that may yet be chosen, and others
ROUNDS = max(NEAR.rounds, FAR.rounds)
EARSHOT = 2.0  # margins from the best: what neighbours tell may bring a model within one


def grow_and_shrink(by_k: dict[int, ModelSearch], tell: Callable[[float], None] = lambda done: None) -> Search[None]:
    """Up from one component, then down; for one family, by the number of components.

    It is told how much of it is done. Others of fewer components may join the family.
    """
    first, last = by_k[min(by_k)].short_runs, max(by_k)
    if (
        last == 1
        or all(model_search.starts_agree for model_search in by_k.values())
        or not _affordable(first.with_components(last), len(by_k))
    ):
        return
    top = last if len(by_k) > 1 else last + ABOVE
    yield from _start_fewer(by_k)
    short_runs_by_k = {k: by_k[k].short_runs if k in by_k else first.with_components(k) for k in range(1, top + 1)}
    populations: dict[int, list[Solution]] = {}
    for k in range(1, top + 1):
        if first.data.halted():
            return
        made = (
            (yield from split_all(short_runs_by_k[k], _results(populations[k - 1])))
            if k > 1
            else (yield from of_one(short_runs_by_k[k]))
        )
        populations[k] = _joined(by_k.get(k), short_runs_by_k[k], made, "splits", [])
        tell(k * k / (top * top) / 2)
    for k in range(top - 1, max(min(by_k), 2) - 1, -1):
        if first.data.halted():
            break
        made = yield from merge_all(short_runs_by_k[k], _results(populations[k + 1]))
        populations[k] = _joined(by_k.get(k), short_runs_by_k[k], made, "merges", populations[k])
        tell(1 - k * k / (top * top) / 2)
    if last - 1 not in by_k and populations[last - 1] and populations[last]:
        below = populations[last - 1][0].result
        if not _no_worse(populations[last][0].result, below):
            yield from _raised(by_k[last], below)


def _start_fewer(family: dict[int, ModelSearch]) -> Search[None]:
    """Where most starts collapse, models of fewer components join the family, down to the first where most do not.

    A few rows far out have components to themselves in such starts, and what is left lacks a group, so that more
    components come to less than fewer.
    """
    fewest, asked = family[min(family)], min(family)
    while fewest.crowded and max(2, asked - FEWER) < min(family) <= CHAINED and not fewest.data.halted():
        fewest = fewest.of_fewer()
        family[fewest.short_runs.model.n_components] = fewest
        yield from fewest.start_population()


def second_opinion(
    model_search: ModelSearch, shared: bool = False, tell: Callable[[float], None] = lambda done: None
) -> Search[None]:
    """A short search of its own, where it is not plain where starts lead; if it leads higher, one more from there.

    What its climbs are made of has not come to rest, which is another way: where most climbs collapse before they
    rest, it is the only one to mixtures of other numbers of components, of which those with fewer are searched too.
    Where passes cost so much that the starts were halved on their way to rest, it would take the same way from the same
    starts, and is left out. Where a model shared the effort with others and searches did not agree, it is the search of
    the model alone: a sweep chooses no end below that. It is told how much of it is done.
    """
    alone = shared and not model_search.agreed
    plain = model_search.agreed and (model_search.starts_agree or model_search.smooth)
    kinds, each = model_search.population_size()
    another = alone or model_search.short_runs.rich(len(kinds) * each)
    if plain or not another or model_search.short_runs.model.n_components == 1 or model_search.data.halted():
        return
    other = model_search.anew(NORMAL if alone else EFFORTS["low"])
    yield from other.start_population()
    tell(WORK[STARTS])
    family = {other.short_runs.model.n_components: other}
    yield from grow_and_shrink(family, lambda done: tell(WORK[STARTS] + WORK[REFINING] * done))
    yield from other.searches(lambda done: tell(1 - WORK[SPLIT_AND_MERGE] * (1 - done)))
    yield from _with_fewer(family)
    before = model_search.best
    model_search.learn_from(other, "second search")
    if other.best is not None and (before is None or other.best.log_likelihood > before.log_likelihood + NOTICEABLE):
        yield from model_search.search_best()


def _with_fewer(family: dict[int, ModelSearch]) -> Search[None]:
    """Search for those of fewer components that have joined the family, and on where one of them is higher."""
    for fewer in [family[k] for k in sorted(family)[:-1]]:
        yield from fewer.searches()
    if len(family) > 1:
        yield from restore_monotone(family)


@dataclass(frozen=True, slots=True, eq=False)
class _News:
    """What a model has not been told before."""

    model_search: ModelSearch
    listening: Listening
    below: list[FitResult]  # of one component less
    above: list[FitResult]  # of one more
    others: list[FitResult]  # of other structures

    def exchange(self, splits: Splits) -> Search[None]:
        """Splits, merges and what others lend climb together."""
        short_runs = self.model_search.short_runs
        offspring = short_runs.affordable(REST / self.listening.share, *DESCENDANTS)
        made = {
            "splits": after_splits(short_runs, splits, offspring),
            "merges": merged(short_runs, self.above, offspring),
            "another covariance": from_other_structures(short_runs, self.others),
        }
        origins = [origin for origin, alike in made.items() for _ in alike]
        climbs = [climb for alike in made.values() for climb in alike]
        ends = yield from short_runs.sound_ends(climbs, self.listening.patient)
        self.model_search.add_each([Solution(end, origins[i]) for i, end in ends.items()])


def exchanges(
    number: int, model_searches: Sequence[ModelSearch], kin: Sequence[ModelSearch], near: Sequence[ModelSearch]
) -> list[Search[None]]:
    """For each model of a sweep that has not been told what its neighbours know: to climb from all of it.

    Only kin have parents. Those that are near, of which one may be chosen, listen to more, and in more rounds.
    """
    if model_searches[0].data.halted():
        return []
    listening = [(q, NEAR if q in near else FAR) for q in model_searches]
    news = [_news(q, model_searches, kin if q in kin else (), how) for q, how in listening if number < how.rounds]
    families: dict[int, list[_News]] = {}
    for one in news:
        if one.below or one.above or one.others:
            families.setdefault(id(one.model_search.short_runs.model.family), []).append(one)
    asked: list[Search[None]] = []
    for alike in families.values():
        splits = splits_of_parents([(one.model_search.short_runs, one.below) for one in alike])
        asked += [one.exchange(own) for one, own in zip(alike, splits, strict=True)]
    return asked


def _news(
    q: ModelSearch, model_searches: Sequence[ModelSearch], kin: Sequence[ModelSearch], listening: Listening
) -> _News:
    model, parents, lenders = q.short_runs.model, listening.parents, listening.lenders
    k = model.n_components
    if k == 1:
        return _News(q, listening, [], [], [])
    family = {o.short_runs.model.n_components: o for o in kin if o.short_runs.model.family is model.family}
    below, above = (_results(family[other].population if other in family else []) for other in (k - 1, k + 1))
    bests = [o.population[0].result for o in model_searches if o is not q and _of_size(o, k) and o.population]
    others = sorted(bests, key=lambda result: -result.log_likelihood)
    return _News(q, listening, q.untold(below[:parents]), q.untold(above[:parents]), q.untold(others[:lenders]))


def _of_size(model_search: ModelSearch, k: int) -> bool:
    return model_search.short_runs.model.n_components == k


def restore_monotone(
    model_searches: Mapping[int, ModelSearch], tell: Callable[[float], None] = lambda done: None
) -> Search[None]:
    """Search on where more components are worse: the fewer ones, one of them split, cannot be.

    It is told how much of it is done.
    """
    for place, k in enumerate(sorted(model_searches)):
        tell(place / len(model_searches))
        below, model_search = model_searches.get(k - 1), model_searches[k]
        best = below.best if below else None
        end = model_search.ends[0].result if model_search.ends else None
        if best is None or _no_worse(end, best) or model_search.data.halted():
            continue
        model_search.add((yield from split_all(model_search.short_runs, [best])), "splits")
        yield from model_search.search_best()
        yield from _raised(model_search, best)


def _raised(model_search: ModelSearch, below: FitResult) -> Search[None]:
    """Climb from the splits of a mixture of one component less, until an end is no worse than that."""
    own = model_search.short_runs
    starts = [] if _no_worse(model_search.best, below) else parted(own, [below], kept=EVERY)
    while starts and not _no_worse(model_search.best, below) and not model_search.data.halted():
        yield from model_search.climb(starts[:AT_ONCE], "splits")
        starts = starts[AT_ONCE:]


def _no_worse(end: FitResult | None, below: FitResult) -> bool:
    return end is not None and end.log_likelihood >= below.log_likelihood - NOTICEABLE


def _joined(
    model_search: ModelSearch | None, short_runs: ShortRuns, made: list[FitResult], origin: str, known: list[Solution]
) -> list[Solution]:
    """The population for a number of components, after what was made."""
    if model_search is not None:
        model_search.add(made, origin)
        return model_search.population
    return short_runs.fittest([*known, *(Solution(result, origin) for result in made)])


def _results(population: Sequence[Solution]) -> list[FitResult]:
    return [found.result for found in population]


def _affordable(largest: ShortRuns, n_models: int) -> bool:
    """For a single model only where components or rows are few."""
    k = largest.model.n_components
    return n_models > 1 or k <= CHAINED or largest.effort.budget > largest.cost * REST * k
