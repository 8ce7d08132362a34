"""What the tests share beside the cases of `em_cli.testing`: whole searches, and data with known answers."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import logsumexp

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import Array
from em_cli.engine.climb import FitResult
from em_cli.engine.family import Family
from em_cli.engine.model import Model
from em_cli.engine.stopping import Stopping
from em_cli.latents import LATENTS
from em_cli.runners.serial import Serial
from em_cli.search.effort import EFFORTS
from em_cli.search.ledger import Fitted
from em_cli.search.search import AUTO_STARTS, Plan, Task, search
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory
from em_cli.starts import STARTS
from em_cli.testing.case import (
    Case as Case,
)
from em_cli.testing.case import (
    Document as Document,
)
from em_cli.testing.case import (
    bound_model as bound_model,
)
from em_cli.testing.case import (
    climb as climb,
)
from em_cli.testing.case import (
    component_log_density as component_log_density,
)
from em_cli.testing.case import (
    features as features,
)
from em_cli.testing.case import (
    flattened as flattened,
)
from em_cli.testing.case import (
    responsibilities as responsibilities,
)
from em_cli.testing.case import (
    start as start,
)
from em_cli.testing.case import (
    stepped as stepped,
)
from em_cli.testing.case import (
    unit_model as unit_model,
)
from em_cli.testing.random_rows import (
    Kinds as Kinds,
)
from em_cli.testing.random_rows import (
    axis as axis,
)
from em_cli.testing.random_rows import (
    measured as measured,
)
from em_cli.testing.random_rows import (
    n_levels as n_levels,
)
from em_cli.testing.random_rows import (
    number_in as number_in,
)
from em_cli.testing.random_rows import (
    real as real,
)
from em_cli.testing.random_rows import (
    rows as rows,
)
from em_cli.testing.random_rows import (
    with_gaps as with_gaps,
)

BY_ROWS = [name for name in LATENTS if not LATENTS.load(name)().needs_groups]  # latent structures of single rows
OF_SEARCHES = [name for name in ALGORITHMS if not ALGORITHMS.load(name)().from_starts]  # that climb the likelihood
SMALLEST = np.log(1e-300)  # what stands for the log of a probability of zero


def scipy_log_density(case: Case, model: Model, document: Document, x: Array) -> Array:
    """(n,) of the mixture that the document describes."""
    by_component = case.log_density(model.family, document, x)
    return logsumexp(by_component + np.log(document["weights"])[:, None], axis=0)


def default_plan(stopping: Stopping | None = None, seed: int = 0, effort: str = "normal") -> Plan:
    """What `em fit` does unless told otherwise."""
    starts = tuple((name, STARTS.load(name)()) for name in AUTO_STARTS)
    stopping = stopping or Stopping(0.01, 2000)
    return Plan(ALGORITHMS.load("lbfgs")(), starts, None, stopping, seed, EFFORTS[effort])


def find(family: Family, x: Array, ks: Sequence[int], plan: Plan | None = None) -> list[Fitted]:
    """The whole search, for each number of components."""
    source = InMemory(np.ascontiguousarray(x))
    plan = plan or default_plan()
    known = survey(source, plan.seed)
    bound = family.bind(known.columns)
    models = [Model(bound, LATENTS.load("independent")(), k) for k in ks]
    tasks = [Task(f"k{m.n_components}", m) for m in models]
    return search(tasks, known, Serial(), plan)


def find_one(family: Family, x: Array, k: int, plan: Plan | None = None) -> FitResult:
    chosen = find(family, x, [k], plan)[0].chosen
    assert chosen is not None
    return chosen


REFERENCE = Path(__file__).parent / "reference"


@cache
def reference_rows(file: str, columns: tuple[str, ...]) -> Array:
    """Columns (D, n) of a data set with known answers; NaN where a cell is missing."""
    with (REFERENCE / "data" / file).open(newline="") as lines:
        table = list(csv.DictReader(lines))
    x = np.array([[float(row[name] or "nan") for row in table] for name in columns])
    x.flags.writeable = False
    return x
