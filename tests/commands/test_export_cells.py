"""`em export`: cells, levels and names that another program takes for other things than `em` does."""

import contextlib
import csv
import io
import shlex
import sqlite3

import duckdb
import numpy as np
import pandas
import pytest
from commands.databases import in_duckdb, in_sqlite
from program import em

from em_cli.exports import formula
from em_cli.exports.language import DUCKDB
from em_cli.exports.spelled_levels import spellings

QUICK = ("--restarts", 2, "--se", "none")


def test_duckdb_takes_numbers_for_doubles():
    values = [-690.7755278982137, -1.0986122886681098, 2.5]  # decimals of one column would have one scale
    text = DUCKDB.text(formula.looked_up(formula.name("x"), values))
    found = duckdb.sql(f"SELECT {text} FROM (VALUES (0), (1), (2)) AS t(x) ORDER BY x").fetchall()
    assert [value for (value,) in found] == values


def test_a_level_that_no_xml_can_hold_is_refused(tmp_path):
    rows = "".join(f"{x},{level}\n" for x, level in zip(range(40), ["a", "b\x1b[31m"] * 20, strict=True))
    (tmp_path / "old.csv").write_text(f"x,level\n{rows}")
    em("fit", "old.csv", "-k", 1, "-q", "--se", "none", "--out", "one", cwd=tmp_path)
    for to, out in (("excel", "one.xlsx"), ("pmml", "one.pmml")):
        told = em("export", "one", "--to", to, "--out", out, cwd=tmp_path, status=2).err
        assert f"--to {to}: 'b\\x1b[31m' holds a control character" in told
    statement = em("export", "one", "--to", "sql", cwd=tmp_path).out
    assert in_duckdb(statement, ["x", "level"], [["3", "b\x1b[31m"]], {})[0][2] == 1.0


def test_text_of_a_file_that_is_imported_is_read_as_predict_reads_it(tmp_path):
    """Blank cells and marks are missing, blanks around a level are none of it; what is no number is an error."""
    lines = [f"{i % 5 + 9 * (i % 2)}.5,{'ab'[i % 2]}" for i in range(40)]
    (tmp_path / "old.csv").write_text("\n".join(["x,level", *lines]))
    em("fit", "old.csv", "-k", 2, "-q", *QUICK, "--out", "m", cwd=tmp_path)
    rows = [["1.5", "a"], ["", "b"], ["NA", "a"], [" 9.5 ", " b"], ["+9e0", "b "], ["-0.5", "c"], [" ", "a"]]
    (tmp_path / "new.csv").write_text("\n".join(["x,level", *map(",".join, rows)]))
    known = list(csv.reader(io.StringIO(em("predict", "m", "new.csv", cwd=tmp_path).out)))[1:]
    statement = em("export", "m", "--to", "sql", "--dialect", "sqlite", cwd=tmp_path).out
    found = in_sqlite(statement, ["x", "level"], rows, {})
    assert np.allclose([row[2:] for row in found], [list(map(float, row[1:])) for row in known], rtol=1e-9, atol=1e-9)
    module: dict[str, object] = {}
    exec(em("export", "m", "--to", "python", cwd=tmp_path).out, module)
    scores = module["predict"]({"x": [1.5, 9.5], "level": ["a", " b"]})
    assert np.allclose(scores["log_density"], [float(known[place][4]) for place in (0, 3)])
    with pytest.raises(sqlite3.OperationalError, match=r"this is no number: \$20"):
        in_sqlite(statement, ["x", "level"], [["$20", "a"]], {})


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ("a,A", (), "columns 'a' and 'A' differ in capital letters only, and are one to duckdb"),
        ("a,A", ("--dialect", "postgres"), None),
        ("a,P1", (), "a column to keep has the name of a score, 'P1'"),
        ("a,P1", ("--keep", ""), None),
    ],
)
def test_names_that_a_database_confuses_are_refused(names, options, message, tmp_path):
    (tmp_path / "d.csv").write_text(f"{names}\n" + "".join(f"{i % 7},{i % 5 + 9 * (i % 2)}\n" for i in range(30)))
    em("fit", "d.csv", "-k", 1, "-q", "--se", "none", "--out", "d", cwd=tmp_path)
    done = em("export", "d", "--to", "sql", *options, cwd=tmp_path, status=2 if message else 0)
    assert message in done.err if message else "SELECT" in done.out


@pytest.mark.parametrize("to", ["onnx", "pmml"])
@pytest.mark.parametrize(("name", "refused"), [("uncertainty", True), ("em.x1", None), ("p3", False)])
def test_columns_that_are_called_as_scores_are_refused_where_they_share_their_names(to, name, refused, tmp_path):
    """Elsewhere they stand in another place: a document of PMML that has a name twice gives no scores at all."""
    (tmp_path / "d.csv").write_text(f"{name},x\n" + "".join(f"{i % 7},{i % 5 + 9 * (i % 2)}\n" for i in range(30)))
    em("fit", "d.csv", "-k", 2, "-q", *QUICK, "--out", "d", cwd=tmp_path)
    no = refused or (refused is None and to == "pmml")
    told = em("export", "d", "--to", to, "--out", f"d.{to}", cwd=tmp_path, status=2 if no else 0).err
    assert not no or f"column '{name}' is called as a score of --to {to} is: rename it" in told


@pytest.mark.parametrize("german", [False, True])
def test_where_cells_were_no_plain_numbers_it_says_how_they_become_such(german, tmp_path):
    lines = [f"c{i};${20 + i % 7 + 2000 * (i % 2):,}.50;{30.5 + i % 5 + 20 * (i % 2)}" for i in range(40)]
    text = "\n".join(["name;total spend;age", *lines, "c40;-;30.5", "c41;n/a;30.5"]).replace("$", "" if german else "$")
    text = text.translate(str.maketrans(",.", ".,")).replace("0;", "0 €;") if german else text
    (tmp_path / "shop.csv").write_text(text + "\n")
    em("fit", "shop.csv", "-k", 2, "-q", *QUICK, "--na", "-", "--out", "shop", cwd=tmp_path)
    said = em("export", "shop", "--to", "sql", "--out", "shop.sql", cwd=tmp_path).err
    assert f"must be plain numbers (total spend: '{'€' if german else '$'}'" in said
    assert "-- Note: the cells to be scored must be plain numbers" in (tmp_path / "shop.sql").read_text()
    _, view, _, _ = shlex.split(said.partition(": duckdb ")[2].replace("\\$", "$"))
    with duckdb.connect() as database:
        database.execute(view.replace("NEW.csv", str(tmp_path / "shop.csv")))
        scored = database.execute((tmp_path / "shop.sql").read_text()).df()
    predicted = pandas.read_csv(io.StringIO(em("predict", "shop", "shop.csv", cwd=tmp_path).out))
    assert scored["log_density"].to_numpy() == pytest.approx(predicted["log_density"].to_numpy(), abs=1e-9)


def test_levels_are_found_where_a_program_takes_them_for_other_things(tmp_path):
    """By the view that is told for a file; in tables of truth values; and none for another."""
    assert spellings(["1", "1.0", "x"]) == {"1": 0, "1.0": 1, "x": 2}
    assert spellings(["-1", "02"]) == {"-1": 0, "02": 1, "-1.0": 0, "02.0": 1}
    assert spellings(["No", "yes"]).items() >= {"false": 0, "True": 1, "TRUE": 1, "No": 0}.items()
    assert spellings(["no", "yes", "other"]) == {"no": 0, "yes": 1, "other": 2}
    lines = [f"{i % 7 + 20 * (i % 2)},{'TF'[i % 2]},{['1.50', '2.0'][i % 3 % 2]},{'yn'[i % 5 % 2]}" for i in range(60)]
    (tmp_path / "NEW.csv").write_text("\n".join(["x,a,b,c", *lines, "NA,T,2.0,y"]) + "\n")
    em("fit", "NEW.csv", "-k", 2, "-q", *QUICK, "--type", "b=categorical", "--out", "m", cwd=tmp_path)
    told = em("export", "m", "--to", "sql", "--out", "s.sql", cwd=tmp_path).err
    _, view, _, _ = shlex.split(told.partition(": duckdb ")[2])
    known = pandas.read_csv(io.StringIO(em("predict", "m", "NEW.csv", cwd=tmp_path).out))["log_density"].to_numpy()
    for rows in (view, "CREATE VIEW data AS SELECT * REPLACE (a = 'T' AS a, c = 'y' AS c) FROM made"):
        with duckdb.connect() as database, contextlib.chdir(tmp_path):
            database.execute("CREATE TABLE made AS FROM read_csv('NEW.csv', all_varchar = true, nullstr = 'NA')")
            scored = database.execute(f"{rows}; {(tmp_path / 's.sql').read_text()}").df()["log_density"]
        assert scored.to_numpy() == pytest.approx(known, abs=1e-9)
