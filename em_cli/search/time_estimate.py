"""How long a search may take, estimated from a few passes over the rows that it looks at."""

from __future__ import annotations

import time
from collections.abc import Sequence

from em_cli.algorithms.em import EM
from em_cli.engine.climb import Candidate
from em_cli.engine.fit import fit
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Source
from em_cli.engine.stopping import Stopping
from em_cli.search.search import FINISHERS, Plan, Task
from em_cli.search.starting_values import Starter
from em_cli.search.survey import Survey

TOGETHER, PASSES = 4, 3  # climbs of a rehearsal, and their passes
# measured: passes of a climb that the search for a model is worth, and its seconds beside, whatever the rows
SEARCHED = {"low": (60.0, 0.15), "normal": (400.0, 0.4), "high": (2000.0, 4.0)}
CLIMBED = 30.0, 0.01  # the same of a plain climb to its end


def seconds(tasks: Sequence[Task], survey: Survey, runner: Runner, plan: Plan, effort: str | None) -> float:
    """About so many, of searches and climbs; each kind of model is tried out at its most components."""
    sample = survey.sampled()
    sampled = sample is not survey
    largest: dict[str, Task] = {}
    for task in tasks:
        if task.label not in largest or task.model.n_components > largest[task.label].model.n_components:
            largest[task.label] = task
    total = 0.0
    for label, most in largest.items():
        each = _rehearsed(most, sample, runner, plan) / most.model.n_components
        for task in (task for task in tasks if task.label == label):
            of_all = each * task.model.n_components * survey.source.n_rows / sample.source.n_rows
            if task.start is not None:
                total += of_all * CLIMBED[0]
                continue
            passes, beside = SEARCHED[effort] if effort else CLIMBED
            times = 1 if effort else plan.restarts or 0
            total += times * (each * task.model.n_components * passes + beside)
            total += of_all * CLIMBED[0] * FINISHERS if sampled else 0.0
    return total


def _rehearsed(task: Task, survey: Survey, runner: Runner, plan: Plan) -> float:
    """Seconds of a pass for one climb, of several together."""
    source: Source = survey.source
    starter = Starter(survey.block, dict(plan.starts), plan.seed)
    name = plan.starts[-1][0]
    starts = starter(task.model, [(name, number) for number in range(TOGETHER)])
    climbs = [Candidate(task.model, EM(), start, number) for number, (_, start) in enumerate(starts)]
    fit(climbs, source, runner, Stopping(0.0, 1))
    begun = time.perf_counter()
    fit(climbs, source, runner, Stopping(0.0, PASSES))
    return (time.perf_counter() - begun) / (TOGETHER * PASSES)
