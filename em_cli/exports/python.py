"""A Python module that scores rows with NumPy alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from em_cli.exports.language import NUMPY
from em_cli.exports.statement import Statement

LOG_GAMMA = '''

def log_gamma(x):
    """Stirling's formula, from 9 on (Abramowitz & Stegun 6.1.41)."""
    y = x + 9
    rest = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / (1188 * y**2)) / y**2) / y**2) / y**2) / y
    return (y - 0.5) * np.log(y) - y + 0.5 * np.log(2 * np.pi) + rest - sum(np.log(x + i) for i in range(9))
'''
CELLS = '''

def numbers(values):
    """The cells as numbers; NaN where one is missing."""
    x = np.array([np.nan if value is None or value == "" else value for value in values], dtype=float)
    x[np.isin(x, MISSING)] = np.nan
    return x


def codes(values, levels):
    """The places of the cells among the levels; NaN where one is missing, or not known."""
    places = {level: float(place) for place, level in enumerate(levels)}
    spelled = (str(value).removesuffix(".0") if str(value) not in places else str(value) for value in values)
    return np.array([places.get(text, np.nan) for text in spelled])
'''

PREDICT = '''

def predict(columns):
    """Scores of rows: `columns` holds a list or an array for each of COLUMNS."""
    with np.errstate(all="ignore"):
'''


def python_text(statement: Statement, missing: Sequence[float], head: Sequence[str]) -> Iterator[str]:
    """The module: its function `predict` takes columns by name, and returns those of the scores."""
    names = ", ".join(repr(column.name) for column in statement.schema.columns)
    title = "\n".join(head).replace("\\", "\\\\").replace('"""', '\\"""')
    yield f'"""{title}\n"""\n\nfrom functools import reduce\n\nimport numpy as np\n\n'
    yield f"COLUMNS = [{names}]\nMISSING = {list(map(float, missing))!r}\n"
    body = list(_body(statement))
    if any("log_gamma(" in line for line in body):
        yield LOG_GAMMA
    yield CELLS
    yield PREDICT
    yield from (f"        {line}\n" for line in body)


def _body(statement: Statement) -> Iterator[str]:
    for j, column in enumerate(statement.schema.columns):
        own = f"columns[{column.name!r}]"
        cell = f"codes({own}, {list(column.levels)!r})" if column.levels else f"numbers({own})"
        yield f"x{j + 1} = {cell}"
    for step in statement.steps:
        for label, formula in step.items():
            yield f"{label} = {NUMPY.text(formula)}"
    yield "scores = {"
    yield from (f"    {label!r}: {NUMPY.text(formula)}," for label, formula in statement.outputs)
    yield "}"
    yield "scores = {name: np.zeros(len(x1)) + score for name, score in scores.items()}"
    if statement.refused is not None:
        yield f"refused = {NUMPY.text(statement.refused)}"
        yield "scores = {name: np.where(refused, np.nan, score) for name, score in scores.items()}"
    yield "return scores"
