"""Decimal commas are read where nothing else can be meant, by new rows too; elsewhere the option is asked for."""

from pathlib import Path

import numpy as np
import pytest

from em_cli.errors import DataError
from em_cli.sources.decimals import Marks
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read
from em_cli.sources.schema import Column
from em_cli.sources.stream import stream

N = np.random.default_rng(1).uniform(1000, 9000, 12).round(2)


def stored(tmp_path: Path, cells: list[str], other: list[str], delimiter: str = ";") -> list[str]:
    path = tmp_path / "data.csv"
    lines = [f"a{delimiter}b", *(f"{a}{delimiter}{b}" for a, b in zip(cells, other, strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return [str(path)]


WHOLE = [str(i * i) for i in range(12)]
READ = {
    "decimals": ([f"{x:.2f}".replace(".", ",") for x in N], Marks(",", None)),
    "some missing": (["NA", *(f"{x:.2f}".replace(".", ",") for x in N[1:])], Marks(",", None)),
    "beside euros": ([f"{x:.2f} €".replace(".", ",") for x in N], Marks(",", None)),
    "thousands": ([f"{x:,.2f}".translate(str.maketrans(",.", ".,")) for x in N], Marks(",", ".")),
}


@pytest.mark.parametrize(("cells", "marks"), READ.values(), ids=READ)
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_they_are_read(tmp_path: Path, cells: list[str], marks: Marks, delimiter: str) -> None:
    path = stored(tmp_path, cells, WHOLE, delimiter)
    data = read(path, ReadOptions())
    expected = np.where(np.array(cells) == "NA", np.nan, N)
    np.testing.assert_array_equal(data.source.x[0], expected)
    assert data.marks == marks and "decimal_comma" in {notice.code for notice in data.notices}
    (chunk,) = stream(path, [Column("a", "numeric"), Column("b", "numeric")], ReadOptions())
    np.testing.assert_array_equal(chunk.x[0], expected)


COMMAS = READ["decimals"][0]
REFUSED = {
    "a point in another column": (COMMAS, [*WHOLE[1:], "3.5"], "column 'a' is not numeric"),
    "groups that may be decimals": (COMMAS, [*WHOLE[1:], "3.500"], "column 'a' is not numeric"),
    "a point in the same column": ([*COMMAS[1:], "3.5"], WHOLE, "commas and points"),
    "three decimals in all": ([f"{i},250" for i in range(12)], WHOLE, "--decimal ',' or --thousands ','"),
}


@pytest.mark.parametrize(("cells", "other", "said"), REFUSED.values(), ids=REFUSED)
def test_the_option_is_asked_for_where_they_may_be_something_else(
    tmp_path: Path, cells: list[str], other: list[str], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        read(stored(tmp_path, cells, other), ReadOptions())


def test_answers_with_commas_are_no_numbers(tmp_path: Path) -> None:
    """Several choices in one cell."""
    path = stored(tmp_path, [f"{i % 3},{i % 3 + 1}" for i in range(12)], [str(i / 4) for i in range(12)], "|")
    with pytest.raises(DataError, match="--decimal ','"):
        read(path, ReadOptions())
