"""`--latent pairs`: haplotypes of genotypes, what is written of them, and what is refused."""

import csv
import json
from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import factorial

import numpy as np
import pytest
import written
from program import SAMPLES, em

from em_cli.inference.hardy_weinberg import exact_p, expected_mixed

GENOTYPES = SAMPLES / "genotypes.csv"
BY_HAPLO_STATS = {  # haplo.em of haplo.stats 1.9.3, 20 tries, tol 1e-10, min.posterior 1e-12
    "000000": 0.3625,
    "110100": 0.2604641,
    "001011": 0.1292141,
    "111000": 0.1239109,
    "000111": 0.07703586,
    "100101": 0.046875,
}
LOG_LIKELIHOOD = -416.137013372  # likewise


def table(path):
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def pairs_of(genotype, haplotypes):
    """Those that make a genotype, blank where it is not known: by trying all."""
    for one, other in combinations_with_replacement(haplotypes, 2):
        if all(cell in ("", str(int(a) + int(b))) for cell, a, b in zip(genotype, one, other, strict=True)):
            yield one, other


def probability(one, other, p):
    return p[one] * p[other] * (1 if one == other else 2)


def counted(genotypes, n_loci, weights=None, steps=400):
    """Frequencies and log-likelihood by gene counting over all pairs (Excoffier & Slatkin 1995), from even ones."""
    haplotypes = ["".join(alleles) for alleles in product("01", repeat=n_loci)]
    p = dict.fromkeys(haplotypes, 1 / len(haplotypes))
    held = [list(pairs_of(genotype, haplotypes)) for genotype in genotypes]
    for _ in range(steps):
        copies, height = dict.fromkeys(haplotypes, 0.0), 0.0
        for pairs, weight in zip(held, weights or [1] * len(held), strict=True):
            own = np.array([probability(*pair, p) for pair in pairs])
            height += weight * np.log(own.sum())
            for (one, other), share in zip(pairs, weight * own / own.sum(), strict=True):
                copies[one] += share
                copies[other] += share
        p = {name: n / sum(copies.values()) for name, n in copies.items()}
    return p, height


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("haplotypes")
    em("fit", GENOTYPES, "--latent", "pairs", "--id", "person", "--out", "h.em", "-q", cwd=place)
    return place / "h.em"


def test_frequencies_are_those_of_haplo_stats(folder):
    params = json.loads((folder / "params.json").read_text())
    written.check_run(folder)
    found = {one["haplotype"]: one["frequency"] for one in params["haplotypes"]}
    assert found == pytest.approx(BY_HAPLO_STATS, abs=1e-6)
    assert params["log_likelihood"] == pytest.approx(LOG_LIKELIHOOD, abs=1e-6)
    assert [one["copies"] for one in params["haplotypes"]] == pytest.approx([320 * p for p in found.values()])
    assert {row["haplotype"]: float(row["frequency"]) for row in table(folder / "haplotypes.csv")} == found


def test_pairs_of_every_person_are_those_that_make_the_genotype(folder):
    p = {row["haplotype"]: float(row["frequency"]) for row in table(folder / "haplotypes.csv")}
    found = {}
    for row in table(folder / "pairs.csv"):
        pair = tuple(sorted((row["haplotype_1"], row["haplotype_2"])))
        found.setdefault(row["person"], {})[pair] = float(row["probability"])
    for row in table(GENOTYPES):
        own = {tuple(sorted(pair)): probability(*pair, p) for pair in pairs_of(list(row.values())[1:], p)}
        listed = {pair: q / sum(own.values()) for pair, q in own.items() if q >= 0.01 * sum(own.values())}
        assert found[row["person"]] == pytest.approx(listed), row
        assert list(found[row["person"]].values()) == sorted(listed.values(), reverse=True)
    assert em("predict", folder, GENOTYPES, cwd=folder.parent).out == (folder / "pairs.csv").read_text()
    scored = json.loads(em("score", folder, GENOTYPES, cwd=folder.parent).out)
    assert scored["log_likelihood"] == pytest.approx(LOG_LIKELIHOOD, abs=1e-6)


def test_gene_counting_comes_to_the_same_where_cells_are_missing_and_rows_have_weights(tmp_path):
    genotypes = ["000", "101", "1 1", "221", " 21", "11 ", "120", "012", "110"]
    weights = [3, 2, 4, 1, 2, 3, 1, 2, 2]
    rows = [[cell.strip() for cell in genotype] for genotype in genotypes]
    lines = [",".join([*row, str(n)]) for row, n in zip([*rows, ["1", "0", "1"]], [*weights, 0], strict=True)]
    (tmp_path / "w.csv").write_text("\n".join(["a,b,c,n", *lines, ""]))
    em("fit", "w.csv", "--weights", "n", "--latent", "pairs", "-q", "--out", "w.em", cwd=tmp_path)
    shown = em("predict", "w.em", "w.csv", cwd=tmp_path).out
    assert shown.endswith("\n10,000,101,1.0\n") and (tmp_path / "w.em/pairs.csv").read_text() == shown
    alone = [line.rpartition(",")[0] for line, n in zip(lines, [*weights, 0], strict=True) for _ in range(n)]
    (tmp_path / "alone.csv").write_text("\n".join(["a,b,c", *alone[::-1], ",,", ""]))
    asked = ("--latent", "pairs", "--json", "-q", "--tol", "1e-9")
    found = json.loads(em("fit", "w.csv", "--weights", "n", *asked, cwd=tmp_path).out)
    p, height = counted(rows, 3, weights)
    own = {one["haplotype"]: one["frequency"] for one in found["haplotypes"]}
    assert found["log_likelihood"] >= height - 1e-7
    assert found["log_likelihood"] == pytest.approx(height, abs=1e-5)
    assert {name: own.get(name, 0.0) for name in p} == pytest.approx(p, abs=1e-3)
    again = json.loads(em("fit", "alone.csv", *asked, cwd=tmp_path).out)
    assert again["haplotypes"] == found["haplotypes"]
    assert again["n_individuals"] == sum(weights)  # of the last nothing is known


def test_loci_that_others_tell_are_fitted_and_one_genotype_is_enough(tmp_path):
    (tmp_path / "d.csv").write_text("a,b,c\n" + "0,0,1\n1,1,1\n2,2,1\n1,1,1\n" * 8)
    found = json.loads(em("fit", "d.csv", "--latent", "pairs", "--json", "-q", cwd=tmp_path).out)
    assert found["loci"] == ["a", "b", "c"]
    assert sum(one["frequency"] for one in found["haplotypes"] if one["haplotype"][:2] in ("00", "11")) == 1.0
    em("fit", "d.csv", "--latent", "pairs", "--out", "h.em", "-q", cwd=tmp_path)
    (tmp_path / "one.csv").write_text("c,b,a\n1,0,0\n")
    one = em("predict", "h.em", "one.csv", cwd=tmp_path).out.splitlines()[1].split(",")
    assert {one[1], one[2]} == {"000", "001"} and float(one[3]) == pytest.approx(1)
    (tmp_path / "blank.csv").write_text("a,b,c\n0,0,\n")
    assert len(em("predict", "h.em", "blank.csv", cwd=tmp_path).out.splitlines()) > 1
    (tmp_path / "strange.csv").write_text("a,b,c\n0,1,1\n")
    strange = em("predict", "h.em", "strange.csv", cwd=tmp_path)
    assert strange.out.splitlines()[1:] == ["1,,,"] and "no two of the haplotypes make" in strange.err
    assert json.loads(em("score", "h.em", "strange.csv", cwd=tmp_path).out)["log_likelihood"] is None


def test_genotypes_that_name_their_alleles_give_the_haplotypes_of_their_copies(folder, tmp_path):
    heads, *rows = [line.split(",") for line in GENOTYPES.read_text().splitlines()]
    named = [
        [row[0], *({"0": "T/T", "1": "C/T", "2": "C/C", "": ""}[cell] for cell in row[1:5]), *row[5:]] for row in rows
    ]
    (tmp_path / "named.csv").write_text("\n".join(map(",".join, [heads, *named, []])))
    em("fit", "named.csv", "--latent", "pairs", "--id", "person", "--out", "n.em", "-q", cwd=tmp_path)
    params = json.loads((tmp_path / "n.em/params.json").read_text())
    written.check_run(tmp_path / "n.em")
    assert params["alleles"] == [["C", "T"]] * 4 + [["0", "1"]] * 2
    found = {one["haplotype"]: one["frequency"] for one in params["haplotypes"]}
    letters = {name: name[:4].translate(str.maketrans("01", "TC")) + name[4:] for name in BY_HAPLO_STATS}
    assert found == pytest.approx({letters[name]: p for name, p in BY_HAPLO_STATS.items()}, abs=1e-6)
    assert em("predict", "n.em", "named.csv", cwd=tmp_path).out == (tmp_path / "n.em/pairs.csv").read_text()
    assert "C or T at rs101" in em("show", "n.em", cwd=tmp_path).out
    assert "row 1, column 'rs101': 1 is no" in em("predict", "n.em", GENOTYPES, cwd=tmp_path, status=3).err
    params["haplotypes"][0]["haplotype"] = "GTCC00"
    (tmp_path / "bad.json").write_text(json.dumps(params))
    assert "one of those of each locus" in em("predict", "bad.json", "named.csv", cwd=tmp_path, status=3).err


REFUSED = [
    (("-k", "3"), "-k does not go with --latent pairs"),
    (("--sequence", "person"), "--sequence does not go with"),
    (("--labelled", "x.csv"), "--labelled does not go with"),
    (("--se", "robust"), "--se does not go with"),
    (("--algorithm", "cem"), "--algorithm does not go with"),
    (("--noise",), "noise"),
]


@pytest.mark.parametrize(("said", "message"), REFUSED, ids=lambda one: " ".join(one) if isinstance(one, tuple) else "")
def test_what_makes_no_sense_of_haplotypes_is_refused(said, message, tmp_path):
    done = em("fit", GENOTYPES, "--latent", "pairs", *said, "--out", "h.em", cwd=tmp_path, status=2)
    assert message in done.err
    assert not (tmp_path / "h.em").exists()


def test_cells_that_are_no_genotypes_and_too_many_loci_are_refused(tmp_path):
    (tmp_path / "d.csv").write_text("a,b\n0,1\n2,3\n1,1\n")
    assert "row 2, column 'b': 3 is no genotype" in em("fit", "d.csv", "--latent", "pairs", cwd=tmp_path, status=3).err
    (tmp_path / "single.csv").write_text("a1,a2\n1,2\n2,2\n1,1\n")
    assert "columns of single alleles" in em("fit", "single.csv", "--latent", "pairs", cwd=tmp_path, status=3).err
    lines = [[f"s{j}" for j in range(13)], *([str((i + j) % 3) for j in range(13)] for i in range(9))]
    (tmp_path / "wide.csv").write_text("\n".join(map(",".join, lines)) + "\n")
    assert "13 loci" in em("fit", "wide.csv", "--latent", "pairs", cwd=tmp_path, status=3).err


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("bootstrap", 3),
        ("relate --on a", 3),
        ("export --to sql", 2),
        ("sample -n 3", 3),
        ("report", 3),
        ("outliers", 3),
    ],
)
def test_commands_of_mixtures_say_that_haplotypes_have_no_such_thing(command, status, folder, tmp_path):
    name, *said = command.split()
    assert "haplotypes" in em(name, folder, *said, cwd=tmp_path, status=status).err


def test_the_picture_tells_every_frequency(folder, tmp_path):
    em("plot", folder, "--kind", "haplotypes", "--format", "svg", "--out", "drawn", cwd=tmp_path)
    drawn = (tmp_path / "drawn" / "haplotypes.svg").read_text()
    assert "36.2 %" in drawn and "4.7 %" in drawn
    assert "there is no picture" in em("plot", folder, "--kind", "density", cwd=tmp_path, status=2).err


def test_what_is_no_locus_is_warned_of(folder):
    """A diagnosis of 0 and 1: nobody has two copies of it."""
    lines = GENOTYPES.read_text().splitlines()
    told = [lines[0] + ",sick", *(f"{line},{n % 2}" for n, line in enumerate(lines[1:]))]
    (folder.parent / "sick.csv").write_text("\n".join(told) + "\n")
    em("fit", "sick.csv", "--latent", "pairs", "--id", "person", "--out", "s.em", "-q", "--restarts", "1",
       cwd=folder.parent)  # fmt: skip
    warned = {w["code"]: w["message"] for w in json.loads((folder.parent / "s.em/params.json").read_text())["warnings"]}
    assert "hardly do in sick: 80 of 160" in warned["proportions_unlikely"]
    own = json.loads((folder / "params.json").read_text())["warnings"]
    assert "proportions_unlikely" not in {w["code"] for w in own}


@pytest.mark.parametrize("copies", [(14, 57, 50), (57, 14, 50), (3, 14, 5), (60, 0, 0), (0, 80, 0)])
def test_the_exact_test_of_proportions_is_that_of_all_tables(copies):
    n, counted = sum(copies), copies[1] + 2 * copies[2]
    tables = {
        mixed: Fraction(
            2**mixed, factorial((counted - mixed) // 2) * factorial(mixed) * factorial(n - (counted + mixed) // 2)
        )
        for mixed in range(counted % 2, min(counted, 2 * n - counted) + 1, 2)
    }
    here, whole = tables[copies[1]], sum(tables.values())
    assert exact_p(np.array(copies, float)) == pytest.approx(
        float(sum(t for t in tables.values() if t <= here) / whole)
    )
    mean = sum(mixed * t for mixed, t in tables.items()) / whole
    assert expected_mixed(np.array(copies, float)) == pytest.approx(float(mean))
