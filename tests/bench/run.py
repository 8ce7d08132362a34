"""`make bench`: whole programs, ours beside the peer's, in one run. Prints a table in Markdown.

The machine may be busy: every figure is a median of interleaved runs, and the ratios are
what counts. `run.py NAME …` measures some of the rows only.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
EM = str(Path(PYTHON).parent / "em")
FAITHFUL = str(ROOT / "sample_data" / "faithful.csv")
BIG_ROWS = 1_000_000

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

SKLEARN_BIG = """
import sys, json, warnings, numpy as np, pandas as pd
from sklearn.mixture import GaussianMixture
warnings.simplefilter("ignore")
start = json.load(open(sys.argv[2]))
data = pd.read_csv(sys.argv[1]).to_numpy()
model = GaussianMixture(10, max_iter=20, tol=0, reg_covar=0, weights_init=start["weights"], means_init=start["means"],
                        precisions_init=np.linalg.inv(start["covariances"])).fit(data)
json.dump({"weights": model.weights_.tolist(), "means": model.means_.tolist(),
           "covariances": model.covariances_.tolist()}, open("params.json", "w"))
"""

MAKE_BIG = """
import sys, json, numpy as np, pandas as pd
rng = np.random.default_rng(1)
n, d, k = int(sys.argv[1]), 10, 10
centres = 3 * rng.normal(size=(k, d))
mix = 0.5 * rng.normal(size=(k, d, d)) + np.eye(d)
labels = rng.integers(k, size=n)
x = centres[labels] + np.einsum("nij,nj->ni", mix[labels], rng.normal(size=(n, d)))
pd.DataFrame(x, columns=[f"x{j}" for j in range(d)]).to_csv(sys.argv[2], index=False)
json.dump({"weights": [1 / k] * k, "means": x[rng.choice(n, k, replace=False)].tolist(),
           "covariances": [np.cov(x.T).tolist()] * k}, open(sys.argv[3], "w"))
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
    targets: dict[str, float]  # field of Cost: largest ratio wanted
    runs: int
    prepare: Callable[[Path], None] = lambda folder: None


def make_big(folder: Path) -> None:
    command = [PYTHON, "-c", MAKE_BIG, str(BIG_ROWS), str(folder / "big.csv"), str(folder / "start.json")]
    subprocess.run(command, check=True)


ROWS = {
    "help": Row("`em --help`", [EM, "--help"], [PYTHON, "-c", "import pandas"], "`import pandas`", {"wall": 0.4}, 15),
    "faithful": Row(
        "`em fit faithful.csv -k 2 --restarts 10`",
        [EM, "fit", FAITHFUL, "-k", "2", "--restarts", "10", "--force", "-q"],
        [PYTHON, "-c", SKLEARN_FAITHFUL, FAITHFUL],
        "scikit-learn, `n_init=10`",
        {"wall": 0.5},
        7,
    ),
    "big": Row(
        "1e6 × 10, K = 10, full, 20 iterations from a given start",
        [EM, "fit", "big.csv", "-k", "10", "--start", "start.json", "--max-iter", "20",
         "--no-responsibilities", "--force", "-q"],
        [PYTHON, "-c", SKLEARN_BIG, "big.csv", "start.json"],
        "scikit-learn, same start",
        {"wall": 0.35, "memory": 0.6},
        3,
        make_big,
    ),
}  # fmt: skip


def measure(command: list[str], folder: Path) -> Cost:
    begun = time.perf_counter()
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    if status:
        raise SystemExit(f"{command[:3]} ended with status {os.waitstatus_to_exitcode(status)}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(row: Row) -> list[str]:
    """The lines of the table for one comparison."""
    folder = Path(tempfile.mkdtemp(prefix="em-bench-"))
    try:
        row.prepare(folder)
        pairs = [(measure(row.ours, folder), measure(row.peer, folder)) for _ in range(row.runs)]
    finally:
        shutil.rmtree(folder)
    lines = []
    for field, unit in (("wall", "s"), ("cpu", "s CPU"), ("memory", "MB")):
        ours, theirs = (statistics.median(getattr(pair[i], field) for pair in pairs) for i in (0, 1))
        ratio = statistics.median(getattr(a, field) / getattr(b, field) for a, b in pairs)
        target = row.targets.get(field)
        wanted = "" if target is None else f"≤ {target} {'✓' if ratio <= target else '✗ MISSED'}"
        lines.append(
            f"| {row.name} | {row.peer_name} | {ours:.2f} {unit} | {theirs:.2f} {unit} | {ratio:.2f} | {wanted} |"
        )
    return lines


def main(names: list[str]) -> None:
    load = os.getloadavg()[0]
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the start\n")
    print("| em | peer | em's | peer's | ratio | wanted |\n|---|---|---|---|---|---|")
    for name in names or list(ROWS):
        for line in compare(ROWS[name]):
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
