"""Regressions of which some coefficients are common to all components."""

import csv
import json

import numpy as np
import pytest
from program import em
from scipy import optimize, stats


@pytest.fixture(scope="module")
def crossing(tmp_path_factory):
    """Two lines along x1, and what x2 and soil add to both; counts likewise."""
    folder, rng = tmp_path_factory.mktemp("crossing"), np.random.default_rng(1)
    x1, x2 = rng.normal(size=(2, 200))
    kind, soil = rng.integers(2, size=200), rng.integers(3, size=200)
    y = np.where(kind, 2 + 1.5 * x1, -1 - x1) + 0.7 * x2 + np.where(kind, 0.5, 1.0) * rng.normal(size=200)
    counts = rng.poisson(np.exp(np.where(kind, 1.5 + 0.5 * x1, -0.3 - 0.3 * x1) + 0.4 * x2))
    lines = [f"{a:.4f},{b:.4f},{c:.4f},{d},{'abc'[s]}" for a, b, c, d, s in zip(x1, x2, y, counts, soil, strict=True)]
    (folder / "crossing.csv").write_text("\n".join(["x1,x2,y,n,soil", *lines]) + "\n")
    return folder


def test_common_coefficients_are_those_of_greatest_likelihood(crossing):
    """Of normal errors by a general maximiser, from the end of the fit and from beside it.

    flexmix 2.3-18 ends at -324.4501, for it does not weigh rows by the variances of the components.
    """
    em("fit", "crossing.csv", "-k", "2", "--response", "y", "--on", "x1,x2", "--common", "x2", "-q", "-o", "c.em",
       "--type", "y=numeric", cwd=crossing)  # fmt: skip
    document = json.loads((crossing / "c.em/params.json").read_text())
    assert document["design"] == ["intercept", "x1", "x2"] and document["common_design"] == ["x2"]
    assert document["n_parameters"] == 1 + 2 * 3 + 1
    x1, x2, y = np.loadtxt(crossing / "crossing.csv", delimiter=",", skiprows=1, usecols=(0, 1, 2)).T

    def negative(at):
        weights = np.array([at[0], 1 - at[0]])
        means = np.outer(at[1:3], np.ones(200)) + np.outer(at[3:5], x1) + at[5] * x2
        return -np.log(weights @ stats.norm(means, np.exp(at[6:8])[:, None]).pdf(y)).sum()

    own = np.array(document["coefficients"])
    assert own[0, 2] == own[1, 2]
    found = np.concatenate([document["weights"][:1], own[:, 0], own[:, 1], own[:1, 2], np.log(document["sigma"])])
    assert -negative(found) == pytest.approx(document["log_likelihood"], rel=1e-10)
    for begin in (found, found + 0.1):
        best = optimize.minimize(negative, begin, method="L-BFGS-B", bounds=[(0.01, 0.99)] + [(None, None)] * 7)
        assert -best.fun == pytest.approx(document["log_likelihood"], abs=1e-4)
    curvature = [(negative(found + h) - 2 * negative(found) + negative(found - h)) / 1e-6
                 for h in 1e-3 * np.eye(8)[5:6]]  # fmt: skip
    errors = np.array(document["standard_errors"]["observed"]["coefficients"])
    assert errors[0, 2] == errors[1, 2] > curvature[0] ** -0.5
    table = list(csv.DictReader((crossing / "c.em/coefficients.csv").read_text().splitlines()))
    assert [(row["component"], row["term"]) for row in table] == [
        ("1", "intercept"), ("1", "x1"), ("2", "intercept"), ("2", "x1"), ("all", "x2")
    ]  # fmt: skip
    assert float(table[-1]["estimate"]) == own[0, 2] and float(table[-1]["standard_error"]) == errors[0, 2]
    assert "x2 (all)" in em("show", "c.em", cwd=crossing).out


def test_common_levels_of_counts_and_what_cannot_be_common(crossing):
    """flexmix 2.3-18 (FLXMRglmfix) ends at -408.0483773 with 0.3656456."""
    options = ("-k", "2", "--response", "n", "--type", "n=poisson", "--json", "-q")
    found = json.loads(em("fit", "crossing.csv", *options, "--on", "x1", "--common", "x2", cwd=crossing).out)
    assert found["log_likelihood"] == pytest.approx(-408.0483773, abs=1e-3) and found["n_parameters"] == 6
    assert found["coefficients"][0][2] == pytest.approx(0.3656456, abs=2e-3)
    wider = json.loads(em("fit", "crossing.csv", *options, "--common", "x2,soil", cwd=crossing).out)
    assert wider["common_design"] == ["x2", "soil=b", "soil=c"] and wider["n_parameters"] == 1 + 2 + 3
    alone = em("fit", "crossing.csv", "-k", "2", "--common", "x2", cwd=crossing, status=2)
    assert "--response" in alone.err
    for common, status, words in (("x2,x2", 2, "--common names 'x2' twice"), ("x3", 3, "'x3'")):
        refused = em("fit", "crossing.csv", *options, "--common", common, cwd=crossing, status=status)
        assert words in refused.err
    edited = found | {"coefficients": [[0, 0, 1], [0, 0, 2]]}
    (crossing / "edited.json").write_text(json.dumps(edited))
    assert "common to all components" in em("predict", "edited.json", "crossing.csv", cwd=crossing, status=3).err
