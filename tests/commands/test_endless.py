"""Rows that are taken as they come: what a model becomes on its way, and how such a run ends."""

import contextlib
import csv
import json
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from program import ENVIRONMENT, command, em
from scipy.stats import multivariate_normal

from em_cli.sources import decoding

ONLINE = ("fit", "-", "-k", "2", "--algorithm", "online", "--restarts", "2")
SMALL = tuple(f"--set=search.algorithm.{one}" for one in ("first=400", "batch=100", "every=500"))


def rows(n, seed=0):
    """(n, 2) of two normal components."""
    rng = np.random.default_rng(seed)
    left = rng.random(n) < 0.3
    centre = np.where(left[:, None], (0.0, 2.0), (3.0, -1.0))
    return np.round(centre + rng.normal(size=(n, 2)) * np.where(left[:, None], (1.0, 1.0), (1.0, 0.5)), 4)


def text(x, header="a,b\n"):
    return header + "".join(f"{a},{b}\n" for a, b in x.tolist())


def sums(x, weights, means, covariances):
    """Weight, sum and second moments of each component, of the responsibilities of all rows; and the log-likelihood."""
    joint = np.stack(
        [w * multivariate_normal(m, c).pdf(x) for w, m, c in zip(weights, means, covariances, strict=True)]
    )
    r = joint / joint.sum(0)
    return [r.sum(1), r @ x, np.einsum("kn,ni,nj->kij", r, x, x)], np.log(joint.sum(0)).sum()


def maximum(s):
    """The parameters of these sums."""
    weight, first, second = s
    means = first / weight[:, None]
    return weight / weight.sum(), means, second / weight[:, None, None] - means[:, :, None] * means[:, None, :]


def test_the_steps_are_those_of_online_em(tmp_path):
    """Against the formulas of the papers, from the fit of the first rows."""
    x, first, batch = rows(1900), 400, 100
    begun = json.loads(em("fit", "-", "-k", 2, "--json", cwd=tmp_path, stdin=text(x[:first])).out)
    found = json.loads(em(*ONLINE, *SMALL, "--json", cwd=tmp_path, stdin=text(x)).out)
    s, _ = sums(x[:first], begun["weights"], begun["means"], begun["covariances"])
    mean, step, predicted = s, first / batch, []
    for place in range(first, len(x), batch):
        new, height = sums(x[place : place + batch], *maximum(s))
        s = [a + (step + 2) ** -0.6 * (first / batch * b - a) for a, b in zip(s, new, strict=True)]
        step += 1
        mean = [a + 4 / (step + 3) * (b - a) for a, b in zip(mean, s, strict=True)]
        predicted.append(height)
    for name, value in zip(("weights", "means", "covariances"), maximum(mean), strict=True):
        assert np.allclose(found[name], value, rtol=1e-4, atol=1e-4), name  # the search ends within its tolerance
    assert found["stream"]["predictive_log_likelihood"] == pytest.approx(np.mean(predicted[-5:]) / batch, rel=1e-5)
    _, height = sums(x[-first:], *maximum(mean))
    assert found["log_likelihood"] == pytest.approx(height, rel=1e-6)
    assert (found["n_samples"], found["n_rows_read"], found["stream"]["last_rows"]) == (1900, 1900, 400)
    assert found["bic"] is None and found["standard_errors"]["reported"] is None


def test_it_does_not_matter_how_the_rows_come(tmp_path, monkeypatch):
    data = text(rows(1150))
    whole = em(*ONLINE, *SMALL, "--json", cwd=tmp_path, stdin=data).out
    monkeypatch.setattr(decoding, "PIECE", 999)
    assert em(*ONLINE, *SMALL, "--json", cwd=tmp_path, stdin=data).out == whole


def test_a_row_that_does_not_suit_ends_the_run_after_its_model_is_written(tmp_path):
    data = text(rows(1000)) + "1,\n2,x\n3,4\n"
    told = em(*ONLINE, *SMALL, "-o", "r.em", cwd=tmp_path, stdin=data, status=3).err
    assert "line 1003 holds 'x'" in told and "The model of the rows before is in r.em" in told
    found = json.loads((tmp_path / "r.em" / "params.json").read_text())
    assert found["n_samples"] == 1000 and {one["code"] for one in found["warnings"]} == {"first_rows"}
    assert len(em("predict", "r.em", "-", cwd=tmp_path, stdin=text(rows(3))).out.splitlines()) == 4


def test_resume_goes_on_with_the_rows_that_come(tmp_path):
    x = rows(1900)
    em(*ONLINE, *SMALL, "-o", "whole.em", cwd=tmp_path, stdin=text(x))
    em(*ONLINE, *SMALL, "-o", "r.em", cwd=tmp_path, stdin=text(x[:1400]))
    said = em(*ONLINE, *SMALL, "-o", "r.em", "--resume", "--format", "human", cwd=tmp_path, stdin=text(x[1400:])).out
    assert "begun on 400 rows, 1,900 seen as they came" in said
    whole, found = (json.loads((tmp_path / name / "params.json").read_text()) for name in ("whole.em", "r.em"))
    for name in ("means", "covariances", "weights", "log_likelihood", "n_rows_read"):
        assert np.allclose(found[name], whole[name], rtol=1e-12), name
    with (tmp_path / "r.em" / "trace.csv").open(newline="") as lines:
        values = [row for row in csv.DictReader(lines) if row["objective"].startswith("predictive")]
    assert len(values) == 3  # 900, 1,400 and 1,900 rows
    other = em(*ONLINE, "-o", "r.em", "--resume", cwd=tmp_path, stdin=text(x), status=2).err
    assert "another configuration" in other


def peak_when(child, folder, n):
    """The peak of memory (KiB) of a process when the model that it has written has seen so many rows."""
    until = time.monotonic() + 60
    while time.monotonic() < until and child.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            if json.loads((folder / "params.json").read_text())["n_rows_read"] >= n:
                return int(re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{child.pid}/status").read_text())[1])
        time.sleep(0.05)
    raise AssertionError(f"no model of {n} rows")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc")
def test_memory_is_constant_and_a_signal_ends_it_in_order(tmp_path):
    """Of a pipe that never ends."""
    own = ("--set=search.algorithm.first=1000", "--set=search.algorithm.every=20000", "--covariance", "diag")
    arguments, ended = (*ONLINE, *own, "-o", "r.em", "-q"), threading.Event()
    numbers = np.random.default_rng(0).normal(size=(20_000, 10))
    lines = "".join(",".join(f"{value:.3f}" for value in row) + "\n" for row in numbers.tolist()).encode()
    with subprocess.Popen(
        command(*arguments), stdin=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL
    ) as child:
        assert child.stdin

        def feed():
            with contextlib.suppress(BrokenPipeError), child.stdin:
                child.stdin.write(b"a,b,c,d,e,f,g,h,i,j\n")
                while not ended.is_set():
                    child.stdin.write(lines)

        feeding = threading.Thread(target=feed)
        feeding.start()
        early = peak_when(child, tmp_path / "r.em", 20_000)
        late = peak_when(child, tmp_path / "r.em", 120_000)  # 8 MiB of numbers more
        assert late < early + 4096, (early, late)  # KiB
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 143
        ended.set()
    feeding.join()
