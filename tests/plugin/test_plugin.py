"""A family from outside the package: one file and one entry point, and nothing else is edited."""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from plugin.em_inverse_gaussian import InverseGaussian
from program import ENVIRONMENT, ROOT, Outcome, em, em_process
from scipy import stats

from em_cli.testing import Law, case_of, laws

FILE = Path(__file__).with_name("em_inverse_gaussian.py")
GUIDE = ROOT / "em_cli" / "families" / "README.md"
ENTRY_POINTS = "[em_cli.families]\ninverse_gaussian = em_inverse_gaussian:InverseGaussian\n"
FIT = ("fit", "times.csv", "--family", "inverse_gaussian", "-k", "2", "-q", "--out", "times.em")


def test_a_family_is_short():
    lines = FILE.read_text(encoding="utf-8").splitlines()
    methods = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.FunctionDef)]
    assert len(lines) <= 70
    assert len(methods) <= 12


def test_the_guide_is_written_about_this_family():
    """Its blocks, one behind the other, are the family; the last is of this test."""
    guide = GUIDE.read_text(encoding="utf-8")
    *family, judged = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    assert lines_of("".join(family)) == lines_of(FILE.read_text(encoding="utf-8"))
    assert set(lines_of(judged)) <= set(lines_of(Path(__file__).read_text(encoding="utf-8")))
    assert ENTRY_POINTS in guide


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def log_density(family, document, x):
    both = zip(np.array(document["means"]), np.array(document["shapes"]), strict=True)
    cells = [stats.invgauss((m / s)[:, None], scale=s[:, None]).logpdf(x) for m, s in both]
    return np.stack([np.where(np.isnan(x), 0.0, own).sum(axis=0) for own in cells])


CASE = case_of("inverse_gaussian", InverseGaussian(), log_density)


@pytest.mark.parametrize("law", laws(CASE), ids=str)
def test_it_obeys_the_laws(law: Law):
    law()


@pytest.mark.parametrize("law", laws(replace(CASE, gaps=0.2), range(1)), ids=str)
def test_it_obeys_the_laws_where_cells_are_missing(law: Law):
    law()


def test_the_laws_hold_it_to_what_it_says_that_it_resolves():
    class Boastful(InverseGaussian):
        narrowest = 0.0

    broken = []
    for law in laws(replace(CASE, build=lambda kinds: Boastful()), range(1)):
        try:
            law()
        except AssertionError:
            broken.append(law.name)
    assert "density_is_that_of_an_independent_program" in broken
    assert "the_gradient_is_that_of_the_log_likelihood" in broken


@pytest.fixture(scope="module")
def there(tmp_path_factory) -> Path:
    """A folder with data; beside it the family, installed as a package would be."""
    home = tmp_path_factory.mktemp("plugin")
    site, data = home / "site", home / "data"
    about = site / "em_inverse_gaussian-1.0.dist-info"
    about.mkdir(parents=True)
    data.mkdir()
    (site / FILE.name).write_bytes(FILE.read_bytes())
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: em-inverse-gaussian\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    rng = np.random.default_rng(1)
    rows = np.concatenate(
        [rng.wald((2.0, 30.0), (20.0, 90.0), (150, 2)), rng.wald((9.0, 12.0), (80.0, 50.0), (150, 2))]
    )
    lines = ["first,second", *(f"{a:.4f},{b:.4f}" for a, b in rows.tolist())]
    (data / "times.csv").write_text("\n".join(lines) + "\n")
    run(data, *FIT)
    return data


def run(there: Path, *arguments: str, status: int = 0) -> Outcome:
    with mock.patch.object(sys, "path", [str(there.parent / "site"), *sys.path]):
        return em(*arguments, cwd=there, status=status)


def test_it_is_fitted(there):
    document = json.loads((there / "times.em" / "params.json").read_text())
    assert document["family"] == "inverse_gaussian"
    means, shapes = (np.array(document[name]) for name in ("means", "shapes"))
    order = np.argsort(means[:, 0])
    assert np.allclose(means[order], [[2, 30], [9, 12]], rtol=0.2)
    assert np.allclose(shapes[order], [[20, 90], [80, 50]], rtol=0.5)


def test_columns_have_the_type_that_it_describes(there):
    assert "inverse_gaussian" in run(there, "parts", "families").out
    assert "Inverse Gaussian mixture, k = 2" in run(there, "show", "times.em").out
    typed = ("fit", "times.csv", "--type", "first=inverse_gaussian", "-k", "2", "-q", "--out", "typed.em")
    assert "inverse_gaussian" in run(there, *typed, "--params", "-").out
    (there / "below.csv").write_text("first,second\n-1,2\n" + "3,4\n5,6\n" * 20)
    refused = run(there, "fit", "below.csv", "--family", "inverse_gaussian", "-k", "1", "--out", "below.em", status=3)
    assert "not a number above 0" in refused.err


def test_it_is_compared_with_its_like_only(there):
    sweep = ("select", "times.csv", "-k", "1-2", "-q", "--seed", "1")
    run(there, *sweep, "--family", "gamma,inverse_gaussian", "--out", "sweep.em")
    table = (there / "sweep.em" / "selection.csv").read_text()
    assert "gamma" in table and "inverse_gaussian" in table
    refused = run(there, *sweep, "--family", "gaussian,inverse_gaussian", "--out", "other.em", status=2)
    assert "inverse_gaussian: positive" in refused.err


def test_it_is_drawn_and_reported(there):
    run(there, "plot", "times.em", "--kind", "density", "--format", "svg", "--out", "plots")
    assert "<svg" in (there / "plots" / "density.svg").read_text()
    run(there, "report", "times.em", "--out", "report.html")
    assert "inverse" in (there / "report.html").read_text().lower()


def test_it_predicts_from_its_document(there):
    """Also where a process has read nothing but the document."""
    scored = run(there, "predict", "times.em", "times.csv").out
    assert len(scored.splitlines()) == 301
    paths = [str(there.parent / "site"), str(ROOT), *filter(None, [ENVIRONMENT.get("PYTHONPATH")])]
    alone = {"PYTHONPATH": os.pathsep.join(paths)}
    assert em_process("predict", "times.em/params.json", "times.csv", cwd=there, env=alone).out == scored


def test_it_has_standard_errors_and_replicates_and_no_formulas_to_export(there):
    run(there, *FIT[:-1], "errors.em", "--se", "observed")
    errors = json.loads((there / "errors.em" / "params.json").read_text())["standard_errors"]["observed"]
    assert np.all(np.array(errors["means"]) > 0) and np.all(np.array(errors["shapes"]) > 0)
    replicates = json.loads(run(there, "bootstrap", "errors.em", "times.csv", "-B", "20", "--json").out)
    assert all(row["se_bootstrap"] > 0 for row in replicates["intervals"])
    assert "cannot be exported" in run(there, "export", "errors.em", "--to", "python", status=2).err


def test_a_run_goes_on_where_it_was_cut(there):
    cut = (*FIT[:-1], "cut.em")
    run(there, *cut, "--checkpoint-every", "0.001s", "--time-limit", "0.001s")
    assert (there / "cut.em" / "checkpoint").is_dir()
    run(there, *cut, "--resume")
    one, other = (json.loads((there / folder / "params.json").read_text()) for folder in ("times.em", "cut.em"))
    assert one == other
