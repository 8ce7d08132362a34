"""The tables of a run as CSV: shortest numbers that read back the same, "\\n", UTF-8."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.scoring import RowScores
from em_cli.search.ledger import Fitted

SLICE = 1 << 14  # rows turned to text at once


def score_header(key: str, n_components: int) -> str:
    """`row` (or the name of the id column), component, p1 … pK, log_density, uncertainty."""
    names = [key, "component", *(f"p{k + 1}" for k in range(n_components)), "log_density", "uncertainty"]
    return _line(names)


def score_lines(
    scores: RowScores, used: np.ndarray[Any, np.dtype[np.intp]], keys: Sequence[str] | range
) -> Iterator[str]:
    """The lines of rows of which some (their places `used`) have scores and the others stay blank.

    `keys` are the ids of all the rows, or their numbers.
    """
    k = len(scores.responsibilities)
    blanks = "," * (k + 3)
    names = map(str, keys) if isinstance(keys, range) else map(_field, keys)
    texts = _score_texts(scores)
    following = iter(used.tolist())
    next_used = next(following, -1)
    lines = []
    for row, key in enumerate(names):
        if row == next_used:
            lines.append(f"{key},{next(texts)}\n")
            next_used = next(following, -1)
        else:
            lines.append(f"{key}{blanks}\n")
        if len(lines) == SLICE:
            yield "".join(lines)
            lines = []
    if lines:
        yield "".join(lines)


def _score_texts(scores: RowScores) -> Iterator[str]:
    """component,p1,…,pK,log_density,uncertainty of each row. `repr` of a list is the fastest way to exact text."""
    n = len(scores.log_density)
    for first in range(0, n, SLICE):
        some = slice(first, min(first + SLICE, n))
        r = scores.responsibilities[:, some]
        component = r.argmax(axis=0)
        uncertainty = uncertain(r, component)
        table = np.concatenate([r, scores.log_density[None, some], uncertainty[None]]).T
        text = repr(table.tolist())[2:-2].replace(", ", ",")
        for label, numbers in zip(component.tolist(), text.split("],["), strict=True):
            yield f"{label + 1},{numbers}"


def uncertain(responsibilities: Array, component: np.ndarray[Any, np.dtype[np.intp]]) -> Array:
    """1 − max p (n,), as the sum of the others: no digits are lost where it is small."""
    others = responsibilities.copy()
    others[component, np.arange(others.shape[1])] = 0.0
    total: Array = others.sum(axis=0)
    return total


def ledger_rows(fits: Iterable[Fitted]) -> Iterator[dict[str, Any]]:
    """`restarts.csv`: what became of every start."""
    for fitted in fits:
        for entry in fitted.ledger:
            seen = f"on a sample of {entry.sample_rows} rows" if entry.sample_rows else ""
            yield {
                "candidate": entry.result.candidate.number + 1,
                "covariance": fitted.label,
                "k": fitted.n_components,
                "start": entry.start,
                "seed": "-".join(map(str, entry.seed)),
                "iterations": len(entry.result.trace),
                "log_likelihood": entry.result.log_likelihood,
                "remaining": entry.result.remaining,
                "verdict": entry.verdict.value,
                "note": "; ".join(filter(None, [entry.reason, seen])),
            }


def trace_rows(fits: Iterable[Fitted]) -> Iterator[dict[str, Any]]:
    """`trace.csv`: the log-likelihood of every iteration of every climb."""
    for fitted in fits:
        for entry in fitted.ledger:
            for iteration, value in enumerate(entry.result.trace, start=1):
                yield {
                    "candidate": entry.result.candidate.number + 1,
                    "covariance": fitted.label,
                    "k": fitted.n_components,
                    "start": entry.start,
                    "iteration": iteration,
                    "log_likelihood": value,
                }


LEDGER_COLUMNS = (
    "candidate", "covariance", "k", "start", "seed", "iterations", "log_likelihood", "remaining", "verdict", "note",
)  # fmt: skip
TRACE_COLUMNS = ("candidate", "covariance", "k", "start", "iteration", "log_likelihood")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Rows as CSV text, header first; a number that is not finite is a blank."""
    yield _line(columns)
    for row in rows:
        yield _line([_shown(row[column]) for column in columns])


def _shown(value: Any) -> str:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def _line(values: Sequence[str]) -> str:
    return ",".join(_field(value) for value in values) + "\n"


def _field(text: str) -> str:
    """Quoted where CSV demands it."""
    if not any(mark in text for mark in ',"\n\r') and text == text.strip():
        return text
    buffer = StringIO()
    csv.writer(buffer, lineterminator="", quoting=csv.QUOTE_ALL).writerow([text])
    return buffer.getvalue()
