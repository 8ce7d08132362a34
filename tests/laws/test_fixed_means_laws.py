"""Means that are fixed stay, and what else there is climbs, whatever the structure and the missing cells."""

import numpy as np
import pytest
from cases.gaussian import structures
from support import bound_model, climb, flattened, responsibilities, rows, start, with_gaps

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.sources.in_memory import InMemory

each_structure = pytest.mark.parametrize("covariance", structures())
each_share = pytest.mark.parametrize("share", [0.0, 0.2])
K = 3


def begun(covariance: str, share: float):
    x, labels = rows(("real",) * 3, 61, 200, 2.5)
    x = np.array([[1.0], [5.0], [0.3]]) * x
    means = np.array([[row[labels == k].mean() for row in x] for k in range(K)]) + 0.4
    x = with_gaps(x, share, 61) if share else x
    model = bound_model(Gaussian(covariance, means=means.tolist()), InMemory(x), K)
    return x, model, start(model, x, responsibilities(61, labels, K, 0.3)), means


@each_structure
@each_share
@pytest.mark.parametrize("algorithm", ["em", "lbfgs"])
def test_they_stay_and_the_likelihood_never_descends(covariance, share, algorithm):
    x, model, begin, means = begun(covariance, share)
    result = climb(model, InMemory(x), begin, Stopping(1e-8, 300), ALGORITHMS.load(algorithm)())
    assert np.allclose(model.to_document(result.parameters)["means"], means, rtol=1e-12)
    assert np.diff(result.trace).min() >= -1e-11 * abs(result.log_likelihood)


@pytest.mark.parametrize("covariance", ["diag", "spherical", "EEI", "EII"])
@each_share
def test_variances_are_those_of_the_observed_cells_about_them(covariance, share):
    x, labels = rows(("real",) * 3, 62, 200, 2.5)
    x = with_gaps(x, share, 62) if share else x
    means, r = np.zeros((K, 3)), responsibilities(62, labels, K, 0.5)
    model = bound_model(Gaussian(covariance, means=means.tolist()), InMemory(x), K)
    squares, cells = np.nan_to_num(x) ** 2 @ r.T, ~np.isnan(x) @ r.T  # (D, K)
    if covariance in ("spherical", "EII"):
        squares, cells = (np.repeat(part.sum(axis=0, keepdims=True), 3, axis=0) for part in (squares, cells))
    if covariance in ("EEI", "EII"):
        squares, cells = (np.repeat(part.sum(axis=1, keepdims=True), K, axis=1) for part in (squares, cells))
    at = start(model, x, r)
    assert np.allclose(model.family.moments(at.components)[1] ** 2, (squares / cells).T, rtol=1e-9)
    assert np.isfinite(flattened(model.to_document(at)["covariances"])).all()
