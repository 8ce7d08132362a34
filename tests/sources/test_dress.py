"""Numbers in dress, and the word None."""

import re
from pathlib import Path

import numpy as np
import pytest

from em_cli.errors import DataError, UsageError
from em_cli.sources.decimals import Marks
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read
from em_cli.sources.schema import Column
from em_cli.sources.stream import stream

COUNTED = [f"{i} kg" for i in range(10)]
READ = {
    "dollars": (["$1,139.11", "$20.86", "$7", "$3,000"], [1139.11, 20.86, 7, 3000], "'$', thousands ',' removed"),
    "dollars, some negative": (["$5.50", "-$2", "($3.25)", "$1"], [5.5, -2, -3.25, 1], "(…) read as negative"),
    "euros behind": (["12 €", "3.5 €", "7.25€", "9 €"], [12, 3.5, 7.25, 9], "'€' removed"),
    "a code": (["USD 12", "USD 3.5", "USD 7", "USD 9"], [12, 3.5, 7, 9], "'USD' removed"),
    "percent": (["30.2%", "5 %", "7%", "0"], [30.2, 5, 7, 0], "'%' removed"),
    "brackets": (["(3.00)", "2.00", "4.5", "(1.25)"], [-3, 2, 4.5, -1.25], "(…) read as negative"),
    "a unit": (COUNTED, list(range(10)), "'kg' removed"),
    "missing": (["$5", "n/a", "$3.5", "None", "", "$4"], [5, np.nan, 3.5, np.nan, np.nan, 4], "'$' removed"),
    "thousands and decimals": (
        ["1,139.11", "20.86", "7.5", "3,000.25"],
        [1139.11, 20.86, 7.5, 3000.25],
        "thousands ',' removed",
    ),
    "a currency and a unit": ([f"${i}.5K" for i in range(9)], [i + 0.5 for i in range(9)], "'$…K' removed"),
    "bare millions": (["1,234,567", "1,000", "5", "6"], [1234567, 1000, 5, 6], "thousands ',' removed"),
    "footnotes": (["8.19*", *(f"{i}.5" for i in range(9)), "7.25**"], [8.19, *np.arange(9) + 0.5, 7.25], "'*' removed"),
    "a sign behind": (
        [f"{i}.5{'-' * (i % 2)}" for i in range(9)],
        [(-1) ** i * (i + 0.5) for i in range(9)],
        "…- read",
    ),
    "formulas": ([f'=""{i}.5""' for i in range(9)], list(np.arange(9) + 0.5), "'=\"…\"' removed"),
    "apostrophes": ([f"'{i}.5" for i in range(9)], list(np.arange(9) + 0.5), "''…' removed"),
    "minutes": ([f"{20 + i}m {5 * i}s" for i in range(9)], [60 * (20 + i) + 5 * i for i in range(9)], "in seconds"),
    "ISO durations": ([f"PT{i}H{i + 3}M" for i in range(1, 10)], [61 * i + 3 for i in range(1, 10)], "in minutes"),
    "long clocks": ([f"{20 + i}:{i:02d}:30" for i in range(9)], [3660 * i + 72030 for i in range(9)], "in seconds"),
    "laps": ([f"{i}:05.5" for i in range(9)], [60 * i + 5.5 for i in range(9)], "in seconds"),
    "of pandas": ([f"{i} days 00:00:01" for i in range(9)], [86400 * i + 1 for i in range(9)], "in seconds"),
    "heights": ([f'5\'{i}""' for i in range(9)], [60 + i for i in range(9)], "in inches"),
    "ounces": ([f"{i + 1} lb {i} oz" for i in range(9)], [17 * i + 16 for i in range(9)], "in ounces"),
    "hemispheres": (
        [f"{i}.5{'NS'[i % 2]}" for i in range(9)],
        [(-1) ** i * (i + 0.5) for i in range(9)],
        "degrees north",
    ),
    "errors": ([f"{i}.5±0.4" for i in range(9)], list(np.arange(9) + 0.5), "'± …' removed"),
    "square brackets": ([f"{i}.5" for i in range(8)] + ["[98]"], [*np.arange(8) + 0.5, 98], "'[…]' removed"),
    "fractions": (
        [*(f"{i} 3/8" for i in range(1, 8)), "1/2", "2½"],
        [*np.arange(1, 8) + 0.375, 0.5, 2.5],
        "7 3/8 and the",
    ),
    "words": ([f"ca. {i}.5 sq ft" for i in range(9)], list(np.arange(9) + 0.5), "'ca.…sq ft' removed"),
    "no hundredths": ([f"{i},-" for i in range(9)], list(range(9)), "',-' removed"),
    "francs": (["Fr. 1.5", "Fr. -2.25", "Fr. 3"], [1.5, -2.25, 3], "'Fr.' removed"),
    "a price each": ([f"€{i}.5/kg" for i in range(9)], list(np.arange(9) + 0.5), "'€…/kg' removed"),
    "a euro misread": ([f"{i}.5 \x80" for i in range(9)], list(np.arange(9) + 0.5), r"'\x80' removed"),
    "millions": (["$1,234,567", "$1,000", "$5", "$6"], [1234567, 1000, 5, 6], "thousands ',' removed"),
}


def stored(tmp_path: Path, cells: list[str]) -> list[str]:
    path = tmp_path / "data.csv"
    path.write_text("b,price\n" + "".join(f'{i * i + 0.5},"{cell}"\n' for i, cell in enumerate(cells)))
    return [str(path)]


@pytest.mark.parametrize(("cells", "values", "said"), READ.values(), ids=READ)
def test_numbers_in_dress_are_read(tmp_path: Path, cells: list[str], values: list[float], said: str) -> None:
    path = stored(tmp_path, cells)
    for options in (ReadOptions(), ReadOptions(types={"price": "numeric"})):
        data = read(path, options)
        assert data.schema.columns[1].name == "price"
        np.testing.assert_array_equal(data.source.x[1], values)
        (notice,) = (notice for notice in data.notices if notice.code == "numbers_undressed")
        assert said in notice.message
    (chunk,) = stream(path, [Column("price", "numeric")], ReadOptions())
    np.testing.assert_array_equal(chunk.x[0], values)


REFUSED = {
    "another word": (["$5", "-", "$3.5", "$4"], "--na -"),
    "units and a word": ([*(f"{i}.5 kg" for i in range(9)), "unknown"], "--na unknown"),
    "words and a word": ([*(f"ca. {i}.5" for i in range(10)), "k.A."], "--na k.A."),
    "two scales": ([f"{i}.5{'k' if i % 2 else 'M'}" for i in range(20)], "beside each other"),
    "two units": (
        [f"{i}.5 {'kg' if i % 2 else 'lb'}" for i in range(20)],
        "beside each other: they cannot be compared. Use --unit price=kg",
    ),
    "a unit and none": ([f"{i}.5{' kg' * (i > 3)}" for i in range(20)], "Use --unit price=kg"),
    "thousands and a dash": (["1,139.11", "20.86", "-", "3,000.25"], "--na -"),
    "two currencies": (["$5", "€2", "$3.5", "$4"], "beside each other"),
    "percent and shares": (["5%", "0.2", "3.5%", "4%"], "beside each other"),
    "thousands or decimals": (["$1,234", "$2,345", "$3", "$4"], "--thousands ,"),
    "thousands beside a dash": (["1,234", "2,345", "-", "3,456", "n/a"], "--thousands ',' --na -"),
}


@pytest.mark.parametrize(("cells", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_in_doubt_is_refused_with_the_option(tmp_path: Path, cells: list[str], words: str) -> None:
    with pytest.raises(DataError) as error:
        read(stored(tmp_path, cells), ReadOptions())
    assert words in str(error.value)


def test_the_option_settles_it(tmp_path: Path) -> None:
    data = read(stored(tmp_path, REFUSED["another word"][0]), ReadOptions(na=("-",)))
    np.testing.assert_array_equal(data.source.x[1], [5, np.nan, 3.5, 4])
    data = read(stored(tmp_path, REFUSED["thousands or decimals"][0]), ReadOptions(thousands=","))
    np.testing.assert_array_equal(data.source.x[1], [1234, 2345, 3, 4])


LEVELS = {
    "drives": ["4wd", "2wd"] * 10,
    "grades": ["A1", "B2"] * 10,
    "ranks": [*(f"{i}th" for i in range(4, 14)), "1st", "2nd", "3rd"] * 3,
    "houses": [f"{i}{'abc'[i % 3]}" for i in range(12)] * 3,
    "brackets": ["$1-5", "$6-10", "over $10", "$1-5"] * 5,
    "none": ["None", "Some", "Freq", "Some"] * 5,
    "question marks": ["?", "yes", "no", "yes"] * 5,
    "halves": ["1/2", "1/4", "3/4"] * 8,
    "codes": ["01234", "90210", "02139", "10001"] * 6,
}


@pytest.mark.parametrize("cells", LEVELS.values(), ids=LEVELS)
def test_levels_stay_levels(tmp_path: Path, cells: list[str]) -> None:
    data = read(stored(tmp_path, cells), ReadOptions())
    assert data.schema.columns[1] == Column("price", "categorical", tuple(sorted(set(cells))))
    assert data.n_missing == {}


LEFT_OUT = {
    "times of the day": ([f"{i}:{i:02d}:07" for i in range(20)], "time_column", "--unit NAME=s"),
    "two numbers": ([f"{120 + i}/{80 + i % 7}" for i in range(20)], "several_numbers", "'120/80'"),
    "codes of many values": ([f"{37 * i * i % 9973:05d}" for i in range(60)], "code_column", "price (60 different)"),
    "quarters": ([f"{1970 + i} Q{1 + i % 4}" for i in range(20)], "date_column", "dates"),
    "numbered": ([f"INV-{i * i}" for i in range(60)], "row_names", "nearly every cell"),
    "versions": ([f"v{i}.{i % 7}" for i in range(60)], "row_names", "nearly every cell"),
    "addresses": ([f"{3 * i} {'abc'[i % 3]} Street" for i in range(60)], "row_names", "nearly every cell"),
    "names": ([f"shop {i % 101}" for i in range(404)], "too_many_levels", "price (101)"),
}


@pytest.mark.parametrize(("cells", "code", "words"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_no_measurement_is_left_out_by_name(tmp_path: Path, cells: list[str], code: str, words: str) -> None:
    path = stored(tmp_path, cells)
    data = read(path, ReadOptions())
    assert data.schema.names == ("b",)
    (notice,) = data.notices
    assert notice.code == code and words in notice.message
    assert len(read(path, ReadOptions(types={"price": "categorical"})).schema.columns[1].levels) == len(set(cells))


def test_the_unit_that_is_said_is_the_one_of_the_numbers(tmp_path: Path) -> None:
    """As that of a model is, whatever the cells of new rows are written in."""
    price = [Column("price", "numeric")]
    for cells, unit, value in (
        (["1:02:03"], "min", 62.05),
        (["1:30"], "s", 90),
        (["1:30"], "min", 90),
        (["1:30"], "h", 1.5),
        (["500 g"], "kg", 0.5),
        (["2"], "kg", 2),
        (["PT1M"], "s", 60),
        (["7.5S"], "N", -7.5),
        (["3 hp"], "hp", 3),
        (["1.5M"], "k", 1500),
        (["$5"], "$", 5),
        (["5"], "$", 5),
        (["3 mg/l"], "mg/l", 3),
    ):
        (chunk,) = stream(stored(tmp_path, cells), price, ReadOptions(in_units={"price": unit}))
        np.testing.assert_allclose(chunk.x[0], [value], rtol=1e-15)
    for cells, unit, odd in ((["5 m"], "kg", "5 m"), (["$5", "€4"], "$", "€4"), (["5%", "Fr. 4"], "Fr.", "5%")):
        with pytest.raises(DataError, match=f"'{odd}' cannot be given in '{re.escape(unit)}'"):
            list(stream(stored(tmp_path, cells), price, ReadOptions(in_units={"price": unit})))
    with pytest.raises(DataError, match="'%', nothing beside each other"):  # 5 % is not 5, nor is it 0.05
        list(stream(stored(tmp_path, ["5%", "0.2"]), price, ReadOptions(in_units={"price": "%"})))
    assert read(stored(tmp_path, COUNTED), ReadOptions()).units == {"price": "kg"}
    mixed = [f"{i}.5 {'kg' if i % 2 else 'lb'}" for i in range(20)]
    read_in_kg = read(stored(tmp_path, mixed), ReadOptions(in_units={"price": "kg"}))
    np.testing.assert_allclose(read_in_kg.source.x[1][:2], [0.5 * 0.45359237, 1.5])


def test_a_word_for_missing_cells_may_be_a_level(tmp_path: Path) -> None:
    """Where the user says so; and it is said which option does, where it is in many cells."""
    path = tmp_path / "data.csv"
    path.write_text(
        "b,t\n" + "".join(f"{'NA' if i == 3 else i * i + 0.5},{('NA', 'x', 'y')[i % 3]}\n" for i in range(21))
    )
    data = read([str(path)], ReadOptions())
    assert data.n_missing == {"b": 1, "t": 7}
    (notice,) = (notice for notice in data.notices if notice.code == "missing_level")
    assert "NA taken for missing in t (7); --na-level NA makes it a level" in notice.message
    data = read([str(path)], ReadOptions(na_level=("NA",)))
    assert data.schema.columns[1].levels == ("NA", "x", "y") and data.spelled == {"b": {"NA": 1}}
    with pytest.raises(UsageError, match="both name 'NA'"):
        ReadOptions(na=("NA",), na_level=("NA",))


def test_codes_keep_their_leading_zeros(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("no,zip,b\n" + "".join(f"{i + 1:03d},{(1234, 90210)[i % 2]:05d},{i * i}\n" for i in range(24)))
    data = read([str(path)], ReadOptions())
    assert data.ids is not None and data.ids.between(0, 2) == ["001", "002"]
    assert [column.levels for column in data.schema.columns] == [("01234", "90210"), ()]
    (notice,) = (notice for notice in data.notices if notice.code == "looks_like_code")
    assert "taken as levels: zip; --type zip=numeric takes it as a number" in notice.message
    assert read([str(path)], ReadOptions(types={"zip": "numeric"})).source.x[0][0] == 1234
    path.write_text("zip\n" + "".join(f"{37 * i * i % 9973:05d}\n" for i in range(60)))
    with pytest.raises(DataError, match="use --type zip=numeric"):
        read([str(path)], ReadOptions())


def test_none_is_missing_among_numbers_and_where_it_is_said(tmp_path: Path) -> None:
    path = stored(tmp_path, ["1.5", "None", "2.5", "4"])
    for options in (ReadOptions(), ReadOptions(types={"price": "numeric"})):
        np.testing.assert_array_equal(read(path, options).source.x[1], [1.5, np.nan, 2.5, 4])
    data = read(stored(tmp_path, LEVELS["none"]), ReadOptions(na=("None",)))
    assert data.n_missing == {"price": 5}


def test_spellings_of_missing_cells_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    cells = ["1.5", "NA", "None", "", "2.5", "n/a", "NA", "-", "4.5"]
    path.write_text(
        "b,x,t\n" + "".join(f"{i * i + 0.5},{cell},{'NA' if i == 3 else 'ab'[i % 2]}\n" for i, cell in enumerate(cells))
    )
    data = read([str(path)], ReadOptions(na=("-",)))
    assert data.spelled == {"x": {"NA": 2, "None": 1, "": 1, "n/a": 1, "-": 1}, "t": {"NA": 1}}
    assert data.n_missing == {"x": 6, "t": 1}


def test_one_row_is_read_as_the_model_was(tmp_path: Path) -> None:
    """However few rows there are, a unit is a unit, and a mark of thousands that was found is remembered."""
    for cell, value in (("70 kg", 70), ("$5", 5), ("(3.5)", -3.5), ("1,234.5", 1234.5)):
        (chunk,) = stream(stored(tmp_path, [cell]), [Column("price", "numeric")], ReadOptions())
        np.testing.assert_array_equal(chunk.x[0], [value])
    assert read(stored(tmp_path, ["$1,139.11", "$20.86", "$7"]), ReadOptions()).marks == Marks(".", ",")
    (chunk,) = stream(stored(tmp_path, ["$1,139"]), [Column("price", "numeric")], ReadOptions(thousands=","))
    np.testing.assert_array_equal(chunk.x[0], [1139])
