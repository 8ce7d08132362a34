"""Factor analysers and principal components: one component is scikit-learn's, and many columns are no trouble."""

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA, FactorAnalysis
from support import bound_model, climb, responsibilities, start, with_gaps

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.scoring import score_rows
from em_cli.engine.stopping import Status, Stopping
from em_cli.errors import DataError, UsageError
from em_cli.families.factor_analyzers.options import FactorAnalyzers
from em_cli.families.factor_analyzers.ppca import Ppca
from em_cli.families.gaussian.options import Gaussian
from em_cli.sources.in_memory import InMemory

SHAPES = [(6, 2, 300), (30, 4, 500)]  # columns, factors, rows


def driven(d, q, n, groups=1, seed=81):
    """Rows (D, n) of groups with factors of their own, and the group of each."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(groups, size=n)
    loadings, centres = rng.standard_normal((groups, d, q)), rng.standard_normal((groups, d))
    noise = rng.standard_normal((n, d)) * rng.uniform(0.3, 1, d)
    x = 2 * centres[labels] + np.einsum("ndq,nq->nd", loadings[labels], rng.standard_normal((n, q))) + noise
    return np.ascontiguousarray(x.T) + 5, labels


def ended(family, x, r=None, stopping=None):
    r = np.ones((1, x.shape[1])) if r is None else r
    model = bound_model(family, InMemory(x), len(r))
    stopping = stopping or Stopping(1e-9, 5000)
    return climb(model, InMemory(x), start(model, x, r), stopping, ALGORITHMS.load("lbfgs")())


@pytest.mark.parametrize(("d", "q", "n"), SHAPES)
def test_one_component_is_factor_analysis(d, q, n):
    x, _ = driven(d, q, n)
    theirs = FactorAnalysis(q, tol=1e-12, max_iter=100_000, svd_method="lapack").fit(x.T)
    assert ended(FactorAnalyzers(q), x).log_likelihood == pytest.approx(theirs.score_samples(x.T).sum(), rel=1e-9)


@pytest.mark.parametrize(("d", "q", "n"), SHAPES)
def test_one_component_is_principal_components(d, q, n):
    """Whose noise variance scikit-learn estimates with n − 1 in place of n."""
    x, _ = driven(d, q, n)
    theirs = PCA(q).fit(x.T)
    covariance = theirs.get_covariance() * (n - 1) / n
    expected = stats.multivariate_normal(theirs.mean_, covariance).logpdf(x.T).sum()
    assert ended(Ppca(q), x).log_likelihood == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("family", [FactorAnalyzers(3), Ppca(3)], ids=["diag", "isotropic"])
def test_many_columns(family):
    """More than a component has rows."""
    x, labels = driven(400, 3, 600, groups=3)
    result = ended(family, x, responsibilities(82, labels, 3, 0.3), Stopping(0.01, 500))
    assert result.status is Status.CONVERGED
    assert np.diff(result.trace).min() >= -1e-11 * abs(result.log_likelihood)
    assert np.abs(result.weight - np.bincount(labels)).max() < 5
    assert not any(result.candidate.model.family.degenerate(result.parameters.components, result.weight))


def test_many_columns_with_missing_cells():
    """Every row lacks others: no matrix is as large as a covariance, and the groups are found all the same."""
    x, labels = driven(150, 3, 600, groups=3)
    x[np.random.default_rng(83).random(x.shape) < 0.1] = np.nan
    result = ended(FactorAnalyzers(3), x, responsibilities(82, labels, 3, 0.3), Stopping(0.01, 500))
    assert result.status is Status.CONVERGED
    assert np.abs(result.weight - np.bincount(labels)).max() < 5


@pytest.mark.parametrize("family", [FactorAnalyzers(2), Ppca(2)], ids=["diag", "isotropic"])
def test_missing_cells_are_those_of_the_normal_distribution(family):
    """With the same covariance, which says nothing of factors."""
    x, labels = driven(5, 2, 200, groups=2)
    x = with_gaps(x, 0.3, 84)
    model, full = (bound_model(each, InMemory(x), 2) for each in (family, Gaussian("full")))
    at = start(model, x, responsibilities(84, labels, 2, 0.3))
    document = model.to_document(at)
    noise = np.array(document["noise_variances"]).reshape(2, -1)[:, :, None] * np.eye(5)
    loadings = np.array(document["loadings"])
    normal = full.from_document(document | {"covariances": loadings @ np.swapaxes(loadings, 1, 2) + noise})
    r = score_rows(full, normal, x).responsibilities
    assert np.allclose(score_rows(model, at, x).responsibilities, r, rtol=1e-9, atol=1e-12)
    expected = full.family.completing.complete(x, normal.components, r)
    assert np.allclose(model.family.completing.complete(x, at.components, r), expected, rtol=1e-9)
    drawn, others = (
        np.stack(
            [m.family.completing.draw(x, p.components, labels, np.random.default_rng(seed)) for seed in range(500)]
        )
        for m, p in ((model, at), (full, normal))
    )
    missing = np.isnan(x)
    for mine, its in ((drawn, others), (drawn[:, 0] * drawn[:, 1], others[:, 0] * others[:, 1])):
        spread = its.std(axis=0) + mine.std(axis=0) + 1e-9
        away = np.abs(mine.mean(axis=0) - its.mean(axis=0)) / spread * np.sqrt(500)
        assert away[missing if mine.ndim == 3 else missing[0] & missing[1]].max() < 4


@pytest.mark.parametrize(("n_factors", "noise"), [(0, "diag"), (-1, "diag"), (1, "full")])
def test_impossible_options_are_refused(n_factors, noise):
    with pytest.raises(UsageError, match="must be"):
        FactorAnalyzers(n_factors, noise)


def test_more_factors_than_columns_are_refused():
    with pytest.raises(UsageError, match="4 factors are more than the 3 columns"):
        bound_model(FactorAnalyzers(4), InMemory(driven(3, 1, 20)[0]), 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"loadings": [[[1.0], [1.0]]]}, "'loadings' must hold 2 lists of 2 lists of 1 numbers"),
        ({"noise_variances": [1.0, 1.0]}, "'noise_variances' must hold 2 lists of 2 numbers"),
        ({"noise_variances": [[1.0, 1.0], [1.0, 0.0]]}, "not positive"),
        ({"means": [[0.0, 0.0]]}, "'means' must hold 2 lists of 2 numbers"),
    ],
)
def test_a_bad_document_is_refused(changed, message):
    model = bound_model(FactorAnalyzers(1), InMemory(driven(2, 1, 50)[0]), 2)
    loadings, noise = [[[1.0], [0.5]]] * 2, [[1.0, 2.0]] * 2
    document = {"weights": [0.5, 0.5], "means": [[0.0, 1.0]] * 2, "loadings": loadings, "noise_variances": noise}
    model.from_document(document)
    with pytest.raises(DataError, match=message):
        model.from_document(document | changed)
