"""All covariance structures: the best fits that mclust, other programs and long searches found on public data.

mclust's own M-step of VVE stops below the maximum; these values have zero gradient.
"""

import json
from math import log

import pytest
from support import REFERENCE, find, reference_rows

from em_cli.families.covariances import COVARIANCES
from em_cli.families.gaussian.options import Gaussian

TABLES = json.loads((REFERENCE / "gaussian_tables.json").read_text())["tables"]
TOLERANCE = 0.02  # nats
NAMES = {name: name for name in COVARIANCES} | {"E": "EII", "V": "VII"}  # two in one dimension
LARGEST = {"faithful": 3, "iris": 3, "galaxies": 4}  # K that is searched for
PARTS = [(data, model) for data in LARGEST for model in dict.fromkeys(f["model"] for f in TABLES[data]["fits"])]


@pytest.mark.parametrize("data", TABLES)
def test_parameters_are_counted_as_in_the_literature(data):
    d = len(TABLES[data]["columns"])
    for fit in TABLES[data]["fits"]:
        k, letters = fit["k"], COVARIANCES.load(NAMES[fit["model"]]).letters
        assert k - 1 + k * d + letters.n_parameters(k, d) == fit["n_params"], fit
        assert letters.mclust[d > 1] == fit["model"]


@pytest.mark.parametrize(("data", "model"), PARTS)
def test_the_default_search_reaches_the_table(data, model):
    """Or something better, none of whose components is degenerate."""
    x = reference_rows(TABLES[data]["file"], tuple(TABLES[data]["columns"]))
    fits = [fit for fit in TABLES[data]["fits"] if fit["model"] == model and fit["k"] <= LARGEST[data]]
    for fit, fitted in zip(fits, find(Gaussian(NAMES[model]), x, [fit["k"] for fit in fits]), strict=True):
        assert fitted.chosen is not None, fitted.failure
        assert not any(fitted.degeneracies)
        assert fitted.chosen.log_likelihood >= fit["loglik"] - TOLERANCE, fit
        p = fitted.chosen.candidate.model.n_parameters
        assert p * log(x.shape[1]) - 2 * fitted.chosen.log_likelihood <= fit["bic"] + 2 * TOLERANCE
