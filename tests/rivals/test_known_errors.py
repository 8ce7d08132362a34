"""Known standard errors: of fits of public data sets, by a Hessian in extended precision."""

import csv
import json

import numpy as np
import pytest
from support import REFERENCE, bound_model, climb, reference_rows

from em_cli.algorithms.lbfgs import LBFGS
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.stopping import Stopping
from em_cli.families.distributions.binomial import Binomial
from em_cli.families.distributions.categorical import Categorical
from em_cli.families.distributions.poisson import Poisson
from em_cli.families.gaussian.options import Gaussian
from em_cli.families.student_t.options import StudentT
from em_cli.inference.intervals import at_bound
from em_cli.inference.standard_errors import StandardErrors, standard_errors
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory

KNOWN = json.loads((REFERENCE / "inference.json").read_text())
TO_THE_END = Stopping(1e-9, 500)


def rows_of(case):
    if "levels" not in case:
        return reference_rows(case["file"], tuple(case["columns"]))
    with (REFERENCE / "data" / case["file"]).open(newline="") as lines:
        table = list(csv.DictReader(lines))
    return np.array([[float(levels.index(row[name])) for row in table] for name, levels in case["levels"].items()])


def family_of(case):
    return {
        "gaussian": lambda: Gaussian(case["covariance"]),
        "student_t": lambda: StudentT("full", case["dof"]),
        "poisson": Poisson,
        "binomial": lambda: Binomial(case["trials"]),
        "categorical": lambda: Categorical(tuple(map(len, case["levels"].values()))),
    }[case["family"]]()


@pytest.mark.parametrize("case", KNOWN["cases"], ids=lambda case: case["id"])
def test_standard_errors_are_the_known_ones(case):
    source = InMemory(rows_of(case))
    model = bound_model(family_of(case), source, case["k"])
    end = climb(model, source, model.from_document(case["params"]), TO_THE_END, LBFGS())
    assert end.log_likelihood == pytest.approx(case["loglik"], abs=1e-5)
    found = standard_errors(model, end.parameters, end.weight, source, Serial())
    assert isinstance(found, StandardErrors)
    places = {name: place for place, name in enumerate(found.names)}
    known = np.array(list(case["standard_errors"].values()))
    own = [places[name] for name in case["standard_errors"]]
    for kind, errors in enumerate((found.observed, found.robust)):
        assert errors[own] == pytest.approx(known[:, kind], rel=KNOWN["tolerance"])
    without = {name for name, error in zip(found.names, found.observed, strict=True) if np.isnan(error)}
    assert without == set(found.without) == set(case.get("without", ())), "what is given, or a probability at its end"


def test_a_probability_that_climbs_to_its_end_has_none_though_it_is_not_there():
    """Nor has it an interval: at 1e-6, which is less than a hundredth of a row."""
    case = next(case for case in KNOWN["cases"] if case["id"].startswith("titanic"))
    source = InMemory(rows_of(case))
    model = bound_model(family_of(case), source, case["k"])
    near = json.loads(json.dumps(case["params"]))
    near["probabilities"][0][1] = [1e-6, 1 - 1e-6]
    at = model.from_document(near)
    found = standard_errors(model, at, np.array(near["weights"]) * source.n_rows, source, Serial())
    assert isinstance(found, StandardErrors)
    assert {"probabilities[1][2][1]", "probabilities[1][2][2]"} <= set(found.without)
    assert found.observed[found.names.index("probabilities[2][2][1]")] > 0
    assert at_bound(Quantity.PROBABILITY, 1e-6, 0.002) and not at_bound(Quantity.PROBABILITY, 1e-3, 1e-3)
