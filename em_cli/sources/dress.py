"""Numbers in dress: with a currency, a percent sign, a unit, a footnote, or in brackets where they are negative."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from em_cli.engine.transforms import TRANSFORMS
from em_cli.errors import DataError
from em_cli.printable import safe
from em_cli.sources.domains import WANTED, impossible
from em_cli.sources.examined import Examined
from em_cli.sources.measures import UNITS, Measured, convertible, in_unit, measured
from em_cli.sources.number_formats import number
from em_cli.sources.quoting import LONGEST, argument, joined, quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.refusals import without
from em_cli.sources.schema import LEVELLED
from em_cli.sources.store import instead
from em_cli.sources.table import Notice

ENOUGH_WITH_UNIT = 8  # distinct numbers; fewer may be levels, such as 2wd and 4wd
MOST = 0.9  # of the distinct cells, that wear a unit which nobody knows: the others are asked about
SHOWN = 5

_CURRENCY = (
    r"(?:US|CA|AU|NZ|HK|[ACRS])?\$|[€£¥₹₽₩₪₺₴₫₦฿]"
    r"|(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|INR|BRL|MXN|SEK|NOK|DKK|PLN|CZK|HUF|ZAR|KRW|SGD|HKD|TRY|RUB|Kč|zł)\b"
    r"|(?:S?Fr|Rs|Rp|[Kk]r)\b\.?"
)
_DRESSED = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+-]?)\s*(?P<before>{_CURRENCY})?\s*(?P<inner>[+-]?)"
    r"(?P<digits>\d(?:[\d.,' \u00a0\u202f]*\d)?\.?(?:[eE][+-]?\d+)?|\.\d+)\s*(?P<error>(?:±|\+/-|\+-)\s*[\d.,]+\s*)?"
    rf"(?P<after>{_CURRENCY}|%|°?[^\W\d_]{{1,8}}(?:/[^\W\d_]{{1,4}})?)?\s*(?P<behind>-)?\s*(?P<close>\))?\s*(?P<note>[*†‡§]+)?"
)
_WORDED = re.compile(
    r"(?P<sign>[+-]?)(?P<before>(?:[^\d+-]*[^\w+-])?)(?P<inner>[+-]?)(?P<digits>\d(?:[.,' \u00a0\u202f]?\d)*)"
    r"(?P<after>(?![.,;:'/-]\s*\d)\D.*)?"
)  # one number among any words: a measure where the words are the same in all cells
_AS_TEXT = re.compile(
    r"""="(?P<formula>[^"]*)"|'(?P<apostrophe>[^']+)|\[(?P<bracketed>[^],;]*)\]"""
)  # how Excel is told to leave cells alone, and tables mark a number
_UNIT = re.compile(
    r"kg|mg|lbs?|oz|km|cm|mm|mi|ft|in|yd|ml|gal|hrs?|hours?|mins?|minutes?|sec|ms|days?|weeks?|months?|mo|yrs?|years?|"
    r"°[CF]|hp|k[Ww]h?|[kMG]?Hz|[GMKT]B|k?Pa|psi|mph|kph|km/h|mpg|bn|[MKk]|mio",
)  # that may stand beside others: then it is asked what is meant
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?|\d+(\.\d*)?")
_SURELY_THOUSANDS = re.compile(r".*,\d{3}([.,].*)")


@dataclass(frozen=True, slots=True)
class Undressed:
    """What was taken off the numbers of a column."""

    said: str = ""  # in words; "" for nothing
    thousands: str | None = None  # the mark between them, where nobody had said so
    unit: str = ""  # in which they are


@dataclass(frozen=True, slots=True)
class _Dressed:
    digits: str
    negative: bool
    bracketed: bool
    garment: str  # the currency, percent sign or unit; "" for none
    marks: str  # of a footnote, a sign behind, or what keeps Excel from reading it; "" for none


def undress(
    parts: dict[str, list[Examined]], options: ReadOptions, notices: list[Notice]
) -> tuple[str | None, dict[str, str]]:
    """Every column that is not one of levels read as numbers, if it is that but for its dress; and say so.

    The mark that was found between thousands, if there was any, and the units of columns.
    """
    said, marks, units = list[str](), None, dict[str, str]()
    for name, column in parts.items():
        if options.type_of(name) not in LEVELLED:
            parts[name], removed = undressed(name, column, options)
            said += [f"{safe(name)}: {removed.said}"] if removed.said else []
            marks = removed.thousands or marks
            units |= {name: removed.unit} if removed.unit else {}
    if said:
        notices.append(Notice("numbers_undressed", f"read as numbers: {'; '.join(said)}"))
    return marks, units


def undressed(
    name: str, column: Sequence[Examined], options: ReadOptions, wanted: bool = False
) -> tuple[list[Examined], Undressed]:
    """The column as numbers if they are that but for their dress, and what was taken off; else as it was, and nothing.

    Where numbers are `wanted`, for a model of them, few are enough. `DataError` if most cells are such numbers and
    the others, or a second currency or unit, leave it open what is meant.
    """
    parts = list(column)
    texts = {text for part in parts if part.n_text for text in part.texts or ()}
    odd = {text for text in texts if number(text, options.decimal, options.thousands) is None}
    words = odd - options.nothing_among_numbers
    values: dict[str, float] = dict.fromkeys(odd - words, np.nan)
    removed = Undressed()
    if words and (plain := _measured(name, words, texts - values.keys(), options, wanted)) is not None:
        values |= plain.values
        removed = Undressed(plain.said, unit=plain.unit)
    elif words:
        found = {text: dressed for text in words if (dressed := _dressed(text)) is not None}
        garments = sorted({dressed.garment for dressed in found.values()} - {""})
        marks = _thousands(found, options)
        grouped = marks is not None and options.thousands is None
        told = garments == [options.in_units.get(name)]
        if not told and not _is_dress(found, garments, texts - values.keys(), grouped, wanted):
            return parts, removed
        _refuse_doubt(name, words - set(found), garments, texts, options)
        if len(found) < len(words):
            return parts, removed
        for text, dressed in found.items():
            value = number(dressed.digits, options.decimal, marks)
            if value is None:
                raise _digits_in_doubt(name, text, options)
            values[text] = -value if dressed.negative else value
        new = marks if marks != options.thousands else None
        removed = Undressed(_said(found, garments, new), new, garments[0] if garments else "")
    elif not values:
        return parts, removed
    return [_as_numbers(name, part, values, options) for part in parts], removed


def _measured(name: str, words: set[str], texts: set[str], options: ReadOptions, wanted: bool) -> Measured | None:
    """The words as numbers in units; None where what they wear is no unit but for the one that is said."""
    unit = options.in_units.get(name)
    if unit is not None and (unit not in UNITS or len(words) == len(texts)):
        other = sorted(t for t in words if (dressed := _dressed(t)) is None or dressed.garment not in ("", unit))
        if not other:
            return None
        if _sure(unit):
            in_unit(name, other[0], unit, options)  # which says that it cannot be
    return measured(name, words, texts, options, wanted)


def _dressed(text: str) -> _Dressed | None:
    bare, held = _freed(text.strip().replace("−", "-"))
    match = _DRESSED.fullmatch(bare)
    if match is None:
        return _worded(bare)
    if bool(match["open"]) != bool(match["close"]):
        return None
    signs = match["sign"] + match["inner"] + (match["behind"] or "")
    garments = [g for g in (match["before"], match["after"]) if g]
    if len(signs) + bool(match["open"]) > 1 or len(set(garments)) < len(garments):
        return None
    marks = held or ("± …" if match["error"] else (match["note"] or "")[:1] or ("…-" if match["behind"] else ""))
    negative = bool(match["open"]) or signs == "-"
    return _Dressed(match["digits"], negative, bool(match["open"]), "…".join(garments), marks)


def _worded(text: str) -> _Dressed | None:
    """A number among words; behind words such as INV or Room, which may name it, only with decimals or thousands."""
    match = _WORDED.fullmatch(text)
    if match is None or (match["sign"] and match["inner"]):
        return None
    before, after = match["before"].strip(), (match["after"] or "").strip()
    if not (before or after) or (before and match["digits"].isdigit()):
        return None
    negative = "-" in (match["sign"], match["inner"])
    return _Dressed(match["digits"], negative, False, f"{before}…{after}" if before and after else before + after, "")


def _freed(text: str) -> tuple[str, str]:
    """What Excel would show of a cell that it is told to leave alone, or what is in brackets; and the mark of it."""
    match = _AS_TEXT.fullmatch(text)
    if match is None or match.lastgroup is None:
        return text, ""
    return match[match.lastgroup], {"formula": '="…"', "apostrophe": "'…", "bracketed": "[…]"}[match.lastgroup]


def _is_dress(found: dict[str, _Dressed], garments: list[str], texts: set[str], grouped: bool, wanted: bool) -> bool:
    """Whether the texts are mostly numbers that wear something, and no codes or levels."""
    n_bare = sum(number(text) is not None for text in texts)
    if 2 * (len(found) + n_bare) < len(texts) or not found:
        return False
    if any(not _sure(garment) for garment in garments):  # a unit: the same in all, or known ones that are in doubt
        worn = sum(dressed.garment != "" for dressed in found.values())
        alike = len(garments) == 1 and worn >= (1.0 if wanted else MOST) * len(texts)
        return alike if wanted else worn >= ENOUGH_WITH_UNIT and (alike or _units(garments) or convertible(garments))
    bracketed = sum(dressed.bracketed for dressed in found.values())
    marked = sum(dressed.marks != "" for dressed in found.values())
    return (
        bool(garments)
        or grouped
        or 0 < bracketed < len(found) + n_bare + wanted
        or (marked > 0 and (wanted or len(texts) >= ENOUGH_WITH_UNIT))
    )


def _units(garments: list[str]) -> bool:
    """Whether all of these are units that are known."""
    return all(_sure(part) or _UNIT.fullmatch(part) for garment in garments for part in garment.split("…"))


def _sure(garment: str) -> bool:
    return garment == "%" or re.fullmatch(_CURRENCY, garment) is not None


def _refuse_doubt(name: str, others: set[str], garments: list[str], texts: set[str], options: ReadOptions) -> None:
    """Other words than numbers, more than one currency, or a percent sign on some of the cells only."""
    leave = f"{without(name, options)}, or --type {argument(name)}=categorical"
    bare = [text for text in texts if number(text) not in (None, 0.0)]
    if others:
        shown = sorted(others)[:SHOWN]
        typed = len(others) <= SHOWN and all(len(text) <= LONGEST and text.isprintable() for text in others)
        marks = " ".join(f"--na {argument(text)}" for text in shown)
        raise DataError(
            f"column {quoted(name)} holds numbers with {joined([quoted(g) for g in garments]) or 'thousands'}, and "
            f"{joined([quoted(text) for text in shown])}{' and others' * (len(others) > SHOWN)}. "
            + (f"If these mark missing cells, use {marks}; else {leave}." if typed else f"Use {leave}.")
        )
    settled = garments != ["%"] and garments == [options.in_units.get(name)]
    if len(garments) > 1 or (garments and bare and not settled and not re.fullmatch(_CURRENCY, garments[0])):
        mixed = [quoted(garment) for garment in garments] + ["nothing"] * (len(garments) == 1)
        unit = f"--unit {argument(f'{name}={garments[0]}')}"
        why = "if that is the unit of those without" if bare else "to have all in that unit"
        one_unit = not any(map(_sure, garments)) and (len(garments) == 1 or convertible(garments))
        ways = f"{unit} {why}, {leave}" if one_unit else f"{leave}, or bring them to one unit"
        raise DataError(
            f"column {quoted(name)} holds numbers with {joined(mixed)} beside each other: "
            f"they cannot be compared. Use {ways}."
        )


def _thousands(found: dict[str, _Dressed], options: ReadOptions) -> str | None:
    """The mark between thousands: as the user says, or a comma where nothing else is possible."""
    digits = [dressed.digits for dressed in found.values()]
    if options.thousands is None and options.decimal == "." and all(map(_THOUSANDS.fullmatch, digits)):
        return "," if any(map(_SURELY_THOUSANDS.fullmatch, digits)) else None
    return options.thousands


def _digits_in_doubt(name: str, text: str, options: ReadOptions) -> DataError:
    return DataError(
        f"column {quoted(name)}: it cannot be told which number {quoted(text)} is. "
        f"Say so by --thousands , or --decimal , (a German 1.234,50 needs --thousands . --decimal ,); "
        f"else {without(name, options)}."
    )


def _said(found: dict[str, _Dressed], garments: list[str], marks: str | None) -> str:
    marks_beside = sorted({dressed.marks for dressed in found.values()} - {"", "…-"})
    removed = [f"'{safe(garment)}'" for garment in [*garments, *marks_beside]]
    if marks and any(marks in dressed.digits for dressed in found.values()):
        removed.append(f"thousands '{marks}'")
    said = f"{joined(removed)} removed" if removed else ""
    if any(dressed.bracketed for dressed in found.values()):
        said += ", " * bool(said) + "(…) read as negative"
    if any(dressed.marks == "…-" for dressed in found.values()):
        said += ", " * bool(said) + "…- read as negative"
    return said


def _as_numbers(name: str, part: Examined, values: dict[str, float], options: ReadOptions) -> Examined:
    """The part with its texts read as numbers."""
    if part.texts is None or not part.n_text:
        return replace(part, text=None)
    known = [values[t] if t in values else number(t, options.decimal, options.thousands) for t in part.texts]
    table = np.array([*(np.nan if value is None else value for value in known), np.nan])
    numbers = table[np.nan_to_num(part.values, nan=len(known)).astype(np.intp)]
    kind = options.type_of(name)
    if kind in WANTED and impossible(numbers, kind).any():
        raise DataError(f"column {quoted(name)} has type {kind}, but holds a number that is not {WANTED[kind]}.")
    transform = options.transforms.get(name)
    if transform is not None and impossible(numbers, kind, transform).any():
        wanted = TRANSFORMS[transform].requirement
        raise DataError(f"column {quoted(name)} is to be fitted as its {transform}: every cell must be {wanted}.")
    n_missing = int(np.isnan(numbers).sum())
    marks = [cell for cell in (part.missing, part.text if n_missing > part.n_missing else None) if cell is not None]
    missing = min(marks, key=lambda cell: cell.row, default=None)
    return replace(
        part,
        held=instead(part.held, numbers),
        texts=None,
        n_missing=n_missing,
        n_text=0,
        n_foreign=0,
        text=None,
        missing=missing,
    )
