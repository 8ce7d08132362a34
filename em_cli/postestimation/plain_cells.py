"""Cells that a database needs as plain numbers, and that the data of a model had in another dress."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from em_cli.exports.spelled_levels import TRUTHS
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.topics_file import LoadedTopics
from em_cli.runs.remembered import remembered

LIKE_A_NUMBER, WHOLE = re.compile(r"[-+.]?[0-9]"), re.compile(r"0|[1-9][0-9]*")
FILE = "'NEW.csv'"
UNDRESSED = "numbers_undressed"  # the code of what is said of cells that were read as numbers


def plain_numbers(loaded: LoadedModel | LoadedTopics) -> str | None:
    """What the cells to be scored have to be, where those of the data were no plain numbers."""
    told = _told(loaded)
    return f"the cells to be scored must be plain numbers ({'; '.join(told)})" if told else None


def rows_of_file(loaded: LoadedModel | LoadedTopics) -> str:
    """The rows of a file for DuckDB, with plain numbers where the data of the model had none and it is known how they
    become such: by taking away a unit and the marks of thousands, and by a point for the decimal comma."""
    if isinstance(loaded, LoadedTopics):
        return f"FROM {FILE}"
    reading = remembered(loaded)
    marks = _marks(loaded, reading.get("na", []))
    plain = _plain([column.name for column in loaded.schema.columns if any(map(_is_guessed, column.levels))], marks)
    decimal, thousands = reading.get("decimal", "."), reading.get("thousands")
    told, units = [part for text in _told(loaded) for part in text.split("; ")], dict[str, str]()
    for name, unit in reading.get("units", {}).items():
        units |= {name: unit} if any(said in told for said in _ways(name, unit, thousands)) else {}
    if len(units) < len(told) or not (told or thousands or decimal != "."):
        return plain
    numbers = [
        c.name for c in loaded.schema.columns if not c.levels and (thousands or decimal != "." or c.name in units)
    ]
    cells = ", ".join(
        f"{_number(name, units.get(name), decimal, thousands)} AS {_identifier(name)}" for name in numbers
    )
    return f"SELECT * REPLACE ({cells}) FROM read_csv({FILE}, all_varchar = true, nullstr = {_list(marks)})"


def _marks(loaded: LoadedModel, na: Sequence[object]) -> list[str]:
    """How missing cells were written: as in the data of the model, and blank."""
    spelled = loaded.document.get("missing_spelled") or {}
    return list(dict.fromkeys(["", *(word for words in spelled.values() for word in words), *map(str, na)]))


def _is_guessed(level: str) -> bool:
    """Whether a reader that guesses types might make something else of it, that is written otherwise."""
    return level.lower() in TRUTHS or bool(LIKE_A_NUMBER.match(level) and not WHOLE.fullmatch(level))


def _plain(names: Sequence[str], marks: Sequence[str]) -> str:
    """The rows of a file, with these columns as they are written, but for these marks of missing cells."""
    types = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in names)
    told = [f"types = {{{types}}}"] * bool(names) + [f"nullstr = {_list(marks)}"] * (len(marks) > 1)
    return f"FROM read_csv({', '.join([FILE, *told])})" if told else f"FROM {FILE}"


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_literal, texts))}]"


def _told(loaded: LoadedModel | LoadedTopics) -> list[str]:
    warned = loaded.document.get("warnings", [])
    return [str(one["message"]).partition(": ")[2] for one in warned if one.get("code") == UNDRESSED]


def _ways(name: str, unit: str, thousands: str | None) -> Iterator[str]:
    """What is said of a column of which no more was taken away than a unit, and marks of thousands."""
    yield f"{name}: '{unit}' removed"
    yield f"{name}: '{unit}', thousands '{thousands}' removed"


def _number(name: str, unit: str | None, decimal: str, thousands: str | None) -> str:
    cell = _identifier(name)
    for mark, other in ((unit, ""), (thousands, ""), (decimal if decimal != "." else None, ".")):
        cell = cell if mark is None else f"replace({cell}, {_literal(mark)}, {_literal(other)})"
    return f"CAST(trim({cell}) AS DOUBLE)"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
