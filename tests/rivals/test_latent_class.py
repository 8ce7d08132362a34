"""Known answers: the best latent class models found for public data sets by other programs and long searches."""

import csv
import json
from math import log

import numpy as np
import pytest
from support import REFERENCE, bound_model, default_plan, find

from em_cli.engine.scoring import score_rows, totals
from em_cli.families.distributions.bernoulli import Bernoulli
from em_cli.families.distributions.categorical import Categorical
from em_cli.runners.serial import Serial
from em_cli.search.search import Task, search
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory

CASES = json.loads((REFERENCE / "latent_class.json").read_text())["cases"]
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])


def table(file):
    with (REFERENCE / "data" / file).open(newline="") as lines:
        return list(csv.DictReader(lines))


def codes(case, rows):
    """(D, n)."""
    return np.array([[float(levels.index(row[name])) for row in rows] for name, levels in case["levels"].items()])


def family_of(case):
    return Categorical(tuple(map(len, case["levels"].values())))


def document_of(case):
    """The stored parameters in the shape of our documents."""
    by_item = case["params"]["item_probabilities"]
    probabilities = [[by_item[name][k] for name in case["levels"]] for k in range(case["k"])]
    shares = np.array(case["params"]["weights"])
    return {"weights": shares / shares.sum(), "probabilities": probabilities}


@each
def test_the_stored_parameters_have_the_stored_likelihood(case):
    x = codes(case, table(case["file"]))
    model = bound_model(family_of(case), InMemory(x), case["k"])
    sums = totals(score_rows(model, model.from_document(document_of(case)), x))
    bic = model.n_parameters * log(x.shape[1]) - 2 * float(sums.log_likelihood)
    assert float(sums.log_likelihood) == pytest.approx(case["loglik"], abs=1e-4)
    assert model.n_parameters == case["n_params"]
    assert bic == pytest.approx(case["bic"], abs=1e-3)
    assert bic - 2 * float(sums.log_largest) == pytest.approx(case["icl_map"], abs=1e-3)


@each
def test_the_default_search_reaches_the_reference(case):
    x, families = codes(case, table(case["file"])), [family_of(case)]
    if all(len(levels) == 2 for levels in case["levels"].values()):
        families.append(Bernoulli())
    for family in families:
        chosen = find(family, x, [case["k"]])[0].chosen
        assert chosen.log_likelihood == pytest.approx(case["loglik"], abs=case["tolerance"]["loglik_abs"])


@pytest.mark.parametrize("case", [c for c in CASES if c["file"] == "titanic.csv"], ids=lambda case: case["id"])
def test_a_frequency_table_is_as_good_as_rows(case):
    rows = [row for row in table("titanic_freq.csv") if float(row["freq"]) > 0]
    source = InMemory(codes(case, rows), np.array([float(row["freq"]) for row in rows]))
    model = bound_model(family_of(case), source, case["k"])
    chosen = search([Task("titanic", model)], survey(source), Serial(), default_plan())[0].chosen
    assert chosen.log_likelihood == pytest.approx(case["loglik"], abs=case["tolerance"]["loglik_abs"])
