"""What models of other numbers of components, and other covariances, can tell a model.

Up from one component by splits, down again by merges; and the responsibilities of one
covariance structure are a start for the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from em_cli.engine.climb import FitResult
from em_cli.engine.fit import Search
from em_cli.search.explore import Quest
from em_cli.search.lineage import borrowed, grown, of_one, parted, shrunk
from em_cli.search.scout import REST, Found, Scout

ABOVE = 1  # numbers of components beyond the one wanted, from which a single model is shrunk
CHAINED = 12  # components up to which a single model is chained up to, however many the rows
AT_ONCE = 4  # splits that climb to the end together
NOTICEABLE = 0.01  # nats by which more components may not be worse


def chained(quests: Sequence[Quest]) -> Search[None]:
    """Up from one component, then down; the quests are for one family and differ in the number of components."""
    by_k = {quest.scout.model.n_components: quest for quest in quests}
    first, last = quests[0].scout, max(by_k)
    if last == 1 or all(quest.settled for quest in quests) or not _affordable(first.with_components(last), len(quests)):
        return
    scouts = {k: by_k[k].scout if k in by_k else first.with_components(k) for k in range(1, last + ABOVE + 1)}
    top = last if len(quests) > 1 else last + ABOVE
    populations: dict[int, list[Found]] = {}
    for k in range(1, top + 1):
        if first.ground.halted():
            return
        made = (yield from grown(scouts[k], _results(populations[k - 1]))) if k > 1 else (yield from of_one(scouts[k]))
        populations[k] = _joined(by_k.get(k), scouts[k], made, "splits", [])
    for k in range(top - 1, 1, -1):
        if first.ground.halted():
            break
        made = yield from shrunk(scouts[k], _results(populations[k + 1]))
        populations[k] = _joined(by_k.get(k), scouts[k], made, "merges", populations[k])


def lent(quest: Quest, others: Sequence[Quest]) -> Search[None]:
    """Starts from the best of other families for as many components."""
    best = [other.population[0].result for other in others if other.population]
    if best and quest.scout.model.n_components > 1:
        quest.add((yield from borrowed(quest.scout, best)), "another covariance")


def mended(quests: Mapping[int, Quest]) -> Search[None]:
    """Search on where more components are worse: the fewer ones, one of them split, cannot be."""
    for k in sorted(quests):
        below, quest = quests.get(k - 1), quests[k]
        best = below.best if below else None
        end = quest.ends[0].result if quest.ends else None
        if best is None or _no_worse(end, best) or quest.ground.halted():
            continue
        quest.add((yield from grown(quest.scout, [best])), "splits")
        yield from quest.search_best()
        starts = [] if _no_worse(quest.best, best) else parted(quest.scout, [best])
        while starts and not _no_worse(quest.best, best) and not quest.ground.halted():
            yield from quest.climb(starts[:AT_ONCE], "splits")
            starts = starts[AT_ONCE:]


def _no_worse(end: FitResult | None, below: FitResult) -> bool:
    return end is not None and end.log_likelihood >= below.log_likelihood - NOTICEABLE


def _joined(quest: Quest | None, scout: Scout, made: list[FitResult], origin: str, known: list[Found]) -> list[Found]:
    """The population for a number of components, after what was made."""
    if quest is not None:
        quest.add(made, origin)
        return quest.population
    return scout.fittest([*known, *(Found(result, origin) for result in made)])


def _results(population: Sequence[Found]) -> list[FitResult]:
    return [found.result for found in population]


def _affordable(largest: Scout, n_models: int) -> bool:
    """For a single model only where components or rows are few."""
    k = largest.model.n_components
    return n_models > 1 or k <= CHAINED or largest.effort.budget > largest.cost * REST * k
