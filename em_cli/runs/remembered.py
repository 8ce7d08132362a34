"""How the data of a model were read, which new rows are read by too unless something else is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from em_cli.config.resolve import resolve
from em_cli.config.run_config import DataConfig
from em_cli.errors import DataError, UsageError
from em_cli.options import ReadingOptions, by_column
from em_cli.outputs.model_file import LoadedModel
from em_cli.printable import safe, say
from em_cli.sources.decimals import Marks
from em_cli.sources.quoting import argument, quoted

LISTED = ("columns", "exclude")  # with commas between
KEYS = (
    "files",
    "delimiter",
    "decimal",
    "thousands",
    "encoding",
    "comment",
    "header",
    "skip",
    "na",
    "na_level",
    "units",
)


def reading_of(
    data: DataConfig,
    id_name: str | None,
    marks: Marks | None,
    units: Mapping[str, str] | None = None,
    layout: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """What was said of how to read the data, or found, and which column was the id, as a model remembers it."""
    fresh = DataConfig()
    said = differing(data, fresh, KEYS)
    said |= {"header": False} if (layout or {}).get("header") is False else {}
    said |= {"decimal": marks.decimal} if marks and marks.decimal != fresh.decimal else {}
    said |= {"thousands": marks.thousands} if marks and marks.thousands else {}
    said |= {"units": {**data.units, **units}} if units else {}
    return said | ({"id": id_name} if id_name is not None else {})


def remembered(loaded: LoadedModel) -> Mapping[str, Any]:
    """The same of a model that was read; `DataError` if it says what cannot be."""
    said: dict[str, Any] = dict(loaded.document.get("reading") or {})
    if strange := [key for key in said if key not in (*KEYS, "id")]:
        raise DataError(f"the model remembers of its data {quoted(strange[0])}, which is no way of reading.")
    try:
        resolve(None, [], {"data": said})
    except UsageError as error:
        raise DataError(f"how the model remembers that its data were read cannot be: {error}") from None
    return said


def as_fitted(loaded: LoadedModel, reading: ReadingOptions) -> ReadingOptions:
    """The options of reading, where they say nothing those of the fit; the id is another matter."""
    known = {key: value for key, value in remembered(loaded).items() if key != "id"}
    own = {key: value for key, value in known.items() if getattr(reading, key) in (None, [])}
    if "units" in known and reading.units:
        own["units"] = {**known["units"], **by_column("unit", "duration=s", reading.units)}
    return replace(reading, **own)


def differing(own: object, other: object, names: Iterable[str]) -> dict[str, Any]:
    """What is said there, of these options, and not there."""
    return {name: getattr(own, name) for name in names if getattr(own, name) != getattr(other, name)}


def in_options(said: Mapping[str, Any]) -> list[str]:
    """What is said of how to read, option by option as one writes it in a shell."""
    words = list[str]()
    for key, value in said.items():
        if key == "header":
            words.append("--header" if value else "--no-header")
        elif isinstance(value, Mapping):
            words += [f"--{key.removesuffix('s')} {argument(f'{name}={one}')}" for name, one in value.items()]
        elif key in LISTED:
            words.append(f"--{key} {argument(*value)}")
        else:
            option = key.replace("_", "-")
            words += [f"--{option} {argument(str(one))}" for one in (value if isinstance(value, list) else [value])]
    return words


def tell_remembered(loaded: LoadedModel, reading: ReadingOptions) -> None:
    """Say on standard error how new rows are read, where nobody said so this time."""
    own = as_fitted(loaded, reading)
    said = in_options(differing(own, reading, KEYS))
    if said:
        say(f"read as the data of the model were: {safe(' '.join(said))}")
