"""What the laws are run on: for every registered family a maker of cases, and shorthands for models and climbs.

A new family enters by a line in `CASE_MAKERS`. Its cases say of which kinds its columns are, how
to build it for such columns, and what an independent program (scipy.stats) says of its density.
Then every law runs on it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import logsumexp

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import Array, Integers, take
from em_cli.engine.columns import summarize, unit_columns
from em_cli.engine.fit import Candidate, FitResult, fit
from em_cli.engine.model import Model
from em_cli.engine.protocols import Algorithm, Block, Family, Parameters, Runner, Source
from em_cli.engine.scoring import base_measure
from em_cli.engine.stopping import Stopping
from em_cli.families import FAMILIES
from em_cli.families.covariances import COVARIANCES
from em_cli.families.gaussian import Gaussian
from em_cli.families.poisson import Poisson
from em_cli.families.product import Product
from em_cli.latents import LATENTS
from em_cli.runners.serial import Serial
from em_cli.search.effort import EFFORTS
from em_cli.search.ledger import Fitted
from em_cli.search.restarts import Plan, Task, search
from em_cli.sources.memory import InMemory
from em_cli.starts import STARTS

Kinds = tuple[str, ...]  # of the columns: "real" or "count"
Document = Mapping[str, Any]


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

    def rows(self, seed: int, n: int, separation: float = 4.0, k: int = 3) -> tuple[Array, Integers]:
        return rows(self.kinds, seed, n, separation, k)

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
    counts = [j for j, kind in enumerate(kinds) if kind == "count"]
    x[counts] = rng.poisson(1 + min(separation, 1e3) * places[counts])  # log x! takes the digits of larger ones
    return x, labels


def bound_model(family: Family, source: Source, k: int, latent: str = "independent") -> Model:
    model = Model(family.bind(summarize(source)), LATENTS.load(latent)(), k)
    return replace(model, constant=base_measure(model, source))


def unit_model(case: Case, k: int) -> Model:
    """A model that knows nothing of the data: its coordinates are the user's units."""
    return Model(case.build(case.kinds).bind(unit_columns(len(case.kinds))), LATENTS.load("independent")(), k)


def responsibilities(seed: int, labels: Integers, k: int, softness: float = 1.0) -> Array:
    """(K, n), between the labels (softness 0) and random ones (softness 1)."""
    rng = np.random.default_rng((seed, k))
    return (1 - softness) * np.eye(k)[:, labels] + softness * rng.dirichlet(np.ones(k), len(labels)).T


def start(model: Model, x: Array, r: Array, weights: Array | None = None) -> Parameters:
    """The M-step from responsibilities (K, n), not stacked."""
    return take(model.start(Block(0, x, weights), r[None]), 0)


def features(family: Family, x: Array) -> Array:
    out = np.empty((family.n_features(), x.shape[1]))
    family.features(x, out)
    return out


def component_log_density(family: Family, components: Any, x: Array) -> Array:
    """(K, n) of components (no stack), base measure included."""
    k = len(family.moments(components)[0])
    out = np.empty((1, k, x.shape[1]))
    stacked = take(components, np.newaxis)  # type: ignore[arg-type]
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


def scipy_gaussian(family: Any, document: Document, x: Array) -> Array:
    means = np.array(document["means"])
    k, d = means.shape
    covariances = family.structure.from_document(np.array(document["covariances"]), k, d)
    roots = [stats.Covariance.from_cholesky(np.linalg.cholesky(covariance)) for covariance in covariances]
    return np.stack(
        [stats.multivariate_normal(m, c).logpdf(x.T).reshape(-1) for m, c in zip(means, roots, strict=True)]
    )


def scipy_poisson(family: Any, document: Document, x: Array) -> Array:
    return np.stack([stats.poisson(np.array(rates)[:, None]).logpmf(x).sum(axis=0) for rates in document["rates"]])


def scipy_product(family: Any, document: Document, x: Array) -> Array:
    by_family = {Gaussian: scipy_gaussian, Poisson: scipy_poisson}
    parts = zip(family.families, family.columns_of, strict=True)
    return np.sum([by_family[type(part)](part, document, x[columns]) for part, columns in parts], axis=0)


def gaussian_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    mean = np.average(x, axis=1, weights=weights)
    covariance = np.atleast_2d(np.cov(x, aweights=weights, bias=True))
    if family.structure.diagonal:
        covariance = np.diag(np.diag(covariance))
    if family.structure.common_scale:
        covariance = np.eye(len(x)) * np.trace(covariance) / len(x)
    return {"means": mean[None], "covariances": family.structure.to_document(covariance[None])}


def poisson_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    return {"rates": np.average(x, axis=1, weights=weights)[None]}


def product_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    of_all = {Gaussian: gaussian_of_all, Poisson: poisson_of_all}
    document: dict[str, Any] = {}
    for part, columns in zip(family.families, family.columns_of, strict=True):
        document |= of_all[type(part)](part, x[columns], weights)
    return document


def gaussian_cases() -> list[Case]:
    """One for each covariance structure."""
    return [
        Case(
            f"gaussian-{covariance}",
            ("real", "real", "real"),
            ("real",),
            not COVARIANCES.load(covariance).common_scale,
            lambda kinds, covariance=covariance: Gaussian(covariance),
            scipy_gaussian,
            gaussian_of_all,
        )
        for covariance in COVARIANCES
    ]


def poisson_cases() -> list[Case]:
    kinds = ("count", "count")
    return [Case("poisson", kinds, ("count",), False, lambda kinds: Poisson(), scipy_poisson, poisson_of_all)]


def product_cases() -> list[Case]:
    def build(kinds: Kinds) -> Product:
        groups = tuple(np.array([j for j, kind in enumerate(kinds) if kind == wanted]) for wanted in ("real", "count"))
        parts = (Gaussian(columns=unit_columns(len(groups[0]))), Poisson(unit_columns(len(groups[1]))))
        return Product(parts, groups)

    kinds = ("real", "count", "real", "count")
    return [Case("product", kinds, ("real", "count"), True, build, scipy_product, product_of_all)]


CASE_MAKERS: dict[str, Callable[[], list[Case]]] = {
    "gaussian": gaussian_cases,
    "poisson": poisson_cases,
    "product": product_cases,
}

CASES = [case for name in FAMILIES if name in CASE_MAKERS for case in CASE_MAKERS[name]()]

REFERENCE = Path(__file__).parent / "reference"


@cache
def reference_rows(file: str, columns: tuple[str, ...]) -> Array:
    """Columns (D, n) of a data set with known answers."""
    with (REFERENCE / "data" / file).open(newline="") as lines:
        table = list(csv.DictReader(lines))
    x = np.array([[float(row[name]) for row in table] for name in columns])
    x.flags.writeable = False
    return x
