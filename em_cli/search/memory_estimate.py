"""How much memory a search will take, estimated before it begins."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from em_cli.engine import patterns
from em_cli.engine.cache import RECENT_FLOATS, SUM_ROWS
from em_cli.engine.columns import WIDE
from em_cli.engine.distinct import MOST
from em_cli.engine.equal_rows import AT_ONCE
from em_cli.engine.plan import JOINT_FLOATS, tile_rows
from em_cli.engine.row_sums import MOST_FEATURES, OF_PART
from em_cli.engine.rows import Source
from em_cli.memory import MIB
from em_cli.search.best_splits import FEW, FEW_ROWS, ROWS, WAYS_AT_ONCE
from em_cli.search.model_search import FEWEST_STARTS
from em_cli.search.search import Plan, Task
from em_cli.search.search_data import MANY_PATTERNS
from em_cli.search.short_runs import FEATURES, PATIENCE, REST
from em_cli.search.survey import SAMPLE_ROWS

NUMBER = 8  # bytes
PROGRAM = 100 * MIB  # with its libraries
ARROW = 35 * MIB  # of another, where files or who calls need it
READING = 20 * MIB  # of text on its way, where there is much of it
MUCH = 250_000  # cells
GAPS = 20 * MIB  # between the arrays of a search on as many rows as it may look at
COLUMN = 24 << 10  # of a column, beside its cells, as it is read
WORKER = 2 * MIB  # of a thread, beside the numbers that it works on
HASHES = 2  # numbers of a row while rows are surveyed: what tells equal ones, and the same sorted
DISTINCT = 1  # of so many values of each column, at most, that the survey looks at together
# measured: how many times over these are there at the peak
PARAMETERS = 8  # of each climb: statistics, natural and other parameters, those of the last iterate, the history
PART_COPIES = 2  # of features, where they are made of some rows at a time
PARTED = 12  # of each part of a component that is parted
OWN_ROWS = 2.7  # features, of rows that several components have
MASSES = 5  # responsibilities of the rows of the search
EMBEDDINGS = 4
BLOCKS = 3  # responsibilities of the rows that are scored together
MATRICES = 6  # (D, D) of the columns
MARGINALS = 1.5  # of each pattern of missing cells, as far as threads remember them
DOCUMENTS = 3  # (K, D, D) of a model that is written and read back


def memory_estimate(
    tasks: Sequence[Task],
    source: Source,
    n_gappy: int,
    plan: Plan,
    workers: int,
    on_disk: bool = False,
    afterwards: float = 0.0,
) -> float:
    """Bytes at the peak, the program and the data included; about. So many columns lack cells.

    Rows that are `on_disk` are not in memory, but for those that are looked at; so many bytes are taken afterwards.
    """
    d, n = source.n_columns, source.n_rows
    rows, k = min(n, SAMPLE_ROWS), max(task.model.n_components for task in tasks)
    features = sorted({id(task.model.family): task.model.family.n_features() for task in tasks}.values())
    f = features[-1]
    climbs = [_climbs(task, plan, rows) * task.model.n_components for task in tasks]  # their components
    searched = plan.restarts is None and any(task.start is None for task in tasks)
    surveyed = _hashes(n, on_disk) + DISTINCT * d * min(n, MOST)
    searching = (
        MATRICES * (d * d if d <= WIDE else min(d * d, 2 * f))
        + (f * rows if f * rows <= MOST_FEATURES else PART_COPIES * OF_PART)
        + sum(other * rows for other in features[:-1] if other * rows <= MOST_FEATURES)
        + d * rows * EMBEDDINGS
        + k * rows * MASSES
        + k * min(n, SUM_ROWS) * BLOCKS
        + PARAMETERS * sum(c * task.model.family.n_features() for c, task in zip(climbs, tasks, strict=True))
        + (DOCUMENTS * k * min(d * d, 2 * f) if any(task.label for task in tasks) else 0)
        + workers * (f * tile_rows(f) + BLOCKS * JOINT_FLOATS)
    )
    parts = _parts(k, rows, plan) if searched else 0.0
    searching += PARTED * f * parts
    if searched:
        searching += GAPS / NUMBER * rows / SAMPLE_ROWS
        searching += OWN_ROWS * f * rows if rows * plan.effort.tries <= FEW_ROWS else 0
    if n_gappy:
        n_patterns = _patterns(source)
        if searched and n_patterns * f >= MANY_PATTERNS and any(task.model.family.completing for task in tasks):
            searching += f * rows  # filled in
        if f > d * (d + 1) / 2:  # there are matrices of each pattern
            searching += workers * MARGINALS * min(RECENT_FLOATS, (max(climbs) + parts) * n_patterns * (1 + d) ** 2)
    held = 0 if on_disk else d * n * (2 if n_gappy else 1)  # put in the order of their patterns
    beside = max(NUMBER * max(surveyed, searching), afterwards, READING * min(1.0, d * n / MUCH))
    program = PROGRAM + (ARROW if "pyarrow" in sys.modules else 0)
    return float(program + workers * WORKER + COLUMN * d + NUMBER * held + beside)


def _hashes(n: int, on_disk: bool) -> float:
    """Numbers that tell equal rows apart: so many at a time, and in memory those of all others beside."""
    n_rounds = max(1, -(-n // AT_ONCE))
    return HASHES * n / n_rounds + (0 if on_disk or n_rounds == 1 else n)


def _parts(k: int, rows: int, plan: Plan) -> float:
    """Of components that are parted together, in all of their ways."""
    tries = plan.effort.tries if rows * plan.effort.tries <= FEW_ROWS else FEW
    return 2 * tries * min(plan.effort.population * k, max(1.0, WAYS_AT_ONCE / max(rows, tries * min(rows, ROWS))))


def _patterns(source: Source) -> int:
    """Of missing cells, in as many rows as a search may look at."""
    found, rows = set[bytes](), 0
    for block in (source[index] for index in range(len(source))):
        codes = patterns.codes(block.x[:, : SAMPLE_ROWS - rows])
        found |= {code.tobytes() for code in np.unique(codes, axis=1).T}
        rows += codes.shape[1]
        if rows >= SAMPLE_ROWS:
            break
    return len(found)


def _climbs(task: Task, plan: Plan, rows: int) -> float:
    """How many there are at once."""
    if task.start is not None or task.model.n_components == 1:
        return 1
    if plan.restarts is not None:
        return plan.restarts
    cost = task.model.n_components * rows * (1 + task.model.family.n_features() / FEATURES)
    kinds, in_time = len(plan.starts), task.model.in_time
    budget, most = plan.effort.budget * (PATIENCE if in_time else 1), plan.effort.starts * (2 if in_time else 1)
    return kinds * float(np.clip(budget / (cost * REST * kinds), FEWEST_STARTS, most))
