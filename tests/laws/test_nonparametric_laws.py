"""Of families with one parameter, the likeliest mixture is known whatever its number of components (Lindsay 1983)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from support import find

from em_cli.algorithms.cem import CEM
from em_cli.algorithms.em import EM
from em_cli.engine.family import Family
from em_cli.engine.model import Model
from em_cli.families.distributions.bernoulli import Bernoulli
from em_cli.families.distributions.binomial import Binomial
from em_cli.families.distributions.exponential import Exponential
from em_cli.families.distributions.poisson import Poisson
from em_cli.families.gaussian.options import Gaussian
from em_cli.latents.independent import Independent
from em_cli.latents.noise import Noise
from em_cli.search.nonparametric import likeliest
from em_cli.search.proofs import Proofs
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory

Array = NDArray[np.float64]
RNG = np.random.default_rng(8)
LOW = RNG.random(300) < 0.6
ROWS = {
    "poisson": np.where(LOW, RNG.poisson(1.5, 300), RNG.poisson(7.0, 300)).astype(float)[None],
    "exponential": np.where(LOW, RNG.exponential(1.0, 300), RNG.exponential(9.0, 300))[None],
    "binomial": np.where(LOW, RNG.binomial(12, 0.2, 300), RNG.binomial(12, 0.7, 300)).astype(float)[None],
}
FAMILIES: dict[str, tuple[Family, str, Callable[[Array, Array], Any]]] = {
    "poisson": (Poisson(), "rates", stats.poisson.pmf),
    "exponential": (Exponential(), "rates", lambda x, rate: stats.expon.pdf(x, scale=1 / rate)),
    "binomial": (Binomial(trials=12), "probabilities", lambda x, p: stats.binom.pmf(x, 12, p)),
}
each_family = pytest.mark.parametrize("name", FAMILIES)


def bound(family: Family, x: Array, k: int, weights: Array | None = None) -> tuple[Model, InMemory]:
    source = InMemory(x, weights)
    return Model(family.bind(survey(source).columns), Independent(), k), source


@each_family
def test_no_component_more_gains_anything(name: str) -> None:
    family, field, density = FAMILIES[name]
    x = ROWS[name]
    weights = RNG.integers(1, 4, x.shape[1]).astype(float)
    model, source = bound(family, x, 1, weights)
    best = likeliest(model, source)
    assert best is not None and best.n_components > 1
    own = replace(model, n_components=best.n_components)
    document = own.to_document(best.as_start(own))
    parameters, shares = np.asarray(document[field])[:, 0], np.asarray(document["weights"])
    mixture = shares @ density(x, parameters[:, None])
    assert weights @ np.log(mixture) == pytest.approx(best.at_most, abs=2e-3)
    along = np.linspace(0, 1, 5001)[1:-1]
    along = along if name == "binomial" else np.exp((along - 0.5) * 20)
    gains = (density(x, along[:, None]) / mixture) @ weights - weights.sum()
    assert gains.max() < 0.05
    more = replace(model, n_components=best.n_components + 2)
    halved = np.asarray(more.to_document(best.as_start(more))["weights"])
    assert len(halved) == best.n_components + 2 and halved.sum() == pytest.approx(1.0)


@each_family
def test_a_sweep_ends_where_no_component_more_is_needed(name: str) -> None:
    family, _, _ = FAMILIES[name]
    fits = find(family, ROWS[name], range(1, 8))
    proved = [fitted for fitted in fits if fitted.certificate]
    enough = proved[0].n_components
    assert {one.certificate.least for one in proved if one.certificate} == {enough}
    heights = [fitted.chosen.log_likelihood for fitted in fits if fitted.chosen]
    assert heights == sorted(heights)
    needless = [fitted for fitted in fits if fitted.enough is not None]
    assert needless and all(one.enough == proved[-1].n_components < one.n_components for one in needless)
    assert all(fitted.optimisation_error <= 0.01 for fitted in proved)


def test_one_model_of_more_components_than_are_enough_ends_as_high() -> None:
    (few,), (many,) = (find(Poisson(), ROWS["poisson"], [k]) for k in (4, 7))
    assert few.certificate and many.certificate and few.chosen and many.chosen
    assert many.chosen.log_likelihood == pytest.approx(few.chosen.log_likelihood, abs=0.01)
    assert many.certificate.least <= 4


@pytest.mark.parametrize("seed", [6, 14])
def test_a_component_too_many_takes_nothing_away(seed: int) -> None:
    """Where two would be one, climbs creep: they end by some thousandths of a nat below."""
    rng = np.random.default_rng(seed)
    x = np.where(rng.random(200) < 0.6, rng.poisson(0.5, 200), rng.poisson(2.5, 200)).astype(float)[None]
    best = likeliest(*bound(Poisson(), x, 1))
    assert best is not None
    (many,) = find(Poisson(), x, [best.n_components + 1])
    assert many.chosen is not None
    assert best.at_most - 1e-3 <= many.chosen.log_likelihood <= best.at_most + 1e-9


def test_one_component_is_enough_for_one_binary_column() -> None:
    (fitted,) = find(Bernoulli(), LOW[None].astype(float), [2])
    assert fitted.certificate is not None and fitted.certificate.least == 1


def test_nothing_is_claimed_of_others() -> None:
    x = ROWS["poisson"]
    two_columns, source = bound(Poisson(), np.concatenate([x, x[:, ::-1]]), 2)
    assert likeliest(two_columns, source) is None
    for family, cells in ((Gaussian(), x), (Poisson(), x)):
        model, source = bound(family, cells, 2)
        unclaimed = replace(model, prior=1.0) if isinstance(family, Poisson) else model
        assert likeliest(unclaimed, source) is None
    model, _ = bound(Poisson(), x, 2)
    labelled = InMemory(x, labels=np.where(np.arange(300) < 5, 0, -1))
    assert likeliest(model, labelled) is None
    assert likeliest(replace(model, latent=Independent("equal")), InMemory(x)) is None
    assert (
        likeliest(replace(model, latent=Noise().bind(model.family, survey(InMemory(x)).columns)), InMemory(x)) is None
    )
    assert not Proofs.of([model], survey(InMemory(x)), CEM()).by_family  # which climbs another objective
    assert Proofs.of([model], survey(InMemory(x)), EM()).by_family
    many = InMemory(np.arange(10_001.0)[None])
    assert likeliest(replace(model, family=Poisson().bind(survey(many).columns)), many) is None


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e8, 1e12])
def test_rows_of_any_size_are_no_trouble(scale: float) -> None:
    """Of rows far apart one component knows nothing at all; where very many are needed, or digits are few,
    nothing is claimed."""
    counts = np.floor(np.abs(RNG.standard_cauchy((1, 40))) * scale)
    model, source = bound(Poisson(), counts, 1)
    best = likeliest(model, source)
    assert best is None or np.isfinite(best.at_most)
