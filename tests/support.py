"""What a case of the laws is, and shorthands for models, climbs and searches; the cases are in `cases`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logsumexp

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import Array, Flags, Integers, stack, take
from em_cli.engine.climb import Candidate, FitResult
from em_cli.engine.columns import summarize, unit_columns
from em_cli.engine.expectation import Parameters
from em_cli.engine.family import Family
from em_cli.engine.fit import fit
from em_cli.engine.model import Model
from em_cli.engine.protocols import Algorithm, Runner
from em_cli.engine.rows import Block, Source
from em_cli.engine.scoring import base_measure
from em_cli.engine.stopping import Stopping
from em_cli.latents import LATENTS
from em_cli.runners.serial import Serial
from em_cli.search.effort import EFFORTS
from em_cli.search.ledger import Fitted
from em_cli.search.search import Plan, Task, search
from em_cli.sources.in_memory import InMemory
from em_cli.starts import STARTS

Kinds = tuple[str, ...]  # of the columns, as "real", "positive", "12 trials", or "3 levels"
Document = Mapping[str, Any]
SMALLEST = np.log(1e-300)  # what stands for the log of a probability of zero


@dataclass(frozen=True)
class Case:
    """A family with the columns it is tried on."""

    name: str
    kinds: Kinds
    narrow: Kinds  # as few columns as it can have, for integration
    free_units: bool  # each real column may have units of its own
    build: Callable[[Kinds], Family]
    log_density: Callable[[Family, Document, Array], Array]  # (K, n), by scipy.stats
    closed_form: Callable[[Family, Array, Array], dict[str, Any]]  # document of one component: family, rows, weights
    gaps: float = 0.0  # share of missing cells
    expanded: bool = False  # the M-step goes farther than EM, by parameter expansion
    factor: float = 0.0  # standard deviation of what the columns have in common within the groups
    exact: bool = True  # the M-step is the maximum given the labels; else something else of each row is missing too
    bounded: bool = True  # sums that add over components tell what a move is worth at least
    normalised: bool = True  # the density sums to one; else some sums of columns are given
    free_order: bool = True  # of the columns; else it says which belong together

    def rows(self, seed: int, n: int, separation: float = 4.0, k: int = 3) -> tuple[Array, Integers]:
        x, labels = rows(self.kinds, seed, n, separation, k)
        if self.factor:
            x = x + self.factor * np.random.default_rng((seed, n)).standard_normal(n)
        if self.gaps:
            x = with_gaps(x, self.gaps, seed)
        return x, labels

    def model(self, x: Array, k: int, weights: Array | None = None, latent: str = "independent") -> Model:
        """A model of k components bound to the rows x (D, n)."""
        return bound_model(self.build(self.kinds), InMemory(x, weights), k, latent)


def rows(kinds: Kinds, seed: int, n: int, separation: float = 4.0, k: int = 3) -> tuple[Array, Integers]:
    """Rows (D, n) in k groups `separation` standard deviations apart, and the group (n,) of each."""
    rng = np.random.default_rng((seed, n, k))
    labels = np.concatenate([np.arange(k), rng.integers(k, size=n - k)])
    places = np.stack([rng.permutation(k) for _ in kinds])[:, labels]
    noise = (np.eye(len(kinds)) + 0.3 * rng.standard_normal((len(kinds), len(kinds)))) @ rng.standard_normal(
        (len(kinds), n)
    )
    x = separation * places + noise
    scale = min(separation, 1e3)  # log x! takes the digits of larger ones
    plain = [j for j, kind in enumerate(kinds) if kind == "count"]
    x[plain] = rng.poisson(1 + scale * places[plain])
    for j, kind in enumerate(kinds):
        draw = drawn_counts if kind.endswith(("count", "trials")) or kind.startswith("of ") else drawn_cells
        if (drawn := draw(kind, places[j], separation, k, rng)) is not None:
            x[j] = drawn
    return x, labels


def drawn_counts(kind: str, place: Integers, separation: float, k: int, rng: np.random.Generator) -> Array | None:
    """Counts (n,) of rows whose groups have these places; None of those that need nothing more."""
    scale = min(separation, 1e3)
    if kind == "inflated count":
        return np.where(rng.random(len(place)) < 0.3, 0, rng.poisson(1 + scale * place))
    if kind == "dispersed count":
        return rng.poisson(rng.gamma(3, 4 * (1 + min(scale, 30.0)) ** place / 3))
    if kind.endswith("trials"):
        odds = np.exp((place / max(k - 1, 1) - 0.5) * min(scale, 50.0))
        return rng.binomial(number_in(kind), odds / (1 + odds))
    return np.full(len(place), number_in(kind)) if kind.startswith("of ") else None


def drawn_cells(kind: str, place: Integers, separation: float, k: int, rng: np.random.Generator) -> Array | None:
    """The same of other kinds of cells."""
    scale, n = min(separation, 1e3), len(place)
    if kind == "positive":
        return rng.exponential((1 + scale) ** place)
    if kind == "skewed":  # in logarithms, groups are 1.2 apart
        shape = (separation / 1.2) ** 2
        return rng.gamma(shape, np.exp(1.2 * place) / shape)
    if kind == "proportion":  # groups are evenly apart in the unit interval, or on the circle
        mean = (place + 1) / (k + 1)
        precision = max(mean.min() * (1 - mean.min()) * ((k + 1) * separation) ** 2 - 1, 1.0)
        return np.clip(rng.beta(precision * mean, precision * (1 - mean)), 1e-9, 1 - 1e-9)
    if kind == "angle":
        noise = rng.vonmises(0.0, (separation * k / (2 * np.pi)) ** 2, n)
        return np.remainder(2 * np.pi * (place + 0.5) / k + noise, 2 * np.pi)
    if kind == "binary":
        logits = 2 * (place / max(k - 1, 1) - 0.5) * (2 * np.tanh(separation / 2) if separation < 10 else scale)
        return rng.random(n) < expit(logits)
    if kind.endswith("levels"):
        logits = 0.4 * scale * (place % n_levels(kind) == np.arange(n_levels(kind))[:, None])
        return (logits + rng.gumbel(size=logits.shape)).argmax(axis=0)
    return None


def real(kinds: Kinds) -> Flags:
    return np.array([kind == "real" for kind in kinds])


def measured(kinds: Kinds) -> Flags:
    """Which columns have units."""
    return np.array([kind in ("real", "positive", "skewed") for kind in kinds])


def n_levels(kind: str) -> int:
    return int(kind.removesuffix(" levels"))


def number_in(kind: str) -> int:
    return int(kind.removeprefix("of ").removesuffix(" trials"))


def with_gaps(x: Array, share: float, seed: int) -> Array:
    """The rows with some cells missing, but not all of one row, and one at least of each column."""
    rng = np.random.default_rng((seed, 77))
    missing = rng.random(x.shape) < share
    missing[:, 0], missing[:, 1] = False, np.arange(len(x)) > 0
    missing[rng.integers(len(x), size=x.shape[1]), np.arange(x.shape[1])] = False
    return np.where(missing, np.nan, x)


def axis(kind: str, low: float, high: float) -> tuple[Array, Array]:
    """Values that a column of this kind may have, and weights for sums or integrals over them."""
    if kind == "real":
        nodes = np.linspace(low, high, 2001)
        return nodes, np.full(2001, nodes[1] - nodes[0])
    if kind == "angle":
        nodes = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
        return nodes, np.full(2000, np.pi / 1000)
    if kind == "proportion":
        logits = np.linspace(-40, 30, 4001)  # there are no numbers so close to one as to zero
        return expit(logits), expit(logits) * expit(-logits) * (logits[1] - logits[0])
    if kind in ("positive", "skewed"):  # a sum over logarithms is exact to all digits, where the density falls off fast
        logs = np.linspace(-45, np.log(60 * high), 4001)
        return np.exp(logs), np.exp(logs) * (logs[1] - logs[0])
    if kind.endswith("count"):
        nodes = np.arange(np.ceil(high))
    elif kind.startswith("of "):
        nodes = np.array([float(number_in(kind))])
    elif kind.endswith("trials"):
        nodes = np.arange(number_in(kind) + 1.0)
    else:
        nodes = np.arange(2.0 if kind == "binary" else float(n_levels(kind)))
    return nodes, np.ones(len(nodes))


def bound_model(family: Family, source: Source, k: int, latent: str = "independent") -> Model:
    columns = summarize(source)
    bound = family.bind(columns)
    model = Model(bound, LATENTS.load(latent)().bind(bound, columns), k)
    return replace(model, constant=base_measure(model, source))


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
    return take(model.start(Block(0, x, weights), r[None]), 0)


def stepped(model: Model, x: Array, r: Array, at: Parameters) -> Parameters:
    """Another M-step with the same responsibilities (K, n), its statistics in the frame of the last."""
    family, stacked = model.family, stack([at.components])
    components = family.maximize(family.statistics(features(family, x), r[None], stacked), stacked)
    return replace(at, components=take(components, 0))


def features(family: Family, x: Array) -> Array:
    out = np.empty((family.n_features(), x.shape[1]))
    family.features(x, out)
    return out


def component_log_density(family: Family, components: Any, x: Array) -> Array:
    """(K, n) of components (no stack), base measure included."""
    k = len(family.moments(components)[0])
    out = np.empty((1, k, x.shape[1]))
    stacked = stack([components])
    family.log_density(features(family, x), stacked, np.zeros((1, k)), out)
    return out[0] + family.base_measure(x)


def scipy_log_density(case: Case, model: Model, document: Document, x: Array) -> Array:
    """(n,) of the mixture that the document describes."""
    by_component = case.log_density(model.family, document, x)
    return logsumexp(by_component + np.log(document["weights"])[:, None], axis=0)


def climb(
    model: Model,
    source: Source,
    begin: Parameters,
    stopping: Stopping | None = None,
    algorithm: Algorithm | None = None,
    runner: Runner | None = None,
) -> FitResult:
    candidate = Candidate(model, algorithm or ALGORITHMS.load("em")(), begin, 0)
    return fit([candidate], source, runner or Serial(), stopping or Stopping(1e-6, 200))[0]


def default_plan(stopping: Stopping | None = None, seed: int = 0, effort: str = "normal") -> Plan:
    """What `em fit` does unless told otherwise."""
    starts = tuple((name, STARTS.load(name)()) for name in STARTS)
    stopping = stopping or Stopping(0.01, 2000)
    return Plan(ALGORITHMS.load("lbfgs")(), starts, None, stopping, seed, EFFORTS[effort])


def find(family: Family, x: Array, ks: Sequence[int], plan: Plan | None = None) -> list[Fitted]:
    """The whole search, for each number of components."""
    source = InMemory(np.ascontiguousarray(x))
    columns = summarize(source)
    bound = family.bind(columns)
    models = [Model(bound, LATENTS.load("independent")(), k) for k in ks]
    tasks = [Task(f"k{m.n_components}", replace(m, constant=base_measure(m, source))) for m in models]
    return search(tasks, source, columns, Serial(), plan or default_plan())


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
