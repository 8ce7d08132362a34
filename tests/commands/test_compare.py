"""`em compare`: runs side by side."""

import json
import shutil
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from program import SAMPLES, em
from scipy.stats import chi2
from sklearn.metrics import adjusted_rand_score

from em_cli.inference.comparison import Gains, adjusted_rand, crosstab, nested, of_units, vuong
from em_cli.inference.matching import distances, matched

FITS = {
    "two": ("-k", "2"),
    "tied": ("-k", "2", "--covariance", "tied"),
    "three": ("-k", "3"),
    "diag": ("-k", "3", "--covariance", "diag"),
    "one": ("-k", "1"),
    "prior": ("-k", "2", "--prior", "weak"),
    "bound": ("-k", "2", "--inference", "variational"),
    "eruptions": ("-k", "2", "--columns", "eruptions"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    shutil.copy(SAMPLES / "faithful.csv", folder)
    for name, options in FITS.items():
        em("fit", "faithful.csv", *options, "--effort", "low", "-q", "--out", f"{name}.em", cwd=folder)
    return folder


def compared(runs, *names):
    return json.loads(em("compare", *names, "--json", cwd=runs).out)


def test_a_run_and_itself(runs):
    found = compared(runs, "two.em", "two.em")
    assert [run["run"] for run in found["runs"]] == ["two.em (1)", "two.em (2)"]
    assert [run["delta_bic"] for run in found["runs"]] == [0, 0]
    (pair,) = found["pairs"]
    assert pair["adjusted_rand"] == 1 and pair["n_rows_moved"] == 0 and pair["mean_difference"] == 0
    assert [(m["first"], m["second"], m["distance"]) for m in pair["matched"]] == [(1, 1, 0), (2, 2, 0)]
    assert all(mean["difference_in_errors"] == 0 for match in pair["matched"] for mean in match["means"])


def test_rows_that_depend_on_each_other_are_compared_by_sequences_and_groups(tmp_path):
    rng = np.random.default_rng(5)
    lines = ["s,x,y"]
    for name in range(12):
        x = rng.normal(size=20) + 3 * (np.arange(20) // 5 % 2)
        lines += [f"s{name},{value:.3f},{value + rng.normal() + name % 2:.3f}" for value in x]
    (tmp_path / "x.csv").write_text("\n".join(lines) + "\n")
    for name, options in {
        "chain": ("--latent", "markov", "--sequence", "s"),
        "other": ("--latent", "markov", "--sequence", "s", "--family", "student_t"),
        "whole": ("--latent", "markov"),
        "grouped": ("--group", "s"),
        "plain": (),
    }.items():
        em("fit", "x.csv", "-k", "2", "--columns", "x,y", *options, "--effort", "low", "--se", "none", "-q",
           "--out", f"{name}.em", cwd=tmp_path)  # fmt: skip
    names = ("chain", "other", "whole", "grouped", "plain")
    found = compared(tmp_path, *(f"{name}.em" for name in names))
    height = {run["run"]: run["log_likelihood"] for run in found["runs"]}
    pairs = {(pair["first"][:-3], pair["second"][:-3]): pair for pair in found["pairs"]}
    for pair in found["pairs"]:
        assert pair["mean_difference"] * 240 == pytest.approx(height[pair["first"]] - height[pair["second"]], abs=1e-6)
    assert "parameters held" in pairs["chain", "plain"]["vuong_withheld"]
    assert pairs["chain", "plain"]["adjusted_rand"] < 1 and len(pairs["chain", "grouped"]["matched"]) == 2
    assert pairs["chain", "other"]["vuong_z"] is not None and pairs["chain", "grouped"]["standard_error"] > 0
    assert "fewer than 10" in pairs["whole", "grouped"]["vuong_withheld"]
    assert pairs["whole", "plain"]["standard_error"] is None
    assert "nats per row" in em("compare", "whole.em", "plain.em", cwd=tmp_path).out


def test_gains_of_units_are_those_of_their_sums():
    rng = np.random.default_rng(2)
    first, second, units = rng.normal(size=90), rng.normal(size=90), np.repeat(np.arange(30), 3)
    ones = np.ones(90)
    rows = Gains.of(first - second, ones)
    found = vuong(rows, of_units(first - second, ones, rng.permutation(30)[units]), 0)
    sums = (first - second).reshape(30, 3).sum(axis=1)
    assert found.mean == pytest.approx(sums.sum() / 90)
    assert found.standard_error == pytest.approx(np.sqrt(30) * sums.std() / 90)
    assert found.z == pytest.approx(sums.sum() / (np.sqrt(30) * sums.std()))
    alone = vuong(rows, of_units(first - second, ones, np.arange(90)), 3)
    assert alone.z == pytest.approx(vuong(rows, None, 3).z)


def test_gains_add_over_parts_of_the_rows():
    rng = np.random.default_rng(5)
    gain, weights = 1e3 + 1e-3 * rng.normal(size=200), rng.integers(1, 4, 200).astype(float)
    whole = Gains.of(gain, weights)
    parts = [Gains.of(gain[some], weights[some]) for some in np.split(np.arange(200), [7, 7, 120])]
    added = sum(parts[1:], parts[0])
    assert added.n == 200 and astuple(added) == pytest.approx(astuple(whole), rel=1e-9)
    assert whole.scatter == pytest.approx(np.repeat(gain, weights.astype(int)).var() * weights.sum(), rel=1e-6)


def test_either_order(runs):
    (one,), (other,) = (compared(runs, *names)["pairs"] for names in (("two.em", "diag.em"), ("diag.em", "two.em")))
    assert one["mean_difference"] == -other["mean_difference"] and one["vuong_z"] == pytest.approx(-other["vuong_z"])
    assert one["adjusted_rand"] == pytest.approx(other["adjusted_rand"])
    assert sorted((m["first"], m["second"]) for m in one["matched"]) == sorted(
        (m["second"], m["first"]) for m in other["matched"]
    )
    assert len(one["unmatched_second"]) == 1 and one["unmatched_second"] == other["unmatched_first"]


def test_nested_structures_are_tested_by_the_likelihood_ratio(runs):
    found = compared(runs, "tied.em", "two.em")
    tied, two = found["runs"]
    (pair,) = found["pairs"]
    statistic = 2 * (two["log_likelihood"] - tied["log_likelihood"])
    assert pair["likelihood_ratio"]["df"] == 3 and pair["likelihood_ratio"]["statistic"] == pytest.approx(statistic)
    assert pair["likelihood_ratio"]["p"] == pytest.approx(chi2.sf(statistic, 3))
    assert compared(runs, "two.em", "three.em")["pairs"][0]["likelihood_ratio"] is None
    assert compared(runs, "two.em", "two.em")["pairs"][0]["vuong_withheld"] == "both are of one model"
    assert two["bayes_factor"] == 1 or tied["bayes_factor"] == 1
    assert nested("EEE", "VVV") and nested("EEI", "EEE") and not nested("EVI", "VEI") and not nested("VVV", "VVV")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ("prior", "prior.em is not at a maximum of the likelihood"),
        ("bound", "bound.em is not at a maximum of the likelihood"),
        ("three", "two.em is three.em with parameters held"),
        ("tied", "tied.em is two.em with parameters held"),
    ],
)
def test_vuong_is_withheld_where_it_does_not_hold(runs, other, reason):
    """Of fits that do not maximise the likelihood, and of nested ones, z is not normal."""
    (pair,) = compared(runs, "two.em", f"{other}.em")["pairs"]
    assert pair["vuong_z"] is None and pair["vuong_withheld"] == reason
    assert pair["mean_difference"] is not None and pair["standard_error"] > 0


def test_tables_say_what_the_document_says(runs):
    said = em("compare", "two.em", "three.em", "-o", "tables", cwd=runs).out
    folder = runs / "tables"
    document = json.loads((folder / "compare.json").read_text())
    assert document == compared(runs, "two.em", "three.em") and "two.em against three.em" in said
    table, (pair,) = pd.read_csv(folder / "compare.csv"), document["pairs"]
    assert table["bic"].tolist() == [run["bic"] for run in document["runs"]]
    matches = pd.read_csv(folder / "matched.csv")
    assert len(matches) == 4 and matches["mean_second"].tolist() == [
        mean["second"] for match in pair["matched"] for mean in match["means"]
    ]
    rows = pd.read_csv(folder / "rows.csv")
    assert len(rows) == pair["n_rows_moved"] and rows["row"].between(1, 272).all()
    posteriors = pd.read_csv(runs / "two.em" / "responsibilities.csv").set_index("row").loc[rows["row"]]
    assert posteriors["component"].tolist() == rows["component_first"].tolist()
    assert "exists" in em("compare", "two.em", "three.em", "-o", "tables", cwd=runs, status=4).err


def test_models_that_are_others_with_parameters_held_are_known_by_what_they_declare(tmp_path):
    """A t mixture is nested in another as a Gaussian one is, and any in the same with noise."""
    rng = np.random.default_rng(8)
    label = rng.integers(0, 2, 240)
    rows = rng.standard_t(6, (240, 2)) * np.where(label, 1.0, 2.0)[:, None] + 7 * label[:, None]
    lines = [f"{a:.4f},{b:.4f}" for a, b in rows.tolist()]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *lines]) + "\n")
    common = ("fit", "t.csv", "-k", "2", "--effort", "low", "-q")
    for name, options in {
        "t": ("--family", "student_t"),
        "tied": ("--family", "student_t", "--covariance", "tied"),
        "plain": (),
        "noise": ("--noise",),
    }.items():
        em(*common, *options, "--out", f"{name}.em", cwd=tmp_path)
    (pair,) = compared(tmp_path, "t.em", "tied.em")["pairs"]
    found = compared(tmp_path, "t.em", "tied.em")["runs"]
    df = found[0]["n_parameters"] - found[1]["n_parameters"]
    statistic = 2 * (found[0]["log_likelihood"] - found[1]["log_likelihood"])
    assert pair["likelihood_ratio"]["df"] == df == 3
    assert pair["likelihood_ratio"]["p"] == pytest.approx(chi2.sf(statistic, 3))
    withheld = {
        names: compared(tmp_path, *(f"{name}.em" for name in names))["pairs"][0]["vuong_withheld"]
        for names in (("t", "tied"), ("plain", "noise"), ("plain", "t"))
    }
    assert withheld == {
        ("t", "tied"): "tied.em is t.em with parameters held",
        ("plain", "noise"): "plain.em is noise.em with parameters held",
        ("plain", "t"): None,
    }


def test_density_of_other_columns_is_not_compared(runs):
    found = compared(runs, "two.em", "eruptions.em")
    assert not found["comparable"] and all(run["delta_bic"] is None for run in found["runs"])
    (pair,) = found["pairs"]
    assert pair["mean_difference"] is None and pair["adjusted_rand"] > 0.95
    assert [match["distance"] for match in pair["matched"]] == [None, None]
    text = em("compare", "two.em", "eruptions.em", cwd=runs).out
    assert "BIC is not compared" in " ".join(text.split())


def test_likelihoods_of_other_rows_or_under_a_prior_or_given_columns_are_not_compared(tmp_path):
    """BIC of unlike n, of a penalised fit beside another, or of a density given other columns, is never subtracted."""
    rng = np.random.default_rng(4)
    x = rng.normal(20 + 5 * rng.integers(0, 2, 120), 1)
    rows = pd.DataFrame({"x": x, "y": 2 * x + rng.normal(size=120)}).round(4)
    rows.loc[::6, "y"] = np.nan
    rows.to_csv(tmp_path / "d.csv", index=False)
    common = ("fit", "d.csv", "-k", "2", "--effort", "low", "-q")
    for name, options in {
        "all": (),
        "tied": ("--covariance", "tied"),
        "otherwise": ("--type", "x=lognormal", "--transform", "y=log"),
        "dropped": ("--missing", "drop"),
        "prior": ("--prior", "weak", "--covariance", "tied"),
        "given": ("--response", "y", "--on", "x"),
    }.items():
        em(*common, *options, "--out", f"{name}.em", cwd=tmp_path)
    for other in ("dropped", "prior", "given"):
        found = json.loads(em("compare", "all.em", f"{other}.em", "--json", cwd=tmp_path).out)
        assert [run["delta_bic"] for run in found["runs"]] == [None, None], other
        assert found["pairs"][0]["likelihood_ratio"] is None, other
    assert found["pairs"][0]["mean_difference"] is None, "densities of y given x, and of both"
    found = json.loads(em("compare", "all.em", "tied.em", "--json", cwd=tmp_path).out)
    assert found["comparable"] and found["pairs"][0]["likelihood_ratio"]["df"] == 3
    found = json.loads(em("compare", "all.em", "otherwise.em", "--json", cwd=tmp_path).out)
    one, other = (run["delta_bic"] for run in found["runs"])
    assert found["comparable"] and found["pairs"][0]["likelihood_ratio"] is None
    gained = 2 * 120 * found["pairs"][0]["mean_difference"]
    more = found["runs"][1]["n_parameters"] - found["runs"][0]["n_parameters"]
    assert other - one == pytest.approx(gained + more * np.log(120))


def test_other_data_need_rows_to_be_judged_by(runs, tmp_path):
    rows = pd.read_csv(SAMPLES / "faithful.csv")
    rows.iloc[::2].to_csv(runs / "half.csv", index=False)
    em("fit", "half.csv", "-k", "2", "--effort", "low", "-q", "--out", "half.em", cwd=runs)
    refused = em("compare", "two.em", "half.em", cwd=runs, status=2).err
    assert "--data FILE" in refused
    found = json.loads(em("compare", "two.em", "half.em", "--data", "faithful.csv", "--json", cwd=runs).out)
    assert not found["comparable"] and found["n_rows"] == 272
    assert found["pairs"][0]["mean_difference"] > 0, "the first was fitted to all of them"


def test_it_is_readable(runs):
    text = em("compare", "two.em", "three.em", "diag.em", cwd=runs).out
    assert max(map(len, text.splitlines())) <= 80
    assert "two.em against three.em" in text and "Only in the second: component" in text
    assert "ΔBIC" in text and "(Vuong z" in " ".join(text.split())


def test_rows_that_can_be_read_once_are_refused(runs):
    """Each run reads them: the second would find none."""
    refused = em("compare", "two.em", "three.em", "--data", "-", cwd=runs, status=2, stdin="x\n1\n").err
    assert "standard input can be read once: name a file" in refused


@pytest.mark.parametrize("gaps", [False, True])
def test_what_is_said_does_not_depend_on_how_many_rows_are_read_at_once(tmp_path, gaps):
    """Nor do rows that move, where one of the models has no scores of some of the rows."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(30_000, 2)) + 3 * rng.integers(0, 3, 30_000)[:, None]
    x[::5, 1] = np.nan if gaps else x[::5, 1]
    rows = pd.DataFrame(x, columns=["a", "b"])
    rows.to_csv(tmp_path / "all.csv", index=False, float_format="%.4f")
    fit = ("fit", "all.csv", "--effort", "low", "--max-iter", "9", "--se", "none", "-q")
    em(*fit, "-k", "2", "--out", "2.em", cwd=tmp_path)
    em(*fit, "-k", "3", "--missing", "drop", "--out", "3.em", cwd=tmp_path)
    found = compared(tmp_path, "2.em", "3.em", "--data", "all.csv")
    for place in range(3):
        rows[place::3].to_csv(tmp_path / f"part{place}.csv", index=False, float_format="%.4f")
    parts = [text for place in range(3) for text in ("--data", f"part{place}.csv")]
    apart = compared(tmp_path, "2.em", "3.em", *parts)
    (one,), (other,) = found.pop("pairs"), apart.pop("pairs")
    numbers = ("mean_difference", "standard_error", "adjusted_rand", "n_rows_moved")
    assert [one[name] for name in numbers] == pytest.approx([other[name] for name in numbers], rel=1e-9)
    assert found["n_rows"] == apart["n_rows"] == 30_000
    em("compare", "2.em", "3.em", *parts, "-o", "out", cwd=tmp_path)
    assert len(pd.read_csv(tmp_path / "out" / "rows.csv")) == one["n_rows_moved"]


def test_sequences_are_not_cut_where_rows_are_read_in_pieces(tmp_path):
    rng = np.random.default_rng(8)
    steps = np.repeat(rng.integers(0, 2, 600), 20)
    rows = pd.DataFrame({"s": np.repeat(np.arange(40), 300), "x": rng.normal(size=12_000) + 3 * steps})
    for part, some in enumerate((rows[:6000], rows[6000:])):
        some.to_csv(tmp_path / f"part{part}.csv", index=False, float_format="%.4f")
    fit = ("fit", "part0.csv", "part1.csv", "--columns", "x", "-k", "2", "--effort", "low", "--se", "none", "-q")
    em(*fit, "--latent", "markov", "--sequence", "s", "--out", "chain.em", cwd=tmp_path)
    em(*fit, "--out", "plain.em", cwd=tmp_path)
    (pair,) = compared(tmp_path, "chain.em", "plain.em")["pairs"]
    chain, plain = (json.loads((tmp_path / f"{run}.em" / "params.json").read_text()) for run in ("chain", "plain"))
    gained = (chain["log_likelihood"] - plain["log_likelihood"]) / 12_000
    assert pair["mean_difference"] == pytest.approx(gained) and pair["standard_error"] > 0


def test_one_run_is_none_to_compare(runs):
    assert "at least two" in em("compare", "two.em", cwd=runs, status=2).err


@pytest.mark.parametrize("sizes", [(1, 1), (1, 3), (3, 3), (2, 7)])
def test_adjusted_rand_is_that_of_scikit_learn(sizes):
    rng = np.random.default_rng(sum(sizes))
    first, second = (rng.integers(0, size, 200) for size in sizes)
    counts = crosstab(first, second, np.ones(200), sizes)
    assert adjusted_rand(counts) == pytest.approx(adjusted_rand_score(first, second), abs=1e-12)


@pytest.mark.parametrize("k", [2, 5, 20])
def test_a_permuted_copy_is_recognised(k):
    rng = np.random.default_rng(k)
    log_density = rng.normal(size=(k, 300)) * 3
    r = np.exp(log_density) / np.exp(log_density).sum(axis=0)
    order = rng.permutation(k)
    found = matched(distances(r, log_density, r[order], log_density[order]))
    assert (order[found.second] == found.first).all() and found.distance.max() < 1e-9 and not found.ambiguous


def test_weights_say_how_many_rows_each_is(tmp_path):
    """Runs on a table of frequencies are compared as runs on the rows that it counts."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"x": np.round(np.r_[rng.normal(size=12), rng.normal(6, 1, 8)], 2)})
    table["n"] = rng.integers(1, 6, 20)
    table.to_csv(tmp_path / "n.csv", index=False)
    table.loc[table.index.repeat(table.n), ["x"]].to_csv(tmp_path / "rows.csv", index=False)
    told = []
    for data, options in (("n.csv", ("--weights", "n")), ("rows.csv", ())):
        for k in ("1", "2"):
            em("fit", data, "-k", k, *options, "--effort", "low", "-q", "--force", "--out", f"{k}.em", cwd=tmp_path)
        document = compared(tmp_path, "1.em", "2.em")
        one, two = document["runs"]
        (pair,) = document["pairs"]
        assert document["n_rows"] == table.n.sum()
        assert pair["mean_difference"] * table.n.sum() == pytest.approx(one["log_likelihood"] - two["log_likelihood"])
        numbers = ("mean_difference", "standard_error", "adjusted_rand", "n_rows_moved")
        told.append([*(pair[name] for name in numbers), two["entropy_r2"], two["mean_log_density"]])
    assert told[0] == pytest.approx(told[1], rel=1e-3)
