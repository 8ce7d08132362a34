"""Streams that are closed, full or no longer read; limits of files and of memory; files that are no files."""

import errno
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading

import pytest
from program import ENVIRONMENT, QUICK, SAMPLES, command, em

from em_cli.errors import OutputError, UsageError
from em_cli.outputs.folder import write_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a shell, /dev/full, FIFOs, limits")

SAID = "em: error: standard output cannot be written: "


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    em("fit", SAMPLES / "faithful.csv", "-k", "1", "-q", "--params", "m.json", "--out", "m.em", cwd=folder)
    return folder / "m.json"


@pytest.fixture
def folder(tmp_path, model):
    shutil.copy(SAMPLES / "faithful.csv", tmp_path)
    shutil.copy(model, tmp_path)
    return tmp_path


def shell(line: str, folder, **environment: str) -> tuple[int, str, str]:
    """Status, standard output and standard error of a line in which EM is the program."""
    line = line.replace("EM", shlex.join(command()))
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, capture_output=True, env=ENVIRONMENT | environment, timeout=120, text=True
    )
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("arguments", ["--help", "show m.json", "sample m.json -n 50000"])
def test_standard_output_that_fails(folder, arguments):
    for redirection, reason in ((">&-", "it is closed."), (">/dev/full", "the disk is full.")):
        assert shell(f"EM {arguments} {redirection}", folder) == (4, "", f"{SAID}{reason}\n")
    assert shell(f"EM {arguments} | true; exit ${{PIPESTATUS[0]}}", folder) == (141, "", "")


@pytest.mark.parametrize(
    ("redirection", "status"),
    [(">&- 2>&- <&-", 0), ("2>/dev/full --progress jsonl", 0), (">/dev/full", 4)],
)
def test_a_fit_is_kept_whatever_becomes_of_the_streams(folder, redirection, status):
    found, out, _ = shell(f"EM fit faithful.csv -k 1 {redirection}", folder)
    assert found == status
    assert json.loads((folder / "faithful-k1.em" / "params.json").read_text())["n_components"] == 1
    assert out == "" or json.loads(out)["converged"]


def test_a_result_for_standard_output_that_is_closed(folder):
    assert shell("EM fit faithful.csv -k 1 --json >&-", folder)[:2] == (4, "")
    status, _, err = shell("EM predict m.json - <&-", folder)
    assert status == 3 and "standard input is empty" in err


@pytest.mark.parametrize(
    "arguments",
    [
        "fit faithful.csv -k 2 -q",
        "fit faithful.csv -k 2 -q --json --params params.json",
        "impute m.json faithful.csv --draws 2 --out full.csv",
    ],
)
def test_files_that_grow_too_large(folder, arguments):
    before = sorted(folder.iterdir())
    status, _, err = shell(f"ulimit -f 2; EM {arguments}", folder, PYTHONDONTWRITEBYTECODE="1")  # or half a module
    assert status == 4 and err.count("\n") == 1
    assert "larger than the system allows. Nothing was left half-written." in err
    assert sorted(folder.iterdir()) == before


def test_few_files_that_may_be_open(folder):
    """So few that a result could not be written: said before the search."""
    status, _, err = shell("ulimit -n 12; EM fit faithful.csv -k 2", folder)
    assert (status, err) == (
        4,
        "em: error: only 12 files may be open at once (ulimit -n), and em needs 16: raise it.\n",
    )


def test_events_on_a_full_disk(folder):
    status, _, err = shell("EM fit faithful.csv -k 1 -q --events /dev/full", folder)
    assert status == 4 and err == "em: error: the events could not all be written: the disk is full.\n"
    assert (folder / "faithful-k1.em" / "params.json").exists(), "the fit is not lost"


@pytest.mark.parametrize("megabytes", [150, 270, 1000])
def test_little_address_space(folder, megabytes):
    (folder / "many.csv").write_text("a,b\n" + "".join(f"{i % 1009},{i % 2003}\n" for i in range(300_000)))
    limited = f"ulimit -v {megabytes * 1024}; EM"
    status, out, err = shell(f"{limited} fit many.csv -k 1 -q --restarts 1 --json", folder)
    assert (status, bool(out)) == ((0, True) if megabytes == 1000 else (3, False)), err
    assert megabytes == 1000 or (err.count("\n") == 1 and "memory" in err)


def test_fifos_and_streams_by_name(folder):
    """They are read and written as they go; none is replaced by a file."""
    whole = em("predict", "m.json", "faithful.csv", cwd=folder).out
    os.mkfifo(folder / "in.csv")
    os.mkfifo(folder / "out.csv")
    threading.Thread(target=lambda: (folder / "in.csv").write_text((folder / "faithful.csv").read_text())).start()
    read = []
    reader = threading.Thread(target=lambda: read.append((folder / "out.csv").read_text()))
    reader.start()
    assert shell("EM predict m.json in.csv --out out.csv", folder) == (0, "", "")
    reader.join(60)
    assert read == [whole] and (folder / "out.csv").is_fifo()
    assert shell("EM predict m.json faithful.csv --out /dev/stdout | cat", folder) == (0, whole, "")
    (folder / "log").write_text("before\n")
    shell("EM predict m.json faithful.csv --out /dev/stdout >> log", folder)
    assert (folder / "log").read_text() == "before\n" + whole
    shell("EM predict m.json faithful.csv --out /dev/fd/3 3> third", folder)
    assert (folder / "third").read_text() == whole


def test_completion_that_cannot_be_installed(folder):
    """Where the home of a user cannot be written, as in containers."""
    status, _, err = shell("EM --install-completion; exit $?", folder, HOME=str(folder / "faithful.csv" / "me"))
    assert status == 4 and err.startswith("em: error: ") and "faithful.csv/me" in err
    assert "cannot be written: a part of its path is not a folder. em --show-completion prints what" in err


def test_a_place_within_a_file_is_said_to_be_none(folder):
    told = em("fit", "faithful.csv", "-k", 1, "--out", "faithful.csv/x", cwd=folder, status=4).err
    assert "faithful.csv/x cannot be written" in told and "faithful.csv is a file" in told


@pytest.mark.parametrize(
    "arguments",
    [
        "fit no.csv -k 1 --labelled",
        "fit no.csv -k 1 --params",
        "fit no.csv -k 1 --responsibilities",
        "predict m.json no.csv --out",
        "sample m.json -n 3 --out",
    ],
)
@pytest.mark.parametrize("place", ["no/such.csv", "faithful.csv/such.csv"])
def test_a_file_that_will_have_no_place_is_refused_before_data_are_read(arguments, place, folder):
    told = em(*arguments.split(), place, cwd=folder, status=4).err
    assert f"{place} cannot be written: " in told and "no.csv" not in told


def test_where_files_may_not_be_made_they_are_refused_before_the_work(folder, model, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    told = em("bootstrap", model.parent / "m.em", "--out", "there/it", cwd=folder, status=4).err
    assert "there/it/intervals.csv cannot be written: there is no permission to write there." in told


def test_a_symbolic_link_is_written_through(folder):
    (folder / "link.csv").symlink_to("real.csv")
    for _ in range(2):
        em("predict", "m.json", "faithful.csv", "--out", "link.csv", "--force", cwd=folder)
        assert (folder / "link.csv").is_symlink() and (folder / "real.csv").read_text().startswith("row,component")


@pytest.mark.parametrize(
    ("line", "over"),
    [
        ("fit faithful.csv -k 1 --params faithful.csv", "--params would overwrite faithful.csv, which is to be read"),
        ("fit link.csv -k 1 --events faithful.csv", "--events would overwrite link.csv, which is to be read"),
        ("fit 'faith*.csv' -k 1 --params ./faithful.csv", "would overwrite faithful.csv"),
        ("fit faithful.csv -k 1 --params new --events new", "--events would overwrite what --params writes there"),
        ("fit faithful.csv -k 1 --params log > log", "--params would overwrite what standard output writes there"),
        ("fit faithful.csv -k 1 --params faithful-k1.em/p", "lies in the run folder faithful-k1.em"),
        ("predict m.json faithful.csv --out faithful.csv --force", "--out would overwrite faithful.csv"),
        ("predict m.json faithful.csv --out m.json --force", "--out would overwrite m.json"),
        ("impute m.json - --out faithful.csv --force < faithful.csv", "--out would overwrite standard input"),
        ("score m.json faithful.csv --rows >> faithful.csv", "standard output would overwrite faithful.csv"),
    ],
)
def test_nothing_is_written_over_what_is_read(folder, line, over):
    (folder / "link.csv").symlink_to("faithful.csv")
    if set(line) & set("<>"):
        status, _, err = shell(f"EM {line}", folder)
    else:
        status, err = UsageError.status, em(*shlex.split(line), cwd=folder, status=UsageError.status).err
    assert status == UsageError.status and over in err
    assert (folder / "faithful.csv").read_bytes() == (SAMPLES / "faithful.csv").read_bytes()
    assert sorted(path.name for path in folder.iterdir() if path.name != "log") == [
        "faithful.csv",
        "link.csv",
        "m.json",
    ]


def test_results_are_utf_8_in_every_locale(folder):
    (folder / "u.csv").write_text("größe,λ\n" + "".join(f"{i % 7},{i % 5}\n" for i in range(40)))
    plain = {"LANG": "C", "PYTHONIOENCODING": "ascii"}
    status, out, err = shell("EM fit u.csv -k 1 --format human --columns größe,λ", folder, **plain)
    assert status == 0 and "größe" in out, err
    assert shell("EM sample u-k1.em -n 1", folder, **plain)[1].startswith("größe,λ\n")
    status, _, err = shell("EM fit u.csv -k 1 --out v --columns größer", folder, **plain)
    assert status == 3 and r"gr\xf6\xdfe" in err


def test_names_of_files_that_are_no_characters(folder):
    name = b"bad\xff.csv"
    shutil.copy(folder / "faithful.csv", os.fsencode(folder) + b"/" + name)
    done = subprocess.run(
        [*command("fit", "-k", "1", "-q"), name], cwd=folder, env=ENVIRONMENT | QUICK, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    (kept,) = folder.glob("bad*.em")
    assert os.fsencode(json.loads((kept / "manifest.json").read_text())["inputs"][0]["name"]) == name
    em("fit", "-c", kept / "run.yaml", "-q", "--out", "again", cwd=folder)
    assert (folder / "again" / "params.json").read_bytes() == (kept / "params.json").read_bytes()


def test_rows_without_end(model, tmp_path):
    status, out, err = shell(f"EM sample {model} -n 1000000000000 | head -2; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert (status, out.count("\n"), err) == (141, 2, "")


def test_no_folder_is_left_where_its_files_cannot_be_written(tmp_path):
    def lines():
        yield "a line\n"
        raise OSError(errno.ENOSPC, "")

    with pytest.raises(OutputError, match="the disk is full"):
        write_files(str(tmp_path / "there" / "plots"), {"one.csv": ["whole"], "two.csv": lines()})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        "outliers m.em --out",
        "compare m.em m.em --out",
        "fit faithful.csv -k 1 -q --cache",
        "fit faithful.csv -k 1 -q --out m.em --force --labelled",
        "help --man --out",
    ],
)
def test_names_that_are_too_long_are_said_to_be(arguments, folder, model):
    shutil.copytree(model.parent / "m.em", folder / "m.em")
    told = em(*arguments.split(), "n" * 256, cwd=folder, status=4).err
    assert "its name is too long" in told or "is no folder" in told
