"""How a run searches, where it computes, and whether memory will do."""

from __future__ import annotations

import os
from collections.abc import Sequence

from em_cli import memory
from em_cli.algorithms import ALGORITHMS
from em_cli.config.durations import parse_duration
from em_cli.config.run_config import RunConfig
from em_cli.engine.protocols import Runner
from em_cli.engine.stopping import Stopping
from em_cli.runners import RUNNERS
from em_cli.search.effort import EFFORTS
from em_cli.search.memory_estimate import memory_estimate
from em_cli.search.search import AUTO_STARTS, Plan, Task
from em_cli.sources.table import Data
from em_cli.starts import STARTS


def runner_of(config: RunConfig) -> Runner:
    """Where to compute."""
    return RUNNERS.make(config.runner, _workers(config))


def _workers(config: RunConfig) -> int:
    if config.threads != "auto":
        return config.threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_for(config: RunConfig, data: Data, tasks: Sequence[Task], plan: Plan) -> float:
    """Bytes that a run takes in all, about."""
    return memory_estimate(tasks, data.source, plan, 1 if config.runner == "serial" else _workers(config))


def check_memory(config: RunConfig, data: Data, tasks: Sequence[Task], plan: Plan) -> None:
    """Refuse what would end for want of memory."""
    most = max(task.model.n_components for task in tasks)
    models = f"{len(tasks)} models of up to {most} components" if len(tasks) > 1 else f"a model with k = {most}"
    wanted = f"fitting {models} to {data.name} ({data.source.n_rows:,} rows × {data.source.n_columns:,} columns)"
    memory.check(memory_for(config, data, tasks, plan) - memory.taken(), wanted)


def deadline_of(config: RunConfig, begun: float) -> float:
    """When a run that began at this time must stop searching."""
    limit = config.search.time_limit
    return float("inf") if limit is None else begun + parse_duration(limit)


def plan_of(config: RunConfig, effort: str | None, given: bool) -> Plan:
    """How to search; the start may be `given`, by a file."""
    search = config.search
    names = AUTO_STARTS if search.start == "auto" or given else (search.start,)
    return Plan(
        algorithm=ALGORITHMS.make(search.algorithm),
        starts=tuple((name, STARTS.make(name)) for name in names),
        restarts=None if search.restarts == "auto" else search.restarts,
        stopping=Stopping(search.tol, search.max_iter),
        seed=config.seed,
        effort=EFFORTS[effort or "normal"],
    )
