"""Known answers: the best fits found for public data sets by other programs and long searches.

`reference/references.json` holds them with their sources; its `conventions` say what the numbers mean.
"""

import json
from collections import defaultdict
from math import log

import numpy as np
import pytest
from support import REFERENCE, bound_model, find, reference_rows

from em_cli.engine.column_summary import summarize
from em_cli.engine.scoring import score_rows, totals
from em_cli.families.distributions.binomial import Binomial
from em_cli.families.distributions.poisson import Poisson
from em_cli.families.gaussian.options import Gaussian
from em_cli.sources.in_memory import InMemory

CASES = json.loads((REFERENCE / "references.json").read_text())["cases"]
PARTED_ANEW = "diabetes/gaussian/VVV/k4"  # to which a pair of components leads, one of many ways to part it
SURE = [
    case for case in CASES if (case["k"] <= 3 and case["confidence"] in ("high", "exact")) or case["id"] == PARTED_ANEW
]
MANY = [case for case in CASES if case["k"] > 3]
OF_COUNTS = {"poisson": "rates", "binomial": "probabilities"}  # and what they have for parameters
FLOOR = 0.86  # of the cases with many components that must be reached; 53 of 60 are

by_id = {"ids": lambda case: case["id"]}


def rows_of(case):
    return reference_rows(case["file"], tuple(case["columns"]))


def family_of(case):
    if case["family"] == "binomial":
        return Binomial(case["trials"])
    return Gaussian(case["covariance"]) if case["family"] == "gaussian" else Poisson()


def document_of(case):
    """The stored parameters in the shapes of our documents."""
    stored = case["params"]
    weights = np.array(stored["weights"])
    document = {"weights": weights / weights.sum()}
    if case["family"] in OF_COUNTS:
        name = OF_COUNTS[case["family"]]
        return document | {name: np.array(stored[name]).reshape(case["k"], -1)}
    covariances = np.array(stored["covariances"])
    shapes = {
        "full": covariances,
        "tied": covariances[0],
        "diag": np.diagonal(covariances, axis1=1, axis2=2),
        "spherical": covariances[:, 0, 0],
    }
    return document | {"means": stored["means"], "covariances": shapes[case["covariance"]]}


@pytest.mark.parametrize("case", CASES, **by_id)
def test_the_stored_parameters_have_the_stored_likelihood(case):
    x = rows_of(case)
    model = bound_model(family_of(case), InMemory(x), case["k"])
    sums = totals(score_rows(model, model.from_document(document_of(case)), x))
    height, p, n = float(sums.log_likelihood), model.n_parameters, x.shape[1]
    bic = p * log(n) - 2 * height
    assert height == pytest.approx(case["loglik"], abs=1e-4)
    assert p == case["n_params"]
    assert bic == pytest.approx(case["bic"], abs=1e-3)
    assert 2 * p - 2 * height == pytest.approx(case["aic"], abs=1e-3)
    if case["icl_map"] is not None:
        assert bic - 2 * float(sums.log_largest) == pytest.approx(case["icl_map"], abs=1e-3)


@pytest.mark.parametrize("case", SURE, **by_id)
def test_the_default_search_reaches_the_reference(case):
    fitted = find(family_of(case), rows_of(case), [case["k"]])[0]
    assert fitted.chosen is not None, fitted.failure
    gap, tolerance = case["loglik"] - fitted.chosen.log_likelihood, case["tolerance"]["loglik_abs"]
    assert gap <= tolerance, "a worse optimum, or stopped too early"
    assert gap >= -tolerance, "the reference is beaten: is a component degenerate?"
    assert not any(fitted.degeneracies)
    assert fitted.chosen.candidate.model.n_parameters == case["n_params"]


@pytest.mark.parametrize("case", [c for c in SURE if c["k"] > 1 and "params_rel" in c["tolerance"]], **by_id)
def test_moments_at_the_reference_are_those_stored(case):
    """Of the components, in the order of the reference."""
    x = rows_of(case)
    model = bound_model(family_of(case), InMemory(x), case["k"])
    document = document_of(case)
    mean, sd = model.family.moments(model.from_document(document).components)
    if case["family"] in OF_COUNTS:
        assert np.allclose(mean, case.get("trials", 1) * document[OF_COUNTS[case["family"]]], rtol=1e-9)
    else:
        assert np.allclose(mean, document["means"], rtol=1e-9)
        assert np.allclose(sd**2, np.diagonal(case["params"]["covariances"], axis1=1, axis2=2), rtol=1e-9)
    assert (np.abs(mean - summarize(InMemory(x)).mean[None]) <= summarize(InMemory(x)).largest).all()


def test_most_fits_with_many_components_are_reached(capsys):
    by_model = defaultdict(list)
    for case in MANY:
        by_model[case["file"], tuple(case["columns"]), case["family"], case["covariance"]].append(case)
    missed, beaten = [], []
    for cases in by_model.values():
        for case, fitted in zip(
            cases, find(family_of(cases[0]), rows_of(cases[0]), [c["k"] for c in cases]), strict=True
        ):
            sound = fitted.chosen is not None and not any(fitted.degeneracies)
            height = fitted.chosen.log_likelihood if fitted.chosen and sound else float("-inf")
            gap, tolerance = case["loglik"] - height, case["tolerance"]["loglik_abs"]
            if gap > tolerance:
                missed.append(f"{case['id']} by {gap:.3g}")
            elif gap < -tolerance:
                sizes = ", ".join(f"{size:.1f}" for size in sorted(fitted.chosen.weight))
                beaten.append(f"{case['id']} by {-gap:.3g}, with components of {sizes} rows")
    reached = 1 - len(missed) / len(MANY)
    with capsys.disabled():
        print(f"\nreference fits with K > 3: {len(MANY) - len(missed)} of {len(MANY)} reached")  # noqa: T201
        print(*(f"  missed: {line}" for line in missed), *(f"  beaten: {line}" for line in beaten), sep="\n")  # noqa: T201
    assert reached >= FLOOR
