"""Two source trees beside each other: what does a pass of EM cost a climb, by family and number of components?

`two_trees.py OLD NEW WORD …` keeps the rows that have all the words: the name of a case of the laws, such as
`gaussian-full`, and `K=5`. Climbs of one family and size go side by side on a few hundred rows, where all that
surrounds the arithmetic shows. The trees take turns, each in a process of its own; a cost is the least of several in
a turn, the ratio the median over the turns. A pass that costs over 3 % more is marked.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from em_cli.engine.arrays import Array
    from em_cli.engine.model import Model

KS = (2, 5, 9)
ROWS = 300
SEPARATION = 2.5  # of the groups, in standard deviations: climbs do not come to rest at once
CLIMBS = 6
PASSES = 25
REPETITIONS = 7
TURNS = 5
WANTED = 1.03
MEASURE = "--measure"


def microseconds(words: list[str]) -> dict[str, float]:
    """CPU of a climb's pass, by the rows of the table, in the tree that is imported."""
    from bench import chosen, one_thread
    from cases import CASES

    from em_cli.testing.case import responsibilities

    one_thread()
    by_name = {f"{case.name} K={k}": (case, k) for case in CASES for k in KS}
    found = {}
    for name in chosen(list(by_name), words):
        case, k = by_name[name]
        x, labels = case.rows(1, ROWS, SEPARATION, k)
        model = case.model(x, k)
        starts = [responsibilities(seed, labels, k, 0.5) for seed in range(CLIMBS)]
        found[name] = min(_of_a_pass(model, x, starts) for _ in range(REPETITIONS))
    return found


def _of_a_pass(model: Model, x: Array, starts: Sequence[Array]) -> float:
    from em_cli.algorithms.em import EM
    from em_cli.engine.climb import Candidate
    from em_cli.engine.fit import fit
    from em_cli.engine.stopping import Stopping
    from em_cli.runners.serial import Serial
    from em_cli.sources.in_memory import InMemory
    from em_cli.testing.case import start

    climbs = [Candidate(model, EM(), start(model, x, own), number) for number, own in enumerate(starts)]
    begun = time.process_time()
    results = fit(climbs, InMemory(x), Serial(), Stopping(0.0, PASSES))
    return 1e6 * (time.process_time() - begun) / sum(len(result.trace) for result in results)


def measured(tree: Path, words: list[str]) -> dict[str, float]:
    """The same in a process that imports this tree, whatever is installed."""
    here = Path(__file__).resolve()
    paths = [tree, tree / "tests", tree / "tests" / "bench"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, str(here), MEASURE, *words]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    costs: dict[str, float] = json.loads(done.stdout)
    return costs


def main(asked: list[str]) -> int:
    if asked[:1] == [MEASURE]:
        print(json.dumps(microseconds(asked[1:])))
        return 0
    if len(asked) < 2 or not all(Path(tree, "em_cli").is_dir() for tree in asked[:2]):
        print("two_trees.py wants two folders that hold em_cli, and perhaps words.", file=sys.stderr)
        return 2
    from bench import Table, load

    old, new, words = Path(asked[0]).resolve(), Path(asked[1]).resolve(), asked[2:]
    turns = [(measured(old, words), measured(new, words)) for _ in range(TURNS)]
    table = Table(
        "A climb's pass of EM in two source trees", ("case", "old, µs CPU", "new, µs CPU", "times", "wanted", "load")
    )
    for name in turns[0][0]:
        if name in turns[0][1]:
            before, after = (statistics.median(turn[i][name] for turn in turns) for i in (0, 1))
            ratio = statistics.median(turn[1][name] / turn[0][name] for turn in turns)
            table.row(name, before, after, ratio, table.at_most(ratio, WANTED), load())
    table.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
