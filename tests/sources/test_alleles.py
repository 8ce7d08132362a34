"""Genotypes that name their alleles, in the ways of PLINK, VCF files and haplo.stats."""

import numpy as np
import pytest

from em_cli.errors import DataError
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read

NAN = np.nan
READ = {
    "a slash": ("A/G G/G A/A G/A", [1, 2, 0, 1], ("A", "G")),
    "a bar": ("0|1 1|1 0|0 1|0", [1, 2, 0, 1], ("0", "1")),
    "two letters": ("AG GG AA GA", [1, 2, 0, 1], ("A", "G")),
    "as Mendel": ("Aa aa AA aA", [1, 2, 0, 1], ("A", "a")),
    "insertions": ("ID DD II --", [1, 0, 2, NAN], ("D", "I")),
    "numbers": ("9/10 10/10 9/9 ./.", [1, 2, 0, NAN], ("9", "10")),
    "0 is missing beside bases": ("A/G G/G 0/0 A/A", [1, 2, NAN, 0], ("A", "G")),
    "0 is missing beside 1 and 2": ("1/2 2/2 0/0 1/1", [1, 2, NAN, 0], ("1", "2")),
    "0 is an allele beside 1": ("0/0 1/1 .|. 0/0", [0, 2, NAN, 0], ("0", "1")),
    "0 is an allele where it stands with another": ("0/2 2/2 0/0 0/2", [1, 2, 0, 1], ("0", "2")),
    "N is missing beside bases": ("CT NN TT CC", [1, NAN, 2, 0], ("C", "T")),
    "N is an allele beside n": ("Nn NN nn Nn", [1, 0, 2, 1], ("N", "n")),
    "one allele": ("A/A A/A . A/A", [0, 0, NAN, 0], ("A",)),
    "copies": ("0 1 ./. 2", [0, 1, NAN, 2], None),
}


def data(tmp_path, cells, known=None, **changes):
    (tmp_path / "g.csv").write_text("name,g,h\n" + "".join(f"n{i},{own},{i % 3}\n" for i, own in enumerate(cells)))
    return read([str(tmp_path / "g.csv")], ReadOptions(default_type="count", alleles=known or {}, **changes))


@pytest.mark.parametrize("case", READ)
def test_alleles_are_counted(tmp_path, case):
    cells, copies, alleles = READ[case]
    found = data(tmp_path, cells.split())
    assert found.schema.names == ("g", "h") and found.alleles.get("g") == alleles
    assert found.source[0].x[0].tolist() == pytest.approx(copies, nan_ok=True)
    assert any(notice.code == "phase_unused" for notice in found.notices) == (case == "a bar")


def test_blanks_part_alleles_and_those_of_a_model_hold(tmp_path):
    found = data(tmp_path, ["G A", "G G", "0 0", "G G"], {"g": ("G", "A")})
    assert found.source[0].x[0].tolist() == pytest.approx([1, 0, NAN, 0], nan_ok=True)
    assert data(tmp_path, ["0", "1", "2", "1"], {"g": ("0", "1")}).alleles == {}


REFUSED = {
    "a third allele": (
        "A/G A/A A/T A/G",
        None,
        "row 3, column 'g': 'A/T' is no genotype: other cells hold 'A' and 'G'",
    ),
    "a third for a model": ("A/G G/G A/A", {"g": ("A", "C")}, "row 1, column 'g': 'A/G' is no genotype: the model has"),
    "copies of what": ("0 1 2", {"g": ("A", "C")}, "row 1, column 'g': 0 is no genotype: the model has 'A' and 'C'"),
    "copies beside alleles": ("A/G 1 G/G", None, "row 2, column 'g': '1' is no genotype: other cells of the column"),
    "half": ("A/G A/. G/G", None, "'A/.' is no genotype: one of its alleles is not known: leave the cell blank"),
    "no pair": ("A/G A/G/G G/G", None, "row 2, column 'g': 'A/G/G' is no genotype. It must be how many copies"),
    "a word": ("case control case", None, "left out by --exclude g, or carried along by --id g."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_cells_that_are_no_genotypes_are_refused(tmp_path, case):
    cells, known, message = REFUSED[case]
    with pytest.raises(DataError) as error:
        data(tmp_path, cells.split(), known)
    assert message in str(error.value)
