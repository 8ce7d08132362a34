"""A Python module that scores rows with NumPy alone."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from inspect import getsource

from em_cli.exports.language import NUMPY
from em_cli.exports.spelled_levels import spellings
from em_cli.exports.statement import Statement
from em_cli.exports.together import Together

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


def codes(values, known):
    """The codes of levels; NaN where a cell is missing, or not known."""
    return np.array([known.get(str(value), known.get(str(value).strip(), np.nan)) for value in values], dtype=float)
'''

PREDICT = '''

def predict(columns):
    """Scores of rows: `columns` holds a list or an array for each of COLUMNS."""
    with np.errstate(all="ignore"):
'''

DENSITIES = '''

def densities(columns):
    """What each component says of each row by itself."""
    with np.errstate(all="ignore"):
'''


def python_text(
    statement: Statement, missing: Sequence[float], head: Sequence[str], together: Together | None = None
) -> Iterator[str]:
    """The module: its function `predict` takes columns by name, and returns those of the scores."""
    names = [column.name for column in statement.schema.columns]
    names += [] if together is None else [name for name in together.columns if name not in names]
    yield from beginning(head, "from datetime import UTC, datetime\n" * (together is not None and together.dated))
    yield f"COLUMNS = {names!r}\nMISSING = {list(map(float, missing))!r}\n"
    body = list(_body(statement))
    if any("log_gamma(" in line for line in body):
        yield LOG_GAMMA
    yield CELLS
    yield PREDICT if together is None else DENSITIES
    yield from (f"        {line}\n" for line in body)
    if together is not None:
        yield from pasted(together.functions)
        yield together.predict


def beginning(head: Sequence[str], imports: str = "") -> Iterator[str]:
    title = "\n".join(head).replace("\\", "\\\\").replace('"""', '\\"""')
    yield f'"""{title}\n"""\n\n{imports}from functools import reduce\n\nimport numpy as np\n\n'


def pasted(functions: Sequence[Callable[..., object]]) -> Iterator[str]:
    """Their sources, without what is for type checkers."""
    for function in functions:
        (node,) = ast.parse(getsource(function)).body
        yield f"\n\n{ast.unparse(_Untyped().visit(node))}\n"


class _Untyped(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)


def _body(statement: Statement) -> Iterator[str]:
    for j, column in enumerate(statement.schema.columns):
        own = f"columns[{column.name!r}]"
        cell = f"codes({own}, {spellings(column.levels)!r})" if column.levels else f"numbers({own})"
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
