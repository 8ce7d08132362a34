"""Conjugate priors: the posterior is of the prior's form, and log Z tells the evidence and the expectations."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from em_cli.engine.conjugate import ConjugatePrior
from em_cli.errors import UsageError
from em_cli.latents.dirichlet import Dirichlet

COUNTS = np.array([[3.0, 0.0, 5.0], [40.0, 7.0, 1.0]])
PRIORS: list[ConjugatePrior] = [Dirichlet(concentration) for concentration in (0.5, 1.0, 4.0)]
each_prior = pytest.mark.parametrize("prior", PRIORS, ids=repr)


@each_prior
def test_the_gradient_of_the_log_normaliser_is_the_expectation(prior):
    at, step = prior.statistics(3) + COUNTS, 1e-5
    slopes = [
        (prior.log_normaliser(at + move) - prior.log_normaliser(at - move)) / (2 * step) for move in step * np.eye(3)
    ]
    assert np.allclose(np.stack(slopes, axis=-1), prior.expected_natural(at), rtol=1e-7)


@each_prior
def test_the_evidence_is_a_ratio_of_normalisers(prior):
    """That of counts with a multinomial law, by scipy."""
    own = prior.statistics(3)
    evidence = prior.log_normaliser(own + COUNTS) - prior.log_normaliser(own)
    ways = gammaln(COUNTS.sum(axis=1) + 1) - gammaln(COUNTS + 1).sum(axis=1)
    law = stats.dirichlet_multinomial(own + 1, COUNTS.sum(axis=1).astype(int))
    assert np.allclose(evidence + ways, law.logpmf(COUNTS.astype(int)), rtol=1e-12)


@each_prior
def test_the_expectation_is_that_of_draws(prior):
    at = prior.statistics(3) + COUNTS[1]
    draws = np.log(np.random.default_rng(1).dirichlet(at + 1, 200_000))
    error = draws.std(axis=0) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - prior.expected_natural(at)) < 5 * error).all()


def test_a_concentration_is_positive():
    with pytest.raises(UsageError, match="above 0"):
        Dirichlet(0.0)
