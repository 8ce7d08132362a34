"""Hidden Markov models: the best fits that other programs and long searches have found."""

import json
from pathlib import Path

import pytest
from program import em

REFERENCE = Path(__file__).parents[1] / "reference"
CASES = json.loads((REFERENCE / "markov.json").read_text("utf-8"))["cases"]
CHAIN = {"stationary": "latent.initial=stationary", "left_right": "latent.transitions=left-right"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_best_known_fit_is_found(case, tmp_path):
    chain = [option for name, value in CHAIN.items() if name in case["id"] for option in ("--set", value)]
    file, columns = REFERENCE / "data" / case["file"], ",".join(case["columns"])
    family = "poisson" if "poisson" in case["family"] else "gaussian"
    options = [
        "--columns",
        columns,
        "--family",
        family,
        "--latent",
        "markov",
        "--json",
        "-q",
        "--set",
        "search.tol=0.001",
        *chain,
    ]
    if "left_right" not in case["id"]:
        options += ["--effort", "low"]
    found = json.loads(em("fit", file, "-k", case["k"], *options, cwd=tmp_path).out)
    assert found["log_likelihood"] >= case["loglik"] - 0.01
    assert found["log_likelihood"] <= case["loglik"] + 0.01
    assert found["n_parameters"] == case["n_params"]
    law = case["params"]["transition"]
    assert sorted(law[i][i] for i in range(case["k"])) == pytest.approx(
        sorted(found["transmat"][i][i] for i in range(case["k"])), abs=0.02
    )
