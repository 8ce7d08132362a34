"""What a sweep says of its choice, and how clear that is."""

import json
import re
import shlex
from io import StringIO
from math import inf

import numpy as np
import pandas as pd
import pytest
from program import SAMPLES, em

from em_cli.engine.events import ignore
from em_cli.outputs.selection import Selection, compare_to_best, compare_to_fewer
from em_cli.runs.record import Record
from em_cli.runs.stdout import further
from em_cli.runs.warnings import warn_of_choice

FAITHFUL = SAMPLES / "faithful.csv"


@pytest.mark.parametrize(
    ("difference", "errors", "clear"),
    [
        (1.0, (0.2, 0.2), True),
        (0.8, (0.2, 0.2), False),
        (1.0, (0.0, inf), False),
        (1.0, (inf, 0.0), False),
        (1e-6, (0.0, 0.0), True),
        (0.0, (0.0, 0.0), True),
        (0.0, (0.0, 1e-9), False),
    ],
)
def test_clear_is_what_exceeds_the_errors_of_both(difference, errors, clear):
    best, other = ({"bic": 100.0 + d, "optimisation_error": e} for d, e in zip((0.0, difference), errors, strict=True))
    failed, hopeless = {"bic": None}, {"bic": inf, "optimisation_error": 0.0}
    compare_to_best([other, failed, best, hopeless], best, "bic")
    assert other["delta"] == pytest.approx(difference) and other["clear"] == clear
    assert best["delta"] == 0.0 and "clear" not in best
    assert failed == {"bic": None} and "delta" not in hopeless


def test_what_is_lower_than_with_fewer_components_is_said_so():
    tops = {}
    noted = []
    for covariance, k, height, sound in (
        ("full", 1, -100.0, True),
        ("full", 2, -90.0, True),
        ("full", 4, -90.02, True),
        ("full", 5, -80.0, False),  # may be as high as you like
        ("full", 6, -85.0, True),
        ("full", 7, -85.005, True),
        ("tied", 2, -95.0, True),
        ("tied", 3, -99.0, False),
    ):
        row = {"model": covariance, "k": k, "log_likelihood": height, "note": "" if sound else "collapsed"}
        compare_to_fewer(row, sound, tops)
        noted.append(row["note"])
    less = "less than k = 2: a better fit was not found"
    assert noted == ["", "", less, "collapsed", "", "", "", f"collapsed; {less}"]


def test_families_are_compared(tmp_path):
    (tmp_path / "run.yaml").write_text(
        f"""
data: {FAITHFUL}
k: 1-2
family: [gaussian, student_t, ppca]
family_options: {{dof: 4, n_factors: 1}}
covariance: [full, tied]
"""
    )
    em("select", "-c", "run.yaml", "--out", "s", cwd=tmp_path)
    table = pd.read_csv(tmp_path / "s" / "selection.csv").sort_values("bic")
    models = {"gaussian VVV", "gaussian EEE", "student_t VVV", "student_t EEE", "ppca"}
    assert set(table["model"]) == models and len(table) == 2 * len(models)
    params = json.loads((tmp_path / "s" / "params.json").read_text())
    assert table["family"].iloc[0] == params["family"] == "gaussian"
    assert params["bic"] == pytest.approx(table["bic"].iloc[0], rel=1e-12)
    ones = table[table["k"] == 1].set_index("model")
    alone = em("fit", FAITHFUL, "-k", "1", "--family", "student_t", "--set", "family.dof=4", "--json", cwd=tmp_path)
    assert ones["bic"]["student_t VVV"] == pytest.approx(json.loads(alone.out)["bic"], abs=0.1)
    found = em("predict", "s", FAITHFUL, cwd=tmp_path).out
    assert found.startswith("row,component,p1,p2,log_density")


@pytest.mark.parametrize(
    ("command", "families", "words"),
    [
        ("select", "gaussian,poisson", "different types (gaussian: numeric, poisson: count)"),
        ("select", "poisson,multinomial", "their total, is given"),
        ("select", "gaussian,auto", "family 'auto' is none that others can be compared with"),
        ("select", "gaussian,studentt", "Did you mean 'student_t'?"),
        ("fit", "gaussian,student_t", "fit takes one family, not 2; em select compares them."),
    ],
)
def test_families_that_cannot_be_compared_are_refused(tmp_path, command, families, words):
    assert words in em(command, FAITHFUL, "-k", "2", "--family", families, cwd=tmp_path, status=2).err


def test_table_tells_how_far_and_how_sure(tmp_path):
    out = em("select", FAITHFUL, "--k-range", "1-3", "--criterion", "aic", "--format", "csv", cwd=tmp_path).out
    assert out == (tmp_path / "faithful-k1-3.em" / "selection.csv").read_text()
    table = pd.read_csv(StringIO(out))
    assert table["delta"].to_list() == pytest.approx((table["aic"] - table["aic"].min()).to_list())
    best = table["delta"].idxmin()
    assert table["note"][best].startswith("chosen") and pd.isna(table["clear"][best])
    assert set(table["clear"].drop(best)) <= {True, False}
    assert (table["reached"] <= table["searches"]).all() and (table["at_best"] <= table["starts"]).all()
    assert (table["optimisation_error"] >= table["remaining"]).all()
    params = json.loads((tmp_path / "faithful-k1-3.em" / "params.json").read_text())
    assert "close_call" not in [warning["code"] for warning in params["warnings"]]


def test_models_far_from_the_best_are_searched_lightly(tmp_path):
    """They say so, and the choice is that of a search of all alike."""
    sweep = ("select", FAITHFUL, "--k-range", "2-3", "--covariance", "full,spherical")
    human = em(*sweep, "--format", "human", cwd=tmp_path).out
    table = pd.read_csv(tmp_path / "faithful-k2-3-full-spherical.em" / "selection.csv")
    near = table["delta"] <= 45
    assert (table["depth"] == np.where(near, "deep", "light")).all() and 0 < near.sum() < len(table)
    assert " light: far from the best, not searched to the end (--effort high does)\n" in human
    alike = em(*sweep, "--effort", "high", "--format", "csv", "--force", cwd=tmp_path).out
    deep = pd.read_csv(StringIO(alike))
    assert set(deep["depth"]) == {"deep"}
    assert deep["log_likelihood"][near].to_list() == pytest.approx(table["log_likelihood"][near].to_list(), abs=0.01)
    missed = deep["log_likelihood"] - table["log_likelihood"]
    assert (missed <= 2 * table["optimisation_error"] + 0.5).all()


def test_a_choice_that_a_longer_search_may_change(tmp_path):
    """Out of time after the first pass, nobody knows what remains: all the rows are unclear."""
    hasty = ("select", FAITHFUL, "--k-range", "1-3", "--time-limit", "0.001")
    found = json.loads(em(*hasty, "--json", cwd=tmp_path).out)
    assert [row["clear"] for row in found["selection"] if not row["note"].startswith("chosen")] == [False, False]
    assert {row["optimisation_error"] for row in found["selection"]} == {None}
    (said,) = (warning["message"] for warning in found["warnings"] if warning["code"] == "close_call")
    second = sorted(found["selection"], key=lambda row: row["bic"])[1]
    assert said == (
        f"the runner-up, VVV (full), k = {second['k']}, is {second['delta']:.1f} away by BIC, no more than the "
        "searches may have missed: a longer one (--effort high) may change the choice."
    )
    human = em(*hasty, "--format", "human", cwd=tmp_path).out
    assert human.count("≈") == 3 and " ≈ no more than the searches may have missed\n" in human


def test_the_same_model_by_two_names_is_no_close_call(tmp_path):
    """It is a tie, but one in which no search can have missed anything."""
    names = ("--k-range", "1", "--covariance", "full,tied")
    found = json.loads(em("select", FAITHFUL, *names, "--json", "--strict", cwd=tmp_path).out)
    assert [row["delta"] for row in found["selection"]] == [0.0, 0.0]
    assert found["warnings"] == []


@pytest.mark.parametrize(
    ("clear", "effort", "hint"),
    [(False, "high", "another --seed"), (False, None, "--restarts 80"), (True, "normal", None), (None, "normal", None)],
)
def test_a_close_call_is_told_but_not_doubtful(clear, effort, hint):
    second = {"model": "EEE", "covariance": "tied", "k": 4, "delta": 0.25, "starts": 20, "clear": clear}
    record = Record(ignore)
    warn_of_choice(Selection("icl_entropy", (), None, "", second), effort, record)
    warn_of_choice(Selection("icl_entropy", (), None, "", None), effort, record)
    assert not record.doubts
    said = (
        "the runner-up, EEE (tied), k = 4, is 0.2 away by ICL (entropy), no more than the searches may have missed: "
        f"a longer one ({hint}) may change the choice."
    )
    assert record.warnings == ([{"code": "close_call", "message": said}] if hint else [])


def test_a_sweep_of_counts_says_with_how_many_components_no_more_are_needed(tmp_path):
    rng = np.random.default_rng(3)
    counts = np.where(rng.random(200) < 0.6, rng.poisson(1.5, 200), rng.poisson(7, 200))
    pd.DataFrame({"claims": counts}).to_csv(tmp_path / "claims.csv", index=False)
    run = ("select", "claims.csv", "--k-range", "1-6", "--out", "claims.em", "--format", "human", "--strict")
    said = em(*run, cwd=tmp_path).out
    rows = pd.read_csv(tmp_path / "claims.em" / "selection.csv")
    (proved,) = (int(k) for k, note in zip(rows["k"], rows["note"], strict=True) if "global maximum for" in str(note))
    beyond = rows[rows["k"] > proved]
    assert len(beyond) and set(beyond["status"]) == {"not needed"} and beyond["log_likelihood"].isna().all()
    assert f"global maximum for every k ≥ {proved}" in said and f"not needed: k = {proved}" in said
    fitted = em("fit", "claims.csv", "-k", "6", "--json", cwd=tmp_path).out
    assert json.loads(fitted)["certificate"] == f"global maximum for every k ≥ {proved}"


def test_a_report_that_is_there_is_not_offered():
    document = {"latent": "independent"}
    assert further("a b.em", document)[0] == "em report 'a b.em'"
    assert further("-a.em", document)[0] == "em report ./-a.em", "it is no option"
    assert further("a b.em", document, ["report.html"]) == ["em export 'a b.em' --to sql --out score.sql"]


def test_the_labelled_copy_that_is_offered_can_be_had(tmp_path):
    rows = [f"{i},{x:.3f}" for i, x in enumerate([*np.linspace(0, 1, 20), *np.linspace(9, 10, 20)])]
    (tmp_path / "my data.csv").write_text("\n".join(["id,x", *rows]) + "\n")
    said = em("select", "my data.csv", "--id", "id", "--k-range", "1-2", "--format", "human", cwd=tmp_path).out
    (command,) = re.findall(r"em (predict (?:.*\\\n)*.*)", said)
    em(*shlex.split(command.replace("\\\n", "")), cwd=tmp_path)
    header, *lines = (tmp_path / "my data-labelled.csv").read_text().splitlines()
    assert header == "id,x,component,probability" and len(lines) == 40


def test_what_is_no_single_file_of_text_gets_no_labelled_copy_offered(tmp_path):
    (tmp_path / "a.csv").write_text("x\n" + "\n".join(map(str, range(30))) + "\n")
    said = em("select", "a.csv", "a.csv", "--k-range", "1-2", "--format", "human", cwd=tmp_path).out
    assert "Try:  em report" in said
