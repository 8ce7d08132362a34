"""What is said when a column cannot be used as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isinf

import numpy as np

from em_cli.engine.transforms import TRANSFORMS
from em_cli.errors import DataError
from em_cli.printable import safe
from em_cli.sources.domains import LARGEST, LARGEST_COUNT, SMALLEST_SPREAD, WANTED
from em_cli.sources.examined import Cell, Examined
from em_cli.sources.number_formats import number, writings
from em_cli.sources.quoting import LONGEST, argument, excluding, joined, listed, plural, quoted, short
from em_cli.sources.read_options import ReadOptions

SHOWN_FORMS = 5
SHOWN_ROWS = 8
MOST_TOLD = 3  # columns of which a refusal tells in full
MARKS = frozenset(
    {"-", "--", "---", "–", "—", ".", "..", "?", "*", "x", "na", "n.a.", "none", "None", "nil", "missing"}
)


def refuse_text(name: str, parts: Sequence[Examined], without: str | None) -> None:
    """`DataError` if some cells are neither numbers nor missing; `without` is how to do without the column."""
    cell = parts[-1].text
    if cell is None:
        return
    forms: Counter[str] = Counter()
    for part in parts:
        forms.update(part.forms)
    n = sum(part.n_text for part in parts)
    n_present = sum(part.n_rows - part.n_missing for part in parts)
    remedy = _both_marks(parts, forms, without) or _no_row(name, cell, n, forms) + _remedy(
        name, n, n_present, forms, without
    )
    raise DataError(
        f"{cell.file}: column {quoted(name)} is not numeric: {cell.place} holds {quoted(cell.text)} "
        f"({_such_values(n, forms)}). {remedy}"
    )


def all_refused(said: Mapping[str, str]) -> str:
    """What is said of several columns, in full of the first of them."""
    (_, first), *others = said.items()
    ends = {name: text.partition(f"column {quoted(name)}")[2] for name, text in others[: MOST_TOLD - 1]}
    told = [f"Column {quoted(name)}{end}" for name, end in ends.items()]
    rest = [quoted(name) for name in list(said)[MOST_TOLD:]]
    more = [f"So it is with {joined(rest)}."] if rest else []
    return " ".join([first, *told, *more])


def _no_row(name: str, cell: Cell, n: int, forms: Counter[str]) -> str:
    """What the only text of a column may be that stands in no row of data; "" if nothing tells so."""
    if n > 1 or writings(forms):
        return ""
    if cell.text.strip() == name.strip():
        return f"If {cell.place} repeats the header, take it out of the file, or give the files one by one. "
    if cell.row == 1 and cell.place == "line 1":  # without a header
        return "If line 1 names the columns, pass --skip 1. "
    if cell.row == 1:
        return f"If {cell.place} holds units or a second header, take it out, or give each of its cells to --na. "
    return ""


def _both_marks(parts: Sequence[Examined], forms: Counter[str], without: str | None) -> str:
    """What to do where some cells have a comma before decimals and others a point; "" if none does."""
    known = {text for part in parts for text in part.texts or ()} - set(forms)
    points = [text for text in known if "." in text and number(text) is not None]
    if not points or not any(option.startswith("--decimal ','") for option in writings(forms)):
        return ""
    other = f" Use {without}, or write" if without else " Write"
    return (
        f"Others have a point, such as {quoted(points[0])}: commas and points cannot both be decimal.{other} all alike."
    )


def _such_values(n: int, forms: Counter[str]) -> str:
    if n == 1:
        return "the only such value"
    if len(forms) == 1:
        return f"{plural(n, 'such value')}, all alike"
    shown = [quoted(form) for form, _ in forms.most_common(SHOWN_FORMS)] + ["…"] * (len(forms) > SHOWN_FORMS)
    return f"{plural(n, 'such value')} in {len(forms):,} forms: {', '.join(shown)}"


def _remedy(name: str, n: int, n_present: int, forms: Counter[str], without: str | None) -> str:
    if possible := writings(forms):
        other = f"; else {without}" if without else ""
        return f"If these are numbers, try {' or '.join(possible)}{other}."
    marks = [form for form in forms if form.strip() in MARKS]
    numbers = [form for form in forms if form not in marks]
    if marks and numbers and (possible := writings(numbers)):
        other = f"; else {without}" if without else ""
        missing = " ".join(f"--na {argument(form)}" for form in marks)
        return f"If these are numbers, try {' or '.join(f'{option} {missing}' for option in possible)}{other}."
    other = f", or {without}" if without else ""
    if len(forms) <= SHOWN_FORMS and 2 * n <= n_present and all(map(_can_be_typed, forms)):
        category = f", or --type {argument(name)}=categorical" if without else ""
        return f"Use {' '.join(f'--na {argument(form)}' for form in forms)}{other}{category}."
    return f"Text is no number: use {without}." if without else "The model needs numbers here."


def _can_be_typed(form: str) -> bool:
    """Whether a cell may stand in an option as it is."""
    return len(form) <= LONGEST and form.isprintable()


def without(name: str, options: ReadOptions) -> str:
    """The option that does without a column."""
    if name in options.regressors:
        return f"--{'concomitant' if options.response is None else 'on'} without {safe(short(name))}"
    if options.columns is not None and options.response is None:
        return f"--columns without {safe(short(name))}"
    return f"--exclude {argument(name)}"


def refuse_infinite(name: str, cell: Cell | None) -> None:
    """`DataError` for a cell that is no finite number, if there is one."""
    if cell is not None:
        na = f"If it marks a missing value, use --na {argument(cell.text)}; else c" if _can_be_typed(cell.text) else "C"
        value = number(cell.text)
        large = f"too large to compute with (at most {LARGEST:g}: use other units)"
        problem = "not a finite number" if value is None or isinf(value) else large
        place = f"{cell.file}, {cell.row_and_line}, column {quoted(name)}"
        raise DataError(f"{place}: {quoted(cell.text)} is {problem}. {na}orrect the cell.")


def refuse_impossible(name: str, type: str, cell: Cell | None, without: str | None) -> None:
    if cell is not None:
        other = "" if type == "numeric" else f"--type {argument(name)}=numeric, or "
        remedy = f" Use {other}{without}." if without else ""
        large = type == "count" and (number(cell.text) or 0) > LARGEST_COUNT
        problem = f"more than {LARGEST_COUNT:g}" if large else f"not {WANTED[type]}"
        raise DataError(
            f"{cell.file}: column {quoted(name)} has type {type}, but {cell.place} holds {quoted(cell.text)}, "
            f"which is {problem}.{remedy}"
        )


def refuse_untransformed(name: str, transform: str, cell: Cell | None, without: str | None) -> None:
    """`DataError` names the first cell that a transformation cannot take."""
    if cell is not None:
        value = np.array([number(cell.text) or 0.0])
        able = [f"--transform {argument(name)}={other}" for other, own in TRANSFORMS.items() if own.holds(value).all()]
        other = f" Use {', or '.join([*able, without])}." if without else ""
        raise DataError(
            f"{cell.file}, {cell.row_and_line}, column {quoted(name)}: {quoted(cell.text)} has no {transform}; "
            f"every cell must be {TRANSFORMS[transform].requirement}.{other}"
        )


def too_many_levels(name: str, levels: Sequence[str], shown: str) -> DataError:
    return DataError(
        f"{shown}: column {quoted(name)} has type binary, but {len(levels):,} levels ({listed(levels)}). "
        f"Use --type {argument(name)}=categorical."
    )


def empty_column(name: str, shown: str, options: ReadOptions) -> DataError:
    return DataError(f"{shown}: column {quoted(name)} is empty. Use {without(name, options)}.")


def counts(n_missing: Mapping[str, int]) -> str:
    """Missing cells per column."""
    return joined([f"{safe(short(name))}: {n:,}" for name, n in n_missing.items()])


def missing_cells(
    rows: Sequence[int], n_read: int, n_missing: Mapping[str, int], first: Cell, shown: str, options: ReadOptions
) -> DataError:
    """The rows are numbered from 1; the first of them is where `first` stands."""
    others = ", ".join(f"{row:,}" for row in rows[1 : 1 + SHOWN_ROWS]) + (", …" if len(rows) > 1 + SHOWN_ROWS else "")
    then = f", then {others}" if others else ""
    worst = max(n_missing, key=lambda name: n_missing[name])
    place = first.row_and_line if first.file == shown else f"{first.row_and_line} of {first.file}"
    return DataError(
        f"{shown}: {len(rows):,} of {plural(n_read, 'row')} {'has' if len(rows) == 1 else 'have'} missing cells "
        f"({counts(n_missing)}); the first is {place}{then}. "
        f"Use --missing model to fit them by their other cells, --missing drop to leave them out, "
        f"or {without(worst, options)}."
    )


def refuse_missing_cell(name: str, cell: Cell | None) -> None:
    """As above, where rows are handed on before the last is read."""
    if cell is not None:
        raise DataError(
            f"{cell.file}, {cell.row_and_line}, column {quoted(name)}: the cell is missing. "
            "Use --missing model to score such rows by their other cells, or --missing drop to go on without them."
        )


def constant_columns(values: Mapping[str, str], shown: str, options: ReadOptions) -> DataError:
    if len(values) == 1:
        ((name, value),) = values.items()
        return DataError(
            f"{shown}: column {quoted(name)} is constant (every value is {value}): "
            f"no spread can be fitted. Use {without(name, options)}."
        )
    columns = joined([f"{quoted(name)} ({value})" for name, value in values.items()])
    return DataError(
        f"{shown}: columns {columns} are constant: no spread can be fitted. "
        f"Use {excluding(list(values))}, or choose others with --columns."
    )


def narrow_column(name: str, spread: float, shown: str) -> DataError:
    return DataError(
        f"{shown}: column {quoted(name)} varies by {spread:.3g} only, less than {SMALLEST_SPREAD:g}: "
        "that is too little to compute with. Give it in other units."
    )


def no_column(shown: str, left_out: Sequence[str], codes: Sequence[str] = ()) -> DataError:
    if codes:
        types = " ".join(f"--type {argument(name)}=numeric" for name in codes)
        return DataError(
            f"{shown} has no column that can be fitted but {joined([quoted(name) for name in codes])}, written with "
            f"leading zeros or in quotes, as codes are. If these are numbers, use {types}."
        )
    if left_out:
        return DataError(
            f"{shown} has no column that can be fitted: {joined([quoted(name) for name in left_out])} "
            f"{'holds' if len(left_out) == 1 else 'hold'} nothing, or text that names the rows or is no number. "
            f"--type {argument(f'{left_out[0]}=categorical')} takes text as levels."
        )
    return DataError(f"{shown} has no column left to fit. Exclude fewer.")
