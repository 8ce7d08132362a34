"""What the laws are tried on: a family with rows, and what is known of it from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import Array, Integers, stack, take
from em_cli.engine.climb import Candidate, FitResult
from em_cli.engine.column_summary import summarize
from em_cli.engine.columns import unit_columns
from em_cli.engine.expectation import Parameters
from em_cli.engine.family import BoundFamily, Family
from em_cli.engine.fit import fit
from em_cli.engine.model import Model
from em_cli.engine.protocols import Algorithm, Runner
from em_cli.engine.rows import Block, Source
from em_cli.engine.stopping import Stopping
from em_cli.latents import LATENTS
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory
from em_cli.testing.random_rows import Kinds, rows, with_gaps

RESOLVED = 0.1  # of groups so far apart, none is as narrow as a family can resolve that can resolve the inverse

Document = Mapping[str, object]


def _unknown(family: BoundFamily, x: Array, weights: Array) -> dict[str, object]:
    """Nothing is known in closed form."""
    return {}


@dataclass(frozen=True)
class Case:
    """A family with the columns it is tried on, and what independent programs say of it."""

    name: str
    kinds: Kinds
    narrow: Kinds  # as few columns as it can have, for integration
    free_units: bool  # each real column may have units of its own
    build: Callable[[Kinds], Family]
    log_density: Callable[[BoundFamily, Document, Array], Array]  # (K, n), by scipy.stats
    closed_form: Callable[[BoundFamily, Array, Array], dict[str, object]] = (
        _unknown  # parameters of one component, of rows
    )
    gaps: float = 0.0  # share of missing cells
    expanded: bool = False  # the M-step goes farther than EM, by parameter expansion
    factor: float = 0.0  # standard deviation of what the columns have in common within the groups
    exact: bool = True  # the M-step is the maximum given the labels; else something else of each row is missing too
    bounded: bool = True  # sums that add over components tell what a move is worth at least
    normalised: bool = True  # the density sums to one; else some sums of columns are given
    free_order: bool = True  # of the columns; else it says which belong together

    def rows(self, seed: int, n: int, separation: float = 4.0, k: int = 3) -> tuple[Array, Integers]:
        """Rows (D, n) in k groups, and the group (n,) of each; no group is narrower than the family can resolve."""
        narrowest = self.build(self.kinds).narrowest
        return self.unresolved(seed, n, min(separation, RESOLVED / narrowest) if narrowest else separation, k)

    def unresolved(self, seed: int, n: int, separation: float, k: int = 3) -> tuple[Array, Integers]:
        """The same, however narrow."""
        x, labels = rows(self.kinds, seed, n, separation, k)
        if self.factor:
            x = x + self.factor * np.random.default_rng((seed, n)).standard_normal(n)
        if self.gaps:
            x = with_gaps(x, self.gaps, seed)
        return x, labels

    def model(self, x: Array, k: int, weights: Array | None = None, latent: str = "independent") -> Model:
        """A model of k components bound to the rows x (D, n)."""
        return bound_model(self.build(self.kinds), InMemory(x, weights), k, latent)


KINDS = {
    "numeric": "real",
    "positive": "skewed",
    "semicontinuous": "inflated skewed",
    "proportion": "proportion",
    "angle": "angle",
    "count": "count",
    "binary": "binary",
}  # of columns of a type


def case_of(name: str, family: Family, log_density: Callable[[BoundFamily, Document, Array], Array]) -> Case:
    """A case of three columns of the type that the family describes, independent given the component."""
    kinds = (KINDS[family.describes],) * 3
    return Case(
        name,
        kinds,
        kinds[:1],
        family.describes in ("numeric", "positive", "semicontinuous"),
        lambda kinds: family,
        log_density,
    )


def bound_model(family: Family, source: Source, k: int, latent: str = "independent") -> Model:
    """A model of k components of a family, bound to the rows of a source."""
    columns = summarize(source)
    bound = family.bind(columns)
    return Model(bound, LATENTS.load(latent)().bind(bound, columns), k)


def unit_model(case: Case, k: int) -> Model:
    """A model that knows nothing of the data: its coordinates are the user's units."""
    columns = unit_columns(len(case.kinds), np.full(len(case.kinds), case.gaps > 0))
    return Model(case.build(case.kinds).bind(columns), LATENTS.load("independent")(), k)


def flattened(numbers: Any) -> Array:
    """All numbers (N,) of the field of a document, whose lists may differ in length."""
    if isinstance(numbers, dict):
        numbers = list(numbers.values())
    if isinstance(numbers, list | tuple) and numbers and isinstance(numbers[0], list | tuple | dict | np.ndarray):
        return np.concatenate([flattened(part) for part in numbers])
    return np.ravel(numbers)


def responsibilities(seed: int, labels: Integers, k: int, softness: float = 1.0) -> Array:
    """(K, n), between the labels (softness 0) and random ones (softness 1)."""
    rng = np.random.default_rng((seed, k))
    return (1 - softness) * np.eye(k)[:, labels] + softness * rng.dirichlet(np.ones(k), len(labels)).T


def start(model: Model, x: Array, r: Array, weights: Array | None = None) -> Parameters:
    """The M-step from responsibilities (K, n), not stacked."""
    return model.start(Block(0, x, weights), r)


def stepped(model: Model, x: Array, r: Array, at: Parameters) -> Parameters:
    """Another M-step with the same responsibilities (K, n), its statistics in the frame of the last."""
    family, stacked = model.family, stack([at.components])
    components = family.maximize(family.statistics(features(family, x), r[None], stacked), stacked)
    return replace(at, components=take(components, 0))


def features(family: BoundFamily, x: Array) -> Array:
    """(F, n) of rows (D, n)."""
    out = np.empty((family.n_features(), x.shape[1]))
    family.features(x, out)
    return out


def component_log_density(family: BoundFamily, components: object, x: Array) -> Array:
    """(K, n) of components (no stack), base measure included."""
    k = len(family.moments(components)[0])
    out = np.empty((1, k, x.shape[1]))
    stacked = stack([components])
    family.log_density(features(family, x), stacked, np.zeros((1, k)), out)
    return np.asarray(out[0] + family.base_measure(x))


def climb(
    model: Model,
    source: Source,
    begin: Parameters,
    stopping: Stopping | None = None,
    algorithm: Algorithm | None = None,
    runner: Runner | None = None,
) -> FitResult:
    """One climb, by EM and on this thread unless something else is asked for."""
    candidate = Candidate(model, algorithm or ALGORITHMS.load("em")(), begin, 0)
    return fit([candidate], source, runner or Serial(), stopping or Stopping(1e-6, 200))[0]
