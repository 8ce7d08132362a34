"""Cells that a database needs as plain numbers, and that the data of a model had in another dress."""

from __future__ import annotations

from collections.abc import Iterator

from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.topics_file import LoadedTopics
from em_cli.runs.remembered import remembered

UNDRESSED = "numbers_undressed"  # the code of what is said of cells that were read as numbers


def plain_numbers(loaded: LoadedModel | LoadedTopics) -> str | None:
    """What the cells to be scored have to be, where those of the data were no plain numbers."""
    told = _told(loaded)
    return f"the cells to be scored must be plain numbers ({'; '.join(told)})" if told else None


def rows_of_file(loaded: LoadedModel | LoadedTopics) -> str:
    """The rows of a file for DuckDB, with plain numbers where the data of the model had none and it is known how they
    become such: by taking away a unit and the marks of thousands, and by a point for the decimal comma."""
    if isinstance(loaded, LoadedTopics):
        return "FROM 'NEW.csv'"
    reading = remembered(loaded)
    decimal, thousands = reading.get("decimal", "."), reading.get("thousands")
    told, units = [part for text in _told(loaded) for part in text.split("; ")], dict[str, str]()
    for name, unit in reading.get("units", {}).items():
        units |= {name: unit} if any(said in told for said in _ways(name, unit, thousands)) else {}
    if len(units) < len(told) or not (told or thousands or decimal != "."):
        return "FROM 'NEW.csv'"
    numbers = [
        c.name for c in loaded.schema.columns if not c.levels and (thousands or decimal != "." or c.name in units)
    ]
    cells = ", ".join(
        f"{_number(name, units.get(name), decimal, thousands)} AS {_identifier(name)}" for name in numbers
    )
    missing = ", ".join(map(_literal, dict.fromkeys(["", "NA", *reading.get("na", [])])))
    return f"SELECT * REPLACE ({cells}) FROM read_csv('NEW.csv', all_varchar = true, nullstr = [{missing}])"


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
