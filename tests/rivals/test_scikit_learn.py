"""From the same start, scikit-learn's E and M steps take the same way."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky
from support import bound_model, climb, reference_rows, responsibilities, rows, start

from em_cli.engine.stopping import Stopping
from em_cli.families.covariances import COVARIANCES
from em_cli.families.gaussian.options import Gaussian
from em_cli.sources.in_memory import InMemory
from em_cli.starts.kmeans import KMeans

STEPS = 40
KNOWN = ("full", "tied", "diag", "spherical")
DATA = {
    "faithful": lambda: reference_rows("faithful.csv", ("eruptions", "waiting")),
    "iris": lambda: reference_rows("iris.csv", ("sepal_length", "sepal_width", "petal_length", "petal_width")),
    "diabetes": lambda: reference_rows("diabetes.csv", ("glucose", "insulin", "sspg")),
    "galaxies": lambda: reference_rows("galaxies.csv", ("velocity",)),
    "ten columns": lambda: rows(("real",) * 10, 31, 2000, 2.0)[0],
    "many rows": lambda: rows(("real",) * 2, 32, 20_000, 1.5)[0],
}


def theirs(x, covariance, document):
    """The log-likelihoods of their iterates, and where they end."""
    mixture = GaussianMixture(len(document["weights"]), covariance_type=covariance, reg_covar=0)
    mixture.weights_ = np.array(document["weights"])
    mixture.means_ = np.array(document["means"])
    mixture.covariances_ = np.array(document["covariances"])
    mixture.precisions_cholesky_ = _compute_precision_cholesky(mixture.covariances_, covariance)
    trace = []
    for _ in range(STEPS):
        mean, log_responsibilities = mixture._e_step(x.T)
        trace.append(float(mean) * x.shape[1])
        end = {"weights": mixture.weights_, "means": mixture.means_, "covariances": mixture.covariances_}
        if len(trace) < STEPS:
            mixture._m_step(x.T, log_responsibilities)
    return trace, end, mixture


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("covariance", KNOWN)
@pytest.mark.parametrize("name", DATA)
def test_the_same_way_from_the_same_start(name, covariance, k):
    x = DATA[name]()
    model = bound_model(Gaussian(covariance), InMemory(x), k)
    labels = KMeans().labels(model.family.embedding(x), k, (0, k))
    begin = start(model, x, responsibilities(0, labels, k, 0.3))
    result = climb(model, InMemory(x), begin, Stopping(0, STEPS))
    trace, end, mixture = theirs(x, covariance, model.to_document(begin))
    assert np.allclose(result.trace, trace[: len(result.trace)], rtol=1e-9)
    assert len(result.trace) == STEPS or np.ptp(trace[len(result.trace) :]) < 1e-9 * abs(trace[-1])
    ours = model.to_document(result.parameters)
    for field, numbers in end.items():
        scale = np.abs(numbers).max()
        assert np.allclose(ours[field], numbers, rtol=1e-6, atol=1e-6 * scale), field
    assert model.n_parameters == mixture._n_parameters()


def test_the_names_of_the_structures_are_theirs():
    assert set(KNOWN) == set(COVARIANCES.aliases)
