"""How much memory a search will take, reckoned before it begins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.kept import QUANTUM
from em_cli.engine.plan import JOINT_FLOATS, tile_rows
from em_cli.memory import MIB
from em_cli.search.explore import STARTS
from em_cli.search.partitions import SAMPLE_ROWS
from em_cli.search.restarts import Plan, Task
from em_cli.search.scout import FEATURES, REST
from em_cli.sources.memory import InMemory

NUMBER = 8  # bytes
PROGRAM = 100 * MIB  # with its libraries
WORKER = 8 * MIB  # of a thread, beside the numbers that it works on
ROWS = 10  # numbers of each row, beside its cells: weights, copies of a column, what is known of equal rows
# measured: how many times over these are there at the peak
PARAMETERS = 8  # of each climb: statistics, natural and other parameters, those of the last iterate, the history
FEATURE_COPIES = 1.7  # of a search, which looks at the rows of each component apart
MASSES = 6  # responsibilities of the rows of the search
EMBEDDINGS = 4
BLOCKS = 4  # responsibilities of the rows that are scored together
MATRICES = 6  # (D, D) of the columns
DOCUMENTS = 3  # (K, D, D) of a model that is written and read back


def footprint(tasks: Sequence[Task], source: InMemory, plan: Plan, workers: int) -> float:
    """Bytes at the peak, the program and the data included; about."""
    d, n = source.x.shape
    rows = min(n, SAMPLE_ROWS)
    families = {id(task.model.family): task.model.family for task in tasks}
    f = max(family.n_features() for family in families.values())
    largest = max(task.model.n_components for task in tasks)
    searched = plan.restarts is None and any(task.start is None for task in tasks)
    numbers = (
        ROWS * n
        + source.x.size * (2 if np.isnan(source.x).any() else 1)  # put in the order of their patterns
        + MATRICES * d * d
        + f * rows * (FEATURE_COPIES if searched else 1)
        + d * rows * EMBEDDINGS
        + largest * rows * MASSES
        + largest * min(n, QUANTUM) * BLOCKS
        + PARAMETERS
        * sum(_climbs(task, plan, rows) * task.model.n_components * task.model.family.n_features() for task in tasks)
        + DOCUMENTS * max(task.model.n_components * d * d if task.label else 0 for task in tasks)
        + workers * (f * tile_rows(f) + BLOCKS * JOINT_FLOATS)
    )
    return float(PROGRAM + workers * WORKER + NUMBER * numbers)


def _climbs(task: Task, plan: Plan, rows: int) -> float:
    """How many there are at once."""
    if task.start is not None or task.model.n_components == 1:
        return 1
    if plan.restarts is not None:
        return plan.restarts
    cost = task.model.n_components * rows * (1 + task.model.family.n_features() / FEATURES)
    kinds = len(plan.starts)
    return kinds * float(np.clip(plan.effort.budget / (cost * REST * kinds), *STARTS))
