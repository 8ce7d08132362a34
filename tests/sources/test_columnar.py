"""Parquet and Feather: what a CSV file can hold is read alike, and what it cannot ends in no fault."""

from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from em_cli.errors import DataError
from em_cli.sources import columnar
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read

N = 24
MASS = np.linspace(1.5, 9.0, N)
DAYS = [date(2025, 1, 1) + timedelta(days=i) for i in range(N)]
WRITE = {"parquet": parquet.write_table, "feather": feather.write_feather}

TIMES = {
    "date": pa.array(DAYS),
    "date, some missing": pa.array([None, *DAYS[1:]]),
    "timestamp": pa.array(pd.to_datetime(DAYS), pa.timestamp("us")),
    "timestamp of a zone": pa.array(pd.to_datetime(DAYS), pa.timestamp("ns", "Europe/Berlin")),
    "dictionary of dates": pa.array(DAYS).dictionary_encode(),
}
OTHERS = {
    "time": (pa.array([time(i, 30) for i in range(N)]), None),
    "duration": (pa.array([timedelta(minutes=7 * i * i + 1) for i in range(N)]), "numeric"),
    "list": (pa.array([[i, i + 1] for i in range(N)]), None),
    "struct": (pa.array([{"x": i, "y": "z"} for i in range(N)]), None),
    "map": (pa.array([[("x", i)] for i in range(N)], pa.map_(pa.string(), pa.int64())), None),
    "binary": (pa.array([b"x", b"\xff"] * (N // 2)), "categorical"),
    "dictionary": (pa.array(["x", "y", None] * (N // 3)).dictionary_encode(), "categorical"),
    "dictionary of numbers": (pa.array([40.5, 20.5] * (N // 2)).dictionary_encode(), "binary"),
    "decimal": (pa.array([Decimal(i * i) / 8 for i in range(N)]), "numeric"),
    "truth": (pa.array([True, False, None] * (N // 3)), "categorical"),
    "half": (pa.array(np.linspace(0, 1, N).astype(np.float16)), "numeric"),
    "nothing": (pa.nulls(N), None),
}


def stored(tmp_path: Path, kind: str, cells: Any) -> list[str]:
    path = str(tmp_path / f"data.{kind}")
    WRITE[kind](pa.table({"mass": MASS, "d": cells}), path)
    return [path]


@pytest.mark.parametrize("kind", WRITE)
@pytest.mark.parametrize("cells", TIMES.values(), ids=TIMES)
def test_dates_and_times_are_left_out_with_a_warning(tmp_path: Path, kind: str, cells: Any) -> None:
    path = stored(tmp_path, kind, cells)
    data = read(path, ReadOptions())
    assert data.schema.names == ("mass",)
    assert "date_column" in [notice.code for notice in data.notices]
    assert np.array_equal(data.source.x[0], MASS)
    assert read(path, ReadOptions(exclude=("d",))).notices == ()


@pytest.mark.parametrize("kind", WRITE)
@pytest.mark.parametrize(("cells", "type"), OTHERS.values(), ids=OTHERS)
def test_other_columns_are_what_a_csv_file_would_make_of_them(
    tmp_path: Path, kind: str, cells: Any, type: str | None
) -> None:
    data = read(stored(tmp_path, kind, cells), ReadOptions())
    assert {column.name: column.type for column in data.schema.columns}.get("d") == type
    assert data.schema.names[0] == "mass"


def test_a_date_may_be_the_id_or_a_category(tmp_path: Path) -> None:
    path = stored(tmp_path, "parquet", TIMES["date"])
    ids = read(path, ReadOptions(id="d")).ids
    assert ids is not None
    assert ids.between(0, 2) == ["2025-01-01", "2025-01-02"]
    assert len(read(path, ReadOptions(types={"d": "categorical"})).schema.columns[1].levels) == N


def test_a_decimal_keeps_its_value(tmp_path: Path) -> None:
    data = read(stored(tmp_path, "parquet", OTHERS["decimal"][0]), ReadOptions())
    assert np.array_equal(data.source.x[1], np.arange(N) ** 2 / 8)


def test_the_named_index_of_a_frame_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    pd.DataFrame({"mass": MASS}, index=pd.Index(range(100, 100 + N), name="plot")).to_parquet(path)
    assert read([str(path)], ReadOptions(id="plot")).ids.tolist() == [str(100 + i) for i in range(N)]


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "data.parquet")
    parquet.write_table(pa.Table.from_arrays([pa.array(MASS), pa.array(MASS)], names=["a", "a"]), path)
    with pytest.raises(DataError, match=r"'a' stands twice|not a valid"):
        read([path], ReadOptions())


@pytest.mark.parametrize("kind", WRITE)
def test_pieces_say_what_the_whole_file_does(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {
        "mass": MASS,
        "n": pa.array([None, *(i * i % 7 for i in range(N - 1))]),
        "word": pa.array(["x", "y", None] * (N // 3)),
        "sure": pa.array([True, False] * (N // 2)),
        "name": [f"r{i}" for i in range(N)],
    }
    path, options = str(tmp_path / f"data.{kind}"), ReadOptions(id="name")
    WRITE[kind](pa.table(table), path)
    whole = read([path], options)
    monkeypatch.setattr(columnar, "FEWEST", 5)
    monkeypatch.setattr(columnar, "CELLS", 1)
    if kind == "feather":
        feather.write_feather(pa.table(table), path, chunksize=5)
    found = read([path], options)
    assert np.array_equal(found.source.x, whole.source.x, equal_nan=True)
    assert found.schema == whole.schema and len(found.schema.columns) == 4
    assert found.ids is not None and found.ids.tolist() == table["name"] and found.n_missing == whole.n_missing


def test_a_folder_of_files_is_one_table_with_what_its_folders_say(tmp_path: Path) -> None:
    for place, town in enumerate(("__HIVE_DEFAULT_PARTITION__", "A%20b", "c")):
        folder = tmp_path / "sales" / f"year={2023 + place}" / f"town={town}"
        folder.mkdir(parents=True)
        parquet.write_table(pa.table({"mass": MASS + place}), folder / "part-0.parquet")
    (tmp_path / "sales" / "_SUCCESS").write_text("")
    (tmp_path / "sales" / ".hidden.parquet").write_text("")
    data = read([str(tmp_path / "sales")], ReadOptions(types={"year": "numeric", "town": "categorical"}))
    assert data.schema.names == ("mass", "year", "town") and data.n_missing == {"town": N}
    assert np.array_equal(data.source.x[:2], [[*MASS, *MASS + 1, *MASS + 2], np.repeat([2023.0, 2024, 2025], N)])
    assert [file.name[-14:] for file in data.inputs] == ["part-0.parquet"] * 3
