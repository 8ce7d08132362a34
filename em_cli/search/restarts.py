"""Many starts for every model of a run, climbed together; those in the running climb to the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from em_cli.algorithms.em import EM
from em_cli.engine.columns import Columns
from em_cli.engine.events import Observer, PhaseStarted, ignore
from em_cli.engine.fit import Candidate, FitResult, fit
from em_cli.engine.model import Model
from em_cli.engine.protocols import Algorithm, Parameters, Runner, Source, Start
from em_cli.engine.scoring import base_measure
from em_cli.engine.stopping import Stopping
from em_cli.search.ledger import Assessor, Attempt, Collapses, Fitted, judge
from em_cli.search.partitions import partition_starts, sample_rows
from em_cli.search.split_merge import Climber, improve

AUTO_RESTARTS = 20
AUTO_STARTS = ("kmeans", "sphered", "projection", "random")
SCREENING = Stopping(tolerance=0.5, max_iterations=200)
CHANCE = 10.0  # a screened climb may yet gain this many times what its trace promises
MARGIN = 3.0  # nats more than that, and it is still in the running
FINISHERS = 3  # climbs to finish on all rows, for each model, where the screening saw a sample


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A model to fit, and where from."""

    label: str
    model: Model
    start: Parameters | None = None  # given by the user


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search."""

    algorithm: Algorithm
    starts: tuple[tuple[str, Start], ...]  # taken in turn, by name
    restarts: int
    moves: bool  # whether to go on from the best starts by split and merge
    stopping: Stopping
    seed: int = 0


@dataclass(slots=True, eq=False)
class _Climb:
    """A start on its way through the search."""

    task: int
    start: str
    seed: tuple[int, ...]
    candidate: Candidate
    result: FitResult | None = None
    collapses: Collapses = ()
    climbed: bool = False
    note: str = ""

    @property
    def sound(self) -> bool:
        return not any(self.collapses)

    def hears(self, result: FitResult, collapses: Collapses) -> None:
        self.result, self.collapses = result, collapses

    @property
    def height(self) -> float:
        return self.result.log_likelihood if self.result else float("-inf")


def search(
    tasks: Sequence[Task],
    source: Source,
    columns: Columns,
    runner: Runner,
    plan: Plan,
    observe: Observer = ignore,
    halted: Callable[[], bool] = lambda: False,
) -> list[Fitted]:
    """Fit every task; one pass over the data serves all their climbs."""
    observe(PhaseStarted("starts", len(tasks)))
    sample = sample_rows(source, plan.seed)
    climbs = _climbs(tasks, sample, plan)
    fresh = [climb for climb in climbs if climb.start != "given"]
    if fresh:
        observe(PhaseStarted("screening", len(fresh)))
        candidates = [climb.candidate for climb in fresh]
        candidates = candidates if sample is source else _on(sample, candidates)
        results = fit(candidates, sample, runner, _screening(plan.stopping), observe, halted)
        assessed = Assessor(sample, columns, runner)(results)
        for climb, result, collapses in zip(fresh, results, assessed, strict=True):
            climb.hears(result, collapses)
            climb.note = "" if sample is source else f"given up on a sample of {sample.n_rows} rows"
        if plan.moves:
            climbs += _moved(climbs, Climber(sample, runner, Assessor(sample, columns, runner), halted), plan)

    def finish(running: list[_Climb]) -> None:
        observe(PhaseStarted("climbing", len(running)))
        candidates = [_resumed(climb, plan, sample is source) for climb in running]
        results = fit(candidates, source, runner, plan.stopping, observe, halted)
        for climb, result, collapses in zip(running, results, assess(results), strict=True):
            climb.hears(result, collapses)
            climb.climbed, climb.note = True, ""

    assess = Assessor(source, columns, runner)
    groups = [[climb for climb in climbs if climb.task == t] for t in range(len(tasks))]
    finish([climb for group in groups for climb in _in_the_running(group, sample is not source)])
    if again := [climb for group in groups for climb in _second_choice(group)]:
        finish(again)
    return [
        judge(task.label, task.model.n_components, [_attempt(climb) for climb in group])
        for task, group in zip(tasks, groups, strict=True)
    ]


def _moved(climbs: list[_Climb], climber: Climber, plan: Plan) -> list[_Climb]:
    """New climbs, from where split and merge moves led the best start of each kind."""
    leaders: dict[tuple[int, str], _Climb] = {}
    for climb in sorted(climbs, key=lambda climb: -climb.height):
        if climb.result is not None and climb.sound:
            leaders.setdefault((climb.task, climb.start), climb)
    parents = [leaders[key] for key in sorted(leaders)]
    incumbents = [climb.result for climb in parents if climb.result]
    moved: list[_Climb] = []
    for parent, end in zip(parents, improve(incumbents, climber, _screening(plan.stopping), plan.seed), strict=True):
        if end is not parent.result:
            number = len(climbs) + len(moved)
            candidate = replace(parent.candidate, number=number)
            name = f"split/merge of {parent.candidate.number + 1}"
            moved.append(_Climb(parent.task, name, parent.seed, candidate, end, (None,), note=parent.note))
    return moved


def _in_the_running(group: list[_Climb], sampled: bool) -> list[_Climb]:
    """The starts of one model that may yet be its best: given ones, and the sound that are not hopelessly low."""
    given = [climb for climb in group if climb.result is None]
    screened = sorted((climb for climb in group if climb.result), key=lambda climb: -climb.height)
    sound = [climb for climb in screened if climb.sound] or screened
    close = [climb for climb in sound if _reach(climb) >= sound[0].height]
    return given + (close[:FINISHERS] if sampled else close)


def _reach(climb: _Climb) -> float:
    """The log-likelihood to which a screened climb may yet come."""
    return climb.height + MARGIN + CHANCE * (climb.result.remaining if climb.result else 0.0)


def _second_choice(group: list[_Climb]) -> list[_Climb]:
    """Sound starts given up, where every one that climbed on has collapsed."""
    if any(climb.climbed and climb.sound for climb in group):
        return []
    waiting = [climb for climb in group if not climb.climbed and climb.sound]
    return sorted(waiting, key=lambda climb: -climb.height)[:FINISHERS]


def _climbs(tasks: Sequence[Task], sample: Source, plan: Plan) -> list[_Climb]:
    climbs: list[_Climb] = []
    models = [task.model for task in tasks if task.start is None]
    made = iter(partition_starts(models, sample, plan.starts, plan.restarts, plan.seed))
    for t, task in enumerate(tasks):
        if task.start is not None:
            candidate = Candidate(task.model, plan.algorithm, task.start, len(climbs), task.label)
            climbs.append(_Climb(t, "given", (), candidate))
            continue
        for name, seed, parameters in next(made):
            candidate = Candidate(task.model, EM(), parameters, len(climbs), task.label)
            climbs.append(_Climb(t, name, seed, candidate))
    return climbs


def _screening(stopping: Stopping) -> Stopping:
    """Never stricter than what the user asked for."""
    return Stopping(
        max(SCREENING.tolerance, stopping.tolerance), min(SCREENING.max_iterations, stopping.max_iterations)
    )


def _resumed(climb: _Climb, plan: Plan, same_rows: bool) -> Candidate:
    """The climb from where the screening left it, by the algorithm asked for."""
    if climb.result is None:
        return climb.candidate
    climbed = climb.result.trace if same_rows else ()
    return replace(climb.candidate, start=climb.result.parameters, algorithm=plan.algorithm, climbed=climbed)


def _on(sample: Source, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The same climbs on a sample of the rows."""
    models: dict[int, Model] = {}
    for candidate in candidates:
        if id(candidate.model) not in models:
            model = candidate.model
            models[id(model)] = replace(model, constant=base_measure(model, sample))
    return [replace(candidate, model=models[id(candidate.model)]) for candidate in candidates]


def _attempt(climb: _Climb) -> Attempt:
    assert climb.result is not None, "every start was screened or climbed"
    return Attempt(climb.result, climb.start, climb.seed, climb.collapses, climb.climbed, climb.note)
