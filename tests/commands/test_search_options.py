"""How long to search, and what is said of it."""

import json
import shutil

import pytest
from program import SAMPLES, em

from em_cli.engine.events import ignore
from em_cli.runs.record import Record
from em_cli.runs.warnings import warn_if_reached_once
from em_cli.search.ledger import Fitted


@pytest.fixture
def folder(tmp_path):
    shutil.copy(SAMPLES / "faithful.csv", tmp_path)
    (tmp_path / "run.yaml").write_text("data: faithful.csv\nk: 2\nsearch: {effort: low}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "env", "effort"),
    [
        ((), {}, "low"),
        ((), {"EM_EFFORT": "high"}, "high"),
        (("--effort", "normal"), {"EM_EFFORT": "high"}, "normal"),
        (("--set", "search.effort=normal"), {}, "normal"),
        (("--set", "search={restarts: 5}"), {}, None),
        (("--set", "search={start: faithful.em}"), {}, None),
    ],
)
def test_effort_is_an_option_and_a_key(folder, options, env, effort):
    if "faithful.em" in str(options):
        em("fit", "faithful.csv", "-k", "2", cwd=folder)
    found = json.loads(em("fit", "-c", "run.yaml", *options, "--json", cwd=folder, env=env).out)
    search = found["search"]
    assert search["effort"] == effort
    assert 1 <= search["reached"] <= search["searches"] <= search["starts"]


def test_record_of_a_run_of_climbs_reproduces_it(folder):
    """The effort that it names is the default, which asks for nothing."""
    em("fit", "faithful.csv", "-k", "2", "--restarts", "3", "--out", "a", cwd=folder)
    em("fit", "-c", "a/run.yaml", "--out", "b", cwd=folder)
    assert (folder / "a" / "params.json").read_bytes() == (folder / "b" / "params.json").read_bytes()


@pytest.mark.parametrize(
    ("options", "plan"),
    [
        ((), "full, k = 2, 11 parameters: a search of normal effort"),
        (("--effort", "high"), ": a search of high effort"),
        (("--restarts", "1"), ": 1 start"),
        (("--restarts", "50"), ": 50 starts"),
    ],
)
def test_dry_run_tells_how_it_would_search(folder, options, plan):
    assert plan in em("fit", "faithful.csv", "-k", "2", *options, "--dry-run", cwd=folder).out


def test_log_ends_with_the_result_and_how_far_to_trust_it(folder):
    log = em("fit", "faithful.csv", "-k", "2", "--progress", "plain", cwd=folder).err.splitlines()
    assert log[-2][13:].startswith("full k = 2: loglik -1130.264 BIC 2322.192 (")
    assert "searches" in log[-2] and "log-likelihood units remain)" in log[-2]
    log = em("fit", "faithful.csv", "-k", "2", "--restarts", "4", "--out", "b", cwd=folder).err.splitlines()
    assert "(all 4 starts reached this value; " in log[-2]


@pytest.mark.parametrize(
    ("effort", "searches", "reached", "said"),
    [
        ("normal", 6, 1, "the best of 6 searches was reached once only: there may be a better one (--effort high)."),
        ("high", 9, 1, "the best of 9 searches was reached once only: there may be a better one (another --seed)."),
        ("normal", 6, 2, None),
        ("low", 1, 1, None),
    ],
)
def test_best_of_many_searches_that_was_reached_once(effort, searches, reached, said):
    record = Record(ignore)
    warn_if_reached_once(Fitted("full", 2, None, (), (), "", searches, reached), effort, record)
    assert record.warnings == ([{"code": "reached_once", "message": said}] if said else [])
    assert bool(record.doubts) is bool(said)


def test_one_start_only_is_doubted(folder):
    one = ("fit", "faithful.csv", "--restarts", "1", "--strict", "--quiet", "--out")
    log = em(*one, "a", "-k", "2", cwd=folder, status=6).err
    assert "reached_once" in log
    assert json.loads((folder / "a" / "params.json").read_text())["warnings"] == [
        {"code": "reached_once", "message": "one start was made: there may be a better one (--restarts 4)."}
    ]
    em(*one, "b", "-k", "1", cwd=folder)  # every start leads there
    em("fit", "faithful.csv", "-k", "2", "--start", "a", "--strict", "--out", "c", cwd=folder)  # one that was given


@pytest.mark.parametrize(
    ("options", "env"),
    [
        (("--runner", "serial"), {"EM_THREADS": "4"}),
        (("--latent", "independent"), {"EM_NOISE": "1"}),
        (("--noise",), {"EM_LATENT": "independent"}),
        (("-c", "serial.yaml", "--threads", "2"), {}),
        (("-c", "threads.yaml", "--runner", "serial"), {}),
    ],
    ids=str,
)
def test_an_option_beats_another_spelling_in_the_environment_and_the_file(folder, options, env):
    (folder / "serial.yaml").write_text("runner: serial\n")
    (folder / "threads.yaml").write_text("threads: 4\n")
    em("fit", "faithful.csv", "-k", "2", *options, "--dry-run", cwd=folder, env=env)


def test_threads_of_a_runner_that_has_none_are_refused(folder):
    said = em("fit", "faithful.csv", "-k", "2", "--runner", "serial", "--threads", "4", cwd=folder, status=2)
    assert "'serial' has no threads to count" in said.err and not list(folder.glob("*.em"))


def test_strict_says_which_warning_it_was(folder):
    """On the run and where its result is shown again, with its message where that was not shown."""
    line = ("select", "faithful.csv", "--k-range", "1-2", "--effort", "low", "--covariance", "tied", "--strict")
    told = em(*line, "--out", "edge.em", cwd=folder, status=6).err.splitlines()
    assert told[-1] == "em: status 6 (--strict): edge_of_range. See em guide warnings."
    quiet = em(*line, "--out", "edge.em", "-q", "--resume", cwd=folder, status=6).err.splitlines()
    assert quiet[0] == told[-1] and quiet[1].startswith("    edge_of_range: the choice, k = 2, is the largest")
    em("fit", "faithful.csv", "-k", "2", "--strict", "-q", "--out", "sure.em", cwd=folder)
