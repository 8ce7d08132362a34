"""What is available, what a run takes, and how it is told that this is too much."""

import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from program import ENVIRONMENT, SAMPLES
from program import em_process as em

from em_cli import memory
from em_cli.errors import DataError
from em_cli.search.memory_estimate import _hashes

MEASURED = """
import re, sys
sys.argv = ["em", *sys.argv[1:]]
from em_cli.app import main
try:
    main()
finally:
    print("taken along:", "pyarrow" in sys.modules, file=sys.stderr)
    print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], file=sys.stderr)
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="the files of Linux")


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A system of which only the files that a test writes are known."""
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "groups")
    monkeypatch.setattr(memory, "address_limit", lambda: None)

    def write(**files: str) -> None:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


def test_nothing_is_known(system):
    assert memory.available() is None and memory.taken() == 0
    memory.check(1e30, "anything")


def test_the_least_of_what_is_told(system, monkeypatch):
    system(proc__meminfo="MemTotal: 9999 kB\nMemAvailable:    4000 kB\n")
    assert memory.available() == 4000 << 10
    system(proc__self__cgroup="0::/a/b\n", groups__a__memory_dot_max="max\n", groups__a__memory_dot_current="7\n")
    assert memory.available() == 4000 << 10
    system(groups__a__memory_dot_max="3000000\n", groups__a__memory_dot_current="2000000\n")
    assert memory.available() == 1_000_000
    system(groups__a__memory_dot_stat="anon 5\ninactive_file 500000\n")
    assert memory.available() == 1_500_000
    system(groups__memory__memory_dot_limit_in_bytes="900000\n", groups__memory__memory_dot_usage_in_bytes="100000\n")
    assert memory.available() == 800_000
    system(proc__self__statm="10 5 1 1 0 1 0\n")
    page = os.sysconf("SC_PAGE_SIZE")
    assert memory.taken() == 5 * page
    monkeypatch.setattr(memory, "address_limit", lambda: memory.ASIDE + 10 * page + 4096)
    assert memory.available() == 4096
    with pytest.raises(DataError, match=r"a fit needs about 2\.0 GiB more memory; 4 KiB are available\. Use fewer"):
        memory.check(2 << 30, "a fit")


def test_memory_that_runs_out_in_the_words_of_libraries():
    def chained(message: str) -> Exception:
        try:
            try:
                raise ImportError(f"libopenblas.so: {message}")
            except ImportError as error:
                raise ImportError("Importing the numpy C-extensions failed.") from error
        except ImportError as error:
            return error

    assert memory.exhausted(MemoryError()) and memory.exhausted(OSError(12, "Cannot allocate memory"))
    assert memory.exhausted(RuntimeError("can't start new thread"))
    assert memory.exhausted(chained("failed to map segment from shared object"))
    assert not memory.exhausted(chained("no such file"))
    assert not memory.exhausted(DataError('column "can\'t start new thread" is not in data.csv'))


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 MiB"),
        (9_000, "9 KiB"),
        (512, "512 bytes"),
        (300 << 20, "300 MiB"),
        (1 << 30, "1.0 GiB"),
        (2.46 * 2**40, "2.5 TiB"),
    ],
)
def test_sizes(n_bytes, text):
    assert memory.size(n_bytes) == text


@linux
@pytest.mark.parametrize(
    ("n", "d", "options"),
    [(60_000, 3, ("--covariance", "diag", "--threads", "1")), (1_000, 200, ())],
    ids=["many rows", "many features"],
)
def test_what_a_run_takes_is_told_before(tmp_path, n, d, options):
    rng = np.random.default_rng(0)
    lines = [",".join(map(str, row)) for row in rng.normal(size=(min(n, 2_000), d)).round(6).tolist()]
    lines = [f"{line}{r % 89}" for r in range(-(-n // len(lines))) for line in lines]
    (tmp_path / "data.csv").write_text(",".join(f"x{j}" for j in range(d)) + "\n" + "\n".join(lines) + "\n")
    run = ("fit", "data.csv", "-k", "2", "--restarts", "1", "--max-iter", "2", "-q", "--params", "p.json", *options)
    assert 0.8 < told_of_taken(run, tmp_path) < 1.2


def told_of_taken(run, folder) -> float:
    """How much of the memory that a run takes is told before."""
    told = em(*run, "--dry-run", cwd=folder).out
    expected = float(re.search(r"would take about ([\d,.]+) MiB of memory in all; .* are available", told)[1])
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *run], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "taken along: False" in done.stderr, "pandas does without Arrow"
    return expected / (int(done.stderr.split()[-1]) / 1024)


@linux
@pytest.mark.parametrize(
    ("n", "d", "gaps", "covariance"),
    [(400, 36, 0, "full"), (4_000, 16, 0.03, "diag")],
    ids=["wide", "with gaps"],
)
def test_what_a_search_takes_is_told_before(tmp_path, n, d, gaps, covariance):
    """Components that are parted in many ways, and patterns of missing cells that need no matrices."""
    rng = np.random.default_rng(0)
    cells = (rng.normal(size=(n, d)) + rng.normal(0, 3, (3, d))[rng.integers(0, 3, n)]).round(4).astype(str)
    cells[rng.random(cells.shape) < gaps] = ""
    (tmp_path / "data.csv").write_text("\n".join([",".join(f"x{j}" for j in range(d)), *map(",".join, cells)]) + "\n")
    run = ("fit", "data.csv", "-k", "3", "--covariance", covariance, "--threads", "1", "-q", "--params", "p.json")
    assert 0.8 < told_of_taken(run, tmp_path) < 1.2


def test_rows_on_the_disk_take_no_memory_that_grows_with_them():
    in_memory, on_disk = ([8 * _hashes(n, there) for n in (10**6, 10**9)] for there in (False, True))
    assert in_memory == [16e6, 8e9 + 8 * _hashes(10**9, True)] and on_disk[0] == 16e6
    assert 60e6 < on_disk[1] < 70e6


def test_what_cannot_fit_is_refused_with_figures(tmp_path):
    err = em("select", SAMPLES / "iris.csv", "--exclude", "species", "--k-range", "1-4", "--restarts", 10**9,
             cwd=tmp_path, status=3).err  # fmt: skip
    assert "fitting 4 models of up to 4 components to iris.csv (150 rows × 4 columns) needs about" in err
    assert "are available. Use fewer columns" in err
    assert not any(tmp_path.iterdir())


@linux
def test_few_addresses_will_do(tmp_path):
    """Rows go to the disk where addresses are limited, and threads and libraries reserve few."""
    lines = "\n".join(f"{r % 97}.5,{r % 31}.25,{(r % 2) * 40 + r % 7}" for r in range(80_000))
    (tmp_path / "data.csv").write_text(f"a,b,c\n{lines}\n")
    run = shlex.join([sys.executable, "-m", "em_cli"])
    own = f"{run} fit data.csv -k 1 -q --se none --out o && {run} bootstrap o -B 20 -q"
    limited = f"ulimit -v 460000; {own}"
    done = subprocess.run(["bash", "-c", limited], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@linux
def test_errors_that_are_left_out_take_no_memory(tmp_path):
    """That there are too many parameters is known before products of features are listed."""
    rows = np.random.default_rng(0).normal(size=(250, 70)).round(4)
    header = ",".join(f"x{j}" for j in range(70))
    np.savetxt(tmp_path / "data.csv", rows, "%.4f", delimiter=",", header=header, comments="")
    run = ("fit", "data.csv", "-k", "2", "--restarts", "1", "--max-iter", "2", "-q", "--params", "p.json")
    asked = ("--covariance", "full")
    assert 0.8 < told_of_taken((*run, *asked), tmp_path) < 1.2
