"""Standard errors in the files of a run: against published values, and where there are none."""

import json

import numpy as np
import pandas as pd
import pytest
from program import SAMPLES, em

QUIET = ("-q", "--json", "--tol", "1e-7", "--effort", "low")


def errors(tmp_path, *arguments):
    return json.loads(em("fit", *arguments, *QUIET, cwd=tmp_path).out)["standard_errors"]


@pytest.mark.parametrize(
    ("arguments", "observed", "robust"),
    [
        (
            ("-k", "2"),
            {"weight": 0.0290891, "eruptions": 0.0314031, "waiting": 0.4561857},
            {"weight": 0.0291026, "eruptions": 0.0319424, "waiting": 0.4608483},
        ),
        (
            ("-k", "2", "--columns", "eruptions"),
            {"weight": 0.0291890, "eruptions": 0.0341098},
            {"weight": 0.0294371, "eruptions": 0.0376203},
        ),
    ],
)
def test_old_faithful(arguments, observed, robust, tmp_path):
    """From an independent Hessian in extended precision (fourth-order differences of the log-density)."""
    found = errors(tmp_path, SAMPLES / "faithful.csv", *arguments)
    for kind, expected in (("observed", observed), ("robust", robust)):
        component = found[kind]["components"][0]
        flat = {"weight": component["weight"]} | component["mean"]
        assert flat == pytest.approx(expected, rel=1e-4)
    assert found["reported"] == "observed" and found["hardly_told"] == []


def test_a_model_in_doubt_reports_the_robust_ones(tmp_path):
    found = errors(tmp_path, SAMPLES / "faithful.csv", "-k", "3", "--covariance", "tied")
    assert found["reported"] == "robust" and found["robust_ratio"] > 1.25
    asked = errors(tmp_path, SAMPLES / "faithful.csv", "-k", "3", "--covariance", "tied", "--se", "observed")
    assert asked["reported"] == "observed" and asked["robust"] == found["robust"]


def test_parameters_that_the_data_hardly_tell_apart_are_named(tmp_path):
    found = errors(tmp_path, SAMPLES / "deaths.csv", "-k", "2", "--family", "poisson")
    assert found["information_left"] == pytest.approx(0.0043338, rel=1e-3)
    assert "weights[1]" in found["hardly_told"]
    assert found["observed"]["rates"][0] == pytest.approx([0.25], abs=0.01)


def test_errors_move_with_units_and_origin(tmp_path):
    rows = pd.read_csv(SAMPLES / "faithful.csv")
    (1e9 + rows * 1e3).to_csv(tmp_path / "moved.csv", index=False)
    here, there = (
        errors(tmp_path, path, "-k", "2")["observed"] for path in (SAMPLES / "faithful.csv", tmp_path / "moved.csv")
    )
    assert np.allclose(np.array(there["means"]) / 1e3, here["means"], rtol=1e-5)
    assert np.allclose(np.array(there["covariances"]) / 1e6, here["covariances"], rtol=1e-5)


def test_a_probability_at_its_bound_has_none(tmp_path):
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, 200)
    rows = pd.DataFrame(
        {"x": rng.normal(8 * group, 1).round(4), "c": np.where(group, "u", rng.choice(["u", "v"], 200))}
    )
    rows.to_csv(tmp_path / "x.csv", index=False)
    every = errors(tmp_path, "x.csv", "-k", "2")
    found = every["observed"]
    assert any("probabilities" in name and "end of its range" in why for name, why in every["without"].items())
    (levels,) = (group["probabilities"] for group in found["groups"] if "probabilities" in group)
    assert sorted(level is None for component in levels for level in np.ravel(component)) in (
        [False, True],
        [False] * 2 + [True] * 2,
    )


def test_a_variance_at_its_floor_has_none(tmp_path):
    """And the mean of rows that are all alike has no robust one: their scores are zero."""
    x = [*np.random.default_rng(1).normal(0, 1, 60).round(2), *np.full(40, 5.0)]
    (tmp_path / "alike.csv").write_text("\n".join(map(str, ["x", *x])) + "\n")
    every = errors(tmp_path, "alike.csv", "-k", "2", "--family", "gaussian", "--se", "robust")
    assert "end of its range" in every["without"]["covariances[2][1][1]"]
    for kind in ("observed", "robust"):
        (spread,), (other,) = every[kind]["covariances"]
        assert other == [None] and spread[0] > 0
    assert every["observed"]["means"][1][0] > 0 and every["robust"]["means"][1] == [None]
    assert every["observed"]["weights"][0] == pytest.approx(np.sqrt(0.6 * 0.4 / 100), rel=1e-4)


def test_sequences_have_them_too(tmp_path):
    """Robust ones by sequence, of which there must be more than parameters: the scores of one add up to nothing."""
    rng = np.random.default_rng(1)
    state = np.cumsum(rng.random(300) < 0.1) % 2
    chain = pd.DataFrame({"x": rng.normal(4 * state, 1), "s": np.arange(300) // 15})
    chain.to_csv(tmp_path / "chain.csv", index=False)
    options = ("chain.csv", "--columns", "x", "-k", "2", "--latent", "markov", "--se", "robust")
    found = errors(tmp_path, *options, "--sequence", "s")
    assert found["reported"] == "robust" and np.isfinite(np.array(found["observed"]["transmat"])).all()
    one = errors(tmp_path, *options)
    assert one["reported"] == "observed" and "robust" not in one and "there is 1" in one["reason"]


def test_none_are_there_where_none_were_asked_for(tmp_path):
    found = errors(tmp_path, SAMPLES / "faithful.csv", "-k", "2", "--se", "none")
    assert found == {"reported": None, "reason": "they were not asked for."}


def test_none_are_there_at_no_maximum(tmp_path):
    """A start between two groups, left after one step."""
    (tmp_path / "x.csv").write_text("x\n" + "\n".join(f"{v}" for v in [*np.linspace(0, 1, 9), *np.linspace(9, 10, 9)]))
    start = {"weights": [0.5, 0.5], "means": [[4.9], [5.1]], "covariances": [[[20.0]], [[20.0]]]}
    (tmp_path / "start.json").write_text(json.dumps(start))
    options = ("-k", "2", "--start", "start.json", "--max-iter", "1", "-q", "--json")
    found = json.loads(em("fit", "x.csv", *options, cwd=tmp_path).out)["standard_errors"]
    assert found["reported"] is None and "no maximum" in found["reason"]


def test_other_kinds_are_refused(tmp_path):
    wrong = em("fit", SAMPLES / "faithful.csv", "-k", "2", "--se", "both", cwd=tmp_path, status=2)
    assert "--se" in wrong.err and "observed" in wrong.err


def test_what_memory_does_not_hold_is_refused_before_the_search_or_left_out(tmp_path, monkeypatch):
    rng = np.random.default_rng(2)
    pd.DataFrame(rng.normal(size=(300, 12))).add_prefix("x").to_csv(tmp_path / "rows.csv", index=False)
    arguments = ("fit", "rows.csv", "-k", "4", "--effort", "low", "--json", "-q")
    told = json.loads(em(*arguments, cwd=tmp_path).out)["standard_errors"]
    assert told["reported"] is not None  # of 363 parameters
    asked = (*arguments, "--se", "observed")
    assert json.loads(em(*asked, cwd=tmp_path).out)["standard_errors"]["reported"] == "observed"
    monkeypatch.setattr("em_cli.memory.available", lambda: 8 * 12 * 363**2 - 1)
    monkeypatch.setattr("em_cli.memory.check", lambda *_: None)  # the search itself would do
    refused = em(*asked, cwd=tmp_path, status=3).err
    assert "363 parameters, needs about 12 MiB" in refused and "or take --covariance diag or a smaller -k" in refused
    monkeypatch.setattr("em_cli.memory.available", lambda: 1 << 12)
    assert "covariance" not in em(*asked, "--family", "student_t", "--covariance", "diag", cwd=tmp_path, status=3).err
    monkeypatch.setattr("em_cli.memory.available", lambda: 8 * 12 * 363**2 - 1)
    smaller = em(*asked, "--covariance", "diag", cwd=tmp_path)
    assert json.loads(smaller.out)["standard_errors"]["reported"] == "observed"
    sweep = ("select", "rows.csv", "--k-range", "4-5", "--effort", "low", "--se", "observed", "--out", "s.em", "-q")
    em(*sweep, cwd=tmp_path)
    left_out = json.loads((tmp_path / "s.em" / "params.json").read_text())["standard_errors"]
    assert left_out["reported"] is None and "need about" in left_out["reason"]


def test_a_fit_is_known_to_lose_no_digits_in_one_pass(tmp_path, monkeypatch):
    """The model of the document alone does not know how far out rows are, and would be passed over many times."""
    monkeypatch.setattr("em_cli.inference.information._by_differences", lambda *_: pytest.fail("many passes"))
    told = json.loads(em("fit", SAMPLES / "faithful.csv", "-k", "2", "--json", "-q", cwd=tmp_path).out)
    assert told["standard_errors"]["reported"] == "observed"
