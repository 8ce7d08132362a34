"""`em export`: what is written scores new rows as `em predict` does, in real databases and without em."""

import csv
import io
import json
import shlex
import shutil
import subprocess
import sys
from warnings import catch_warnings

import duckdb
import formulas
import numpy as np
import openpyxl
import pandas
import pytest
from commands.databases import in_bigquery, in_duckdb, in_sqlite, postgres, read
from onnxruntime import InferenceSession
from openpyxl.utils import get_column_letter
from program import SAMPLES, em

from em_cli.errors import UsageError
from em_cli.exports.sql import DIALECTS
from em_cli.postestimation.exported import checked_text

ACTS = "b\x9b34mlu\u202ee"  # a level that a terminal would do
QUICK = ("--restarts", 2, "--se", "none")
LOCAL = {"duckdb": in_duckdb, "sqlite": in_sqlite, "bigquery": in_bigquery}
FITS = {
    "mixed": ["--type", "Visits=count", "--transform", "spent=log"],
    "noise": ["--columns", "size,weight", "--latent", "noise"],
    "concomitant": [
        "--columns",
        "size,Visits",
        "--type",
        "Visits=count",
        "--concomitant",
        'weight,the "colour"',
        "--missing",
        "drop",
    ],
    "posteriors": [
        *("--type", "Visits=count", "--type", "spent=exponential", "--covariance", "diag"),
        *("--inference", "variational", "--missing", "drop"),
    ],
    "t": ["--columns", "size,weight,spent", "--family", "student_t"],
    "lines": ["--response", "spent", "--on", 'size:weight,log(weight),the "colour"', "--missing", "drop"],
    "counts": [
        *("--response", "Visits", "--type", "Visits=poisson", "--on", "size^2,size"),
        *("--concomitant", "weight", "--missing", "drop"),
    ],
}


def customers(path, n=80, seed=1):
    """Two groups in columns of every kind, with gaps, and names that need quoting."""
    rng = np.random.default_rng(seed)
    late = rng.random(n) < 0.4
    columns = {
        "id": [f"c{row}" for row in range(n)],
        "size": np.round(rng.normal(10 + 8 * late, 2), 3),
        "weight": np.round(rng.normal(60 - 20 * late, 5), 3),
        'the "colour"': np.where(rng.random(n) < 0.2 + 0.6 * late, "red", np.where(rng.random(n) < 0.5, "it's", ACTS)),
        "Visits": rng.poisson(2 + 9 * late),
        "spent": np.round(np.exp(rng.normal(1 + late, 0.4)), 4),
    }
    rows = [[str(cell) for cell in row] for row in zip(*columns.values(), strict=True)]
    for row in rows:
        for j in range(1, len(row)):
            if rng.random() < 0.08:
                row[j] = ""
    with path.open("w", newline="") as lines:
        csv.writer(lines).writerows([list(columns), *rows])
    return path


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """The data, new rows with blanks and a level that nobody has seen, the models, what `em predict` says of them."""
    folder = tmp_path_factory.mktemp("export")
    customers(folder / "old.csv")
    new = customers(folder / "new.csv", 60, 2)
    new.write_text(new.read_text().replace("it's", "violet", 3).replace(",red,", ",  red ,", 4))
    for name, options in FITS.items():
        em("fit", "old.csv", "-k", 2, "-q", *QUICK, "--id", "id", *options, "--out", name, cwd=folder)
        table = em("predict", name, "new.csv", cwd=folder).out
        (folder / f"{name}.csv").write_text(table)
    return folder


def expected(desk, name):
    _, rows = read(desk / f"{name}.csv")
    return {row[0]: numbers(row[1:]) for row in rows}


def numbers(cells):
    return [float("nan" if cell in (None, "", "NA") else cell) for cell in cells]


def agrees(desk, name, rows):
    known = expected(desk, name)
    assert [row[0] for row in rows] and {row[0] for row in rows} == set(known)
    for row in rows:
        found = numbers(row[1:])
        np.testing.assert_allclose(found, known[row[0]], rtol=1e-9, atol=1e-9, err_msg=row[0])


TYPES = {"size": "DOUBLE PRECISION", "weight": "DOUBLE PRECISION", "spent": "DECIMAL(12, 4)", "Visits": "INTEGER"}


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("dialect", LOCAL)
def test_a_database_gives_the_scores_of_predict(desk, dialect, name):
    statement = em("export", name, "--to", "sql", "--dialect", dialect, cwd=desk).out
    head, rows = read(desk / "new.csv")
    agrees(desk, name, LOCAL[dialect](statement, head, rows, TYPES))


def test_postgresql_gives_the_scores_of_predict(desk):
    head, rows = read(desk / "new.csv")
    with postgres() as run:
        for name in FITS:
            statement = em("export", name, "--to", "sql", "--dialect", "postgres", cwd=desk).out
            agrees(desk, name, run(statement, head, rows, TYPES))
        statement = em("export", "mixed", "--to", "sql", "--dialect", "postgres", cwd=desk).out
        for column, cell in (("Visits", "-3"), ("spent", "-1"), ("spent", "0")):
            other = [cell if name == column else own for name, own in zip(head, rows[0], strict=True)]
            first, second = run(statement, head, [other, rows[1]], TYPES)
            assert set(first[1:]) == {None} and None not in second, "a row that is refused leaves the others theirs"
        of_many_columns(desk, "postgres", run)


def of_many_columns(desk, dialect, run):
    """Steps that a database wrote out in each other would be a million times as long; NaN is a missing cell too."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(60, 10)) @ rng.normal(size=(10, 10))
    x[rng.random(x.shape) < 0.1] = np.nan
    names = [f"c{j}" for j in range(10)]
    pandas.DataFrame(x, columns=names).to_csv(desk / "many.csv", index_label="id")
    said = ("-k", 1, "-q", *QUICK, "--covariance", "full", "--id", "id", "--force")
    em("fit", "many.csv", *said, "--out", "many", cwd=desk)
    (desk / "many_scores.csv").write_text(em("predict", "many", "many.csv", cwd=desk).out)
    head, rows = read(desk / "many.csv")
    coded = [[cell or (None if row % 2 or dialect == "sqlite" else "NaN") for cell in rows[row]] for row in range(60)]
    statement = em("export", "many", "--to", "sql", "--dialect", dialect, cwd=desk).out
    agrees(desk, "many_scores", run(statement, head, coded, dict.fromkeys(names, "DOUBLE PRECISION")))


@pytest.mark.parametrize("dialect", LOCAL)
def test_many_columns_are_no_burden(desk, dialect):
    of_many_columns(desk, dialect, LOCAL[dialect])


@pytest.mark.parametrize("name", FITS)
def test_a_python_module_gives_them_with_numpy_alone(desk, name):
    em("export", name, "--to", "python", "--out", f"{name}_model.py", cwd=desk)
    program = (
        f"import csv, json, sys; from {name}_model import predict\n"
        "rows = list(csv.DictReader(open('new.csv')))\n"
        "scores = predict({name: [row[name] for row in rows] for name in rows[0]})\n"
        "assert not any(name.startswith('em_cli') for name in sys.modules)\n"
        "print(json.dumps([[row['id'], *map(float, own)] for row, *own in zip(rows, *scores.values())]))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=desk, capture_output=True, text=True, check=True)
    agrees(desk, name, json.loads(done.stdout))


@pytest.mark.parametrize("name", FITS)
def test_a_graph_of_onnx_gives_them(desk, name):
    em("export", name, "--to", "onnx", "--out", f"{name}.onnx", cwd=desk)
    session = InferenceSession(desk / f"{name}.onnx", providers=["CPUExecutionProvider"])
    head, rows = read(desk / "new.csv")
    table = dict(zip(head, zip(*rows, strict=True), strict=True))
    given = {
        column.name: np.array(numbers(table[column.name]))
        if column.type == "tensor(double)"
        else np.array([(cell or "").strip() for cell in table[column.name]])
        for column in session.get_inputs()
    }
    scores = ["component", "responsibilities", "log_density", "uncertainty"]
    scores += ["predicted", "predicted_by_component"] * (len(session.get_outputs()) > 4)
    found = np.column_stack(session.run(scores, given))
    agrees(desk, name, [[key, *own] for key, own in zip(table["id"], found, strict=True)])


def pasted(desk, name, n):
    """A workbook of a model with n of the new rows, and of one sheet with what is known of them: scores, then ids."""
    em("export", name, "--to", "excel", "--rows", n + 1, "--out", f"{name}.xlsx", "--force", cwd=desk)
    book = openpyxl.load_workbook(desk / f"{name}.xlsx")
    head, rows = read(desk / "new.csv")
    sheet = book["rows"]
    columns = [cell.value for cell in sheet[1] if cell.value in head]
    for place, row in enumerate(rows[:n], 2):
        for j, column in enumerate(columns, 1):
            text = row[head.index(column)]
            sheet.cell(place, j, text if text is None or "colour" in column else float(text))
    book.save(desk / f"{name}.xlsx")
    return [row[0] for row in rows[:n]], len(columns)


def agree(desk, name, ids, found):
    """The scores of rows in a workbook are those that are known."""
    known = expected(desk, name)
    for key, own in zip(ids, found, strict=True):
        np.testing.assert_allclose(numbers(own), known[key], rtol=1e-9, atol=1e-9, err_msg=key)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # of the library, where it is compiled only now
@pytest.mark.parametrize("name", ["mixed", "lines"])
def test_formulas_of_a_workbook_give_them(desk, name):
    ids, first = pasted(desk, name, 2)
    cells = formulas.ExcelModel().loads(str(desk / f"{name}.xlsx")).finish().calculate()
    width = len(expected(desk, name)[ids[0]])
    letters = [get_column_letter(first + 1 + j) for j in range(width)]
    rows = [[cells[f"'[{name}.xlsx]ROWS'!{letter}{row}"].value[0, 0] for letter in letters] for row in range(2, 5)]
    agree(desk, name, ids, rows[:2])
    assert set(rows[2]) == {""}


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed (libreoffice-calc-nogui)")
def test_libreoffice_gives_them(desk, tmp_path):
    ids = {name: pasted(desk, name, 20) for name in FITS}
    books = [f"{name}.xlsx" for name in FITS]
    office = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/user", "--convert-to"]
    done = ["xlsx:Calc MS Excel 2007 XML", "--outdir", tmp_path, *books]
    subprocess.run([*office, *done], cwd=desk, capture_output=True, check=True)
    for name, (keys, first) in ids.items():
        sheet = openpyxl.load_workbook(tmp_path / f"{name}.xlsx", data_only=True)["rows"]
        rows = [[cell.value for cell in row[first:]] for row in sheet.iter_rows(min_row=2, max_row=21)]
        agree(desk, name, keys, rows)


@pytest.mark.skipif(not shutil.which("java"), reason="Java is not installed, in which documents of PMML are run")
def test_a_document_of_pmml_gives_them(desk, monkeypatch):
    quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # it does not run for long
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", f"{quick} -Xss8m")  # or this thread is left 1 MB, too little for deep JSON
    with catch_warnings(action="ignore"):  # of its own syntax
        from jpmml_evaluator import make_evaluator
    head, rows = read(desk / "new.csv")
    columns = {name: [row[j] for row in rows[:20]] for j, name in enumerate(head)}
    table = pandas.DataFrame({name: own if name not in TYPES else numbers(own) for name, own in columns.items()})
    em("fit", "old.csv", "-k", 1, "-q", *QUICK, "--id", "id", "--type", "Visits=count", "--out", "one", cwd=desk)
    (desk / "one.csv").write_text(em("predict", "one", "new.csv", cwd=desk).out)
    for name in [*FITS, "one"]:
        em("export", name, "--to", "pmml", "--out", f"{name}.pmml", cwd=desk)
        evaluator = make_evaluator(str(desk / f"{name}.pmml"), backend="jpype").verify()
        scores = [field.name for field in evaluator.getOutputFields()]
        agree(desk, name, columns["id"], evaluator.evaluateAll(table)[scores].to_numpy())
        if name == "one":
            assert set(evaluator.evaluateAll(table)["component"]) == {"1"}
        if name == "mixed":
            none = evaluator.evaluateAll(table[:1].assign(Visits=-3.0))[scores].to_numpy()
            assert set(none[0]) == {None}


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed (apt-get install r-base-core)")
@pytest.mark.parametrize("name", FITS)
def test_a_script_in_r_gives_them(desk, name):
    em("export", name, "--to", "r", "--out", f"{name}.R", cwd=desk)
    program = (
        f"source('{name}.R'); d <- read.csv('new.csv', check.names = FALSE, na.strings = '');"
        "options(digits = 15); write.csv(cbind(id = d$id, em_predict(d)), row.names = FALSE)"
    )
    done = subprocess.run(["Rscript", "-e", program], cwd=desk, capture_output=True, text=True, check=True)
    agrees(desk, name, list(csv.reader(io.StringIO(done.stdout)))[1:])


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed (apt-get install r-base-core)")
def test_mclust_takes_its_object(desk):
    em("fit", SAMPLES / "faithful.csv", "-k", 2, "-q", *QUICK, "--covariance", "tied", "--out", "tied", cwd=desk)
    em("export", "tied", "--to", "r", "--out", "tied.R", cwd=desk)
    program = (
        "if (!suppressMessages(require(mclust, quietly = TRUE))) { cat('none'); quit() }; source('tied.R');"
        "m <- em_mclust(faithful); own <- predict(m, faithful);"
        "cat(max(abs(own$z - m$z)), all(own$classification == m$classification), m$bic, m$df)"
    )
    done = subprocess.run(["Rscript", "-e", program], cwd=desk, capture_output=True, text=True, check=True)
    if done.stdout == "none":
        pytest.skip("mclust is not installed (apt-get install r-cran-mclust)")
    away, same, bic, df = done.stdout.split()
    params = json.loads((desk / "tied" / "params.json").read_text())
    assert float(away) < 1e-9 and same == "TRUE" and int(df) == params["n_parameters"]
    assert float(bic) == pytest.approx(params["bic_mclust"], abs=1e-2)


def test_a_cell_that_the_model_does_not_describe_has_no_scores(desk):
    head, rows = read(desk / "new.csv")
    place = head.index("Visits")
    for value in ("-3", "2.5"):
        rows[0][place] = value
        statement = em("export", "mixed", "--to", "sql", cwd=desk).out
        (scores,) = in_duckdb(statement, head, rows[:1], {})
        assert scores[0] == "c0" and set(scores[1:]) == {None}


def test_names_of_tables_and_columns_are_quoted(desk):
    text = em("export", "mixed", "--to", "sql", "--table", 'a "b"', "--keep", 'size,"the ""colour"""', cwd=desk).out
    assert 'FROM "a ""b"""' in text and '"the ""colour""" AS kept2' in text and "'it''s'" in text


def test_levels_do_nothing_on_a_terminal(desk, monkeypatch):
    for dialect in DIALECTS:
        text = em("export", "mixed", "--to", "sql", "--dialect", dialect, cwd=desk).out
        assert text.isascii()
    for content in (["a"], [b"\x1b"], ["a\x1b"]):
        assert list(checked_text(content, None)) == content
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert checked_text(["a\x1b"], "a.sql") == ["a\x1b"]
    with pytest.raises(UsageError, match="--out"):
        checked_text(["a\x1b"], None)


def test_what_is_said_of_a_statement_runs_it(desk, tmp_path):
    told = em("export", "noise", "--to", "sql", "--table", "my rows", "--out", tmp_path / "s q.sql", cwd=desk).err
    _, view, _, script = shlex.split(told.partition(": duckdb ")[2])
    assert script == f".read {tmp_path / 's q.sql'}"
    with duckdb.connect() as database:
        database.execute(view.replace("NEW.csv", str(desk / "new.csv")))
        assert len(database.execute((tmp_path / "s q.sql").read_text()).fetchall()) == 60


@pytest.mark.parametrize(
    "options, message",
    [
        (["--to", "sas"], "(known: sql, python, r, onnx, excel, pmml)"),
        (["--to", "r", "--table", "x"], "--table is about SQL"),
        (["--to", "r", "--rows", "9"], "--rows is about workbooks"),
        (["--to", "excel", "--out", "x.csv"], "end its name in .xlsx"),
        (["--to", "excel", "--rows", "9999999", "--out", "x.xlsx"], "can be had"),
        (["--to", "sql", "--dialect", "duck"], "Did you mean 'duckdb'?"),
    ],
)
def test_what_cannot_be_asked_for(desk, options, message):
    assert message in em("export", "mixed", *options, cwd=desk, status=2).err


def test_chains_are_refused_by_name(desk):
    said = ("fit", SAMPLES / "faithful.csv", "-k", 2, "-q", *QUICK)
    em(*said, "--latent", "markov", "--out", "chain", cwd=desk)
    told = em("export", "chain", "--to", "sql", cwd=desk, status=2).err
    assert "'markov'" in told and "--to python" in told and "use em predict" in told
