"""Every model of a run is searched for; one pass over the data serves the climbs of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from em_cli.engine.checkpoint import Checkpoint
from em_cli.engine.climb import Candidate
from em_cli.engine.events import (
    CROSSOVER,
    FINISHING,
    REFINING,
    SPLIT_AND_MERGE,
    STARTS,
    Observer,
    PhaseStarted,
    ignore,
)
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import Search, fit, run_searches
from em_cli.engine.model import Model
from em_cli.engine.protocols import Algorithm, Answer, Runner, Start
from em_cli.engine.rows import Source
from em_cli.engine.stopping import Stopping
from em_cli.search.contenders import Contest
from em_cli.search.effort import EFFORTS, Effort
from em_cli.search.ledger import Attempt, DegeneracyCheck, Fitted, choose
from em_cli.search.model_search import ModelSearch
from em_cli.search.neighbours import EARSHOT, ROUNDS, exchanges, grow_and_shrink, restore_monotone, second_opinion
from em_cli.search.plain_restarts import plain, whole
from em_cli.search.proofs import NONPARAMETRIC, Proofs, with_nonparametric
from em_cli.search.search_data import SearchData
from em_cli.search.short_runs import AT_REST, DIFFERENT, ShortRuns
from em_cli.search.stages import ON_SAMPLE, Stages
from em_cli.search.starting_values import Starter
from em_cli.search.survey import Survey

AUTO_STARTS = ("kmeans", "sphered", "projection", "random")
FINISHERS = 2  # of what was found on a sample, that climb on all rows


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A model to fit, and where from."""

    label: str
    model: Model
    start: Parameters | None = None  # given by the user


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search."""

    algorithm: Algorithm  # of climbs to the end
    starts: tuple[tuple[str, Start], ...]  # by name
    restarts: int | None  # plain climbs from so many starts, the kinds taken in turn; None for a search
    stopping: Stopping
    seed: int = 0
    effort: Effort = field(default=EFFORTS["normal"])
    criterion: str = "bic"  # by which the models of a sweep are compared


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """What all searches of a run have in common."""

    tasks: Sequence[Task]
    survey: Survey
    data: SearchData
    runner: Runner
    plan: Plan
    observe: Observer
    numbers: Iterator[int]
    checkpoint: Checkpoint | None

    @property
    def sample(self) -> Source:
        return self.data.survey.source

    @property
    def sampled(self) -> bool:
        return self.data.survey is not self.survey

    def short_runs(self, t: int, effort: Effort) -> ShortRuns:
        task = self.tasks[t]
        model = task.model
        short_runs = ShortRuns(model, self.data, effort, self.plan.seed, task.label)
        if model.family.exponential is None or model.latent.needs_groups:  # passes cost more than quasi-Newton steps
            return replace(short_runs, late=self.plan.algorithm)
        return short_runs

    def searched(self, searches: Sequence[Search[Answer]]) -> list[Answer]:
        """What searches on the sample find."""
        return run_searches(searches, self.sample, self.runner, self.observe, self.data.halted, self.checkpoint)


def search(
    tasks: Sequence[Task],
    survey: Survey,
    runner: Runner,
    plan: Plan,
    observe: Observer = ignore,
    halted: Callable[[], bool] = lambda: False,
    checkpoint: Checkpoint | None = None,
) -> list[Fitted]:
    """Fit every task; with a checkpoint, go on from what it remembers."""
    observe(PhaseStarted(STARTS, 0))
    run = _Run(tasks, survey, SearchData(survey.sampled(), halted), runner, plan, observe, count(), checkpoint)
    proofs = Proofs.of([task.model for task in tasks], survey, plan.algorithm)
    needless = {} if plan.restarts is not None else proofs.needless([task.start is None for task in tasks])
    free = [t for t, task in enumerate(tasks) if task.start is None and t not in needless]
    attempts: dict[int, list[Attempt]] = {t: [] for t in range(len(tasks))}
    agreements: dict[int, tuple[int, int] | None] = {}
    doubts: dict[int, float] = {}
    if free and plan.restarts is not None:
        attempts |= _plain(run, free)
    elif free:
        model_searches = _searched(run, free)
        attempts |= {t: model_search.attempts for t, model_search in model_searches.items()}
        agreements = {t: model_search.agreement() for t, model_search in model_searches.items()}
        doubts = {t: model_search.doubt() for t, model_search in model_searches.items() if model_search.lightly}
    finishers = _on_all_rows(
        run, attempts, {t: proofs.start(t, attempts[t], run.sampled) for t in agreements}, set(free)
    )
    agreements = {t: with_nonparametric(told, attempts[t]) for t, told in agreements.items()}
    fits = [choose(task.label, task.model.n_components, attempts[t], agreements.get(t)) for t, task in enumerate(tasks)]
    led = {t: fits[t].led_by(found, DIFFERENT) for t, found in finishers.items() if plan.restarts is not None}
    return proofs.told(
        [replace(fitted, doubt=doubts.get(t), led=led.get(t), enough=needless.get(t)) for t, fitted in enumerate(fits)]
    )


def _on_all_rows(
    run: _Run, attempts: dict[int, list[Attempt]], proved: Mapping[int, Parameters | None], free: set[int]
) -> dict[int, list[Attempt]]:
    """Climbs to the end on all rows, from starts that are given, or proved to lead to the maximum, and from the best
    ends on a sample, which are given back.
    """
    plan, survey = run.plan, run.survey
    last: list[tuple[int, str, tuple[int, ...], Candidate]] = []
    finishers: dict[int, list[Attempt]] = {}
    for t, task in enumerate(run.tasks):
        origins: list[tuple[str, tuple[int, ...], Parameters]] = []
        if task.start is not None:
            origins = [("given", (), task.start)]
        if (start := proved.get(t)) is not None:
            origins = [(NONPARAMETRIC, (), start)]
        if t in free and run.sampled:
            finishers[t] = _finishers(attempts[t])
            origins += [(a.start, a.seed, a.result.parameters) for a in finishers[t]]
            attempts[t] = [replace(a, climbed=False, sample_rows=run.sample.n_rows) for a in attempts[t]]
        for name, seed, parameters in origins:
            algorithm = (plan.algorithm.from_sample if task.start is None else None) or plan.algorithm
            candidate = Candidate(task.model, algorithm, parameters, next(run.numbers), task.label)
            last.append((t, name, seed, candidate))
    if last:
        begins = ON_SAMPLE if run.sampled and free else 0.0
        run.observe(PhaseStarted(FINISHING, len(last), 0, survey.source.n_rows, False, begins, 1.0))
        climbs = [candidate for *_, candidate in last]
        halted = run.data.halted
        results = fit(climbs, survey.source, run.runner, plan.stopping, run.observe, halted, run.checkpoint)
        verdicts = DegeneracyCheck(survey, run.runner)(results)
        for (t, name, seed, _), result, degeneracies in zip(last, results, verdicts, strict=True):
            attempts[t].append(Attempt(result, name, seed, degeneracies, True))
    return finishers


def _plain(run: _Run, free: Sequence[int]) -> dict[int, list[Attempt]]:
    """Climbs from a given number of starts."""
    plan, kinds = run.plan, [name for name, _ in run.plan.starts]
    starter = Starter(run.data.block, dict(plan.starts), plan.seed)
    algorithm = (run.sampled and plan.algorithm.on_sample) or plan.algorithm
    finish = None if run.sampled else (algorithm, plan.stopping)
    assert plan.restarts is not None, "a number of starts was asked for"
    n_climbs = sum(plan.restarts if run.tasks[t].model.n_components > 1 else 1 for t in free)
    ends = ON_SAMPLE if run.sampled else 1.0
    name = STARTS if run.sampled else FINISHING
    run.observe(PhaseStarted(name, n_climbs, 0, run.sample.n_rows, run.sampled, 0.0, ends))
    climbs = [
        whole(own, kinds, starter, plan.restarts, (algorithm, plan.stopping), run.numbers, run.observe)
        if algorithm.from_starts
        else plain(own, kinds, starter, plan.restarts, finish, run.numbers, run.observe)
        for own in (run.short_runs(t, plan.effort) for t in free)
    ]
    found = run.searched(climbs)
    return dict(zip(free, found, strict=True))


def _searched(run: _Run, free: Sequence[int]) -> dict[int, ModelSearch]:
    """A population of starts for each model, what neighbouring models can tell, then searches from the best."""
    plan, efforts = run.plan, run.plan.effort.shared(len(free)).stages
    starter = Starter(run.data.block, dict(plan.starts), plan.seed)
    kinds = tuple(name for name, _ in plan.starts)
    algorithm, stopping = plan.algorithm, AT_REST if run.sampled else plan.stopping
    model_searches = {
        t: ModelSearch(run.short_runs(t, efforts[0]), kinds, starter, algorithm, stopping, run.numbers, run.observe)
        for t in free
    }
    families: dict[int, dict[int, ModelSearch]] = {}
    for model_search in model_searches.values():
        model = model_search.short_runs.model
        families.setdefault(id(model.family), {})[model.n_components] = model_search
    everyone = list(model_searches.values())
    alone = [family for family in families.values() if not _is_sweep(family)]
    again = 1 if alone and len(everyone) > 1 else 0
    stages = Stages(run.observe, run.sample.n_rows, run.sampled, efforts, again)

    def stage(name: str, searches: Sequence[Search[None]], n_climbs: int = 0) -> None:
        if not searches:
            return
        told = stages.begin(name, searches, n_climbs)
        run.searched(told)

    for effort in efforts:
        for model_search in (own for family in families.values() for own in family.values()):
            model_search.short_runs = replace(model_search.short_runs, effort=effort)
        n_starts = sum(
            len(kinds) * each for kinds, each in (model_search.population_size() for model_search in everyone)
        )
        stage(STARTS, [model_search.start_population() for model_search in everyone], n_starts)
        stage(REFINING, [grow_and_shrink(family, stages.teller(p)) for p, family in enumerate(alone)])
        fewer = [own for family in alone for own in family.values() if own not in everyone]
        if len(everyone) > 1:
            _exchange(run, everyone, families.values(), effort, stages.begin_rounds(REFINING, ROUNDS))
        shallow = everyone
        while near := _contenders(run, everyone, shallow, effort.margin):
            stage(CROSSOVER, [model_search.crossover() for model_search in near])
            stage(SPLIT_AND_MERGE, [model_search.searches(stages.teller(p)) for p, model_search in enumerate(near)])
            shallow = [model_search for model_search in shallow if model_search not in near]
        for model_search in everyone:
            model_search.lightly = model_search in shallow
        stage(REFINING, [model_search.finish() for model_search in shallow])
        stage(SPLIT_AND_MERGE, [model_search.searches() for model_search in fewer])
        if len(everyone) + len(fewer) > len(families):
            stage(REFINING, [restore_monotone(f, stages.teller(p)) for p, f in enumerate(families.values())])
    _second_opinions(run, everyone, families.values(), stages)
    return model_searches


def _exchange(
    run: _Run,
    everyone: Sequence[ModelSearch],
    families: Iterable[Mapping[int, ModelSearch]],
    effort: Effort,
    ended: Callable[[int], None],
) -> None:
    """Rounds in which models tell each other what they have found."""
    kin = [model_search for family in families if _is_sweep(family) for model_search in family.values()]
    for number in range(ROUNDS):
        near = _contenders(run, everyone, everyone, EARSHOT * effort.margin)
        told = exchanges(number, everyone, kin, near)
        run.searched(told)
        ended(number)


def _is_sweep(family: Mapping[int, ModelSearch]) -> bool:
    """Whether it has models of so many components, and of all fewer."""
    return 1 < len(family) == max(family)


def _contenders(
    run: _Run, everyone: Sequence[ModelSearch], among: Sequence[ModelSearch], margin: float
) -> list[ModelSearch]:
    """Those among the searches whose models may yet be chosen; those that cost nothing, or have found nothing yet."""
    if len(everyone) == 1 or margin == float("inf"):
        return list(among)
    known = [model_search.population[0].result if model_search.population else None for model_search in everyone]
    near = Contest(run.plan.criterion, run.survey, run.data).within_reach(known, margin)
    chosen = {
        id(q)
        for q, is_near in zip(everyone, near, strict=True)
        if is_near or not q.population or q.short_runs.model.n_components == 1
    }
    return [model_search for model_search in among if id(model_search) in chosen]


def _second_opinions(
    run: _Run, everyone: Sequence[ModelSearch], families: Iterable[Mapping[int, ModelSearch]], stages: Stages
) -> None:
    """Of a single model, or of the one among several that would be chosen; and what those with more learn of that."""
    if run.plan.effort.searches == 1:
        return
    found = everyone if len(everyone) == 1 else [model_search for model_search in everyone if model_search.population]
    asked = [(model_search, model_search.best) for model_search in _contenders(run, everyone, found, 0.0)]
    opinions = [second_opinion(own, len(everyone) > 1, stages.teller(p)) for p, (own, _) in enumerate(asked)]
    if opinions:
        run.searched(stages.begin(REFINING, opinions, 0))
    if any(model_search.best is not before for model_search, before in asked):
        sweeps = [family for family in families if len(family) > 1]
        run.searched(stages.begin(REFINING, [restore_monotone(f, stages.teller(p)) for p, f in enumerate(sweeps)], 0))


def _finishers(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The best that was found on a sample, and the best that is not the same; sound ones, if there are any."""
    ended = sorted((a for a in attempts if a.climbed), key=lambda a: (not a.sound, -a.result.objective))
    chosen: list[Attempt] = []
    for attempt in ended:
        if len(chosen) == FINISHERS:
            break
        objectives = [other.result.objective for other in chosen if other.sound == attempt.sound]
        if all(abs(attempt.result.objective - objective) > DIFFERENT for objective in objectives):
            chosen.append(attempt)
    return chosen
