"""Tables for papers: LaTeX that says what the run says, whatever the names, and CSV with all digits."""

import csv
import json
import re
import shutil
import subprocess
from io import StringIO

import numpy as np
import pytest
from program import em

NAMES = ("a_b & 50% $x$", "#{\\~^}", "umlaut ü, comma")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("paper"), np.random.default_rng(2)
    place = np.repeat([0, 1], 60)
    with (folder / "d.csv").open("w", newline="") as file:
        write = csv.writer(file)
        write.writerow(NAMES)
        for k in place:
            write.writerow(
                [
                    f"{-5 + 9 * k + rng.normal():.4f}",
                    f"{rng.normal():.4f}",
                    ["lo_w", "high&er"][int(rng.random() < 0.2 + 0.5 * k)],
                ]
            )
    em("select", "d.csv", "-k", "2-8:6", "--restarts", "2", "-q", "--out", "run.em", cwd=folder)
    em("fit", "d.csv", "-k", "8", "--restarts", "1", "-q", "--prior", "weak", "--out", "wide.em", cwd=folder)
    return folder


def plain(text):
    """What LaTeX prints."""
    for name, mark in (("textbackslash", "\\"), ("textasciitilde", "~"), ("textasciicircum", "^")):
        text = text.replace(f"\\{name}{{}}", f"<{ord(mark)}>")
    text = re.sub(r"\\([&%$#_{}])", r"\1", text)
    return re.sub(r"<(\d+)>", lambda m: chr(int(m[1])), text)


def rows_of(text):
    """Cells of every line of the tables."""
    bodies = re.findall(r"\\toprule\n(.*?)\\bottomrule", text, re.S)
    lines = [line for body in bodies for line in body.replace("\\midrule\n", "").split(" \\\\\n") if line]
    return [[plain(cell.strip()) for cell in re.split(r"(?<!\\)&", line)] for line in lines]


def test_names_are_printed_as_they_stand(folder):
    rows = rows_of(em("show", "run.em", "--table", "components", cwd=folder).out)
    assert {len(row) for row in rows} == {3}
    assert [row[0] for row in rows] == ["", "weight", "rows", *NAMES, "\\quad high&er", "\\quad lo_w"]


def test_figures_are_those_of_the_run(folder):
    found = json.loads((folder / "run.em/params.json").read_text())["components"]
    latex = rows_of(em("show", "run.em", "--table", "components", cwd=folder).out)
    table = list(
        csv.DictReader(StringIO(em("show", "run.em", "--table", "components", "--format", "csv", cwd=folder).out))
    )
    for k, one in enumerate(found):
        mean, sd = (one[name][NAMES[0]] for name in ("mean", "sd"))
        told = re.fullmatch(r"\$?(-?[\d.]+)\$? \(([\d.]+)\)", latex[3][k + 1])
        assert float(told[1]) == pytest.approx(mean, abs=5e-3) and float(told[2]) == pytest.approx(sd, rel=5e-3)
        exact = {(row["column"], row["level"], row["statistic"]): row[f"component_{k + 1}"] for row in table}
        assert float(exact[NAMES[0], "", "mean"]) == mean and float(exact[NAMES[0], "", "sd"]) == sd
        assert float(exact[NAMES[2], "lo_w", "probability"]) == one["probabilities"][NAMES[2]]["lo_w"]
        assert float(exact["", "", "weight"]) == one["weight"]


def test_wide_tables_are_several(folder):
    text = em("show", "wide.em", "--table", "components", cwd=folder).out
    assert text.count("\\begin{tabular}") == 3 and "1 to 3 of 8" in text and "7 to 8 of 8" in text
    rows = rows_of(text)
    assert [cell for row in rows if row[0] == "" for cell in row[1:]] == [f"component {k + 1}" for k in range(8)]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX here")
def test_latex_sets_them_within_the_width_of_a_page(folder, tmp_path):
    wanted = [("run.em", "components"), ("wide.em", "components"), ("run.em", "selection")]
    tables = "".join(em("show", run, "--table", table, cwd=folder).out for run, table in wanted)
    packages = r"\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\usepackage{booktabs}"
    text = rf"\documentclass{{article}}{packages}\begin{{document}}{tables}\end{{document}}"
    (tmp_path / "t.tex").write_text(text, "utf-8")
    told = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "-draftmode", "t.tex"],
        cwd=tmp_path, capture_output=True, timeout=60,
    ).stdout.decode("utf-8", "replace")  # fmt: skip
    assert "!" not in told and "Overfull" not in told, told


def test_the_table_of_a_sweep(folder):
    text = em("show", "run.em", "--table", "selection", cwd=folder).out
    assert not re.search(r"-0\.0*\$", text), "zero has no sign"
    assert text.count("\\textbf{") == 1 and [row[1] for row in rows_of(text)] == ["$K$", "2", "8"]
    same = em("show", "run.em", "--table", "selection", "--format", "csv", cwd=folder).out
    assert same == (folder / "run.em/selection.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("run.em", "--table", "component"), 2, "Did you mean 'components'?"),
        (("run.em", "--table", "components", "--format", "word"), 2, "a table can be latex or csv"),
        (("run.em", "--format", "csv"), 2, "name one by --table components"),
        (("run.em", "--table", "components", "--json"), 2, "contradict each other"),
        (("wide.em", "--table", "selection"), 3, "em select writes one"),
        (("run.em/params.json", "--table", "selection"), 3, "em select writes one"),
    ],
)
def test_mistakes(folder, arguments, status, words):
    assert words in em("show", *arguments, cwd=folder, status=status).err
