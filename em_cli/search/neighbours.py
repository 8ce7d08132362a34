"""What models of other numbers of components, and other covariances, can tell a model.

Up from one component by splits, down again by merges; and the responsibilities of one
covariance structure are a start for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from em_cli.engine.climb import FitResult
from em_cli.engine.fit import Search
from em_cli.search.effort import EFFORTS
from em_cli.search.model_search import ModelSearch
from em_cli.search.operators import from_responsibilities_of, merge_all, of_one, parted, split_all
from em_cli.search.short_runs import REST, ShortRuns, Solution

ABOVE = 1  # numbers of components beyond the one wanted, from which a single model is merge_all
CHAINED = 12  # components up to which a single model is grow_and_shrink up to, however many the rows
AT_ONCE = 4  # splits that climb to the end together
NOTICEABLE = 0.01  # nats by which more components may not be worse


def grow_and_shrink(
    model_searches: Sequence[ModelSearch], tell: Callable[[float], None] = lambda done: None
) -> Search[None]:
    """Up from one component, then down; for one family, differing in the number of components.

    It is told how much of it is done.
    """
    by_k = {model_search.short_runs.model.n_components: model_search for model_search in model_searches}
    first, last = model_searches[0].short_runs, max(by_k)
    if (
        last == 1
        or all(model_search.starts_agree for model_search in model_searches)
        or not _affordable(first.with_components(last), len(model_searches))
    ):
        return
    short_runs_by_k = {
        k: by_k[k].short_runs if k in by_k else first.with_components(k) for k in range(1, last + ABOVE + 1)
    }
    top = last if len(model_searches) > 1 else last + ABOVE
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
    if len(by_k) == 1 and populations[last - 1] and populations[last]:
        below = populations[last - 1][0].result
        if not _no_worse(populations[last][0].result, below):
            yield from _raised(by_k[last], below)


def second_opinion(model_search: ModelSearch) -> Search[None]:
    """A short search of its own, where it is not plain where starts lead; if it leads higher, one more from there.

    What its climbs are made of has not come to rest, which is another way: where most climbs collapse before they
    rest, it is the only one to mixtures of other numbers of components.
    """
    plain = model_search.agreed and (model_search.starts_agree or model_search.smooth)
    if plain or model_search.short_runs.model.n_components == 1 or model_search.data.halted():
        return
    other = model_search.anew(EFFORTS["low"])
    yield from other.start_population()
    yield from grow_and_shrink([other])
    yield from other.searches()
    before = model_search.best
    model_search.hear(other, "second search")
    if other.best is not None and (before is None or other.best.log_likelihood > before.log_likelihood + NOTICEABLE):
        yield from model_search.search_best()


def from_other_structures(model_search: ModelSearch, others: Sequence[ModelSearch]) -> Search[None]:
    """Starts from the best of other families for as many components."""
    best = [other.population[0].result for other in others if other.population]
    if best and model_search.short_runs.model.n_components > 1:
        model_search.add((yield from from_responsibilities_of(model_search.short_runs, best)), "another covariance")


def restore_monotone(model_searches: Mapping[int, ModelSearch]) -> Search[None]:
    """Search on where more components are worse: the fewer ones, one of them split, cannot be."""
    for k in sorted(model_searches):
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
    starts = [] if _no_worse(model_search.best, below) else parted(model_search.short_runs, [below])
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
