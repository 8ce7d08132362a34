"""A cluster of 2 processes of which one is killed, at 20 drawn moments of a fit; and what a pass costs who asks for it.

`kills.py 5` kills five times. Every file that a fit writes must hold the same bytes as that of one process.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from bench import ROOT, Table, timed
from cluster import drawn, workers
from program import em
from support import bound_model, responsibilities, start

from em_cli.engine.scoring import score_source
from em_cli.families.gaussian.options import Gaussian
from em_cli.runners import dask
from em_cli.runners.dask import Dask
from em_cli.sources import elsewhere
from em_cli.sources.in_memory import InMemory
from em_cli.sources.row_blocks import Blocks
from em_cli.sources.store import Store

N_ROWS, N_WORKERS, KILLS = 200_000, 2, 20
FIT = ("fit", "rows.csv", "-k", 3, "--covariance", "diag", "--restarts", 1, "--max-iter", 8, "--se", "none", "-q")
FILES = ("params.json", "responsibilities.csv", "trace.csv", "restarts.csv", "run.yaml")
BASE, PER_GROUP = 0.010, 0.00005  # s of CPU of who asks, for a pass and for a group of it
GROUPS = (20, 400)
IDLE = 5.0  # s in which is seen what a scheduler takes when nothing is asked, which runs in the same process


def fitted(folder: Path, name: str, *more: str | int) -> float:
    begun = time.perf_counter()
    em(*map(str, FIT), *map(str, more), "--force", "--out", name, cwd=folder)
    return time.perf_counter() - begun


def kill_after(seconds: float, place: float) -> None:
    """One of the workers that are alive then."""
    time.sleep(seconds)
    client = dask._clients[str(N_WORKERS)]
    alive = sorted(worker["pid"] for worker in client.run(_about_process).values())
    with contextlib.suppress(ProcessLookupError, IndexError):
        os.kill(alive[int(place * len(alive))], signal.SIGKILL)


def _about_process() -> dict[str, int]:
    return {"pid": os.getpid()}


def killed(folder: Path, n: int) -> bool:
    """Whether all of so many fits gave the bytes of one process."""
    fitted(folder, "alone")
    fitted(folder, "cluster", "--dask", N_WORKERS)  # which starts it
    whole = fitted(folder, "cluster", "--dask", N_WORKERS)
    table, alike = Table("Fits, a worker killed on the way", ("seed", "killed after, s", "took, s", "files")), True
    table.row("none", "", whole, "")
    for seed in range(n):
        moment = random.Random(seed)
        after, place = whole * moment.random(), moment.random()
        threading.Thread(target=kill_after, args=(after, place)).start()
        took = fitted(folder, "cluster", "--dask", N_WORKERS)
        differ = [
            file for file in FILES if (folder / "alone" / file).read_bytes() != (folder / "cluster" / file).read_bytes()
        ]
        alike = alike and not differ
        table.row(seed, f"{after:.2f}", took, ", ".join(differ) + " differ" if differ else "the same bytes")
    table.close()
    return alike


def asked(folder: Path) -> None:
    """What a pass costs the process that asks for it."""
    table = Table("CPU of who asks, a pass, above what its scheduler takes idle", ("groups", "ms", "wanted, ms"))
    x = np.random.default_rng(2).normal(size=(1, 64 * 40))
    model = bound_model(Gaussian("full"), InMemory(x), 2)
    at = start(model, x, responsibilities(1, np.arange(x.shape[1]) % 2, 2, 0.4))
    runner = Dask(N_WORKERS)
    for n in GROUPS:
        store = Store(0.0, folder)
        cells = [store.keep(part) for part in np.split(x, 64, axis=1)] * n
        source = Blocks(n * x.shape[1], 1, cells, None, None, store)
        idle, _ = timed(partial(time.sleep, IDLE))
        turns = [_spent(partial(score_source, model, at, source, runner)) for _ in range(4)]
        spent = min(cpu - idle / IDLE * wall for cpu, wall in turns)
        most = BASE + PER_GROUP * n
        table.row(n, f"{1e3 * spent:.1f}", table.at_most(spent * 1e3, most * 1e3))
        store.close()
    table.close()


def _spent(task: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall time."""
    begun, cpu = time.perf_counter(), timed(task)[0]
    return cpu, time.perf_counter() - begun


def ended(folder: Path) -> bool:
    """Whether Ctrl-C in a terminal leaves no process and no file of rows behind, and nobody complains."""
    command = [sys.executable, "-m", "em_cli", *map(str, FIT), "--dask", str(N_WORKERS), "--tol", "1e-300"]
    table, alike = Table("Ctrl-C", ("s after the workers", "status", "left", "said")), True
    for wait in (0.0, 2.0, 4.0):
        with subprocess.Popen(
            [*command, "--max-iter", "9999", "--out", f"ended{wait:g}"], cwd=folder, start_new_session=True,
            stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
        ) as process:  # fmt: skip
            while not workers(process.pid):
                time.sleep(0.05)
            time.sleep(wait)
            os.killpg(process.pid, signal.SIGINT)
            said = process.communicate()[1].strip().splitlines()
        left = [*workers(process.pid), *workers(1, process.pid), *folder.glob(".em-*.rows*")]
        alike = alike and not left and not any("Traceback" in line for line in said)
        table.row(f"{wait:g}", process.returncode, len(left), said[-1] if said else "")
    return alike


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    elsewhere.LEAST, elsewhere.BATCH = 0, 1 << 21
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn(folder / "rows.csv", N_ROWS)
        alike = killed(folder, n)
        asked(folder)
        alike = ended(folder) and alike
    sys.exit(not alike)


if __name__ == "__main__":
    main()
