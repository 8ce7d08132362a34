"""Numbers in units: durations such as 1h 05m, 37m 43s or PT5M, feet and inches, pounds and ounces; and fractions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from em_cli.errors import DataError
from em_cli.printable import safe
from em_cli.sources.number_formats import number
from em_cli.sources.quoting import argument, quoted, short
from em_cli.sources.read_options import ReadOptions

ENOUGH = 8  # distinct cells; fewer may be levels
DAY = 24  # hours; what is longer is no time of day
FINEST = 64  # parts that a fraction counts
_UNIT_NAMES: dict[str, dict[str, tuple[float, str]]] = {  # what is alike: how much of the first, and the names
    "time": {
        "s": (1, "s sec secs second seconds"),
        "min": (60, "min mins minute minutes m"),
        "h": (3600, "h hr hrs hour hours"),
        "d": (86_400, "d day days"),
        "weeks": (604_800, "w wk wks week weeks"),
        "ms": (1e-3, "ms msec"),
    },
    "length": {
        "m": (1, "m"),
        "mm": (1e-3, "mm"),
        "cm": (1e-2, "cm"),
        "km": (1e3, "km"),
        "in": (0.0254, "in inch inches \" ″ ''"),
        "ft": (0.3048, "ft foot feet ' ′"),
        "yd": (0.9144, "yd yds yard yards"),
        "mi": (1609.344, "mi mile miles"),
    },
    "mass": {
        "g": (1, "g"),
        "mg": (1e-3, "mg"),
        "kg": (1e3, "kg"),
        "oz": (28.349523125, "oz"),
        "lb": (453.59237, "lb lbs pound pounds"),
        "st": (6350.29318, "st"),
    },
    "latitude": {"N": (1, "N"), "S": (-1, "S")},
    "longitude": {"E": (1, "E"), "W": (-1, "W")},
    "ones": {"k": (1e3, "k K"), "M": (1e6, "M mio"), "B": (1e9, "B bn"), "T": (1e12, "T tn")},
}
_IN_FULL = {
    "s": "seconds",
    "min": "minutes",
    "h": "hours",
    "d": "days",
    "in": "inches",
    "ft": "feet",
    "oz": "ounces",
    "N": "degrees north",
    "E": "degrees east",
}
KINDS = {
    kind: {name: (factor, unit) for unit, (factor, names) in units.items() for name in names.split()}
    for kind, units in _UNIT_NAMES.items()
}
UNITS = frozenset(name for units in KINDS.values() for name in units)
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*°?([^\W\d_]+|''|[\"'′″])[\s,]*(?:and\s+)?")
_ISO = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d*)?)S)?)?")
_ISO_UNITS = ("weeks", "d", "h", "min", "s")
_CLOCK = re.compile(r"(?:(\d+) days?,? )?(?:(\d+):)?(\d+):([0-5]?\d(?:\.\d*)?)")
_SIMPLE = {
    name: top / bottom
    for name, top, bottom in zip("½¼¾⅓⅔⅛⅜⅝⅞", (1, 1, 3, 1, 2, 1, 3, 5, 7), (2, 4, 4, 3, 3, 8, 8, 8, 8), strict=True)
}
_FRACTION = re.compile(
    rf"(?:(?P<whole>\d+)(?:[ -](?=\d)|\s*(?=\D)))?(?:(?P<top>\d+)[/⁄](?P<bottom>\d+)|(?P<sign>[{''.join(_SIMPLE)}]))"
)

Parts = tuple[tuple[float, str], ...]  # numbers, and the names of their units


@dataclass(frozen=True, slots=True)
class Measured:
    """A column of such cells as numbers."""

    values: Mapping[str, float]
    said: str  # in words
    unit: str = ""  # in which they are


def measured(
    name: str, words: Collection[str], texts: Collection[str], options: ReadOptions, wanted: bool
) -> Measured | None:
    """The words among the texts of a column as numbers, if it is plain which; where the unit is said, in that one."""
    unit = options.in_units.get(name)
    if unit is not None:
        return Measured({text: in_unit(name, text, unit, options) for text in words}, "", unit)
    if len(texts) < ENOUGH and not wanted:
        return None
    return _fractions(words, texts) or _in_parts(words, texts)


def in_unit(name: str, text: str, unit: str, options: ReadOptions) -> float:
    """The cell in this unit; `DataError` if it says another that cannot be converted."""
    sign, bare = _sign(text)
    parts = _duration(bare, unit) or _parts(bare) or _alone(bare, options)
    for units in KINDS.values():
        if parts and unit in units and all(own in units for _, own in parts):
            return sign * sum(value * _ratio(units[own][0], units[unit][0]) for value, own in parts)
    if parts and all(own == unit for _, own in parts):
        return sign * sum(value for value, _ in parts)
    raise DataError(
        f"column {quoted(name)}: {quoted(text)} cannot be given in {quoted(unit)}, as the others are. "
        f"Correct the cell, or say with --unit {argument(f'{name}=UNIT')} what is meant."
    )


def convertible(units: Iterable[str]) -> bool:
    """Whether these can be brought to one unit."""
    return any(set(units) <= known.keys() for known in KINDS.values())


def clock_times(texts: Collection[str]) -> bool:
    """Whether all of these may be times of the day, or as well durations."""
    return all(_CLOCK.fullmatch(text.strip()) for text in texts)


def _in_parts(words: Collection[str], texts: Collection[str]) -> Measured | None:
    """Cells some of which have several parts, or which are written as durations are."""
    found = dict[str, tuple[int, Parts]]()
    for text in words:
        sign, bare = _sign(text)
        found[text] = sign, _duration(bare, "s") or _parts(bare)
        if not found[text][1]:
            return None
    if any(text not in found and number(text) != 0 for text in texts) or not _plain(found):
        return None
    names = {own for _, parts in found.values() for _, own in parts}
    known = next((units for units in KINDS.values() if names <= units.keys()), None)
    if known is None:
        return None
    factor, unit = min((known[own] for own in names), key=lambda own: (abs(own[0]), -own[0]))
    values = {
        text: sign * sum(value * _ratio(known[own][0], factor) for value, own in parts)
        for text, (sign, parts) in found.items()
    }
    return Measured(values, f"{_example(found)}, in {_IN_FULL.get(unit, unit)}", unit)


def _plain(found: Mapping[str, tuple[int, Parts]]) -> bool:
    """Whether cells are measures and no names: some have several parts or are durations; of clocks, some no times."""
    if any(":" in text for text in found):
        clocks = {text: match for text in found if (match := _CLOCK.fullmatch(_sign(text)[1]))}
        longer = any(
            match[1] is not None
            or int(match[2] or 0) >= DAY
            or (match[2] is None and "." in match[4])
            or found[text][0] < 0
            for text, match in clocks.items()
        )
        two = [match for match in clocks.values() if match[2] is None]
        told = len(two) < len(clocks) or all("." in match[4] for match in two)
        return len(clocks) == len(found) and longer and told
    names = {own for _, parts in found.values() for _, own in parts}
    both = names in ({"N", "S"}, {"E", "W"}) and any("." in text for text in found)
    return both or any(len(parts) > 1 or text.lstrip("+-").startswith("P") for text, (_, parts) in found.items())


def _ratio(one: float, other: float) -> float:
    """How many of another unit are in one, free of rounding where it is a whole number."""
    ratio = one / other
    return round(ratio) if abs(ratio - round(ratio)) < 1e-9 * abs(ratio) else ratio


def _example(texts: Collection[str]) -> str:
    return f"{safe(short(max(texts, key=lambda text: (len(text), text))))} and the like"


def _sign(text: str) -> tuple[int, str]:
    bare = text.strip().replace("−", "-")
    return (-1, bare[1:].lstrip()) if bare.startswith("-") else (1, bare.removeprefix("+"))


def _parts(text: str) -> Parts:
    """Numbers with a unit behind each, from the largest down; none if it is anything else."""
    if "".join(match.group() for match in _PART.finditer(text)) != text:
        return ()
    found = tuple((float(value), unit) for value, unit in _PART.findall(text))
    for units in KINDS.values():
        if all(unit in units for _, unit in found):
            sizes = [units[unit][0] for _, unit in found]
            return found if sizes == sorted(set(sizes), reverse=True) else ()
    return found if len(found) == 1 else ()


def _alone(text: str, options: ReadOptions) -> Parts:
    """A number with anything behind it that is no digit."""
    match = re.fullmatch(r"([\d.,' ]*\d\.?)\s*(\D+)", text)
    value = None if match is None else number(match[1], options.decimal, options.thousands)
    return () if match is None or value is None else ((value, match[2].strip()),)


def _duration(text: str, unit: str) -> Parts:
    """As ISO 8601 or a clock writes it: two numbers with a colon are minutes and seconds if the unit is no longer than
    these, else hours and minutes."""
    match = _ISO.fullmatch(text)
    if match is not None and any(match.groups()):
        return tuple((float(value), unit) for value, unit in zip(match.groups(), _ISO_UNITS, strict=True) if value)
    match = _CLOCK.fullmatch(text)
    if match is None:
        return ()
    seconds = match[2] is not None or KINDS["time"].get(unit, (np.inf,))[0] <= 1
    names = ("d", "h", "min", "s") if seconds else ("d", "h", "h", "min")
    return tuple((float(value), own) for value, own in zip(match.groups(), names, strict=True) if value)


def _fractions(words: Collection[str], texts: Collection[str]) -> Measured | None:
    """Halves, quarters and the like, some of them beside whole numbers."""
    values, mixed = dict[str, float](), len(words) < len(texts)
    for text in words:
        sign, bare = _sign(text)
        match = _FRACTION.fullmatch(bare)
        if match is None:
            return None
        if match["sign"] is None and not 0 < int(match["top"]) < int(match["bottom"]) <= FINEST:
            return None
        part = _SIMPLE[match["sign"]] if match["sign"] else int(match["top"]) / int(match["bottom"])
        mixed = mixed or match["whole"] is not None or match["sign"] is not None
        values[text] = sign * (int(match["whole"] or 0) + part)
    return Measured(values, _example(words)) if mixed else None
