"""`em bootstrap`: replicates are fits of resampled rows; intervals from them, or why there are none."""

import csv
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from program import SAMPLES, em

from em_cli.engine.declared_numbers import Quantity
from em_cli.inference.intervals import interval, scale_of
from em_cli.inference.row_weights import weights_of
from em_cli.postestimation.places import place_of

# of Old Faithful, VVV, two components: 5,000 replicates climbed to the end by another program's EM
KNOWN = {"weights[1]": 0.02874, "mean[1][1]": 0.03260, "mean[2][2]": 0.60247}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bootstrap")
    shutil.copy(SAMPLES / "faithful.csv", folder)
    em("fit", "faithful.csv", "-k", "2", "--tol", "1e-6", "--effort", "low", "-q", "--out", "f.em", cwd=folder)
    return folder


def found(runs, *options):
    if "parametric" not in options:
        options = ("--searched", "0", *options)
    return json.loads(em("bootstrap", "f.em", "--json", "--force", *options, cwd=runs).out)


def by_name(document):
    return {one["parameter"]: one for one in document["intervals"]}


def replicates(runs):
    with (runs / "f.em/bootstrap.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("kind", ["nonparametric", "weighted", "parametric"])
def test_standard_errors_of_old_faithful(kind, runs):
    document = found(runs, "-B", "300", "--kind", kind)
    assert (document["kept"], document["lost"], document["withheld"]) == (300, 0, None)
    own = by_name(document)
    for name, expected in KNOWN.items():
        assert own[name]["se_bootstrap"] == pytest.approx(expected, rel=4 / np.sqrt(2 * 300))
        assert own[name]["low"] < own[name]["estimate"] < own[name]["high"]
        assert own[name]["mc_error"] == pytest.approx(own[name]["se_bootstrap"] / np.sqrt(600))
    assert own["weights[1]"]["scale"] == "logit" and own["sd[1][2]"]["scale"] == "log"
    assert own["mean[1][1]"]["column"] == "eruptions" and own["mean[1][1]"]["se_observed"] == pytest.approx(
        0.0314, 1e-2
    )
    assert own["sd[1][1]"]["se_robust"] is not None and own["covariances[1][1][1]"]["se_observed"] is not None


def test_a_replicate_depends_on_the_seed_and_its_number_alone(runs):
    found(runs, "-B", "20")
    few = replicates(runs)
    found(runs, "-B", "30")
    assert replicates(runs)[:20] == few
    found(runs, "-B", "20", "--seed", "1")
    assert replicates(runs) != few


def test_a_replicate_is_the_fit_of_the_rows_that_were_drawn(runs):
    found(runs, "-B", "20")
    drawn = weights_of("nonparametric", 272, 4, 0).astype(int)
    rows = pd.read_csv(runs / "faithful.csv")
    rows.loc[rows.index.repeat(drawn)].to_csv(runs / "drawn.csv", index=False)
    fit = ("fit", "drawn.csv", "-k", "2", "--start", "f.em/params.json", "-q", "--json", "--tol", "1e-7")
    expected = json.loads(em(*fit, cwd=runs).out)
    own = replicates(runs)[4]
    assert float(own["log_likelihood"]) == pytest.approx(expected["log_likelihood"], abs=2e-6)
    assert float(own["weights[1]"]) == pytest.approx(expected["weights"][0], abs=1e-4)


def test_it_goes_on_where_its_time_was_up(runs, monkeypatch):
    """The bytes are those of a resampling in one go."""
    monkeypatch.setattr("em_cli.inference.replicates.TOGETHER", 20)
    em("bootstrap", "f.em", "-B", "60", "-o", "whole", "--searched", "4", "-q", cwd=runs)
    ticks = iter([0.0, 0.0, *[1e9] * 1000])
    monkeypatch.setattr("em_cli.runs.interruption.monotonic", lambda: next(ticks))
    text = em("bootstrap", "f.em", "-B", "60", "-o", "parts", "--time-limit", "1s", cwd=runs).out
    assert "20 nonparametric replicates: 20 kept." in text and "There was no time for all 60" in text
    ticks = iter([0.0] * 1000)
    assert (
        "differs in random_state"
        in em("bootstrap", "f.em", "-B", "60", "-o", "parts", "--resume", "--seed", "1", cwd=runs, status=2).err
    )
    em("bootstrap", "f.em", "-B", "60", "-o", "parts", "--searched", "4", "--resume", cwd=runs)
    for name in ("intervals.csv", "bootstrap.csv", "bootstrap.json"):
        assert (runs / "whole" / name).read_bytes() == (runs / "parts" / name).read_bytes(), name


def test_resamples_are_searched_for_better_solutions(runs, tmp_path):
    """Of two components of Old Faithful there are none; of three where there are two, there are many."""
    text = " ".join(em("bootstrap", "f.em", "-B", "20", "--searched", "8", "--force", cwd=runs).out.split())
    assert "In none of 8 that were searched anew" in text
    x = np.random.default_rng(2).normal(6.0 * (np.arange(90) % 2), 1)
    pd.DataFrame({"x": x}).to_csv(tmp_path / "x.csv", index=False)
    em("fit", "x.csv", "-k", "3", "--effort", "low", "-q", "--out", "x.em", cwd=tmp_path)
    document = json.loads(em("bootstrap", "x.em", "-B", "30", "--json", cwd=tmp_path).out)
    assert 0 < document["better_elsewhere"] <= document["searched"] <= 30
    refused = em("bootstrap", "x.em", "--kind", "parametric", "--searched", "5", "--force", cwd=tmp_path, status=2)
    assert "nonparametric or weighted" in refused.err


def test_the_jackknife_leaves_out_each_row_once(tmp_path):
    """For one normal distribution it is the closed form: the error of the mean is s / √n."""
    shutil.copy(SAMPLES / "six.csv", tmp_path)
    em("fit", "six.csv", "-k", "1", "-q", "--out", "six.em", cwd=tmp_path)
    refused = em("bootstrap", "six.em", "--kind", "jackknife", "-B", "50", cwd=tmp_path, status=2)
    assert "leaves out each row once" in refused.err
    rng = np.random.default_rng(0)
    pd.DataFrame({"x": rng.normal(size=40)}).to_csv(tmp_path / "x.csv", index=False)
    em("fit", "x.csv", "-k", "1", "-q", "--out", "x.em", cwd=tmp_path)
    document = json.loads(em("bootstrap", "x.em", "--kind", "jackknife", "--json", cwd=tmp_path).out)
    x = pd.read_csv(tmp_path / "x.csv")["x"]
    assert document["replicates"] == 40
    assert by_name(document)["mean[1][1]"]["se_bootstrap"] == pytest.approx(x.std(ddof=1) / np.sqrt(40), rel=1e-3)
    assert by_name(document)["weights[1]"]["verdict"] == "fixed"


def test_intervals_are_withheld_where_components_are_lost(tmp_path):
    """A component of three rows is not in every resample."""
    rng = np.random.default_rng(3)
    rows = np.concatenate([rng.normal(0, 1, 60), [30, 31.2, 32.1]])
    pd.DataFrame({"x": rows}).to_csv(tmp_path / "x.csv", index=False)
    em("fit", "x.csv", "-k", "2", "-q", "--out", "x.em", "--type", "x=numeric", cwd=tmp_path)
    text = em("bootstrap", "x.em", "-B", "60", "--searched", "0", cwd=tmp_path).out
    document = json.loads((tmp_path / "x.em/bootstrap.json").read_text())
    share = f"{document['lost'] / 60:.0%}"
    assert f"No interval for component 2, nor for the weights: {share} of the replicates lost it." in " ".join(
        text.split()
    )
    told = by_name(document)
    assert document["lost"] > 3 and told["mean[2][1]"]["share_lost"] == document["lost"] / 60
    assert {told[name]["verdict"] for name in ("mean[2][1]", "sd[2][1]", "weights[1]", "weights[2]")} == {"withheld"}
    assert told["mean[1][1]"]["verdict"] == "ok" and told["mean[1][1]"]["share_lost"] == 0
    lines = pd.read_csv(tmp_path / "x.em/bootstrap.csv", dtype=str, keep_default_na=False)
    assert (lines["lost"][lines["verdict"] == "lost"] == "2").all() and (lines["lost"] != "").sum() == document["lost"]


def test_files_are_of_the_run(runs):
    text = em("bootstrap", "f.em", "-B", "20", "--searched", "0", "--force", cwd=runs).out
    assert "20 nonparametric replicates: 20 kept." in text and max(map(len, text.splitlines())) <= 80
    assert "--force" in em("bootstrap", "f.em", "-B", "20", cwd=runs, status=4).err
    em("fit", "faithful.csv", "-k", "2", "-q", "--force", "--out", "f.em", "--tol", "1e-6", "--effort", "low", cwd=runs)
    assert not (runs / "f.em/bootstrap.csv").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-B", "3"), "-B or --replicates must be from 20"),
        (("--kind", "parametrik"), "--kind 'parametrik' is unknown. Did you mean 'parametric'?"),
        (("--level", "95"), "--level must be from 0.5 up and below 1"),
        (("--time-limit", "soon"), "'soon' is not a length of time"),
        (("--time-limit", "0", "--force"), "--time-limit"),
    ],
)
def test_mistakes_are_told(options, words, runs):
    assert words in em("bootstrap", "f.em", *options, cwd=runs, status=2).err


def test_intervals_stay_in_the_range_of_a_number():
    rng = np.random.default_rng(1)
    near_one = 1 / (1 + np.exp(-rng.normal(3, 1, 500)))
    found = interval(0.95, near_one, 0.95, "logit")
    assert 0 < found.low < 0.95 < found.high < 1 and found.scale == "logit"
    found = interval(1.0, np.exp(rng.normal(0, 1, 500)), 0.95, "log")
    assert found.low > 0 and found.low * found.high == pytest.approx(1)
    assert interval(0.5, np.array([0.0, 0.4, 1.0]), 0.95, "logit").scale == "identity"


@pytest.mark.parametrize(
    ("name", "of_type", "scale"),
    [
        ("transmat[1][2]", None, "logit"),
        ("groups[2].coefficients[1][2]", "count", "identity"),  # whatever the column of its term
        ("groups[1].log_means[1][1]", "positive", "identity"),
        ("loadings[1][2][2]", None, "identity"),
        ("covariances[1][2][1]", None, "identity"),
        ("covariances[1][2][2]", None, "log"),
        ("scales[2][1]", None, "identity"),  # of all components
        ("scales[2][2]", None, "log"),
        ("sd[1][1]", "numeric", "log"),
        ("mean[1][1]", "numeric", "identity"),
        ("mean[1][1]", "count", "log"),
        ("mean[1][1]", "proportion", "logit"),
    ],
)
def test_the_scale_of_an_interval_is_that_of_the_number(name, of_type, scale):
    quantities = {
        "transmat": Quantity.PROBABILITY,
        "groups[2].coefficients": Quantity.REAL,
        "groups[1].log_means": Quantity.REAL,
        "loadings": Quantity.LOADING,
        "covariances": Quantity.COVARIANCE,
        "scales": Quantity.COVARIANCE,
    }
    assert scale_of(name, quantities, of_type) == scale


def test_numbers_are_known_by_column_term_and_level():
    columns = [{"name": "c", "levels": ["u", "v"]}, {"name": "y"}, {"name": "x"}]
    groups = [
        {"columns": ["y", "x"], "design": ["intercept", "x"], "family": "poisson"},
        {"columns": ["c"], "family": "categorical"},
        {"columns": ["y", "x"], "family": "lognormal"},
        {"columns": ["a", "of_a", "b", "of_b"], "family": "binomial", "probabilities": [[0.1, 0.2]] * 2},
    ]
    document = {"feature_names_in": ["c", "y", "x"], "columns": columns, "groups": groups}
    expected = {
        "weights[2]": (2, None, None),
        "groups[2].probabilities[2][1][2]": (2, "c", "v"),
        "groups[1].coefficients[1][2]": (1, "x", None),
        "groups[1].rates[2][1]": (2, "y", None),
        "groups[3].log_means[2][1]": (2, "y", None),
        "groups[4].probabilities[1][2]": (1, "b", None),
        "mean[1][3]": (1, "x", None),
        "transmat[2][1]": (2, None, None),
    }
    assert {name: tuple(place_of(name, document).values()) for name in expected} == expected


def test_columns_of_several_types_and_missing_cells(tmp_path):
    em("fit", SAMPLES / "penguins.csv", "-k", "3", "--effort", "low", "-q", "--out", "p.em", cwd=tmp_path)
    document = json.loads(em("bootstrap", "p.em", "-B", "20", "--searched", "3", "--json", cwd=tmp_path).out)
    own = by_name(document)
    assert document["kept"] == 20
    sex = next(one for name, one in own.items() if ".probabilities[2]" in name and one["verdict"] == "ok")
    assert sex["component"] == 2 and sex["scale"] == "logit" and sex["se_observed"] is not None
    assert {one["verdict"] for one in own.values()} == {"ok", "fixed"}
    assert own["mean[1][3]"]["column"] is not None


def test_mixing_weights_that_depend_on_columns_are_resampled_and_reported(tmp_path):
    regression = ("--response", "body_mass_g", "--on", "flipper_length_mm", "--concomitant", "sex", "--missing", "drop")
    em("fit", SAMPLES / "penguins.csv", "-k", "2", *regression, "--effort", "low", "-q", "--out", "p.em", cwd=tmp_path)
    document = json.loads(em("bootstrap", "p.em", "-B", "20", "--searched", "3", "--json", cwd=tmp_path).out)
    assert document["kept"] > 10 and by_name(document)["mean[1][1]"]["column"] == "body_mass_g"
    told = {name: (one["component"], one["column"]) for name, one in by_name(document).items()}
    assert told["concomitant.coefficients[1][2]"] == (2, "sex=male")
    assert told["coefficients[1][2]"] == (1, "flipper_length_mm")
    em("report", "p.em", cwd=tmp_path)
    assert "flipper_length_mm" in (tmp_path / "p.em/report.html").read_text()


@pytest.fixture(scope="module")
def in_groups(tmp_path_factory):
    """Groups of five rows that share their component, which also follow each other in time."""
    folder, rng = tmp_path_factory.mktemp("groups"), np.random.default_rng(8)
    unit = np.arange(100) // 5
    x = rng.normal(np.where(unit % 3 == 0, 6, 0), 1)
    pd.DataFrame({"x": np.round(x, 4), "unit": unit, "one": 1}).to_csv(folder / "g.csv", index=False)
    return folder


@pytest.mark.parametrize("options", [("--group", "unit"), ("--latent", "markov", "--sequence", "unit")])
def test_rows_in_groups_are_drawn_by_these(options, in_groups):
    fit = ("fit", "g.csv", "--columns", "x", "-k", "2", *options)
    em(*fit, "--effort", "low", "-q", "--force", "--out", "g.em", cwd=in_groups)
    for kind in ("nonparametric", "jackknife", "parametric"):
        more = () if kind == "jackknife" else ("-B", "20")
        told = ("bootstrap", "g.em", "--kind", kind, "--json", "--force", *more)
        document = json.loads(em(*told, cwd=in_groups).out)
        assert document["replicates"] == 20 and document["kept"] >= 18
        error = by_name(document)["mean[1][1]"]["se_bootstrap"]
        assert 0.4 < error / (1 / np.sqrt(100 * document["intervals"][0]["estimate"])) < 2


def test_one_sequence_is_resampled_from_the_fit_alone(in_groups):
    fit = ("fit", "g.csv", "--columns", "x", "-k", "2", "--latent", "markov", "--sequence", "one")
    em(*fit, "--effort", "low", "-q", "--force", "--out", "one.em", cwd=in_groups)
    refused = em("bootstrap", "one.em", "-B", "20", cwd=in_groups, status=2).err
    assert "--kind parametric draws rows from the fit" in refused
    told = em("bootstrap", "one.em", "-B", "20", "--kind", "parametric", "--json", cwd=in_groups).out
    assert json.loads(told)["kept"] >= 18


def test_weights_that_count_rows_are_as_many_rows(tmp_path):
    x = np.round(np.random.default_rng(4).normal(size=30), 3)
    pd.DataFrame({"x": x, "w": 2}).to_csv(tmp_path / "w.csv", index=False)
    pd.DataFrame({"x": np.repeat(x, 2)}).to_csv(tmp_path / "twice.csv", index=False)
    em("fit", "w.csv", "-k", "1", "--weights", "w", "-q", "--out", "w.em", cwd=tmp_path)
    em("fit", "twice.csv", "-k", "1", "-q", "--out", "twice.em", cwd=tmp_path)
    runs = [
        json.loads(em("bootstrap", f"{name}.em", "-B", "20", "--searched", "2", "--json", cwd=tmp_path).out)
        for name in ("w", "twice")
    ]
    one, other = (by_name(run)["mean[1][1]"]["se_bootstrap"] for run in runs)
    assert one == pytest.approx(other, rel=1e-6)


def test_levels_have_no_mean_and_the_page_keeps_to_the_terminal(tmp_path):
    """Where a component has one level only, codes have a standard deviation of 1e-152, and no error of it."""
    em("fit", SAMPLES / "penguins.csv", "-k", 3, "--restarts", 1, "-q", "-o", "p", cwd=tmp_path)
    said = em("bootstrap", "p", "-B", 20, "--searched", 0, cwd=tmp_path, env={"COLUMNS": "80"}).out
    assert "bill_length_mm" in said and "species" not in said
    assert all(len(line) <= 80 for line in said.splitlines())


@pytest.mark.parametrize(("factors", "told"), [(1, True), (2, False)])
def test_loadings_on_several_factors_have_no_errors(factors, told, tmp_path):
    """A rotation changes them and nothing else; of means and standard deviations both ways tell the same."""
    shutil.copy(SAMPLES / "diabetes.csv", tmp_path)
    family = ("--family", "factor_analyzers", "--set", f"family_options.n_factors={factors}")
    options = ("--exclude", "patient,class", *family, "--se", "observed", "--effort", "low", "-q")
    em("fit", "diabetes.csv", "-k", "1", *options, "--out", "f.em", cwd=tmp_path)
    rows = json.loads(em("bootstrap", "f.em", "-B", "60", "--json", cwd=tmp_path).out)["intervals"]
    assert any(row["parameter"].startswith("loadings[") for row in rows) == told
    observed = json.loads((tmp_path / "f.em/params.json").read_text())["standard_errors"]["observed"]
    assert ("loadings" in observed) == told and "means" in observed
    for row in rows:
        if row["parameter"].startswith(("mean[", "sd[")):
            assert row["se_bootstrap"] == pytest.approx(row["se_robust"], rel=0.5)
