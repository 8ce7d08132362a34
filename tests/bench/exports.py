"""A model where the data are: CPU time to score rows of five columns, K = 3, with 5 % of the cells missing.

From arrays in memory, or a table in the database, to scores in memory, on one thread; all must agree to nine digits.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bench import Table, load, one_thread, timed
from problems import CHECK_SEED, Array
from program import em

import em_cli

N_FITTED, N, D, K, TURNS = 3000, 100_000, 5, 3, 5
MISSING = 0.05
ALIKE = 1e-9
FILES = {"python": "model.py", "onnx": "model.onnx", "sql": "model.sql"}


def rows(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng((CHECK_SEED, seed))
    x = 0.4 * rng.normal(size=(n, D)) @ rng.normal(size=(D, D)) + 3 * rng.integers(0, K, n)[:, None]
    x[rng.random((n, D)) < MISSING] = np.nan
    return pd.DataFrame(x, columns=[f"x{j}" for j in range(D)])


def ways(folder: Path, new: pd.DataFrame) -> dict[str, Callable[[], Array]]:
    """Log-densities of the new rows, each beside the other scores."""
    import duckdb
    from onnxruntime import InferenceSession, SessionOptions

    model, columns = em_cli.load(folder / "model.em"), {name: new[name].to_numpy() for name in new}
    module: dict[str, Any] = {}
    exec((folder / FILES["python"]).read_text("utf-8"), module)
    options = SessionOptions()
    options.intra_op_num_threads = 1
    session = InferenceSession(folder / FILES["onnx"], options, providers=["CPUExecutionProvider"])
    database = duckdb.connect(config={"threads": 1})
    known = ", ".join(f"CASE WHEN NOT isnan({name}) THEN {name} END AS {name}" for name in new)
    database.execute(f"CREATE TABLE data AS SELECT {known} FROM new")
    statement = (folder / FILES["sql"]).read_text("utf-8")
    return {
        "`em_cli.load(RUN).predict(rows)`": lambda: model.predict(new)["log_density"].to_numpy(),
        "`--to python`, NumPy": lambda: module["predict"](columns)["log_density"],
        "`--to onnx`, onnxruntime": lambda: dict(
            zip([found.name for found in session.get_outputs()], session.run(None, columns), strict=True)
        )["log_density"],
        "`--to sql`, DuckDB": lambda: database.execute(statement).fetchnumpy()["log_density"],
    }


def main() -> None:
    one_thread()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rows(N_FITTED, 1).to_csv(folder / "old.csv", index=False)
        em("fit", "old.csv", "-k", str(K), "-q", "--out", "model.em", cwd=folder)
        for to, file in FILES.items():
            em("export", "model.em", "--to", to, "--out", file, cwd=folder)
        tried = ways(folder, rows(N, 2))
        turns = [{way: timed(score) for way, score in tried.items()} for _ in range(1 + TURNS)]
    known, *others = (found for _, found in turns[0].values())
    assert all(np.allclose(found, known, rtol=ALIKE, atol=ALIKE) for found in others)
    table = Table(f"Scores of {N:,} × {D} rows, K = {K}, one thread", ("way", "s CPU", "load"))
    for way in tried:
        table.row(way, statistics.median(turn[way][0] for turn in turns[1:]), load())
    table.close()


if __name__ == "__main__":
    main()
