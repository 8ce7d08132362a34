"""The tables of a run as CSV: shortest numbers that read back the same, "\\n", UTF-8."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from io import StringIO
from itertools import islice
from math import isfinite

import numpy as np
from pydantic_core import to_json

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.model import Model
from em_cli.engine.objectives import ELBO, LOG_LIKELIHOOD
from em_cli.engine.scoring import RowScores
from em_cli.search.ledger import Fitted
from em_cli.sources.schema import Cells

SLICE = 1 << 10  # rows turned to text at once: their numbers stay in a core's own cache

Label = tuple[str, str]  # component and its probability, as cells
LABELS: Label = ("component", "probability")
NO_LABEL: Label = ("", "")


def score_names(key: str, model: Model, top: bool = False) -> list[str]:
    """`row` (or the name of the id column), component, p1 … pK, outcomes beyond them, log_density, uncertainty.

    Of the `top` alone, p is the largest probability.
    """
    own = ["p"] if top else [*(f"p{k + 1}" for k in range(model.n_components)), *model.latent.extra]
    path = ["state_viterbi"] if _has_path(model) else []
    return [key, "component", *own, "log_density", "uncertainty", *path]


def score_header(key: str, model: Model, top: bool = False) -> str:
    """The names of the columns, as a line."""
    return _line(score_names(key, model, top))


def _has_path(model: Model) -> bool:
    """Whether rows follow each other, so that there is a most probable path."""
    return model.latent.decoder is not None and model.latent.decoder.ordered


def score_lines(
    scores: RowScores,
    used: Integers,
    keys: Sequence[str] | range,
    n_components: int,
    more: Sequence[str] = (),
    top: bool = False,
) -> Iterator[str]:
    """The lines of rows of which some (their places `used`) have scores and the others stay blank.

    `keys` are the ids of all the rows, or their numbers. The component of a row that belongs to none is 0. `more` are
    further cells of each row with scores. Of all probabilities or the `top` alone.
    """
    blanks = _blanks((1 if top else len(scores.responsibilities)) + (scores.path is not None))
    blanks += "," * (1 + more[0].count(",")) if more else ""
    place = 0
    for first in range(0, len(keys), SLICE):
        names = keys[first : first + SLICE]
        stop = place + int(np.searchsorted(used[place : place + SLICE], first + SLICE))
        texts = _score_texts(scores, slice(place, stop), n_components, top)
        if more:
            texts = [f"{text},{own}" for text, own in zip(texts, more[place:stop], strict=True)]
        if len(texts) < len(names):
            scored = iter(texts)
            with_scores = set((used[place:stop] - first).tolist())
            texts = [next(scored) if row in with_scores else blanks for row in range(len(names))]
        shown = names if isinstance(names, range) else map(_field, names)
        yield "".join([f"{key},{text}\n" for key, text in zip(shown, texts, strict=True)])
        place = stop


def blank_lines(model: Model, keys: Sequence[str] | range, top: bool = False) -> Iterator[str]:
    """The lines of rows that have no scores."""
    blanks = _blanks((1 if top else model.n_outcomes) + _has_path(model))
    for key in keys:
        yield f"{key if isinstance(key, int) else _field(key)},{blanks}\n"


def _blanks(n_probabilities: int) -> str:
    return "," * (n_probabilities + 2)


def score_columns(scores: RowScores, rows: slice, n_components: int, top: bool) -> list[Array | Integers]:
    """What is said of each of these rows: component, probabilities, log_density, uncertainty, its state on the path."""
    r, log_density = scores.responsibilities[:, rows], scores.log_density[rows]
    component = r.argmax(axis=0)
    number = np.where(component < n_components, component + 1, 0)
    own = [r.max(axis=0)] if top else [*r]
    path = [] if scores.path is None else [scores.path[rows] + 1]
    return [number, *own, log_density, uncertain(r, component), *path]


def _score_texts(scores: RowScores, rows: slice, n_components: int, top: bool) -> list[str]:
    """The same as text.

    By way of JSON, whose writer finds the shortest numbers that read back the same ten times as fast as `repr`.
    """
    columns = score_columns(scores, rows, n_components, top)
    text = to_json(list(zip(*[column.tolist() for column in columns], strict=True))).decode()
    if not np.isfinite(scores.log_density[rows]).all():
        text = text.replace("NaN", "nan").replace("Infinity", "inf")
    return text[2:-2].split("],[") if len(columns[0]) else []


def labels_of(scores: RowScores, n_components: int) -> list[Label]:
    """Of each row the likeliest component, 0 if it belongs to none, and its posterior probability."""
    component = scores.responsibilities.argmax(axis=0)
    number = np.where(component < n_components, component + 1, 0)
    probability = scores.responsibilities.max(axis=0)
    return list(zip(map(str, number.tolist()), map(repr, probability.tolist()), strict=True))


def uncertain(responsibilities: Array, component: Integers) -> Array:
    """1 − max p (n,), as the sum of the others: no digits are lost where it is small."""
    others = responsibilities.copy()
    others[component, np.arange(others.shape[1])] = 0.0
    total: Array = others.sum(axis=0)
    return total


def ledger_rows(fits: Iterable[Fitted]) -> Iterator[dict[str, object]]:
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


def trace_rows(fits: Iterable[Fitted]) -> Iterator[dict[str, object]]:
    """`trace.csv`: the log-likelihood of every iteration of every climb, and what the climb went by."""
    for fitted in fits:
        for entry in fitted.ledger:
            result, named = entry.result, dict(entry.result.stages)
            objective = ELBO if result.candidate.objective == ELBO else LOG_LIKELIHOOD
            for place, (value, log_likelihood) in enumerate(
                zip(result.trace, result.log_likelihoods or result.trace, strict=True)
            ):
                objective = named.get(place, objective)
                yield {
                    "candidate": result.candidate.number + 1,
                    "covariance": fitted.label,
                    "k": fitted.n_components,
                    "start": entry.start,
                    "iteration": place + 1,
                    "log_likelihood": log_likelihood,
                    "objective": objective,
                    "value": value,
                }


LEDGER_COLUMNS = (
    "candidate", "covariance", "k", "start", "seed", "iterations", "log_likelihood", "remaining", "verdict", "note",
)  # fmt: skip
TRACE_COLUMNS = ("candidate", "covariance", "k", "start", "iteration", "log_likelihood", "objective", "value")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Rows as CSV text, header first; a number that is not finite is a blank."""
    yield _line(columns)
    each = iter(rows)
    while some := list(islice(each, SLICE)):
        yield "".join([",".join([_shown(row[column]) for column in columns]) + "\n" for row in some])


def column_csv(names: Sequence[str], parts: Iterable[Sequence[Cells]]) -> Iterator[str]:
    """A table that comes in parts, each of them by columns, as CSV text, header first."""
    yield _line(names)
    for columns in parts:
        texts = zip(*map(_cell_texts, columns), strict=True)
        yield "".join([",".join(cells) + "\n" for cells in texts])


def _cell_texts(values: Cells) -> list[str]:
    """The cells of a column; numbers by way of JSON, as in `_score_texts`, and blank where they are not finite."""
    if isinstance(next((value for value in values if value is not None), ""), str):
        return ["" if value is None else _field(str(value)) for value in values]
    return to_json(values, inf_nan_mode="null").decode()[1:-1].replace("null", "").split(",")


def _shown(value: object) -> str:
    """A cell; numbers need no quotes."""
    kind = type(value)
    if kind is int:
        return repr(value)
    if kind is str:
        return _field(value)
    if isinstance(value, float):
        return repr(value) if isfinite(value) else ""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _field(str(value))


def _line(values: Sequence[str]) -> str:
    return ",".join(_field(value) for value in values) + "\n"


@lru_cache(maxsize=1 << 10)
def _field(text: str) -> str:
    """Quoted where CSV demands it."""
    if not any(mark in text for mark in ',"\n\r') and text == text.strip():
        return text
    buffer = StringIO()
    csv.writer(buffer, lineterminator="", quoting=csv.QUOTE_ALL).writerow([text])
    return buffer.getvalue()
