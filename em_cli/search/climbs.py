"""The starts of a run on their way up: screened by successive halving, then in the running or given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from em_cli.engine.events import Observer
from em_cli.engine.fit import Candidate, FitResult, fit
from em_cli.engine.model import Model
from em_cli.engine.protocols import Source
from em_cli.engine.scoring import base_measure
from em_cli.engine.stopping import Status, Stopping
from em_cli.search.ledger import Assessor, Attempt, Collapses, reach

RUNGS = (6, 18, 50)  # passes after which the lower half of the starts is given up
SECOND_CHOICES = 3


@dataclass(slots=True, eq=False)
class Climb:
    """A start on its way through the search."""

    task: int
    start: str
    seed: tuple[int, ...]
    candidate: Candidate
    result: FitResult | None = None
    collapses: Collapses = ()
    given_up: bool = False  # in the screening
    climbed: bool = False  # to its end, on all rows
    sample_rows: int = 0  # that the climb has seen; 0 means all

    @property
    def sound(self) -> bool:
        return not any(self.collapses)

    @property
    def height(self) -> float:
        return self.result.log_likelihood if self.result else float("-inf")

    def hears(self, result: FitResult, collapses: Collapses) -> None:
        self.result, self.collapses = result, collapses

    def attempt(self) -> Attempt:
        assert self.result is not None, "every start was screened or climbed"
        return Attempt(self.result, self.start, self.seed, self.collapses, self.climbed, self.sample_rows)


def screen(
    climbs: Sequence[Climb],
    sample: Source,
    assess: Assessor,
    stopping: Stopping,
    halving: bool,
    observe: Observer,
    halted: Callable[[], bool],
) -> None:
    """Climb on the sample; by successive halving (Jamieson & Talwalkar 2016) within each model, if so wished."""
    models = dict[int, Model]()
    rungs = [replace(stopping, max_iterations=min(passes, stopping.max_iterations)) for passes in RUNGS]
    running = list(climbs)
    for rung in [*(rungs if halving else []), stopping]:
        candidates = [_on(sample, climb, models) for climb in running]
        results = fit(candidates, sample, assess.runner, rung, observe, halted)
        for climb, result, collapses in zip(running, results, assess(results), strict=True):
            climb.hears(result, collapses)
        if rung is not stopping:
            running = [climb for group in by_task(running) for climb in _better_half(group)]


def _on(sample: Source, climb: Climb, models: dict[int, Model]) -> Candidate:
    """Where the climb on the sample begins, or goes on; the models know the rows that they see."""
    if climb.result is not None:
        return replace(climb.result.candidate, start=climb.result.parameters, climbed=climb.result.trace)
    model = climb.candidate.model
    if id(model) not in models:
        models[id(model)] = replace(model, constant=base_measure(model, sample))
    return replace(climb.candidate, model=models[id(model)])


def by_task(climbs: Sequence[Climb]) -> list[list[Climb]]:
    return [[climb for climb in climbs if climb.task == t] for t in sorted({climb.task for climb in climbs})]


def _better_half(group: list[Climb]) -> list[Climb]:
    """The starts of one model that climb on: the higher half, as far as they have not come to rest."""
    ranked = sorted(group, key=lambda climb: (not climb.sound, -climb.height))
    unfinished = [climb for climb in ranked if climb.result and climb.result.status is Status.MAX_ITERATIONS]
    kept = [climb for climb in ranked[: -(-len(group) // 2)] if climb in unfinished]
    for climb in unfinished:
        climb.given_up = climb not in kept
    return kept


def in_the_running(group: list[Climb], finishers: int) -> list[Climb]:
    """The starts of one model that may yet be its best: given ones, and the sound that are not hopelessly low."""
    given = [climb for climb in group if climb.result is None]
    screened = [climb for climb in group if climb.result and not climb.given_up]
    screened.sort(key=lambda climb: -climb.height)
    sound = [climb for climb in screened if climb.sound] or screened
    close = [climb for climb in sound if climb.result and reach(climb.result) >= sound[0].height]
    return given + close[:finishers]


def second_choice(group: list[Climb]) -> list[Climb]:
    """Sound starts given up, where every one that climbed on has collapsed."""
    if any(climb.climbed and climb.sound for climb in group):
        return []
    waiting = [climb for climb in group if not climb.climbed and climb.sound]
    return sorted(waiting, key=lambda climb: -climb.height)[:SECOND_CHOICES]
