"""Rows that belong together on the command line: they share their component."""

import json

import numpy as np
import pytest
from commands.regressions import are_drawn_about_their_lines, rows_of
from program import em

from em_cli.reports.picture import pictures_of

LINES = ("-k", "2", "--response", "height", "--on", "age", "--group", "child")


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    """Heights of children of two kinds at four ages, in any order; one has weight 2, one a missing height."""
    folder, rng = tmp_path_factory.mktemp("children"), np.random.default_rng(8)
    lines = []
    for child in range(24):
        slope = (1.0, 2.0)[child % 3 == 0]
        for age in (8, 10, 12, 14):
            height = "" if (child, age) == (5, 12) else f"{10 + slope * age + rng.normal(0, 2):.2f}"
            lines.append(f"c{child},{age},{height},{1 + (child == 1)},{child % 2}")
    order = rng.permutation(len(lines))
    (folder / "growth.csv").write_text("\n".join(["child,age,height,times,boy", *(lines[i] for i in order)]) + "\n")
    em("fit", "growth.csv", *LINES, "-q", "--out", "growth.em", cwd=folder)
    return folder


def test_rows_of_a_group_share_their_component(children):
    document = json.loads((children / "growth.em/params.json").read_text())
    assert document["latent"] == "grouped" and document["n_groups"] == document["n_for_bic"] == 24
    assert document["n_samples"] == 96 and document["n_parameters"] == 7
    assert document["bic"] == pytest.approx(-2 * document["log_likelihood"] + 7 * np.log(24))
    assert np.allclose(np.sort(np.array(document["coefficients"])[:, 1]), [1, 2], atol=0.25)
    written = rows_of((children / "growth.em/responsibilities.csv").read_text())
    read = rows_of((children / "growth.csv").read_text())
    of_child = {}
    for row, found in zip(read, written, strict=True):
        of_child.setdefault(row["child"], set()).add((found["component"], found["p1"]))
    assert len(of_child) == 24 and all(len(found) == 1 for found in of_child.values())
    steep = {child for child, found in of_child.items() if {component for component, _ in found} == {"2"}}
    assert len(steep & {f"c{n}" for n in range(0, 24, 3)}) >= 7 and len(steep) <= 9
    heights = sum(float(row["log_density"]) for row in written)
    assert heights == pytest.approx(document["log_likelihood"], rel=1e-10)
    again = rows_of(em("predict", "growth.em", "growth.csv", cwd=children).out)
    assert [row["p2"] for row in again] == [row["p2"] for row in written]
    scored = json.loads(em("score", "growth.em", "growth.csv", cwd=children).out)
    assert scored["log_likelihood"] == pytest.approx(document["log_likelihood"], rel=1e-10)
    assert scored["bic"] == pytest.approx(document["bic"], rel=1e-10)
    assert "--group child" in em("fit", "growth.csv", *LINES, "--format", "human", "-o", "h.em", cwd=children).out


def test_a_group_of_weight_two_is_there_twice(children, tmp_path):
    options = (*LINES, "--json", "-q")
    weighted = json.loads(em("fit", "growth.csv", *options, "--weights", "times", cwd=children).out)
    text = (children / "growth.csv").read_text()
    more = "".join(f"again{line}\n" for line in text.splitlines()[1:] if line.startswith("c1,"))
    twice = json.loads(em("fit", "-", *options, cwd=tmp_path, stdin=text + more).out)
    assert weighted["log_likelihood"] == pytest.approx(twice["log_likelihood"], abs=1e-6)
    assert weighted["n_for_bic"] == twice["n_for_bic"] == 25


def test_groups_go_with_any_family(children):
    found = json.loads(em("fit", "growth.csv", "-k", "2", "--columns", "height,boy", "--group", "child", "--json", "-q",
                          cwd=children).out)  # fmt: skip
    assert found["family"] == "product" and found["n_for_bic"] == 24
    dropped = json.loads(em("fit", "growth.csv", "-k", "2", "--columns", "height", "--group", "child", "--json", "-q",
                            "--missing", "drop", cwd=children).out)  # fmt: skip
    assert dropped["n_samples"] == 95 and dropped["n_groups"] == 24


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ("--group child --latent markov", 2, ["--latent markov does not know"]),
        ("--latent grouped", 2, ["--group"]),
        ("--group child --sequence boy", 2, ["--sequence is about rows that follow each other"]),
        ("--group child --noise", 2, ["noise"]),
        ("--group chlid", 3, ["'chlid'"]),
        ("--group child --weights age", 3, ["the weight is", "in its group", "whole groups have weights"]),
        ("--group child --labels times --exclude boy", 3, ["different labels"]),
    ],
)
def test_mistakes_about_groups_are_refused(children, tmp_path, options, status, words):
    text = (children / "growth.csv").read_text()
    if "--labels" in options:
        text = text.replace("c2,8,", "c2,8,", 1).replace(",1,0\n", ",2,0\n", 1)
    refused = em("fit", "-", "-k", "2", *options.split(), cwd=tmp_path, stdin=text, status=status)
    assert all(word in refused.err for word in words), refused.err


def test_groups_are_refused_where_a_model_has_none(children):
    em("fit", "growth.csv", "-k", "1", "--columns", "age", "-q", "-o", "plain.em", cwd=children)
    assert "--group" in em("predict", "plain.em", "growth.csv", "--group", "boy", cwd=children, status=2).err
    for more in (["--decode", "filter"], ["--horizon", "2"]):
        assert "follow each other" in em("predict", "growth.em", "growth.csv", *more, cwd=children, status=2).err


def test_rows_are_drawn_about_the_lines_of_their_components(children):
    pytest.importorskip("matplotlib")
    run = are_drawn_about_their_lines(children, "growth", "age")
    (only,) = pictures_of(run, ["regression"])
    assert "height against age" in only.caption
    dropped = ("--missing", "drop", "-q", "-o", "dropped.em", "--plots")
    em("fit", "growth.csv", *LINES, *dropped, cwd=children)
    before = (children / "dropped.em/plots/regression.png").read_bytes()
    em("plot", "dropped.em", "--kind", "regression", "--force", cwd=children)
    assert (children / "dropped.em/plots/regression.png").read_bytes() == before
    labelled = em("predict", "dropped.em", "growth.csv", "--missing", "drop", cwd=children).out
    written = (children / "dropped.em/responsibilities.csv").read_text()
    assert [row["p1"] for row in rows_of(labelled)] == [row["p1"] for row in rows_of(written)]
