"""The pipelines that scripts are written with; as whole processes where streams, signals or the environment matter."""

import json
import math
import shutil
import signal as signals
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from program import ENVIRONMENT, SAMPLES, command, em, em_process

FAITHFUL = SAMPLES / "faithful.csv"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Old Faithful with two components, as a file."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "m.json").write_text(em("fit", FAITHFUL, "-k", 2, "--params", "-", cwd=folder).out)
    return folder / "m.json"


def test_standard_input_to_json(tmp_path):
    found = json.loads(em_process("fit", "-", "-k", "2", "--json", cwd=tmp_path, stdin=FAITHFUL.read_bytes()).out)
    assert found["weights"] == pytest.approx([0.644127, 0.355873], abs=1e-5)
    assert found["bic"] == pytest.approx(2322.192, abs=2e-3)
    assert not any(tmp_path.iterdir()), "with data from standard input no folder is written unasked"


def test_params_to_standard_output_and_predict(model, tmp_path):
    assert json.loads(model.read_text())["n_components"] == 2
    rows = "waiting,noise,eruptions\n79,x,3.6\n54,y,1.8\n"
    lines = em("predict", model, "-", cwd=tmp_path, stdin=rows).out.splitlines()
    assert lines[0] == "row,component,p1,p2,log_density,uncertainty"
    assert [line.split(",")[:2] for line in lines[1:]] == [["1", "1"], ["2", "2"]]
    assert float(lines[1].split(",")[4]) == pytest.approx(-4.636811987, abs=1e-3)


def test_predict_streams(model, tmp_path):
    """The first rows are out before the last are in."""
    with subprocess.Popen(
        command("predict", model, "-"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT
    ) as child:
        assert child.stdin and child.stdout
        child.stdin.write(b"eruptions,waiting\n3.6,79\n1.8,54\n")
        child.stdin.flush()
        first = [child.stdout.readline() for _ in range(3)]
        assert first[1].startswith(b"1,1,") and first[2].startswith(b"2,2,")
        child.stdin.write(b"3.3,74\n")
        child.stdin.close()
        assert child.stdout.read().startswith(b"3,1,")
        assert child.wait() == 0


def test_predict_gives_the_bytes_of_the_fit(tmp_path):
    shutil.copy(FAITHFUL, tmp_path)
    em("fit", "faithful.csv", "-k", "3", cwd=tmp_path)
    again = em("predict", "faithful-k3.em", "faithful.csv", cwd=tmp_path).out
    assert again == (tmp_path / "faithful-k3.em" / "responsibilities.csv").read_text()
    score = json.loads(em("score", "faithful-k3.em", "faithful.csv", cwd=tmp_path).out)
    params = json.loads((tmp_path / "faithful-k3.em" / "params.json").read_text())
    assert score["log_likelihood"] == pytest.approx(params["log_likelihood"], rel=1e-14)
    assert score["bic"] == pytest.approx(params["bic"], rel=1e-14)
    rows = pd.read_csv(tmp_path / "faithful-k3.em" / "responsibilities.csv")
    assert rows["log_density"].sum() == pytest.approx(params["log_likelihood"], rel=1e-12)


def test_config_file_and_its_record(tmp_path):
    shutil.copytree(SAMPLES, tmp_path / "sample_data")
    config = SAMPLES.parent / "configs" / "faithful.yaml"
    em("fit", "-c", config, cwd=tmp_path)
    again = em("fit", "-c", "runs/faithful/run.yaml", "--out", "again", cwd=tmp_path)
    assert again.status == 0
    for name in ("params.json", "responsibilities.csv", "trace.csv", "restarts.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "runs/faithful" / name).read_bytes(), name


def test_select_over_structures(tmp_path):
    chosen = ("--k-range", "1-4", "--covariance", "full,tied,diag,spherical")
    out = em("select", SAMPLES / "iris.csv", "--exclude", "species", *chosen, "--json", cwd=tmp_path)
    found = json.loads(out.out)
    assert len(found["selection"]) == 16
    assert {row["model"] for row in found["selection"]} == {"VVV", "EEE", "VVI", "VII"}
    best = min((row for row in found["selection"] if row["bic"] is not None), key=lambda row: row["bic"])
    assert best["note"].startswith("chosen")
    assert (
        (best["covariance"], best["k"])
        == ("full", 2)
        == (
            found["covariance_type"],
            found["n_components"],
        )
    )
    assert best["bic"] == pytest.approx(574.0178, abs=0.02)


def test_sample_into_fit(model, tmp_path):
    drawn = em("sample", model, "-n", "1000", "--seed", "1", cwd=tmp_path).out
    assert drawn == em("sample", model, "-n", "1000", "--seed", "1", cwd=tmp_path).out
    assert drawn.splitlines()[0] == "eruptions,waiting" and drawn.count("\n") == 1001
    found = json.loads(em("fit", "-", "-k", "2", cwd=tmp_path, stdin=drawn).out)
    assert found["weights"][0] == pytest.approx(0.644, abs=0.05)
    assert found["means"][0] == pytest.approx([4.29, 79.97], rel=0.02)


def test_reader_of_standard_output_that_goes_away(model, tmp_path):
    rows = tmp_path / "many.csv"
    rows.write_text("eruptions,waiting\n" + "3.6,79\n" * 200_000)
    with subprocess.Popen(
        command("predict", model, rows), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT
    ) as child:
        assert child.stdout and child.stderr
        child.stdout.readline()
        child.stdout.close()
        assert child.wait(60) == 141
        assert child.stderr.read() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("signal", "status"), [("INT", 130), ("TERM", 143)])
def test_interrupted_fit_writes_the_best_so_far(tmp_path, signal, status):
    """Slow convergence on overlapping groups: it would climb for long, but is asked to stop."""
    rng = np.random.default_rng(0)
    pd.DataFrame(rng.normal(size=(15_000, 6))).to_csv(tmp_path / "noise.csv", index=False, header=[*"abcdef"])
    with subprocess.Popen(
        command("fit", "noise.csv", "-k", "5", "--restarts", "2", "--max-iter", "100000", "--tol", "1e-9",
                "--algorithm", "em", "--progress", "jsonl"),
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT,
    ) as child:  # fmt: skip
        assert child.stderr
        for line in child.stderr:
            if b'"finishing"' in line:
                break
        time.sleep(1.5)  # or there has been no pass yet
        child.send_signal(getattr(signals, f"SIG{signal}"))
        child.stderr.read()
        assert child.wait(60) == status
    params = json.loads((tmp_path / "noise-k5.em" / "params.json").read_text())
    assert params["stop_reason"] == "interrupted" and not params["converged"]
    assert "interrupted" in {warning["code"] for warning in params["warnings"]}
    assert math.isfinite(params["log_likelihood"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["noise-k5.em", "noise.csv"]


def test_same_bytes_whatever_the_threads_and_the_way_in(tmp_path):
    shutil.copy(FAITHFUL, tmp_path)
    for threads, folder in (("1", "a"), ("2", "b")):
        fit = ("fit", "faithful.csv", "-k", "3", "--threads", threads, "--out", folder)
        em_process(*fit, cwd=tmp_path, env={"PYTHONHASHSEED": threads})
    em("fit", "-", "-k", "3", "--runner", "serial", "--out", "c", cwd=tmp_path, stdin=FAITHFUL.read_bytes())
    for name in ("params.json", "responsibilities.csv", "trace.csv", "restarts.csv"):
        first = (tmp_path / "a" / name).read_bytes()
        assert first == (tmp_path / "b" / name).read_bytes() == (tmp_path / "c" / name).read_bytes(), name


def test_environment_is_between_file_and_option(tmp_path):
    shutil.copy(FAITHFUL, tmp_path)
    Path(tmp_path / "run.yaml").write_text("data: faithful.csv\nk: 2\nseed: 1\nsearch: {restarts: 2}\n")
    seeds = [
        json.loads(em("fit", "-c", "run.yaml", "--json", *more, cwd=tmp_path, env=env).out)["random_state"]
        for more, env in (((), {}), ((), {"EM_SEED": "7"}), (("--seed", "9"), {"EM_SEED": "7"}))
    ]
    assert seeds == [1, 7, 9]


def test_python_m_and_os_environment(tmp_path):
    assert em_process("--version", cwd=tmp_path).out.startswith("em 0.")
    assert (Path(sys.executable).parent / "em").exists()
