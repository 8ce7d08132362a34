"""A script in base R that scores the rows of a data frame."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from em_cli.exports.language import R
from em_cli.exports.sql import spellings
from em_cli.exports.statement import Statement


def r_text(statement: Statement, missing: Sequence[float], head: Sequence[str]) -> Iterator[str]:
    """The script: its function `em_predict` takes a data frame, and returns one of the scores."""
    yield "".join(f"# {line}\n" for line in head)
    yield "\nem_predict <- function(data) {\n"
    yield from (f"  {line}\n" for line in _body(statement, missing))
    yield "}\n"


def _body(statement: Statement, missing: Sequence[float]) -> Iterator[str]:
    for j, column in enumerate(statement.schema.columns):
        own = f"data[[{_text(column.name)}]]"
        if column.levels:
            known = [(text, code) for code, level in enumerate(column.levels) for text in spellings(level)]
            texts, codes = (", ".join(part) for part in zip(*((_text(t), str(c)) for t, c in known), strict=True))
            yield f"x{j + 1} <- c({codes})[match(as.character({own}), c({texts}))]"
        else:
            yield f"x{j + 1} <- as.numeric({own})"
            if missing:
                yield f"x{j + 1}[x{j + 1} %in% c({', '.join(map(repr, missing))})] <- NA"
    for step in statement.steps:
        for label, formula in step.items():
            yield f"{label} <- {R.text(formula)}"
    yield "scores <- data.frame("
    outputs = [f"  {label} = rep_len({R.text(formula)}, nrow(data))" for label, formula in statement.outputs]
    yield from ",\n".join(outputs).split("\n")
    yield ")"
    if statement.refused is not None:
        yield f"scores[which({R.text(statement.refused)}), ] <- NA"
    yield "scores"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
