"""`em relate`: components and other columns, against closed forms, other implementations and simulated truth."""

import csv
import json
from io import StringIO

import numpy as np
import pytest
from program import em
from scipy.optimize import minimize

from em_cli.inference.three_steps_again import often

HEAD = "a,b,x,w,y,c,z,twice,house"
TRUE = {"y": [1.0, 2.0, 4.0], "x": [0.0, 1.0, -0.6]}


def rows_of(text):
    return list(csv.DictReader(StringIO(text)))


def people(n, apart, seed):
    """Three groups in the plane, who is in which told by x; a number y and levels c that differ between them."""
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=n).round(3), rng.integers(3, size=n)
    p = np.exp(np.outer(TRUE["x"], x) + np.array([[0.0], [0.3], [-0.2]]))
    z = (rng.random(n) > np.cumsum(p / p.sum(axis=0), axis=0)[:-1]).sum(axis=0)
    a, b = (np.where(z == k, apart, 0.0) + rng.normal(size=n) for k in (1, 2))
    y = np.array(TRUE["y"])[z] + rng.normal(size=n) * np.array([1.0, 0.5, 1.5])[z]
    c = (rng.random(n)[:, None] > np.array([[0.6, 0.9], [0.2, 0.7], [0.1, 0.3]])[z]).sum(axis=1)
    cells = zip(a.round(3), b.round(3), x, w, y.round(4), c, z, rng.integers(1, 3, n), range(n), strict=True)
    return [f"{a},{b},{x},{'uvw'[w]},{y},{'rst'[c]},{z},{t},h{i // 2}" for a, b, x, w, y, c, z, t, i in cells]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Groups far apart, and groups that overlap."""
    folder = tmp_path_factory.mktemp("relate")
    for name, n, apart in (("apart", 150, 40.0), ("near", 500, 2.3)):
        (folder / f"{name}.csv").write_text("\n".join([HEAD, *people(n, apart, 3)]) + "\n")
        em("fit", f"{name}.csv", "-k", "3", "--columns", "a,b", "--covariance", "EII", "-q", "-o", f"{name}.em",
           "--se", "none", cwd=folder)  # fmt: skip
    return folder


def related(runs, name, *options):
    """By the errors that the fit claims, unless refits are asked for."""
    own = options if "--replicates" in options else ("--replicates", "0", *options)
    return json.loads(em("relate", f"{name}.em", *own, "--json", "--force", cwd=runs).out)


def columns_of(runs, name):
    """y, c, x by row; and the true group of each component, by the means of the fit."""
    rows = rows_of((runs / f"{name}.csv").read_text())
    means = np.array(json.loads((runs / f"{name}.em/params.json").read_text())["means"])
    true = [1 if a > b and a > 1 else 2 if b > 1 else 0 for a, b in means]
    assert sorted(true) == [0, 1, 2]
    y, x, z = (np.array([float(row[key]) for row in rows]) for key in ("y", "x", "z"))
    return y, np.array([row["c"] for row in rows]), x, z, true


def beliefs(runs, name):
    written = rows_of((runs / f"{name}.em/responsibilities.csv").read_text())
    return np.array([[float(row[f"p{k}"]) for row in written] for k in (1, 2, 3)])


def multinomial_logit(log_likelihood):
    """Coefficients (2, 2) on 1 and x, by another optimiser than ours."""
    found = minimize(lambda b: -log_likelihood(b.reshape(2, 2)), np.zeros(4), method="BFGS", options={"gtol": 1e-7})
    return found.x.reshape(2, 2)


def log_shares(b, x):
    logits = np.concatenate([np.zeros((1, len(x))), b @ np.stack([np.ones(len(x)), x])])
    return logits - np.logaddexp.reduce(logits, axis=0)


@pytest.mark.parametrize("options", [("--method", "bch"), ("--method", "ml"), ("--assign", "proportional")])
def test_components_far_apart_are_groups_of_rows(runs, options):
    y, c, x, z, true = columns_of(runs, "apart")
    found = related(runs, "apart", "--outcome", "y,c", "--on", "x", *options)
    mine = [z == k for k in true]
    means, shares = found["outcomes"]
    assert np.allclose(means["means"], [y[own].mean() for own in mine])
    assert np.allclose(means["sds"], [y[own].std() for own in mine])
    robust = [y[own].std() / np.sqrt(own.sum()) for own in mine]
    assert np.allclose(means["standard_errors"], robust, rtol=1e-3)
    assert np.allclose(shares["shares"], [[(c[own] == level).mean() for level in "rst"] for own in mine])
    labels = np.array(mine)
    wanted = multinomial_logit(lambda b: (labels * log_shares(b, x)).sum())
    assert np.allclose(found["on"]["coefficients"], wanted, atol=1e-4)


def test_resamples_of_components_far_apart_are_those_of_groups_of_rows(runs):
    y, _, _, z, true = columns_of(runs, "apart")
    found = related(runs, "apart", "--outcome", "y", "--on", "x", "--replicates", "80")
    means, on = found["outcomes"][0], found["on"]
    assert means["resamples"] == on["resamples"] == 80
    by_group = [y[z == k].std() / np.sqrt((z == k).sum()) for k in true]
    assert np.allclose(means["standard_errors"], by_group, rtol=0.3)  # a resampled one is known to 8 %
    claimed = related(runs, "apart", "--outcome", "y", "--on", "x")
    assert means["means"] == claimed["outcomes"][0]["means"] and claimed["on"]["resamples"] == 0
    assert np.allclose(on["standard_errors"], claimed["on"]["standard_errors"], rtol=0.4)


def test_a_table_of_frequencies_is_drawn_anew_by_its_counts():
    weights = np.array([3.0, 1.0, 0.5, 20.0])
    drawn = np.array([weights * often(weights, True, 0, number) for number in range(400)])
    assert (drawn.sum(axis=1) == 24).all() and (drawn == np.rint(drawn)).all()
    assert np.allclose(drawn.mean(axis=0), 24 * weights / weights.sum(), atol=0.5)
    of_sample = np.array([often(weights, False, 0, number) for number in range(400)])
    assert (of_sample.sum(axis=1) == 4).all() and np.allclose(of_sample.mean(axis=0), 1, atol=0.25)


def test_bch_weights_undo_the_errors_of_classification(runs):
    y, _, _, _, _ = columns_of(runs, "near")
    p = beliefs(runs, "near")
    assigned = np.eye(3)[p.argmax(axis=0)].T
    errors = (p @ assigned.T) / p.sum(axis=1)[:, None]
    weights = np.linalg.inv(errors).T @ assigned
    means = weights @ y / weights.sum(axis=1)
    found = related(runs, "near", "--outcome", "y")
    assert np.allclose(found["classification"], errors)
    assert np.allclose(found["outcomes"][0]["means"], means)
    scores = weights * (y - means[:, None])
    bread = np.diag(1 / weights.sum(axis=1))
    sandwich = np.sqrt(np.diagonal(bread @ (scores @ scores.T) @ bread))
    errors = np.array(found["outcomes"][0]["standard_errors"])
    assert (errors >= sandwich * (1 - 1e-6)).all() and (errors < 2 * sandwich).all()


def test_ml_is_the_likelihood_of_assignments_with_known_errors(runs):
    y, _, x, _, _ = columns_of(runs, "near")
    found = related(runs, "near", "--outcome", "y", "--on", "x", "--method", "ml")
    errors, assigned = np.array(found["classification"]), beliefs(runs, "near").argmax(axis=0)
    seen = np.log(errors[:, assigned])
    wanted = multinomial_logit(lambda b: np.logaddexp.reduce(log_shares(b, x) + seen, axis=0).sum())
    assert np.allclose(found["on"]["coefficients"], wanted, atol=1e-3)
    told = found["outcomes"][0]

    def log_likelihood(means):
        sds = np.array(told["sds"])[:, None]
        density = -0.5 * ((y - np.array(means)[:, None]) / sds) ** 2 - np.log(sds)
        sizes = np.log(beliefs(runs, "near").mean(axis=1))[:, None]  # about those that are estimated
        return np.logaddexp.reduce(density + seen + sizes, axis=0).sum()

    here = log_likelihood(told["means"])
    for move in np.diag(3 * np.array(told["standard_errors"])):
        assert all(log_likelihood(told["means"] + sign * move) < here for sign in (1, -1))


def test_the_truth_is_within_its_standard_errors_and_labels_taken_as_they_are_miss_it(runs):
    y, _, _, _, true = columns_of(runs, "near")
    found = related(runs, "near", "--outcome", "y", "--on", "x")
    means, on = found["outcomes"][0], found["on"]
    away = (np.array(means["means"]) - np.array(TRUE["y"])[true]) / means["standard_errors"]
    slopes = np.array(TRUE["x"])[true]
    beside = (np.array(on["coefficients"])[:, 1] - (slopes[1:] - slopes[0])) / np.array(on["standard_errors"])[:, 1]
    assert np.abs([*away, *beside]).max() < 3
    labels = beliefs(runs, "near").argmax(axis=0)
    naive = [y[labels == k].mean() for k in range(3)]
    assert (
        np.abs(np.array(means["means"]) - np.array(TRUE["y"])[true]).sum()
        < np.abs(np.array(naive) - np.array(TRUE["y"])[true]).sum()
    )
    assert means["equal"]["p"] < 1e-6 and on["tests"]["x"]["df"] == 2
    written = rows_of((runs / "near.em/relate.csv").read_text())
    assert [row["what"] for row in written] == ["mean"] * 3 + ["intercept", "x"] * 2
    assert float(written[0]["estimate"]) == means["means"][0]


def test_errors_that_a_fit_claims_too_low_are_corrected_by_refits(tmp_path):
    """Two groups of free covariances: the truth is known here, where only claims are elsewhere."""
    rng = np.random.default_rng(11)
    x, off = rng.normal(size=300), []
    z = rng.random(300) < 1 / (1 + np.exp(-0.3 - x))
    a, b = np.where(z, 2.3, 0.0) + rng.normal(size=300), rng.normal(size=300)
    lines = [f"{i:.3f},{j:.3f},{k:.3f}" for i, j, k in zip(a, b, x, strict=True)]
    (tmp_path / "two.csv").write_text("\n".join(["a,b,x", *lines]) + "\n")
    em("fit", "two.csv", "-k", "2", "--columns", "a,b", "-q", "-o", "two.em", "--se", "none", cwd=tmp_path)
    claimed, corrected = (related(tmp_path, "two", "--on", "x", "--replicates", n) for n in ("0", "20"))
    for found in (claimed, corrected):
        assert np.allclose(np.sum(found["classification"], axis=1), 1)
        off.append(1 - np.diagonal(found["classification"]))
    assert (off[1] > off[0]).all() and (off[1] < 2 * off[0]).all()
    assert claimed["replicates"] == 0 and 15 <= (n := corrected["replicates"]) <= 20  # some refits may come to nothing
    slopes, errors = ([found["on"][key][0][1] for found in (claimed, corrected)] for key in
                      ("coefficients", "standard_errors"))  # fmt: skip
    assert abs(slopes[1]) > abs(slopes[0]) and errors[1] > 0.5 * errors[0]
    again = related(tmp_path, "two", "--on", "x", "--replicates", "20")
    assert again == corrected
    assert f"{n} refits" in em("relate", "two.em", "--on", "x", "--replicates", "20", "--force", cwd=tmp_path).out
    em("fit", "two.csv", "-k", "2", "--columns", "a,b", "-q", "-o", "held.em", "--inference", "map", "--set",
       "prior.weights=dirichlet:2", "--se", "none",
       cwd=tmp_path)  # fmt: skip
    refused = em("relate", "held.em", "--on", "x", "--replicates", "20", cwd=tmp_path, status=2)
    assert "--replicates 0" in refused.err
    assert related(tmp_path, "held", "--on", "x", "--replicates", "0")["first_step"]


def test_a_weight_of_two_is_the_row_twice_and_a_row_without_the_column_is_left_out(runs, tmp_path):
    lines = (runs / "apart.csv").read_text().splitlines()
    twice = [line for line in lines[1:] for _ in range(int(line.split(",")[7]))]
    texts = {"once": lines, "twice": [lines[0], *twice]}
    found = {}
    for name, (weights, text) in {"once": (("--weights", "twice"), lines), "twice": ((), texts["twice"])}.items():
        blank = [",".join([*line.split(",")[:4], "", *line.split(",")[5:]]) if line[-3:] == ",h1" else line
                 for line in text]  # fmt: skip
        (tmp_path / f"{name}.csv").write_text("\n".join(blank) + "\n")
        em("fit", f"{name}.csv", "-k", "3", "--columns", "a,b", *weights, "-q", "-o", f"{name}.em", "--se", "none",
           cwd=tmp_path)  # fmt: skip
        found[name] = related(tmp_path, name, "--outcome", "y", "--on", "x")
    one, other = found["once"], found["twice"]
    assert np.allclose(one["outcomes"][0]["means"], other["outcomes"][0]["means"])
    assert np.allclose(one["on"]["standard_errors"], other["on"]["standard_errors"], rtol=1e-3)
    assert one["outcomes"][0]["n_left_out"] == 2 and one["on"]["n_left_out"] == 0
    assert "2 without it left out" in em("relate", "once.em", "--outcome", "y", "--replicates", "0", "--force",
                                           cwd=tmp_path).out  # fmt: skip
    again = ("once.csv", "-k", "1", "--columns", "a", "-q", "-o", "once.em", "--force")
    em("fit", *again, cwd=tmp_path)
    assert not (tmp_path / "once.em/relate.csv").exists()


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ("", 2, ["--outcome y", "--on x"]),
        ("--outcome a", 2, ["'a'", "em show"]),
        ("--outcome yy", 3, ["'yy'", "'y'"]),
        ("--outcome y --on y", 2, ["--outcome and in --on"]),
        ("--outcome y --method bhc", 2, ["--method 'bhc'", "bch"]),
        ("--outcome y --assign model", 2, ["--assign 'model'", "modal"]),
        ("--outcome y --type x=numeric", 2, ["--type x=numeric"]),
        ("--on x,x^2,x:x", 3, ["'x:x' follows from 'x^2'"]),
        ("--on log(x)", 3, ["logarithm"]),
    ],
)
def test_mistakes_are_refused(runs, tmp_path, options, status, words):
    refused = em("relate", "apart.em", *options.split(), "-o", tmp_path / "new", cwd=runs, status=status)
    assert all(word in refused.err for word in words), refused.err
    assert not (tmp_path / "new").exists()


def test_what_cannot_be_related_says_so(runs, tmp_path):
    (tmp_path / "few.csv").write_text("\n".join((runs / "apart.csv").read_text().splitlines()[:41]) + "\n")
    for name, options, words in (
        ("one", ("-k", "1", "--columns", "a"), "one component"),
        ("told", ("-k", "2", "--columns", "a,b", "--concomitant", "x"), "em show has their log-odds"),
        ("chain", ("-k", "2", "--columns", "a", "--latent", "markov"), "follow each other"),
        ("houses", ("-k", "2", "--columns", "a", "--group", "house"), "rows of one group differ"),
    ):
        em("fit", "few.csv", *options, "-q", "-o", f"{name}.em", "--se", "none", "--restarts", "2", cwd=tmp_path)
        status = 3 if name == "houses" else 2
        assert words in em("relate", f"{name}.em", "--on", "x", cwd=tmp_path, status=status).err
    assert related(tmp_path, "told", "--outcome", "c", "--replicates", "0")["outcomes"]  # but not to what tells them


def test_noise_is_a_component_to_relate_to(runs, tmp_path):
    (tmp_path / "few.csv").write_text("\n".join((runs / "apart.csv").read_text().splitlines()[:61]) + "\n")
    options = ("-k", "2", "--columns", "a,b", "--covariance", "EII", "--latent", "noise", "--restarts", "2")
    em("fit", "few.csv", *options, "-q", "-o", "few.em", "--se", "none", cwd=tmp_path)
    found = related(tmp_path, "few", "--outcome", "c", "--assign", "proportional", "--replicates", "12")
    assert found["components"] == ["component 1", "component 2", "noise"]
    assert np.allclose(np.sum(found["outcomes"][0]["shares"], axis=1), 1) and np.shape(found["classification"]) == (
        3,
        3,
    )
