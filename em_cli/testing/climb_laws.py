"""What every climb of a family obeys, by any algorithm and latent structure, with a prior and without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import Array, stack
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.scoring import score_source
from em_cli.engine.stopping import Status, Stopping
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory
from em_cli.testing.case import Case, climb, responsibilities, start

ALGORITHMS_TRIED = ("em", "squarem", "lbfgs")
SEPARATIONS = (1.0, 2.5, 1e5)
K = 3
ROUNDING = 1e-11  # of a log-likelihood, by which it may seem to descend


def begun(
    case: Case, seed: int, n: int = 400, separation: float = 2.5, softness: float = 0.7, latent: str = "independent"
) -> tuple[Array, Model, Parameters]:
    """Rows (D, n), a model of them, and a poor place to start from."""
    x, labels = case.rows(seed, n, separation)
    model = case.model(x, K, latent=latent)
    return x, model, start(model, x, responsibilities(seed, labels % K, K, softness))


def the_likelihood_never_descends(
    case: Case, algorithm: str, seed: int, separation: float, softness: float = 0.7, latent: str = "independent"
) -> None:
    x, model, begin = begun(case, seed, 120, separation, softness, latent)
    result = climb(model, InMemory(x), begin, Stopping(1e-9, 100), ALGORITHMS.load(algorithm)())
    assert np.diff(result.trace).min(initial=0) >= -ROUNDING * abs(result.log_likelihood)
    assert result.trace[-1] == result.log_likelihood


def the_reported_likelihood_is_that_of_the_reported_parameters(
    case: Case, algorithm: str, latent: str = "independent"
) -> None:
    """By an E-step at them; and by the independent program, where the components alone make the density."""
    x, model, begin = begun(case, 1, latent=latent)
    source = InMemory(x, block_rows=97)
    for stopping in (Stopping(1e-6, 500), Stopping(0, 3)):
        result = climb(model, source, begin, stopping, ALGORITHMS.load(algorithm)())
        totals = score_source(model, result.parameters, source, Serial())
        assert np.isclose(totals.log_likelihood, result.log_likelihood, rtol=1e-10, atol=0)
        assert np.allclose(totals.n_effective[:K], result.weight, rtol=1e-10)
        if latent == "independent":
            document = model.to_document(result.parameters)
            joint = np.log(np.array(document["weights"]))[:, None] + case.log_density(model.family, document, x)
            independent = np.logaddexp.reduce(joint, axis=0).sum()
            assert np.isclose(independent, result.log_likelihood, rtol=1e-10, atol=0)


def a_climb_ends_where_the_likelihood_is_flat(case: Case, algorithm: str) -> None:
    x, model, begin = begun(case, 2, separation=5.0)
    result = climb(model, InMemory(x), begin, Stopping(0.01, 2000), ALGORITHMS.load(algorithm)())
    further = climb(model, InMemory(x), result.parameters, Stopping(1e-9, 2000), ALGORITHMS.load("em")())
    assert result.status is Status.CONVERGED
    assert further.log_likelihood - result.log_likelihood < 0.01


def a_climb_raises_the_penalised_likelihood(case: Case, algorithm: str) -> None:
    """With the weak prior, which the family adds to the log-likelihood."""
    x, labels = case.rows(2, 90, 2.0, 2)
    model, source = replace(case.model(x, 2), prior=1.0), InMemory(x)
    begin = start(model, x, responsibilities(2, labels, 2, 0.3))
    result = climb(model, source, begin, Stopping(1e-7, 4000), ALGORITHMS.load(algorithm)())
    assert np.diff(result.trace).min(initial=0) >= -ROUNDING * abs(result.log_likelihood)
    alone = float(score_source(model, result.parameters, source, Serial()).log_likelihood)
    penalty = float(np.sum(model.log_prior(stack([result.parameters]))))
    assert np.isclose(result.log_likelihood, alone + penalty, rtol=1e-10, atol=0)
