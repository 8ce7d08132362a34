"""`em score --drift`: whether new rows still follow the model."""

import json

import numpy as np
import pandas as pd
import pytest
from program import em
from scipy.stats import chi2, norm

from em_cli.inference.comparison import likelihood_ratio
from em_cli.inference.drift import column_drift, density_drift, level_drift, share_drift, together


def rows_of(n, seed, centre=6.0, share=0.4, often=0.8, names=("a", "b")):
    rng = np.random.default_rng(seed)
    second = rng.random(n) < share
    x = np.round(rng.normal(np.where(second, centre, 0), 1), 4)
    level = np.where(rng.random(n) < np.where(second, often, 1 - often), *names)
    return pd.DataFrame({"x": np.where(rng.random(n) < 0.05, np.nan, x), "level": level, "unit": np.arange(n) // 5})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drift")
    rows_of(300, 1).to_csv(folder / "then.csv", index=False)
    rows_of(300, 2).to_csv(folder / "same.csv", index=False)
    rows_of(300, 3, share=0.7).to_csv(folder / "shares.csv", index=False)
    rows_of(300, 4, centre=9.0).to_csv(folder / "moved.csv", index=False)
    rows_of(300, 5, often=0.95).to_csv(folder / "levels.csv", index=False)
    em("fit", "then.csv", "--columns", "x,level", "-k", "2", "-q", "--effort", "low", "--out", "m.em", cwd=folder)
    return folder


def drift(home, data, *options, model="m.em", status=0):
    outcome = em("score", model, data, "--drift", *options, cwd=home, status=status)
    return json.loads(outcome.out), outcome.err


def test_rows_of_the_same_kind_have_not_drifted(home):
    document, err = drift(home, "same.csv", "--strict")
    found = document["drift"]
    assert not found["drifted"] and "do not follow" not in err and document["n_samples"] == 300
    assert abs(found["log_density"]["z"]) < 3 and all(one["p"] > 0.01 for one in found["shares"] + found["columns"])
    assert [one["column"] for one in found["columns"]] == ["x", "level"]


def test_what_was_fitted_is_compared_with_itself(home):
    """But for the optimism of p / n, the means are the same."""
    found = drift(home, "then.csv")[0]["drift"]
    own = json.loads((home / "m.em/params.json").read_text())
    known = own["row_scores"]
    assert found["log_density"]["new"] == pytest.approx(found["log_density"]["fitted"], rel=1e-9)
    assert known["log_density_mean"] == pytest.approx(own["lower_bound"], rel=1e-9)
    assert known["share_mean"] == pytest.approx(own["weights"], abs=1e-3)
    error = known["log_density_sd"] * np.sqrt(2 / 300)
    assert found["log_density"]["z"] == pytest.approx(own["n_parameters"] / 300 / error, rel=1e-6)


def test_weights_count_in_every_comparison():
    """A row of weight two is the row twice; under weights, cells are not distributed as they stand in the file."""
    rng = np.random.default_rng(0)
    values, drawn = np.round(rng.normal(size=60), 1), rng.normal(size=500)
    often = rng.integers(1, 4, 60)
    twice, total, one = np.repeat(values, often), float(often.sum()), np.ones(int(often.sum()))
    assert column_drift(values, often, total, drawn, 150) == column_drift(twice, one, total, drawn, 150)
    codes, of_model = (np.abs(np.rint(each)) % 3 for each in (values, drawn))
    levels = level_drift(codes, often, total, of_model, 3, 150)
    assert levels == level_drift(np.repeat(codes, often), one, total, of_model, 3, 150)


def test_rows_of_a_table_of_frequencies_have_not_drifted_from_themselves(tmp_path):
    table = pd.DataFrame({"u": ["a", "a", "b", "b"], "v": ["c", "d", "c", "d"], "n": [400, 5, 70, 300]})
    table.to_csv(tmp_path / "n.csv", index=False)
    em("fit", "n.csv", "--weights", "n", "-k", "1", "--effort", "low", "-q", "--out", "m.em", cwd=tmp_path)
    found = drift(tmp_path, "n.csv", "--weights", "n", "--strict")[0]["drift"]
    assert not found["drifted"] and min(one["p"] for one in found["columns"]) > 0.5


@pytest.mark.parametrize(
    ("data", "worst"),
    [("shares.csv", "the share of"), ("moved.csv", ""), ("levels.csv", "")],
)
def test_rows_of_another_kind_have(data, worst, home):
    document, err = drift(home, data, "--strict", status=6 if data != "levels.csv" else 0)
    found = document["drift"]
    assert (
        found["drifted"] == (data != "levels.csv") and ("do not follow the model any more" in err) == found["drifted"]
    )
    assert worst in err
    if data == "moved.csv":
        assert found["log_density"]["z"] < -5 and found["columns"][0]["p"] < 1e-4
    drift(home, data)  # without --strict it is a warning


def test_groups_of_rows_are_the_units(home):
    for latent in (("--group", "unit"), ("--latent", "markov", "--sequence", "unit")):
        fit = ("fit", "then.csv", "--columns", "x", "-k", "2", *latent)
        em(*fit, "-q", "--effort", "low", "--force", "--out", "g.em", cwd=home)
        found = drift(home, "same.csv", model="g.em")[0]["drift"]
        assert (found["n_fitted"], found["n_new"], found["columns"]) == (60, 60, []) and not found["drifted"]


def test_sizes_of_the_tests():
    """Nothing has changed: a test of 5 % rejects about as often; 200 pairs of samples."""
    rng, p = np.random.default_rng(3), {"density": [], "share": [], "column": [], "level": []}
    for _ in range(200):
        old, new, drawn = rng.normal(size=150), rng.normal(size=80), rng.normal(size=4000)
        mean, sd = old.mean(), old.std()
        log = [-0.5 * ((x - mean) / sd) ** 2 for x in (old, new)]
        (a, b), m = [(each.mean(), each.std()) for each in log], len(new)
        p["density"].append(density_drift((*a, 150), (*b, m), 2).p)
        p["share"].append(share_drift(old.mean(), old.std(), 150, new.mean(), new.std(), m).p)
        p["column"].append(column_drift(new, np.ones(len(new)), len(new), mean + sd * drawn, 150).p)
        levels = [rng.integers(0, 3, size) for size in (80, 4000)]
        p["level"].append(level_drift(levels[0], np.ones(len(levels[0])), len(levels[0]), levels[1], 3, 1e9).p)
    for values in p.values():
        assert 0.0 <= np.mean(np.array(values) < 0.05) < 0.115
    assert together([0.01], [], [0.5, 0.004]) == pytest.approx(0.016) and together([0.9], [0.8]) == 1.0


@pytest.mark.parametrize("z", [-2.0, 3.0, -11.25, -33.5, -50.0, 60.0])
def test_a_p_value_has_its_digits_however_small_and_is_never_none(z):
    sides = density_drift((0, 1, 1e300), (z, 1, 1), 0).p, share_drift(0, 1, 1e300, z, 1, 1).p
    least = np.finfo(float).tiny
    assert sides == pytest.approx((max(norm.cdf(z), least), max(2 * norm.sf(abs(z)), 2 * least)), rel=1e-9)
    chi2_p = likelihood_ratio(0, z * z / 2, 3).p
    assert chi2_p == pytest.approx(max(chi2.sf(z * z, 3), least), rel=1e-9)


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--strict",), "--strict is about --drift"), (("--drift", "--rows"), "leave out --rows")],
)
def test_mistakes_are_told(options, words, home):
    assert words in em("score", "m.em", "same.csv", *options, cwd=home, status=2).err


def test_a_model_that_does_not_say_what_its_rows_were_like_is_refused(home):
    document = json.loads((home / "m.em/params.json").read_text())
    for change, words in (({}, "does not speak of these components"), (None, "Fit it again")):
        own = {**document, "row_scores": {**document["row_scores"], "share_sd": [0.1]}}
        if change is None:
            own.pop("row_scores")
        (home / "old.json").write_text(json.dumps(own))
        assert words in em("score", "old.json", "same.csv", "--drift", cwd=home, status=3).err
