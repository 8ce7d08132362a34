"""Whole processes beside scikit-learn scripts that do the same: wall time, CPU time, peak memory.

`programs.py NAME …` measures some of the rows: help, faithful, big, all-1e5, all-1e6.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench import FAITHFUL, ROOT, Table, load

PYTHON = sys.executable
EM = str(Path(PYTHON).parent / "em")
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "EM_THREADS"), "1")

SKLEARN_FAITHFUL = """
import sys, json, pandas as pd
from sklearn.mixture import GaussianMixture
data = pd.read_csv(sys.argv[1])
model = GaussianMixture(2, n_init=10, random_state=0).fit(data)
json.dump({"weights": model.weights_.tolist(), "means": model.means_.tolist(),
           "covariances": model.covariances_.tolist(), "bic": model.bic(data)}, open("params.json", "w"))
responsibilities = pd.DataFrame(model.predict_proba(data))
responsibilities.insert(0, "component", model.predict(data))
responsibilities.to_csv("responsibilities.csv")
"""

SKLEARN_GIVEN = """
import sys, json, warnings, numpy as np, pandas as pd
from sklearn.mixture import GaussianMixture
warnings.simplefilter("ignore")
start = json.load(open("start.json"))
data = pd.read_csv("data.csv").to_numpy()
model = GaussianMixture(len(start["weights"]), max_iter=20, tol=0, reg_covar=0, weights_init=start["weights"],
                        means_init=start["means"], precisions_init=np.linalg.inv(start["covariances"])).fit(data)
json.dump({"weights": model.weights_.tolist(), "means": model.means_.tolist(),
           "covariances": model.covariances_.tolist()}, open("params.json", "w"))
if sys.argv[1] == "all":
    found = model.predict_proba(data)
    responsibilities = pd.DataFrame(found)
    responsibilities.insert(0, "component", found.argmax(axis=1))
    responsibilities.to_csv("responsibilities.csv")
"""

MAKE_DATA = """
import sys, json, numpy as np, pandas as pd
rng = np.random.default_rng(1)
n, d, k = map(int, sys.argv[1:])
centres = 3 * rng.normal(size=(k, d))
mix = 0.5 * rng.normal(size=(k, d, d)) + np.eye(d)
labels = rng.integers(k, size=n)
x = centres[labels] + np.einsum("nij,nj->ni", mix[labels], rng.normal(size=(n, d)))
pd.DataFrame(x, columns=[f"x{j}" for j in range(d)]).to_csv("data.csv", index=False)
json.dump({"weights": [1 / k] * k, "means": x[rng.choice(n, k, replace=False)].tolist(),
           "covariances": [np.cov(x.T).tolist()] * k}, open("start.json", "w"))
"""


@dataclass(frozen=True)
class Cost:
    """Of one run of a program."""

    wall: float  # seconds
    cpu: float  # seconds, of all threads
    memory: float  # MB at the peak


@dataclass(frozen=True)
class Row:
    name: str
    ours: list[str]
    peer: list[str]
    peer_name: str
    wanted: dict[str, float]  # field of Cost: largest ratio
    runs: int
    prepare: Callable[[Path], None] = lambda folder: None
    threads: dict[str, str] = field(default_factory=dict)  # environment that limits them


def make_data(n: int, d: int, k: int, folder: Path) -> None:
    subprocess.run([PYTHON, "-c", MAKE_DATA, *map(str, (n, d, k))], cwd=folder, check=True)


def from_given(n: int, d: int, k: int, runs: int, wanted: dict[str, float], *, all_of_it: bool) -> Row:
    """Twenty iterations from a given start; all of it is responsibilities too, on one thread each."""
    name = f"{n:.0e} × {d}, K = {k}, full, 20 iterations from a given start".replace("e+0", "e")
    ours = [EM, "fit", "data.csv", "-k", str(k), "--start", "start.json", "--max-iter", "20", "--force", "-q"]
    return Row(
        f"{name}, with responsibilities" if all_of_it else name,
        ours if all_of_it else [*ours, "--no-responsibilities"],
        [PYTHON, "-c", SKLEARN_GIVEN, "all" if all_of_it else "parameters"],
        "scikit-learn, same start",
        wanted,
        runs,
        partial(make_data, n, d, k),
        ONE_THREAD if all_of_it else {},
    )


ROWS = {
    "help": Row("`em --help`", [EM, "--help"], [PYTHON, "-c", "import pandas"], "`import pandas`", {"wall": 0.4}, 15),
    "faithful": Row(
        "`em fit faithful.csv -k 2 --restarts 10`",
        [EM, "fit", str(FAITHFUL), "-k", "2", "--restarts", "10", "--force", "-q"],
        [PYTHON, "-c", SKLEARN_FAITHFUL, str(FAITHFUL)],
        "scikit-learn, `n_init=10`",
        {"wall": 0.5},
        7,
    ),
    "big": from_given(1_000_000, 10, 10, 3, {"wall": 0.35, "memory": 0.6}, all_of_it=False),
    "all-1e5": from_given(100_000, 5, 5, 5, {"cpu": 1 / 8}, all_of_it=True),
    "all-1e6": from_given(1_000_000, 10, 10, 3, {"cpu": 1 / 12}, all_of_it=True),
}


def measure(command: list[str], folder: Path, threads: dict[str, str]) -> Cost:
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | threads
    begun = time.perf_counter()
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    if status:
        raise SystemExit(f"{command[:3]} ended with status {os.waitstatus_to_exitcode(status)}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(row: Row) -> list[tuple[Cost, Cost]]:
    """What the runs cost, ours and the peer's by turns."""
    with tempfile.TemporaryDirectory(prefix="em-bench-") as name:
        folder = Path(name)
        row.prepare(folder)
        commands = (row.ours, row.peer)
        pairs = [[measure(command, folder, row.threads) for command in commands] for _ in range(row.runs)]
    return [(ours, theirs) for ours, theirs in pairs]


def main(names: list[str]) -> None:
    table = Table("Whole programs", ("em", "peer", "em's", "peer's", "ratio", "wanted", "load"))
    for row in (ROWS[name] for name in names or ROWS):
        pairs = compare(row)
        for kind, unit in (("wall", "s"), ("cpu", "s CPU"), ("memory", "MB")):
            ours, theirs = (statistics.median(getattr(pair[i], kind) for pair in pairs) for i in (0, 1))
            ratio = statistics.median(getattr(a, kind) / getattr(b, kind) for a, b in pairs)
            wanted = table.at_most(ratio, row.wanted[kind]) if kind in row.wanted else ""
            cells = f"{ours:.2f} {unit}", f"{theirs:.2f} {unit}", f"{ratio:.3f}", wanted, load()
            table.row(row.name, row.peer_name, *cells)
    table.close()


if __name__ == "__main__":
    main(sys.argv[1:])
