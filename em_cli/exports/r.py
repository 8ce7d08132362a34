"""A script in base R that scores the rows of a data frame."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from em_cli.engine.family import Ellipsoids
from em_cli.exports.language import R
from em_cli.exports.spelled_levels import spellings, trimmed
from em_cli.exports.statement import Statement
from em_cli.printable import json_escaped

MCLUST = """
em_mclust <- function(data) {{
  d <- {d}; G <- {k}; n <- nrow(data)
  columns <- c({names})
  pro <- c({pro})
  mean <- matrix(c({mean}), d, G, dimnames = list(columns, NULL))
  sigma <- array(c({sigma}), c(d, d, G), list(columns, columns, NULL))
  variance <- list(modelName = "{name}", d = d, G = G, sigma = sigma)
  if (d == 1) variance$sigmasq <- c(sigma) else
    variance$cholsigma <- array(apply(sigma, 3, chol), c(d, d, G), list(columns, columns, NULL))
  scores <- em_predict(data)
  z <- as.matrix(scores[paste0("p", seq_len(G))])
  loglik <- sum(scores$log_density)
  bic <- 2 * loglik - {df} * log(n)
  structure(list(
    call = quote(em_mclust(data)), data = as.matrix(data[columns]), modelName = "{name}", n = n, d = d, G = G,
    loglik = loglik, df = {df}, bic = bic, icl = bic + 2 * sum(log(apply(z, 1, max))), hypvol = NA,
    parameters = list(pro = pro, mean = if (d == 1) c(mean) else mean, variance = variance, Vinv = NULL),
    z = z, classification = scores$component, uncertainty = scores$uncertainty
  ), class = "Mclust")
}}
"""


def r_text(
    statement: Statement, missing: Sequence[float], head: Sequence[str], mclust: Mapping[str, object] | None
) -> Iterator[str]:
    """The script: its function `em_predict` takes a data frame, and returns one of the scores.

    Where mclust knows the model, `em_mclust` returns its own object, of the rows of a data frame.
    """
    yield "".join(f"# {line}\n" for line in head)
    yield "\nem_predict <- function(data) {\n"
    yield from (f"  {line}\n" for line in _body(statement, missing))
    yield "}\n"
    if mclust is not None:
        yield MCLUST.format(**mclust)


def mclust_of(
    names: Sequence[str], weights: Sequence[float], found: Ellipsoids, n_parameters: int
) -> dict[str, object]:
    """What its object holds of Gaussian components: every structure is one of unrestricted covariances."""
    k, d = found.locations.shape
    covariances = found.among(np.arange(d))
    return {
        "d": d,
        "k": k,
        "name": "V" if d == 1 else "VVV",
        "names": ", ".join(map(_text, names)),
        "pro": _numbers(weights),
        "mean": _numbers(found.locations.ravel().tolist()),
        "sigma": _numbers(covariances.ravel().tolist()),
        "df": n_parameters,
    }


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(map(repr, values))


def _body(statement: Statement, missing: Sequence[float]) -> Iterator[str]:
    for j, column in enumerate(statement.schema.columns):
        own = f"data[[{_text(column.name)}]]"
        if column.levels:
            known = spellings(column.levels)
            texts, codes = ", ".join(map(_text, known)), ", ".join(map(str, known.values()))
            text = f"as.character({own})"
            text = f"trimws({text})" if trimmed(column.levels) else text
            yield f"x{j + 1} <- c({codes})[match({text}, c({texts}))]"
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
    return json_escaped(json.dumps(value, ensure_ascii=False))
