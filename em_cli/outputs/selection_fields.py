"""What stands in a row of `selection.csv`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import ValidationError

from em_cli.criteria import CROSS_VALIDATION, ELBO, names
from em_cli.outputs.described import SOMETIMES, Described, in_words, says, short

Number = float | None
TEST_COLUMNS = ("test_statistic", "test_replicates", "test_exceed", "test_p", "test_stop")
CV_COLUMNS = ("cv", "cv_per_row", "cv_se", "cv_gap", "cv_gap_se")


class SelectionRow(Described):
    """A model of a sweep. A value that there is not is a blank in the table, null in JSON."""

    k: Annotated[int, says("number of components")]
    covariance: Annotated[str, says("covariance structure; blank where there is none")]
    model: Annotated[str, says("what the model is called: mclust's name of the structure, or the family")]
    family: Annotated[str, says("of the columns")]
    log_likelihood: Annotated[Number, says("total; blank if no start gave a fit")]
    n_parameters: Annotated[int | None, says("free parameters")]
    bic: Annotated[Number, says("Schwarz (1978); of all criteria the lower value is better")]
    aic: Annotated[Number, says("Akaike (1974)")]
    icl: Annotated[Number, says("Biernacki, Celeux & Govaert (2000), by the likeliest component of each row")]
    aicc: Annotated[Number, says("Hurvich & Tsai (1989); blank where there are too few rows")]
    caic: Annotated[Number, says("Bozdogan (1987)")]
    sabic: Annotated[Number, says("Sclove (1987)")]
    icl_entropy: Annotated[Number, says("ICL with the entropy of the responsibilities")]
    elbo: Annotated[Number, says("-2 times the evidence lower bound of a variational fit"), SOMETIMES] = None
    cv: Annotated[Number, says("cross-validation: -2 log density of rows left out (--criterion cv)"), SOMETIMES] = None
    cv_per_row: Annotated[
        Number, says("log predictive density of a row left out, the higher the better"), SOMETIMES
    ] = None
    cv_se: Annotated[Number, says("its standard error"), SOMETIMES] = None
    cv_gap: Annotated[Number, says("by how much it is below the highest, per row"), SOMETIMES] = None
    cv_gap_se: Annotated[Number, says("standard error of that, from the differences of each row"), SOMETIMES] = None
    test_statistic: Annotated[
        Number, says("twice the log-likelihood that one component more gains (--test)"), SOMETIMES
    ] = None
    test_replicates: Annotated[int | None, says("data sets drawn from this model that tell"), SOMETIMES] = None
    test_exceed: Annotated[int | None, says("of them, those that gain as much"), SOMETIMES] = None
    test_p: Annotated[Number, says("(1 + test_exceed) / (1 + test_replicates), so never 0"), SOMETIMES] = None
    test_stop: Annotated[str | None, says("why no more were drawn, or why there is no test"), SOMETIMES] = None
    delta: Annotated[Number, says("how much the criterion is above that of the chosen model")]
    clear: Annotated[bool | None, says("whether that is more than the searches may have missed; blank of the chosen")]
    entropy: Annotated[Number, says("of the responsibilities, total")]
    smallest_share: Annotated[Number, says("weight of the smallest component")]
    largest_share: Annotated[Number, says("weight of the largest component")]
    starts: Annotated[int | None, says("climbs in restarts.csv")]
    at_best: Annotated[int | None, says("climbs that ended at the best value")]
    searches: Annotated[int | None, says("searches, or restarts, that were made")]
    reached: Annotated[int | None, says("of them, those that came to the best value")]
    depth: Annotated[str, says("of the search: deep, or light where a model is far from the best; blank of --restarts")]
    degenerate: Annotated[int | None, says("climbs that ended in a component that has collapsed")]
    remaining: Annotated[Number, says("nats that more iterations would gain")]
    optimisation_error: Annotated[Number, says("nats by which the best value may have been missed")]
    prior: Annotated[
        str, says("none, weak or conjugate; where only some have one they are not ranked: their criteria are blank")
    ]
    status: Annotated[
        str,
        says("why the climb ended; failed if there is no fit; not needed if fewer components are the global maximum"),
    ]
    note: Annotated[str, says("chosen, and what else is to be said")]


def columns(criterion: str, tested: bool = False) -> tuple[str, ...]:
    """Of the table: those of every sweep, and the chosen criterion if it is a third party's."""
    often = [name for name in SelectionRow.model_fields if name != ELBO and (tested or name not in TEST_COLUMNS)]
    fields = [name for name in often if criterion == CROSS_VALIDATION or name not in CV_COLUMNS]
    after = fields.index("delta")
    return tuple(dict.fromkeys((*fields[:after], *names(criterion), *fields[after:])))


def read_table(lines: Iterable[str]) -> Iterator[dict[str, object]]:
    """The rows of a table that `em` wrote; `ValueError` says which cell is none that it writes."""
    texts = {name for name, field in SelectionRow.model_fields.items() if field.annotation is str}
    for number, row in enumerate(csv.DictReader(lines), 1):
        if None in row:
            raise ValueError(f"row {number} has more cells than there are columns")
        cells = {name: text if text or name in texts else None for name, text in row.items()}
        try:
            found = SelectionRow.model_validate(cells, strict=False)
        except ValidationError as error:
            first = error.errors()[0]
            column = str(first["loc"][0])
            if first["type"] == "missing":
                raise ValueError(f"has no column {column!r}, which a run has written there") from None
            raise ValueError(
                f"row {number}, column {column!r} holds {short(first['input'])}: {in_words(first)}"
            ) from None
        known = SelectionRow.model_fields
        yield {name: value if name in known else _number(value) for name, value in found if name in cells}


def _number(text: Any) -> Any:
    """The value of a criterion that is a third party's."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return text
