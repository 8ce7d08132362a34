"""Sums over rows of models whose E-steps are told by linear predictors."""

from __future__ import annotations

import numpy as np
import pytest
from support import bound_model

from em_cli.engine.rows import Block
from em_cli.families.regression.options import Regression
from em_cli.latents.concomitant import Concomitant, LogitParameters
from em_cli.sources.in_memory import InMemory

COUNTS = ["poisson", "binomial", "gamma", "negative_binomial"]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [1, 2, 4])
def test_slopes_and_curvatures_of_mixing_weights_are_derivatives(k, weighted):
    rng = np.random.default_rng(k)
    n, step = 150, 1e-4
    x = np.stack([rng.normal(3, 2, n), rng.integers(0, 3, n).astype(float)])
    x[0, :9] = np.nan
    latent = Concomitant(("z", "w"), (0, 1), ((), ("a", "b", "c")), (3.0, 0.0), (2.0, 1.0))
    weights = rng.uniform(0.5, 2, n) if weighted else None
    logits = rng.normal(size=(2, k, len(latent.terms)))
    r = rng.dirichlet(np.ones(k), (2, n)).swapaxes(1, 2) * (1.0 if weights is None else weights)

    def height(own):  # (2,) of the labels
        return (r * latent.log_weights(LogitParameters(np.ones((2, k)) / k, own), x)).sum(axis=(1, 2))

    q = logits.shape[2]
    log_weights = latent.log_weights(LogitParameters(np.ones((2, k)) / k, logits), x)
    found = latent.tallied(r, log_weights, x, weights)
    curved = found[..., q:].reshape(2, k, k, q, q)
    for a in range(k):
        for i in range(q):
            moved = np.zeros_like(logits)
            moved[:, a, i] = step
            slope = (height(logits + moved) - height(logits - moved)) / (2 * step)
            np.testing.assert_allclose(found[:, a, i], slope, atol=1e-6 * n)
            up, down = (
                latent.tallied(r, latent.log_weights(LogitParameters(np.ones((2, k)), own), x), x, weights)[..., :q]
                for own in (logits + moved, logits - moved)
            )
            np.testing.assert_allclose(curved[:, a, :, i], (down - up) / (2 * step), atol=1e-6 * n)


@pytest.mark.parametrize("law", COUNTS)
def test_sums_of_a_regression_are_those_of_its_rows_and_parameters_whatever_was_computed_before(law):
    rng = np.random.default_rng(3)
    y = rng.gamma(2.0, 2.0, 80) if law == "gamma" else rng.integers(0, 6, 80).astype(float)
    x = np.stack([y, rng.normal(size=80)])
    trials = 6 if law == "binomial" else None
    model = bound_model(Regression("y", law, ("x",), (), None, trials, ("y", "x"), ((), ())), InMemory(x), 2)
    family, r = model.family, rng.dirichlet(np.ones(2), 80).T[None]
    at = [model.start(Block(0, x), rng.dirichlet(np.ones(2), 80).T).components for _ in range(2)]
    rows = [x, x[:, ::-1].copy()]
    parts = []
    for own in rows:
        features = np.empty((family.n_features(), 80))
        family.features(own, features)
        parts.append(features)
    here, other = (type(one)(*(getattr(one, name)[None] for name in one.__slots__)) for one in at)
    fresh = family.statistics(parts[0], r, here)
    offset, out = np.zeros((1, 2)), np.empty((1, 2, 80))
    for features, parameters in [(parts[0], here), (parts[0], other), (parts[1], here), (parts[1], other)]:
        family.log_density(features, parameters, offset, out)
        assert np.array_equal(family.statistics(parts[0], r, here), fresh)
