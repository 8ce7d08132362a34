"""A workbook whose formulas score the rows that are pasted into it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from em_cli.errors import UsageError
from em_cli.exports.formula import choose, label
from em_cli.exports.language import EXCEL
from em_cli.exports.spelled_levels import spellings, trimmed
from em_cli.exports.statement import Statement
from em_cli.sources.schema import Column

ROWS, STEPS, LEVELS, ABOUT = "rows", "steps", "levels", "about"  # the sheets
NAME = re.compile(r"\b[a-z]+\d*(?:_\d+)*\b")  # functions are written in capitals
LONGEST, DEEPEST = 8192, 64  # characters, and functions in each other
MOST_FORMULAS = 2_000_000  # that a workbook is opened with
NARROW, WIDE = 12, 24  # characters


def excel_bytes(statement: Statement, missing: Sequence[float], rows: int, head: Sequence[str]) -> Iterator[bytes]:
    """A sheet for so many rows, with their scores beside them; the steps between are on a sheet of their own."""
    columns, outputs = statement.schema.columns, statement.outputs
    steps = {f"x{j + 1}": cell for j, cell in enumerate(_cells(columns, missing))}
    if statement.refused is not None:
        steps["refused"] = _referring(EXCEL.text(choose(statement.refused, label(1), label(0))), steps)
    for step in statement.steps:
        steps |= {own: _referring(EXCEL.text(formula), steps) for own, formula in step.items()}
    there = f"COUNTA($A#:${get_column_letter(len(columns))}#)=0"
    scores = [_score(own, _referring(EXCEL.text(formula), steps, f"{STEPS}!")) for own, formula in outputs]
    if statement.refused is not None:
        there = f"OR({there},{_referring('refused', steps, f'{STEPS}!')}=1)"
    scores = [f'IF({there},"",{text})' for text in scores]
    for text in (*steps.values(), *scores):
        _check(text.replace("#", str(rows + 1)))
    if (made := (len(steps) + len(scores)) * rows) > MOST_FORMULAS:
        most = MOST_FORMULAS * rows // made
        raise UsageError(f"--rows {rows}: {made:,} formulas are too many for a workbook; --rows {most} can be had.")
    book = _book(statement, rows, steps, scores)
    _describe(book, columns, head)
    file = io.BytesIO()
    book.save(file)
    yield file.getvalue()


def _book(statement: Statement, rows: int, steps: dict[str, str], scores: Sequence[str]) -> Workbook:
    book, columns = Workbook(), statement.schema.columns
    sheet, between = book.active, book.create_sheet(STEPS)
    assert sheet is not None, "a new workbook has a sheet"
    sheet.title = ROWS
    sheet.append([*(column.name for column in columns), *(own for own, _ in statement.outputs)])
    between.append(list(steps))
    for row in range(2, rows + 2):
        sheet.append([*(None for _ in columns), *("=" + text.replace("#", str(row)) for text in scores)])
        between.append(["=" + text.replace("#", str(row)) for text in steps.values()])
    for place in range(len(columns) + len(scores)):
        letter = get_column_letter(place + 1)
        sheet[f"{letter}1"].font = Font(bold=True)
        sheet[f"{letter}1"].data_type = "s"
        sheet.column_dimensions[letter].width = max(NARROW, min(WIDE, len(str(sheet[f"{letter}1"].value)) + 2))
    sheet.freeze_panes = "A2"
    return book


def _describe(book: Workbook, columns: Sequence[Column], head: Sequence[str]) -> None:
    """The levels of columns, which formulas look at, and what the workbook is."""
    if any(column.levels for column in columns):
        sheet = book.create_sheet(LEVELS)
        for j, column in enumerate(columns):
            for row, (text, code) in enumerate(spellings(column.levels).items(), 1):
                sheet.cell(row, 2 * j + 1, text).data_type = "s"
                sheet.cell(row, 2 * j + 2, code)
    about = book.create_sheet(ABOUT)
    told = (f"Paste rows into the columns on the left of the sheet {ROWS!r}; their scores stand beside them.",)
    for line in (*head, *told):
        about.append([line])
        about.cell(about.max_row, 1).data_type = "s"


def _cells(columns: Sequence[Column], missing: Sequence[float]) -> Iterator[str]:
    """The cells as numbers, or the codes of their levels; no number where one is missing, or not known.

    Formulas have # for the row that they are in.
    """
    for j, column in enumerate(columns):
        cell = f"{ROWS}!{get_column_letter(j + 1)}#"
        if column.levels:
            n = len(spellings(column.levels))
            texts, codes = (
                f"{LEVELS}!${get_column_letter(2 * j + k)}$1:${get_column_letter(2 * j + k)}${n}" for k in (1, 2)
            )
            found = f"EXACT({_text(cell, column)},{texts})"
            yield f'IF(SUMPRODUCT({found}*1)=0,"",SUMPRODUCT({found}*{codes}))'
        else:
            known = f"ISNUMBER({cell})"
            if missing:
                known = f"AND({known},{','.join(f'{cell}<>{code!r}' for code in missing)})"
            yield f'IF({known},{cell},"")'


def _text(cell: str, column: Column) -> str:
    """Without blanks around it; where levels hold several in a row, which the function would make one, as it is."""
    single = trimmed(column.levels) and not any("  " in level for level in column.levels)
    return f"TRIM({cell})" if single else f'{cell}&""'


def _referring(text: str, steps: dict[str, str], before: str = "") -> str:
    """The formula, in which steps are called by their cells."""
    where = {own: get_column_letter(place + 1) for place, own in enumerate(steps)}
    return NAME.sub(lambda found: f"{before}{where[found[0]]}#", text)


def _score(own: str, text: str) -> str:
    """What is predicted is blank where a regressor is."""
    return f'IFERROR({text},"")' if own.startswith("predicted") else text


def _check(text: str) -> None:
    """`UsageError` if Excel would not take a formula."""
    depth = deepest = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        deepest = max(deepest, depth)
    if len(text) >= LONGEST or deepest > DEEPEST:
        raise UsageError("the model makes a formula that is longer than Excel takes: --to python, r, sql or onnx.")
