"""A table written in any dialect is read back to the same values, or refused."""

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from em_cli.errors import DataError
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read

CELL = st.one_of(
    st.integers(-(10**6), 10**6).map(float),
    st.floats(-1e40, 1e40, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-40),
    st.none(),
)
NAMES = st.lists(st.text("abcxyzäß é_-.#()'", min_size=1, max_size=6), min_size=1, max_size=4, unique_by=str.strip)
TABLES = NAMES.filter(lambda names: all(name.strip() for name in names)).flatmap(
    lambda names: st.tuples(
        st.just([name.strip() for name in names]),
        st.lists(st.lists(CELL, min_size=len(names), max_size=len(names)), min_size=1, max_size=12),
    )
)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t|"),
        "newline": st.sampled_from(["\n", "\r\n", "\r"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
        "decimal": st.sampled_from(".,"),
        "missing": st.sampled_from(["", "NA", "nan", "?"]),
        "trailing": st.booleans(),
        "blank_lines": st.booleans(),
    }
)


def written(names, rows, dialect):
    buffer = io.StringIO()
    writer = csv.writer(
        buffer, delimiter=dialect["delimiter"], lineterminator=dialect["newline"], quoting=dialect["quoting"]
    )
    texts = [
        [dialect["missing"] if cell is None else repr(cell).replace(".", dialect["decimal"]) for cell in row]
        for row in rows
    ]
    extra = [""] if dialect["trailing"] else []
    for row in [names, *texts]:
        writer.writerow([*row, *extra])
        if dialect["blank_lines"]:
            buffer.write(dialect["newline"])
    return buffer.getvalue().encode(dialect["encoding"])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("dialects") / "data.csv"


@given(TABLES, DIALECTS)
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_read_back_or_refused(path, table, dialect):
    names, rows = table
    path.write_bytes(written(names, rows, dialect))
    told = {"latin-1": "latin-1"}.get(dialect["encoding"])
    wanted = {
        name: [math.nan if row[place] is None else row[place] for row in rows]
        for place, name in enumerate(names)
        if any(row[place] is not None for row in rows)
    }
    options = ReadOptions(
        columns=tuple(wanted) or None,  # named, so that none is left out for what others tell
        decimal=dialect["decimal"],
        delimiter=dialect["delimiter"],
        encoding=told,
        na=("?",),
        header=True,
        default_type="numeric",
    )
    try:
        found = read([str(path)], options)
    except DataError as error:
        assert refusable(names, rows, dialect), str(error)
        return
    assert list(found.schema.names) == list(wanted)
    values = np.full((len(wanted), len(rows)), np.nan)
    values[:, found.rows.tolist()] = found.source.x
    np.testing.assert_array_equal(values, np.array(list(wanted.values())))


def refusable(names, rows, dialect):
    """Whether something must be wrong: nothing to fit, one value only, a blank line where a row is meant."""
    columns = [{row[place] for row in rows} - {None} for place in range(len(names))]
    blank = len(names) == 1 and not dialect["trailing"] and None in columns[0] | {row[0] for row in rows}
    return all(not column for column in columns) or any(len(column) == 1 for column in columns) or blank


def test_guessed_dialects_are_right_or_refused(path):
    """Nothing is told: what is read is what was written."""
    rows = [[1.5, -2.25], [3.0, 4.125], [1e10, 1e-10], [7.0, 0.5]]
    for delimiter in ",;\t|":
        for newline in ("\n", "\r\n", "\r"):
            for encoding in ("utf-8", "utf-8-sig", "utf-16"):
                dialect = {
                    "delimiter": delimiter,
                    "newline": newline,
                    "encoding": encoding,
                    "decimal": ".",
                    "missing": "",
                }
                dialect |= {"quoting": csv.QUOTE_MINIMAL, "trailing": False, "blank_lines": False}
                path.write_bytes(written(["a", "b"], rows, dialect))
                assert read([str(path)], ReadOptions()).source.x.T.tolist() == rows
