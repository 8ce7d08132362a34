"""Variational fits with known lower bounds, and scikit-learn's of the same posterior."""

import json

import numpy as np
import pytest
from sklearn.mixture import BayesianGaussianMixture
from support import REFERENCE, default_plan, reference_rows

from em_cli.engine.arrays import stack
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.families.gaussian.options import Gaussian
from em_cli.families.variational.conjugate_families import conjugate_of
from em_cli.latents.approximate_weights import ApproximateWeights
from em_cli.latents.weights_priors import DirichletWeights, StickBreaking
from em_cli.runners.serial import Serial
from em_cli.search.search import Task, search
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory

CASES = json.loads((REFERENCE / "variational.json").read_text())["cases"]
PRIORS = {"dirichlet_distribution": DirichletWeights, "dirichlet_process": StickBreaking}


def model_of(case) -> tuple[Model, InMemory]:
    source = InMemory(np.array(reference_rows(case["file"], tuple(case["columns"]))))
    told = case["prior"]
    prior = {
        "mean": told["mean_prior"],
        "mean_precision": told["mean_precision_prior"],
        "degrees_of_freedom": told["degrees_of_freedom_prior"],
        "covariance": told["covariance_prior"],
    }
    conjugate = conjugate_of(Gaussian("full").bind(survey(source, 0).columns))
    assert conjugate is not None
    family = conjugate.approximated(prior)
    latent = ApproximateWeights(PRIORS[case["weight_prior"]](told["weight_concentration_prior"]))
    return Model(family, latent, case["k"]), source


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_search_reaches_the_best_bound_known(case):
    model, source = model_of(case)
    (fitted,) = search([Task("", model)], survey(source, 0), Serial(), default_plan(effort="low"))
    assert fitted.chosen is not None
    assert fitted.chosen.log_likelihood == pytest.approx(case["elbo"], abs=0.01)
    assert np.sort(fitted.chosen.weight) == pytest.approx(np.sort(case["n_k"]), abs=0.05)


@pytest.mark.parametrize("case", CASES[3:4], ids=lambda case: case["id"])
def test_the_bound_is_that_of_scikit_learn_but_for_a_constant(case):
    """At the ends of two of its climbs; its constant is of n, K, D and the priors."""
    model, source = model_of(case)
    x, told = source[0].x.T, case["prior"]
    apart = []
    for seed in range(2):
        rival = BayesianGaussianMixture(
            n_components=case["k"],
            weight_concentration_prior_type=case["weight_prior"],
            reg_covar=0.0,
            tol=1e-12,
            max_iter=1000,
            random_state=seed,
            init_params="random_from_data",
            **told,
        ).fit(x)
        counts = rival.weight_concentration_
        document = {
            "weights_posterior": {
                "weight_concentration": np.stack(counts, axis=1) if isinstance(counts, tuple) else counts
            },
            "posterior": {
                "means": rival.means_,
                "mean_precision": rival.mean_precision_,
                "degrees_of_freedom": rival.degrees_of_freedom_,
                "inverse_scale": rival.covariances_ * rival.degrees_of_freedom_[:, None, None],
            },
        }
        (found,) = one_pass([Stack(model, stack([model.from_document(document)]))], source, Serial())
        apart.append(float(found.log_likelihood[0] - rival.lower_bound_))
    assert np.ptp(apart) < 1e-5
