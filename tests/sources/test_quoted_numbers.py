"""Numbers in quotes, where other numbers have none, are codes: R writes factors so."""

import gzip
import json

import numpy as np
import pytest
from program import em

from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read

N = 120
RNG = np.random.default_rng(31)
SIZE = np.where(np.arange(N) % 2, 14.0, 6.0) + RNG.normal(size=N)
SITE = RNG.choice([1204, 1311, 1320, 1407, 1777, 2020, 2410, 3007], N)  # eight codes, in about 15 rows each
PARCEL = 10_000 + 37 * RNG.permutation(N)


def table(quoted=("site", "note"), columns=("size", "site", "note"), **further):
    """The text of a file, some columns of which are in quotes."""
    cells = {"size": [f"{x:.4f}" for x in SIZE], "site": [*map(str, SITE)], "note": ["a, b", "c"] * (N // 2)} | further
    rows = [[f'"{cells[name][row]}"' if name in quoted else cells[name][row] for name in columns] for row in range(N)]
    return "\n".join(",".join(row) for row in [[f'"{name}"' for name in columns], *rows]) + "\n"


def kinds(tmp_path, text, **options):
    (tmp_path / "d.csv").write_text(text)
    data = read([str(tmp_path / "d.csv")], ReadOptions(**options))
    return {column.name: column.type for column in data.schema.columns}, {one.code: one.message for one in data.notices}


def test_codes_in_quotes_are_levels(tmp_path):
    found, said = kinds(tmp_path, table())
    assert found == {"size": "numeric", "site": "categorical", "note": "categorical"}
    assert said["quoted_numbers"].endswith("taken as levels: site; --type site=numeric takes it as a number")
    assert kinds(tmp_path, table(), types={"site": "numeric"})[0]["site"] == "numeric"
    assert kinds(tmp_path, table(quoted=("note",)))[0]["site"] == "numeric"
    names = table().replace("\n", '\n"7",').replace('"7","size"', '"","size"').removesuffix('"7",')
    assert kinds(tmp_path, '"",' + names)[0] == found  # with names of rows, which are in quotes themselves


def test_a_file_of_quotes_tells_nothing(tmp_path):
    for text in (table(quoted=("size", "site", "note")), table(columns=("site", "note"))):
        found, said = kinds(tmp_path, text)
        assert found["site"] == "numeric" and "quoted_numbers" not in said


def test_quotes_that_a_cell_needs_tell_nothing(tmp_path):
    """A comma before decimals, or between thousands, has to be quoted where commas part the columns."""
    grouped = [f"{code:,}" for code in SITE]
    found, said = kinds(tmp_path, table(site=grouped), thousands=",")
    assert found["site"] == "numeric" and "quoted_numbers" not in said
    commas = [f"{code / 8:.2f}".replace(".", ",") for code in SITE]
    text = table(columns=("size", "site"), size=[*map(str, PARCEL)], site=commas)
    assert kinds(tmp_path, text, decimal=",")[0]["site"] == "numeric"


def test_some_cells_in_quotes_tell_nothing(tmp_path):
    text = table().replace(f'"{SITE[3]}"', str(SITE[3]))
    assert kinds(tmp_path, text)[0]["site"] == "numeric"


def test_missing_cells_have_no_quotes(tmp_path):
    gaps = ["NA" if row % 9 == 4 else f'"{code}"' for row, code in enumerate(SITE)]
    found, _ = kinds(tmp_path, table(quoted=("note",), site=gaps))
    assert found["site"] == "categorical"
    assert kinds(tmp_path, table(quoted=("note",), site=gaps).replace("NA", '"NA"'))[0] == found


def test_many_codes_are_left_out_and_many_decimals_are_numbers(tmp_path):
    text = table(quoted=("site", "parcel"), columns=("size", "parcel", "site"), parcel=[*map(str, PARCEL)])
    found, said = kinds(tmp_path, text)
    assert found == {"size": "numeric", "site": "categorical"}
    assert "have none: parcel; --type NAME=numeric takes it as a number" in said["quoted_column"]
    assert kinds(tmp_path, text, types={"parcel": "numeric"})[0]["parcel"] == "numeric"
    text = table(quoted=("site", "parcel"), columns=("size", "parcel", "site"), parcel=[f"{x / 16}" for x in PARCEL])
    found, said = kinds(tmp_path, text)
    assert found["parcel"] == "numeric" and "--exclude parcel leaves it out" in said["quoted_numbers"]


def test_ids_in_quotes_are_ids(tmp_path):
    patient = [str(1000 + row // 10) for row in range(N)]
    text = table(
        quoted=("patient_id", "no"), columns=("size", "patient_id", "no"), patient_id=patient, no=[*map(str, PARCEL)]
    )
    found, said = kinds(tmp_path, text)
    assert found == {"size": "numeric"} and {"repeated_ids", "row_numbers"} <= set(said)


def test_nothing_but_codes_is_refused_with_a_way_out(tmp_path):
    text = table(quoted=("parcel",), columns=("parcel", "size"), parcel=[*map(str, PARCEL)])
    (tmp_path / "d.csv").write_text(text)
    refused = em("fit", "d.csv", "-k", 1, "--exclude", "size", cwd=tmp_path, status=3)
    assert "use --type parcel=numeric" in refused.err
    em("fit", "d.csv", "-k", 1, "--exclude", "size", "--type", "parcel=numeric", cwd=tmp_path)


def test_the_answer_is_the_same_however_rows_are_read_and_models_remember_it(tmp_path):
    text = table(
        quoted=("site", "note", "parcel"), columns=("size", "site", "note", "parcel"), parcel=[*map(str, PARCEL)]
    )
    (tmp_path / "d.csv").write_text(text)
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(text.encode()))
    how = {
        "memory": (["d.csv"], None),
        "disk": (["d.csv", "--memory", "1K"], None),
        "gzip": (["d.csv.gz"], None),
        "stdin": (["-"], text),
    }
    parameters = {}
    for name, (words, stdin) in how.items():
        em("fit", *words, "-k", 2, "--out", name, "--restarts", 2, "-q", cwd=tmp_path, stdin=stdin)
        parameters[name] = json.loads((tmp_path / name / "params.json").read_text())
    first = parameters["memory"]
    assert first["columns"][1]["levels"] == sorted({*map(str, SITE)}) and len(first["columns"]) == 3
    assert all(one["groups"] == first["groups"] for one in parameters.values())
    (tmp_path / "plain.csv").write_text(text.replace('"a, b"', "a; b").replace('"', "").replace("a; b", '"a, b"'))
    for file in ("d.csv", "d.csv.gz", "plain.csv"):
        scored = json.loads(em("score", "memory", file, cwd=tmp_path).out)
        assert scored["log_likelihood"] == pytest.approx(first["log_likelihood"])
