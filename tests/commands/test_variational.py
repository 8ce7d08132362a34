"""Variational fits from the command line: what is told, what new rows are scored by, what is refused."""

import csv
import json

import numpy as np
import pytest
import yaml
from program import SAMPLES, em
from scipy import stats

FIT = ("-k", "4", "--inference", "variational", "--restarts", "4", "-q")


@pytest.fixture(scope="session")
def fitted(tmp_path_factory):
    """The folder of a fit of more components than the data need, and its document."""
    folder = tmp_path_factory.mktemp("variational")
    em("fit", SAMPLES / "faithful.csv", *FIT, "-o", "v", cwd=folder)
    return folder, json.loads((folder / "v" / "params.json").read_text())


def test_surplus_components_are_emptied_and_said_to_be(fitted):
    folder, document = fitted
    assert document["inference"] == "variational" and document["effective_components"] == 2
    assert document["elbo"] == pytest.approx(-1182.8367, abs=0.01)
    assert [c["n_assigned"] for c in document["components"]] == [175, 97, 0, 0]
    shown = em("show", "v", cwd=folder).out
    assert "2 more components without rows" in shown and "2 of 4 components bear rows" in shown
    assert "BIC" not in shown and "evidence lower bound (ELBO) -1182.8" in shown
    assert not any(document[name] for name in ("bic", "aic", "icl", "bic_mclust", "log_prior"))


def test_intervals_hold_what_is_told_of_components(fitted):
    _, document = fitted
    for component in document["components"]:
        low, high = component["interval"]["weight"]
        assert low <= component["weight"] <= high
        for quantity in ("mean", "sd"):
            for name, (low, high) in component["interval"][quantity].items():
                assert low < component[quantity][name] < high or component["n_assigned"] == 0
    at = document["posterior"]["degrees_of_freedom"][0] - 1
    half = stats.t.ppf(0.975, at) * np.sqrt(
        document["posterior"]["inverse_scale"][0][0][0] / at / document["posterior"]["mean_precision"][0]
    )
    low, high = document["components"][0]["interval"]["mean"]["eruptions"]
    assert (high - low) / 2 == pytest.approx(half, rel=1e-9)


def test_rows_are_scored_by_the_predictive_distribution(fitted):
    """A mixture of t distributions, by scipy; new rows and those fitted alike."""
    folder, document = fitted
    x = np.loadtxt(SAMPLES / "faithful.csv", delimiter=",", skiprows=1)
    density = np.zeros(len(x))
    own = document["posterior"]
    each = zip(document["weights"], *(own[n] for n in ("means", "mean_precision", "degrees_of_freedom")), strict=True)
    for (weight, mean, precision, dof), scale in zip(each, own["inverse_scale"], strict=True):
        shape = np.array(scale) * (precision + 1) / (precision * (dof - 1))
        density += weight * stats.multivariate_t(mean, shape, dof - 1).pdf(x)
    assert document["log_likelihood"] == pytest.approx(np.log(density).sum(), rel=1e-9)
    predicted = em("predict", "v", SAMPLES / "faithful.csv", cwd=folder).out
    assert predicted == (folder / "v" / "responsibilities.csv").read_text()
    told = json.loads(em("score", "v", SAMPLES / "faithful.csv", cwd=folder).out)
    assert told["log_likelihood"] == document["log_likelihood"] and told["bic"] is None


def test_a_fit_goes_on_from_another_and_from_its_own_configuration(fitted):
    folder, document = fitted
    em("fit", "-c", "v/run.yaml", "-q", "-o", "again", cwd=folder)
    again = json.loads((folder / "again" / "params.json").read_text())
    assert again["elbo"] == document["elbo"] and again["posterior"] == document["posterior"]
    em("fit", SAMPLES / "faithful.csv", *FIT[:4], "--start", "v", "-q", "-o", "on", cwd=folder)
    on = json.loads((folder / "on" / "params.json").read_text())
    assert document["elbo"] - 1e-6 <= on["elbo"] <= document["elbo"] + 0.01


def test_hyperparameters_are_options(fitted):
    folder, plain = fitted
    said = {"weights": "process:1", "mean": "[3, 70]", "mean_precision": 2, "degrees_of_freedom": 5}
    options = [part for key, value in said.items() for part in ("--set", f"prior.{key}={value}")]
    found = json.loads(em("fit", SAMPLES / "faithful.csv", *FIT, *options, "--json", cwd=folder).out)
    assert found["weights_posterior"]["name"] == "process"
    assert found["weights_posterior"]["weight_concentration_prior"] == 1.0
    told = found["prior_parameters"]
    assert (told["means"], told["mean_precision"], told["degrees_of_freedom"]) == ([3.0, 70.0], 2.0, 5.0)
    assert told["inverse_scale"] == plain["prior_parameters"]["inverse_scale"] and found["elbo"] != plain["elbo"]


def test_a_fit_at_the_mode_of_the_posterior_tells_prior_and_likelihood_apart(tmp_path):
    """A Dirichlet prior of weights adds rows to each component: the weights are those shares, and like each other."""
    run = ("fit", SAMPLES / "faithful.csv", "-k", "2", "--restarts", "2", "-q")
    em(*run, "--inference", "map", "--set", "prior.weights=dirichlet:101", "-o", "m", cwd=tmp_path)
    found = json.loads((tmp_path / "m" / "params.json").read_text())
    plain = json.loads(em(*run, "--json", cwd=tmp_path).out)
    counts = np.array([component["n_effective"] for component in found["components"]])
    assert found["weights"] == pytest.approx((counts + 100) / (272 + 200), abs=1e-3)
    law = stats.dirichlet([101.0, 101.0]).logpdf(found["weights"])
    assert found["prior"] == "conjugate" and found["log_prior"] == pytest.approx(law)
    assert found["penalised_log_likelihood"] == pytest.approx(found["log_likelihood"] + law)
    assert found["log_likelihood"] < plain["log_likelihood"]
    assert found["penalised_log_likelihood"] > plain["log_likelihood"] + stats.dirichlet([101.0, 101.0]).logpdf(
        plain["weights"]
    )
    assert "conjugate prior" in em("bootstrap", "m", cwd=tmp_path, status=2).err


def test_a_prior_of_transitions_adds_steps_to_those_that_are_seen(tmp_path):
    """Two states far apart, whose steps can be counted; staying is worth another number."""
    labels = np.repeat([0, 1, 0, 1], [30, 20, 10, 40])
    x = 20 * labels + np.random.default_rng(3).normal(size=100)
    np.savetxt(tmp_path / "x.csv", x, header="x", comments="", fmt="%.6f")
    run = ("fit", "x.csv", "-k", "2", "--latent", "markov", "--restarts", "1", "--json")
    prior = ("--inference", "map", "--set", "prior.transitions=dirichlet:2:11")
    found = json.loads(em(*run, *prior, cwd=tmp_path).out)
    steps = np.array([[58 + 10, 1 + 1], [2 + 1, 38 + 10]])  # the larger state first
    assert found["prior"] == "conjugate" and found["weights"][0] == pytest.approx(0.6)
    assert found["transmat"] == pytest.approx(steps / steps.sum(axis=1, keepdims=True), abs=1e-3)


def test_an_l1_penalty_of_means_names_the_columns_that_separate_nothing(tmp_path):
    """Two of four columns tell three groups apart; each mean that is held but one of its column is no parameter."""
    rng = np.random.default_rng(4)
    group = rng.integers(0, 3, 150)
    x = rng.normal(size=(150, 4)) + np.outer(group, [5, 0, 0, 0]) - np.outer(group == 1, [0, 6, 0, 0])
    np.savetxt(tmp_path / "x.csv", x, delimiter=",", header="a,b,c,d", comments="", fmt="%.6f")
    run = ("fit", "x.csv", "-k", "3", "--covariance", "diag", "--restarts", "2", "--out", "l1", "--format", "human")
    said = em(*run, "--inference", "map", "--set", "prior.means=laplace:25", cwd=tmp_path).out
    assert "no component has a mean of its own in: c, d\n" in said
    found = json.loads((tmp_path / "l1" / "params.json").read_text())
    means, held = np.array(found["means"]), np.array(found["means_held"])
    whole = np.loadtxt(tmp_path / "x.csv", delimiter=",", skiprows=1).mean(axis=0)
    assert np.allclose(means[held], np.broadcast_to(whole, means.shape)[held]) and held[:, 2:].all()
    assert found["n_parameters"] == 2 + 12 + 12 - int(np.maximum(held.sum(axis=0) - 1, 0).sum())
    assert found["prior"] == "laplace" and "penalty" in found["standard_errors"]["reason"]
    again = json.loads(em("score", "l1", "x.csv", cwd=tmp_path).out)
    assert again["n_parameters"] == found["n_parameters"] and again["bic"] == pytest.approx(found["bic"])
    assert "laplace prior" in em("bootstrap", "l1", cwd=tmp_path, status=2).err
    alone = ("fit", "x.csv", "-k", "1", *run[4:-3], "one", *run[-2:])
    said = em(*alone, "--inference", "map", "--set", "prior.means=laplace:25", cwd=tmp_path).out
    assert "mean of its own" not in said
    for wrong in (True, [[True] * 3, [True] * 5, [True] * 4], [[1, 0, 1, 0]] * 3):
        (tmp_path / "wrong.json").write_text(json.dumps(found | {"means_held": wrong}))
        assert "'means_held' must hold" in em("score", "wrong.json", "x.csv", cwd=tmp_path, status=3).err


def test_an_l1_penalty_of_precisions_names_independent_columns(tmp_path):
    """Two columns go together in each group, and a third with neither."""
    rng = np.random.default_rng(5)
    group = rng.integers(0, 2, 200)
    x = rng.normal(size=(200, 3)) @ [[1, 0.8, 0], [0, 0.6, 0], [0, 0, 1]] + np.outer(group, [6, 0, 3])
    np.savetxt(tmp_path / "x.csv", x, delimiter=",", header="a,b,c", comments="", fmt="%.6f")
    run = ("fit", "x.csv", "-k", "2", "--covariance", "full", "--restarts", "2", "--out", "l1", "--format", "human")
    said = em(*run, "--inference", "map", "--set", "prior.precisions=laplace:2", cwd=tmp_path).out
    found = json.loads((tmp_path / "l1" / "params.json").read_text())
    zeros = np.array(found["precisions_zero"])
    assert zeros[:, 0, 2].all() and not zeros[:, 0, 1].any()
    n = int(zeros.sum()) // 2
    assert f"{n} of 6 pairs of columns independent in a component, given the others; in every component: a–c\n" in said
    assert found["n_parameters"] == 1 + 6 + 12 - n and found["prior"] == "laplace"
    assert np.linalg.inv(found["covariances"])[:, 0, 2] == pytest.approx(0, abs=1e-9)
    assert json.loads(em("score", "l1", "x.csv", cwd=tmp_path).out)["n_parameters"] == found["n_parameters"]


def test_what_is_about_maxima_of_the_likelihood_is_refused(fitted):
    folder, _ = fitted
    said = em("bootstrap", "v", cwd=folder, status=2).err
    assert "predictive" in said or "objective" in said


def test_report_and_trace_tell_of_the_bound(fitted):
    folder, document = fitted
    em("report", "v", cwd=folder)
    assert f"Evidence lower bound {document['elbo']:.3f}; 2 of 4" in (folder / "v" / "report.html").read_text()
    with (folder / "v" / "trace.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert {row["objective"] for row in rows} == {"elbo"}
    assert max(float(row["value"]) for row in rows) == pytest.approx(document["elbo"], abs=1e-6)


def test_a_sweep_is_decided_by_the_lower_bound(tmp_path):
    arguments = ("--k-range", "1-3", "--inference", "variational", "--effort", "low", "-q", "-o", "s")
    em("select", SAMPLES / "faithful.csv", *arguments, cwd=tmp_path)
    with (tmp_path / "s" / "selection.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    chosen = json.loads((tmp_path / "s" / "params.json").read_text())
    bounds = {int(row["k"]): -float(row["elbo"]) / 2 for row in rows}
    assert chosen["n_components"] == max(bounds, key=lambda k: bounds[k]) == 2
    assert chosen["elbo"] == pytest.approx(bounds[2]) and not any(row["bic"] for row in rows)
    assert yaml.safe_load((tmp_path / "s" / "run.yaml").read_text())["criterion"] == "elbo"


MIXED = "a,b,c,d\n" + "".join(
    f"{i % 7},{'xyz'[i * 7 // 4 % 3]},{i % 5 + 0.5 * (i % 2)},{'no' if i % 3 else 'yes'}\n" for i in range(60)
)


def test_columns_of_several_types_have_priors_of_their_own(tmp_path):
    (tmp_path / "m.csv").write_text(MIXED.replace("\n3,", "\n,", 1))
    options = (
        "--type",
        "a=count",
        "--type",
        "d=bernoulli",
        "--covariance",
        "diag",
        "--set",
        "prior.levels=dirichlet:2",
        "--json",
    )
    found = json.loads(em("fit", "m.csv", *FIT, *options, "--set", "prior.rates=gamma:2:0.5", cwd=tmp_path).out)
    by_family = {group["family"]: group for group in found["groups"]}
    assert by_family["categorical"]["prior_parameters"] == {"concentration": [[2.0, 2.0, 2.0]]}
    assert by_family["poisson"]["prior_parameters"] == {"shape": [2.0], "rate": [0.5]}
    assert set(found["components"][0]["interval"]) == {"weight", "mean", "sd", "probabilities"}
    shares = found["components"][0]["probabilities"]
    for name in ("b", "d"):
        for level, (low, high) in found["components"][0]["interval"]["probabilities"][name].items():
            assert low < shares[name][level] < high


REFUSED = {
    "--inference bayes": "--inference: unknown value 'bayes'",
    "--set prior.weights=dirichlet:2": "--inference map",
    "--inference map": "needs a prior",
    "--inference map --set prior.weights=process:2": "no mode",
    "--inference map --set prior.weights=dirichlet:0.5": "at least 1",
    "--inference map --prior weak --set prior.mean_precision=2": "two priors",
    "--inference map --set prior.rates=gamma:2": "prior.rates does not apply",
    "--inference map --set prior.means=laplace": "name the strength",
    "--inference map --set prior.means=laplace:2": "--covariance diag",
    "--inference map --covariance diag --set prior.means=laplace:2 --set prior.mean=[1,2]": "two priors",
    "--inference variational --set prior.means=laplace:2": "--inference map",
    "--inference map --covariance diag --set prior.precisions=laplace:2": "--covariance full",
    "--inference map --set prior.precisions=laplace:2 --set prior.mean_precision=2": "two priors",
    "--inference variational --set prior.transitions=dirichlet:2": "--inference map",
    "--inference map --set prior.transitions=dirichlet:2": "--latent markov",
    "--inference map --set prior.transitions=dirichlet:2:0.5": "at least 1",
    "--inference variational --prior weak": "conjugate priors",
    "--inference variational --family student_t": "no conjugate prior",
    "--inference variational --covariance EVE": "no conjugate prior",
    "--inference variational --noise": "--noise",
    "--inference variational --columns eruptions --concomitant waiting": "--concomitant",
    "--inference variational --columns eruptions --group waiting": "--group",
    "--inference variational --se robust": "intervals of the posterior",
    "--inference variational --algorithm squarem": "climbs by em",
    "--inference variational --set prior.rates=gamma:1": "prior.rates does not apply",
    "--inference variational --set prior.weights=beta:1": "dirichlet or process",
    "--inference variational --set prior.weights=process:0": "above 0",
    "--inference variational --set prior.degrees_of_freedom=1": "above 1",
    "--inference variational --set prior.mean=[1]": "must hold 2 numbers",
    "--inference variational --set prior.covariance=[[1,2],[2,1]]": "positive definite",
    "--inference variational --set prior.weight=dirichlet": "Did you mean 'weights'",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_cannot_be_is_refused_in_words(arguments, tmp_path):
    outcome = em("fit", SAMPLES / "faithful.csv", "-k", "2", *arguments.split(), cwd=tmp_path, status=2)
    assert REFUSED[arguments] in " ".join(outcome.err.split()) and not list(tmp_path.iterdir())


def test_incomplete_rows_of_normal_columns_are_taken_where_columns_depend_on_each_other(tmp_path):
    (tmp_path / "g.csv").write_text("a,b\n" + "".join(f"{i % 7},{i * i % 11}\n" for i in range(40)) + "3,\n,4\n")
    run = ("fit", "g.csv", *FIT, "--type", "a=numeric", "--type", "b=numeric")
    said = em(*run, "--covariance", "diag", cwd=tmp_path, status=2).err
    assert "--covariance full or tied" in said and "--missing drop" in said
    em(*run, "--missing", "drop", "--out", "whole", cwd=tmp_path)
    em(*run, "--out", "gaps", cwd=tmp_path)
    whole, gaps = (json.loads((tmp_path / name / "params.json").read_text())["elbo"] for name in ("whole", "gaps"))
    assert -12 < gaps - whole < -3  # two cells more
    rows = list(csv.DictReader(em("predict", "gaps", "g.csv", cwd=tmp_path).out.splitlines()))
    assert len(rows) == 42 and all(row["component"] for row in rows)
    em(*run, "--covariance", "tied", "--out", "tied", cwd=tmp_path)


def test_the_lower_bound_is_a_criterion_of_variational_fits_only(tmp_path):
    arguments = ("select", SAMPLES / "faithful.csv", "--k-range", "1-2", "--criterion")
    assert "--inference variational" in em(*arguments, "elbo", cwd=tmp_path, status=2).err
    for other in ("bic", "cv"):
        said = em(*arguments, other, "--inference", "variational", cwd=tmp_path, status=2).err
        assert "--criterion elbo" in said
