"""Columns that others tell are left out, and said to be which function of which; others never are."""

from pathlib import Path

import numpy as np
import pytest

from em_cli.engine.curves import curves
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read
from em_cli.sources.table import Data

RNG = np.random.default_rng(11)
N = 150
A, B, C = RNG.normal(50, 10, (3, N))
TENTHS = np.round(RNG.dirichlet([3, 2, 4, 1], N) * 100, 1).T
WHOLE = np.round(RNG.dirichlet([3, 2, 4], N) * 100).T
DAY = np.round(RNG.uniform(0, 24, N), 1)
YEAR, MONTH = RNG.integers(2000, 2004, N), RNG.integers(1, 13, N)
YEAR[0] = 1999  # borne by one row, so that years are no levels
LAND = RNG.choice(["de", "fr", "it"], N)
NAMES = {"de": "Germany", "fr": "France", "it": "Italy"}

TOLD = {
    "copy": ({"a": A, "b": B, "again": A}, "again = a;"),
    "sum": ({"a": A, "b": B, "c": C, "total": A + B + C}, "total = a + b + c;"),
    "share of it": ({"total": A + B, "a": A, "b": B}, "b = total − a;"),
    "difference": ({"a": A, "b": B, "d": A - B}, "d = a − b;"),
    "24 − x": ({"day": DAY, "a": A, "night": np.round(24 - DAY, 1)}, "night = 24 − day;"),
    "another unit": ({"celsius": A, "b": B, "fahrenheit": 1.8 * A + 32}, "fahrenheit = 1.8 celsius + 32;"),
    "units, rounded": ({"kg": np.round(A, 1), "b": B, "lb": np.round(2.2046 * A, 1)}, "lb ≈ 2.2"),
    "percentages": (dict(zip("pqrs", TENTHS, strict=True)), "s ≈ 100 − p − q − r;"),
    "whole percentages": (dict(zip("pqr", WHOLE, strict=True)), "r ≈ 100 − p − q;"),
    "decimal year": (
        {"year": YEAR * 1.0, "month": MONTH * 1.0, "a": A, "time": np.round(YEAR + (MONTH - 1) / 12, 3)},
        "time ≈ year + 0.0833 month − 0.083",
    ),
    "mean": ({"a": A, "b": B, "mean": np.round((A + B) / 2, 2)}, "mean ≈ 0.5 a + 0.5 b;"),
    "rounded copy": ({"coarse": np.round(A), "b": B, "fine": A}, "coarse ≈ fine;"),
    "category": (
        {"code": LAND, "a": A, "country": [NAMES[land] for land in LAND]},
        "country has a level for each of code;",
    ),
    "far from zero": ({"a": A + 1e9, "b": B, "again": A + 1e9 + 5}, "again = a + 5;"),
    "shares, nearly": (
        {"a": A, "b": B, "fund": 0.25 * A + 0.75 * B + RNG.normal(0, 3e-4, N)},
        "fund ≈ 0.25 a + 0.75 b;",
    ),
    "logarithm": ({"wage": A, "b": B, "lwage": np.log(A)}, "lwage = log(wage);"),
    "logarithm, rounded": ({"wage": np.round(A, 2), "b": B, "lwage": np.round(np.log(A), 4)}, "lwage = log(wage);"),
    "decimal logarithm": ({"ph": -np.log10(A) + 3, "conc": A, "b": B}, "ph = −0.4342945 log(conc) + 3;"),
    "square": ({"exper": np.round(A), "expersq": np.round(A) ** 2, "b": B}, "expersq = exper²;"),
    "root": ({"root": np.sqrt(A), "b": B, "a": A}, "a = root²;"),
    "logarithm of zeros": (
        {"n": np.maximum(np.round(A - 50), 0), "b": B, "log_n": np.log1p(np.maximum(np.round(A - 50), 0))},
        "log_n = log(1 + n);",
    ),
    "reciprocal": ({"hz": A, "b": B, "period": 60 / A}, "period = 60/hz;"),
    "small": ({"a": A * 1e-12, "b": B, "again": A * 3e-12}, "again = 3 a;"),
}
NOT_TOLD = {
    "nearly": {"a": A, "b": B, "c": A + RNG.normal(0, 0.05, N)},
    "a sum, nearly": {"a": A, "b": B, "c": A + B + RNG.normal(0, 0.01, N)},
    "a sum but for one row": {"a": A, "b": B, "c": A + B + np.eye(N)[3]},
    "a trend": {"t": np.arange(N) * 1.0 + 1900, "y": np.arange(N) * 10.0 + RNG.normal(0, 3, N)},
    "a logarithm but for one row": {"a": A, "b": B, "c": np.log(A) + np.eye(N)[3] * 0.01},
    "nearly a square": {"a": A, "b": B, "c": A**2 + RNG.normal(0, 5, N)},
    "a product": {"a": A, "b": B, "c": A * B},
    "whole numbers of a trait": dict(
        zip("abc", np.round(RNG.normal(4, 1, N) + RNG.normal(0, 0.7, (3, N))), strict=True)
    ),
    "few rows": {"a": A[:6], "b": B[:6], "c": A[:6] + B[:6]},
    "categories that differ in a row": {
        "a": A,
        "s": LAND,
        "t": ["it", *LAND[1:]] if LAND[0] != "it" else ["de", *LAND[1:]],
    },
}


def written(folder: Path, columns: dict, gaps: float = 0.0) -> list[str]:
    cells = np.stack([np.asarray(column).astype(str) for column in columns.values()], axis=1)
    if gaps:
        cells[np.random.default_rng(0).random(cells.shape) < gaps] = ""
    (folder / "d.csv").write_text("\n".join([",".join(columns), *map(",".join, cells)]) + "\n")
    return [str(folder / "d.csv")]


def said(data: Data) -> list[str]:
    return [notice.message + ";" for notice in data.notices if notice.code == "copied_columns"]


@pytest.mark.parametrize("gaps", [0, 0.05])
@pytest.mark.parametrize(("columns", "equation"), TOLD.values(), ids=TOLD)
def test_what_others_tell_is_left_out(tmp_path, columns, equation, gaps):
    data = read(written(tmp_path, columns, gaps), ReadOptions())
    (message,) = said(data)
    assert f": {equation}" in message
    assert data.schema.names == tuple(name for name in columns if name != equation.split()[0])
    assert data.source.n_columns == len(columns) - 1


@pytest.mark.parametrize("columns", NOT_TOLD.values(), ids=NOT_TOLD)
def test_what_is_no_function_is_fitted(tmp_path, columns):
    data = read(written(tmp_path, columns), ReadOptions())
    assert (data.schema.names, said(data)) == (tuple(columns), [])


def test_what_is_asked_for_is_fitted_and_warned_of(tmp_path):
    data = read(written(tmp_path, TOLD["sum"][0]), ReadOptions(columns=("a", "b", "c", "total")))
    assert data.schema.names == ("a", "b", "c", "total")
    (message,) = said(data)
    assert "fitted as asked for" in message and "total = a + b + c;" in message


def test_a_curve_that_is_asked_for_is_fitted(tmp_path: Path) -> None:
    data = read(written(tmp_path, TOLD["logarithm"][0]), ReadOptions(columns=("wage", "lwage")))
    assert (data.schema.names, said(data)) == (("wage", "lwage"), [])


def test_a_curve_must_hold_in_all_rows() -> None:
    x = np.linspace(1, 9, 60)
    cells = np.array([x, np.log(x)])
    assert list(curves(cells, [0, 1], lambda places: [cells[places], cells[places]])) == [1]
    assert not curves(cells, [0, 1], lambda places: [cells[places], np.array([[4.0], [1.5]])])


def test_columns_of_one_value_are_left_out(tmp_path):
    columns = {"a": A, "site": ["x"] * N, "unit": np.full(N, 2.5)}
    data = read(written(tmp_path, columns, 0.05), ReadOptions())
    assert data.schema.names == ("a",)
    (message,) = [notice.message for notice in data.notices if notice.code == "constant_column"]
    assert message == "left out, having one value only: site ('x'), unit (2.5)"


@pytest.mark.parametrize("cells", [[1.5, 2.5, 9], ["x", "y", "y"]], ids=["numbers", "text"])
def test_nearly_empty_columns_are_left_out(tmp_path, cells):
    columns = {"a": A, "late": [*cells, *[""] * (N - 3)]}
    file = written(tmp_path, columns)
    data = read(file, ReadOptions())
    assert data.schema.names == ("a",)
    (message,) = [notice.message for notice in data.notices if notice.code == "nearly_empty"]
    assert message.startswith(f"left out, having cells in few rows only: late (3 of {N} rows)")
    assert read(file, ReadOptions(types={"late": "categorical"})).schema.names == ("a", "late")
    assert read(file, ReadOptions(columns=("late",))).schema.names == ("late",)


def test_levels_are_compared_where_they_may_be_copies_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so many columns all pairs would take minutes."""
    from em_cli.sources import redundant

    asked, real = list[int](), redundant.one_to_one
    monkeypatch.setattr(redundant, "one_to_one", lambda pairs, n: asked.append(n) or real(pairs, n))
    columns = {f"q{j}": RNG.choice(list("abcd"), N) for j in range(60)}
    columns["again"] = [{"a": "w", "b": "x", "c": "y", "d": "z"}[cell] for cell in columns["q7"]]
    gaps = [cell if row % 9 else "" for row, cell in enumerate(columns["q8"])]
    (message,) = said(read(written(tmp_path, columns | {"gappy": gaps}), ReadOptions()))
    assert "again has a level for each of q7" in message and "gappy has a level for each of q8" in message
    assert len(asked) < 2 * len(columns)


def test_a_year_taken_as_levels_tells_a_decimal_year(tmp_path: Path) -> None:
    """Few years are levels, and with the month they are the decimal year all the same."""
    rng = np.random.default_rng(1)
    rows = [(2018 + i // 24, i % 12 + 1, 2018 + i // 24 + (i % 12) / 12) for i in range(120)]
    lines = [
        f"{year},{month},{decimal:.6f},{x:.3f}"
        for (year, month, decimal), x in zip(rows, rng.normal(0, 1, 120), strict=True)
    ]
    (tmp_path / "d.csv").write_text("year,month,decimal,x\n" + "\n".join(lines) + "\n")
    data = read([str(tmp_path / "d.csv")], ReadOptions())
    assert data.schema.names == ("year", "month", "x") and data.schema.columns[0].levels
    (said,) = (notice.message for notice in data.notices if notice.code == "copied_columns")
    assert "decimal" in said and "year" in said
