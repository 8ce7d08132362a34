"""Columns that tell the mixing weights of mixtures of any family, and of groups of rows."""

import contextlib
import csv
import json
from io import StringIO

import numpy as np
import pytest
from program import em
from scipy.stats import norm

from em_cli.postestimation.refitted import refit_of
from em_cli.reports.bootstrap import limits
from em_cli.reports.distances import classes_of, distances
from em_cli.runs.read_back import read_run

AGE = ("--concomitant", "age,sex")


def rows_of(text):
    return list(csv.DictReader(StringIO(text)))


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Two classes by age and sex, which show in two answers and a length; three rows of each household."""
    folder, rng = tmp_path_factory.mktemp("people"), np.random.default_rng(5)
    lines = ["age,length,sex,house,one,two,three,each"]
    for row in range(180):
        if row % 3 == 0:
            age, sex = round(rng.normal(40, 9), 1), int(rng.integers(2))
            second = rng.random() < 1 / (1 + np.exp(-(age - 40) / 6 - sex + 0.5))
        answers = ["ny"[int(rng.random() < (0.8 if second else 0.2))] for _ in range(3)]
        length = rng.normal(4.0 if second else 0.0)
        lines.append(",".join([str(age), f"{length:.3f}", "fm"[sex], f"h{row // 3}", *answers, str(row)]))
    (folder / "people.csv").write_text("\n".join(lines) + "\n")
    for name, options in {
        "length": ("--columns", "length"),
        "answers": ("--columns", "one,two,three"),
        "both": ("--exclude", "each,house,two,three"),
        "houses": ("--columns", "length", "--group", "house"),
        "each": ("--columns", "length", "--group", "each"),
    }.items():
        em("fit", "people.csv", "-k", "2", *options, *AGE, "-q", "-o", f"{name}.em", cwd=folder)
    return folder


def document_of(people, name):
    return json.loads((people / f"{name}.em/params.json").read_text())


def test_what_tells_mixing_weights_stays_in_rows_that_are_drawn(people):
    refit = refit_of(str(people / "both.em"), [], "be drawn from")
    drawn, rows = (each[0].x for each in (refit.drawn(refit.start, refit.source, 1), refit.source))
    told = [refit.schema.names.index(name) for name in ("age", "sex")]
    assert np.array_equal(drawn[told], rows[told])
    assert not np.array_equal(drawn[0], rows[0]) and not np.isnan(drawn).any()


def regressors(people):
    rows = rows_of((people / "people.csv").read_text())
    age, length = (np.array([float(row[name]) for row in rows]) for name in ("age", "length"))
    answers = np.array([[row[name] == "y" for row in rows] for name in ("one", "two", "three")])
    return np.stack([np.ones(180), age, [row["sex"] == "m" for row in rows]]), length, answers


def at_maximum(log_likelihood, at, steps, value):
    """That the value is that at these numbers, and that none of them alone can be moved to gain by it."""
    assert log_likelihood(at) == pytest.approx(value, rel=1e-10)
    for move in np.diag(steps):
        assert abs(log_likelihood(at + move) - log_likelihood(at - move)) < 2e-3


def log_weights(logits):
    return np.stack([-np.logaddexp(0, logits), -np.logaddexp(0, -logits)])


@pytest.mark.parametrize("name", ["length", "houses"])
def test_columns_tell_the_weights_of_gaussians_by_rows_and_by_groups(people, name):
    document, (z, length, _) = document_of(people, name), regressors(people)
    own, size = document["concomitant"], 3 if name == "houses" else 1

    def log_likelihood(numbers):
        density = norm.logpdf(length, numbers[:2, None], np.exp(numbers[2:4, None]))
        groups = density.reshape(2, -1, size).sum(axis=2)
        return np.logaddexp.reduce(groups + log_weights(numbers[4:] @ z[:, ::size]), axis=0).sum()

    spread = np.log(np.array(document["covariances"]).ravel()) / 2
    at = np.concatenate([np.ravel(document["means"]), spread, own["coefficients"][0]])
    at_maximum(log_likelihood, at, [1e-3, 1e-3, 1e-3, 1e-3, 1e-2, 3e-4, 4e-3], document["log_likelihood"])
    assert own["names"] == ["intercept", "age", "sex=m"] and document["n_parameters"] == 7
    assert document["feature_names_in"] == ["length", "age", "sex"] and document["family"] == "gaussian"
    assert document["n_for_bic"] == 180 // size
    errors = document["standard_errors"][document["standard_errors"]["reported"]]["concomitant"]["coefficients"][0]
    assert all(error > 0 for error in errors)


def test_columns_tell_the_weights_of_latent_classes(people):
    document, (z, _, answers) = document_of(people, "answers"), regressors(people)
    own = document["concomitant"]["coefficients"][0]

    def log_likelihood(numbers):
        p = 1 / (1 + np.exp(-numbers[:6].reshape(2, 3, 1)))
        density = np.where(answers, np.log(p), np.log1p(-p)).sum(axis=1)
        return np.logaddexp.reduce(density + log_weights(numbers[6:] @ z), axis=0).sum()

    p = np.array(document["probabilities"])[:, :, 1]
    at = np.concatenate([np.ravel(np.log(p / (1 - p))), own])
    at_maximum(log_likelihood, at, [3e-3] * 6 + [1e-2, 3e-4, 4e-3], document["log_likelihood"])
    (row,) = rows_of(em("predict", "answers.em", "-", cwd=people, stdin="one,two,three,age,sex\n,,,52,m\n").out)
    assert float(row["p2"]) == pytest.approx(1 / (1 + np.exp(-np.dot(own, [1, 52, 1]))))


def test_groups_of_one_row_are_none(people):
    one, other = document_of(people, "length"), document_of(people, "each")
    assert other["log_likelihood"] == pytest.approx(one["log_likelihood"], abs=1e-3)
    assert np.allclose(one["concomitant"]["coefficients"], other["concomitant"]["coefficients"], rtol=0.01)


def test_families_of_several_kinds_stand_beside_what_tells_their_weights(people):
    document = document_of(people, "both")
    assert document["family"] == "product" and document["concomitant"]["columns"] == ["age", "sex"]
    assert [group["columns"] for group in document["groups"]] == [["length"], ["one"]]
    written = (people / "both.em/responsibilities.csv").read_text()
    labelled = em("predict", "both.em", "people.csv", cwd=people).out
    assert [row["p1"] for row in rows_of(labelled)] == [row["p1"] for row in rows_of(written)]
    totals = json.loads(em("score", "both.em", "people.csv", cwd=people).out)
    assert totals["log_likelihood"] == pytest.approx(document["log_likelihood"])


def test_what_tells_the_weights_is_neither_drawn_nor_filled(people):
    drawn = rows_of(em("sample", "both.em", "-n", "4", cwd=people).out)
    assert len(drawn) == 4 and list(drawn[0]) == ["length", "one"]
    given = rows_of(em("sample", "both.em", "--given", "people.csv", cwd=people).out)
    assert len(given) == 180 and {row["sex"] for row in given} == {"f", "m"}
    old = [float(row["length"]) for row in given if float(row["age"]) > 45]
    assert np.mean(old) > np.mean([float(row["length"]) for row in given if float(row["age"]) < 35])
    filled = em("impute", "both.em", "-", cwd=people, stdin="length,one,age,sex\n,y,,\n").out
    assert filled.endswith(",y,,\n") and float(filled.splitlines()[1].split(",")[0])


@pytest.mark.parametrize("name", ["length", "houses"])
def test_pictures_show_what_is_described(people, name, monkeypatch):
    monkeypatch.setattr("em_cli.reports.bootstrap.REPLICATES", 4)
    with contextlib.chdir(people):
        run = read_run(f"{name}.em")
    classes = classes_of(run)
    found = limits(run, classes, distances(run, classes, 500))
    assert len(found.values) == 1 and 0 < found.values[0] < 0.5
    assert "log-odds of the mixing weights" in em("show", f"{name}.em", cwd=people).out
    refused = em("plot", f"{name}.em", "--kind", "density", "--columns", "age", cwd=people, status=2)
    assert "tells the mixing weights" in refused.err
    refused = em("outliers", f"{name}.em", cwd=people, status=2)
    assert ("given age, sex" if name == "length" else "depend on each other") in refused.err


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ("--columns age,length --concomitant age", 2, ["--columns", "'age'"]),
        ("--exclude age --concomitant age", 2, ["--exclude", "'age'"]),
        ("--concomitant age,age", 2, ["twice"]),
        ("--concomitant aeg", 3, ["'aeg'", "'age'"]),
        ("--concomitant age --type age=poisson", 2, ["numeric or categorical"]),
        ("--concomitant age --transform age=log", 2, ["--transform"]),
        ("--concomitant age --latent noise", 2, ["--latent noise"]),
        ("--concomitant age --set mixing_weights=equal", 2, ["cannot be fixed"]),
        ("--concomitant age --group house --set mixing_weights=equal", 2, ["cannot be fixed"]),
        ("--concomitant each --group house", 3, ["rows 1 and 2", "'each'", "one group"]),
        ("--concomitant same", 3, ["'same'", "7 in every row"]),
        ("--concomitant age,twice", 3, ["'twice' follows from 'age'"]),
        ("--concomitant gap", 3, ["row 2", "'gap'", "--missing drop"]),
    ],
)
def test_mistakes_about_what_tells_mixing_weights_are_refused(people, tmp_path, options, status, words):
    lines = (people / "people.csv").read_text().splitlines()[:61]
    more = [f"7,{2 * float(line.split(',')[0])},{'' if row == 1 else row}" for row, line in enumerate(lines[1:])]
    text = [f"{lines[0]},same,twice,gap", *(f"{line},{end}" for line, end in zip(lines[1:], more, strict=True))]
    (tmp_path / "people.csv").write_text("\n".join(text) + "\n")
    own = [] if "--columns" in options or "--exclude" in options else ["--columns", "length"]
    refused = em("fit", "people.csv", "-k", "2", *own, *options.split(), cwd=tmp_path, status=status)
    assert all(word in refused.err for word in words), refused.err


def test_a_missing_cell_is_dropped_as_the_message_says(people, tmp_path):
    text = (people / "people.csv").read_text().replace("\n", "\n,1,f,h0,n,n,n,999\n", 1)
    options = ("--columns", "length", *AGE, "--missing", "drop", "--json", "-q")
    document = json.loads(em("fit", "-", "-k", "2", *options, cwd=tmp_path, stdin=text).out)
    assert document["log_likelihood"] == pytest.approx(document_of(people, "length")["log_likelihood"], abs=1e-6)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Two lines, of which age and sex tell which is the likelier."""
    folder, rng = tmp_path_factory.mktemp("told"), np.random.default_rng(0)
    age, sex, x = rng.normal(50, 10, 250), rng.integers(2, size=250), rng.uniform(0, 10, 250)
    second = rng.random(250) < 1 / (1 + np.exp(6 - 0.12 * age - sex))
    y = np.where(second, 1 + 2 * x, 12 - 0.5 * x) + rng.normal(0, 1.5, 250)
    lines = [f"{a:.3f},{b:.3f},{c:.3f},{'fm'[d]}" for a, b, c, d in zip(x, y, age, sex, strict=True)]
    (folder / "told.csv").write_text("\n".join(["x,y,age,sex", *lines]) + "\n")
    em("fit", "told.csv", "-k", "2", "--response", "y", "--on", "x", "--concomitant", "age,sex", "-q", "-o", "told.em",
       cwd=folder)  # fmt: skip
    return folder


def test_columns_tell_the_mixing_weights(told):
    document = json.loads((told / "told.em/params.json").read_text())
    own = document["concomitant"]
    assert document["latent"] == "concomitant" and own["names"] == ["intercept", "age", "sex=m"]
    assert document["n_parameters"] == 2 * 3 + 3 and document["design"] == ["intercept", "x"]
    rows = rows_of((told / "told.csv").read_text())
    x, y, age = (np.array([float(row[name]) for row in rows]) for name in ("x", "y", "age"))
    z = np.stack([np.ones(250), age, [row["sex"] == "m" for row in rows]])

    def log_likelihood(numbers):
        (a, b, c, d), sigma, logits = numbers[:4], np.exp(numbers[4:6]), numbers[6:] @ z
        away = y - np.stack([a + b * x, c + d * x])
        density = -0.5 * (away / sigma[:, None]) ** 2 - np.log(sigma)[:, None] - 0.5 * np.log(2 * np.pi)
        prior = np.stack([-np.logaddexp(0, logits), -np.logaddexp(0, -logits)])
        return np.logaddexp.reduce(density + prior, axis=0).sum()

    at = np.concatenate([np.ravel(document["coefficients"]), np.log(document["sigma"]), own["coefficients"][0]])
    assert log_likelihood(at) == pytest.approx(document["log_likelihood"], rel=1e-10)
    errors = np.array([0.2, 0.03, 0.2, 0.03, 0.07, 0.07, 1.0, 0.02, 0.4])  # about, of each
    for place, step in enumerate(errors / 100):
        moved = step * np.eye(9)[place]
        assert abs(log_likelihood(at + moved) - log_likelihood(at - moved)) < 2e-3
    written = rows_of((told / "told.em/responsibilities.csv").read_text())
    assert np.mean([float(row["p1"]) for row in written]) == pytest.approx(document["weights"][0], abs=1e-4)
    assert "log-odds of the mixing weights" in em("show", "told.em", cwd=told).out


def test_what_is_known_of_a_row_without_a_response_tells_its_component(told):
    own = json.loads((told / "told.em/params.json").read_text())["concomitant"]["coefficients"][0]
    (row,) = rows_of(em("predict", "told.em", "-", cwd=told, stdin="x,age,sex\n3,60,m\n").out)
    assert float(row["p2"]) == pytest.approx(1 / (1 + np.exp(-np.dot(own, [1, 60, 1]))))
    p, means = ([float(row[f"{name}{k}"]) for k in (1, 2)] for name in ("p", "predicted"))
    assert float(row["predicted"]) == pytest.approx(np.dot(p, means))


def test_units_and_threads_change_no_mixing_weight(told, tmp_path):
    rows = rows_of((told / "told.csv").read_text())
    lines = [f"{row['x']},{row['y']},{10 * float(row['age']) - 7:.2f},{row['sex']}" for row in rows]
    text = "\n".join(["x,y,age,sex", *lines]) + "\n"
    options = ("-k", "2", "--response", "y", "--on", "x", "--concomitant", "age,sex", "--json", "-q")
    one, other = (
        json.loads(em("fit", "-", *options, "--threads", threads, cwd=tmp_path, stdin=text).out) for threads in "13"
    )
    assert one == other
    document = json.loads((told / "told.em/params.json").read_text())
    assert one["log_likelihood"] == pytest.approx(document["log_likelihood"], abs=1e-6)
    of_age, before = (found["concomitant"]["coefficients"][0][1] for found in (one, document))
    assert 10 * of_age == pytest.approx(before, rel=1e-3)


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ("--latent concomitant --response y --on x", 2, ["--concomitant z1,z2"]),
        ("--response y --on x --concomitant age --latent markov", 2, ["--latent markov"]),
        ("--response y --on x --concomitant age --group sex", 3, ["'age'", "one group"]),
        ("--response y --on x --concomitant aeg", 3, ["'aeg'"]),
        ("--response y --on x --concomitant y", 2, ["'y' is the response"]),
    ],
)
def test_mistakes_about_mixing_weights_are_refused(told, tmp_path, options, status, words):
    refused = em("fit", told / "told.csv", "-k", "2", *options.split(), cwd=tmp_path, status=status)
    assert all(word in refused.err for word in words), refused.err
