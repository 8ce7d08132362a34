"""What every climb of a family obeys, by any algorithm and latent structure, with a prior and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import Array, stack
from em_cli.engine.climb import Candidate, FitResult
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import fit
from em_cli.engine.model import Model
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Source
from em_cli.engine.scoring import score_source
from em_cli.engine.stopping import Status, Stopping
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory
from em_cli.testing.case import Case, responsibilities, start

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


def climbs(
    model: Model, source: Source, begin: Parameters, stopping: Stopping, algorithms: Sequence[str], runner: Runner
) -> dict[str, FitResult]:
    """From one start by each of the algorithms, side by side: company changes no bit."""
    made = [Candidate(model, ALGORITHMS.load(name)(), begin, number) for number, name in enumerate(algorithms)]
    return dict(zip(algorithms, fit(made, source, runner, stopping), strict=True))


def the_likelihood_never_descends(
    case: Case,
    seed: int,
    separation: float,
    softness: float = 0.7,
    latent: str = "independent",
    algorithms: Sequence[str] = ALGORITHMS_TRIED,
) -> None:
    x, model, begin = begun(case, seed, 120, separation, softness, latent)
    ends = climbs(model, InMemory(x), begin, Stopping(1e-9, 100), algorithms, Serial())
    for algorithm, result in ends.items():
        assert np.diff(result.trace).min(initial=0) >= -ROUNDING * abs(result.log_likelihood), algorithm
        assert result.trace[-1] == result.log_likelihood, algorithm


def the_reported_likelihood_is_that_of_the_reported_parameters(
    case: Case, latent: str = "independent", algorithms: Sequence[str] = ALGORITHMS_TRIED
) -> None:
    """By an E-step at them; and by the independent program, where the components alone make the density."""
    x, model, begin = begun(case, 1, latent=latent)
    source = InMemory(x, block_rows=97)
    for stopping in (Stopping(1e-6, 500), Stopping(0, 3)):
        for algorithm, result in climbs(model, source, begin, stopping, algorithms, Serial()).items():
            totals = score_source(model, result.parameters, source, Serial())
            assert np.isclose(totals.log_likelihood, result.log_likelihood, rtol=1e-10, atol=0), algorithm
            assert np.allclose(totals.n_effective[:K], result.weight, rtol=1e-10), algorithm
            if latent == "independent":
                document = model.to_document(result.parameters)
                joint = np.log(np.array(document["weights"]))[:, None] + case.log_density(model.family, document, x)
                independent = np.logaddexp.reduce(joint, axis=0).sum()
                assert np.isclose(independent, result.log_likelihood, rtol=1e-10, atol=0), algorithm


def a_climb_ends_where_the_likelihood_is_flat(case: Case, algorithms: Sequence[str] = ALGORITHMS_TRIED) -> None:
    x, model, begin = begun(case, 2, separation=5.0)
    source, em = InMemory(x), ALGORITHMS.load("em")()
    ends = climbs(model, source, begin, Stopping(0.01, 2000), algorithms, Serial())
    onwards = [Candidate(model, em, end.parameters, number) for number, end in enumerate(ends.values())]
    further = fit(onwards, source, Serial(), Stopping(1e-9, 2000))
    for (algorithm, end), higher in zip(ends.items(), further, strict=True):
        assert end.status is Status.CONVERGED, algorithm
        assert higher.log_likelihood - end.log_likelihood < 0.01, algorithm


def a_climb_raises_the_penalised_likelihood(case: Case, algorithms: Sequence[str] = ALGORITHMS_TRIED) -> None:
    """With the weak prior, which the family adds to the log-likelihood."""
    x, labels = case.rows(2, 90, 2.0, 2)
    model, source = replace(case.model(x, 2), prior=1.0), InMemory(x)
    begin = start(model, x, responsibilities(2, labels, 2, 0.3))
    for algorithm, result in climbs(model, source, begin, Stopping(1e-7, 4000), algorithms, Serial()).items():
        assert np.diff(result.trace).min(initial=0) >= -ROUNDING * abs(result.log_likelihood), algorithm
        alone = float(score_source(model, result.parameters, source, Serial()).log_likelihood)
        penalty = float(np.sum(model.log_prior(stack([result.parameters]))))
        assert np.isclose(result.log_likelihood, alone + penalty, rtol=1e-10, atol=0), algorithm
