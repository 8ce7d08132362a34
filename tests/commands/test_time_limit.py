"""A search that is given so much time, and no more."""

import json
import signal
import time
from math import inf, isfinite

import numpy as np
import pandas as pd
import pytest
from program import SAMPLES, em

from em_cli.config.durations import duration_text, parse_duration
from em_cli.runs.interruption import Halt, Interruption

ENDLESS = ("--restarts", "2", "--algorithm", "em", "--max-iter", "1000000", "--tol", "1e-12")


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("10m", 600, "10m"),
        ("90s", 90, "90s"),
        ("1.5h", 5400, "1.5h"),
        ("45", 45, "45s"),
        (" 2 M ", 120, "2 m"),
        (".5s", 0.5, ".5s"),
        (45, 45, "45s"),
        (0.25, 0.25, "0.25s"),
    ],
)
def test_lengths_of_time(text, seconds, shown):
    assert parse_duration(text) == seconds
    assert duration_text(text) == shown


@pytest.mark.parametrize("text", ["", "m", "10 minutes", "1h30m", "1e3", "inf", "nan", "0", "0.0h", "-1", "9" * 400])
def test_what_is_no_length_of_time(text):
    with pytest.raises(ValueError, match=r"write 10m, 90s, 1\.5h, or 45 for seconds"):
        parse_duration(text)


def test_the_first_reason_to_halt_is_kept():
    interruption = Interruption()
    halt = Halt(interruption, inf)
    assert not halt() and halt.reason == ""
    halt.deadline = time.monotonic()
    assert halt() and halt.reason == "time_limit"
    interruption.number = signal.SIGINT
    assert halt() and halt.reason == "time_limit"


@pytest.fixture
def noise(tmp_path):
    """Overlapping groups, on which EM climbs for very long."""
    rng = np.random.default_rng(0)
    pd.DataFrame(rng.normal(size=(15_000, 6))).to_csv(tmp_path / "noise.csv", index=False, header=[*"abcdef"])
    return tmp_path


def test_the_best_so_far_is_written_and_marked(noise):
    begun = time.monotonic()
    done = em("fit", "noise.csv", "-k", "5", "--out", "noise.em", *ENDLESS, "--time-limit", "3", cwd=noise)
    assert 3 <= time.monotonic() - begun < 30
    assert "the time limit of 3s was reached: this is the best so far" in done.err
    params, manifest = (
        json.loads((noise / "noise.em" / f"{name}.json").read_text()) for name in ("params", "manifest")
    )
    assert params["stop_reason"] == "time_limit" and not params["converged"]
    assert isfinite(params["log_likelihood"])
    assert "time_limit" in [warning["code"] for warning in params["warnings"]]
    assert params["warnings"] == manifest["warnings"]
    assert manifest["config"]["search"]["time_limit"] == "3"
    assert "out of time after" in em("show", "noise.em", cwd=noise).out


def test_doubtful_with_strict(noise):
    em("fit", "noise.csv", "-k", "5", *ENDLESS, "--strict", cwd=noise, env={"EM_TIME_LIMIT": "2s"}, status=6)


def test_time_that_is_over_before_the_search_begins(tmp_path):
    found = json.loads(
        em("select", SAMPLES / "faithful.csv", "--k-range", "1-3", "--json", "--time-limit", "0.001", cwd=tmp_path).out
    )
    assert found["stop_reason"] == "time_limit"
    assert {row["status"] for row in found["selection"]} == {"time_limit"}
    assert all(isfinite(row["bic"]) for row in found["selection"])


def test_time_enough_changes_nothing(tmp_path):
    (tmp_path / "run.yaml").write_text(f"data: {SAMPLES / 'faithful.csv'}\nk: 2\nsearch: {{time_limit: 1 h}}\n")
    limited = json.loads(em("fit", "-c", "run.yaml", "--json", cwd=tmp_path).out)
    free = json.loads(em("fit", SAMPLES / "faithful.csv", "-k", "2", "--json", cwd=tmp_path).out)
    assert limited | {"config_sha256": ""} == free | {"config_sha256": ""}
    assert not any(warning["code"] == "time_limit" for warning in limited["warnings"])


def test_dry_run_tells_the_limit(tmp_path):
    out = em("fit", SAMPLES / "faithful.csv", "-k", "2", "--time-limit", "10m", "--dry-run", cwd=tmp_path).out
    assert "would stop searching after 10m, with the best so far\n" in out
