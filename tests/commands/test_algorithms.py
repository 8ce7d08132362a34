"""Algorithms as they are chosen: what is told of their ends, and what is refused."""

import csv
import json

import numpy as np
import pytest
from program import SAMPLES, em
from sklearn.cluster import KMeans

IRIS = (SAMPLES / "iris.csv", "--exclude", "species", "-k", "3")
KMEANS = ("--algorithm", "cem", "--covariance", "EII", "--set", "mixing_weights=equal")


@pytest.fixture(scope="module")
def kmeans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cem")
    said = em("fit", *IRIS, *KMEANS, "--restarts", "6", "--out", "r.em", "--format", "human", cwd=folder).out
    return folder, said, json.loads((folder / "r.em" / "params.json").read_text())


def test_cem_with_equal_spheres_reaches_the_inertia_of_k_means(kmeans):
    _, said, found = kmeans
    x = np.genfromtxt(SAMPLES / "iris.csv", delimiter=",", skip_header=1)[:, :4]
    best = KMeans(3, n_init=10, tol=0, algorithm="lloyd", random_state=0).fit(x)
    assert found["inertia"] == pytest.approx(best.inertia_, rel=1e-9)
    assert np.allclose(sorted(found["means"]), sorted(best.cluster_centers_.tolist()), rtol=1e-9)
    assert "inertia 78.851" in said and "no row would move" in said and "BIC" not in said


def test_what_does_not_maximise_the_likelihood_tells_no_bic_unless_asked(kmeans):
    folder, _, found = kmeans
    assert found["objective"] == "classification" and found["converged"] and found["remaining_estimate"] == 0
    assert found["bic"] is found["aic"] is found["bic_mclust"] is None
    classified = found["classification_log_likelihood"]
    assert classified < found["log_likelihood"]
    n, p = found["n_samples"], found["n_parameters"]
    assert found["icl"] == pytest.approx(-2 * classified + p * np.log(n))
    assert found["standard_errors"]["reported"] is None
    asked = em("fit", *IRIS, *KMEANS, "--restarts", "1", "--set", "criterion=bic", "--json", cwd=folder).out
    asked = json.loads(asked)
    assert asked["bic"] == pytest.approx(-2 * asked["log_likelihood"] + p * np.log(n)) and asked["aic"] is None


def test_the_trace_names_what_is_climbed(kmeans):
    folder, _, found = kmeans
    with (folder / "r.em" / "trace.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["objective"] for row in rows} == {"classification"}
    assert max(float(row["value"]) for row in rows) == pytest.approx(found["classification_log_likelihood"])
    for number in {row["candidate"] for row in rows}:
        values = [float(row["value"]) for row in rows if row["candidate"] == number]
        assert np.diff(values).min(initial=0) >= 0
    assert "no row moves" in json.loads((folder / "r.em" / "manifest.json").read_text())["stopping"]["rule"]
    em("report", "r.em", "--force", cwd=folder)
    assert "classification log-likelihood" in (folder / "r.em" / "report.html").read_text().lower()


def test_a_sweep_of_classifications_is_compared_by_icl(tmp_path):
    sweep = em(
        "select", *IRIS[:-2], "--k-range", "1-3", "--algorithm", "cem", "--restarts", "4", "--json", cwd=tmp_path
    )
    found = json.loads(sweep.out)
    assert found["criterion"] == "icl"
    assert all(row["bic"] is None and row["icl"] is not None for row in found["selection"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--se", "observed"), "--se observed is about maxima of the likelihood"),
        (("--other-families",), "compares by BIC, which --algorithm cem does not lower"),
        (("--latent", "markov"), "assigns every row by itself"),
        (("--set", "search.algorithm.memory=3"), "has no option 'memory'"),
    ],
)
def test_what_makes_no_sense_with_cem_is_refused(options, words, tmp_path):
    refused = em("fit", *IRIS, "--algorithm", "cem", *options, cwd=tmp_path, status=2)
    assert words in " ".join(refused.err.split()) and refused.out == ""
    if options[0] != "--set":
        assert "lbfgs" in refused.err


def test_refits_of_what_is_no_maximum_are_refused(kmeans):
    folder, *_ = kmeans
    for command in ("bootstrap", "test"):
        assert "classification" in em(command, "r.em", cwd=folder, status=2).err
