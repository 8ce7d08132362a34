"""Genotypes that are written by both of their alleles, such as A/G, 0|1 or AG: read as copies of one of the two."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from em_cli.errors import DataError
from em_cli.sources.column_facts import Parts
from em_cli.sources.examined import Examined
from em_cli.sources.genotypes import COUNTED
from em_cli.sources.number_formats import number
from em_cli.sources.quoting import argument, listed, quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.refusals import without
from em_cli.sources.store import instead
from em_cli.sources.table import Notice
from em_cli.sources.text_types import levels_of, present

Pair = tuple[str, str]

ABSENT = frozenset(".?-*")  # in place of an allele that is not known
BASES = frozenset("ACGT")
_PAIR = re.compile(
    r"([^\s/|]+)\s*[/|]\s*([^\s/|]+)"  # A/G, 0|1, 181/185
    r"|([A-Za-z]|\d+|[.?*-])\s+([A-Za-z]|\d+|[.?*-])"
    r"|([A-Za-z.?*-])([A-Za-z.?*-])"
)
WANTED = (
    "It must be how many copies of one of two alleles there are, 0, 1 or 2, "
    "or name both alleles, such as A/G, AG or 0/1"
)


def read_alleles(parts: Parts, shown: str, options: ReadOptions, notices: list[Notice]) -> dict[str, tuple[str, ...]]:
    """Have genotypes that name their alleles stand as copies of the second of these; the alleles of each such locus.

    There is none where columns are no loci. Text that differs from row to row names the rows, and stays as it is;
    `DataError` names a cell that is no genotype.
    """
    if options.alleles is None:
        return {}
    found, phased = dict[str, tuple[str, ...]](), list[str]()
    for name, column in parts.items():
        known = options.alleles.get(name, ())
        texts = Counter(text for part in column if part.n_text for text in part.texts or ())
        if not texts:
            if known not in ((), COUNTED):
                _refuse(name, column, shown, options, None, f"{_whose(known)} {_either(known)}")
            continue
        pairs = {text: pair for text in texts if (pair := _pair(text)) is not None}
        if name not in options.named and not pairs and len(levels_of(column)) == present(column) > 2:
            continue
        parts[name], alleles = _copies(name, column, pairs, known, shown, options)
        found |= {name: alleles} if alleles else {}
        phased += [name] if any("|" in text and a != b for text, (a, b) in pairs.items()) else []
    if phased:
        message = f"which of two alleles stands first, as in 0|1, is not made use of: {listed(phased)}"
        notices.append(Notice("phase_unused", message))
    return found


def _pair(text: str) -> Pair | None:
    match = _PAIR.fullmatch(text.strip())
    if match is None:
        return None
    one, other = (group for group in match.groups() if group is not None)
    return one, other


def _copies(
    name: str,
    column: Sequence[Examined],
    pairs: dict[str, Pair],
    known: tuple[str, ...],
    shown: str,
    options: ReadOptions,
) -> tuple[list[Examined], tuple[str, ...]]:
    """The column as copies of its second allele, and its alleles."""
    absent = _absent(pairs.values(), known)
    copies = {text: np.nan for text in options.nothing_among_numbers if text not in pairs}
    copies |= {text: np.nan for text, pair in pairs.items() if absent.issuperset(pair)}
    named = {text: pair for text, pair in pairs.items() if text not in copies}
    if not named and known in ((), COUNTED):
        copies |= {text: value for text in _texts(column) if (value := number(text)) is not None}
    else:
        _refuse(name, column, shown, options, None, "other cells of the column name alleles")
        numbers = {text for text in _texts(column) - set(copies) if number(text) is not None}
        _refuse(name, column, shown, options, numbers, "other cells of the column name alleles")
    _refuse(name, column, shown, options, _texts(column) - set(copies) - set(named), "")
    half = {text for text, pair in named.items() if not absent.isdisjoint(pair)}
    _refuse(name, column, shown, options, half, "one of its alleles is not known: leave the cell blank")
    rows = _rows_of_alleles(column, named)
    alleles = (*known, *(allele for allele, _ in rows.most_common() if allele not in known))[:2]
    third = {text for text, pair in named.items() if not set(pair) <= set(alleles)}
    _refuse(
        name, column, shown, options, third, f"{_whose(known)} {_either(alleles)}, and there can be no third allele"
    )
    alleles = alleles if known else tuple(sorted(alleles, key=_place))
    copies |= {text: float(sum(allele not in alleles[:1] for allele in pair)) for text, pair in named.items()}
    return [_as_copies(part, copies) for part in column], alleles


def _absent(pairs: Collection[Pair], known: tuple[str, ...]) -> frozenset[str]:
    """What stands for an allele that is not known: 0 and N too, where they stand alone and beside alleles of a kind."""
    seen = {allele for pair in pairs for allele in pair} | set(known)
    mixed = {allele for one, other in pairs if one != other for allele in (one, other)} | set(known)
    found = set(ABSENT)
    if "0" not in mixed and not seen <= {*ABSENT, "0", "1", "N"}:
        found.add("0")
    if "N" not in mixed and (others := seen - ABSENT - {"0", "N"}) and others <= BASES:
        found.add("N")
    return frozenset(found)


def _texts(column: Sequence[Examined]) -> set[str]:
    return {text for part in column for text in part.texts or ()}


def _rows_of_alleles(column: Sequence[Examined], named: dict[str, Pair]) -> Counter[str]:
    found: Counter[str] = Counter()
    for part in column:
        for place, text in enumerate(part.texts or ()):
            n = int((part.values == place).sum())
            found.update(dict.fromkeys(named.get(text, ()), n))
    return found


def _place(allele: str) -> tuple[bool, float, str]:
    value = number(allele)
    return value is None, value or 0.0, allele


def _whose(known: tuple[str, ...]) -> str:
    return "the model has" if known else "other cells hold"


def _either(alleles: Sequence[str]) -> str:
    return " and ".join(map(quoted, alleles))


def _as_copies(part: Examined, copies: dict[str, float]) -> Examined:
    if part.texts is None:
        return replace(part, text=None)
    table = np.array([*(copies[text] for text in part.texts), np.nan])
    values = table[np.nan_to_num(part.values, nan=len(part.texts)).astype(np.intp)]
    return replace(
        part,
        held=instead(part.held, values),
        texts=None,
        n_missing=int(np.isnan(values).sum()),
        n_text=0,
        n_foreign=0,
        text=None,
        missing=part.missing or part.text,
        impossible=None,
    )


def _remedy(name: str, options: ReadOptions) -> str:
    if options.alleles:
        return "Write cells as those of the fit were, or leave them blank where the genotype is not known."
    carried = f", or carried along by --id {argument(name)}" if options.id is None else ""
    return f"{WANTED}. What is no locus is left out by {without(name, options)}{carried}."


def _refuse(
    name: str, column: Sequence[Examined], shown: str, options: ReadOptions, texts: set[str] | None, why: str
) -> None:
    """`DataError` names the first cell that is one of these texts, if any is; None is: of the numbers."""
    first = 0
    for part in column:
        if part.texts is None:
            wrong = ~np.isnan(part.values) if texts is None else np.zeros(part.n_rows, np.bool_)
        else:
            places = [place for place, text in enumerate(part.texts) if texts is not None and text in texts]
            wrong = np.isin(part.values, places)
        if wrong.any():
            row = int(wrong.argmax())
            value = part.values[row]
            cell = f"{value:.15g}" if part.texts is None else quoted(part.texts[int(value)])
            reason = f": {why}" if why else ""
            raise DataError(
                f"{shown}, row {first + row + 1}, column {quoted(name)}: {cell} is no genotype{reason}. "
                f"{_remedy(name, options)}"
            )
        first += part.n_rows
