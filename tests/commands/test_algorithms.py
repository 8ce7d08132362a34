"""Algorithms as they are chosen: what is told of their ends, and what is refused."""

import csv
import json

import numpy as np
import pytest
from program import SAMPLES, em
from sklearn.cluster import KMeans

from em_cli.reports.trace import Trace
from em_cli.runs.read_back import read_run

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
    picture = Trace().picture(read_run(str(folder / "r.em"), rows_wanted=False), ())
    assert f"classification log-likelihood {found['classification_log_likelihood']:.3f}" in picture.title


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


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """Of EM by each rule of stopping, the number of iterations and what is said of the rule."""
    folder, found = tmp_path_factory.mktemp("stops"), {}
    for rule in ("nats", "loglik", "relative", "parameters"):
        chosen = ("--algorithm", "squarem", "--restarts", "1", "--set", f"search.stop={rule}", "--tol", "1e-4")
        em("fit", *IRIS, *chosen, "--out", f"{rule}.em", "-q", cwd=folder)
        found[rule] = json.loads((folder / f"{rule}.em" / "manifest.json").read_text())["stopping"]
    return found


def test_every_rule_of_stopping_is_met_at_its_own_end(ends):
    for rule, stopping in ends.items():
        assert stopping["tol"] == 1e-4 == stopping["rules"][rule]["tol"]
        assert stopping["rules"][rule]["met"] and stopping["rules"][rule]["value"] < 1e-4
        assert stopping["rules"]["relative"]["tol"] == (1e-4 if rule == "relative" else 1e-5)
    assert ends["relative"]["iterations"] < ends["nats"]["iterations"]
    assert ends["relative"]["rules"]["loglik"]["value"] > ends["nats"]["rules"]["loglik"]["value"]
    assert ends["nats"]["rules"]["relative"]["met"]


def test_parameters_move_by_standard_deviations_whatever_the_units(tmp_path):
    rows = [line.split(",") for line in (SAMPLES / "faithful.csv").read_text().split()]
    scaled = "\n".join([",".join(rows[0]), *(f"{float(a) * 1e6},{float(b) * 1e-3}" for a, b in rows[1:])])
    (tmp_path / "scaled.csv").write_text(scaled)
    lengths = []
    for name in (SAMPLES / "faithful.csv", "scaled.csv"):
        options = ("-k", "2", "--restarts", "1", "--set", "search.stop=parameters", "--out", "r.em", "--force", "-q")
        em("fit", name, *options, cwd=tmp_path)
        lengths.append(json.loads((tmp_path / "r.em" / "manifest.json").read_text())["stopping"])
    assert lengths[0]["tol"] == 1e-3 and lengths[0]["iterations"] == lengths[1]["iterations"]
    values = [stopping["rules"]["parameters"]["value"] for stopping in lengths]
    assert values[0] == pytest.approx(values[1], rel=1e-3)


def test_noise_that_no_row_is_taken_for_has_a_weight_that_can_be_read(tmp_path):
    em(
        "fit",
        SAMPLES / "faithful.csv",
        "-k",
        "2",
        "--noise",
        "--algorithm",
        "cem",
        "--restarts",
        "2",
        "-q",
        cwd=tmp_path,
    )
    found = json.loads((tmp_path / "faithful-k2-noise.em" / "params.json").read_text())
    assert 0 < found["noise"] < 1e-51 and found["noise_n_assigned"] == 0
    em("score", "faithful-k2-noise.em", SAMPLES / "faithful.csv", cwd=tmp_path)


def test_where_all_collapse_no_prior_is_taken_or_advised_that_the_algorithm_does_not_know(tmp_path):
    options = ("-k", "20", "--algorithm", "minibatch", "--restarts", "2")
    refused = em("fit", *IRIS[:-2], *options, cwd=tmp_path, status=5)
    said = " ".join(refused.err.split())
    assert "--prior weak" not in said and "Try --algorithm lbfgs, or --restarts 24, or a smaller -k" in said


def test_where_all_collapse_what_is_advised_has_a_fit(tmp_path):
    (tmp_path / "tied.csv").write_text("a,b\n" + "1,1\n" * 3 + "2,2\n" * 3 + "3,4\n" * 2)
    refused = em("fit", "tied.csv", "-k", 2, "--algorithm", "saem", cwd=tmp_path, status=5)
    said = " ".join(refused.err.split())
    assert said.endswith("Try --algorithm lbfgs, or -k 1, or --exclude b.") and "--restarts" not in said
    em("fit", "tied.csv", "-k", 2, "--algorithm", "lbfgs", cwd=tmp_path)


def test_what_is_no_start_is_told_before_what_does_not_go_with_one(tmp_path):
    for restarts in ((), ("--restarts", 2)):
        for name, words in (("bogus", "neither a way to start nor a file"), ("given", "--start RUN or --start FILE")):
            assert words in em("fit", *IRIS, "--start", name, *restarts, cwd=tmp_path, status=2).err


def test_climbs_of_several_runs_are_one_picture(kmeans):
    folder, _, found = kmeans
    em("fit", *IRIS, "--restarts", "1", "--algorithm", "em", "--out", "em.em", "-q", cwd=folder)
    em("fit", SAMPLES / "faithful.csv", "-k", "2", "--restarts", "1", "--out", "f.em", "-q", cwd=folder)
    said = em("plot", "r.em", "em.em", "--kind", "trace", "--out", "pictures", "--dpi", "40", cwd=folder).out
    assert (folder / "pictures" / "trace.png").stat().st_size > 1000
    assert f"r.em {found['log_likelihood']:.3f}, em.em " in " ".join(said.split()) and "CPU seconds" in said
    manifest = json.loads((folder / "em.em" / "manifest.json").read_text())
    told = manifest["stopping"]["cpu_seconds"]
    assert len(told) == manifest["stopping"]["iterations"] and told == sorted(told) and told[0] > 0
    (folder / "em.em" / "manifest.json").write_text(
        json.dumps(manifest | {"stopping": manifest["stopping"] | {"cpu_seconds": None}})
    )
    said = em("plot", "r.em", "em.em", "--kind", "trace", "--out", "untimed", "--dpi", "40", cwd=folder).out
    assert "em.em does not tell them" in " ".join(said.split())
    for arguments, words in (
        (("r.em", "f.em", "--out", "p"), "f.em is of other rows or columns than r.em"),
        (("r.em", "em.em"), "say by --out where to"),
        (("r.em", "em.em", "--columns", "petal_width", "--out", "p"), "it shows no columns"),
    ):
        assert words in " ".join(em("plot", *arguments, "--kind", "trace", cwd=folder, status=2).err.split())


def test_refits_of_what_is_no_maximum_are_refused(kmeans):
    folder, *_ = kmeans
    for command in ("bootstrap", "test"):
        assert "classification" in em(command, "r.em", cwd=folder, status=2).err


@pytest.mark.parametrize("algorithm", ["em", "squarem", "lbfgs", "cem"])
def test_a_finish_is_of_algorithms_that_have_one(algorithm, tmp_path):
    fit = ("fit", SAMPLES / "faithful.csv", "-k", 2, "--restarts", 1, "--finish", "lbfgs", "--algorithm")
    refused = em(*fit, algorithm, cwd=tmp_path, status=2).err
    able = refused.partition("--algorithm ")[2].partition(";")[0].split(", ")
    assert able and algorithm not in able and "Leave it out" in refused
    for name in able if algorithm == "em" else ():
        em(*fit, name, "-o", f"{name}.em", cwd=tmp_path)
