"""`em test`: bootstrap likelihood-ratio tests of one component more."""

import csv
import json
import os
import shutil
import signal
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from program import SAMPLES, em

from em_cli.display import tests_page
from em_cli.display.counter import Counter
from em_cli.engine.family import Degeneracy
from em_cli.inference import likelihood_ratio
from em_cli.inference.likelihood_ratio import LEVEL, Gain, RatioTest, gains, in_turns
from em_cli.outputs.selection_fields import read_table
from em_cli.postestimation import component_tests
from em_cli.postestimation.component_tests import gains_of_drawn, log_likelihood_of, one_more, to_be_tested
from em_cli.postestimation.refitted import refit_of
from em_cli.postestimation.tests_of_sweep import pair_tested
from em_cli.reports import page_tables
from em_cli.runs.read_back import read_run
from em_cli.search.ledger import Fitted


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("test")
    shutil.copy(SAMPLES / "faithful.csv", home)
    for k in ("1", "3"):
        em("fit", "faithful.csv", "-k", k, "--effort", "low", "-q", "--out", f"f{k}.em", cwd=home)
    return home


def found(folder, *arguments):
    return json.loads(em("test", *arguments, "--json", "--force", cwd=folder).out)


@pytest.fixture(scope="module")
def of_one(folder):
    text = em("test", "f1.em", "-B", "19", cwd=folder).out
    return json.loads((folder / "f1.em/tests.json").read_text())["tests"], text


def test_old_faithful_has_more_than_one_component(folder, of_one):
    (one,), text = of_one
    assert (one["k0"], one["k1"], one["exceed"], one["p"]) == (1, 2, 0, 0.05)
    assert one["statistic"] == pytest.approx(319.07, abs=0.05)  # of another program
    assert len(one["drawn"]) == 19 and min(one["drawn"]) >= 0 and 9 < np.mean(one["drawn"]) < 18
    assert "p < 0.05 (0 of 19)" in text and "not that there are 2 groups" in " ".join(text.split())
    assert "significant" not in text and max(map(len, text.splitlines())) <= 80
    with (folder / "f1.em/tests.csv").open(newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert [float(row[name]) for name in ("statistic", "p", "p_low")] == [one["statistic"], one["p"], one["p_low"]]
    assert "--force" in em("test", "f1.em", cwd=folder, status=4).err


def test_more_replicates_begin_with_the_same_ones(folder, of_one, monkeypatch):
    (folder / "kept").mkdir()
    shutil.copy(folder / "f1.em/tests.json", folder / "kept")
    whole = found(folder, "f1.em", "-B", "21")
    (more,) = whole["tests"]
    assert more["drawn"][:19] == of_one[0][0]["drawn"] and len(more["drawn"]) == 21
    drawn = []
    monkeypatch.setattr(component_tests, "gains", lambda *asked: drawn.extend(asked[4]) or gains(*asked))
    em("test", "f1.em", "-B", "21", "-o", "kept", "--resume", cwd=folder)
    assert json.loads((folder / "kept/tests.json").read_text()) == whole and drawn == [19, 20]
    assert (
        "differs in random_state"
        in em("test", "f1.em", "-o", "kept", "--resume", "--seed", "1", cwd=folder, status=2).err
    )


def test_a_sweep_tells_the_tests_of_its_fits(folder, of_one):
    """From the fewest components to one after the choice."""
    options = ("--k-range", "1-3", "--effort", "low", "--test", "-B", "19", "--out", "sweep.em")
    text = em("select", "faithful.csv", *options, "--format", "human", cwd=folder).out
    tests = json.loads((folder / "sweep.em/tests.json").read_text())["tests"]
    assert tests[0]["drawn"] == pytest.approx(of_one[0][0]["drawn"], abs=0.02)
    assert [(one["k0"], one["p"]) for one in tests] == [(1, 0.05), (2, 0.05)]
    with (folder / "sweep.em/selection.csv").open(newline="") as lines:
        rows = list(read_table(lines))
    assert [row["test_p"] for row in rows] == [0.05, 0.05, None]
    params = json.loads((folder / "sweep.em/params.json").read_text())
    assert [one["statistic"] for one in params["component_tests"]] == [row["test_statistic"] for row in rows[:2]]
    table = page_tables.selection(read_run(str(folder / "sweep.em"), rows_wanted=False))
    for shown in (table.replace("&lt;", "<"), text):
        assert "2 against 1: p < 0.05 (0 of 19); 3 against 2: p < 0.05 (0 of 19)" in " ".join(shown.split())
    assert max(map(len, text.splitlines())) <= 80


def test_a_larger_model_that_is_no_higher_is_not_tested():
    lower, higher = (SimpleNamespace(log_likelihood=height) for height in (-12.0, -10.0))
    fewer = Fitted("", 2, higher, (None, None), ())
    one = pair_tested(None, None, fewer, Fitted("", 3, lower, (None,) * 3, ()))
    assert one["p"] is None and one["stop"].startswith("no test: the fit of k = 3 is below that of k = 2")
    collapsed = Fitted("", 3, higher, (None, None, Degeneracy("of one row", False)), ())
    assert pair_tested(None, None, fewer, collapsed)["stop"] == "no test: k = 3 has no sound fit"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-B", "99"), "it goes with --test"),
        (("--test", "--k-range", "1-9:2"), "no two numbers that follow"),
        (("--test", "--prior", "weak"), "maxima of the likelihood"),
        (("--test", "--algorithm", "cem"), "maxima of the likelihood, and --algorithm cem"),
        (("--test", "-B", "5"), "replicates"),
    ],
)
def test_what_cannot_be_tested_in_a_sweep_is_refused(options, words, folder):
    assert words in " ".join(em("select", "faithful.csv", *options, cwd=folder, status=2).err.split())


def test_it_ends_when_its_time_is_up():
    every = lambda numbers: [Gain(number, 1.0) for number in numbers]  # noqa: E731
    *_, last = in_turns(2, (-10.0, -8.0), 99, every, halted=lambda: True)
    assert len(last.gains) == 20 and last.p == 1 / 21, "the first turn is always drawn"
    *_, last = in_turns(2, (-10.0, -8.0), 99, every, known=last.gains)
    assert len(last.gains) == 99


@pytest.mark.parametrize(
    ("command", "file", "words"),
    [
        (("test", "f1.em", "-B", "99"), "tests.json", "Interrupted before all 99 were drawn"),
        (("bootstrap", "f3.em", "-B", "999"), "bootstrap.json", "Interrupted before all 999"),
    ],
)
def test_what_was_interrupted_says_so(command, file, words, folder, monkeypatch):
    monkeypatch.setattr(
        Counter, "__call__", lambda self, done, wanted: os.kill(os.getpid(), signal.SIGINT) if done >= 40 else None
    )
    monkeypatch.setattr(likelihood_ratio, "TOGETHER", 20)
    told = em(*command, "-o", "cut", cwd=folder, status=130)
    assert words in " ".join(told.out.split()) and "no time" not in told.out.lower()
    document = json.loads((folder / "cut" / file).read_text())
    assert "interrupted" in (document.get("stopped") or document["tests"][0]["stop"])


def test_a_fourth_component_is_no_more_than_chance(folder):
    """p is 0.15 ± 0.04 by 99 data sets of another program; no more are drawn than tell."""
    (one,) = found(folder, "f3.em", "--up-to", "5")["tests"]
    assert one["replicates"] < 99 and one["stop"] == "more would not tell" and one["p"] > 0.05
    error = np.hypot(np.sqrt(one["p"] * (1 - one["p"]) / one["replicates"]), 0.036)
    assert abs(one["p"] - 0.15) < 4 * error
    assert one["short"] > 0  # from the larger fit to the data alone, the climbs end lower


def test_p_is_never_zero_and_drawing_ends_where_more_would_not_tell():
    made = []

    def of(numbers):
        made.extend(numbers)
        return [Gain(number, 9.0 if number % 4 == 0 else 1.0) for number in numbers]

    *_, last = in_turns(2, (-10.0, -8.0), 999, of)
    assert (last.statistic, last.exceeding, len(made)) == (4.0, 5, 20) and last.p == 6 / 21
    none = RatioTest(2, -10.0, -8.0, [Gain(number, 1.0) for number in range(99)], 99)
    assert none.p == 0.01 and none.limits()[0] == 0 and none.limits()[1] == pytest.approx(1 - 0.025 ** (1 / 99))


def lost_unless(kept, statistic=1.0):
    return lambda numbers: [Gain(number, statistic if kept(number) else np.nan) for number in numbers]


def test_what_is_true_is_rejected_in_a_twentieth_of_all_tests():
    """Though replicates are drawn no longer than they tell: statistics of data and of replicates from one law."""
    rng, rejected = np.random.default_rng(0), 0
    for _ in range(1500):
        of = lambda numbers: [Gain(n, v) for n, v in zip(numbers, rng.chisquare(3, len(numbers)), strict=True)]  # noqa: E731
        *_, last = in_turns(1, (0.0, rng.chisquare(3) / 2), 99, of)
        rejected += last.p <= LEVEL
    assert abs(rejected / 1500 - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 1500)


@pytest.mark.parametrize("wanted", [19, 20, 99])
def test_others_are_drawn_in_the_place_of_lost_ones(wanted):
    """To as many as are wanted; each is the same whatever their number."""
    of = lost_unless(lambda number: number % 10 != 3)
    *_, last = in_turns(2, (-10.0, -8.0), wanted, of)
    assert [gain.number for gain in last.gains] == list(range(len(last.gains))) and last.gains[-1].statistic == 1
    assert len(last.values) == wanted and last.p == 1 / (1 + wanted) and last.lost == len(last.gains) // 10
    for known in (last.gains[:15], last.gains):
        drawn = []
        *_, again = in_turns(2, (-10.0, -8.0), wanted, lambda some: [drawn.extend(some), of(some)][1], known)  # noqa: B023
        assert repr(again) == repr(last) and drawn == list(range(len(known), len(last.gains)))
    decided = lost_unless(lambda number: number % 2, 9.0)
    *_, last = in_turns(2, (-10.0, -8.0), 99, decided)
    assert (len(last.values), last.p) == (20, 1.0) and last.decided


def test_where_most_are_lost_there_is_no_p_value():
    drawn = []
    *_, last = in_turns(
        2, (-10.0, -8.0), 999, lambda some: [drawn.extend(some), lost_unless(lambda n: n == 0)(some)][1]
    )
    assert last.p is None and last.hopeless and len(drawn) < 60 and len(last.values) == 1
    row = {"k0": 2, "k1": 3, "statistic": 4.0, "exceed": 0, "p": None, "stop": "most are lost", "bic_difference": 1.0}
    page = tests_page.tests_page({"tests": [row | {"replicates": 1, "lost": 39}], "replicates": 999}, 80, False)
    assert "of 40 data sets" in " ".join(page.split()) and "there is no p-value" in " ".join(page.split())
    few = row | {"replicates": 99, "lost": 1, "p": 0.01, "stop": "all were drawn"}
    page = " ".join(tests_page.tests_page({"tests": [few], "replicates": 99}, 80, False).split())
    assert "One data set more has no sound fit of 3 components" in page


def test_where_the_best_climbs_collapse_the_next_ones_go_on(folder):
    """Data sets of which those that were followed all collapsed, and which counted as gaining nothing."""
    refit = refit_of(str(folder / "f1.em"), [], "")
    larger = one_more(refit, refit.start, 0)
    of = partial(gains_of_drawn, refit, refit.start, larger.parameters, 0)
    assert min(gain.statistic for n in (7, 10) for gain in of(range(n, n + 1))) > 4


def drawn_from_two(folder, name, n=60):
    rng = np.random.default_rng(5)
    second = rng.random(n) < 0.4
    table = {
        "count": rng.poisson(np.where(second, 9, 2)),
        "level": np.where(rng.random(n) < np.where(second, 0.8, 0.2), "a", "b"),
        "size": np.where(rng.random(n) < 0.1, np.nan, np.round(rng.normal(np.where(second, 5, 0), 1), 3)),
        "unit": np.arange(n) // 6,
        "many": 1 + rng.integers(0, 2, n),
        "x": np.round(rng.normal(size=n), 3),
    }
    pd.DataFrame(table).to_csv(folder / name, index=False)


@pytest.mark.parametrize(
    "options",
    [
        ("--columns", "count,level,size"),
        ("--columns", "size,x", "--covariance", "tied", "--weights", "many"),
        ("--columns", "count", "--group", "unit"),
        ("--columns", "size,x", "--latent", "markov", "--sequence", "unit"),
        ("--response", "count", "--on", "x", "--type", "count=poisson"),
        ("--columns", "x,size", "--noise"),
    ],
    ids=lambda options: " ".join(options[1:]),
)
def test_every_kind_of_model_is_tested(options, tmp_path):
    drawn_from_two(tmp_path, "d.csv")
    em("fit", "d.csv", "-k", "1", *options, "--effort", "low", "-q", "--out", "d.em", cwd=tmp_path)
    refit = to_be_tested(str(tmp_path / "d.em"), [str(tmp_path / "d.csv")], None, 19)
    drawn = refit.drawn(refit.start, refit.units, 0)
    units = refit.source[0].weights.sum() if "--weights" in options else refit.source.n_rows
    assert drawn.n_rows == units and (np.isnan(drawn[0].x).sum() > 0) == ("size" in options[1])
    larger = one_more(refit, refit.start, 0)
    assert larger.log_likelihood >= log_likelihood_of(refit, refit.start)
    for gain in gains_of_drawn(refit, refit.start, larger.parameters, 0, range(2)):
        assert 0 <= gain.statistic < 60


def test_weights_count_equal_rows(tmp_path):
    """The same data sets are drawn of rows of weight two as of each row twice."""
    rng = np.random.default_rng(2)
    x = np.round(rng.normal(size=40), 3)
    pd.DataFrame({"x": x, "w": 2}).to_csv(tmp_path / "w.csv", index=False)
    pd.DataFrame({"x": np.repeat(x, 2)}).to_csv(tmp_path / "twice.csv", index=False)
    em("fit", "w.csv", "-k", "1", "--weights", "w", "-q", "--out", "w.em", cwd=tmp_path)
    em("fit", "twice.csv", "-k", "1", "-q", "--out", "twice.em", cwd=tmp_path)
    runs = [refit_of(str(tmp_path / f"{name}.em"), [str(tmp_path / f"{name}.csv")], "") for name in ("w", "twice")]
    one, other = (run.drawn(run.start, run.units, 0) for run in runs)
    assert one.n_rows == 80 and one[0].weights is None and one[0].x == pytest.approx(other[0].x, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("f3.em", "--up-to", "3"), "4 is the first number it is tested for"),
        (("f3.em", "-B", "5"), "-B or --replicates must be from 19 to 9,999, not 5"),
    ],
)
def test_mistakes_are_told(arguments, words, folder):
    assert words in em("test", *arguments, cwd=folder, status=2).err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--prior", "weak"), "no likelihood-ratio test"),
        (("--set", "mixing_weights=[0.4,0.6]"), "one component more cannot be"),
    ],
)
def test_what_cannot_be_tested_is_refused(options, words, folder):
    em("fit", "faithful.csv", "-k", "2", *options, "--effort", "low", "-q", "--out", "no.em", "--force", cwd=folder)
    assert words in em("test", "no.em", cwd=folder, status=2).err


def test_rows_that_are_not_those_of_the_model_are_noticed(folder):
    shutil.copytree(folder / "f1.em", folder / "edited.em")
    params = folder / "edited.em/params.json"
    document = json.loads(params.read_text())
    document["means"][0][0] += 1
    params.write_text(json.dumps(document))
    assert "as params.json says" in em("test", "edited.em", "--force", cwd=folder, status=3).err
