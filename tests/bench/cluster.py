"""A cluster of 4 processes, one of which is killed on the way, and this process alone: the same answer.

`python tests/bench/cluster.py 5e6` says how many rows; they are drawn.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from pydantic_core import to_json

D, K, PIECE, N_WORKERS = 10, 3, 50_000, 4
FIT = ("-k", str(K), "--covariance", "diag", "--restarts", "1", "--max-iter", "20", "--se", "none", "-q")
FILES = ("params.json", "trace.csv", "restarts.csv")


def drawn(path: Path, n: int) -> None:
    rng = np.random.default_rng(1)
    means = rng.normal(size=(K, D)) * 4
    with path.open("w") as file:
        file.write(",".join(f"x{j}" for j in range(D)) + "\n")
        for first in range(0, n, PIECE):
            m = min(PIECE, n - first)
            x = means[rng.integers(0, K, m)] + rng.normal(size=(m, D))
            file.write(to_json(x.tolist()).decode()[2:-2].replace("],[", "\n") + "\n")


def workers(of: int, group: int | None = None) -> list[int]:
    """Processes of a cluster that a process has started, in a group of processes if it is told."""
    found = subprocess.run(["ps", "-eo", "pid,ppid,pgid,args"], capture_output=True, text=True).stdout.splitlines()
    rows = [line.split(None, 3) for line in found[1:]]
    mine = [row for row in rows if int(row[1]) == of and (group is None or int(row[2]) == group)]
    return [int(pid) for pid, _, _, command in mine if "spawn_main" in command]


def kill_one(of: int, folder: Path) -> None:
    """When the rows are in their file, and passes have begun."""
    alive: list[int] = []
    while len(alive) < N_WORKERS or not list(folder.glob(".em-*.source")):
        time.sleep(0.1)
        alive = workers(of)
    time.sleep(2)
    os.kill(alive[-1], signal.SIGKILL)
    print(f"killed worker {alive[-1]}, one of {len(alive)}")


def fitted(folder: Path, name: str, *more: str, killed: bool = False) -> float:
    begun = time.perf_counter()
    command = [sys.executable, "-m", "em_cli", "fit", "rows.csv", *FIT, "--no-responsibilities", "--out", name, *more]
    with subprocess.Popen(command, cwd=folder) as process:
        if killed:
            threading.Thread(target=kill_one, args=(process.pid, folder), daemon=True).start()
    if process.returncode:
        sys.exit(process.returncode)
    return time.perf_counter() - begun


def main() -> None:
    n = int(float(sys.argv[1])) if len(sys.argv) > 1 else 5_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn(folder / "rows.csv", n)
        print(f"{n:,} rows of {D} columns drawn")
        print(f"one process: {fitted(folder, 'alone'):.0f} s")
        print(f"4 processes, one killed: {fitted(folder, 'cluster', '--dask', str(N_WORKERS), killed=True):.0f} s")
        differ = [
            file for file in FILES if (folder / "alone" / file).read_bytes() != (folder / "cluster" / file).read_bytes()
        ]
        print(f"{', '.join(differ)} differ" if differ else f"{', '.join(FILES)}: the same bytes")
        sys.exit(bool(differ))


if __name__ == "__main__":
    main()
