"""Runs that are killed, cut short, or in each other's way."""

import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from program import ENVIRONMENT, QUICK, SAMPLES, command, em, em_process

from em_cli.errors import OutputError
from em_cli.outputs.run_folder import check_folder, reserved

RUNS = {
    "fit": ("fit", SAMPLES / "airquality.csv", "-k", "2", "--columns", "ozone,wind,temp"),
    "noise": ("fit", SAMPLES / "faithful.csv", "-k", "3", "--noise", "--algorithm", "squarem"),
    "select": ("select", SAMPLES / "faithful.csv", "--k-range", "1-4", "--covariance", "full,tied"),
}
KILLS = 3


def content(folder: Path) -> dict[str, bytes]:
    """What must be the same; times and arguments stand in the manifest alone."""
    return {f.name: f.read_bytes() for f in sorted(folder.iterdir()) if f.is_file() and f.name != "manifest.json"}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_is_killed_and_resumed_ends_with_the_same_bytes(name, tmp_path):
    begun = time.monotonic()
    em_process(*RUNS[name], "--out", "whole.em", "-q", cwd=tmp_path)
    seconds = time.monotonic() - begun
    moments = random.Random(name)
    resumed = (*RUNS[name], "--out", "killed.em", "-q", "--resume", "--checkpoint-every", "0.05s")
    for _ in range(KILLS):
        process = subprocess.Popen(command(*resumed), cwd=tmp_path, env=ENVIRONMENT | QUICK, stdout=subprocess.DEVNULL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds * (0.4 + 0.6 * moments.random()))
        process.kill()
        process.wait()
        if (tmp_path / "killed.em").exists():  # then it is whole
            assert content(tmp_path / "killed.em") == content(tmp_path / "whole.em")
            break
    em(*resumed, cwd=tmp_path)
    assert content(tmp_path / "killed.em") == content(tmp_path / "whole.em")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed.em", "whole.em"]


def test_a_run_that_was_interrupted_is_written_and_can_go_on(tmp_path):
    run = (*RUNS["fit"], "-q", "--checkpoint-every", "0.05s")
    process = subprocess.Popen(
        command(*run, "--out", "cut.em"), cwd=tmp_path, env=ENVIRONMENT | QUICK, stdout=subprocess.DEVNULL
    )
    while process.poll() is None and not (tmp_path / ".cut.em.partial/checkpoint/state").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    codes = [warning["code"] for warning in json.loads((tmp_path / "cut.em/params.json").read_text())["warnings"]]
    assert "interrupted" in codes and (tmp_path / "cut.em/checkpoint").is_dir()
    refused = em(*run, "--seed", "3", "--out", "cut.em", "--resume", cwd=tmp_path, status=2)
    assert "another configuration" in refused.err and (tmp_path / "cut.em/checkpoint").is_dir()
    (tmp_path / "more.csv").write_text((SAMPLES / "airquality.csv").read_text() + "1,2,3,4,5,6\n")
    changed = em("fit", "more.csv", *run[2:], "--out", "cut.em", "--resume", cwd=tmp_path, status=3)
    assert "the data have changed since the unfinished run of cut.em (sha256 " in changed.err
    assert (tmp_path / "cut.em/checkpoint").is_dir()
    for folder in ("cut.em", "straight.em"):
        em(*run, "--out", folder, "--resume", cwd=tmp_path)
    assert not (tmp_path / "cut.em/checkpoint").exists()
    assert content(tmp_path / "cut.em") == content(tmp_path / "straight.em")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    shutil.copy(SAMPLES / "faithful.csv", folder)
    em("fit", "faithful.csv", "-k", "2", "-q", cwd=folder)
    return folder


@pytest.fixture
def there(finished, tmp_path):
    """A finished run, and its data beside it."""
    return shutil.copytree(finished, tmp_path, dirs_exist_ok=True)


def test_a_finished_run_is_resumed_by_giving_its_result_again(there):
    before = {path: path.stat().st_mtime_ns for path in (there / "faithful-k2.em").iterdir()}
    done = em("fit", "faithful.csv", "-k", "2", "--resume", "--params", "copy.json", cwd=there)
    assert done.out == (there / "faithful-k2.em/params.json").read_text() == (there / "copy.json").read_text()
    assert "complete" in done.err
    shown = em("fit", "faithful.csv", "-k", "2", "--resume", "--format", "human", "-q", cwd=there)
    assert "Gaussian mixture" in shown.out and shown.err == ""
    assert before == {path: path.stat().st_mtime_ns for path in (there / "faithful-k2.em").iterdir()}


@pytest.mark.parametrize("options", [("six.csv",), ("deaths.csv", "--family", "poisson")])
def test_a_finished_sweep_gives_its_table_again(options, tmp_path):
    sweep = ("select", SAMPLES / options[0], *options[1:], "--k-range", "1-2", "--out", "s.em", "-q")
    first = {form: em(*sweep, "--force", "--format", form, cwd=tmp_path).out for form in ("json", "csv")}
    for form, text in first.items():
        assert em(*sweep, "--resume", "--format", form, cwd=tmp_path).out == text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-k", "3", "--out", "faithful-k2.em"), "another configuration"),
        (("-k", "2", "--seed", "5"), "another configuration"),
    ],
)
def test_a_run_is_not_resumed_as_another_one(there, arguments, words):
    refused = em("fit", "faithful.csv", *arguments, "--resume", cwd=there, status=2)
    assert words in refused.err and "--force" in refused.err


def test_a_run_is_not_resumed_on_other_data(there):
    with (there / "faithful.csv").open("a") as file:
        file.write("3.0,70\n")
    err = em("fit", "faithful.csv", "-k", "2", "--resume", cwd=there, status=3).err
    assert "the data have changed since the run in faithful-k2.em (sha256 " in err
    assert "… now): --resume cannot continue it. Bring the data back as they were, or use --force" in err


def test_what_a_killed_run_has_left_is_neither_lost_nor_in_the_way(there):
    left = there / ".new.em.partial"
    left.mkdir()
    (left / "params.json").write_text("{}")
    em("fit", "faithful.csv", "-k", "2", "-q", "--out", "new.em", cwd=there)
    assert not left.exists()
    (left / "checkpoint").mkdir(parents=True)
    (left / "checkpoint/state").write_bytes(b"something")
    refused = em("fit", "faithful.csv", "-k", "2", "-q", "--out", "new.em", "--force", "--resume", cwd=there, status=2)
    assert "--force" in refused.err and left.exists()
    shutil.rmtree(there / "new.em")
    refused = em("fit", "faithful.csv", "-k", "2", "-q", "--out", "new.em", cwd=there, status=4)
    assert "--resume" in refused.err and "--force" in refused.err and left.exists()
    refused = em("fit", "faithful.csv", "-k", "2", "-q", "--out", "new.em", "--resume", cwd=there, status=4)
    assert "damaged" in refused.err and left.exists()
    em("fit", "faithful.csv", "-k", "2", "-q", "--out", "new.em", "--force", cwd=there)
    assert not left.exists() and (there / "new.em").exists()


def planted_link(there: Path) -> None:
    (there / ".x.em.partial").symlink_to("precious")


def planted_file(there: Path) -> None:
    (there / ".x.em.partial").write_text("mine")


def folder_of_somebody(there: Path) -> None:
    (there / ".x.em.partial").mkdir()
    (there / ".x.em.partial/thesis.txt").write_text("mine")


def folder_open_to_others(there: Path) -> None:
    (there / ".x.em.partial").mkdir()
    (there / ".x.em.partial").chmod(0o777)


def link_inside(there: Path) -> None:
    (there / ".x.em.partial").mkdir()
    (there / ".x.em.partial/checkpoint").symlink_to("../precious")


@pytest.mark.parametrize(
    "planted", [planted_link, planted_file, folder_of_somebody, folder_open_to_others, link_inside]
)
@pytest.mark.parametrize("options", [(), ("--force",), ("--resume",)])
def test_what_stands_at_the_hidden_name_is_not_taken_over_unseen(there, planted, options):
    (there / "precious").mkdir()
    (there / "precious/thesis.txt").write_text("mine")
    planted(there)
    before = sorted(str(path) for path in there.rglob("*"))
    refused = em("fit", "faithful.csv", "-k", "2", "--out", "x.em", *options, cwd=there, status=4)
    assert ".x.em.partial" in refused.err and "Nothing was touched" in refused.err
    assert sorted(str(path) for path in there.rglob("*")) == before


def test_a_run_folder_with_somebody_elses_files_is_not_replaced(there):
    (there / "faithful-k2.em/notes.txt").write_text("mine")
    refused = em("fit", "faithful.csv", "-k", "2", "--force", cwd=there, status=4)
    assert "'notes.txt'" in refused.err and (there / "faithful-k2.em/notes.txt").read_text() == "mine"
    home = there / "home"
    home.mkdir()
    shutil.copy(there / "faithful-k2.em/params.json", home)
    (home / "thesis.txt").write_text("mine")
    refused = em("fit", "faithful.csv", "-k", "2", "--force", "--out", "home", cwd=there, status=4)
    assert "no run has written" in refused.err and (home / "thesis.txt").exists()


def test_a_link_to_a_run_folder_is_written_through(there):
    (there / "faithful-k2.em").rename(there / "real.em")
    (there / "link.em").symlink_to("real.em")
    em("fit", "faithful.csv", "-k", "3", "-q", "--force", "--out", "link.em", cwd=there)
    assert (there / "link.em").is_symlink()
    assert json.loads((there / "real.em/params.json").read_text())["n_components"] == 3
    assert sorted(path.name for path in there.iterdir()) == ["faithful.csv", "link.em", "real.em"]


def test_files_that_killed_runs_have_left_on_their_way_are_cleared(there):
    left, held, other = (there / f".new.csv.{name}.partial" for name in ("abcdefgh", "ijklmnop", "mine"))
    for path in (left, held, other):
        path.write_text("row,comp")
    link = there / ".new.csv.qrstuvwx.partial"
    link.symlink_to("faithful.csv")
    with held.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # by a run that is still writing
        em("predict", "faithful-k2.em", "faithful.csv", "--out", "new.csv", cwd=there)
    assert not left.exists() and held.exists() and other.exists() and link.is_symlink()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("source", ["fifo", "-"])
def test_a_signal_ends_at_once_a_run_that_awaits_its_data(there, source, number, status):
    os.mkfifo(there / "fifo")
    run = ["env", f"--default-signal={number.name[3:]}", *command("fit", source, "-k", "2", "--out", "x.em")]
    process = subprocess.Popen(run, cwd=there, env=ENVIRONMENT | QUICK, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and not (there / ".x.em.partial").exists():
        time.sleep(0.01)
    time.sleep(0.5)  # it has come to wait
    process.send_signal(number)
    assert process.wait(20) == status
    assert b"no result was written" in process.communicate()[1]
    assert not [path for path in there.iterdir() if path.name.endswith(("x.em", ".partial"))]


def test_a_working_folder_that_is_deleted_costs_no_result(there):
    gone = there / "gone"
    gone.mkdir()
    begun = "cd gone && rmdir ../gone && exec"
    run = command("fit", there / "faithful.csv", "-k", "2", "-q", "--out", there / "x.em")
    assert subprocess.run(["sh", "-c", f'{begun} "$@"', "sh", *run], cwd=there, env=ENVIRONMENT | QUICK).returncode == 0
    assert json.loads((there / "x.em/manifest.json").read_text())["working_directory"] is None
    gone.mkdir()
    run = command("fit", there / "faithful.csv", "-k", "2", "-q", "--out", "x.em")
    done = subprocess.run(
        ["sh", "-c", f'{begun} "$@"', "sh", *run], cwd=there, env=ENVIRONMENT | QUICK, capture_output=True
    )
    assert done.returncode == 4 and b"working folder has been deleted" in done.stderr


def test_two_runs_on_one_folder(there):
    aside = there / ".x.em.partial"
    aside.mkdir()
    held = os.open(aside, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = em("fit", "faithful.csv", "-k", "2", "--out", "x.em", cwd=there, status=4)
        assert "another run is writing to x.em" in refused.err
    finally:
        os.close(held)
    em("fit", "faithful.csv", "-k", "2", "--out", "x.em", "-q", cwd=there)


def test_a_run_that_fails_leaves_nothing(there):
    (there / "bad.csv").write_text("a,b\n1,2\n3,x\n")
    em("fit", "bad.csv", "-k", "2", "--out", "deep/er/bad.em", "--type", "b=numeric", cwd=there, status=3)
    assert not (there / "deep").exists()
    for options in (("--resume",), ("--checkpoint-every", "5s")):
        refused = em("fit", "faithful.csv", "-k", "2", "--json", *options, cwd=there, status=2)
        assert "--out" in refused.err
    assert (
        "--checkpoint-every" in em("fit", "faithful.csv", "-k", "2", "--checkpoint-every", "0", cwd=there, status=2).err
    )


def test_a_folder_that_is_replaced_is_there_at_any_moment(there, monkeypatch):
    monkeypatch.chdir(there)
    before = content(there / "faithful-k2.em")
    with pytest.raises(RuntimeError), reserved("faithful-k2.em", force=True, resume=False) as folder:
        (folder.aside / "params.json").write_text("half")
        raise RuntimeError
    assert content(there / "faithful-k2.em") == before
    with reserved("faithful-k2.em", force=True, resume=False) as folder:
        written = folder.deliver({"params.json": ["{}"], "plots/one.png": [b"\x89PNG"]}, {"command": "fit"})
    assert written == ["params.json", "plots/", "manifest.json"]
    outputs = json.loads((there / "faithful-k2.em/manifest.json").read_text())["outputs"]
    assert list(outputs) == ["params.json", "plots/one.png"]
    assert content(there / "faithful-k2.em" / "plots") == {"one.png": b"\x89PNG"}
    assert (there / "faithful-k2.em/params.json").read_text() == "{}"
    assert not [path for path in there.iterdir() if path.name.startswith(".")]
    with pytest.raises(OutputError, match="--force"):
        check_folder("faithful-k2.em", force=False)
