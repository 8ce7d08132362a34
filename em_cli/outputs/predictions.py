"""What is written of regressions: their coefficients, and what they predict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.documents import field, of_groups
from em_cli.engine.scoring import RowScores
from em_cli.inference.reported import reported_errors
from em_cli.models.given import blank_and_labels, with_described
from em_cli.models.groups import Group, described, regression_of
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.tables import score_header, score_lines

if TYPE_CHECKING:
    from em_cli.sources.stream import Chunk

COEFFICIENT_COLUMNS = ("component", "term", "estimate", "standard_error")


def coefficient_rows(loaded: LoadedModel, document: Mapping[str, object], group: Group) -> list[dict[str, object]]:
    """A row for each component and term of the regression, with the errors that the document reports.

    What is common to all components stands last and once.
    """
    at, reported = loaded.groups.index(group), reported_errors(document)
    own, of_errors = of_groups(document)[at], of_groups(reported)[at] if reported else {}
    estimates = field(own, "coefficients")
    common = field(own, "common_design") if "common_design" in own else []
    known = field(of_errors, "coefficients") if of_errors.get("coefficients") else [[None] * len(r) for r in estimates]
    rows = [
        {"component": k, "term": term, "estimate": estimate, "standard_error": error}
        for k, (coefficients, uncertain) in enumerate(zip(estimates, known, strict=True), 1)
        for term, estimate, error in zip(field(own, "design"), coefficients, uncertain, strict=True)
    ]
    shared = [row | {"component": "all"} for row in rows if row["component"] == 1 and row["term"] in common]
    return [row for row in rows if row["term"] not in common] + shared


def means_given(loaded: LoadedModel, x: Array) -> Array | None:
    """(K, n) what each component expects of the response to the rows x (D, n); None where there is no regression."""
    found = regression_of(loaded.groups, loaded.model, loaded.parameters)
    if found is None:
        return None
    family, own, columns = found
    return family.spread_of(x[columns], own)[0]


def drawn_given(loaded: LoadedModel, x: Array, rng: np.random.Generator) -> tuple[Array, Integers]:
    """The rows (D, n) with what is described of them drawn given the rest, and the component (n,) of each."""
    wide, places = loaded.with_gaps, described(loaded.groups, loaded.schema)
    blank, labels = blank_and_labels(wide.model, wide.parameters, places, x, rng)
    found = regression_of(wide.groups, wide.model, wide.parameters)
    if found is None:
        return with_described(wide.model, wide.parameters, places, blank, labels, rng), labels
    family, own, columns = found
    blank[columns] = family.draw(blank[columns], own, labels, rng)
    return blank, labels


def prediction_header(key: str, loaded: LoadedModel) -> str:
    """That of scores, then what the mixture and each component expect of the response."""
    own = [f"predicted{k + 1}" for k in range(loaded.model.n_components)]
    return ",".join([score_header(key, loaded.model).rstrip("\n"), "predicted", *own]) + "\n"


def prediction_lines(loaded: LoadedModel, chunk: Chunk, scores: RowScores) -> Iterator[str]:
    """The lines of rows with their scores; the mixture's prediction is by the probabilities that stand beside it."""
    k = loaded.model.n_components
    means = means_given(loaded, chunk.x)
    assert means is not None, "there is a regression"
    mixed = (scores.responsibilities[:k] * means).sum(axis=0)
    more = [
        ",".join("" if value != value else repr(value) for value in values)
        for values in zip(mixed.tolist(), *means.tolist(), strict=True)
    ]
    return score_lines(scores, chunk.rows, chunk.keys, k, more)
