"""Many starts for every model of a run, climbed together; those in the running climb to the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from em_cli.algorithms.em import EM
from em_cli.engine.columns import Columns
from em_cli.engine.events import Observer, PhaseStarted, ignore
from em_cli.engine.fit import Candidate, fit
from em_cli.engine.model import Model
from em_cli.engine.protocols import Algorithm, Parameters, Runner, Source, Start
from em_cli.engine.stopping import Stopping
from em_cli.search.climbs import Climb, by_task, in_the_running, screen, second_choice
from em_cli.search.ledger import Assessor, Fitted, judge
from em_cli.search.partitions import partition_starts, sample_rows
from em_cli.search.split_merge import AMPLE, THRIFTY, Climber, improve

AUTO_RESTARTS = 20
AUTO_STARTS = ("kmeans", "sphered", "projection", "random")
SCREENING = Stopping(tolerance=0.5, max_iterations=200)
THRIFT_ROWS = 2_000
FINISHERS = 4  # climbs of each model that go on to the end, where rows are many
FINISHERS_OF_SAMPLE = 2  # where the screening saw a sample
THRIFTY_LEADERS = 2  # of the kinds of starts, those from whose best the moves go on


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
    moves: bool  # whether to halve the starts, and go on from the best by split and merge
    stopping: Stopping
    seed: int = 0

    @property
    def screening(self) -> Stopping:
        """Never stricter than what the user asked for."""
        return Stopping(
            max(SCREENING.tolerance, self.stopping.tolerance),
            min(SCREENING.max_iterations, self.stopping.max_iterations),
        )


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
    sampled = sample is not source
    climbs = _climbs(tasks, sample, plan)
    assess = Assessor(source, columns, runner)
    if fresh := [climb for climb in climbs if climb.start != "given"]:
        observe(PhaseStarted("screening", len(fresh)))
        on_sample = Assessor(sample, columns, runner) if sampled else assess
        halving = plan.moves and thrifty(sample)
        screen(fresh, sample, on_sample, plan.screening, halving, observe, halted)
        if plan.moves:
            observe(PhaseStarted("moves", len(tasks)))
            climbs += _moved(climbs, Climber(sample, runner, on_sample, halted), plan)
        for climb in climbs:
            climb.sample_rows = sample.n_rows if sampled else 0

    def finish(running: list[Climb]) -> None:
        observe(PhaseStarted("climbing", len(running)))
        candidates = [_resumed(climb, plan, sampled) for climb in running]
        results = fit(candidates, source, runner, plan.stopping, observe, halted)
        for climb, result, collapses in zip(running, results, assess(results), strict=True):
            climb.hears(result, collapses)
            climb.climbed, climb.sample_rows = True, 0

    finishers = FINISHERS_OF_SAMPLE if sampled else FINISHERS if thrifty(source) else len(climbs)
    groups = [[climb for climb in climbs if climb.task == t] for t in range(len(tasks))]
    finish([climb for group in groups for climb in in_the_running(group, finishers)])
    if again := [climb for group in groups for climb in second_choice(group)]:
        finish(again)
    return [
        judge(task.label, task.model.n_components, [climb.attempt() for climb in group])
        for task, group in zip(tasks, groups, strict=True)
    ]


def thrifty(source: Source) -> bool:
    """Whether rows are so many that climbs cost more than what surrounds them."""
    return source.n_rows > THRIFT_ROWS


def _climbs(tasks: Sequence[Task], sample: Source, plan: Plan) -> list[Climb]:
    """The starts of all tasks, in the order of the ledger."""
    climbs: list[Climb] = []
    models = [task.model for task in tasks if task.start is None]
    made = iter(partition_starts(models, sample, plan.starts, plan.restarts, plan.seed))
    for t, task in enumerate(tasks):
        if task.start is not None:
            candidate = Candidate(task.model, plan.algorithm, task.start, len(climbs), task.label)
            climbs.append(Climb(t, "given", (), candidate))
            continue
        for name, seed, parameters in next(made):
            candidate = Candidate(task.model, EM(), parameters, len(climbs), task.label)
            climbs.append(Climb(t, name, seed, candidate))
    return climbs


def _moved(climbs: list[Climb], climber: Climber, plan: Plan) -> list[Climb]:
    """New climbs, from where split and merge moves led the best start of each kind."""
    leaders: dict[tuple[int, str], Climb] = {}
    for climb in sorted(climbs, key=lambda climb: (not climb.sound, climb.given_up, -climb.height)):
        if climb.result is not None:
            leaders.setdefault((climb.task, climb.start), climb)
    save = thrifty(climber.source)
    followed = THRIFTY_LEADERS if save else len(plan.starts)
    parents = [climb for group in by_task(list(leaders.values())) for climb in group[:followed]]
    incumbents = [(climb.result, climb.sound) for climb in parents if climb.result]
    moved: list[Climb] = []
    ends = improve(incumbents, climber, plan.screening, THRIFTY if save else AMPLE, plan.seed)
    for parent, end in zip(parents, ends, strict=True):
        if end is not parent.result:
            number = len(climbs) + len(moved)
            candidate = replace(parent.candidate, number=number)
            name = f"split/merge of {parent.candidate.number + 1}"
            moved.append(Climb(parent.task, name, parent.seed, candidate, end, (None,)))
    return moved


def _resumed(climb: Climb, plan: Plan, sampled: bool) -> Candidate:
    """The climb on all rows from where the screening left it, by the algorithm asked for."""
    if climb.result is None:
        return climb.candidate
    climbed = () if sampled else climb.result.trace
    return replace(climb.candidate, start=climb.result.parameters, algorithm=plan.algorithm, climbed=climbed)
