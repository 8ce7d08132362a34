"""How a run searches, where it computes, and whether memory will do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from em_cli import memory
from em_cli.config.amounts import parse_size
from em_cli.config.choices import ELSEWHERE, runner_choice
from em_cli.config.durations import parse_duration
from em_cli.config.run_config import RunConfig
from em_cli.criteria import CROSS_VALIDATION
from em_cli.engine.protocols import Runner
from em_cli.engine.stopping import Stopping
from em_cli.errors import DataError, OutputError, UsageError
from em_cli.inference.standard_errors import can_be_unasked, memory_of_errors
from em_cli.models.specification import needs_sequences
from em_cli.models.topics import wanted_topics
from em_cli.outputs.run_folder import RunFolder
from em_cli.parts import build
from em_cli.runners import RUNNERS
from em_cli.runs.climbing import algorithm_of
from em_cli.search.effort import EFFORTS
from em_cli.search.memory_estimate import memory_estimate
from em_cli.search.search import AUTO_STARTS, Plan, Task
from em_cli.sources.store import OF_MEMORY, Store
from em_cli.sources.table import Data
from em_cli.starts import STARTS

AS_CLOSE = "aic"  # tells of which models of a sweep cross-validation may choose


def runner_of(config: RunConfig) -> Runner:
    """Where to compute."""
    choice = runner_choice(config)
    return build(RUNNERS, choice.name, choice.options)


def store_of(config: RunConfig, folder: RunFolder | None) -> Store:
    """Where rows are kept: in memory as far as they may, else in a folder that is named, or beside the results."""
    most = _most(config.memory)
    if config.runner.name == ELSEWHERE:
        most = 0.0  # workers read rows from the file
    if config.cache is not None:
        if not os.path.isdir(config.cache):  # noqa: PTH112 (that of a path raises where its name is too long)
            raise OutputError(f"--cache {config.cache} is no folder: make it, or name another.")
        return Store(most, Path(config.cache), config.memory is not None)
    return Store(most, None if folder is None else folder.aside.parent, config.memory is not None)


def store_beside(home: str, wanted: str | None) -> Store:
    """The same, of a command on a run: as much memory as is wanted, else a file beside its results.

    `UsageError` if that is no amount of memory.
    """
    try:
        most = _most(wanted)
    except ValueError as error:
        raise UsageError(f"--memory: {error}.") from None
    folder = Path(home).absolute().parent
    return Store(most, folder if folder.is_dir() else None, wanted is not None)


def _most(wanted: int | str | None) -> float | None:
    """Bytes that rows may take in memory."""
    there = memory.available()
    return parse_size(wanted) if wanted is not None else None if there is None else OF_MEMORY * there


def check_reach(config: RunConfig, data: Data | None = None) -> None:
    """`UsageError` if rows are to be read by others, and are in memory; of some that is known before there are data."""
    if config.runner.name != ELSEWHERE:
        return
    together = needs_sequences(config) or wanted_topics(config) is not None
    if together if data is None else not data.on_disk:
        raise UsageError(
            "--dask: rows that belong together (sequences, groups, documents) are held in the memory of one process. "
            "Leave --dask out: --threads computes with all cores of this machine."
        )


def memory_for(config: RunConfig, data: Data, tasks: Sequence[Task], plan: Plan) -> float:
    """Bytes that a run takes in all, about."""
    at_once = runner_of(config).at_once
    n, wanted = data.source.n_rows, config.standard_errors
    models = [task.model for task in tasks if wanted in ("observed", "robust") or can_be_unasked(task.model, n)]
    there = memory.available() or float("inf")  # those that it does not hold are left out, or refused
    errors = max((need for need in map(memory_of_errors, models) if need <= there and wanted != "none"), default=0.0)
    return memory_estimate(tasks, data.source, data.n_gappy, plan, at_once, data.on_disk, errors)


def check_memory(config: RunConfig, data: Data, tasks: Sequence[Task], plan: Plan) -> None:
    """Refuse what would end for want of memory."""
    most = max(task.model.n_components for task in tasks)
    models = f"{len(tasks)} models of up to {most} components" if len(tasks) > 1 else f"a model with k = {most}"
    wanted = f"fitting {models} to {data.name} ({data.source.n_rows:,} rows × {data.source.n_columns:,} columns)"
    memory.check(memory_for(config, data, tasks, plan) - memory.taken(), wanted)
    if config.standard_errors not in ("observed", "robust") or len(tasks) > 1:
        return
    needed, there = memory_of_errors(tasks[0].model), memory.available()
    if there is not None and needed > there:
        fewer = "--covariance diag or a smaller -k" if tasks[0].label == "full" else "a smaller -k"
        raise DataError(
            f"--se {config.standard_errors} of {models}, which has {tasks[0].model.n_parameters:,} parameters, needs "
            f"about {memory.size(needed)} of memory; {memory.size(there)} are available. Leave it out, or take "
            f"{fewer}."
        )


def deadline_of(config: RunConfig, begun: float) -> float:
    """When a run that began at this time must stop searching."""
    limit = config.search.time_limit
    return float("inf") if limit is None else begun + parse_duration(limit)


def plan_of(config: RunConfig, effort: str | None, given: bool) -> Plan:
    """How to search; the start may be `given`, by a file."""
    search = config.search
    auto = search.start.name == "auto" or given
    starts = [(name, {}) for name in AUTO_STARTS] if auto else [(search.start.name, search.start.options)]
    return Plan(
        algorithm=algorithm_of(config),
        starts=tuple((name, build(STARTS, name, options)) for name, options in starts),
        restarts=None if search.restarts == "auto" else search.restarts,
        stopping=Stopping(search.tol, search.max_iter, search.stop),
        seed=config.seed,
        effort=EFFORTS[effort or "normal"],
        criterion=AS_CLOSE if config.criterion == CROSS_VALIDATION else config.criterion,
    )
